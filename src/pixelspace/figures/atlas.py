"""All that a layer sees in a data set, on one map."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

MARGIN = 0.03
LARGEST = 0.9
FULLEST = 0.96  # of a field, so that neighbours do not touch


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the image of each field at its place; its area goes with the vectors in the field."""
    arrays = projection.arrays
    places = arrays["places"] - arrays["places"].min(0)
    rows, columns = places.max(0) + 1
    field = min((style.WIDTH - 2 * MARGIN) / columns, (style.TALLEST - 2 * MARGIN) / rows, LARGEST)
    figure, canvas = style.sheet(rows * field + 2 * MARGIN)
    left = (style.WIDTH - columns * field) / 2
    shown = tiles.pictures(arrays["images"], projection.about["value_range"])
    for tile, (row, column), size in zip(shown, places, arrays["sizes"], strict=True):
        side = FULLEST * size * field
        x, y = left + (column + 0.5) * field, MARGIN + (row + 0.5) * field
        tile.show(canvas, (x - side / 2, y - side / 2, side, side))
    return figure


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the images of the fullest fields."""
    arrays, about = projection.arrays, projection.about
    order = np.argsort(-arrays["counts"], kind="stable")
    shown = tiles.pictures(arrays["images"][order], about["value_range"])
    return [tiles.Row("atlas", about["layer"], shown)]
