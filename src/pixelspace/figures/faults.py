"""Filters in the order in which their pictures condemn them."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles

FOOT = 0.3  # the scale, below the rows
BAR = 1.4


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw for each fault a row of the filters that go for it, the first to go first.

    All pictures are on one scale, symmetric about zero, which stands below them if they have one
    channel; on three, zero is grey. Below each picture stands the filter's number.
    """
    images = projection.arrays["projections"]
    if images.shape[-1] > 1:
        return tiles.table(_rows(projection), {})[0]
    figure, _, left = tiles.table(_rows(projection), {}, foot=FOOT)
    limit = _limit(images) or 1.0
    bar = style.place(figure, left, figure.get_figheight() - 0.25, BAR, 0.07)
    style.colour_bar(bar, ScalarMappable(Normalize(-limit, limit), style.SIGNED))
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    rows = "; ".join(f"{row.method} ({', '.join(row.captions)})" for row in _rows(projection))
    return (
        f"Weight projections of the filters of layer {projection.about['layer']} in the order in "
        f"which they would be removed, a row for each fault: {rows}."
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
    return [tiles.signed(image, _limit(images)) for image in images]


def _limit(images: np.ndarray) -> float:
    """Return where the scale of all images ends: at their largest absolute value."""
    return float(np.abs(images).max())
