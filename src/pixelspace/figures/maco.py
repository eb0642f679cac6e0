"""Images made to excite units, with the spectrum of the data set."""

from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import maximization, style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the image of each unit, and below it what it excites the unit by."""
    images, values = (projection.arrays[name][:, None] for name in ("images", "values"))
    return maximization.draw_units(images, values, projection.about)


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the image of each unit."""
    about = projection.about
    shown = tiles.pictures(projection.arrays["images"], about["value_range"])
    return [tiles.Row("MaCo", about["layer"], shown)]
