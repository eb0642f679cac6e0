"""Weight projection: what a unit is tuned to, read off the weights alone.

The kernels of a first layer are images already. A deeper unit is projected through the chain of
linear maps between it and the pixels, by its *expected response*: each rectifier is taken to be
open for half of what reaches it, and each cell of a max-pooling window to win equally often, both
whatever the image. Then the expected derivative of the unit by the pixels is the product of the
transposed linear maps, with a factor of one half for each rectifier and averaging in place of
max-pooling. Batch normalization is the linear map that it is after training. What a unit does to
a particular image is not in such a picture; `deconvolutions` shows that.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset, StoredSplit
from pixelspace.errors import UserError
from pixelspace.projections import feature_maps, graph
from pixelspace.projections.checks import check_pair
from pixelspace.projections.receptive_fields import receptive_field, shown_box
from pixelspace.projections.selection import choose_units, listed

OPEN_SHARE = 0.5
BATCH = 64

_SQUASHING = (
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.Softmax,
)
_REARRANGING = (
    keras.layers.Flatten,
    keras.layers.Rescaling,
    keras.layers.Reshape,
)


def _halved(x):
    return OPEN_SHARE * x


def linear_map(operation: keras.Operation):
    """Return the linear map that stands for an operation in the expected response."""
    if isinstance(operation, keras.layers.MaxPooling2D):
        return lambda x: keras.ops.average_pool(
            x, operation.pool_size, operation.strides, operation.padding
        )
    if isinstance(operation, keras.layers.GlobalMaxPooling2D):
        return lambda x: keras.ops.mean(x, (1, 2), keepdims=operation.keepdims)
    if isinstance(operation, keras.layers.Rescaling):
        return lambda x: x  # so that kernels and projections have one scale
    rectifies = graph.rectifier_ceiling(operation) is not None
    if getattr(operation, "activation", None) is not None:
        return graph.with_activation(operation, _halved if rectifies else keras.activations.linear)
    if rectifies:
        return _halved
    return (lambda x: x) if isinstance(operation, _SQUASHING) else None


@graph.cached
def _compiled(model: keras.Model, layer: str, image_shape: tuple[int, ...]):
    units_spec = tf.TensorSpec((None,), tf.int32)

    @tf.function(input_signature=[units_spec, tf.TensorSpec((2,), tf.int32)], autograph=False)
    def run(units, cell):
        dark = tf.zeros((tf.size(units), *image_shape), graph.dtype(model))
        with tf.GradientTape() as tape:
            tape.watch(dark)
            (output,) = graph.outputs(model, dark, [layer], linear_map)
            chosen = output if output.shape.rank == 2 else output[:, cell[0], cell[1]]
            sums = tf.reduce_sum(tf.gather(chosen, units, axis=1, batch_dims=1))
        return tape.gradient(sums, dark)

    return run.get_concrete_function()


def expected_response(
    model: keras.Model, layer: str, units: Sequence[int], cell: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Return the expected derivative of units by each pixel, after the network's own rescaling.

    Args:
        cell: row and column in the layer's map, if it has one.

    Returns:
        ``(units, height, width, channels)``, signed, over the whole image.

    Raises:
        UserError: if the layer, a unit or the cell does not exist.
    """
    units = np.atleast_1d(units)
    graph.check_units(model, layer, units)
    check_pair(0, cell=cell)
    shape = graph.shape(model, layer)
    if len(shape) == 3 and not all(0 <= place < n for place, n in zip(cell, shape, strict=False)):
        raise UserError(f"layer {layer}: its map has {shape[0]} x {shape[1]} cells")
    run = _compiled(model, layer, graph.sized_image_shape(model))
    units = units.astype(np.int32)
    parts = range(0, len(units), BATCH)
    return np.concatenate([run(units[i : i + BATCH], np.int32(cell)) for i in parts])


def kernels(model: keras.Model, layer: str) -> np.ndarray | None:
    """Return all kernels ``(units, height, width, channels)`` of a layer that reads the pixels.

    None if the layer is neither dense nor convolutional, or if more than a rescaling and a
    rearrangement lies between it and the pixels.
    """
    operation = graph.operations(model).get(layer)
    plain = isinstance(operation, keras.layers.Conv2D) and (
        operation.groups == 1 and operation.dilation_rate == (1, 1)
    )
    if not plain and not isinstance(operation, keras.layers.Dense):
        return None
    before = [graph.operations(model)[name] for name in graph.before(model, layer)]
    if not all(isinstance(o, _REARRANGING) or graph.is_idle(o) for o in before):
        return None
    kernel = operation.kernel.numpy()
    if plain:
        return kernel.transpose(3, 0, 1, 2)
    on_map = len(graph.shape(model, layer)) == 3
    return kernel.T.reshape(-1, *((1, 1, len(kernel)) if on_map else graph.image_shape(model)))


def project_weights(model: keras.Model, layer: str, units: Sequence[int]) -> tuple[np.ndarray, str]:
    """Project units of any layer onto pixel space, by their weights alone.

    Returns:
        Signed images ``(units, height, width, channels)`` and how they were made: ``"direct"``,
        the kernels of a layer that reads the pixels; or ``"expected response"``, in the box of
        the middle cell's receptive field.

    Raises:
        UserError: if the layer or a unit does not exist.
    """
    units = np.atleast_1d(units)
    graph.check_units(model, layer, units)
    direct = kernels(model, layer)
    if direct is not None:
        return direct[units], "direct"
    image = graph.sized_image_shape(model)[:2]
    shape = graph.shape(model, layer)
    cell = tuple(length // 2 for length in shape[:2]) if len(shape) == 3 else (0, 0)
    top, left, height, width = shown_box(receptive_field(model, layer), *cell, image)
    rows, columns = slice(max(top, 0), top + height), slice(max(left, 0), left + width)
    return expected_response(model, layer, units, cell)[:, rows, columns], "expected response"


def activated(model: keras.Model, layer: str) -> str:
    """Return the rectifier that a layer feeds, over a batch normalization, or else the layer."""
    known = graph.operations(model)
    name = layer
    while graph.rectifier_ceiling(known[name]) is None:
        fed = graph.consumers(model, name)
        passes = name == layer or isinstance(known[name], keras.layers.BatchNormalization)
        if len(fed) != 1 or not passes:
            return layer
        (name,) = fed
    return name


def readout(model: keras.Model, layer: str) -> np.ndarray | None:
    """Return the weights ``(units, classes)`` by which a layer's units make up the logits.

    None if the network's last layer with weights does not read this layer.
    """
    known = graph.operations(model)
    for name in graph.consumers(model, layer):
        if isinstance(known[name], keras.layers.Dropout):
            return readout(model, name)
        if isinstance(known[name], keras.layers.Dense) and name == graph.logits_layer(model):
            return known[name].kernel.numpy()
    return None


def mean_activations(
    model: keras.Model, split: StoredSplit, layer: str, classes: int
) -> np.ndarray:
    """Return the mean of each unit of a layer over the images of each class, and over its map.

    Returns:
        ``(classes, units)``, float64.
    """
    sums = np.zeros((classes, graph.shape(model, layer)[-1]))
    for images, labels in split.batches(BATCH):
        output = feature_maps.layer_outputs(model, images, [layer])[layer]
        means = output.mean(tuple(range(1, output.ndim - 1)), dtype=np.float64)
        np.add.at(sums, labels, means)
    return sums / np.bincount(split.labels, minlength=classes)[:, None]


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 16,
) -> Projection:
    """Project units of a layer by their weights, with what they answer to each class.

    The activations are those behind the layer's rectifier, where it feeds one, over the test
    split.

    Args:
        units: their numbers, or how many to choose at random.
    """
    names = dataset.class_names
    units = choose_units(model, layer, units, seed)
    images, method = project_weights(model, layer, units)
    rectified = activated(model, layer)
    means = mean_activations(model, dataset["test"], rectified, len(names))[:, units]
    arrays = {"projections": images, "units": units, "mean_activations": means}
    read = readout(model, rectified)
    if read is not None:
        arrays["readout"] = read[units]
    known = graph.operations(model)
    bias = getattr(known[layer], "bias", None)
    is_rectified = graph.rectifier_ceiling(known[rectified]) is not None
    dead = units[is_rectified & ~means.any(0)]
    blank = units[~images.any((1, 2, 3))]
    notes = [f"{listed(dead)}: silent for every test image"] if dead.size else []
    notes += [f"{listed(blank)}: zero everywhere"] if blank.size else []
    about = {
        "kind": "weights",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "activations_from": rectified,
        "method": method,
        "units_total": graph.shape(model, layer)[-1],
        "biases": None if bias is None else bias.numpy()[units].tolist(),
        "notes": notes,
    }
    return Projection(arrays, about)
