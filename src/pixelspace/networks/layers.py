"""Networks described as plain data: layer names, shapes and receptive fields without TensorFlow.

A network's module (`perceptron`, `cnn`, `efficientnet`) has one function ``layers`` that returns
such a description; `pixelspace.networks.build` turns it into a Keras model whose layers bear the
same names.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One layer. ``inputs`` names the layers that feed it; fields that do not apply stay None."""

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None  # of an input layer
    units: int | None = None  # filters of a convolution, nodes of a dense layer
    kernel: int = 1
    stride: int = 1
    bias: bool = True
    rate: float = 0.0  # of a dropout layer
    scale: float = 1.0  # of a rescaling layer: x * scale + offset
    offset: float = 0.0
