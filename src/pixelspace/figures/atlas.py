"""All that a layer sees in a data set, on one map."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

GOLDEN = 0.618
MARGIN = 0.03
LARGEST = 0.73  # of a field, in inches: eight of them are as wide as the figure
TALL = 4.34  # inches of the whole map at most, so that it shares its page with text
FULLEST = 0.96  # of a field, so that neighbours do not touch


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the image of each field at its place; its area goes with the vectors in the field."""
    arrays = projection.arrays
    places = arrays["places"] - arrays["places"].min(0)
    rows, columns = places.max(0) + 1
    field = min((style.WIDTH - 2 * MARGIN) / columns, (TALL - 2 * MARGIN) / rows, LARGEST)
    figure, canvas = style.sheet(rows * field + 2 * MARGIN)
    left = (style.WIDTH - columns * field) / 2
    shown = tiles.pictures(arrays["images"], projection.about["value_range"])
    for tile, (row, column), size in zip(shown, places, arrays["sizes"], strict=True):
        side = FULLEST * size * field
        x, y = left + (column + 0.5) * field, MARGIN + (row + 0.5) * field
        tile.show(canvas, (x - side / 2, y - side / 2, side, side))
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    return (
        f"Activation atlas of layer {about['layer']}: {len(arrays['images'])} small images on a "
        f"grid of {about['grid']} by {about['grid']} fields. Each was made to point where the mean "
        f"of its field's vectors does; there are {arrays['counts'].sum()} vectors, in the fullest "
        f"field {arrays['counts'].max()}, and a fuller field has a larger image."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the images of fields that are fuller than most, from all over the map.

    However few of them are shown, they lie far apart: steps of the golden ratio leave no gap.
    """
    arrays, about = projection.arrays, projection.about
    full = np.flatnonzero(arrays["counts"] >= np.median(arrays["counts"]))
    steps = GOLDEN * np.arange(len(full)) % 1 * len(full)
    order = dict.fromkeys(full[steps.astype(int)].tolist())
    shown = tiles.pictures(arrays["images"][list(order)], about["value_range"])
    return [tiles.Row("atlas", about["layer"], shown)]
