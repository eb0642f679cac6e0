"""Rule draw_projection: draw a projection with the figure module of the same name."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style

    figure = import_module(f"pixelspace.figures.{snakemake.params.kind}")
    projection = artifacts.read_projection(snakemake.input.projection)
    drawn = style.noted(figure.draw(projection), projection.about["notes"])
    style.save(drawn, *snakemake.output, screen_dpi=snakemake.params.screen_dpi)
