from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/config.smk"


configfile: "config/config.yaml"


report: "report/captions/workflow.rst"


# Made by `make container`; used with --software-deployment-method apptainer.
container: "pixelspace.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/project.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/sweep.smk"
include: "workflow/rules/draw.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/readers.smk"


# Where files pass through a remote storage there is no folder of results to put it into.
onsuccess:
    if not REMOTE:
        machine.record(RESULTS, project=workflow.basedir, environment=os.environ)


# On a cluster these run where snakemake does: a job of its own costs each more than it computes. None
# is tried again, as jobs are: what fails here fails because of what it is given.
localrules:
    choose_network,
    summarize_projection,
    collect_sweep,
    summarize_sweep,
    draw_samples,
    draw_training,
    draw_diagram,
    draw_contact_sheet,
    draw_projection,
    draw_measure,
    draw_sweep,
    record_config,
    collect_numbers,
    write_ledger,
    check_claims,
    write_paper,
    compile_paper,
    pack_arxiv,
    write_web,
    make_explorer,
    write_tables,
    describe_crate,
    pack_archive,
    claims,


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
    retries: 0
    message:
        "hold the claims"
    script:
        "scripts/claims.py"


# The project and its paper in one file; what is not committed cannot be in it.
rule archive:
    input:
        rules.pack_archive.output.archive,


# What is for those who read a build and not its code; `make readers` adds Snakemake's report.
rule readers:
    input:
        all_figures(),
        rules.make_explorer.output,
        rules.write_web.output,
        rules.pack_arxiv.output,
        rules.write_ledger.output,
        rules.write_tables.output,
        rules.describe_crate.output,
