"""Rule pack_archive: the project and its paper in one file."""

from pathlib import Path

from pixelspace import runtime
from pixelspace.report import archive

with runtime.job(snakemake.log[0]):
    archive.pack(
        Path.cwd(),
        metadata=snakemake.input.crate,
        settings=snakemake.params.settings,
        photographs=snakemake.params.photographs,
        archive=snakemake.output.archive,
    )
