"""One image, and what each layer makes of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

GAP = 0.05
MARGIN = 0.03
LINE = 0.15  # the name of a unit, above its map
BETWEEN = 0.14  # two layers
LEFT = 1.03  # where the images begin, right of the names of the layers
ROOM = style.WIDTH - LEFT - 0.53  # for the maps; then comes the scale
INPUT = 0.6
LARGEST = 0.38
SMALLEST_SCALE = 0.3
FEW_NODES = 12
LONGEST_NAME = 0.7  # of a class, above its logit


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the input, and below it a row of maps for each layer.

    The maps of one layer share one scale: from zero up, or, where there are negative values,
    symmetric about zero. More than a dozen nodes of a dense layer are drawn as one strip.
    """
    arrays, about = projection.arrays, projection.about
    layers = [_as_strip(arrays[f"maps_{number}"]) for number in range(len(about["layers"]))]
    image = arrays["input"]
    wide = INPUT * min(1.0, image.shape[1] / image.shape[0])
    top = MARGIN + wide * image.shape[0] / image.shape[1]
    for largest in np.linspace(LARGEST, 0.1, 26):
        cells = [
            _cell(values.shape, largest, _classes(about, layer))
            for layer, values in zip(about["layers"], layers, strict=True)
        ]
        heights = [_height(values.shape, cell) for values, cell in zip(layers, cells, strict=True)]
        height = top + sum(heights) + BETWEEN * len(layers) + 0.08
        if height <= style.TALLEST:
            break

    figure, canvas = style.sheet(height)
    box = LEFT, MARGIN, wide, top - MARGIN
    style.picture(canvas, image, box, *style.span(about["value_range"], image))
    middle = (MARGIN + top) / 2
    _name(canvas, "input", image.shape, middle).set_family("cmr10")
    for y, what in ((middle - 0.08, "class"), (middle + 0.08, "predicted")):
        canvas.text(LEFT + wide + 0.1, y, f"{what}:", va="center", color=style.GREY)
        name = about["image"]["label" if what == "class" else what]
        style.write(canvas, LEFT + wide + 0.7, y, name, va="center", room=3.0)

    end = LEFT + max(columns * (wide + GAP) for columns, wide, _ in cells)
    for number, (layer, values) in enumerate(zip(about["layers"], layers, strict=True)):
        top += BETWEEN
        _name(canvas, layer["name"], arrays[f"maps_{number}"].shape, top + heights[number] / 2)
        shown = _maps(canvas, about, layer, values, cells[number], top + LINE)
        tall = max(cells[number][2], SMALLEST_SCALE)
        style.colour_bar(style.place(figure, end, top + LINE, 0.07, tall), shown)
        top += heights[number]
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    rows = "; ".join(
        f"{layer['name']}, {_counted(arrays[f'maps_{number}'].shape)}"
        for number, layer in enumerate(about["layers"])
    )
    return (
        f"A test image of class {about['image']['label']}, which the network takes for "
        f"{about['image']['predicted']}, and below it a row of feature maps for each layer: {rows}."
    )


def _counted(shape: tuple[int, int, int]) -> str:
    """Say how many maps there are of which size, or how many nodes."""
    height, width, channels = shape
    if height == width == 1:
        return style.counted(channels, "node")
    return f"{style.counted(channels, 'map')} of {height} by {width} pixels"


def examples(projection: Projection) -> list[tiles.Row]:
    """Return for each layer the maps of its units, on one scale; nodes as one strip."""
    rows = []
    for number, layer in enumerate(projection.about["layers"]):
        maps = np.moveaxis(projection.arrays[f"maps_{number}"], -1, 0)
        scale = float(maps.min()), float(maps.max())
        maps = maps.reshape(1, 1, -1) if maps.shape[1:] == (1, 1) else maps
        shown = [tiles.Tile(style.feature_map, values, scale) for values in maps]
        rows.append(tiles.Row("feature maps", layer["name"], shown))
    return rows


def _as_strip(maps: np.ndarray) -> np.ndarray:
    """Turn many maps of one pixel into one map that is a row of them."""
    return maps.swapaxes(1, 2) if maps.shape[:2] == (1, 1) and maps.size > FEW_NODES else maps


def _classes(about: Mapping, layer: Mapping) -> list[str]:
    """Return the names of a layer's units if these are classes."""
    if layer["name"] != style.LOGITS:
        return []
    return [about["class_names"][unit] for unit in layer["units"]]


def _cell(
    shape: tuple[int, int, int], largest: float, classes: Sequence[str]
) -> tuple[int, float, float]:
    """Return the columns of a layer's maps, and the width and height of one.

    The only value of a node is drawn as wide as the name of its class.
    """
    height, width, channels = shape
    if height == 1 and width > 1:
        return 1, ROOM, SMALLEST_SCALE
    aspect = height / width
    if height == width == 1:
        name = min(LONGEST_NAME, style.widest(classes, style.SMALL) + GAP)
        largest = max(SMALLEST_SCALE, name)
        aspect = SMALLEST_SCALE / largest
    columns, cell = style.grid(channels, ROOM, aspect, gap=GAP, line=LINE + GAP, largest=largest)
    return columns, cell, cell * aspect


def _height(shape: tuple[int, int, int], cell: tuple[int, float, float]) -> float:
    columns, _, tall = cell
    rows = -(-shape[-1] // columns)
    return rows * (max(tall, SMALLEST_SCALE) + GAP + LINE) - GAP


def _name(canvas: Axes, name: str, shape: tuple[int, int, int], middle: float):
    """Write the name of a layer, and the size of its maps below it; return the name's text."""
    height, width, channels = shape
    text = style.write(canvas, MARGIN, middle - 0.02, name, va="bottom", room=LEFT - 0.1)
    text.set_family("cmtt10")
    size = f"{channels} nodes" if height == width == 1 else rf"{height}$\times${width}"
    canvas.text(MARGIN, middle + 0.02, size, size=style.SMALL, color=style.GREY, va="top")
    return text


def _maps(
    canvas: Axes,
    about: Mapping,
    layer: Mapping,
    values: np.ndarray,
    cell: tuple[int, float, float],
    top: float,
) -> AxesImage:
    """Draw the maps of one layer, each below its unit's or class's name; return one: the scale."""
    columns, wide, tall = cell
    low, high = float(values.min()), float(values.max())
    classes = _classes(about, layer) if values.shape[-1] == len(layer["units"]) else []
    for place in range(values.shape[-1]):
        x = LEFT + (place % columns) * (wide + GAP)
        y = top + (place // columns) * (max(tall, SMALLEST_SCALE) + GAP + LINE)
        look = {"x": x + wide / 2, "y": y - 0.035, "size": style.SMALL, "ha": "center"}
        if classes:
            style.write(canvas, words=classes[place], room=wide + GAP / 2, **look)
        elif values.shape[-1] == len(layer["units"]):
            canvas.text(s=style.unit_name(layer["name"], layer["units"][place]), **look)
        shown = style.feature_map(canvas, values[..., place], (x, y, wide, tall), low, high)
    return shown
