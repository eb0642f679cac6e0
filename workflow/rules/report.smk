rule collect_numbers:
    input:
        datasets=number_sources("datasets"),
        reports=number_sources("reports"),
        measures=number_sources("measures"),
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


rule write_paper:
    input:
        numbers=rules.collect_numbers.output.numbers,
        template="report/paper.tex.j2",
        sections=SECTIONS,
        lock="requirements-gpu.txt" if GPU else "requirements.txt",
    output:
        tex=f"{RESULTS}/paper.tex",
    log:
        f"{RESULTS}/logs/write_paper.log",
    params:
        config=CONFIG.model_dump(exclude={"photos", "figures", "results"}),
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
