"""Class maps: which places of a layer's map speak for a class.

The channels of a late layer, weighed by how the class depends on them and added up; only what
speaks for the class is shown.
"""

import keras
import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.backward import Position, Units, for_each, picked

BATCH = 64


@graph.cached
def _compiled(model: keras.Model, layer: str, output: str, image_shape: tuple[int, ...]):
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))
    numbers, pairs = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, 2), tf.int32)

    @tf.function(input_signature=[pixels, numbers, pairs], autograph=False)
    def run(images, units, positions):
        with tf.GradientTape() as tape:
            tape.watch(images)
            maps, scores = graph.outputs(model, images, [layer, output])
            chosen = picked(scores, units, positions) * scores
        return maps, tape.gradient(chosen, maps)

    return run.get_concrete_function()


def maps_before(model: keras.Model, output: str) -> list[str]:
    """Return the layers before ``output`` whose own is a map of more than one cell, in order."""
    earlier = graph.before(model, output)
    maps = [n for n, s in graph.shapes(model).items() if len(s) == 3 and s[:2] != (1, 1)]
    return [name for name in maps if name in earlier]


def _class_map(model, images, unit, position, layer, output, weigh) -> np.ndarray:
    images = graph.as_batch(model, images)
    graph.check_size(model, output, images.shape[1:3])
    units, positions = for_each(model, output, unit, position, len(images))
    maps = maps_before(model, output)
    if not maps:
        raise UserError(f"layer {output}: no layer before it has a map; class maps need one")
    if layer is not None:
        graph.shape(model, layer)
    if layer not in (None, *maps):
        raise UserError(f"layer {layer}: it has no map, or does not come before {output}")
    run = _compiled(model, layer or maps[-1], output, images.shape[1:])
    found = []
    for first in range(0, len(images), BATCH):
        part = slice(first, first + BATCH)
        maps, gradient = (
            tensor.numpy() for tensor in run(images[part], units[part], positions[part])
        )
        weights = weigh(maps, gradient)
        small = np.maximum((weights * maps).sum(-1, keepdims=True), 0)
        found.append(tf.image.resize(small, images.shape[1:3]).numpy()[..., 0])
    return np.concatenate(found)


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    unit: Units,
    position: Position | None = None,
    *,
    layer: str | None = None,
    output: str = graph.LOGITS,
) -> np.ndarray:
    """Return Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) ``(n, height, width)``.

    A channel weighs as much as the mean of the class's gradient over its map.

    Args:
        unit, position: the class, for all images or for each; see `backward.backward_pass`.
        layer: the layer of the map, which is enlarged to the image; None for the last one.
        output: the layer of the class.

    Raises:
        UserError: if a layer or the class does not exist, or the layer has no map.
    """
    return _class_map(model, images, unit, position, layer, output, _mean_weights)


def grad_cam_plus_plus(
    model: keras.Model,
    images: np.ndarray,
    unit: Units,
    position: Position | None = None,
    *,
    layer: str | None = None,
    output: str = graph.LOGITS,
) -> np.ndarray:
    """Return Grad-CAM++ (Chattopadhay et al. 2018, arXiv:1710.11063); see `grad_cam`.

    A channel weighs as much as the sum of the class's positive gradients, each cell counting so
    that several places of one class all show, small ones too.
    """
    return _class_map(model, images, unit, position, layer, output, _cell_weights)


def _mean_weights(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    return gradient.mean((1, 2), keepdims=True)


def _cell_weights(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Weigh channels for the score ``exp(logit)``, whose derivatives are powers of ``gradient``."""
    below = 2 * gradient**2 + maps.sum((1, 2), keepdims=True) * gradient**3
    shares = np.divide(gradient**2, below, out=np.zeros_like(below), where=below != 0)
    return (shares * np.maximum(gradient, 0)).sum((1, 2), keepdims=True)
