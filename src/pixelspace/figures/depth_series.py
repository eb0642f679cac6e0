"""Images made to excite units of layer after layer."""

from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw a row for each layer, the first at the top, with the unit's number below each image."""
    return tiles.table([row._replace(method="") for row in examples(projection)], {})[0]


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    about = projection.about
    rows = "; ".join(
        style.named_units({**about, "layer": layer["name"]}, layer["units"])
        for layer in about["layers"]
    )
    return (
        "Images made to excite units, one row for each layer, from the shallowest to the deepest: "
        f"{rows}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return a row of images for each layer."""
    arrays, about = projection.arrays, projection.about
    return [
        tiles.Row(
            "depth series",
            layer["name"],
            tiles.pictures(arrays[f"images_{number}"], about["value_range"]),
            [f"{unit}" for unit in layer["units"]],
        )
        for number, layer in enumerate(about["layers"])
    ]
