rule collect_numbers:
    input:
        datasets=number_sources("datasets"),
        reports=number_sources("reports"),
        shown=number_sources("shown"),
        measures=number_sources("measures"),
        replicated=number_sources("replicated"),
        summaries=number_sources("summaries"),
    output:
        numbers=f"{RESULTS}/numbers.json",
    log:
        f"{RESULTS}/logs/collect_numbers.log",
    retries: 0
    params:
        code=code("collect_numbers"),
    message:
        "collect the numbers"
    script:
        "../../scripts/collect_numbers.py"


rule write_ledger:
    input:
        numbers=rules.collect_numbers.output.numbers,
        made=steps_made,
        data=local(data_of_steps),
    output:
        ledger=f"{RESULTS}/ledger.json",
    log:
        f"{RESULTS}/logs/write_ledger.log",
    retries: 0
    params:
        steps=lambda wildcards: steps(),
        photographs=commits_of_photographs,
        code=code("write_ledger"),
    message:
        "write the ledger"
    script:
        "../../scripts/write_ledger.py"


rule record_config:
    output:
        config=f"{RESULTS}/config.json",
    log:
        f"{RESULTS}/logs/record_config.log",
    retries: 0
    params:
        config=WRITTEN_CONFIG,
        code=code("record_config"),
    message:
        "record the configuration"
    script:
        "../../scripts/record_config.py"


rule check_claims:
    input:
        numbers=rules.collect_numbers.output.numbers,
        config=rules.record_config.output.config,
        claims=shipped("report/claims.yaml"),
    output:
        claims=f"{RESULTS}/claims.json",
    log:
        f"{RESULTS}/logs/check_claims.log",
    retries: 0
    params:
        code=code("check_claims"),
    message:
        "check the claims"
    script:
        "../../scripts/check_claims.py"


rule write_paper:
    input:
        numbers=rules.collect_numbers.output.numbers,
        claims=rules.check_claims.output.claims,
        ledger=rules.write_ledger.output.ledger,
        sweeps=[f"{RESULTS}/sweeps/{name}.json" for name in CONFIG.sweeps],
        template=shipped("report/paper.tex.j2"),
        sections=shipped(SECTIONS),
        lock=shipped(LOCK),
    output:
        tex=f"{RESULTS}/paper.tex",
    log:
        f"{RESULTS}/logs/write_paper.log",
    retries: 0
    params:
        config=WRITTEN_CONFIG,
        told=TOLD,
        untold=UNTOLD,
        class_names={
            name: list(chosen.dataset.chosen.classes)
            for name, chosen in CONFIG.experiments.items()
        },
        code=code("write_paper"),
    message:
        "write the paper"
    script:
        "../../scripts/write_paper.py"


rule compile_paper:
    input:
        tex=rules.write_paper.output.tex,
        bibliography=shipped("report/references.bib"),
        figures=figures_of_the_paper,
    output:
        pdf=f"{RESULTS}/paper.pdf",
    log:
        f"{RESULTS}/logs/compile_paper.log",
    retries: 0
    params:
        code=code("compile_paper"),
    message:
        "typeset the paper"
    script:
        "../../scripts/compile_paper.py"


rule write_web:
    input:
        tex=rules.write_paper.output.tex,
        numbers=rules.collect_numbers.output.numbers,
        claims=rules.check_claims.output.claims,
        ledger=rules.write_ledger.output.ledger,
        sweeps=[f"{RESULTS}/sweeps/{name}.json" for name in CONFIG.sweeps],
        bibliography=shipped("report/references.bib"),
        style=shipped("report/web/paper.css"),
        figures=pictures_of_the_paper,
    output:
        page=f"{RESULTS}/paper.html",
    log:
        f"{RESULTS}/logs/write_web.log",
    retries: 0
    params:
        looks=lambda wildcards: looks(),
        code=code("write_web"),
    message:
        "make a web page of the paper"
    script:
        "../../scripts/write_web.py"


# The sources of the paper as arXiv takes them.
rule pack_arxiv:
    input:
        tex=rules.write_paper.output.tex,
        bibliography=shipped("report/references.bib"),
        figures=figures_of_the_paper,
    output:
        archive=f"{RESULTS}/arxiv.tar.gz",
    log:
        f"{RESULTS}/logs/pack_arxiv.log",
    retries: 0
    params:
        code=code("pack_arxiv"),
    message:
        "pack the sources for arXiv"
    script:
        "../../scripts/pack_arxiv.py"


rule write_tables:
    input:
        claims=rules.check_claims.output.claims,
        numbers=rules.collect_numbers.output.numbers,
        sweeps=[f"{RESULTS}/sweeps/{name}.csv" for name in CONFIG.sweeps],
    output:
        claims=report(
            f"{RESULTS}/claims.html",
            caption="../../report/captions/claims.rst",
            category="claims and numbers",
            labels={"table": "claims"},
        ),
        numbers=report(
            f"{RESULTS}/numbers.html",
            caption="../../report/captions/numbers.rst",
            category="claims and numbers",
            labels={"table": "numbers"},
        ),
        sweeps=[
            report(
                f"{RESULTS}/sweeps/{name}.html",
                caption="../../report/captions/sweep.rst",
                category="sweeps",
                labels={"sweep": name, "shown as": "table"},
            )
            for name in CONFIG.sweeps
        ],
    log:
        f"{RESULTS}/logs/write_tables.log",
    retries: 0
    params:
        code=code("write_tables"),
    message:
        "write the tables"
    script:
        "../../scripts/write_tables.py"


rule describe_crate:
    input:
        results=[
            rules.compile_paper.output.pdf,
            rules.write_paper.output.tex,
            rules.collect_numbers.output.numbers,
            rules.check_claims.output.claims,
            rules.write_ledger.output.ledger,
            rules.record_config.output.config,
        ],
        drawn=files_of_crate,
        claims=rules.check_claims.output.claims,
        ledger=rules.write_ledger.output.ledger,
        citation=shipped("CITATION.cff"),
        lock=shipped(LOCK),
        source=shipped(CRATE_SOURCES),
    output:
        crate=f"{RESULTS}/ro-crate-metadata.json",
        copies=[f"{RESULTS}/ro-crate/{file}" for file in CRATE_SOURCES],
    log:
        f"{RESULTS}/logs/describe_crate.log",
    retries: 0
    params:
        code=code("describe_crate"),
    message:
        "describe the results as an RO-Crate"
    script:
        "../../scripts/describe_crate.py"


# The project and the crate in one file, from which the paper can be built again.
rule pack_archive:
    input:
        crate=rules.describe_crate.output.crate,
    output:
        archive=f"{RESULTS}/pixelspace.tar.gz",
    log:
        f"{RESULTS}/logs/pack_archive.log",
    retries: 0
    params:
        sources=committed,
        settings=[*OVERLAYS, *workflow.config_settings.config],
        photographs=photographs(),
        code=code("pack_archive"),
    message:
        "pack the project and its paper"
    script:
        "../../scripts/pack_archive.py"
