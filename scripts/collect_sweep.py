"""Rule collect_sweep: make one table of all networks of a sweep."""

from pixelspace import artifacts, runtime
from pixelspace.report import sweep

with runtime.job(snakemake.log[0]):
    rows = sweep.collected(
        snakemake.params.networks,
        snakemake.params.measures,
        points=snakemake.input.points,
        repeated=snakemake.input.repeated,
    )
    artifacts.write_text(snakemake.output.table, sweep.tidy(rows))
