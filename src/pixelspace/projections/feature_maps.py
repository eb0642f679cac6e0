"""Feature maps: what layers make of an image, in one forward pass."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph
from pixelspace.projections.selection import choose_images, choose_units, listed

BATCH = 256


@graph.cached
def _compiled(model: keras.Model, layers: tuple[str, ...], image_shape: tuple[int, ...]):
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))

    @tf.function(input_signature=[pixels], autograph=False)
    def run(images):
        return graph.outputs(model, images, layers)

    return run.get_concrete_function()


def layer_outputs(
    model: keras.Model, images: np.ndarray, layers: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the outputs of some layers for images ``(n, height, width, channels)``.

    Raises:
        UserError: if the model has no such layer, or it cannot see images of this size.
    """
    images = graph.as_batch(model, images)
    for layer in layers:
        graph.check_size(model, layer, images.shape[1:3])
    run = _compiled(model, tuple(layers), images.shape[1:])
    parts = [run(images[first : first + BATCH]) for first in range(0, len(images), BATCH)]
    return {
        layer: np.concatenate(found)
        for layer, found in zip(layers, zip(*parts, strict=True), strict=True)
    }


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
    _, (pixels,) = choose_images(test, [image], seed)
    outputs = layer_outputs(model, pixels[None], [*layers, graph.LOGITS])
    arrays = {"input": pixels}
    shown = []
    notes = []
    for number, layer in enumerate(layers):
        units = choose_units(model, layer, units_per_layer, seed)
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
