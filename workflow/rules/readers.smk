rule project_units:
    input:
        dataset=rules.make_dataset.output.dataset,
        weights=rules.train_network.output.weights,
        projections=projections,
    output:
        units=f"{RESULTS}/units/{{experiment}}-{{replicate}}.npz",
    log:
        f"{RESULTS}/logs/project_units/{{experiment}}-{{replicate}}.log",
    threads: 1
    resources:
        mem_mb=3000,
    params:
        network=network_settings,
        planned=lambda wildcards: planned_units.plan(experiment(wildcards)),
        planned_images=lambda wildcards: planned_units.of_images(experiment(wildcards)),
        seed=seed("projection"),
        code=code("project_units", lambda wildcards: [network_module(wildcards)]),
    message:
        "project units and images of {wildcards.experiment} by the methods that they lack"
    script:
        "../../scripts/project_units.py"


rule make_explorer:
    input:
        projections=[
            path for name in CONFIG.experiments for path in projections_of(name)
        ],
        units=[units_of(name) for name in CONFIG.experiments],
        figures=[
            Path(figure).with_suffix(kind)
            for name in CONFIG.experiments
            for figure in figures_of_explorer(name)
            for kind in (".png", ".txt")
        ],
        numbers=rules.collect_numbers.output.numbers,
        template=shipped("report/explorer/index.html.j2"),
        style=shipped("report/explorer/explorer.css"),
        script=shipped("report/explorer/explorer.js"),
    output:
        page=f"{EXPLORER}/index.html",
        style=f"{EXPLORER}/explorer.css",
        script=f"{EXPLORER}/explorer.js",
        parts=of_explorer(),
    log:
        f"{RESULTS}/logs/make_explorer.log",
    retries: 0
    resources:
        mem_mb=2000,
    params:
        shown={
            name: {
                "projections": projections_of(name),
                "units": units_of(name),
                "beside": planned_units.sheets(chosen),
                "layers": [(layer.name, layer.kind) for layer in chosen.layers],
                "figures": figures_of_explorer(name),
            }
            for name, chosen in CONFIG.experiments.items()
        },
        code=code(
            "make_explorer",
            lambda wildcards: {
                f"pixelspace.figures.{projection.kind}"
                for chosen in CONFIG.experiments.values()
                for projection in chosen.projections.values()
            },
        ),
    message:
        "make the explorer"
    script:
        "../../scripts/make_explorer.py"
