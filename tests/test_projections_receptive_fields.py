"""Receptive fields against the pixels that a cell's derivative reaches."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from projection_examples import sequential

from pixelspace.errors import UserError
from pixelspace.networks import cnn, efficientnet
from pixelspace.networks.build import build
from pixelspace.networks.layers import ReceptiveField
from pixelspace.networks.layers import receptive_field as described
from pixelspace.projections import graph, weights
from pixelspace.projections.receptive_fields import receptive_field, shown_box
from pixelspace.projections.top_patches import crop
from pixelspace.projections.weights import linear_map


def reached(model: keras.Model, layer: str, cells: list[tuple[int, int]]) -> np.ndarray:
    """Return which pixels ``(n, height, width)`` each cell depends on; all weights are positive."""
    images = np.zeros((len(cells), *graph.image_shape(model)), np.float32)
    numbers = [(n, row, column) for n, (row, column) in enumerate(cells)]

    # Compiled, as TensorFlow otherwise also takes the gradient by the kernels, and crashes in it
    # for some shapes.
    @tf.function(autograph=False)
    def derivative(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            (output,) = graph.outputs(model, images, [layer], linear_map)
            sums = tf.reduce_sum(tf.gather_nd(output, numbers))
        return tape.gradient(sums, images)

    return derivative(images).numpy().any(-1)


def check_against_brute_force(model: keras.Model, layer: str) -> int:
    """Check border and middle cells; return how many have their whole field inside the image.

    Nearer to the border, a field may be smaller than its box: the padding of an earlier layer
    says nothing of the pixels, and a dilated kernel jumps over some.
    """
    height, width = graph.image_shape(model)[:2]
    field = receptive_field(model, layer)
    rows, columns = (
        sorted({0, 1, length // 2, length - 2, length - 1} & set(range(length)))
        for length in graph.shape(model, layer)[:2]
    )
    cells = [(row, column) for row in rows for column in columns]
    whole = 0
    for cell, pixels in zip(cells, reached(model, layer, cells), strict=True):
        top, left, tall, wide = field.box(*cell)
        seen = np.argwhere(pixels)
        assert (seen >= (top, left)).all()
        assert (seen < (top + tall, left + wide)).all()
        if 0 in field.stride:  # the box is then the image, and strides may leave out some of it
            whole += 1
        elif top >= 0 and left >= 0 and top + tall <= height and left + wide <= width:
            assert [*seen.min(0), *seen.max(0) + 1] == [top, left, top + tall, left + wide]
            patch, inside = crop(pixels[..., None], field.box(*cell))
            assert inside.all()
            assert patch.sum() == pixels.sum()
            whole += 1
    return whole


positive = keras.initializers.RandomUniform(0.5, 1.0, seed=0)


@st.composite
def networks(draw) -> keras.Model:
    """Draw a network of layers that look through windows, one after another and side by side."""
    image = keras.Input((*draw(st.tuples(*[st.integers(12, 30)] * 2)), draw(st.integers(1, 3))))
    x, uncovered = image, False
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(
            st.sampled_from("conv depthwise separable max average both gate pad crop".split())
        )
        kernel = draw(st.tuples(*[st.integers(1, 4)] * 2))
        stride = draw(st.integers(1, 3))
        # Keras has no layer with both a stride and a dilation
        dilation = (1, 1) if stride > 1 else draw(st.tuples(*[st.integers(1, 3)] * 2))
        if kind in ("depthwise", "separable"):
            dilation = dilation[:1] * 2
        reach = np.multiply(np.array(kernel) - 1, 1 if kind in ("max", "average") else dilation) + 1
        # Padding after a cropping would stand where there had been pixels: then fields have holes.
        padding = draw(st.sampled_from(["valid"] if uncovered else ["same", "valid"]))
        if (reach > x.shape[1:3]).any() or (uncovered and kind in ("pad", "both")):
            continue
        window = {"padding": padding, "strides": stride}
        uncovered |= kind == "crop"
        match kind:
            case "conv":
                x = convolution(kernel, dilation, **window)(x)
            case "depthwise":
                x = keras.layers.DepthwiseConv2D(
                    kernel, dilation_rate=dilation, depthwise_initializer=positive, **window
                )(x)
            case "separable":
                x = keras.layers.SeparableConv2D(
                    2,
                    kernel,
                    dilation_rate=dilation,
                    depthwise_initializer=positive,
                    pointwise_initializer=positive,
                    **window,
                )(x)
            case "max" | "average":
                window["strides"] = draw(st.tuples(*[st.integers(1, 3)] * 2))
                pools = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
                x = pools[kind](kernel, **window)(x)
            case "both":
                one, other = convolution(kernel, dilation)(x), convolution((3, 1), (1, 1))(x)
                x = keras.layers.Add()([one, other])
            case "gate":
                pool = [draw(st.sampled_from([1, length])) for length in x.shape[1:3]]
                gate = convolution((1, 1), (1, 1))(keras.layers.AveragePooling2D(pool)(x))
                channels = convolution((1, 1), (1, 1))(x)
                x = keras.layers.Add()(draw(st.permutations([gate, channels])))
            case "pad":
                x = keras.layers.ZeroPadding2D(draw(ends()))(x)
            case "crop":
                x = keras.layers.Cropping2D(draw(ends()))(x)
    return keras.Model(image, keras.layers.ReLU(name="last")(x))


def ends() -> st.SearchStrategy:
    return st.tuples(*[st.tuples(*[st.integers(0, 1)] * 2)] * 2)


def convolution(kernel, dilation, padding="same", strides=1) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        2,
        kernel,
        strides,
        padding,
        dilation_rate=dilation,
        kernel_initializer=positive,
    )


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each example costs a compilation, so that shrinking takes minutes
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(networks())
def test_any_network_of_windows(model):
    assume(min(graph.shape(model, "last")[:2]) > 0)
    assume(check_against_brute_force(model, "last"))


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


@pytest.mark.parametrize("gate_first", [False, True])
def test_a_gate_that_is_repeated_for_all_cells_shows_the_image(gate_first):
    image = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(1, 3, padding="same")(image)
    gate = keras.layers.Conv2D(1, 1)(keras.layers.AveragePooling2D((8, 1))(maps))
    both = [gate, maps] if gate_first else [maps, gate]
    model = keras.Model(image, keras.layers.Multiply(name="gated")(both))
    field = receptive_field(model, "gated")
    assert field.box(7, 7) == (0, 6, 8, 3)


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
    assert receptive_field(model, "conv", [8, 9]) == receptive_field(model, "conv", (8, 9))
    with pytest.raises(UserError, match="^image 8: two numbers, of rows and of columns"):
        receptive_field(model, "conv", 8)


def test_a_field_larger_than_the_image_shows_the_image():
    field = ReceptiveField(size=(5, 14), stride=(4, 4), start=(-2, -6))
    assert shown_box(field, 1, 1, (10, 10)) == (2, 0, 5, 10)


def test_layers_that_do_nothing_after_training_see_one_cell():
    kinds = keras.layers
    model = sequential(
        (16, 16, 3),
        kinds.RandomFlip(),
        kinds.Conv2D(2, 3, name="first"),
        kinds.GaussianNoise(0.1),
        kinds.Dense(4, name="dense"),
        kinds.Conv2D(2, 3, name="second"),
    )
    assert receptive_field(model, "first").size == (3, 3)
    assert receptive_field(model, "dense").size == (3, 3)
    assert receptive_field(model, "second").size == (5, 5)
    assert weights.project_weights(model, "first", [0, 1])[1] == "direct"


def test_a_dense_layer_on_a_map_is_a_convolution_of_one_pixel():
    model = sequential((4, 5, 3), keras.layers.Dense(2, name="dense"))
    found, method = weights.project_weights(model, "dense", [1])
    assert (found.shape, method) == ((1, 1, 1, 3), "direct")
    np.testing.assert_array_equal(found.ravel(), model.get_layer("dense").kernel.numpy()[:, 1])
