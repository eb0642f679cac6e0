rule draw_samples:
    input:
        dataset=rules.make_dataset.output.dataset,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-samples.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-samples.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels("samples"),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-samples.txt",
    log:
        f"{RESULTS}/logs/draw_samples/{{experiment}}.log",
    retries: 0
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code("draw_samples"),
    message:
        "draw {wildcards.experiment}-samples"
    script:
        "../../scripts/draw_samples.py"


rule draw_training:
    input:
        reports=reports,
        shown=lambda wildcards: f"{shown(wildcards.experiment)}/training.json",
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-training.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-training.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels("training"),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-training.txt",
    log:
        f"{RESULTS}/logs/draw_training/{{experiment}}.log",
    retries: 0
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code("draw_training"),
    message:
        "draw {wildcards.experiment}-training"
    script:
        "../../scripts/draw_training.py"


rule draw_diagram:
    input:
        weights=lambda wildcards: f"{shown(wildcards.experiment)}/projections/weights.npz",
        shown=shown_of_several,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-diagram.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-diagram.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels("diagram"),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-diagram.txt",
    log:
        f"{RESULTS}/logs/draw_diagram/{{experiment}}.log",
    retries: 0
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code("draw_diagram"),
    message:
        "draw {wildcards.experiment}-diagram"
    script:
        "../../scripts/draw_diagram.py"


rule draw_contact_sheet:
    input:
        projections=projections,
        shown=shown_of_several,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-projections.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-projections.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels("projections"),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-projections.txt",
    log:
        f"{RESULTS}/logs/draw_contact_sheet/{{experiment}}.log",
    retries: 0
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code(
            "draw_contact_sheet",
            lambda wildcards: [
                f"pixelspace.figures.{chosen.kind}"
                for chosen in experiment(wildcards).projections.values()
            ],
        ),
    message:
        "draw {wildcards.experiment}-projections"
    script:
        "../../scripts/draw_contact_sheet.py"


rule draw_projection:
    input:
        projection=shown_projection,
        shown=shown_of_several,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-{{projection}}.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-{{projection}}.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels(),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-{{projection}}.txt",
    log:
        f"{RESULTS}/logs/draw_projection/{{experiment}}-{{projection}}.log",
    retries: 0
    params:
        kind=lambda wildcards: projection_settings(wildcards)["kind"],
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code(
            "draw_projection",
            lambda wildcards: [
                f"pixelspace.figures.{projection_settings(wildcards)['kind']}"
            ],
        ),
    message:
        "draw {wildcards.experiment}-{wildcards.projection}"
    script:
        "../../scripts/draw_projection.py"


rule draw_measure:
    input:
        measures=lambda wildcards: measured(wildcards.experiment, wildcards.measure),
        shown=shown_by_measure,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-{{measure}}.pdf",
        png=report(
            f"{RESULTS}/figures/{{experiment}}-{{measure}}.png",
            caption="../../report/captions/figure.rst",
            category="{experiment}",
            labels=labels(),
        ),
        txt=f"{RESULTS}/figures/{{experiment}}-{{measure}}.txt",
    log:
        f"{RESULTS}/logs/draw_measure/{{experiment}}-{{measure}}.log",
    retries: 0
    params:
        kind=lambda wildcards: measure_settings(wildcards)["kind"],
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code(
            "draw_measure",
            lambda wildcards: [
                f"pixelspace.figures.{measure_settings(wildcards)['kind']}"
            ],
        ),
    message:
        "draw {wildcards.experiment}-{wildcards.measure}"
    script:
        "../../scripts/draw_measure.py"


rule draw_sweep:
    input:
        summary=f"{RESULTS}/sweeps/{{sweep}}.json",
    output:
        pdf=f"{RESULTS}/figures/sweep-{{sweep}}.pdf",
        png=report(
            f"{RESULTS}/figures/sweep-{{sweep}}.png",
            caption="../../report/captions/figure.rst",
            category="sweeps",
            labels={"sweep": "{sweep}", "shown as": "figure"},
        ),
        txt=f"{RESULTS}/figures/sweep-{{sweep}}.txt",
    log:
        f"{RESULTS}/logs/draw_sweep/{{sweep}}.log",
    retries: 0
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=code("draw_sweep"),
    message:
        "draw sweep-{wildcards.sweep}"
    script:
        "../../scripts/draw_sweep.py"


ruleorder: draw_samples > draw_projection
ruleorder: draw_training > draw_projection
ruleorder: draw_diagram > draw_projection
ruleorder: draw_contact_sheet > draw_projection
