"""Rule write_ledger: connect every number and figure with what made it."""

from pathlib import Path

from pixelspace import artifacts, fingerprint, runtime
from pixelspace.report import ledger

with runtime.job(snakemake.log[0]):
    results = Path(snakemake.output.ledger).parent
    steps = snakemake.params.steps
    names = {name for step in steps.values() for name in step.get("code", ())}
    photographs = {}
    for path, (place, commit) in snakemake.params.photographs.items():
        taken = commit
        if not commit:
            from pixelspace.datasets import folder  # here: it takes longer than all the rest

            with artifacts.open_dataset(results / path) as dataset:
                splits = ("train", "validation", "test")
                sources = {source for split in splits for source in dataset[split].sources}
            taken = folder.content(place, sources)
        photographs[path] = (place, commit, taken)
    written = ledger.of(
        steps,
        fingerprint.hashes(sorted(names), Path(snakemake.scriptdir)),
        artifacts.read_json(snakemake.input.numbers),
        results,
        photographs,
    )
    artifacts.write_json(snakemake.output.ledger, written)
