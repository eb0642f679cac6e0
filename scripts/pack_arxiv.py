"""Rule pack_arxiv: the sources of the paper as arXiv takes them."""

from pixelspace import runtime
from pixelspace.report import arxiv

with runtime.job(snakemake.log[0]):
    arxiv.pack(
        snakemake.input.tex,
        bibliography=snakemake.input.bibliography,
        figures=snakemake.input.figures,
        archive=snakemake.output.archive,
    )
