"""Descriptions become Keras models that do what they say."""

import subprocess
import sys

import numpy as np
import pytest

from pixelspace.networks import cnn, efficientnet, perceptron
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layer, chain, output_shapes, parameter_counts

NETWORKS = [
    perceptron.layers(input_shape=(9, 7, 1), classes=3),
    cnn.layers(input_shape=(28, 28, 1), classes=10),
    cnn.layers(input_shape=(33, 20, 3), classes=3, filters=(4, 5, 6), kernel=3, dense=7),
    efficientnet.layers(input_shape=(33, 50, 3), classes=3),
]


@pytest.mark.parametrize("layers", NETWORKS, ids=["perceptron", "digits", "deeper", "deep"])
def test_names_shapes_and_counts_are_those_of_the_description(layers):
    model = build(layers)
    built = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    assert built == output_shapes(layers)
    assert model.count_params() == sum(parameter_counts(layers).values())


def test_a_perceptron_computed_by_hand():
    model = build(perceptron.layers(input_shape=(2, 2, 1), classes=2))
    model.get_layer("hidden").set_weights([np.array([[1, 0], [2, 0], [0, 1], [0, -2]])])
    model.get_layer("logits").set_weights([np.array([[1, 0], [1, 3]])])
    image = np.array([[3, 1], [4, 3]], np.float32).reshape(1, 2, 2, 1)
    # hidden (3 + 2, 4 - 6), after ReLU (5, 0), logits (5, 0)
    np.testing.assert_allclose(logits_model(model)(image), [[5, 0]])
    e = np.exp(5)
    np.testing.assert_allclose(model(image), [[e / (1 + e), 1 / (1 + e)]], rtol=1e-6)


@pytest.mark.parametrize(("activation", "expected"), [("sigmoid", 0.5), ("softmax", 0.1)])
def test_logits_of_zero_become_equal_probabilities(activation, expected):
    model = build(cnn.layers(input_shape=(8, 8, 1), classes=10, activation=activation))
    np.testing.assert_allclose(model(np.zeros((1, 8, 8, 1))), np.full((1, 10), expected))


def test_rescaling_relu6_normalization_and_pooling_computed_by_hand():
    layers = chain(
        [
            Layer("input", "input", shape=(2, 2, 1)),
            Layer("rescale", "rescaling", scale=2, offset=-1),
            Layer("relu6", "relu6"),
            Layer("bn", "batchnorm"),
            Layer("pool", "average_pool"),
        ]
    )
    model = build(layers)
    model.get_layer("bn").set_weights([np.array([v]) for v in (2.0, 1.0, 3.0, 4 - 1e-3)])
    image = np.array([[0, 1], [2, 9]], np.float32).reshape(1, 2, 2, 1)
    # rescaled -1, 1, 3, 17; clipped 0, 1, 3, 6: mean 2.5; then 2 (2.5 - 3) / 2 + 1
    np.testing.assert_allclose(model(image), [[0.5]], rtol=1e-6)


def test_describing_a_network_does_not_import_tensorflow():
    code = (
        "import sys; from pixelspace.networks import cnn, efficientnet, layers, perceptron; "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
