"""Rule collect_numbers: gather every number that the paper may cite."""

from pathlib import Path

from pixelspace import artifacts, runtime
from pixelspace.report import numbers

with runtime.job(snakemake.log[0]):
    collected = numbers.collect(
        Path(snakemake.output.numbers).parent,
        datasets=snakemake.input.datasets,
        reports=snakemake.input.reports,
        shown=snakemake.input.shown,
        measures=[*snakemake.input.measures, *snakemake.input.summaries],
        replicated=snakemake.input.replicated,
    )
    artifacts.write_json(snakemake.output.numbers, collected)
