rule train_network:
    input:
        dataset=rules.make_dataset.output.dataset,
        pretrained=pretrained_weights,
    output:
        weights=f"{RESULTS}/{{experiment}}/{{replicate}}/network.weights.h5",
        report=f"{RESULTS}/{{experiment}}/{{replicate}}/training.json",
    log:
        f"{RESULTS}/logs/train_network/{{experiment}}-{{replicate}}.log",
    threads: 1
    resources:
        mem_mb=3000,
    params:
        network=network_settings,
        recipe=lambda wildcards: experiment(wildcards).training.recipe,
        settings=lambda wildcards: experiment(wildcards).training.chosen.model_dump(),
        seed=seed("training"),
        network_code=network_code,
        code=lambda wildcards: fingerprint(
            "pixelspace.artifacts",
            f"pixelspace.networks.{experiment(wildcards).training.recipe}",
        ),
    message:
        "train the network of {wildcards.experiment}, replicate {wildcards.replicate}"
    script:
        "../../scripts/train_network.py"
