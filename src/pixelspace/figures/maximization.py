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
LARGEST_SHARP = 1.0


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the images of each unit side by side, and below each what it excites the unit by."""
    arrays = projection.arrays
    return draw_units(arrays["images"], arrays["values"], projection.about)


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    return f"Images made to excite {reached(projection.arrays['values'], projection.about)}."


def reached(values: np.ndarray, about: Mapping) -> str:
    """Return in words what is excited, and from what to what: ``values (..., 2)``."""
    named = (
        style.listed(about["titles"])
        if "titles" in about
        else style.named_units(about, about["units"])
    )
    first, last = values[..., 0], values[..., 1]
    return (
        f"{named}; the excitation is between {first.min():.3g} and {first.max():.3g} at first, "
        f"and between {last.min():.3g} and {last.max():.3g} in the end"
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the first image of each unit, or of each sum of parts."""
    about = projection.about
    shown = tiles.pictures(projection.arrays["images"][:, 0], about["value_range"])
    if "titles" in about:  # parts of a sum may be of any layers
        return [tiles.Row("sums and differences", "", shown)]
    return [tiles.Row("maximization", about["layer"], shown)]


def draw_units(images: np.ndarray, values: np.ndarray, about: Mapping) -> Figure:
    """Draw images ``(units, variants, h, w, channels)`` in a grid with names and values.

    Args:
        values: ``(units, variants, 2)``: of the first images, and of these.
    """
    units, variants, height, width, _ = images.shape
    largest = LARGEST_SHARP if max(height, width) <= style.SMALL_IMAGE else LARGEST
    between = GAP if variants == 1 else 2 * GAP
    columns, block = style.grid(
        units,
        style.WIDTH - 2 * MARGIN,
        height / width / variants,
        gap=between,
        line=2 * LINE + GAP,
        largest=variants * largest,
    )
    wide = (block + GAP) / variants - GAP
    tall = wide * height / width
    pitch = tall + 2 * LINE + GAP
    figure, canvas = style.sheet(-(-units // columns) * pitch - GAP + 2 * MARGIN)
    left = (style.WIDTH - columns * (block + between) + between) / 2
    for number in range(units):
        x = left + (number % columns) * (block + between)
        top = MARGIN + (number // columns) * pitch + LINE
        _name(canvas, about, number, (x + block / 2, top - 0.04), block)
        shown = tiles.pictures(images[number], about["value_range"])
        for tile, reached in zip(shown, values[number, :, 1], strict=True):
            tile.show(canvas, (x, top, wide, tall))
            tiles.below(canvas, x + wide / 2, top + tall, style.number(reached), wide + GAP)
            x += wide + GAP
    return figure


def _name(
    canvas: Axes, about: Mapping, number: int, place: tuple[float, float], room: float
) -> None:
    """Write what is excited, a unit's number or the class that it is, if there is room for it."""
    look = {"size": style.SMALL, "ha": "center", "va": "baseline"}
    if "titles" in about:
        style.write(canvas, *place, about["titles"][number], room=room, **look)
        return
    unit = about["units"][number]
    if about["layer"] == style.LOGITS:
        style.write(canvas, *place, about["class_names"][unit], room=room, **look)
        return
    text = canvas.text(*place, style.unit_name(about["layer"], unit), **look)
    if style.extent(text)[0] > room:
        text.remove()
