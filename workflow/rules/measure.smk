rule measure:
    input:
        dataset=rules.make_dataset.output.dataset,
        weights=rules.train_network.output.weights,
        projection=measured_projection,
    output:
        measure=f"{RESULTS}/{{experiment}}/{{replicate}}/measures/{{measure}}.json",
    log:
        f"{RESULTS}/logs/measure/{{experiment}}-{{replicate}}-{{measure}}.log",
    # Long steps first, so that short ones fill the cores at the end.
    priority: 1
    threads: 1
    resources:
        mem_mb=3000,
    params:
        network=network_settings,
        settings=measure_settings,
        seed=seed("measure"),
        code=code(
            "measure",
            lambda wildcards: [
                network_module(wildcards),
                f"pixelspace.measures.{measure_settings(wildcards)['kind']}",
            ],
        ),
    message:
        "measure {wildcards.experiment}, replicate {wildcards.replicate}: {wildcards.measure}"
    script:
        "../../scripts/measure.py"


rule summarize_projection:
    input:
        projection=rules.project.output.projection,
    output:
        summary=f"{RESULTS}/{{experiment}}/{{replicate}}/measures/of/{{projection}}.json",
    log:
        f"{RESULTS}/logs/summarize_projection/{{experiment}}-{{replicate}}-{{projection}}.log",
    retries: 0
    threads: 1
    resources:
        mem_mb=1000,
    params:
        code=code("summarize_projection"),
    message:
        "sum up {wildcards.experiment}: {wildcards.projection}"
    script:
        "../../scripts/summarize_projection.py"
