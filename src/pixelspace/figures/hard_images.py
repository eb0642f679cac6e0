"""The images that a network is wrong about, and those that it is nearly undecided about."""

from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

ROWS = {"wrong": ("errors", "as"), "close": ("nearly errors", "or")}
"""By the arrays' name: the words beside a row, and between an image's class and its rival."""


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw a row of errors and one of narrow successes.

    Below each image stand its class and the class that the network puts before all others.
    """
    return tiles.table(_rows(projection), {})[0]


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    rows = " ".join(
        f"{row.method.capitalize()}: {', '.join(row.captions)}." for row in _rows(projection)
    )
    return f"Test images, each with its class and the strongest other one. {rows}"


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the errors and the narrow successes, as far as there are any."""
    return [row._replace(captions=()) for row in _rows(projection)]


def _rows(projection: Projection) -> list[tiles.Row]:
    arrays, about = projection.arrays, projection.about
    rows = []
    for (name, (words, between)), labels, rivals in zip(
        ROWS.items(), about["labels"], about["rivals"], strict=True
    ):
        if not len(arrays[name]):
            continue
        captions = [f"{own} {between} {rival}" for own, rival in zip(labels, rivals, strict=True)]
        shown = tiles.pictures(arrays[name], about["value_range"])
        rows.append(tiles.Row(words, "", shown, captions))
    return rows
