"""Rule draw_projection: draw a projection with the figure module of the same name."""

from importlib import import_module

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style

    module = import_module(f"pixelspace.figures.{snakemake.params.kind}")
    projection = artifacts.read_projection(snakemake.input.projection)
    notes = [style.in_words(note) for note in projection.about["notes"]]
    figure = style.noted(module.draw(projection), notes)
    alt = " ".join([module.alt(projection), *(f"{note}." for note in notes)])
    shown = map(artifacts.read_json, snakemake.input.shown)
    dpi = snakemake.params.screen_dpi
    style.save(figure, *snakemake.output, alt=alt, shown=shown, screen_dpi=dpi)
