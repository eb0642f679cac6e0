"""Rule collect_sweep: make one table of all networks of a sweep, and a summary of its points."""

from pixelspace import artifacts, runtime, scores
from pixelspace.report import sweep

with runtime.job(snakemake.log[0]):
    known = {}
    for path in snakemake.input.points:
        known |= artifacts.read_json(path)
    repeated = map(artifacts.read_json, snakemake.input.repeated)
    rows = []
    for network in snakemake.params.networks:
        if network["repeats"]:
            report = next(repeated)
            measures = {name: next(repeated) for name in snakemake.params.measures}
            found = {"numbers": scores.numbers_of(report, measures)}
        else:
            found = known[network["key"]]
        rows.append(network | found)
    where = f"sweeps.{snakemake.wildcards.sweep}.shows"
    summary = sweep.summary(rows, snakemake.params.shows, where)
    artifacts.write_text(snakemake.output.table, sweep.tidy(rows))
    artifacts.write_json(snakemake.output.summary, summary)
