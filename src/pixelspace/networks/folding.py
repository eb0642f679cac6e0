"""Batch normalization folded into the convolutions before it: the same network, in fewer steps.

For a frozen network only: while training, a normalization goes by its batch.
"""

from collections import Counter
from dataclasses import replace

import keras
import numpy as np

from pixelspace.networks.build import build
from pixelspace.networks.layers import Layer, Layers


def folded_layers(layers: Layers) -> tuple[Layer, ...]:
    """Return the description with each convolution and its normalization as one layer.

    That layer is a convolution with biases and bears the normalization's name, so that every
    name which remains stands for the same values.
    """
    convolutions = _folded_convolutions(layers)
    gone = {convolution.name for convolution in convolutions.values()}
    return tuple(
        replace(convolutions[layer.name], name=layer.name, bias=True)
        if layer.name in convolutions
        else layer
        for layer in layers
        if layer.name not in gone
    )


def fold_batch_normalization(layers: Layers, model: keras.Model) -> keras.Model:
    """Return the network of `folded_layers` that computes what ``model`` does at inference.

    Args:
        layers: the description that ``model`` was built from.
    """
    convolutions = _folded_convolutions(layers)
    folded = build(folded_layers(layers))
    for layer in folded.layers:
        original = model.get_layer(layer.name)
        if layer.name in convolutions:
            convolution = model.get_layer(convolutions[layer.name].name)
            layer.set_weights(_folded_weights(convolution, original))
        else:
            layer.set_weights(original.get_weights())
    return folded


def _folded_convolutions(layers: Layers) -> dict[str, Layer]:
    """Return, by the normalization's name, each convolution that feeds a normalization alone."""
    uses = Counter(name for layer in layers for name in layer.inputs)
    candidates = {
        layer.name: layer
        for layer in layers
        if layer.kind in ("conv", "depthwise") and uses[layer.name] == 1
    }
    return {
        layer.name: candidates[layer.inputs[0]]
        for layer in layers
        if layer.kind == "batchnorm" and layer.inputs[0] in candidates
    }


def _folded_weights(
    convolution: keras.Layer, normalization: keras.layers.BatchNormalization
) -> list[np.ndarray]:
    """Return the kernel and the biases of ``gamma (x - mean) / sqrt(variance + epsilon) + beta``.

    A depthwise kernel ``(rows, columns, channels, 1)`` is scaled along its third axis, any other
    ``(rows, columns, inputs, channels)`` along its last.
    """
    kernel, *biases = (weight.astype(np.float64) for weight in convolution.get_weights())
    gamma, beta, mean, variance = (w.astype(np.float64) for w in normalization.get_weights())
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    return [
        kernel * (scale[:, None] if depthwise else scale),
        beta + ((biases[0] if biases else 0) - mean) * scale,
    ]
