"""A picture that a network dreamed on."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

GAP = 0.06
MARGIN = 0.03
LINE = 0.18  # the words above a frame
CLASS = 0.27
LONGEST_NAME = 1.2
WIDEST = 3.8


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the original, the octaves below it, and the dream, large.

    Below them stand the probabilities that the network gives each class before and after.
    """
    frames, about = projection.arrays["frames"], projection.about
    names = about["class_names"]
    aspect = frames.shape[1] / frames.shape[2]
    between = len(frames) - 2
    columns = 2 if between == 4 else min(max(1, between), 3)
    rows = math.ceil(between / columns)
    chart = CLASS * len(names) + 0.32
    top = MARGIN + LINE
    width = min(WIDEST, (style.TALLEST - top - chart) / aspect * 1.5)
    gaps = GAP * (columns - 1)
    # The column of original and octaves is as high as the dream: solved for its width.
    small = (width - GAP + rows * (gaps / columns - LINE / aspect)) / (2 + rows / columns)
    large = width - GAP - small
    octave = (small - gaps) / columns

    figure, canvas = style.sheet(top + large * aspect + chart)
    left = (style.WIDTH - width) / 2
    boxes = [("original", left, top, small)]
    for number in range(between):
        x = left + (number % columns) * (octave + GAP)
        y = top + small * aspect + LINE + (number // columns) * (octave * aspect + LINE)
        boxes.append((f"octave {number + 1}", x, y, octave))
    boxes.append(("dream", left + small + GAP, top, large))
    for frame, (words, x, y, wide) in zip(frames, boxes, strict=True):
        canvas.text(x, y - 0.05, words, size=style.SMALL, va="baseline")
        style.picture(canvas, frame, (x, y, wide, wide * aspect), *about["value_range"])

    label = min(style.widest(names), LONGEST_NAME) + 0.1
    y = top + large * aspect + 0.26
    axes = style.place(figure, left + label, y, width - label, CLASS * len(names))
    _probabilities(axes, projection.arrays["probabilities"], names)
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    about = projection.about
    before, after = projection.arrays["probabilities"]
    chances = "; ".join(
        f"{name}, {b:.3f} before and {a:.3f} after"
        for name, b, a in zip(about["class_names"], before, after, strict=True)
    )
    octaves = about["octaves"]
    when = "one octave" if octaves == 1 else f"each of {octaves} octaves"
    last = "" if octaves == 1 else "the last of them "
    return (
        f"An image of class {about['image']['label']}, the same after {when} of a dream on layer "
        f"{about['layer']} ({about['objective']}), {last}large, and bars of the "
        f"class probabilities: {chances}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the original and the dream."""
    about = projection.about
    shown = tiles.pictures(projection.arrays["frames"][[0, -1]], about["value_range"])
    return [tiles.Row("dream", about["layer"], shown)]


def _probabilities(axes: Axes, values: np.ndarray, names) -> None:
    """Draw for each class a bar before and a bar after, each with its value."""
    places = np.arange(len(names))
    for when, shift, colour in (("before", -0.19, style.GREY), ("after", 0.19, style.BLUE)):
        row = values[0 if when == "before" else 1]
        axes.barh(places + shift, row, height=0.34, color=colour, label=f"probability {when}")
        for place, value in zip(places, row, strict=True):
            axes.text(
                value + 0.008, place + shift, f"{value:.3f}", size=style.SMALL, va="center_baseline"
            )
    axes.set(xlim=(0, 1.1), ylim=(len(names) - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)
    for place, name in enumerate(names):
        style.write(axes, -0.012, place, name, room=LONGEST_NAME, ha="right", va="center")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderpad=0)
