"""Rule draw_measure: draw a measure with the figure module of the same name."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style

    figure = import_module(f"pixelspace.figures.{snakemake.params.kind}")
    drawn = figure.draw(artifacts.read_json(snakemake.input.measure))
    style.save(drawn, *snakemake.output, screen_dpi=snakemake.params.screen_dpi)
