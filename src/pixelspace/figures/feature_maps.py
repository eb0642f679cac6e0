"""One image, and what each layer makes of it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style

GAP = 0.05
MARGIN = 0.03
LABEL = 1.0
SCALE = 0.5
BAR = 0.07
LINE = 0.15
BETWEEN = 0.14
LARGEST = 0.6
INPUT = 0.95


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the input, and below it a row of maps for each layer.

    The maps of one layer share one scale: from zero up, or, where there are negative values,
    symmetric about zero. Nodes without a place in the image are drawn as one strip.
    """
    arrays, about = projection.arrays, projection.about
    maps = [arrays[f"maps_{number}"] for number in range(len(about["layers"]))]
    image = arrays["input"]
    wide = INPUT * min(1.0, image.shape[1] / image.shape[0])
    top = MARGIN + wide * image.shape[0] / image.shape[1]
    for largest in np.linspace(LARGEST, 0.1, 26):
        cells = [_cell(layer.shape, largest) for layer in maps]
        heights = [rows * (tall + GAP + LINE) - GAP for (_, _, tall, rows) in cells]
        height = top + sum(heights) + BETWEEN * len(maps) + MARGIN
        if height <= style.TALLEST:
            break
    figure, canvas = style.sheet(height)
    style.picture(
        canvas, image, (MARGIN + LABEL, MARGIN, wide, top - MARGIN), *about["value_range"]
    )
    _describe_input(canvas, about, image.shape, (MARGIN + top) / 2, MARGIN + LABEL + wide + 0.1)
    for layer, values, cell, tall in zip(about["layers"], maps, cells, heights, strict=True):
        top += BETWEEN
        _layer(figure, canvas, layer, values, cell, top)
        top += tall
    return figure


def _cell(shape: tuple[int, int, int], largest: float) -> tuple[int, float, float, int]:
    """Return columns, width and height of one map, and rows, for a layer of this shape."""
    height, width, channels = shape
    room = style.WIDTH - LABEL - SCALE - 2 * MARGIN
    if height == width == 1:
        return 1, room, 0.2, 1
    columns, cell = style.grid(
        channels, room, height / width, gap=GAP, line=LINE + GAP, largest=largest
    )
    return columns, cell, cell * height / width, -(-channels // columns)


def _describe_input(canvas: Axes, about: dict, shape, middle: float, left: float) -> None:
    height, width, channels = shape
    names, image = about["class_names"], about["image"]
    canvas.text(MARGIN, middle - 0.02, "input", va="bottom")
    size = rf"{height}$\times${width}" + (rf"$\times${channels}" if channels > 1 else "")
    canvas.text(MARGIN, middle + 0.02, size, size=style.SMALL, color=style.GREY, va="top")
    lines = [("class", names[image["label"]]), ("predicted", names[image["predicted"]])]
    for row, (what, name) in enumerate(lines):
        y = middle + (row - 0.5) * 0.16
        canvas.text(left, y, f"{what}:", va="center", color=style.GREY)
        style.write(canvas, left + 0.58, y, name, va="center", room=3.0)


def _layer(
    figure: Figure, canvas: Axes, layer: dict, values: np.ndarray,
    cell: tuple[int, float, float, int], top: float,
) -> None:
    """Draw the name of one layer, its maps with their numbers, and its scale."""
    height, width, channels = values.shape
    columns, wide, tall, rows = cell
    low, high = float(values.min()), float(values.max())
    middle = top + (rows * (tall + GAP + LINE) - GAP) / 2
    name = style.write(
        canvas, MARGIN, middle - 0.02, layer["name"], va="bottom", room=LABEL - 0.08
    )
    name.set_family("cmtt10")
    size = f"{len(layer['units'])} nodes" if height == width == 1 else rf"{height}$\times${width}"
    canvas.text(MARGIN, middle + 0.02, size, size=style.SMALL, color=style.GREY, va="top")
    left = MARGIN + LABEL
    if height == width == 1:
        box = left, top + LINE, wide, tall
        shown = style.feature_map(canvas, values[0], box, low, high)
    else:
        for place, unit in enumerate(layer["units"]):
            x = left + (place % columns) * (wide + GAP)
            y = top + LINE + (place // columns) * (tall + GAP + LINE)
            canvas.text(
                x + wide / 2, y - 0.035, f"{unit}", size=style.SMALL, ha="center", va="baseline"
            )
            box = x, y, wide, tall
            shown = style.feature_map(canvas, values[..., place], box, low, high)
    bar = style.place(figure, style.WIDTH - SCALE + 0.02, top + LINE, BAR, max(tall, 0.3))
    style.colour_bar(bar, shown)
