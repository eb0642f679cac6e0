"""A folded network computes what the network did."""

from pathlib import Path

import keras
import numpy as np

from pixelspace.networks import efficientnet, weights
from pixelspace.networks.build import build
from pixelspace.networks.folding import fold_batch_normalization, folded_layers
from pixelspace.networks.layers import Layer, chain, layer_names, output_shapes

WEIGHTS = Path(__file__).parents[1] / "data" / "efficientnet_lite0" / "weights.npz"


def test_a_normalized_convolution_folded_by_hand():
    layers = chain(
        [
            Layer("input", "input", shape=(1, 1, 1)),
            Layer("conv", "conv", units=2),
            Layer("bn", "batchnorm"),
        ]
    )
    model = build(layers)
    model.get_layer("conv").set_weights([np.array([[[[5.0, 7.0]]]]), np.array([1.0, 0.0])])
    # the variances make the square root of variance + epsilon 2 and 4
    statistics = [[6.0, 4.0], [10.0, 20.0], [3.0, 8.0], [4 - 1e-3, 16 - 1e-3]]
    model.get_layer("bn").set_weights([np.array(values) for values in statistics])
    kernel, biases = fold_batch_normalization(layers, model).get_layer("bn").get_weights()
    # scales 6 / 2 and 4 / 4; biases 10 + (1 - 3) 3 and 20 + (0 - 8) 1
    np.testing.assert_allclose(kernel.ravel(), [15, 7], rtol=1e-6)
    np.testing.assert_allclose(biases, [4, 12], rtol=1e-6)


def test_what_cannot_be_folded_stays():
    layers = chain(
        [
            Layer("input", "input", shape=(4, 4, 1)),
            Layer("bn", "batchnorm"),
            Layer("conv", "conv", units=1),
            Layer("shared_bn", "batchnorm"),
            Layer("sum", "add", inputs=("shared_bn", "conv")),
        ]
    )
    assert folded_layers(layers) == layers


def test_the_deep_network_folded_agrees_in_every_layer_that_remains():
    layers = efficientnet.layers(input_shape=(97, 150, 3), classes=1000)
    model = build(layers)
    weights.load_imagenet(model, WEIGHTS, classifier=True)
    folded = fold_batch_normalization(layers, model)
    shapes = output_shapes(layers)
    remaining = layer_names(folded_layers(layers))
    assert set(shapes) - set(remaining) == {n for n in shapes if n.endswith("_conv")}
    assert {layer.name: tuple(layer.output.shape[1:]) for layer in folded.layers} == {
        name: shapes[name] for name in remaining
    }
    images = np.random.default_rng(0).uniform(0, 255, (1, 97, 150, 3)).astype(np.float32)

    def outputs(network: keras.Model) -> list:
        return keras.Model(network.input, [network.get_layer(n).output for n in remaining])(images)

    for name, before, after in zip(remaining, outputs(model), outputs(folded), strict=True):
        before, after = np.asarray(before), np.asarray(after)
        assert np.abs(before - after).max() <= 1e-4 * max(1, np.abs(before).max()), name
