"""Rows of small pictures with a label: what the figures of many methods have in common.

A figure module's ``examples(projection)`` returns rows; the contact sheet draws those of all.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pixelspace.figures import style

GAP = 0.04
MARGIN = 0.03
LINE = 0.15
LARGEST, LARGEST_SHARP = 0.7, 0.52
LONGEST_LABEL = 1.4
LABEL_GAP = 0.1
LAYER_FONT = "cmtt10"
PERCENTILE = 99
FLATTEST = 0.3  # height of a tile over its width


class Tile(NamedTuple):
    """Values that ``draw``, a function of `style`, draws on a scale."""

    draw: Callable[..., AxesImage]
    values: np.ndarray
    scale: tuple[float, ...]

    @property
    def aspect(self) -> float:
        """Height over width; a strip of nodes has one that lets it be seen."""
        height, width = self.values.shape[:2]
        return max(height / width, FLATTEST)

    def show(self, canvas: Axes, box: style.Box) -> AxesImage:
        return self.draw(canvas, self.values, box, *self.scale)


class Row(NamedTuple):
    """Tiles, what made them in plain words, from which layer, and a text below each, if any."""

    method: str
    layer: str
    tiles: Sequence[Tile]
    captions: Sequence[str] = ()


def pictures(images: np.ndarray, value_range: Sequence[float]) -> list[Tile]:
    """Return images ``(n, h, w, 1 or 3)`` as tiles on one scale."""
    scale = style.span(value_range, images)
    return [Tile(style.picture, image, scale) for image in images]


def signed(values: np.ndarray, limit: float | None = None) -> Tile:
    """Return signed values ``(h, w, 1 or 3)`` as a tile whose scale ends at ``limit``.

    Without one, that is what the absolute value of one in a hundred exceeds: a few are far larger
    than the rest.
    """
    return Tile(style.signed, values, (limit or reach(values),))


def reach(values: np.ndarray) -> float:
    """Return the absolute value that one value in a hundred exceeds; the largest if that is 0."""
    size = np.abs(values)
    return float(np.percentile(size, PERCENTILE) or size.max())


def label(canvas: Axes, row: Row, left: float, middle: float, room: float) -> None:
    """Write a row's method, and below it its layer in grey; or the layer alone."""
    place = {"room": room, "size": style.NORMAL}
    if not row.method or not row.layer:
        text = style.write(canvas, left, middle, row.method or row.layer, va="center", **place)
    else:
        style.write(canvas, left, middle - 0.01, row.method, va="bottom", **place)
        place = {"room": room, "size": style.SMALL, "color": style.GREY}
        text = style.write(canvas, left, middle + 0.01, row.layer, va="top", **place)
    if row.layer:
        text.set_family(LAYER_FONT)


def label_width(rows: Sequence[Row]) -> float:
    """Return the room that the labels of rows need."""
    _, canvas = style.sheet(1)
    words = {(row.method, style.NORMAL) for row in rows if row.method}
    layers = {(row.layer, style.SMALL if row.method else style.NORMAL) for row in rows if row.layer}
    texts = [style.write(canvas, 0, 0, name, size=size) for name, size in words]
    texts += [
        style.write(canvas, 0, 0, name, size=size, family=LAYER_FONT) for name, size in layers
    ]
    return min(LONGEST_LABEL, max(style.extent(text)[0] for text in texts)) + LABEL_GAP


def draw_row(
    canvas: Axes, tiles: Iterable[Tile], left: float, top: float, pitch: float, tall: float
) -> None:
    """Draw tiles side by side, ``pitch`` inches from one to the next and at most ``tall``."""
    wide = pitch - GAP
    for number, tile in enumerate(tiles):
        width = min(wide, tall / tile.aspect)
        height = width * tile.aspect
        x = left + number * pitch + (wide - width) / 2
        tile.show(canvas, (x, top + (tall - height) / 2, width, height))


def table(
    rows: Sequence[Row],
    heads: Mapping[str, Sequence[str]],
    *,
    foot: float = 0.0,
    largest: float = LARGEST,
) -> tuple[Figure, Axes, float]:
    """Draw rows of tiles of one shape below each other, and leave ``foot`` inches below them.

    Tiles are at most ``largest`` inches wide, or `LARGEST_SHARP` if they are of few pixels.

    Args:
        heads: lines above the columns: by what they say, a user's words for each column.

    Returns:
        The figure, its canvas, and where the tiles begin on the left.
    """
    columns = max(len(row.tiles) for row in rows)
    aspect = rows[0].tiles[0].aspect
    room = max(label_width(rows), style.widest(heads, style.SMALL) + LABEL_GAP)
    head = MARGIN + LINE * len(heads)
    lines = sum(LINE for row in rows if row.captions)
    rest = style.TALLEST - head - lines - MARGIN - foot
    across = (style.WIDTH - 2 * MARGIN - room + GAP) / columns
    small = max(rows[0].tiles[0].values.shape[:2]) <= style.SMALL_IMAGE
    largest = max(LARGEST_SHARP if small else largest, _widest_caption(rows) + GAP)
    pitch = min(across, largest, (rest / len(rows) - GAP) / aspect + GAP)
    tall = (pitch - GAP) * aspect
    label_left = (style.WIDTH - room - columns * pitch + GAP) / 2
    left = label_left + room
    middles = left + pitch * np.arange(columns) + (pitch - GAP) / 2

    figure, canvas = style.sheet(head + lines + len(rows) * (tall + GAP) + MARGIN + foot)
    for number, (what, words) in enumerate(heads.items()):
        place = {"y": LINE * (number + 0.5), "va": "center", "size": style.SMALL}
        canvas.text(label_left, s=what, color=style.GREY, **place)
        for x, word in zip(middles, words, strict=True):
            style.write(canvas, x, words=word, room=pitch - GAP, ha="center", **place)
    top = head
    for row in rows:
        label(canvas, row, label_left, top + tall / 2, room - LABEL_GAP)
        draw_row(canvas, row.tiles, left, top, pitch, tall)
        for x, caption in zip(middles, row.captions, strict=False):
            below(canvas, x, top + tall, caption, pitch)
        top += tall + GAP + (LINE if row.captions else 0)
    return figure, canvas, left


def _widest_caption(rows: Sequence[Row]) -> float:
    _, canvas = style.sheet(1)
    texts = [canvas.text(0, 0, word, size=style.SMALL) for row in rows for word in row.captions]
    return max((style.extent(text)[0] for text in texts), default=0.0)


def below(canvas: Axes, x: float, bottom: float, words: str, room: float) -> None:
    """Write a number below a picture whose lower edge is at ``bottom``, if there is room for it."""
    text = canvas.text(x, bottom + 0.03, words, size=style.SMALL, ha="center", va="top")
    if style.extent(text)[0] > room:
        text.remove()
