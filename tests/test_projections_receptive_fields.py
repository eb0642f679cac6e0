"""Receptive fields against the pixels that a cell's derivative reaches."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from projection_examples import sequential

from pixelspace.errors import UserError
from pixelspace.networks import cnn, efficientnet
from pixelspace.networks.build import build
from pixelspace.networks.layers import ReceptiveField
from pixelspace.networks.layers import receptive_field as described
from pixelspace.projections import graph
from pixelspace.projections.receptive_fields import receptive_field, shown_box
from pixelspace.projections.weights import linear_map


def reached(model: keras.Model, layer: str, row: int, column: int) -> np.ndarray:
    """Return which pixels ``(height, width)`` a cell depends on; all weights are positive."""
    image = tf.zeros((1, *graph.image_shape(model)))
    with tf.GradientTape() as tape:
        tape.watch(image)
        (output,) = graph.outputs(model, image, [layer], linear_map)
        cell = tf.reduce_sum(output[0, row, column])
    return tape.gradient(cell, image).numpy()[0].any(-1)


def check_against_brute_force(model: keras.Model, layer: str) -> None:
    """Compare corner and middle cells; at the border a dilated kernel may jump over pixels."""
    height, width = graph.image_shape(model)[:2]
    field = receptive_field(model, layer)
    rows, columns = graph.shape(model, layer)[:2]
    for row, column in {(0, 0), (rows // 2, columns // 2), (rows - 1, columns - 1)}:
        top, left, tall, wide = field.box(row, column)
        seen = np.argwhere(reached(model, layer, row, column))
        assert (seen >= (top, left)).all()
        assert (seen < (top + tall, left + wide)).all()
        if top >= 0 and left >= 0 and top + tall <= height and left + wide <= width:
            assert [*seen.min(0), *seen.max(0) + 1] == [top, left, top + tall, left + wide]


positive = keras.initializers.RandomUniform(0.5, 1.0, seed=0)
sides = st.integers(1, 3)


@st.composite
def windows(draw) -> keras.Layer:
    """A layer that looks through a window; a stride and a dilation cannot go together."""
    kernel = draw(st.tuples(sides, sides))
    padding = draw(st.sampled_from(["same", "valid"]))
    stride = draw(st.integers(1, 2))
    dilation = 1 if stride > 1 else draw(st.integers(1, 2))
    window = {"strides": stride, "padding": padding}
    start = {"depthwise_initializer": positive, "dilation_rate": dilation}
    kinds = {
        "conv": lambda: keras.layers.Conv2D(
            2, kernel, kernel_initializer=positive, dilation_rate=dilation, **window
        ),
        "depthwise": lambda: keras.layers.DepthwiseConv2D(kernel, **start, **window),
        "max": lambda: keras.layers.MaxPooling2D(kernel, **window),
        "average": lambda: keras.layers.AveragePooling2D(kernel, **window),
        "pad": lambda: keras.layers.ZeroPadding2D(((0, 1), (2, 0))),
        "crop": lambda: keras.layers.Cropping2D(((1, 0), (0, 1))),
        "relu": keras.layers.ReLU,
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.lists(windows(), min_size=1, max_size=3),
    st.integers(16, 19),
    st.integers(16, 19),
    st.integers(1, 2),
)
def test_any_chain_of_windows(layers, height, width, channels):
    model = sequential((height, width, channels), *layers)
    check_against_brute_force(model, model.layers[-1].name)


def branches() -> keras.Model:
    image = keras.Input((12, 9, 1))
    window = {"kernel_initializer": positive, "padding": "same"}
    wide = keras.layers.Conv2D(1, (1, 5), **window)(image)
    tall = keras.layers.Conv2D(1, (3, 1), **window)(image)
    both = keras.layers.Add(name="both")([wide, tall])
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(both)
    gated = keras.layers.Multiply(name="gated")([both, gate])
    return keras.Model(image, gated)


def test_paths_are_joined():
    model = branches()
    assert receptive_field(model, "both") == ReceptiveField((3, 5), (1, 1), (-1, -2))
    assert receptive_field(model, "gated") == ReceptiveField((12, 9), (0, 0), (0, 0))


def test_by_hand_with_dilation():
    model = sequential(
        (20, 30, 1),
        keras.layers.Conv2D(1, 3, dilation_rate=2, padding="valid"),
        keras.layers.MaxPooling2D((2, 3)),
        keras.layers.Conv2D(1, 3, padding="same", name="last"),
    )
    # rows: 5, then 5 + 1 = 6 at stride 2, then 6 + 2 * 2 = 10; columns: 5, 7 at 3, 7 + 2 * 3 = 13
    assert receptive_field(model, "last") == ReceptiveField((10, 13), (2, 3), (-2, -3))


@pytest.mark.parametrize(
    "layers",
    [
        cnn.layers(input_shape=(28, 20, 1), classes=3),
        efficientnet.layers(input_shape=(70, 96, 3), classes=3),
    ],
)
def test_agrees_with_the_description_of_this_projects_networks(layers):
    model = build(layers)
    for layer in layers[1:]:
        assert receptive_field(model, layer.name) == described(layers, layer.name)


def test_an_open_image_size_must_be_given():
    model = sequential((None, None, 1), keras.layers.Conv2D(1, 3, 2, "same", name="conv"))
    with pytest.raises(UserError, match="its input size is open; give `image`"):
        receptive_field(model, "conv")
    # of one row of padding the smaller half, none, comes before; 9 columns are padded on both sides
    assert receptive_field(model, "conv", (8, 9)) == ReceptiveField((3, 3), (2, 2), (0, -1))


def test_a_field_larger_than_the_image_shows_the_image():
    field = ReceptiveField(size=(5, 14), stride=(4, 4), start=(-2, -6))
    assert shown_box(field, 1, 1, (10, 10)) == (2, 0, 5, 10)
