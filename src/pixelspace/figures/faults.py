"""Filters in the order in which their pictures condemn them."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw for each fault a row of the filters that go for it, the first to go first.

    All pictures are on one scale, symmetric about zero; below each stands the filter's number.
    """
    return tiles.table(_rows(projection), {})[0]


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    rows = "; ".join(f"{row.method}: {', '.join(row.captions)}" for row in _rows(projection))
    return (
        f"Weight projections of the filters of layer {projection.about['layer']} in the order in "
        f"which they would be removed, a row for each fault. {rows}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return one row of the filters that go first."""
    shown = _shown(projection)
    return [tiles.Row("condemned", projection.about["layer"], shown)]


def _rows(projection: Projection) -> list[tiles.Row]:
    faults = projection.about["faults"]
    shown, units = _shown(projection), projection.arrays["units"]
    return [
        tiles.Row(
            fault,
            "",
            [tile for tile, own in zip(shown, faults, strict=True) if own == fault],
            [str(unit) for unit, own in zip(units, faults, strict=True) if own == fault],
        )
        for fault in dict.fromkeys(faults)
    ]


def _shown(projection: Projection) -> list[tiles.Tile]:
    images = projection.arrays["projections"]
    limit = float(np.abs(images).max())
    return [tiles.signed(image, limit) for image in images]
