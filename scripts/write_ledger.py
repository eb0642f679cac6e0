"""Rule write_ledger: connect every number and figure with what made it."""

from pathlib import Path

from pixelspace import artifacts, runtime
from pixelspace.report import ledger

with runtime.job(snakemake.log[0]):
    results = Path(snakemake.output.ledger).parent
    written = ledger.of(
        snakemake.params.steps, artifacts.read_json(snakemake.input.numbers), results
    )
    artifacts.write_json(snakemake.output.ledger, written)
