"""Images made to excite units."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

GAP = 0.06
MARGIN = 0.03
LINE = 0.16  # a unit's name above its images, and the values below them
LARGEST = 1.4
SHARP_LARGEST = 1.0


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the images of each unit side by side, and below each what it excites the unit by."""
    arrays = projection.arrays
    return draw_units(arrays["images"], arrays["values"], projection.about)


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the first image of each unit."""
    about = projection.about
    shown = tiles.pictures(projection.arrays["images"][:, 0], about["value_range"])
    return [tiles.Row("maximization", about["layer"], shown)]


def draw_units(images: np.ndarray, values: np.ndarray, about: Mapping) -> Figure:
    """Draw images ``(units, variants, h, w, channels)`` in a grid with names and values.

    Args:
        values: ``(units, variants, 2)``: of the first images, and of these.
    """
    units, variants, height, width, _ = images.shape
    largest = SHARP_LARGEST if max(height, width) <= style.SMALL_IMAGE else LARGEST
    aspect = height / width
    columns, block = style.grid(
        units,
        style.WIDTH - 2 * MARGIN,
        aspect / variants,
        gap=2 * GAP if variants > 1 else GAP,
        line=2 * LINE + GAP,
        largest=variants * largest,
    )
    gap = 2 * GAP if variants > 1 else GAP
    wide = (block + GAP) / variants - GAP
    tall = wide * aspect
    rows = -(-units // columns)
    pitch = tall + 2 * LINE + GAP
    figure, canvas = style.sheet(rows * pitch - GAP + 2 * MARGIN)
    left = (style.WIDTH - columns * (block + gap) + gap) / 2
    for number, unit in enumerate(about["units"]):
        x = left + (number % columns) * (block + gap)
        top = MARGIN + (number // columns) * pitch + LINE
        _name(canvas, about, unit, (x + block / 2, top - 0.04), block)
        for variant, tile in enumerate(tiles.pictures(images[number], about["value_range"])):
            place = x + variant * (wide + GAP)
            tile.show(canvas, (place, top, wide, tall))
            reached = style.number(values[number, variant, 1])
            tiles.below(canvas, place + wide / 2, top + tall, reached, wide + GAP)
    return figure


def _name(canvas: Axes, about: Mapping, unit: int, place: tuple[float, float], room: float) -> None:
    """Write the number of a unit, or the class that it stands for, if there is room for it."""
    style_of_all = {"size": style.SMALL, "ha": "center", "va": "baseline"}
    if about["layer"] == style.LOGITS:
        style.write(canvas, *place, about["class_names"][unit], room=room, **style_of_all)
        return
    text = canvas.text(*place, style.unit_name(about["layer"], unit), **style_of_all)
    if style.extent(text)[0] > room:
        text.remove()
