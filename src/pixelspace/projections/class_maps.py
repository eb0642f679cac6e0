"""Class maps: which places of a layer's map speak for a class.

The channels of a late layer, weighed by how the class depends on them and added up; only what
speaks for the class is shown.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.backward import Units

BATCH = 64


@functools.lru_cache(maxsize=32)
def _compiled(model: keras.Model, layer: str, output: str, image_shape: tuple[int, ...]):
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))

    @tf.function(input_signature=[pixels, tf.TensorSpec((None,), tf.int32)], autograph=False)
    def run(images, units):
        with tf.GradientTape() as tape:
            tape.watch(images)
            maps, scores = graph.outputs(model, images, [layer, output])
            chosen = tf.gather(scores, units, axis=1, batch_dims=1)
        return maps, tape.gradient(chosen, maps)

    return run.get_concrete_function()


def maps_of(model: keras.Model) -> list[str]:
    """Return the layers whose output is a map of more than one cell, the image left out."""
    maps = [n for n, s in graph.shapes(model).items() if len(s) == 3 and s[:2] != (1, 1)]
    return [name for name in maps if name != graph.LOGITS]


def last_map(model: keras.Model) -> str:
    """Return the last of the layers whose output is a map.

    Raises:
        UserError: if there is none.
    """
    maps = maps_of(model)
    if not maps:
        raise UserError(f"model {model.name}: no layer has a map; class maps need a convolution")
    return maps[-1]


def _class_map(model, images, unit, layer, output, weigh) -> np.ndarray:
    images = graph.as_batch(model, images)
    layer = layer or last_map(model)
    if len(graph.shape(model, layer)) != 3:
        raise UserError(f"layer {layer}: its output is no map; class maps need one")
    graph.check_units(model, output, unit)
    units = np.broadcast_to(np.asarray(unit, np.int32), len(images))
    run = _compiled(model, layer, output, images.shape[1:])
    found = []
    for first in range(0, len(images), BATCH):
        part = slice(first, first + BATCH)
        maps, gradient = (tensor.numpy() for tensor in run(images[part], units[part]))
        weights = weigh(maps, gradient)
        small = np.maximum((weights * maps).sum(-1, keepdims=True), 0)
        found.append(tf.image.resize(small, images.shape[1:3]).numpy()[..., 0])
    return np.concatenate(found)


def grad_cam(
    model: keras.Model,
    images: np.ndarray,
    unit: Units,
    *,
    layer: str | None = None,
    output: str = graph.LOGITS,
) -> np.ndarray:
    """Return Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) ``(n, height, width)``.

    A channel weighs as much as the mean of the class's gradient over its map.

    Args:
        unit: the class, for all images or for each.
        layer: the layer of the map, which is enlarged to the image; None for the last one.
        output: the layer of the class.

    Raises:
        UserError: if a layer or the class does not exist, or the layer has no map.
    """
    return _class_map(model, images, unit, layer, output, _mean_weights)


def grad_cam_plus_plus(
    model: keras.Model,
    images: np.ndarray,
    unit: Units,
    *,
    layer: str | None = None,
    output: str = graph.LOGITS,
) -> np.ndarray:
    """Return Grad-CAM++ (Chattopadhay et al. 2018, arXiv:1710.11063); see `grad_cam`.

    A channel weighs as much as the sum of the class's positive gradients, each cell counting so
    that several places of one class all show, small ones too.
    """
    return _class_map(model, images, unit, layer, output, _cell_weights)


def _mean_weights(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    return gradient.mean((1, 2), keepdims=True)


def _cell_weights(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Weigh channels for the score ``exp(logit)``, whose derivatives are powers of ``gradient``."""
    below = 2 * gradient**2 + maps.sum((1, 2), keepdims=True) * gradient**3
    shares = np.divide(gradient**2, below, out=np.zeros_like(below), where=below != 0)
    return (shares * np.maximum(gradient, 0)).sum((1, 2), keepdims=True)
