"""Activation maximization: images made to excite parts of a network (Erhan et al. 2009).

`objectives` says what is to grow, `images` how an image is made of numbers, `transforms` how it is
changed at random before the network sees it, and `regularizers` what it costs. Here the numbers
are changed, with Adam, for many objectives side by side; all steps are one compiled loop.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.checks import check_number, check_value_range, check_whole
from pixelspace.projections.images import Fourier, Pixels, mean_colour
from pixelspace.projections.objectives import (
    MEAN,
    MIDDLE,
    Objective,
    Term,
    channel,
    direction,
    score,
    unit,
)
from pixelspace.projections.objectives import diversity as diversity_of
from pixelspace.projections.objectives import layer as whole_layer
from pixelspace.projections.regularizers import L2, Blur, Regularizer, TotalVariation
from pixelspace.projections.selection import choose_units, listed
from pixelspace.projections.transforms import (
    GENTLE,
    ROBUST,
    Jitter,
    Pad,
    Roll,
    Rotate,
    Scale,
    Transform,
    standard,
    transformed,
)

BATCH = 16
TRANSFORMS = {"robust": ROBUST, "gentle": GENTLE, "none": ()}
CHANGES = {
    "pad": Pad,
    "roll": Roll,
    "jitter": Jitter,
    "rotate": Rotate,
    "scale": lambda factors: Scale(*factors),
}
IMAGES = {"fourier": Fourier, "pixels": Pixels}
STUCK = "hardly excited more than by the first image; closed rectifiers may let no gradient through"
"""What is noted about units that did not climb."""

LEAST_CLIMB = 0.01
"""What climbs less than this share of what half of the units do is stuck; of its own first value,
where it cannot be compared with others."""


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


@graph.cached
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
            if images.shape[-1] == 1:
                images = tf.repeat(images, graph.image_shape(model)[-1], -1)
            pixels = tf.cast(low + (high - low) * images, graph.dtype(model))
            outputs = graph.outputs(model, pixels, layers, substitute)
            scores = (
                factors * score(kind, parameter, tf.cast(out, tf.float32), vectors, cells)
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
        image: how they are made; None for `Fourier` at the size of the model's input. An image
            of one channel is shown to the network as grey in all of its channels.
        transforms: random changes before each step; all images of a step change alike.
        regularizers: what is taken off the objective.
        rate: of Adam.
        value_range: what black and white are for the network.
        batch: images side by side. The result does not depend on it.

    Raises:
        UserError: if a layer, a unit or a cell of the objective does not exist, a layer cannot see
            images of this size, or the images do not make whole groups.
    """
    if not isinstance(objective, Objective):
        raise UserError(f"objective {objective!r}: an objective is expected, as channel('conv', 3)")
    value_range = check_value_range(value_range)
    transforms = _checked("transforms", transforms, Transform)
    regularizers = _checked("regularizers", regularizers, Regularizer)
    check_whole(1, steps=steps, batch=batch)
    check_whole(0, seed=seed)
    check_number(0, rate=rate)
    image = image or Fourier(graph.sized_image_shape(model))
    if not hasattr(image, "images"):
        raise UserError(f"image {image!r}: a parametrization is expected, as Fourier((64, 64, 3))")
    count = objective.count
    border = 2 * sum(change.pixels for change in transforms if isinstance(change, Pad))
    size = tuple(side + border for side in image.shape[:2])
    for term in objective.terms:
        graph.shape(model, term.layer)
        graph.check_size(model, term.layer, size)
    if image.shape[-1] not in (1, graph.image_shape(model)[-1]):
        raise UserError(
            f"image of shape {image.shape}: the network's are {graph.image_shape(model)}"
        )
    if not count:
        raise UserError("objective: it is for no image")
    terms = tuple((term.layer, term.kind, term.parameter) for term in objective.terms)
    data = [_term_data(model, term, count, size) for term in objective.terms]
    start = image.start(range(count), seed)
    run = _compiled(
        model,
        terms,
        image,
        transforms,
        regularizers,
        value_range,
        start.shape[1:],
        tuple(vectors.shape[1:] for _, vectors, _ in data),
    )
    groups = [term.parameter for term in objective.terms if term.kind == "diversity"]
    for group in groups:
        if count % group:
            raise UserError(f"diversity: {count} images do not make groups of {group}")
    found = []
    for part in _parts(count, batch, math.lcm(*groups)):
        own_data = [tuple(array[part] for array in arrays) for arrays in data]
        images, values = run(start[part], own_data, steps, rate, (seed % 2**31, 0))
        found.append((images[: len(set(part))], values[: len(set(part))]))
    images, values = zip(*found, strict=True)
    return Maximized(np.concatenate(images), np.concatenate(values))


def _checked(name: str, given: Sequence, kind) -> tuple:
    """Return things of a kind as a tuple, one by itself and none too."""
    given = (given,) if isinstance(given, kind) else tuple(given or ())
    wrong = [thing for thing in given if not isinstance(thing, kind)]
    if wrong:
        known = ", ".join(own.__name__ for own in get_args(kind))
        raise UserError(f"{name}: {wrong[0]!r} is none of {known}")
    return given


def _parts(count: int, batch: int, group: int) -> list[np.ndarray]:
    """Return the numbers of the images that are made side by side, whole groups of them.

    A single image is made twice: TensorFlow computes a batch of one in another order, and after
    some steps of a deep network a difference in the last bit is one that can be seen.
    """
    size = max(batch // group, 1) * group
    parts = [np.arange(first, min(first + size, count)) for first in range(0, count, size)]
    return [np.repeat(part, 2) if len(part) == 1 else part for part in parts]


def _term_data(
    model: keras.Model, term: Term, count: int, size: tuple[int, int]
) -> tuple[np.ndarray, ...]:
    """Return a term's factors, vectors and cells, for each of ``count`` images of a size."""
    shape = graph.shape_at(model, term.layer, size)
    if term.kind == "units":
        graph.check_has_units(term.layer, shape)
    if term.units is not None:
        graph.check_units(model, term.layer, term.units)
    elif term.vectors is not None and term.vectors.shape[-1] != shape[-1]:
        raise UserError(f"layer {term.layer}: it has {shape[-1]} units; give as many numbers")
    elif term.kind in ("code", "likeness"):
        _check_codes(term, shape)
    if term.cells is not None and len(shape) == 3:
        limits = [np.inf if length is None else length for length in shape[:2]]
        named = term.cells[(term.cells != MEAN).any(1) & (term.cells != MIDDLE).any(1)]
        if (named < 0).any() or (named >= limits).any():
            raise UserError(f"layer {term.layer}: its map has {shape[0]} x {shape[1]} cells")
    arrays = term.data(shape[-1])
    return tuple(np.broadcast_to(array, (count, *array.shape[1:])) for array in arrays)


def _check_codes(term: Term, shape: tuple[int, ...]) -> None:
    """Check that codes are outputs of a layer; for a likeness, one vector may do for all cells."""
    given = term.vectors.shape[1:]
    is_vector = term.kind == "likeness" and given == (*(1 for _ in shape[:-1]), shape[-1])
    if given != shape and not is_vector:
        raise UserError(
            f"layer {term.layer}: codes of shape {given}, and {shape} is what it puts out"
        )


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str | None = None,
    units: int | Sequence[int] = 8,
    objectives: Sequence[Sequence[Mapping]] | None = None,
    cell: str = "mean",
    variants: int = 1,
    diversity: float = 0.0,
    image: str = "fourier",
    size: tuple[int, int] | None = None,
    grey: bool = False,
    transforms: str | Sequence[Mapping] | None = None,
    total_variation: float = 0.0,
    l2: float = 0.0,
    blur: float = 0.0,
    steps: int = 256,
    rate: float = 0.05,
) -> Projection:
    """Make images that excite units of a layer; ``logits`` are classes before the softmax.

    They start from the mean colour of the training images: where a network has never seen the like,
    as mid-grey digits, many of its rectifiers are closed.

    Args:
        units: their numbers, or how many to choose at random.
        objectives: what is to grow in each image, in the place of a layer and its units: a sum of
            parts, each with its ``layer``, a ``unit`` or a ``direction`` of it (all of it without
            either), and a ``factor``.
        cell: ``"mean"`` of a unit's map, or its ``"middle"`` cell.
        variants: images for each unit, which ``diversity``, a weight, makes differ.
        image: ``"fourier"`` or ``"pixels"``.
        size: height and width of the images; None for the network's own.
        grey: make grey images for a network of colours.
        transforms: ``"robust"``, ``"gentle"`` or ``"none"``, or a list of single ones, as
            ``{"jitter": 8}``; by default robust for images of at least 64 pixels, gentle for
            smaller ones.
        total_variation, l2, blur: weights of regularizers.
    """
    height, width, channels = graph.sized_image_shape(model)
    height, width = size or (height, width)
    about = {}
    if objectives is None:
        units = choose_units(model, layer, units, seed)
        make = {"mean": channel, "middle": unit}[cell]
        objective = make(layer, np.repeat(units, variants))
        count = len(units)
        about["units"] = units.tolist()
    else:
        layer = objectives[0][0]["layer"]
        repeated = [parts for parts in objectives for _ in range(variants)]
        objective = _mixed(repeated, {"mean": MEAN, "middle": MIDDLE}[cell])
        count = len(objectives)
        about["titles"] = [_title(parts, dataset.class_names) for parts in objectives]
    if variants > 1 and diversity:
        objective = objective + diversity * diversity_of(layer, variants)
    mean = mean_colour(dataset["train"].images, dataset.value_range)
    mean = (sum(mean) / channels,) if grey else mean
    costs = (TotalVariation(total_variation), L2(l2), Blur(blur))
    found = maximize(
        model,
        objective,
        seed=seed,
        image=IMAGES[image]((height, width, len(mean)), mean),
        transforms=_transforms(transforms, (height, width)),
        regularizers=[cost for cost in costs if cost.weight],
        steps=steps,
        rate=rate,
        value_range=dataset.value_range,
    )
    values = found.values.reshape(count, variants, 2)
    images = found.images.reshape(count, variants, *found.images.shape[1:])
    titles = about.get("titles")
    about |= {
        "kind": "maximization",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "cell": cell,
        "steps": steps,
        "image": image,
        "notes": notes_of_stuck(
            titles or about["units"], values, "" if titles else "unit", alike=objectives is None
        ),
    }
    arrays = {"images": images, "values": values}
    if objectives is None:
        arrays["units"] = units
    return Projection(arrays, about)


def notes_of_stuck(
    names: Sequence[str] | Sequence[int], values: np.ndarray, what: str = "", *, alike: bool = True
) -> list[str]:
    """Return a note of what has not climbed, if there is any.

    Args:
        names: of what was to grow ``(n,)``.
        values: of the first images and of the last ``(n, ..., 2)``.
        what: each is, if its name is a number.
        alike: whether they can be compared with each other.
    """
    first, last = np.moveaxis(values.reshape(len(names), -1, 2), -1, 0)
    climb = (last - first).max(1)
    least = LEAST_CLIMB * (np.median(climb) if alike else np.abs(first).max(1))
    stuck = climb <= np.maximum(least, 0)
    own = [name for name, is_stuck in zip(names, stuck, strict=True) if is_stuck]
    words = listed(own, what) if what else ", ".join(own)
    return [f"{words}: {STUCK}"] if own else []


def _transforms(
    transforms: str | Sequence[Mapping] | None, size: tuple[int, int]
) -> tuple[Transform, ...]:
    if transforms is None:
        return standard(size)
    if isinstance(transforms, str):
        return TRANSFORMS[transforms]
    return tuple(
        CHANGES[name](amount)
        for change in transforms
        for name, amount in change.items()
        if amount is not None
    )


def _mixed(objectives: Sequence[Sequence[Mapping]], cell: tuple[int, int]) -> Objective:
    """Return one objective of sums of parts, one sum for each image."""
    own = np.eye(len(objectives))
    return sum(
        (
            _part(part, cell) * (part.get("factor", 1.0) * own[number])
            for number, parts in enumerate(objectives)
            for part in parts
        ),
        Objective(()),
    )


def _part(part: Mapping, cell: tuple[int, int]) -> Objective:
    if part.get("unit") is not None:
        return unit(part["layer"], part["unit"], cell)
    if part.get("direction") is not None:
        return direction(part["layer"], np.array(part["direction"]), cell)
    return whole_layer(part["layer"])


def _title(parts: Sequence[Mapping], class_names: Sequence[str]) -> str:
    """Return a sum of parts in words, as ``dog - muffin`` or ``conv2 3 + 0.5 conv2 7``."""
    words = []
    for part in parts:
        name, number, factor = part["layer"], part.get("unit"), part.get("factor", 1.0)
        if number is not None:
            name = class_names[number] if name == graph.LOGITS else f"{name} {number}"
        elif part.get("direction") is not None:
            name = f"a direction of {name}"
        size = "" if abs(factor) == 1 else f"{abs(factor):g} "
        sign = "-" if factor < 0 else "+"
        words.append(f"{sign} {size}{name}")
    return " ".join(words).removeprefix("+ ")
