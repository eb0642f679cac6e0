rule make_dataset:
    input:
        files=source_files,
    output:
        dataset=f"{RESULTS}/{{experiment}}/dataset.h5",
    log:
        f"{RESULTS}/logs/make_dataset/{{experiment}}.log",
    threads: 1
    resources:
        mem_mb=2000,
    params:
        source=lambda wildcards: experiment(wildcards).dataset.source,
        settings=lambda wildcards: experiment(wildcards).dataset.chosen.model_dump(),
        listing=source_listing,
        seed=seed("dataset"),
        code=lambda wildcards: fingerprint(
            "pixelspace.artifacts",
            f"pixelspace.datasets.{experiment(wildcards).dataset.source}",
        ),
    message:
        "make the images of {wildcards.experiment}"
    script:
        "../../scripts/make_dataset.py"
