"""Rule compile_paper: typeset the paper."""

from pixelspace import runtime
from pixelspace.report import latex

with runtime.job(snakemake.log[0]):
    latex.compile_pdf(
        snakemake.input.tex,
        bibliography=snakemake.input.bibliography,
        figures=snakemake.input.figures,
        pdf=snakemake.output.pdf,
    )
