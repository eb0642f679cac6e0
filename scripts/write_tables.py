"""Rule write_tables: claims, numbers and sweeps as pages that a browser shows."""

from pathlib import Path

from pixelspace import artifacts, runtime
from pixelspace.report import tables

with runtime.job(snakemake.log[0]):
    artifacts.write_text(
        snakemake.output.claims, tables.of_claims(artifacts.read_json(snakemake.input.claims))
    )
    artifacts.write_text(
        snakemake.output.numbers, tables.of_numbers(artifacts.read_json(snakemake.input.numbers))
    )
    for sweep, page in zip(snakemake.input.sweeps, snakemake.output.sweeps, strict=True):
        table = artifacts.checked(sweep).read_text(encoding="utf-8")
        artifacts.write_text(page, tables.of_sweep(Path(sweep).stem, table))
