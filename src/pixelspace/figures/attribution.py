"""What in some images speaks for a class, by several methods."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

FOOT = 0.4
CLASS_MAPS = ("grad_cam", "grad_cam_plus_plus")
WORDS = {
    "gradient_times_input": "gradient times input",
    "smooth_grad": "SmoothGrad",
    "integrated_gradients": "integrated gradients",
    "guided": "guided backprop",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
}


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the images in a row, and below them a row of maps for each method.

    Each map has a scale of its own. Those of class maps begin at zero; all others are symmetric
    about zero and end where one value in a hundred lies beyond. Of a map of colours the sum over
    the colours is shown: what the pixel as a whole says.
    """
    about = projection.about
    heads = [("class", about["labels"]), ("predicted", about["predicted"])]
    if about["explained"] != about["predicted"]:
        heads.append(("explained", about["explained"]))
    rows = [row._replace(layer="") for row in examples(projection)]
    figure, canvas, left = tiles.table(rows, heads, foot=FOOT)
    top = figure.get_figheight() - 0.25
    shown = [(row.tiles[0], name) for row, name in zip(rows[1:], about["methods"], strict=True)]
    bars = [
        next(((tile, ends) for tile, name in shown if (name in CLASS_MAPS) == positive), None)
        for positive, ends in ((False, ["against", "0", "for"]), (True, ["0", "max"]))
    ]
    for tile, ends in filter(None, bars):
        image = tile.show(canvas, (left, -9, 1, 1))
        image.remove()
        style.colour_bar(style.place(figure, left, top, 1.4, 0.07), image, ends)
        left += 2.2
    return figure


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the images, and a row of maps for each method."""
    arrays, about = projection.arrays, projection.about
    rows = [tiles.Row("test images", "", tiles.pictures(arrays["inputs"], about["value_range"]))]
    for number, method in enumerate(about["methods"]):
        make = _class_map if method in CLASS_MAPS else tiles.signed
        maps = arrays[f"maps_{number}"].sum(-1, keepdims=True)
        rows.append(
            tiles.Row(WORDS.get(method, method), about["layer"], [make(values) for values in maps])
        )
    return rows


def _class_map(values: np.ndarray) -> tiles.Tile:
    return tiles.Tile(style.feature_map, values[..., 0], (0.0, float(values.max())))
