"""Activation maximization: images made to excite parts of a network (Erhan et al. 2009).

`objectives` says what is to grow, `images` how an image is made of numbers, `transforms` how it is
changed at random before the network sees it, and `regularizers` what it costs. Here the numbers
are changed, with Adam, for many objectives side by side; all steps are one compiled loop.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph, objectives
from pixelspace.projections.images import Fourier, Pixels
from pixelspace.projections.objectives import Objective
from pixelspace.projections.regularizers import L2, Blur, Regularizer, TotalVariation
from pixelspace.projections.selection import choose_units, listed
from pixelspace.projections.transforms import GENTLE, ROBUST, Transform, standard, transformed

BATCH = 16
TRANSFORMS = {"robust": ROBUST, "gentle": GENTLE, "none": ()}
IMAGES = {"fourier": Fourier, "pixels": Pixels}
STUCK = "not excited more than by the first image; a closed rectifier lets no gradient through"
"""What is noted about units that did not climb."""


@dataclass(frozen=True)
class Maximized:
    """Images ``(n, height, width, channels)`` in the network's value range, and the objective
    ``(n, 2)`` of the first and of the last image: untransformed, and without regularizers and
    diversity, so that it says what the image does to the network."""

    images: np.ndarray
    values: np.ndarray


def adam_step(
    parameters: tf.Tensor, gradient: tf.Tensor, moments: tuple, step: tf.Tensor, rate: float
) -> tuple[tf.Tensor, tuple]:
    """Climb one step of Adam (Kingma and Ba 2015, arXiv:1412.6980), numbered from 0."""
    first, second = moments
    first = 0.9 * first + 0.1 * gradient
    second = 0.999 * second + 0.001 * gradient**2
    power = tf.cast(step + 1, parameters.dtype)
    length = rate * tf.sqrt(1 - 0.999**power) / (1 - 0.9**power)
    return parameters + length * first / (tf.sqrt(second) + 1e-7), (first, second)


@functools.lru_cache(maxsize=32)
def _compiled(
    model: keras.Model,
    terms: tuple[tuple[str, str, int], ...],
    image: Fourier | Pixels,
    transforms: tuple[Transform, ...],
    regularizers: tuple[Regularizer, ...],
    value_range: tuple[float, float],
    parameters_shape: tuple[int, ...],
    vector_shapes: tuple[tuple[int, ...], ...],
):
    """Return the loop, compiled once for any units, number of steps and number of images."""
    low, high = value_range
    layers = [layer for layer, _, _ in terms]
    numbers = tf.TensorSpec((None, *parameters_shape), tf.float32)
    data = [
        (
            tf.TensorSpec((None,)),
            tf.TensorSpec((None, *shape)),
            tf.TensorSpec((None, 2), tf.int32),
        )
        for shape in vector_shapes
    ]
    scalars = [tf.TensorSpec((), tf.int32), tf.TensorSpec(()), tf.TensorSpec((2,), tf.int32)]

    @tf.function(input_signature=[numbers, data, *scalars], autograph=False)
    def run(parameters, term_data, steps, rate, seed):
        substitute = graph.folded(model, layers)

        def value(images, is_alone):
            pixels = tf.cast(low + (high - low) * images, graph.dtype(model))
            outputs = graph.outputs(model, pixels, layers, substitute)
            scores = (
                factors
                * objectives.score(kind, parameter, tf.cast(out, tf.float32), vectors, cells)
                for (_, kind, parameter), out, (factors, vectors, cells) in zip(
                    terms, outputs, term_data, strict=True
                )
                if not (is_alone and kind == "diversity")
            )
            return sum(scores, tf.zeros(tf.shape(images)[:1]))

        def climb(step, parameters, moments):
            with tf.GradientTape() as tape:
                tape.watch(parameters)
                images = image.images(parameters)
                seen = transformed(images, transforms, seed + (step, 0))
                costs = sum((cost(images) for cost in regularizers), 0.0)
                total = tf.reduce_sum(value(seen, is_alone=False) - costs)
            gradient = tape.gradient(total, parameters)
            return step + 1, *adam_step(parameters, gradient, moments, step, rate)

        before = value(image.images(parameters), is_alone=True)
        moments = (tf.zeros_like(parameters), tf.zeros_like(parameters))
        _, parameters, _ = tf.while_loop(
            lambda step, *_: step < steps, climb, (0, parameters, moments)
        )
        images = image.images(parameters)
        after = value(images, is_alone=True)
        return low + (high - low) * images, tf.stack([before, after], 1)

    return run.get_concrete_function()


def maximize(
    model: keras.Model,
    objective: Objective,
    *,
    seed: int,
    image: Fourier | Pixels | None = None,
    transforms: Sequence[Transform] = ROBUST,
    regularizers: Sequence[Regularizer] = (),
    steps: int = 256,
    rate: float = 0.05,
    value_range: tuple[float, float] = (0.0, 255.0),
    batch: int = BATCH,
) -> Maximized:
    """Make one image for each image that the objective is for.

    Args:
        image: how they are made; None for `Fourier` at the size of the model's input.
        transforms: random changes before each step; all images of a step change alike.
        regularizers: what is taken off the objective.
        rate: of Adam.
        value_range: what black and white are for the network.
        batch: images side by side. The result does not depend on it.

    Raises:
        UserError: if a layer or a unit of the objective does not exist.
    """
    image = image or Fourier(graph.image_shape(model))
    count = objective.count
    terms = tuple((term.layer, term.kind, term.parameter) for term in objective.terms)
    data = [_term_data(model, term, count) for term in objective.terms]
    start = image.start(range(count), seed)
    run = _compiled(
        model,
        terms,
        image,
        tuple(transforms),
        tuple(regularizers),
        value_range,
        start.shape[1:],
        tuple(vectors.shape[1:] for _, vectors, _ in data),
    )
    groups = [term.parameter for term in objective.terms if term.kind == "diversity"]
    size = max(batch // math.lcm(*groups), 1) * math.lcm(*groups)
    parts = []
    for first in range(0, count, size):
        part = slice(first, first + size)
        own_data = [tuple(array[part] for array in arrays) for arrays in data]
        parts.append(run(start[part], own_data, steps, rate, (seed % 2**31, 0)))
    images, values = zip(*parts, strict=True)
    return Maximized(np.concatenate(images), np.concatenate(values))


def _term_data(model: keras.Model, term: objectives.Term, count: int) -> tuple[np.ndarray, ...]:
    """Return a term's factors, vectors and cells, for each of ``count`` images."""
    if term.units is not None:
        graph.check_units(model, term.layer, term.units)
    arrays = term.data(graph.shape(model, term.layer)[-1])
    return tuple(np.broadcast_to(array, (count, *array.shape[1:])) for array in arrays)


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 8,
    cell: str = "mean",
    variants: int = 1,
    diversity: float = 0.0,
    image: str = "fourier",
    transforms: str | None = None,
    total_variation: float = 0.0,
    l2: float = 0.0,
    blur: float = 0.0,
    steps: int = 256,
    rate: float = 0.05,
) -> Projection:
    """Make images that excite units of a layer; ``logits`` are classes before the softmax.

    Args:
        units: their numbers, or how many to choose at random.
        cell: ``"mean"`` of a unit's map, or its ``"middle"`` cell.
        variants: images for each unit, which ``diversity``, a weight, makes differ.
        image: ``"fourier"`` or ``"pixels"``.
        transforms: ``"robust"``, ``"gentle"`` or ``"none"``; by default robust for images of
            at least 64 pixels, gentle for smaller ones.
        total_variation, l2, blur: weights of regularizers.
    """
    shape = graph.image_shape(model)
    units = choose_units(model, layer, units, seed)
    repeated = np.repeat(units, variants)
    make = {"mean": objectives.channel, "middle": objectives.unit}[cell]
    objective = make(layer, repeated)
    if variants > 1 and diversity:
        objective = objective + diversity * objectives.diversity(layer, variants)
    costs = (TotalVariation(total_variation), L2(l2), Blur(blur))
    found = maximize(
        model,
        objective,
        seed=seed,
        image=IMAGES[image](shape),
        transforms=TRANSFORMS[transforms] if transforms else standard(shape[:2]),
        regularizers=[cost for cost in costs if cost.weight],
        steps=steps,
        rate=rate,
        value_range=dataset.value_range,
    )
    values = found.values.reshape(len(units), variants, 2)
    stuck = units[(values[..., 1] <= values[..., 0]).all(1)]
    about = {
        "kind": "maximization",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "units": units.tolist(),
        "cell": cell,
        "steps": steps,
        "image": image,
        "notes": [f"{listed(stuck)}: {STUCK}"] if stuck.size else [],
    }
    images = found.images.reshape(len(units), variants, *found.images.shape[1:])
    return Projection({"images": images, "values": values, "units": units}, about)
