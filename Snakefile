from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


# Made by `make container`; used with --software-deployment-method apptainer.
container: "pixelspace.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/project.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/draw.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/paper.pdf",


# Those that the paper has no room for as well, and a contact sheet of each network.
rule figures:
    input:
        all_figures(),


# Fails if a claim of the paper does.
rule claims:
    input:
        claims=f"{RESULTS}/claims.json",
    log:
        f"{RESULTS}/logs/claims.log",
    message:
        "hold the claims"
    script:
        "scripts/claims.py"
