"""Inversion: an image made to have a given code, and caricature: one made to have more of it.

What an image and its inversion differ in, the layer has thrown away (Mahendran and Vedaldi 2015,
arXiv:1412.0035). A caricature points where the code does, as far as it can go (Olah et al. 2018,
doi:10.23915/distill.00010).
"""

from collections.abc import Sequence

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import objectives
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.images import Fourier, mean_colour
from pixelspace.projections.maximization import Maximized, maximize, notes_of_stuck
from pixelspace.projections.regularizers import TotalVariation
from pixelspace.projections.selection import choose_images
from pixelspace.projections.transforms import standard

TOTAL_VARIATION = 0.02
LARGEST_ERROR = 0.95  # of a code that something was found of


def invert(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    *,
    seed: int,
    total_variation: float = TOTAL_VARIATION,
    **settings,
) -> tuple[np.ndarray, np.ndarray]:
    """Make images whose outputs of a layer are those of ``images``.

    Args:
        total_variation: weight of the regularizer; an error as large as the code counts 1.
        settings: of `maximization.maximize`.

    Returns:
        The images, of the shape of ``images``, and the error ``(n,)`` that is left: the square of
        the codes' distance, as a share of the code's own square.
    """
    codes = layer_outputs(model, images, [layer])[layer]
    own = {
        "image": Fourier(np.shape(images)[1:]),
        "transforms": (),
        "regularizers": [TotalVariation(total_variation)] if total_variation else [],
    }
    found = maximize(model, objectives.code(layer, codes), seed=seed, **(own | settings))
    return found.images, -found.values[:, 1]


def caricature(
    model: keras.Model, images: np.ndarray, layer: str, *, seed: int, **settings
) -> Maximized:
    """Make images whose outputs of a layer point, cell by cell, where those of ``images`` do.

    Args:
        settings: of `maximization.maximize`.
    """
    codes = layer_outputs(model, images, [layer])[layer]
    shape = np.shape(images)[1:]
    own = {"image": Fourier(shape), "transforms": standard(shape[:2])}
    return maximize(model, objectives.likeness(layer, codes), seed=seed, **(own | settings))


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layers: Sequence[str],
    images: int | Sequence[int] = 4,
    method: str = "inversion",
    total_variation: float = TOTAL_VARIATION,
    steps: int = 256,
) -> Projection:
    """Invert the codes of some test images in each of some layers, or draw their caricatures.

    Args:
        images: their numbers, or how many to choose at random.
        method: ``"inversion"`` or ``"caricature"``.
    """
    numbers, pixels = choose_images(dataset["test"], images, seed)
    mean = mean_colour(dataset["train"].images, dataset.value_range)
    image = Fourier(pixels.shape[1:], mean)
    settings = {"seed": seed, "image": image, "steps": steps, "value_range": dataset.value_range}
    made, errors, notes = [], [], []
    for layer, codes in layer_outputs(model, pixels, layers).items():
        own = [f"layer {layer}, image {number}" for number in numbers]
        empty = [not code.any() for code in codes]
        notes += [
            f"{name}: zero everywhere, so nothing of it can be shown"
            for name, is_empty in zip(own, empty, strict=True)
            if is_empty
        ]
        if method == "inversion":
            found, error = invert(model, pixels, layer, total_variation=total_variation, **settings)
            notes += [
                f"{name}: the code was not found"
                for name, left, is_empty in zip(own, error, empty, strict=True)
                if left > LARGEST_ERROR and not is_empty
            ]
        else:
            drawn = caricature(model, pixels, layer, **settings)
            found, error = drawn.images, code_errors(model, drawn.images, pixels, layer)
            full = [number for number, is_empty in enumerate(empty) if not is_empty]
            notes += notes_of_stuck([own[i] for i in full], drawn.values[full]) if full else []
        made.append(found)
        errors.append(error)
    names = dataset.class_names
    about = {
        "kind": "inversion",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layers": list(layers),
        "method": method,
        "split": "test",
        "labels": [names[i] for i in dataset["test"].labels[numbers]],
        "notes": notes,
    }
    arrays = {
        "inputs": pixels,
        "images": numbers,
        "made": np.stack(made),
        "errors": np.stack(errors),
    }
    return Projection(arrays, about)


def code_errors(model: keras.Model, made: np.ndarray, images: np.ndarray, layer: str) -> np.ndarray:
    """Return the square of two codes' distance for each image.

    It is a share of the square of the code of ``images``, unless that is 0.
    """
    output, code = (layer_outputs(model, x, [layer])[layer] for x in (made, images))
    axes = tuple(range(1, code.ndim))
    square = (code**2).sum(axes)
    return ((output - code) ** 2).sum(axes) / np.where(square > 0, square, 1)
