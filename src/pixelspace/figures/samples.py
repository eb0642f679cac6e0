"""What a data set looks like: some images of each class."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.artifacts import StoredDataset
from pixelspace.figures import style

GAP = 0.05
MARGIN = 0.02
BETWEEN = 0.22  # from a template to the samples, and from one block to the next
CLASSES_PER_BLOCK = 5
LONGEST_NAME = 1.1


@style.house()
def draw(dataset: StoredDataset) -> Figure:
    """Draw a row of training images for each class, its noise-free template first if it has one.

    More than five classes are set in two blocks, side by side. All images share one scale, which
    is drawn above them where there are templates: noise exceeds their range.
    """
    names, templates = dataset.class_names, dataset.templates
    height, width = dataset.image_shape[:2]
    blocks = 1 if len(names) <= CLASSES_PER_BLOCK else 2
    rows = -(-len(names) // blocks)
    label = min(style.widest(names), LONGEST_NAME)
    block = (style.WIDTH - BETWEEN * (blocks - 1)) / blocks
    strip = block - label - 2 * MARGIN - (0.08 if templates is None else 0.08 + BETWEEN - GAP)
    wanted = 0.36 if max(height, width) <= style.SMALL_IMAGE else 0.58
    columns = max(2, round((strip + GAP) / (wanted + GAP)))
    cell = (strip + GAP) / columns - GAP
    tall = cell * height / width
    head = 0.0 if templates is None else 0.2

    figure, canvas = style.sheet(head + rows * (tall + GAP) - GAP + 2 * MARGIN)
    shown = [_first(dataset, number, columns) for number in range(len(names))]
    scale = style.span(dataset.value_range, np.stack([i for images in shown for i in images]))
    for number, name in enumerate(names):
        left = (number // rows) * (block + BETWEEN) + MARGIN
        top = head + (number % rows) * (tall + GAP) + MARGIN
        middle = top + tall / 2
        style.write(canvas, left + label, middle, name, room=LONGEST_NAME, ha="right", va="center")
        x = left + label + 0.08
        images = shown[number]
        if templates is not None:
            images = [templates[number], *images[: columns - 1]]
        for position, image in enumerate(images):
            style.picture(canvas, image, (x, top, cell, tall), *scale)
            x += cell + (BETWEEN if templates is not None and position == 0 else GAP)
    if templates is not None:
        _scale(canvas, scale, head - 0.09)
        for heading, column in (("template", 0), ("with noise", 1)):
            x = MARGIN + label + 0.08 + column * (cell + BETWEEN)
            canvas.text(x, head - 0.06, heading, ha="left", va="baseline", color=style.GREY)
    return figure


def alt(dataset: StoredDataset) -> str:
    """Return in words what `draw` shows."""
    height, width = dataset.image_shape[:2]
    first = "" if dataset.templates is None else " after the one without noise"
    return (
        f"Training images of {height} by {width} pixels{first}, a row for each class: "
        f"{style.listed(dataset.class_names)}."
    )


def _scale(canvas: Axes, scale: tuple[float, float], middle: float) -> None:
    """Draw at the right end what is black and what is white."""
    end = {"size": style.SMALL, "ha": "right", "va": "center"}
    right = style.WIDTH - MARGIN
    text = canvas.text(right, middle, style.number(scale[1]), **end)
    left = right - style.extent(text)[0] - 0.95
    ramp = np.linspace(*scale, style.SMALL_IMAGE)[None, :, None]
    style.picture(canvas, ramp, (left, middle - 0.035, 0.9, 0.07), *scale)
    canvas.text(left - 0.05, middle, style.number(scale[0]), **end)


def _first(dataset: StoredDataset, label: int, count: int) -> list[np.ndarray]:
    """Return the first training images of a class, at most ``count``."""
    split = dataset["train"]
    return [split.images[i] for i in np.flatnonzero(split.labels == label)[:count]]
