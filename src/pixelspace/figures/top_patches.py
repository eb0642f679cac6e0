"""The image patches that excite units most."""

import numpy as np
from matplotlib.figure import Figure

from pixelspace.artifacts import Projection
from pixelspace.figures import style, tiles


@style.house()
def draw(projection: Projection) -> Figure:
    """Draw for each unit a row of patches, strongest first, and below each its activation.

    What of a patch lies outside the image is white.
    """
    arrays, about = projection.arrays, projection.about
    shown = _patches(projection)
    rows = [
        tiles.Row(
            f"unit {style.unit_name(about['layer'], unit)}",
            "",
            tiles.pictures(patches, about["value_range"]),
            [style.number(value, 3) for value in activations],
        )
        for unit, patches, activations in zip(
            arrays["units"], shown, arrays["activations"], strict=True
        )
    ]
    return tiles.table(rows, {})[0]


def alt(projection: Projection) -> str:
    """Return in words what `draw` shows."""
    arrays, about = projection.arrays, projection.about
    count, height, width = arrays["patches"].shape[1:4]
    return (
        f"For {style.named_units(about, arrays['units'])}, a row of the "
        f"{style.counted(count, 'test patch', 'test patches')} of {height} by {width} pixels that "
        f"excite {'it' if len(arrays['units']) == 1 else 'each'} most, with activations from "
        f"{arrays['activations'].max():.3g} down to {arrays['activations'].min():.3g}."
    )


def examples(projection: Projection) -> list[tiles.Row]:
    """Return the strongest patch of each unit, then the second, and so on."""
    about = projection.about
    patches = np.concatenate(_patches(projection).swapaxes(0, 1))
    shown = tiles.pictures(patches, about["value_range"])
    return [tiles.Row("strongest patches", about["layer"], shown)]


def _patches(projection: Projection) -> np.ndarray:
    """Return the patches ``(units, k, height, width, channels)``, white outside the image."""
    arrays, (_, white) = projection.arrays, projection.about["value_range"]
    return np.where(arrays["inside"][..., None], arrays["patches"], white)
