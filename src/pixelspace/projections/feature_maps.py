"""Feature maps: what layers make of an image, in one forward pass."""

import functools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph


@functools.lru_cache(maxsize=32)
def _compiled(model: keras.Model, layers: tuple[str, ...], image_shape: tuple[int, ...]):
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))

    @tf.function(input_signature=[pixels])
    def run(images):
        return graph.outputs(model, images, layers)

    return run.get_concrete_function()


def layer_outputs(
    model: keras.Model, images: np.ndarray, layers: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the outputs of some layers for images ``(n, height, width, channels)``.

    Raises:
        UserError: if the model has no such layer.
    """
    images = graph.as_batch(model, images)
    run = _compiled(model, tuple(layers), images.shape[1:])
    return {layer: output.numpy() for layer, output in zip(layers, run(images), strict=True)}


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layers: Sequence[str],
    units_per_layer: int = 8,
    image: int = 0,
) -> Projection:
    """Show some feature maps of each layer, chosen at random, for one test image.

    A layer without a map shows its units as a map of one cell.

    Raises:
        UserError: if the network has no such layer, or the test split no such image.
    """
    test = dataset["test"]
    if image >= len(test):
        raise UserError(f"image {image}: the test images are numbered 0 to {len(test) - 1}")
    pixels = test.images[image].astype(np.float32)
    outputs = layer_outputs(model, pixels[None], [*layers, graph.LOGITS])
    arrays = {"input": pixels}
    shown = []
    notes = []
    for number, layer in enumerate(layers):
        units = graph.choose(model, layer, units_per_layer, seed)
        output = outputs[layer][0]
        maps = output.reshape(output.shape if output.ndim == 3 else (1, 1, -1))[..., units]
        arrays[f"maps_{number}"] = maps.astype(np.float32)
        shown.append({"name": layer, "units": units.tolist()})
        silent = units[~maps.any((0, 1))]
        if silent.size:
            notes.append(f"layer {layer}: zero everywhere for this image: {listed(silent)}")
    names = dataset.class_names
    about = {
        "kind": "feature_maps",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layers": shown,
        "image": {
            "split": "test",
            "index": image,
            "label": names[test.labels[image]],
            "predicted": names[outputs[graph.LOGITS][0].argmax()],
        },
        "notes": notes,
    }
    return Projection(arrays, about)


def listed(units: np.ndarray) -> str:
    """Return unit numbers as words: ``unit 3`` or ``units 3, 5``."""
    return f"unit{'s' if len(units) > 1 else ''} {', '.join(map(str, units))}"
