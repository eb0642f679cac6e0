"""Weights as images."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

FEW = 6
GAP = 0.08
LINE = 0.16  # a unit's name, above its image
MARGIN = 0.03
BAR = 0.08
LONGEST_NAME = 0.7
LARGEST = 0.62
PIXEL = 0.1  # inches of a small kernel's pixel


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw one image per unit, all on one scale that is symmetric about zero.

    Weights on one channel have a colour bar; those on three are drawn as colours, where grey is
    zero and the largest weight of all units is the full range. Beside the images of at most six
    units of a network of at most ten classes stand the mean activations per class.
    """
    arrays, classes = projection.arrays, projection.about["class_names"]
    names = [style.unit_name(projection.about["layer"], unit) for unit in arrays["units"]]
    means = arrays.get("mean_activations")
    if means is not None and len(names) <= FEW and len(classes) <= 10:
        return _with_activations(arrays["projections"], names, means, classes)
    return _grid(arrays["projections"], names)


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    images = arrays["projections"]
    how = "" if about["method"] == "direct" else ", carried down through the layers beneath"
    return (
        f"Weights of {style.named_units(about, arrays['units'])} as images of {images.shape[1]} by "
        f"{images.shape[2]} pixels{how}, from {images.min():.2g} to {images.max():.2g}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the image of each unit."""
    arrays, about = projection.arrays, projection.about
    limit = float(np.abs(arrays["projections"]).max())
    shown = [tiles.signed(image, limit) for image in arrays["projections"]]
    words = "weights" if about["method"] == "direct" else "expected response"
    return [tiles.Row(words, about["layer"], shown)]


def _grid(images: np.ndarray, names: Sequence[str]) -> Figure:
    aspect = images.shape[1] / images.shape[2]
    grey = images.shape[-1] == 1
    width = style.WIDTH - 2 * MARGIN - (0.5 if grey else 0)
    largest = min(LARGEST, PIXEL * images.shape[2])
    columns, cell = style.grid(
        len(images), width, aspect, gap=GAP, line=LINE + GAP, largest=largest
    )
    rows = -(-len(images) // columns)
    tall = cell * aspect
    figure, canvas = style.sheet(max(0.9, rows * (tall + LINE + GAP) - GAP + 2 * MARGIN))
    limit = np.abs(images).max()
    left = MARGIN + (width - columns * (cell + GAP) + GAP) / 2
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        x = left + (place % columns) * (cell + GAP)
        y = MARGIN + LINE + (place // columns) * (tall + LINE + GAP)
        canvas.text(x + cell / 2, y - 0.04, name, size=style.SMALL, ha="center", va="baseline")
        shown = style.signed(canvas, image, (x, y, cell, tall), limit)
    if grey:
        _bar(figure, shown, left + columns * (cell + GAP) + 0.04)
    return figure


def _with_activations(
    images: np.ndarray, names: Sequence[str], means: np.ndarray, classes: Sequence[str]
) -> Figure:
    """Draw blocks of an image and a bar chart; two blocks a row."""
    grey = images.shape[-1] == 1
    columns = min(2, len(images))
    rows = -(-len(images) // columns)
    tall = max(1.15, 0.16 * len(classes))
    aspect = images.shape[1] / images.shape[2]
    wide = min(1.3, tall / aspect)
    label = min(style.widest(classes), LONGEST_NAME)
    width = (style.WIDTH - MARGIN - (0.6 if grey else 0)) / columns
    chart = width - wide - label - 0.5
    pitch = tall + LINE + 0.12
    figure, canvas = style.sheet(rows * pitch + 0.12)
    limit = np.abs(images).max()
    for unit, (image, name) in enumerate(zip(images, names, strict=True)):
        x = MARGIN + (unit % columns) * width
        y = MARGIN + LINE + 0.02 + (unit // columns) * pitch
        canvas.text(x + wide / 2, y - 0.05, name, ha="center", va="baseline")
        shown = style.signed(canvas, image, (x, y, wide, wide * aspect), limit)
        axes = style.place(figure, x + wide + label + 0.2, y, chart, tall)
        _bars(axes, means[:, unit], classes, min(means.min(), 0), max(means.max(), 0))
        if unit // columns == rows - 1:
            axes.set_xlabel("mean activation")
    if grey:
        _bar(figure, shown, style.WIDTH - 0.55)
    return figure


def _bars(
    axes: Axes, values: np.ndarray, classes: Sequence[str], lowest: float, largest: float
) -> None:
    """Draw one horizontal bar per class from zero, with its value at the end."""
    places = np.arange(len(classes))
    axes.barh(places, values, height=0.6, color=style.BLUE)
    span = largest - lowest or 1.0
    left = lowest - (0.3 * span if lowest < 0 else 0)
    axes.set(
        xlim=(left, largest + 0.3 * span), ylim=(len(classes) - 0.4, -0.6), yticks=[], xticks=[]
    )
    axes.spines["bottom"].set_visible(False)
    for place, value in enumerate(values):
        end, side = (value + 0.03 * span, "left") if value >= 0 else (value - 0.03 * span, "right")
        axes.text(end, place, f"{value:.2f}", size=style.SMALL, va="center", ha=side)
        style.write(
            axes,
            left - 0.05 * span,
            place,
            classes[place],
            room=LONGEST_NAME,
            ha="right",
            va="center",
        )


def _bar(figure: Figure, image: AxesImage, left: float) -> None:
    """Draw the scale that all images share, at the right end."""
    height = figure.get_figheight()
    tall = min(height - 2 * MARGIN - LINE, 1.2)
    top = MARGIN + LINE
    style.colour_bar(style.place(figure, left, top, BAR, tall), image)
