"""DeepDream (Mordvintsev, Olah and Tyka 2015): what a network sees in a picture, made stronger.

The picture is changed so that a layer answers to it more strongly, at several sizes one after
another: details of the small sizes grow into shapes of the large ones. Three tricks matter. The
picture is shifted at random before each step, so that the grid of a strided network leaves no
trace. The gradient is averaged over several blurs of itself, each scaled to a standard deviation
of 1, so that coarse and fine changes count alike. And what one size adds is carried over to the
next as a difference from the original, which therefore stays sharp.
"""

import functools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.feature_maps import layer_outputs

BLURS = (0.6, 1.2, 2.4)


def blur(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Blur images ``(batch, height, width, channels)`` with a Gaussian of ``sigma`` pixels."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    line = tf.constant(weights / weights.sum(), images.dtype)[:, None, None, None]
    line = tf.tile(line, (1, 1, images.shape[-1], 1))
    for kernel in (line, tf.transpose(line, (1, 0, 2, 3))):
        images = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "SAME")
    return images


def smoothed(gradient: tf.Tensor, sigmas: Sequence[float]) -> tf.Tensor:
    """Average a gradient over blurs of itself, each scaled to a standard deviation of 1."""
    blurs = [blur(gradient, sigma) for sigma in sigmas]
    return sum(b / (tf.math.reduce_std(b) + 1e-12) for b in blurs) / len(blurs)


@functools.lru_cache(maxsize=32)
def _compiled(model: keras.Model, layer: str, channel: int | None, sigmas: tuple[float, ...]):
    """Return the steps at one image size as one compiled function, for images of any size."""
    kind = graph.dtype(model)
    pixels = tf.TensorSpec((1, None, None, graph.image_shape(model)[-1]), kind)
    scalar, whole = tf.TensorSpec((), kind), tf.TensorSpec((), tf.int32)
    pair = tf.TensorSpec((2,), tf.int32)

    @tf.function(input_signature=[pixels, whole, scalar, whole, pair, scalar, scalar])
    def octave(image, steps, step, jitter, seed, low, high):
        substitute = graph.folded(model, [layer])
        for number in tf.range(steps):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(image, pixels.shape)])
            shift = tf.random.stateless_uniform(
                (2,), seed + (number, 0), -jitter, jitter + 1, tf.int32
            )
            with tf.GradientTape() as tape:
                tape.watch(image)
                shifted = tf.roll(image, shift, (1, 2))
                (output,) = graph.outputs(model, shifted, [layer], substitute)
                score = (
                    tf.reduce_mean(output**2)
                    if channel is None
                    else tf.reduce_mean(output[..., channel])
                )
            gradient = smoothed(tape.gradient(score, image), sigmas)
            image = tf.clip_by_value(image + step * gradient, low, high)
        return image

    return octave.get_concrete_function()


def deep_dream(
    model: keras.Model,
    image: np.ndarray,
    layer: str,
    channel: int | None = None,
    *,
    seed: int,
    value_range: tuple[float, float] = (0.0, 255.0),
    octaves: int = 4,
    steps: int = 20,
    scale: float = 1.4,
    jitter: int = 24,
    step: float = 0.01,
    blurs: Sequence[float] = BLURS,
) -> np.ndarray:
    """Dream on an image ``(height, width, channels)`` of any size the layer allows.

    Args:
        layer: the layer whose mean square grows; or, with ``channel``, the channel whose mean
            grows.
        octaves: sizes passed through, each ``scale`` times the one before; the last is the
            image's own.
        steps: gradient steps at each size.
        jitter: the largest shift before a step, in pixels.
        step: length of a step, as a share of the value range.
        blurs: standard deviations in pixels of the blurs that the gradient is averaged over.

    Returns:
        ``(octaves + 1, height, width, channels)``: the image, then the image with all that has
        been added by the end of each octave; the last is the dream.

    Raises:
        UserError: if the layer or the channel does not exist.
    """
    graph.check_units(model, layer, [] if channel is None else [channel])
    run = _compiled(model, layer, channel, tuple(blurs))
    low, high = value_range
    original = tf.constant(graph.as_batch(model, image[None]))
    size = np.array(image.shape[:2])
    detail = tf.zeros_like(original)
    frames = [original]
    for octave in range(octaves):
        smaller = np.maximum(np.rint(size / scale ** (octaves - 1 - octave)), 1).astype(np.int32)
        base = tf.image.resize(original, smaller, antialias=True)
        start = base + tf.image.resize(detail, smaller)
        end = run(start, steps, step * (high - low), jitter, (seed % 2**31, octave), low, high)
        detail = end - base
        frames.append(tf.clip_by_value(original + tf.image.resize(detail, size), low, high))
    return np.concatenate(frames)


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    label: str,
    index: int = 0,
    channel: int | None = None,
    octaves: int = 4,
    steps: int = 20,
    scale: float = 1.4,
    jitter: int = 24,
    step: float = 0.01,
    blurs: Sequence[float] = BLURS,
) -> Projection:
    """Dream on one of the data set's large images.

    Args:
        label: the class of the image.
        index: which of the large images of that class.

    Raises:
        UserError: if there is no such image, layer or channel.
    """
    number, image = _large_image(dataset, label, index)
    frames = deep_dream(
        model,
        image,
        layer,
        channel,
        seed=seed,
        value_range=dataset.value_range,
        octaves=octaves,
        steps=steps,
        scale=scale,
        jitter=jitter,
        step=step,
        blurs=blurs,
    )
    ends = layer_outputs(model, frames[[0, -1]], [graph.LOGITS, model.layers[-1].name])
    arrays = {
        "frames": frames.astype(np.float32),
        "logits": ends[graph.LOGITS],
        "probabilities": ends[model.layers[-1].name],
    }
    about = {
        "kind": "dream",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "objective": "mean square of the layer" if channel is None else f"mean of unit {channel}",
        "octaves": octaves,
        "steps": steps,
        "image": {"split": "large", "index": number, "label": label},
        "notes": [],
    }
    return Projection(arrays, about)


def _large_image(dataset: StoredDataset, label: str, index: int) -> tuple[int, np.ndarray]:
    """Return the number and the pixels of the ``index``-th large image of a class."""
    if label not in dataset.class_names:
        raise UserError(f"label {label}: the classes are {', '.join(dataset.class_names)}")
    if "large" not in dataset:
        raise UserError("the data set has no large images; dreams need a source of colour images")
    split = dataset["large"]
    numbers = np.flatnonzero(split.labels == dataset.class_names.index(label))
    if index >= len(numbers):
        raise UserError(f"index {index}: class {label} has {len(numbers)} large images")
    return int(numbers[index]), split.images[numbers[index]].astype(np.float32)
