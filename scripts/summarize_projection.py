"""Rule summarize_projection: take numbers from the arrays of a projection."""

from pixelspace import artifacts, runtime
from pixelspace.measures import summaries

with runtime.job(snakemake.log[0]):
    projection = artifacts.read_projection(snakemake.input.projection)
    artifacts.write_json(snakemake.output.summary, summaries.measure(projection))
