"""Rule draw_sweep: draw what became of an experiment with other settings."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style, sweep

    found = artifacts.read_json(snakemake.input.summary)
    figure, alt = sweep.draw(found), sweep.alt(found)
    style.save(figure, *snakemake.output, alt=alt, screen_dpi=snakemake.params.screen_dpi)
