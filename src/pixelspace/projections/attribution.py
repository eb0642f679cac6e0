"""Attribution: what in an image speaks for a class, by every method, for images of a data set."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.backward import deconvnet, gradient, guided_backpropagation
from pixelspace.projections.class_maps import grad_cam, grad_cam_plus_plus, maps_of
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.gradients import (
    gradient_times_input,
    integrated_gradients,
    smooth_grad,
)
from pixelspace.projections.occlusion import occlusion_map
from pixelspace.projections.selection import choose_images

LOGITS = graph.LOGITS
WINDOW_SHARE = 8  # an occluding window's side, as a fraction of the image's


def _occlusion(model: keras.Model, images: np.ndarray, layer: str, unit, middle: float):
    window = tuple(max(length // WINDOW_SHARE, 1) for length in images.shape[1:3])
    stride = tuple(max(length // 2, 1) for length in window)
    found = occlusion_map(model, images, layer, unit, window=window, stride=stride, fill=middle)
    return found[..., None]


def _of_output(class_map: Callable) -> Callable:
    return lambda model, images, layer, unit, **_: class_map(model, images, unit, output=layer)[
        ..., None
    ]


METHODS: dict[str, Callable] = {
    "gradient": lambda *what, **_: gradient(*what),
    "gradient_times_input": lambda *what, **_: gradient_times_input(*what),
    "smooth_grad": lambda *what, seed, **_: smooth_grad(*what, seed=seed),
    "integrated_gradients": lambda *what, low, **_: integrated_gradients(*what, baseline=low),
    "deconvnet": lambda *what, **_: deconvnet(*what, start="one"),
    "guided": lambda *what, **_: guided_backpropagation(*what),
    "grad_cam": _of_output(grad_cam),
    "grad_cam_plus_plus": _of_output(grad_cam_plus_plus),
    "occlusion": lambda *what, middle, **_: _occlusion(*what, middle),
}
"""By name: from a model, images, a layer and its units to maps ``(n, height, width, channels or
1)``; integrated gradients also give the gap by which these miss completeness ``(n,)``."""


NEED_A_MAP = ("grad_cam", "grad_cam_plus_plus")


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    methods: Sequence[str] = tuple(METHODS),
    images: int | Sequence[int] = 4,
    target: str = "predicted",
    output: str = LOGITS,
) -> Projection:
    """Explain the classes of some test images by each of some methods.

    Args:
        methods: names of `METHODS`. In a network without maps, class maps are left out, and this
            is noted.
        images: numbers of test images, or how many to choose at random.
        target: the class to explain: ``"predicted"``, ``"label"``, or a class's name.
        output: the layer of the classes: ``"logits"``, or the one behind it. Of a probability, what
            speaks for a class cannot be told from what speaks against the others.

    Raises:
        UserError: if there is no such method, image or class.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise UserError(f"method {unknown[0]}: the methods are {', '.join(METHODS)}")
    left_out = [] if maps_of(model) else [name for name in methods if name in NEED_A_MAP]
    methods = [name for name in methods if name not in left_out]
    split = dataset["test"]
    numbers, pixels = choose_images(split, images, seed)
    predicted = layer_outputs(model, pixels, [LOGITS])[LOGITS].argmax(1)
    labels = split.labels[numbers]
    names = dataset.class_names
    classes = _targets(target, predicted, labels, names)
    low, high = dataset.value_range
    settings = {"seed": seed, "low": low, "middle": (low + high) / 2}
    found = {name: METHODS[name](model, pixels, output, classes, **settings) for name in methods}
    gaps = None
    if "integrated_gradients" in found:
        found["integrated_gradients"], gaps = found["integrated_gradients"]
    about = {
        "kind": "attribution",
        "class_names": list(names),
        "value_range": [low, high],
        "layer": output,
        "methods": list(found),
        "split": "test",
        "labels": [names[i] for i in labels],
        "predicted": [names[i] for i in predicted],
        "explained": [names[i] for i in classes],
        "notes": [f"method {name}: left out, as no layer has a map" for name in left_out]
        + [
            f"method {name}: zero everywhere for image {number}"
            for name, maps in found.items()
            for number, own in zip(numbers, maps, strict=True)
            if not own.any()
        ],
    }
    if gaps is not None:
        about["completeness_gaps"] = gaps.tolist()
    arrays = {f"maps_{i}": maps.astype(np.float32) for i, maps in enumerate(found.values())}
    return Projection({"inputs": pixels, "images": numbers, **arrays}, about)


def _targets(target: str, predicted: np.ndarray, labels: np.ndarray, names) -> np.ndarray:
    if target in ("predicted", "label"):
        return predicted if target == "predicted" else labels
    if target not in names:
        raise UserError(f"target {target}: give predicted, label, or one of {', '.join(names)}")
    return np.full(len(labels), names.index(target))
