"""The same units and classes under one regularizer more from row to row.

Without any, an optimizer finds patterns that excite a unit and look like noise. Two things keep it
from them: images made of waves in uncorrelated colours, strong where those of photographs are, and
random changes before each step, which what is found must outlast (Olah et al. 2017,
doi:10.23915/distill.00007). A third term makes images of one class differ.
"""

from collections.abc import Sequence

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph, objectives
from pixelspace.projections.images import Fourier, Pixels, mean_colour
from pixelspace.projections.maximization import maximize, notes_of_stuck
from pixelspace.projections.selection import choose_units
from pixelspace.projections.top_patches import strongest_patches
from pixelspace.projections.transforms import standard

OF_UNITS = ("pixels", "fourier", "robust")
OF_CLASSES = (*OF_UNITS, "diverse")
"""What each row of images has: each what the one before has, and one thing more."""


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 8,
    starts: int = 3,
    diversity: float = 30.0,
    steps: int = 128,
) -> Projection:
    """Make images for units of a layer and for the classes, and find the best test images.

    Args:
        units: their numbers, or how many to choose at random.
        starts: images of each class, from different noise.
        diversity: weight of what makes those of one class differ in ``layer``, see
            `objectives.diversity`.

    Returns:
        Arrays ``units`` (rows, units, h, w, c) and ``classes`` (rows, classes, starts, h, w, c) of
        images whose rows are those of ``about["of_units"]`` and ``about["of_classes"]``, with
        ``unit_values`` and ``class_values``, what each excites the unit or the logit by; and the
        same of the test images, ``natural_units`` (units, h, w, c) and so on. The value of a test
        image for a unit is that of its strongest cell, and of a made one the mean of all cells.
    """
    shape = graph.sized_image_shape(model)
    numbers = choose_units(model, layer, units, seed)
    classes = np.repeat(np.arange(len(dataset.class_names)), starts)
    mean = mean_colour(dataset["train"].images, dataset.value_range)
    waves, changes = Fourier(shape, mean), standard(shape[:2])
    ways = {
        "pixels": (Pixels(shape, mean), ()),
        "fourier": (waves, ()),
        "robust": (waves, changes),
        "diverse": (waves, changes),
    }
    differing = objectives.logit(classes) + diversity * objectives.diversity(layer, starts)
    plain = dict.fromkeys(OF_UNITS, objectives.logit(classes))
    asked = {
        "unit": dict.fromkeys(OF_UNITS, objectives.channel(layer, numbers)),
        "class": plain | {"diverse": differing},
    }
    found = {
        what: [
            maximize(
                model,
                objective,
                seed=seed,
                image=ways[way][0],
                transforms=ways[way][1],
                steps=steps,
                value_range=dataset.value_range,
            )
            for way, objective in rows.items()
        ]
        for what, rows in asked.items()
    }
    test = dataset["test"].images
    best = {
        "unit": strongest_patches(model, test, layer, numbers, 1),
        "class": strongest_patches(model, test, graph.LOGITS, np.unique(classes), starts),
    }
    each = {"unit": (len(numbers),), "class": (len(dataset.class_names), starts)}
    arrays = {"numbers": numbers}
    for what, own in each.items():
        many = {"unit": "units", "class": "classes"}[what]
        made = np.stack([row.images for row in found[what]])
        arrays[many] = made.reshape(len(made), *own, *shape)
        values = np.stack([row.values[:, 1] for row in found[what]])
        arrays[f"{what}_values"] = values.reshape(len(values), *own)
        natural = np.stack([test[i].astype(np.float32) for i in best[what].images.ravel()])
        arrays[f"natural_{many}"] = natural.reshape(*own, *shape)
        arrays[f"natural_{what}_values"] = best[what].activations.reshape(own)
    about = {
        "kind": "parametrizations",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "units": numbers.tolist(),
        "of_units": list(OF_UNITS),
        "of_classes": list(OF_CLASSES),
        "split": "test",
        "steps": steps,
        "notes": [
            f"{way}: {note}"
            for way, row in zip(OF_UNITS, found["unit"], strict=True)
            for note in notes_of_stuck(numbers, row.values, "unit")
        ],
    }
    return Projection(arrays, about)
