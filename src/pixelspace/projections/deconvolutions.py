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
from pixelspace.projections import graph, top_patches
from pixelspace.projections.backward import backward_pass, has_switches
from pixelspace.projections.selection import choose_images
from pixelspace.projections.top_patches import crop


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
        units, k: see `top_patches.project`.
        policy: ``"deconvnet"``, ``"guided"`` or ``"gradient"``; see `backward`.
    """
    patches = top_patches.project(model, dataset, seed=seed, layer=layer, units=units, k=k)
    arrays, about = patches.arrays, patches.about
    numbers, boxes = arrays["images"].ravel(), arrays["boxes"].reshape(-1, 4)
    _, pixels = choose_images(dataset["test"], numbers, seed)
    is_map = len(graph.shape(model, layer)) == 3
    cells = arrays["positions"].reshape(-1, 2) if is_map else None
    units = np.repeat(arrays["units"], k)
    projections, _ = backward_pass(
        model, pixels, layer, units, cells, policy=policy, start="activation"
    )
    cut = [crop(own, box)[0] for own, box in zip(projections, boxes, strict=True)]
    if policy == "deconvnet" and not has_switches(model, layer):
        note = f"layer {layer}: no max-pooling before it, so all images project alike"
        about["notes"].append(note)
    excited = arrays["activations"].ravel() > 0
    blank = [
        unit
        for unit, back, is_excited in zip(units, cut, excited, strict=True)
        if is_excited and not back.any()
    ]
    about["notes"] += [
        f"unit {unit}: nothing comes back for {blank.count(unit)} of {k} patches, as rectifiers "
        "are closed or at their ceiling"
        for unit in dict.fromkeys(blank)
    ]
    about |= {"kind": "deconvolutions", "policy": policy}
    arrays["deconvolutions"] = np.stack(cut).reshape(arrays["patches"].shape)
    return Projection(arrays, about)
