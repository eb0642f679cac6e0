"""Rule write_paper: fill the template with numbers."""

from pixelspace import artifacts, runtime
from pixelspace.report import template

with runtime.job(snakemake.log[0]):
    tex = template.render(
        snakemake.input.template,
        numbers=artifacts.read_json(snakemake.input.numbers),
        config=snakemake.params.config,
        class_names=snakemake.params.class_names,
        lock=snakemake.input.lock,
    )
    artifacts.write_text(snakemake.output.tex, tex)
