"""Rule record_config: keep the configuration beside the numbers that came of it."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    artifacts.write_json(snakemake.output.config, snakemake.params.config)
