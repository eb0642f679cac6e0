"""Rule draw_measure: draw a measure of one network or more with the figure module of its kind."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style

    figure = import_module(f"pixelspace.figures.{snakemake.params.kind}")
    drawn = figure.draw(*map(artifacts.read_json, snakemake.input.measures))
    style.save(drawn, *snakemake.output, screen_dpi=snakemake.params.screen_dpi)
