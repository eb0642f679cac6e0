"""What in some images speaks for a class, by several methods."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

FOOT = 0.36  # the scales, below the maps
BAR, BETWEEN = 1.4, 0.6
LARGEST = 0.56  # with nine methods there is room for another figure on the page
CLASS_MAPS = ("grad_cam", "grad_cam_plus_plus")
WORDS = style.METHODS


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the images in a row, and below them a row of maps for each method.

    Each map has a scale of its own. Those of class maps begin at zero; all others are symmetric
    about zero and end where one value in a hundred lies beyond. Of a map of colours the sum over
    the colours is shown: what the pixel as a whole says.
    """
    about = projection.about
    heads = {"class": about["labels"], "predicted": about["predicted"]}
    if about["explained"] != about["predicted"]:
        heads["explained"] = about["explained"]
    rows = [row._replace(layer="") for row in examples(projection)]
    figure, _, left = tiles.table(rows, heads, foot=FOOT, largest=LARGEST)
    scales(figure, left, about["methods"])
    return figure


def scales(figure: Figure, left: float, methods: Sequence[str]) -> None:
    """Draw in the `FOOT` of a figure, from ``left``, what the colours of the methods' maps mean.

    They begin further left where there would be no room for the last of them.
    """
    kinds = (
        (False, Normalize(-1, 1), style.SIGNED, ["against", "0", "for"]),
        (True, Normalize(0, 1), style.INTENSITY, ["0", "max"]),
    )
    shown = [kind for kind in kinds if any((method in CLASS_MAPS) == kind[0] for method in methods)]
    left = min(left, style.WIDTH - len(shown) * (BAR + BETWEEN) + BETWEEN - 0.2)
    for _, scale, colours, ends in shown:
        bar = style.place(figure, left, figure.get_figheight() - 0.25, BAR, 0.07)
        style.colour_bar(bar, ScalarMappable(scale, colours), ends)
        left += BAR + BETWEEN


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    about = projection.about
    methods = style.listed([WORDS.get(method, method) for method in about["methods"]])
    explained = about["explained"]
    if len(set(explained)) == 1:
        explained = explained[:1]
    return (
        f"Test images of {style.listed(about['labels'])} in a row, and below them a row of maps "
        f"for each method: {methods}. They show what speaks for {style.listed(explained)} in "
        f"layer {about['layer']}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the images, and a row of maps for each method."""
    arrays, about = projection.arrays, projection.about
    rows = [tiles.Row("test images", "", tiles.pictures(arrays["inputs"], about["value_range"]))]
    for number, method in enumerate(about["methods"]):
        maps = arrays[f"maps_{number}"].sum(-1, keepdims=True)
        row = [tile(method, values) for values in maps]
        rows.append(tiles.Row(WORDS.get(method, method), about["layer"], row))
    return rows


def tile(method: str, values: np.ndarray) -> tiles.Tile:
    """Return a method's map ``(h, w, 1)`` as a tile on a scale of its own."""
    if method in CLASS_MAPS:
        return tiles.Tile(style.feature_map, values[..., 0], (0.0, float(values.max())))
    return tiles.signed(values)
