"""Rule write_paper: fill the template with numbers."""

from pixelspace import artifacts, runtime
from pixelspace.report import template

with runtime.job(snakemake.log[0]):
    tex = template.render(
        snakemake.input.template,
        numbers=artifacts.read_json(snakemake.input.numbers),
        claims=artifacts.read_json(snakemake.input.claims),
        config=snakemake.params.config,
        class_names=snakemake.params.class_names,
        lock=snakemake.input.lock,
        all_cited=snakemake.params.all_cited,
    )
    artifacts.write_text(snakemake.output.tex, tex)
