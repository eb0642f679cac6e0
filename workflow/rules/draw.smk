rule draw_samples:
    input:
        dataset=rules.make_dataset.output.dataset,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-samples.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-samples.png",
    log:
        f"{RESULTS}/logs/draw_samples/{{experiment}}.log",
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=fingerprint("pixelspace.figures.samples"),
    message:
        "draw {wildcards.experiment}-samples"
    script:
        "../../scripts/draw_samples.py"


rule draw_training:
    input:
        reports=reports,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-training.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-training.png",
    log:
        f"{RESULTS}/logs/draw_training/{{experiment}}.log",
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=fingerprint("pixelspace.figures.training"),
    message:
        "draw {wildcards.experiment}-training"
    script:
        "../../scripts/draw_training.py"


rule draw_diagram:
    input:
        weights=f"{RESULTS}/{{experiment}}/0/projections/weights.npz",
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-diagram.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-diagram.png",
    log:
        f"{RESULTS}/logs/draw_diagram/{{experiment}}.log",
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=fingerprint("pixelspace.figures.diagram"),
    message:
        "draw {wildcards.experiment}-diagram"
    script:
        "../../scripts/draw_diagram.py"


rule draw_contact_sheet:
    input:
        projections=projections,
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-projections.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-projections.png",
    log:
        f"{RESULTS}/logs/draw_contact_sheet/{{experiment}}.log",
    params:
        screen_dpi=CONFIG.figures.screen_dpi,
        code=lambda wildcards: fingerprint(
            "pixelspace.figures.contact_sheet",
            *(
                f"pixelspace.figures.{chosen.kind}"
                for chosen in experiment(wildcards).projections.values()
            ),
        ),
    message:
        "draw {wildcards.experiment}-projections"
    script:
        "../../scripts/draw_contact_sheet.py"


rule draw_projection:
    input:
        projection=f"{RESULTS}/{{experiment}}/0/projections/{{projection}}.npz",
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-{{projection}}.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-{{projection}}.png",
    log:
        f"{RESULTS}/logs/draw_projection/{{experiment}}-{{projection}}.log",
    params:
        kind=lambda wildcards: projection_settings(wildcards)["kind"],
        screen_dpi=CONFIG.figures.screen_dpi,
        code=lambda wildcards: fingerprint(
            f"pixelspace.figures.{projection_settings(wildcards)['kind']}"
        ),
    message:
        "draw {wildcards.experiment}-{wildcards.projection}"
    script:
        "../../scripts/draw_projection.py"


rule draw_measure:
    input:
        measure=f"{RESULTS}/{{experiment}}/0/measures/{{measure}}.json",
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}-{{measure}}.pdf",
        png=f"{RESULTS}/figures/{{experiment}}-{{measure}}.png",
    log:
        f"{RESULTS}/logs/draw_measure/{{experiment}}-{{measure}}.log",
    params:
        kind=lambda wildcards: measure_settings(wildcards)["kind"],
        screen_dpi=CONFIG.figures.screen_dpi,
        code=lambda wildcards: fingerprint(
            f"pixelspace.figures.{measure_settings(wildcards)['kind']}"
        ),
    message:
        "draw {wildcards.experiment}-{wildcards.measure}"
    script:
        "../../scripts/draw_measure.py"


ruleorder: draw_samples > draw_projection
ruleorder: draw_training > draw_projection
ruleorder: draw_diagram > draw_projection
ruleorder: draw_contact_sheet > draw_projection
