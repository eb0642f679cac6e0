"""Rule draw_contact_sheet: draw examples of all projections of an experiment on one page."""

from pixelspace import artifacts, runtime

with runtime.job(snakemake.log[0]):
    from pixelspace.figures import contact_sheet, style

    projections = [artifacts.read_projection(path) for path in snakemake.input.projections]
    notes = (
        f"{projection.about['kind'].replace('_', ' ')}: {style.in_words(note)}"
        for projection in projections
        for note in projection.about["notes"]
    )
    figure = style.noted(contact_sheet.draw(projections), list(dict.fromkeys(notes)))
    alt = contact_sheet.alt(projections)
    shown = map(artifacts.read_json, snakemake.input.shown)
    dpi = snakemake.params.screen_dpi
    style.save(figure, *snakemake.output, alt=alt, shown=shown, screen_dpi=dpi)
