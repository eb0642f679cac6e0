"""Images made again from what layers make of them, or exaggerated."""

from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the originals, and below them a row for each layer, with the error below each image.

    The error is the square of the distance of the two codes as a share of the code's own square.
    """
    about, errors = projection.about, projection.arrays["errors"]
    originals, *made = examples(projection)
    rows = [originals]
    for row, own in zip(made, errors, strict=True):
        captions = [style.number(error) for error in own]
        rows.append(row._replace(method="", captions=captions))
    return tiles.table(rows, {"class": about["labels"]})[0]


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the originals, and a row of images for each layer."""
    arrays, about = projection.arrays, projection.about
    shown = tiles.pictures(arrays["inputs"], about["value_range"])
    return [
        tiles.Row("originals", "", shown),
        *(
            tiles.Row(about["method"], layer, tiles.pictures(images, about["value_range"]))
            for layer, images in zip(about["layers"], arrays["made"], strict=True)
        ),
    ]
