"""Rule draw_samples: draw some images of each class."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]), artifacts.open_dataset(snakemake.input.dataset) as dataset:
    from pixelspace.figures import samples, style

    figure, alt = samples.draw(dataset), samples.alt(dataset)
    style.save(figure, *snakemake.output, alt=alt, screen_dpi=snakemake.params.screen_dpi)
