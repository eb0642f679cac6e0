"""Rule check_claims: hold every claim against the numbers."""

from pixelspace import artifacts, runtime
from pixelspace.report import claims

with runtime.job(snakemake.log[0]):
    numbers = artifacts.read_json(snakemake.input.numbers)
    config = artifacts.read_json(snakemake.input.config)
    checked = claims.check(snakemake.input.claims, numbers, config)
    for line in claims.failing(checked):
        print(f"warning: {line}")
    artifacts.write_json(snakemake.output.claims, checked)
