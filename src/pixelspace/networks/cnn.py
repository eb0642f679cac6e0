"""A small convolutional network: convolutions with ReLU and max-pooling, then a dense layer."""

from collections.abc import Sequence
from typing import Literal

from pixelspace.networks.layers import Layer, chain


def layers(
    *,
    input_shape: tuple[int, int, int],
    classes: int,
    filters: Sequence[int] = (16, 32),
    kernel: int = 5,
    padding: Literal["same", "valid"] = "same",
    dense: int = 128,
    dropout: float = 0.4,
    activation: Literal["sigmoid", "softmax"] = "sigmoid",
    white: float = 255.0,
) -> tuple[Layer, ...]:
    """Describe a network of one convolution for each entry of ``filters``.

    Args:
        kernel: height and width of every convolution; each is followed by 2 x 2 max-pooling.
        padding: whether convolutions pad with zeros and keep the size ("same"), or look at whole
            windows of the image alone ("valid").
        dense: nodes of the fully connected layer.
        dropout: share of its outputs that training leaves out.
        white: the stored value that becomes 1; 0 stays 0.
    """
    convolutions = [
        layer
        for number, units in enumerate(filters, start=1)
        for layer in (
            Layer(f"conv{number}", "conv", units=units, kernel=kernel, padding=padding),
            Layer(f"relu{number}", "relu"),
            Layer(f"pool{number}", "maxpool", kernel=2, stride=2),
        )
    ]
    return chain(
        [
            Layer("input", "input", shape=input_shape),
            Layer("rescale", "rescaling", scale=1 / white),
            *convolutions,
            Layer("flatten", "flatten"),
            Layer("dense", "dense", units=dense),
            Layer("dense_relu", "relu"),
            Layer("dropout", "dropout", rate=dropout),
            Layer("logits", "dense", units=classes),
            Layer("probabilities", activation),
        ]
    )
