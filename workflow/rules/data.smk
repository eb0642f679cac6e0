rule make_dataset:
    input:
        files=local(source_files),
    output:
        dataset=f"{RESULTS}/{{experiment}}/dataset.h5",
    log:
        f"{RESULTS}/logs/make_dataset/{{experiment}}.log",
    # Long steps first, so that short ones fill the cores at the end.
    priority: 3
    threads: 1
    resources:
        mem_mb=2000,
    params:
        source=lambda wildcards: experiment(wildcards).dataset.source,
        settings=lambda wildcards: experiment(wildcards).dataset.chosen.model_dump(),
        listing=source_listing,
        seed=seed("dataset"),
        code=code(
            "make_dataset",
            lambda wildcards: [
                f"pixelspace.datasets.{experiment(wildcards).dataset.source}"
            ],
        ),
    message:
        "make the images of {wildcards.experiment}"
    script:
        "../../scripts/make_dataset.py"
