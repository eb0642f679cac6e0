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


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    about = projection.about
    rows = "; ".join(
        f"{layer}, {own.min():.2g} to {own.max():.2g}"
        for layer, own in zip(about["layers"], projection.arrays["errors"], strict=True)
    )
    made = (
        "caricatures of them" if about["method"] == "caricature" else "images with the same codes"
    )
    return (
        f"Test images of {style.listed(about['labels'])}, and below them a row of {made} for each "
        f"layer, with the squared distance of the codes as a share of the original's: {rows}."
    )


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
