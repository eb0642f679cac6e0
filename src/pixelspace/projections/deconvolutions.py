"""Deconvolutional projection (Zeiler and Fergus 2014, arXiv:1311.2901) of the strongest patches.

For the patches of a data set that excite a unit most, the unit's activation is sent back to the
pixels as in `backward`: what of the patch caused it.

A deconvnet knows an image by its max-pooling switches alone. Where a network has none before the
layer, as EfficientNet, it projects every image to the same picture (Springenberg et al. 2015);
guided backpropagation, which also knows which rectifiers were open, does not.
"""

from collections.abc import Sequence

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph
from pixelspace.projections.backward import backward_pass
from pixelspace.projections.receptive_fields import receptive_field
from pixelspace.projections.selection import at_random, choose_images, choose_units, listed
from pixelspace.projections.top_patches import boxes, crop, strongest_patches


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 4,
    k: int = 9,
    policy: str = "deconvnet",
) -> Projection:
    """Show the test patches that excite units of a layer most, and their deconvolutions.

    A deconvolution starts from the one cell that was excited most, with its activation.

    Args:
        units: their numbers, or how many to choose at random among those that any patch excites.
        k: patches for each unit.
        policy: ``"deconvnet"`` or ``"guided"``; see `backward`.
    """
    split = dataset["test"]
    wanted = units
    if isinstance(wanted, int):
        units = np.arange(graph.shape(model, layer)[-1])
    units = choose_units(model, layer, units, seed)
    patches = strongest_patches(model, split, layer, units, k)
    excited = patches.activations[:, 0] > 0
    silent = units[~excited]
    if isinstance(wanted, int):
        chosen = at_random(np.flatnonzero(excited) if excited.any() else units, wanted, seed)
        units, patches = units[chosen], patches.of(chosen)
    _, pixels = choose_images(split, patches.images.ravel(), seed)
    is_map = len(graph.shape(model, layer)) == 3
    cells = patches.positions.reshape(-1, 2) if is_map else None
    projections, _ = backward_pass(
        model, pixels, layer, np.repeat(units, k), cells, policy=policy, start="activation"
    )
    field = receptive_field(model, layer)
    shown = boxes(patches, field, pixels.shape[1:3])
    cut = [crop(image, box) for image, box in zip(pixels, shown.reshape(-1, 4), strict=True)]
    projected = [crop(p, box) for p, box in zip(projections, shown.reshape(-1, 4), strict=True)]

    def by_unit(parts: list[np.ndarray]) -> np.ndarray:
        return np.stack(parts).reshape(len(units), k, *parts[0].shape)

    notes = []
    if silent.size:
        notes.append(f"{listed(silent)}: excited by no test image")
    if policy == "deconvnet" and not _has_switches(model, layer):
        notes.append(f"layer {layer}: no max-pooling before it, so all images project alike")
    names = dataset.class_names
    about = {
        "kind": "deconvolutions",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "units": units.tolist(),
        "policy": policy,
        "split": "test",
        "labels": [[names[split.labels[i]] for i in row] for row in patches.images],
        "receptive_field": {
            "size": list(field.size),
            "stride": list(field.stride),
            "start": list(field.start),
        },
        "notes": notes,
    }
    arrays = {
        "patches": by_unit([patch for patch, _ in cut]),
        "deconvolutions": by_unit([projection for projection, _ in projected]),
        "inside": by_unit([inside for _, inside in cut]),
        "activations": patches.activations,
        "images": patches.images,
        "boxes": shown,
        "units": units,
    }
    return Projection(arrays, about)


def _has_switches(model: keras.Model, layer: str) -> bool:
    known = graph.operations(model)
    through = [known[name] for name in graph.before(model, layer) | {layer}]
    pooling = (keras.layers.MaxPooling2D, keras.layers.GlobalMaxPooling2D)
    return any(isinstance(operation, pooling) for operation in through)
