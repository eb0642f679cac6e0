"""Images made for the same units and classes, with one regularizer more in each row."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

WAYS = {
    "natural": "test images",
    "pixels": "pixels",
    "fourier": "Fourier",
    "robust": "+ robust",
    "diverse": "+ diverse",
}
BETWEEN = 0.14  # the blocks
LARGEST = 0.42


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw a block of rows for units, with what excites each by how much, and one for classes.

    The first row of each block is of test images; images of one class stand side by side.
    """
    arrays, about = projection.arrays, projection.about
    classes, starts = arrays["natural_classes"].shape[:2]
    of_units, of_classes = _rows(projection, "unit", "units"), _rows(projection, "class", "classes")
    rows = len(of_units) + len(of_classes)
    columns = max(len(about["units"]), classes * starts)
    aspect = of_units[0].tiles[0].aspect
    heads = {"units": f"{about['layer']}, unit", "classes": "class"}
    room = max(
        tiles.label_width([*of_units, *of_classes]),
        style.widest(heads.values(), style.SMALL) + tiles.LABEL_GAP,
    )
    around = 2 * tiles.MARGIN + tiles.LINE * (2 + len(of_units)) + BETWEEN
    pitch = min(
        LARGEST + tiles.GAP,
        (style.WIDTH - 2 * tiles.MARGIN - room + tiles.GAP) / columns,
        ((style.TALLEST - around) / rows - tiles.GAP) / aspect + tiles.GAP,
    )
    tall = (pitch - tiles.GAP) * aspect
    figure, canvas = style.sheet(around + rows * (tall + tiles.GAP))
    label_left = (style.WIDTH - room - columns * pitch + tiles.GAP) / 2
    left = label_left + room

    def block(top: float, head: str, words: Sequence[str], each: int, own: list[tiles.Row]):
        """Draw rows below a line with a word for each so many columns; return where they end."""
        place = {"y": top + tiles.LINE / 2, "va": "center", "size": style.SMALL}
        style.write(canvas, label_left, words=head, color=style.GREY, **place)
        for number, word in enumerate(words):
            middle = left + (number + 0.5) * each * pitch - tiles.GAP / 2
            wide = each * pitch - tiles.GAP
            style.write(canvas, middle, words=word, room=wide, ha="center", **place)
        top += tiles.LINE
        for row in own:
            _draw_row(canvas, row, (label_left, left), top, pitch, tall)
            top += tall + tiles.GAP + (tiles.LINE if row.captions else 0)
        return top

    names = [f"{unit}" for unit in about["units"]]
    top = block(tiles.MARGIN, heads["units"], names, 1, of_units)
    block(top + BETWEEN, heads["classes"], about["class_names"], starts, of_classes)
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    means = ", ".join(
        f"{WAYS.get(way, way)} {own.mean():.2f}"
        for way, own in zip(about["of_units"], arrays["unit_values"], strict=True)
    )
    return (
        f"Above, for {style.named_units(about, about['units'])}, the test images that excite "
        f"{'it' if len(about['units']) == 1 else 'them'} most, by "
        f"{arrays['natural_unit_values'].mean():.2f} on average, and a row of images made with "
        f"one regularizer more each, with the mean activation: {means}. Below, the same for "
        f"the classes {style.listed(about['class_names'])}."
    )


def _draw_row(
    canvas: Axes,
    row: tiles.Row,
    lefts: tuple[float, float],
    top: float,
    pitch: float,
    tall: float,
) -> None:
    label_left, left = lefts
    tiles.label(canvas, row, label_left, top + tall / 2, left - label_left - tiles.LABEL_GAP)
    tiles.draw_row(canvas, row.tiles, left, top, pitch, tall)
    for number, caption in enumerate(row.captions):
        middle = left + number * pitch + (pitch - tiles.GAP) / 2
        tiles.below(canvas, middle, top + tall, caption, pitch)


def _rows(projection: Projection, one: str, many: str) -> list[tiles.Row]:
    """Return rows of images of units or classes, those of units with their values."""
    arrays, about = projection.arrays, projection.about
    ways = ["natural", *about[f"of_{many}"]]
    images = np.concatenate([arrays[f"natural_{many}"][None], arrays[many]])
    values = np.concatenate([arrays[f"natural_{one}_values"][None], arrays[f"{one}_values"]])
    return [
        tiles.Row(
            WAYS[way],
            "",
            tiles.pictures(own.reshape(-1, *own.shape[-3:]), about["value_range"]),
            [style.number(value) for value in reached] if one == "unit" else (),
        )
        for way, own, reached in zip(ways, images, values, strict=True)
    ]


def examples(projection: Projection) -> list[tiles.Row]:
    """Return a row of images of units for each way."""
    layer = projection.about["layer"]
    rows = _rows(projection, "unit", "units")[1:]
    return [row._replace(layer=layer, captions=()) for row in rows]
