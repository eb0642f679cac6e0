"""Rule draw_training: draw the training curves and the confusion matrix of an experiment."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import style, training

    reports = [artifacts.read_json(report) for report in snakemake.input.reports]
    style.save(training.draw(reports), *snakemake.output, screen_dpi=snakemake.params.screen_dpi)
