"""The patches that excite a unit most, and what its excitation comes from."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles, top_patches
from pixelspace.figures.attribution import WORDS

GAP = 0.03
MARGIN = 0.03
LINE = 0.17  # a unit's name and activations, above its block
BETWEEN = 0.16  # blocks, and the two halves of a block
SCALE = 0.95  # the scale of grey deconvolutions, right of the blocks, with what it ends at
MAX = "max: largest\nabsolute value\nof a unit's\ndeconvolutions"
LEAST_BAR, WORDS_OF_MAX = 0.35, 0.6  # inches of the scale's bar, and of what stands below it
SMALLEST, LARGEST = 0.3, 0.62
PIXEL = 0.015  # inches of a patch's pixel, within these bounds: a few pixels need no more
WIDEST_GAP = 0.6  # between two blocks
PERCENTILE = 99
NEGLIGIBLE = 0.03
LONG_HEADING = 2.0  # inches


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw for each unit its patches, and their deconvolutions in the same places.

    A square number of patches makes a square, its deconvolutions to the right of it; otherwise
    they make a row, its deconvolutions below it. Grey deconvolutions have one scale per unit,
    symmetric about zero, which stands on the right. Deconvolutions to colour are signed as well;
    each is drawn as a colour image with a scale of its own, in which grey is zero and the full
    range is reached by one value in a hundred, for a few are far larger than the rest. What lies
    outside the image is hatched. Edges of the receptive field where there is next to nothing in any
    deconvolution are left out.
    """
    about = projection.about
    arrays = _cropped(projection.arrays)
    units, count, height, width, channels = arrays["patches"].shape
    span = style.span(about["value_range"], arrays["patches"])
    side = math.isqrt(count)
    square = side * side == count and count > 1
    columns, lines = (side, side) if square else (count, 1)
    room = style.WIDTH - 2 * MARGIN - (SCALE if channels == 1 else 0)
    blocks, cell = _blocks(units, columns, lines, square, (height, width), room)
    tall = cell * height / width
    half = columns * (cell + GAP) - GAP, lines * (tall + GAP) - GAP
    block = 2 * half[0] + BETWEEN / 2 if square else half[0]
    pitch = (half[1] if square else 2 * half[1] + GAP) + LINE + BETWEEN
    rows = -(-units // blocks)
    spread = min(WIDEST_GAP, (room - blocks * block) / max(1, blocks - 1))
    tallest = rows * pitch - BETWEEN
    if channels == 1:
        tallest = max(tallest, LINE + LEAST_BAR + WORDS_OF_MAX)

    figure, canvas = style.sheet(tallest + 2 * MARGIN)
    for unit in range(units):
        x = MARGIN + (unit % blocks) * (block + spread)
        y = MARGIN + (unit // blocks) * pitch
        name = style.unit_name(about["layer"], arrays["units"][unit])
        long = block + spread if blocks > 1 else style.WIDTH
        _heading(canvas, (x, y + LINE - 0.05), name, arrays["activations"][unit], long)
        shift = (half[0] + BETWEEN / 2, 0) if square else (0, half[1] + GAP)
        limit = np.abs(arrays["deconvolutions"][unit]).max()
        for patch in range(count):
            left = x + (patch % columns) * (cell + GAP)
            top = y + LINE + (patch // columns) * (tall + GAP)
            inside = arrays["inside"][unit, patch]
            box = left, top, cell, tall
            style.picture(canvas, arrays["patches"][unit, patch], box, *span)
            _mark_outside(canvas, inside, box)
            box = left + shift[0], top + shift[1], cell, tall
            values = arrays["deconvolutions"][unit, patch]
            scale = limit if channels == 1 else np.percentile(np.abs(values), PERCENTILE)
            image = style.signed(canvas, values, box, scale)
            _mark_outside(canvas, inside, box)
    if channels == 1:
        left = MARGIN + blocks * (block + spread) - (spread if blocks > 1 else 0) + BETWEEN
        tall = min(1.2, tallest - LINE - WORDS_OF_MAX)
        top = MARGIN + LINE
        bar = style.place(figure, left, top, 0.08, tall)
        style.colour_bar(bar, image, [r"$-\max$", "0", r"$\max$"])
        words = {"size": style.SMALL, "va": "top", "linespacing": 1.1}
        canvas.text(left, top + tall + 0.1, MAX, **words)
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    count, height, width = arrays["patches"].shape[1:4]
    activations = arrays["activations"]
    method = WORDS.get(about["policy"], about["policy"])
    return (
        f"For {style.named_units(about, arrays['units'])}: the "
        f"{style.counted(count, 'test patch', 'test patches')} of {height} by {width} pixels that "
        f"excite {'it' if len(arrays['units']) == 1 else 'each'} most, with activations from "
        f"{activations.max():.3g} down to {activations.min():.3g}, and the projection of "
        f"each patch by {method}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the strongest patch of each unit, then the second, and so on; their projections."""
    about = projection.about
    back = np.concatenate(projection.arrays["deconvolutions"].swapaxes(0, 1))
    method = WORDS.get(about["policy"], about["policy"])
    return [
        *top_patches.examples(projection),
        tiles.Row(method, about["layer"], [tiles.signed(values) for values in back]),
    ]


def _cropped(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cut patches, deconvolutions and what is inside the image to where deconvolutions are."""
    size = np.abs(arrays["deconvolutions"])
    rows, columns = size.sum((0, 1, 3, 4)), size.sum((0, 1, 2, 4))
    shown = (slice(None), slice(None), _upheld(rows), _upheld(columns))
    cut = {name: arrays[name][shown] for name in ("patches", "deconvolutions", "inside")}
    return {**arrays, **cut}


def _upheld(sizes: np.ndarray) -> slice:
    """Return the range outside which all ``sizes`` are below `NEGLIGIBLE` of the largest."""
    (places,) = np.nonzero(sizes >= NEGLIGIBLE * sizes.max())
    return slice(places[0], places[-1] + 1)


def _blocks(
    units: int, columns: int, lines: int, square: bool, size: tuple[int, int], room: float
) -> tuple[int, float]:
    """Return how many blocks stand side by side in ``room``, and the width of a patch in inches.

    So many that patches are no larger than their pixels need; but fewer if that made them too
    small, and the page is high enough.
    """
    height, width = size
    aspect = height / width
    largest = min(LARGEST, max(SMALLEST, PIXEL * width))
    across = 2 * columns if square else columns
    down = lines if square else 2
    best = None
    for blocks in range(1, units + 1):
        cell = (room - (blocks - 1) * BETWEEN - blocks * BETWEEN / 2) / (blocks * across) - GAP
        cell = min(cell, largest)
        height = -(-units // blocks) * (down * (cell * aspect + GAP) + LINE + BETWEEN)
        if height > style.TALLEST:
            continue
        if best and cell < SMALLEST:
            break
        best = blocks, cell
        if cell < largest:
            break
    return best or (units, cell)


def _heading(
    canvas: Axes, place: tuple[float, float], name: str, activations: np.ndarray, room: float
) -> None:
    """Write the name of a unit and the activations of its patches, shorter if room is scarce."""
    values = " to ".join(
        style.number(value, 3) for value in activations[[0, -1][: len(activations)]]
    )
    long = room >= LONG_HEADING
    if activations[0] <= 0:
        values = "silent"
    elif long:
        values = f"activation {values}"
    words = f"unit {name}, {values}" if long else f"{name}: {values}"
    canvas.text(*place, words, size=style.SMALL, va="baseline")


def _mark_outside(canvas: Axes, inside: np.ndarray, box: style.Box) -> None:
    """Hatch what of the patch in ``box`` lies outside the image, whose part is a rectangle."""
    if inside.all():
        return
    height, width = inside.shape
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    inch_x, inch_y = box[2] / width, box[3] / height
    for x, y, wide, tall in (
        (0, 0, width, top),
        (0, bottom, width, height - bottom),
        (0, top, left, bottom - top),
        (right, top, width - right, bottom - top),
    ):
        if wide and tall:
            canvas.add_patch(
                Rectangle(
                    (box[0] + x * inch_x, box[1] + y * inch_y),
                    wide * inch_x,
                    tall * inch_y,
                    facecolor="#f0ead6",
                    edgecolor="#a89f80",
                    hatch="//////",
                    linewidth=0,
                )
            )
