rule collect_numbers:
    input:
        datasets=number_sources("datasets"),
        reports=number_sources("reports"),
        measures=number_sources("measures"),
        replicated=number_sources("replicated"),
        summaries=number_sources("summaries"),
    output:
        numbers=f"{RESULTS}/numbers.json",
    log:
        f"{RESULTS}/logs/collect_numbers.log",
    params:
        code=fingerprint("pixelspace.report.numbers"),
    message:
        "collect the numbers"
    script:
        "../../scripts/collect_numbers.py"


rule check_claims:
    input:
        numbers=rules.collect_numbers.output.numbers,
        claims="report/claims.yaml",
    output:
        claims=f"{RESULTS}/claims.json",
    log:
        f"{RESULTS}/logs/check_claims.log",
    params:
        config=WRITTEN_CONFIG,
        code=fingerprint("pixelspace.report.claims"),
    message:
        "check the claims"
    script:
        "../../scripts/check_claims.py"


rule write_paper:
    input:
        numbers=rules.collect_numbers.output.numbers,
        claims=rules.check_claims.output.claims,
        template="report/paper.tex.j2",
        sections=SECTIONS,
        lock="requirements-gpu.txt" if GPU else "requirements.txt",
    output:
        tex=f"{RESULTS}/paper.tex",
    log:
        f"{RESULTS}/logs/write_paper.log",
    params:
        config=WRITTEN_CONFIG,
        # The text need not be about what only a variant measures.
        all_cited=not OVERLAYS and not workflow.config_settings.config,
        class_names={
            name: list(chosen.dataset.chosen.classes)
            for name, chosen in CONFIG.experiments.items()
        },
        code=fingerprint("pixelspace.report.template"),
    message:
        "write the paper"
    script:
        "../../scripts/write_paper.py"


rule compile_paper:
    input:
        tex=rules.write_paper.output.tex,
        bibliography="report/references.bib",
        figures=figures_of_the_paper(),
    output:
        pdf=f"{RESULTS}/paper.pdf",
    log:
        f"{RESULTS}/logs/compile_paper.log",
    params:
        code=fingerprint("pixelspace.report.latex"),
    message:
        "typeset the paper"
    script:
        "../../scripts/compile_paper.py"
