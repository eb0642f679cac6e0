rule train_network:
    input:
        dataset=rules.make_dataset.output.dataset,
        pretrained=local(pretrained_weights),
    output:
        weights=f"{RESULTS}/{{experiment}}/{{replicate}}/network.weights.h5",
        report=f"{RESULTS}/{{experiment}}/{{replicate}}/training.json",
    log:
        f"{RESULTS}/logs/train_network/{{experiment}}-{{replicate}}.log",
    wildcard_constraints:
        replicate=r"\d+",
    # Long steps first, so that short ones fill the cores at the end.
    priority: 2
    threads: 1
    resources:
        mem_mb=3000,
    params:
        network=network_settings,
        recipe=lambda wildcards: experiment(wildcards).training.recipe,
        settings=lambda wildcards: experiment(wildcards).training.chosen.model_dump(),
        seed=seed("training"),
        code=code(
            "train_network",
            lambda wildcards: [
                network_module(wildcards),
                f"pixelspace.networks.{experiment(wildcards).training.recipe}",
            ],
        ),
    message:
        "train the network of {wildcards.experiment}, replicate {wildcards.replicate}"
    script:
        "../../scripts/train_network.py"


rule choose_network:
    input:
        reports=reports,
        weights=lambda wildcards: [
            f"{folder}/network.weights.h5"
            for folder in replicates(wildcards.experiment)
        ],
    output:
        weights=f"{RESULTS}/{{experiment}}/{MEDIAN}/network.weights.h5",
        report=f"{RESULTS}/{{experiment}}/{MEDIAN}/training.json",
    log:
        f"{RESULTS}/logs/choose_network/{{experiment}}.log",
    retries: 0
    params:
        code=code("choose_network"),
    message:
        "choose the median network of {wildcards.experiment}"
    script:
        "../../scripts/choose_network.py"
