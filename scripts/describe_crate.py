"""Rule describe_crate: say what the results are, in terms that archives understand."""

import shutil
from pathlib import Path

import yaml

from pixelspace import artifacts, runtime
from pixelspace.report import crate, template

with runtime.job(snakemake.log[0]):
    results = Path(snakemake.output.crate).parent
    parts = [*snakemake.input.results, *snakemake.input.drawn, *snakemake.output.copies]
    for source, copy in zip(snakemake.input.source, snakemake.output.copies, strict=True):
        with artifacts.written(copy) as temporary:
            shutil.copyfile(source, temporary)
    described = crate.describe(
        results,
        [Path(file).relative_to(results).as_posix() for file in parts],
        citation=yaml.safe_load(Path(snakemake.input.citation).read_text(encoding="utf-8")),
        claims=artifacts.read_json(snakemake.input.claims),
        data=artifacts.read_json(snakemake.input.ledger)["data"],
        versions=template.parse_lock(snakemake.input.lock),
    )
    artifacts.write_json(snakemake.output.crate, described)
