"""Rule draw_diagram: draw a small network with its trained weights in place."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import diagram, style

    projection = artifacts.read_projection(snakemake.input.weights)
    figure, alt = diagram.draw(projection), diagram.alt(projection)
    shown = map(artifacts.read_json, snakemake.input.shown)
    dpi = snakemake.params.screen_dpi
    style.save(figure, *snakemake.output, alt=alt, shown=shown, screen_dpi=dpi)
