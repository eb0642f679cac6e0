"""All that is projected from one network, on one page."""

from collections.abc import Iterable, Sequence
from importlib import import_module

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

MARGIN = 0.03
BETWEEN = 0.15  # two columns
LARGEST = 0.62
WANTED = 0.34  # inches of a tile and its gap, for which fewer are shown in a row
MOST, FEWEST = 8, 4
COLUMNS = 3
SHORT = {"guided backpropagation": "guided backprop."}
"""Labels for which fewer examples would have room."""


@style.house()
def draw(projections: Sequence[Projection]) -> Figure:
    """Draw methods down, and up to eight examples of each across.

    A projection has the rows that its figure's module gives as examples. On the page they stand
    in one column or more, whatever makes the pictures largest.
    """
    rows = [row._replace(method=SHORT.get(row.method, row.method)) for row in _rows(projections)]
    label = tiles.label_width(rows)
    most = min(MOST, max(len(row.tiles) for row in rows))
    columns, examples, pitch = _layout(len(rows), label, most)
    lines = -(-len(rows) // columns)
    cell = pitch - tiles.GAP
    figure, canvas = style.sheet(lines * pitch - tiles.GAP + 2 * MARGIN)
    width = label + examples * pitch - tiles.GAP + BETWEEN
    left = (style.WIDTH - columns * width + BETWEEN) / 2
    for number, row in enumerate(rows):
        x = left + (number // lines) * width
        top = MARGIN + (number % lines) * pitch
        tiles.label(canvas, row, x, top + cell / 2, label - tiles.LABEL_GAP)
        tiles.draw_row(canvas, row.tiles[:examples], x + label, top, pitch, cell)
    return figure


def alt(projections: Sequence[Projection]) -> str:
    """Return in words what `draw` shows."""
    rows = ", ".join(
        f"{row.method} ({row.layer})" if row.layer else row.method for row in _rows(projections)
    )
    return f"Contact sheet: a row of small examples of each method, by layer: {rows}."


def _rows(projections: Iterable[Projection]) -> Iterable[tiles.Row]:
    """Yield the rows of all projections, none twice: two methods may begin with the same images."""
    seen: dict[tuple[str, str], list[tiles.Row]] = {}
    for projection in projections:
        module = import_module(f"pixelspace.figures.{projection.about['kind']}")
        for row in module.examples(projection):
            alike = seen.setdefault((row.method, row.layer), [])
            if not any(_same(row.tiles, other.tiles) for other in alike):
                alike.append(row)
                yield row


def _same(some: Sequence[tiles.Tile], others: Sequence[tiles.Tile]) -> bool:
    return len(some) == len(others) and all(
        np.array_equal(a.values, b.values) for a, b in zip(some, others, strict=True)
    )


def _layout(rows: int, label: float, most: int) -> tuple[int, int, float]:
    """Return the columns, the examples in a row, and the inches from one tile to the next.

    As many examples as there can be of the size that is wanted.
    """

    def pitch(columns: int, examples: int) -> float:
        room = (style.WIDTH - 2 * MARGIN - (columns - 1) * BETWEEN) / columns - label
        lines = -(-rows // columns)
        return min(LARGEST, room / examples, (style.TALLEST - 2 * MARGIN) / lines)

    best = (0, 0, 0.0)
    for examples in range(most, min(FEWEST, most) - 1, -1):
        columns = max(range(1, COLUMNS + 1), key=lambda c: (pitch(c, examples), -c))
        best = max(best, (columns, examples, pitch(columns, examples)), key=lambda found: found[2])
        if best[2] >= WANTED:
            break
    return best
