"""Shapes, receptive fields and counts, by hand and against networks that were probed."""

import numpy as np
import pytest

from pixelspace.errors import UserError
from pixelspace.networks import cnn, efficientnet, perceptron
from pixelspace.networks.layers import (
    Layer,
    ReceptiveField,
    chain,
    layer_names,
    multiply_adds,
    output_shapes,
    parameter_counts,
    receptive_field,
    unit_count,
)

DIGITS = cnn.layers(input_shape=(28, 28, 1), classes=10)


def test_a_chain_feeds_each_layer_with_the_one_before_unless_told_otherwise():
    layers = chain([Layer("a", "input"), Layer("b", "relu"), Layer("c", "add", inputs=("b", "a"))])
    assert [layer.inputs for layer in layers] == [(), ("a",), ("b", "a")]
    assert layer_names(layers) == ("a", "b", "c")


def test_shapes_of_the_digit_network():
    shapes = output_shapes(DIGITS)
    assert shapes["conv1"] == (28, 28, 16)
    assert shapes["pool1"] == (14, 14, 16)
    assert shapes["conv2"] == (14, 14, 32)
    assert shapes["pool2"] == (7, 7, 32)
    assert shapes["flatten"] == (7 * 7 * 32,)
    assert shapes["probabilities"] == (10,)
    assert unit_count(DIGITS, "conv2") == 32


def test_odd_sizes_round_up_under_a_stride_and_down_under_pooling():
    layers = chain(
        [
            Layer("input", "input", shape=(7, 9, 1)),
            Layer("conv", "conv", units=4, kernel=3, stride=2),
            Layer("depthwise", "depthwise", kernel=3, stride=2),
            Layer("pool", "maxpool", kernel=2, stride=2),
        ]
    )
    shapes = output_shapes(layers)
    assert shapes["conv"] == (4, 5, 4)
    assert shapes["depthwise"] == (2, 3, 4)
    assert shapes["pool"] == (1, 1, 4)


def test_an_image_too_small_for_its_pooling_is_the_users_error():
    layers = cnn.layers(input_shape=(3, 8, 1), classes=2)
    with pytest.raises(UserError, match="layer pool2: its input of 1 x 4 is smaller than"):
        output_shapes(layers)


def test_receptive_fields_of_the_digit_network():
    assert receptive_field(DIGITS, "conv1") == ReceptiveField((5, 5), (1, 1), (-2, -2))
    assert receptive_field(DIGITS, "pool1") == ReceptiveField((6, 6), (2, 2), (-2, -2))
    # five cells of pool1, 2 pixels apart and 6 wide, from two cells before
    assert receptive_field(DIGITS, "relu2") == ReceptiveField((14, 14), (2, 2), (-6, -6))
    assert receptive_field(DIGITS, "relu2").box(3, 5) == (0, 4, 14, 14)
    assert receptive_field(DIGITS, "dense") == ReceptiveField((28, 28), (0, 0), (0, 0))


def test_a_nodes_receptive_field_is_the_whole_image():
    layers = perceptron.layers(input_shape=(9, 7, 1), classes=3)
    assert receptive_field(layers, "hidden").box(0, 0) == (0, 0, 9, 7)


def test_padding_under_a_stride_depends_on_the_parity_of_the_size():
    layers = chain(
        [
            Layer("input", "input", shape=(8, 9, 1)),
            Layer("conv", "conv", units=1, kernel=3, stride=2),
        ]
    )
    # 8 rows need one row of padding, which comes after; 9 columns one column on each side
    assert receptive_field(layers, "conv").start == (0, -1)


def small_network(rows: int, columns: int) -> tuple[Layer, ...]:
    """Describe a network with every kind of window, a skip, and strides."""
    return chain(
        [
            Layer("input", "input", shape=(rows, columns, 1)),
            Layer("stem", "conv", units=2, kernel=3, stride=2),
            Layer("wide", "depthwise", kernel=5),
            Layer("sum", "add", inputs=("wide", "stem")),
            Layer("pool", "maxpool", kernel=2, stride=2),
            Layer("narrow", "conv", units=2, kernel=1, inputs=("pool",)),
            Layer("middle", "depthwise", kernel=3, inputs=("pool",)),
            Layer("both", "add", inputs=("narrow", "middle")),
            Layer("last", "depthwise", kernel=4, stride=2),
            Layer("inside", "conv", units=1, kernel=2, padding="valid"),
        ]
    )


@pytest.mark.parametrize("size", [(16, 17), (19, 22), (21, 24), (23, 18)])
def test_receptive_fields_agree_with_probing_every_pixel(size):
    import keras

    from pixelspace.networks.build import build

    rows, columns = size
    layers = small_network(rows, columns)
    model = build(layers)
    model.set_weights([np.ones_like(w) if w.ndim > 1 else w for w in model.get_weights()])
    names = ["stem", "wide", "sum", "pool", "both", "last", "inside"]
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    one_pixel_each = np.eye(rows * columns, dtype=np.float32).reshape(-1, rows, columns, 1)
    for name, responses in zip(names, probe(one_pixel_each), strict=True):
        field = receptive_field(layers, name)
        seen = np.asarray(responses)[..., 0].reshape(rows, columns, *responses.shape[1:3]) > 0
        for row, column in np.ndindex(*responses.shape[1:3]):
            pixels = np.argwhere(seen[:, :, row, column])
            top, left, height, width = field.box(row, column)
            assert pixels.min(axis=0).tolist() == [max(top, 0), max(left, 0)]
            bottom, right = min(top + height, rows) - 1, min(left + width, columns) - 1
            assert pixels.max(axis=0).tolist() == [bottom, right]


def test_windows_without_padding_stay_inside():
    layers = cnn.layers(input_shape=(28, 28, 1), classes=10, padding="valid")
    shapes = output_shapes(layers)
    assert (shapes["conv1"], shapes["conv2"]) == ((24, 24, 16), (8, 8, 32))
    assert receptive_field(layers, "relu2") == ReceptiveField((14, 14), (2, 2), (0, 0))
    # the last cell sees the last pixels
    assert receptive_field(layers, "relu2").box(7, 7) == (14, 14, 14, 14)


def test_a_map_smaller_than_an_unpadded_kernel_is_refused():
    layers = cnn.layers(input_shape=(12, 12, 1), classes=10, padding="valid")
    with pytest.raises(UserError, match="layer conv2: its input of 4 x 4 is smaller than its win"):
        output_shapes(layers)


def test_parameters_are_counted_with_biases_and_moving_averages():
    layers = chain(
        [
            Layer("input", "input", shape=(4, 4, 3)),
            Layer("conv", "conv", units=5, kernel=3),
            Layer("bn", "batchnorm"),
            Layer("dw", "depthwise", kernel=3, bias=False),
            Layer("pool", "average_pool"),
            Layer("logits", "dense", units=2),
        ]
    )
    assert parameter_counts(layers) == {
        "conv": 3 * 3 * 3 * 5 + 5,
        "bn": 4 * 5,
        "dw": 3 * 3 * 5,
        "logits": 5 * 2 + 2,
    }
    assert multiply_adds(layers) == {
        "conv": 4 * 4 * 3 * 3 * 3 * 5,
        "dw": 4 * 4 * 3 * 3 * 5,
        "logits": 5 * 2,
    }


def test_the_deep_network_has_its_published_shape():
    layers = efficientnet.layers(input_shape=(224, 224, 3), classes=1000)
    shapes = output_shapes(layers)
    assert shapes["b0_out"] == (112, 112, 16)
    assert shapes["b4_out"] == (28, 28, 40)
    assert shapes["b10_out"] == (14, 14, 112)
    assert shapes["b15_out"] == (7, 7, 320)
    assert shapes["head_relu"] == (7, 7, 1280)
    assert sum(parameter_counts(layers).values()) == 4_694_024
    skips = [layer.name for layer in layers if layer.kind == "add"]
    assert skips == [f"b{i}_out" for i in (2, 4, 6, 7, 9, 10, 12, 13, 14)]


def test_the_deep_network_refuses_grey_images():
    with pytest.raises(UserError, match="needs colour images, these have 1 channel"):
        efficientnet.layers(input_shape=(28, 28, 1), classes=10)
