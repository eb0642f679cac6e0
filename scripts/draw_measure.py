"""Rule draw_measure: draw a measure of one network or more with the figure module of its kind."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style
    from pixelspace.report import numbers

    module = import_module(f"pixelspace.figures.{snakemake.params.kind}")
    networks = [artifacts.read_json(path) for path in snakemake.input.measures]
    found = numbers.of_networks(networks)
    figure, alt = module.draw(found), module.alt(found)
    shown = map(artifacts.read_json, snakemake.input.shown)
    dpi = snakemake.params.screen_dpi
    style.save(figure, *snakemake.output, alt=alt, shown=shown, screen_dpi=dpi)
