"""Rule summarize_sweep: take the mean of one number at each point of a sweep."""

from pixelspace import artifacts, runtime
from pixelspace.report import sweep

with runtime.job(snakemake.log[0]):
    rows = sweep.collected(
        snakemake.params.networks,
        snakemake.params.measures,
        points=snakemake.input.points,
        repeated=snakemake.input.repeated,
    )
    where = f"sweeps.{snakemake.wildcards.sweep}.shows"
    summary = sweep.summary(rows, snakemake.params.shows, where)
    artifacts.write_json(snakemake.output.summary, summary)
