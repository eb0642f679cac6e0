rule make_explorer:
    input:
        projections=[
            path for name in CONFIG.experiments for path in projections_of(name)
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
        projections={name: projections_of(name) for name in CONFIG.experiments},
        layers={
            name: [(layer.name, layer.kind) for layer in chosen.layers]
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
