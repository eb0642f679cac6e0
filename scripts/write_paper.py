"""Rule write_paper: fill the template with numbers."""

from pathlib import Path

from pixelspace import artifacts, runtime
from pixelspace.report import template

with runtime.job(snakemake.log[0]):
    tex = template.render(
        snakemake.input.template,
        numbers=artifacts.read_json(snakemake.input.numbers),
        claims=artifacts.read_json(snakemake.input.claims),
        config=snakemake.params.config,
        class_names=snakemake.params.class_names,
        sweeps={Path(path).stem: artifacts.read_json(path) for path in snakemake.input.sweeps},
        ledger=artifacts.read_json(snakemake.input.ledger),
        lock=snakemake.input.lock,
        told=snakemake.params.told,
        untold=snakemake.params.untold,
    )
    artifacts.write_text(snakemake.output.tex, tex)
