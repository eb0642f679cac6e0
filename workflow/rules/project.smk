rule project:
    input:
        dataset=rules.make_dataset.output.dataset,
        weights=rules.train_network.output.weights,
    output:
        projection=f"{RESULTS}/{{experiment}}/{{replicate}}/projections/{{projection}}.npz",
    log:
        f"{RESULTS}/logs/project/{{experiment}}-{{replicate}}-{{projection}}.log",
    threads: 1
    resources:
        mem_mb=3000,
    params:
        network=network_settings,
        settings=projection_settings,
        seed=seed("projection"),
        code=code(
            "project",
            lambda wildcards: [
                network_module(wildcards),
                f"pixelspace.projections.{projection_settings(wildcards)['kind']}",
            ],
        ),
    message:
        "project {wildcards.experiment} onto pixel space: {wildcards.projection}"
    script:
        "../../scripts/project.py"
