"""Occlusion: what a unit loses when a window of the image is covered.

After Zeiler and Fergus (2014, arXiv:1311.2901).
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.backward import Position, Units, for_each, picked
from pixelspace.projections.checks import broadcast, check_pair

BATCH = 64


@graph.cached
def _compiled(model: keras.Model, layer: str, image_shape: tuple[int, ...]):
    kind = graph.dtype(model)
    image_spec, boxes_spec = tf.TensorSpec(image_shape, kind), tf.TensorSpec((None, 4), tf.int32)

    one, pair = tf.TensorSpec((), tf.int32), tf.TensorSpec((2,), tf.int32)
    signature = [image_spec, boxes_spec, one, pair, tf.TensorSpec(image_shape[-1:], kind)]

    @tf.function(input_signature=signature, autograph=False)
    def run(image, boxes, unit, position, fill):
        """Return the unit ``(n,)`` for the image with each box in turn filled."""
        rows, columns = tf.range(image_shape[0]), tf.range(image_shape[1])
        tall = (rows >= boxes[:, :1]) & (rows < boxes[:, 2:3])
        wide = (columns >= boxes[:, 1:2]) & (columns < boxes[:, 3:])
        covered = (tall[:, :, None] & wide[:, None, :])[..., None]
        (output,) = graph.outputs(model, tf.where(covered, fill, image), [layer])
        chosen = picked(output, unit[None], position[None])
        return tf.reduce_sum(chosen * output, range(1, output.shape.rank))

    return run.get_concrete_function()


def windows(image: tuple[int, int], window: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """Return the boxes ``(n, 4)`` top, left, bottom, right that cover an image in steps.

    The last one of a row or column is cut off at the border.
    """
    starts = (
        [step * i for i in range(math.ceil(max(length - size, 0) / step) + 1)]
        for length, size, step in zip(image, window, stride, strict=True)
    )
    tops, lefts = (axis.ravel() for axis in np.meshgrid(*starts, indexing="ij"))
    bottoms = np.minimum(tops + window[0], image[0])
    rights = np.minimum(lefts + window[1], image[1])
    return np.stack([tops, lefts, bottoms, rights], 1).astype(np.int32)


def occlusion_map(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None = None,
    *,
    window: tuple[int, int],
    stride: tuple[int, int],
    fill: float | Sequence[float] = 0.0,
) -> np.ndarray:
    """Return for each pixel what a unit loses, on the mean over the windows that cover it.

    Args:
        unit, position: for all images or for each; see `backward.backward_pass`.
        window: rows and columns that are covered at once, in all channels.
        stride: rows and columns from one window to the next.
        fill: the value that covers, of all channels or of each.

    Returns:
        ``(n, height, width)``.

    Raises:
        UserError: if the layer, the unit or the position does not exist, there is no window, or
            nothing to fill it with.
    """
    images = graph.as_batch(model, images)
    graph.check_size(model, layer, images.shape[1:3])
    check_pair(1, window=window, stride=stride)
    colour = broadcast("fill", fill, images.shape[-1:], images.dtype)
    if not np.isfinite(colour).all():
        raise UserError(f"fill {fill}: finite numbers are expected")
    units, positions = for_each(model, layer, unit, position, len(images))
    run = _compiled(model, layer, images.shape[1:])
    boxes = windows(images.shape[1:3], window, stride)
    nothing = np.zeros((1, 4), np.int32)
    maps = []
    for image, *own in zip(images, units, positions, strict=True):
        whole = run(image, nothing, *own, colour).numpy()
        parts = (boxes[i : i + BATCH] for i in range(0, len(boxes), BATCH))
        losses = np.concatenate([whole - run(image, part, *own, colour) for part in parts])
        maps.append(_mean_over_boxes(losses, boxes, image.shape[:2]))
    return np.stack(maps)


def _mean_over_boxes(values: np.ndarray, boxes: np.ndarray, image: tuple[int, int]) -> np.ndarray:
    """Return for each pixel the mean value of the boxes that it is in; 0 where it is in none."""
    sums, counts = np.zeros(image), np.zeros(image)
    for value, (top, left, bottom, right) in zip(values, boxes, strict=True):
        sums[top:bottom, left:right] += value
        counts[top:bottom, left:right] += 1
    return sums / np.maximum(counts, 1)
