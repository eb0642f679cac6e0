"""Rule choose_network: of several networks of an experiment, take the median one to look at."""

import shutil

from pixelspace import artifacts, runtime
from pixelspace.report import spread

with runtime.job(snakemake.log[0]):
    reports = [artifacts.read_json(path) for path in snakemake.input.reports]
    number = spread.median(report["history"]["validation_loss"][-1] for report in reports)
    with artifacts.written(snakemake.output.weights) as temporary:
        shutil.copyfile(artifacts.checked(snakemake.input.weights[number]), temporary)
    artifacts.write_json(snakemake.output.report, reports[number] | {"replicate": number})
