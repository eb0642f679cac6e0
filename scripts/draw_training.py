"""Rule draw_training: draw the training curves and the confusion matrix of an experiment."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style, training

    reports = [artifacts.read_json(report) for report in snakemake.input.reports]
    shown = artifacts.read_json(snakemake.input.shown)
    number = shown.get("replicate", 0)
    figure, alt = training.draw(reports, number), training.alt(reports, number)
    dpi = snakemake.params.screen_dpi
    style.save(figure, *snakemake.output, alt=alt, shown=[shown], screen_dpi=dpi)
