"""Networks described as plain data: layer names, shapes and receptive fields without TensorFlow.

A network's module (`perceptron`, `cnn`, `efficientnet`) has one function ``layers`` that returns
such a description; `pixelspace.networks.build` turns it into a Keras model whose layers bear the
same names. Convolutions pad with zeros so that a stride of 1 keeps the size, as Keras does for
``padding="same"``, or not at all (``"valid"``); max-pooling does not pad.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pixelspace.errors import UserError

Layers = Sequence["Layer"]

WINDOWED = ("conv", "depthwise", "maxpool")
WHOLE_IMAGE = ("average_pool", "flatten", "dense")


@dataclass(frozen=True)
class Layer:
    """One layer. ``inputs`` names the layers that feed it; fields that do not apply stay None.

    Kinds: input, rescaling, conv, depthwise, dense, batchnorm, relu, relu6, maxpool,
    average_pool (over the whole map), flatten, dropout, add, identity, sigmoid, softmax.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None  # of an input layer
    units: int | None = None  # filters of a convolution, nodes of a dense layer
    kernel: int = 1
    stride: int = 1
    padding: str = "same"  # of a convolution; or "valid"
    bias: bool = True
    rate: float = 0.0  # of a dropout layer
    scale: float = 1.0  # of a rescaling layer: x * scale + offset
    offset: float = 0.0


@dataclass(frozen=True)
class ReceptiveField:
    """The input pixels that the cells of a layer see, each as (rows, columns).

    Cell ``(i, j)`` sees ``size`` pixels from ``start + (i, j) * stride`` on; those outside the
    image are padding. Where every cell sees the whole image, ``stride`` is 0.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    start: tuple[int, int]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return the top, left, height and width of what the cell ``(row, column)`` sees."""
        top = self.start[0] + row * self.stride[0]
        left = self.start[1] + column * self.stride[1]
        return top, left, *self.size


def chain(layers: Layers) -> tuple[Layer, ...]:
    """Feed each layer that names no inputs with the one before it."""
    first, *others = layers
    before = [first, *others]
    return first, *(
        layer if layer.inputs else replace(layer, inputs=(previous.name,))
        for previous, layer in zip(before, others, strict=False)
    )


def layer_names(layers: Layers) -> tuple[str, ...]:
    """Return the names of the layers, from the input on."""
    return tuple(layer.name for layer in layers)


def output_shapes(layers: Layers) -> dict[str, tuple[int, ...]]:
    """Return the shape of each layer's output, without the batch axis.

    Raises:
        UserError: if an image has become too small for a window.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers:
        shapes[layer.name] = _output_shape(layer, [shapes[name] for name in layer.inputs])
    return shapes


def _output_shape(layer: Layer, inputs: list[tuple[int, ...]]) -> tuple[int, ...]:
    match layer.kind:
        case "input":
            return layer.shape
        case "conv":
            return *_windows(layer, inputs[0]), layer.units
        case "depthwise" | "maxpool":
            return *_windows(layer, inputs[0]), inputs[0][2]
        case "average_pool":
            return inputs[0][-1:]
        case "flatten":
            return (math.prod(inputs[0]),)
        case "dense":
            return (layer.units,)
        case _:
            return inputs[0]


def _windows(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many windows of a layer fit below one another and side by side."""
    rows, columns = shape[:2]
    if not _unpadded(layer):
        return tuple(math.ceil(n / layer.stride) for n in (rows, columns))
    if min(rows, columns) < layer.kernel:
        raise UserError(
            f"layer {layer.name}: its input of {rows} x {columns} is smaller than its window of "
            f"{layer.kernel} x {layer.kernel}; use larger images or fewer layers"
        )
    return tuple((n - layer.kernel) // layer.stride + 1 for n in (rows, columns))


def _unpadded(layer: Layer) -> bool:
    return layer.kind == "maxpool" or layer.padding == "valid"


def unit_count(layers: Layers, name: str) -> int:
    """Return how many units, or channels, the layer ``name`` has."""
    return output_shapes(layers)[name][-1]


def receptive_field(layers: Layers, name: str) -> ReceptiveField:
    """Return which input pixels the cells of the layer ``name`` see, over all paths to them.

    After a flattening, a dense layer or a global pooling, that is the whole image.
    """
    shapes = output_shapes(layers)
    fields: dict[str, ReceptiveField] = {}
    for layer in layers:
        if layer.kind == "input":
            image = layer.shape[:2]
            fields[layer.name] = ReceptiveField(size=(1, 1), stride=(1, 1), start=(0, 0))
        elif layer.kind in WHOLE_IMAGE:
            fields[layer.name] = ReceptiveField(size=image, stride=(0, 0), start=(0, 0))
        elif layer.kind in WINDOWED:
            before = padding(layer, shapes[layer.inputs[0]])
            fields[layer.name] = _through_window(fields[layer.inputs[0]], layer, before)
        else:
            fields[layer.name] = _union([fields[source] for source in layer.inputs])
    return fields[name]


def padding(layer: Layer, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows and columns a window pads before an input of ``shape``.

    With ``same`` padding and a stride this depends on the input's size; of an odd total the
    smaller half comes before.
    """
    if _unpadded(layer):
        return 0, 0
    rows, columns = (
        max((math.ceil(n / layer.stride) - 1) * layer.stride + layer.kernel - n, 0) // 2
        for n in shape[:2]
    )
    return rows, columns


def _through_window(field: ReceptiveField, layer: Layer, before: tuple[int, int]) -> ReceptiveField:
    axes = zip(field.size, field.stride, field.start, before, strict=True)
    grown = [
        (size + (layer.kernel - 1) * stride, stride * layer.stride, start - pad * stride)
        for size, stride, start, pad in axes
    ]
    return ReceptiveField(*zip(*grown, strict=True))


def _union(fields: list[ReceptiveField]) -> ReceptiveField:
    """Join what several paths see; they end in one map, so their strides agree."""
    starts = [min(f.start[axis] for f in fields) for axis in (0, 1)]
    ends = [max(f.start[axis] + f.size[axis] for f in fields) for axis in (0, 1)]
    size = (ends[0] - starts[0], ends[1] - starts[1])
    return ReceptiveField(size, fields[0].stride, tuple(starts))


def parameter_counts(layers: Layers) -> dict[str, int]:
    """Return how many numbers each layer that has any stores, moving averages included."""
    shapes = output_shapes(layers)
    counts = {}
    for layer in layers:
        if layer.kind == "batchnorm":
            counts[layer.name] = 4 * shapes[layer.name][-1]
        elif layer.kind in ("conv", "depthwise", "dense"):
            biases = shapes[layer.name][-1] if layer.bias else 0
            counts[layer.name] = _weight_count(layer, shapes) + biases
    return counts


def multiply_adds(layers: Layers) -> dict[str, int]:
    """Return the multiplications with a weight that each layer makes for one image."""
    shapes = output_shapes(layers)
    return {
        layer.name: math.prod(shapes[layer.name][:-1]) * _weight_count(layer, shapes)
        for layer in layers
        if layer.kind in ("conv", "depthwise", "dense")
    }


def _weight_count(layer: Layer, shapes: dict[str, tuple[int, ...]]) -> int:
    channels = shapes[layer.inputs[0]][-1]
    return layer.kernel**2 * channels * (1 if layer.kind == "depthwise" else layer.units)
