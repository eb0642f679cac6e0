"""Rule write_ledger: connect every number and figure with what made it."""

from pathlib import Path

from pixelspace import artifacts, fingerprint, runtime
from pixelspace.report import ledger

with runtime.job(snakemake.log[0]):
    results = Path(snakemake.output.ledger).parent
    steps = snakemake.params.steps
    names = {name for step in steps.values() for name in step.get("code", ())}
    written = ledger.of(
        steps,
        fingerprint.hashes(sorted(names), Path(snakemake.scriptdir)),
        artifacts.read_json(snakemake.input.numbers),
        results,
    )
    artifacts.write_json(snakemake.output.ledger, written)
