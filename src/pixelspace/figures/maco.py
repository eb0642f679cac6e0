"""Images made to excite units, with the spectrum of the data set."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import maximization, style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the image of each unit, and below it what it excites the unit by.

    What exceeds the range of values is drawn black or white.
    """
    images, values = _in_range(projection)[:, None], projection.arrays["values"][:, None]
    return maximization.draw_units(images, values, projection.about)


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    words = maximization.reached(projection.arrays["values"], projection.about)
    return f"Images with the mean spectrum of the data, made to excite {words}."


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the image of each unit."""
    about = projection.about
    shown = tiles.pictures(_in_range(projection), about["value_range"])
    return [tiles.Row("MaCo", about["layer"], shown)]


def _in_range(projection: Projection) -> np.ndarray:
    return np.clip(projection.arrays["images"], *projection.about["value_range"])
