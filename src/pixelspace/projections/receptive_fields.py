"""Which input pixels a cell of a layer sees, read off a Keras model.

Unlike `pixelspace.networks.layers.receptive_field`, which knows this project's networks without
TensorFlow, it knows rectangular kernels, dilation, both paddings and layers of any model.
"""

import math
from dataclasses import dataclass

import keras
import numpy as np

from pixelspace.errors import UserError
from pixelspace.networks.layers import ReceptiveField
from pixelspace.projections import graph
from pixelspace.projections.checks import check_pair

_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_CELL_BY_CELL = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dense,
    keras.layers.ELU,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.Normalization,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.Softmax,
    keras.layers.Subtract,
    keras.layers.UnitNormalization,
)
_ALONG_AN_AXIS = (
    keras.layers.Concatenate,
    keras.layers.LayerNormalization,
    keras.layers.Softmax,
    keras.layers.UnitNormalization,
)
"""Of these layers, those that work along the channels."""

_FUNCTIONS = frozenset(
    "Absolute Add Clip Divide Elu Exp Gelu HardSigmoid HardSilu LeakyRelu Maximum Minimum Multiply "
    "Negative Relu Relu6 Selu Sigmoid Silu Softplus Sqrt Square Subtract Tanh TrueDivide".split()
)
"""Layers and functions each of whose cells sees only the same cell of its inputs."""


@dataclass(frozen=True)
class _Axis:
    """What the cells of a map see along one axis: cell i sees start + i * stride and on."""

    length: int  # of the map
    size: int
    stride: int
    start: int

    def window(self, kernel: int, stride: int, dilation: int, same: bool) -> "_Axis":
        reach = (kernel - 1) * dilation + 1
        if same:
            length = math.ceil(self.length / stride)
            before = max((length - 1) * stride + reach - self.length, 0) // 2
        else:
            length = (self.length - reach) // stride + 1
            before = 0
        return _Axis(
            length,
            self.size + (reach - 1) * self.stride,
            self.stride * stride,
            self.start - before * self.stride,
        )

    def padded(self, before: int, after: int) -> "_Axis":
        """Return the axis with cells added, or for negative numbers taken away, at its ends."""
        length = self.length + before + after
        return _Axis(length, self.size, self.stride, self.start - before * self.stride)


def _whole(length: int) -> _Axis:
    return _Axis(length=1, size=length, stride=0, start=0)


def _union(axes: list[_Axis], image: int) -> _Axis:
    """Join what several paths see along one axis of an image of this length.

    They end in one map, so their strides agree, unless one of them ends in a single cell that is
    repeated for all: with what each cell sees besides it, that is taken to be the whole image.
    """
    is_repeated = len({axis.length for axis in axes}) > 1
    if is_repeated or any(axis.stride == 0 for axis in axes):
        return _whole(image)
    start = min(axis.start for axis in axes)
    end = max(axis.start + axis.size for axis in axes)
    return _Axis(axes[0].length, end - start, axes[0].stride, start)


class _Map:
    """The two axes of a layer's output."""

    def __init__(self, rows: _Axis, columns: _Axis):
        self.axes = (rows, columns)


def _through(operation: keras.Operation, maps: list[_Map], image: tuple[int, int]) -> _Map:
    """Return what the cells of an operation's output see, given those of its inputs."""
    if isinstance(operation, _CONVOLUTIONS):
        window = (operation.kernel_size, operation.strides, operation.dilation_rate)
    elif isinstance(operation, _POOLINGS):
        window = (operation.pool_size, operation.strides, (1, 1))
    elif isinstance(operation, keras.layers.ZeroPadding2D | keras.layers.Cropping2D):
        cropped = isinstance(operation, keras.layers.Cropping2D)
        ends = operation.cropping if cropped else operation.padding
        sign = -1 if cropped else 1
        axes = zip(maps[0].axes, ends, strict=True)
        return _Map(*(axis.padded(sign * before, sign * after) for axis, (before, after) in axes))
    elif _is_cell_by_cell(operation):
        return _Map(*(_union([m.axes[i] for m in maps], image[i]) for i in (0, 1)))
    else:
        return _Map(*map(_whole, image))
    same = operation.padding == "same"
    axes = zip(maps[0].axes, *window, strict=True)
    return _Map(*(axis.window(*sizes, same) for axis, *sizes in axes))


def _is_cell_by_cell(operation: keras.Operation) -> bool:
    known = isinstance(operation, _CELL_BY_CELL) or type(operation).__name__ in _FUNCTIONS
    axes = np.ravel(getattr(operation, "axis", -1))
    if isinstance(operation, _ALONG_AN_AXIS) and not set(axes.tolist()) <= {-1, 3}:
        return False
    return known or graph.is_idle(operation)


@graph.cached
def _maps(model: keras.Model, image: tuple[int, int]) -> dict[str, _Map]:
    """Return what the cells of each layer see."""
    pixels = _Map(*(_Axis(length, size=1, stride=1, start=0) for length in image))

    def visit(operation, *args, **kwargs):
        maps = [value for value in keras.tree.flatten((args, kwargs)) if isinstance(value, _Map)]
        return _through(operation, maps, image)

    return graph.walk(model, pixels, visit)


def receptive_field(
    model: keras.Model, layer: str, image: tuple[int, int] | None = None
) -> ReceptiveField:
    """Return which input pixels the cells of a layer see, over all paths to them.

    The box is the smallest that holds them all; a dilated kernel leaves holes in it. Layers that
    are not known to look through a window, such as a dense layer or a global pooling, see the
    whole image.

    Args:
        image: height and width of the input, where the model leaves them open or another size
            than the model's is meant; ``same`` padding depends on them.

    Raises:
        UserError: if the model has no such layer, or the image size is not known.
    """
    graph.shape(model, layer)
    if image is None:
        image = graph.image_shape(model)[:2]
        if None in image:
            raise UserError(f"model {model.name}: its input size is open; give `image`")
    check_pair(1, image=image)
    maps = _maps(model, tuple(image))
    axes = maps[layer if layer in maps else graph.logits_layer(model)].axes
    return ReceptiveField(
        size=tuple(axis.size for axis in axes),
        stride=tuple(axis.stride for axis in axes),
        start=tuple(axis.start for axis in axes),
    )


def shown_box(
    field: ReceptiveField, row: int, column: int, image: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Return the top, left, height and width of the box in which a cell's field is shown.

    It is the receptive field, unless that is as long as the image or longer: along such an axis
    it is the image, which holds all of the field that is not padding.
    """
    axes = zip(field.box(row, column)[:2], field.size, image, strict=True)
    (top, height), (left, width) = (
        (start, size) if size < length else (0, length) for start, size, length in axes
    )
    return top, left, height, width
