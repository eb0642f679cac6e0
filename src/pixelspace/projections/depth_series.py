"""Images made to excite channels of layer after layer, from shallow to deep (Olah et al. 2017).

What is to grow is the mean of a channel over its map (doi:10.23915/distill.00007).
"""

from collections.abc import Sequence

import keras

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph, objectives
from pixelspace.projections.images import Fourier, mean_colour
from pixelspace.projections.maximization import maximize, notes_of_stuck
from pixelspace.projections.receptive_fields import receptive_field
from pixelspace.projections.selection import choose_units
from pixelspace.projections.transforms import standard


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layers: Sequence[str],
    units_per_layer: int | Sequence[int] = 6,
    steps: int = 128,
) -> Projection:
    """Make an image for units of each of some layers.

    Args:
        layers: names, in order.
        units_per_layer: numbers of units, the same in each layer, or how many to choose at random.

    Returns:
        For each layer, by its place, arrays ``images_0`` (units, h, w, c) and ``values_0``
        (units, 2), of the first images and of the last. Of each layer ``about`` has the name, the
        units, and the height and width in pixels of what one cell sees, the whole image at most.
    """
    shape = graph.sized_image_shape(model)
    mean = mean_colour(dataset["train"].images, dataset.value_range)
    arrays, shown, notes = {}, [], []
    for number, layer in enumerate(layers):
        units = choose_units(model, layer, units_per_layer, seed)
        found = maximize(
            model,
            objectives.channel(layer, units),
            seed=seed,
            image=Fourier(shape, mean),
            transforms=standard(shape[:2]),
            steps=steps,
            value_range=dataset.value_range,
        )
        arrays[f"images_{number}"] = found.images
        arrays[f"values_{number}"] = found.values
        field = receptive_field(model, layer, shape[:2])
        seen = [min(size, side) for size, side in zip(field.size, shape, strict=False)]
        shown.append({"name": layer, "units": units.tolist(), "seen": seen})
        notes += [f"layer {layer}, {note}" for note in notes_of_stuck(units, found.values, "unit")]
    about = {
        "kind": "depth_series",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layers": shown,
        "steps": steps,
        "notes": notes,
    }
    return Projection(arrays, about)
