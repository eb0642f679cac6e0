"""DeepDream (Mordvintsev, Olah and Tyka 2015): what a network sees in a picture, made stronger.

The picture is changed so that a layer answers to it more strongly, at several sizes one after
another: details of the small sizes grow into shapes of the large ones. Three tricks matter. The
picture is shifted at random before each step, so that the grid of a strided network leaves no
trace. The gradient is averaged over several blurs of itself, each scaled to a standard deviation
of 1, so that coarse and fine changes count alike. And what one size adds is carried over to the
next as a difference from the original, which therefore stays sharp.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.checks import check_number, check_value_range, check_whole
from pixelspace.projections.feature_maps import layer_outputs

BLURS = (0.6, 1.2, 2.4)
LEAST_SIGMA = 0.1  # pixels; narrower blurs are none
UNCHANGED = "the picture is left as it was; closed rectifiers let no gradient through to it"


def blur(images: tf.Tensor, sigma: float) -> tf.Tensor:
    """Blur images ``(batch, height, width, channels)`` with a Gaussian of ``sigma`` pixels."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    line = tf.constant(weights / weights.sum(), images.dtype)[:, None, None, None]
    line = tf.tile(line, (1, 1, images.shape[-1], 1))
    for kernel in (line, tf.transpose(line, (1, 0, 2, 3))):
        images = tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "SAME")
    return images


def _resized(images: tf.Tensor, size: Sequence[int], antialias: bool = False) -> tf.Tensor:
    # TensorFlow returns float32 whatever it is given
    return tf.cast(tf.image.resize(images, size, antialias=antialias), images.dtype)


def smoothed(gradient: tf.Tensor, sigmas: Sequence[float]) -> tf.Tensor:
    """Average a gradient over blurs of itself, each scaled to a standard deviation of 1."""
    blurs = [blur(gradient, sigma) for sigma in sigmas]
    return sum(b / (tf.math.reduce_std(b) + 1e-12) for b in blurs) / len(blurs)


def _score(goal: str, output: tf.Tensor, channel: tf.Tensor, guide: tf.Tensor) -> tf.Tensor:
    """Return what is to grow, summed over the cells of an output ``(1, ..., units)``."""
    if goal == "layer":
        return tf.reduce_sum(output**2)
    if goal == "channel":
        return tf.reduce_sum(tf.gather(output, channel, axis=-1))
    cells = tf.reshape(output, (-1, guide.shape[-1]))
    return tf.reduce_sum(tf.reduce_max(tf.matmul(cells, guide, transpose_b=True), 1))


def _in_tiles(gradient, image: tf.Tensor, tile: int, counts: tf.Tensor) -> tf.Tensor:
    """Return the gradient of an image, one of ``counts`` (rows, columns) tiles after the other."""
    size = tf.shape(image)[1:3]

    def body(number, found):
        place = tf.stack([number // counts[1], number % counts[1]])
        start, end = place * size // counts, (place + 1) * size // counts
        part = gradient(image[:, start[0] : end[0], start[1] : end[1]])
        around = tf.pad(tf.stack([start, size - end], 1), [[1, 1], [0, 0]])
        return number + 1, found + tf.ensure_shape(tf.pad(part, around), found.shape)

    total = tf.reduce_prod(counts)
    _, found = tf.while_loop(
        lambda number, _: number < total,
        body,
        (0, tf.zeros_like(image)),
        shape_invariants=(tf.TensorShape(()), image.shape),
        parallel_iterations=1,  # for the sake of memory
    )
    return found


@graph.cached
def _compiled(
    model: keras.Model, layer: str, goal: str, sigmas: tuple[float, ...], tile: int | None
):
    """Return the steps at one image size as one compiled function, for images of any size."""
    kind = graph.dtype(model)
    pixels = tf.TensorSpec((1, None, None, graph.image_shape(model)[-1]), kind)
    guides = tf.TensorSpec((None, graph.shape(model, layer)[-1]), kind)
    scalar, whole = tf.TensorSpec((), kind), tf.TensorSpec((), tf.int32)
    pair = tf.TensorSpec((2,), tf.int32)
    signature = [pixels, whole, scalar, whole, pair, scalar, scalar, whole, guides]

    @tf.function(input_signature=signature, autograph=False)
    def octave(image, steps, step, jitter, seed, low, high, channel, guide):
        substitute = graph.folded(model, [layer], single_image=True)
        size = tf.shape(image)[1:3]
        counts = tf.ones_like(size) if tile is None else -(-size // tile)
        is_tiled = tf.reduce_prod(counts) > 1
        reach = tf.where(is_tiled, size // 2, tf.minimum(jitter, size // 2))

        def gradient(image):
            with tf.GradientTape() as tape:
                tape.watch(image)
                (output,) = graph.outputs(model, image, [layer], substitute)
                # of a network of mixed types, layers put out another than images are of
                score = _score(goal, tf.cast(output, kind), channel, guide)
            return tape.gradient(score, image)

        def climb(number, image):
            random = tf.random.stateless_uniform((2,), seed + (number, 0), -1.0, 1.0)
            shift = tf.cast(tf.round(random * tf.cast(reach, tf.float32)), tf.int32)
            shifted = tf.roll(image, shift, (1, 2))
            if tile is None:
                found = gradient(shifted)
            else:
                found = _in_tiles(gradient, shifted, tile, counts)
            change = smoothed(tf.roll(found, -shift, (1, 2)), sigmas)
            return number + 1, tf.clip_by_value(image + step * change, low, high)

        _, image = tf.while_loop(
            lambda number, _: number < steps,
            climb,
            (0, image),
            shape_invariants=(tf.TensorShape(()), pixels.shape),
        )
        return image

    return octave.get_concrete_function()


def deep_dream(
    model: keras.Model,
    image: np.ndarray,
    layer: str,
    channel: int | None = None,
    *,
    seed: int,
    guide: np.ndarray | None = None,
    value_range: tuple[float, float] = (0.0, 255.0),
    octaves: int = 4,
    steps: int = 20,
    scale: float = 1.4,
    jitter: int = 24,
    step: float = 0.01,
    blurs: Sequence[float] = BLURS,
    tile: int | None = None,
) -> np.ndarray:
    """Dream on an image ``(height, width, channels)`` of any size the layer allows.

    Args:
        layer: the layer whose mean square grows.
        channel: this channel of it grows instead.
        guide: an image; each place then grows towards that place of the guide which it resembles
            most, by the product of their vectors in the layer.
        octaves: sizes passed through, each ``scale`` times the one before; the last is the
            image's own.
        steps: gradient steps at each size.
        jitter: the largest shift before a step, in pixels; between tiles, half the image.
        step: length of a step, as a share of the value range.
        blurs: standard deviations in pixels of the blurs that the gradient is averaged over.
        tile: the longest side, in pixels, of what goes through the network at once; None for all.
            Memory then does not grow with the image. Random shifts leave no seams.

    Returns:
        ``(octaves + 1, height, width, channels)``: the image, then the image with all that has
        been added by the end of each octave; the last is the dream.

    Raises:
        UserError: if the layer or the channel does not exist, or nothing is left of the layer at
            the smallest size or of a tile.
    """
    image = np.asarray(image)
    value_range = check_value_range(value_range)
    blurs = tuple(np.ravel(blurs).tolist())
    check_whole(1, octaves=octaves, steps=steps, tile=1 if tile is None else tile)
    check_whole(0, seed=seed, jitter=jitter)
    check_number(1, scale=scale)
    check_number(0, step=step)
    if not blurs:
        raise UserError("blurs: none; at least one is expected")
    for sigma in blurs:
        check_number(LEAST_SIGMA, blur=sigma)
    if channel is not None and guide is not None:
        raise UserError("channel and guide: give one of them")
    graph.check_units(model, layer, 0 if channel is None else channel)
    if np.ndim(channel):
        raise UserError(f"channel {channel}: one unit is expected")
    units = graph.shape(model, layer)[-1]
    goal, vectors = ("layer" if channel is None else "channel"), np.zeros((0, units))
    if guide is not None:
        goal = "guide"
        vectors = layer_outputs(model, np.asarray(guide)[None], [layer])[layer].reshape(-1, units)
    run = _compiled(model, layer, goal, tuple(blurs), tile)
    low, high = value_range
    original = tf.constant(graph.as_batch(model, image[None]))
    size = np.array(image.shape[:2])
    smaller = [
        np.maximum(np.rint(size / scale ** (octaves - 1 - octave)), 1).astype(np.int32)
        for octave in range(octaves)
    ]
    if not graph.takes_any_size(model, layer):
        graph.check_size(model, layer, tuple(map(int, smaller[0])))
    if graph.shape_at(model, layer, tuple(map(int, smaller[0]))) is None:
        raise UserError(
            f"octaves: at {smaller[0][0]} x {smaller[0][1]} pixels, the smallest of {octaves} "
            f"sizes, nothing is left of layer {layer}; take fewer octaves or a smaller scale"
        )
    if tile is not None:
        _check_tiles(model, layer, tile, smaller)
    detail = tf.zeros_like(original)
    frames = [original]
    for octave, own_size in enumerate(smaller):
        base = _resized(original, own_size, antialias=True)
        start = base + _resized(detail, own_size)
        end = run(
            start,
            steps,
            step * (high - low),
            jitter,
            (seed % 2**31, octave),
            low,
            high,
            channel or 0,
            vectors.astype(original.dtype.as_numpy_dtype),
        )
        detail = end - base
        frames.append(tf.clip_by_value(original + _resized(detail, size), low, high))
    return np.concatenate(frames)


def _check_tiles(model: keras.Model, layer: str, tile: int, sizes: Sequence[np.ndarray]) -> None:
    """Check that a layer can be computed of each tile of images of these sizes."""
    for size in sizes:
        height, width = map(int, size // -(-size // tile))
        if not graph.takes_any_size(model, layer):
            graph.check_size(model, layer, (height, width))
        if graph.shape_at(model, layer, (height, width)) is None:
            raise UserError(
                f"tile {tile}: of a tile of {height} x {width} pixels nothing is left of layer "
                f"{layer}; take larger tiles"
            )


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
    guide_label: str | None = None,
    guide_index: int = 0,
    tile: int | None = None,
) -> Projection:
    """Dream on one of the data set's large images, or of its test images; see `deep_dream`.

    Args:
        label: the class of the image.
        index: which of the images of that class.
        guide_label, guide_index: the same of the guide, if there is to be one.

    Raises:
        UserError: if there is no such image, layer or channel.
    """
    number, image = _start(dataset, label, index)
    guide = None
    if guide_label is not None:
        _, guide = _start(dataset, guide_label, guide_index)
    frames = deep_dream(
        model,
        image,
        layer,
        channel,
        seed=seed,
        guide=guide,
        value_range=dataset.value_range,
        octaves=octaves,
        steps=steps,
        scale=scale,
        jitter=jitter,
        step=step,
        blurs=blurs,
        tile=tile,
    )
    seen = frames[[0, -1]]
    if not graph.takes_any_size(model, graph.LOGITS):
        seen = _resized(tf.constant(seen), graph.sized_image_shape(model)[:2], antialias=True)
    ends = layer_outputs(model, seen, [graph.LOGITS, model.layers[-1].name])
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
        "objective": _objective(channel, guide_label),
        "octaves": octaves,
        "steps": steps,
        "image": {"split": _split(dataset), "index": number, "label": label},
        "notes": [f"layer {layer}: {UNCHANGED}"] if np.array_equal(frames[0], frames[-1]) else [],
    }
    return Projection(arrays, about)


def _objective(channel: int | None, guide_label: str | None) -> str:
    if guide_label is not None:
        return f"likeness to an image of class {guide_label}"
    return "mean square of the layer" if channel is None else f"mean of unit {channel}"


def _split(dataset: StoredDataset) -> str:
    """Return the split that dreams start from."""
    return "large" if "large" in dataset else "test"


def _start(dataset: StoredDataset, label: str, index: int) -> tuple[int, np.ndarray]:
    """Return the number and the pixels of the ``index``-th image of a class."""
    if label not in dataset.class_names:
        raise UserError(f"label {label}: the classes are {', '.join(dataset.class_names)}")
    split = dataset[_split(dataset)]
    numbers = np.flatnonzero(split.labels == dataset.class_names.index(label))
    if index >= len(numbers):
        raise UserError(
            f"index {index}: class {label} has {len(numbers)} images in split {_split(dataset)}"
        )
    return int(numbers[index]), split.images[numbers[index]].astype(np.float32)
