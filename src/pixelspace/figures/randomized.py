"""One image explained by a network, and by the same with random weights."""

from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles
from pixelspace.figures.attribution import FOOT, WORDS, scales, tile


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw the image, and below it a row of maps for each method.

    Columns are cases: the class that is explained, and of how many layers, from the logits down,
    the weights are random. Each map has a scale of its own, as in `attribution.draw`.
    """
    about = projection.about
    heads = {
        "explained": about["explained"],
        "random layers": [
            f"{number} of {about['layers']}" if number else "none"
            for number in about["random_layers"]
        ],
    }
    rows = [row._replace(layer="") for row in examples(projection)]
    figure, _, left = tiles.table(rows, heads, foot=FOOT)
    scales(figure, left, about["methods"])
    return figure


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    about = projection.about
    cases = "; ".join(
        f"{name} with {random or 'none'} of {about['layers']} layers random"
        for name, random in zip(about["explained"], about["random_layers"], strict=True)
    )
    methods = style.listed([WORDS.get(method, method) for method in about["methods"]])
    return (
        f"A test image of class {about['label']}, and below it a row of maps for each method: "
        f"{methods}. They show what speaks for class {cases}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the image, and a row of maps for each method."""
    arrays, about = projection.arrays, projection.about
    image = tiles.pictures(arrays["input"][None], about["value_range"])
    rows = [tiles.Row("test image", "", image)]
    for number, method in enumerate(about["methods"]):
        maps = arrays[f"maps_{number}"].sum(-1, keepdims=True)
        row = [tile(method, values) for values in maps]
        rows.append(tiles.Row(WORDS.get(method, method), "randomized", row))
    return rows
