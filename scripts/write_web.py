"""Rule write_web: the paper as a web page."""

from pathlib import Path

from pixelspace import artifacts, runtime
from pixelspace.report import template, web

with runtime.job(snakemake.log[0]):
    origins = template.ledger_places(
        artifacts.read_json(snakemake.input.numbers),
        [Path(path).stem for path in snakemake.input.sweeps],
        artifacts.read_json(snakemake.input.ledger),
    )
    web.convert(
        snakemake.input.tex,
        bibliography=snakemake.input.bibliography,
        figures=snakemake.input.figures,
        style=snakemake.input.style,
        looks=snakemake.params.looks,
        origins=origins,
        claims=artifacts.read_json(snakemake.input.claims),
        page=snakemake.output.page,
    )
