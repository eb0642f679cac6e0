"""Rule make_explorer: the page on which to look at each unit and image of each network."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.report.explorer import page

    page.make(
        snakemake.output.page,
        template=snakemake.input.template,
        beside=[snakemake.input.style, snakemake.input.script],
        experiments={name: page.Sources(**own) for name, own in snakemake.params.shown.items()},
        numbers=artifacts.read_json(snakemake.input.numbers),
    )
