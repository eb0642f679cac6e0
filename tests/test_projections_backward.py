"""The three ways down through a rectifier, by hand on 4 x 4 pixels."""

import keras
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from projection_examples import sequential, set_weights

from pixelspace.errors import UserError
from pixelspace.projections import backward, graph

# Rectified, pooled in windows of 2 x 2 and weighed. Top left: one cell wins. Top right: closed
# everywhere, so that all four cells tie at 0. Bottom left: a negative weight. Bottom right: two
# cells tie at 7, which ReLU6 cuts to 6.
IMAGE = np.array(
    [
        [1, 5, -1, -2],
        [-3, 2, -4, -1],
        [-1, 0, 7, 7],
        [3, -2, 4, 5],
    ],
    np.float32,
)[None, :, :, None]
WEIGHTS = np.array([[1.0], [2.0], [-3.0], [4.0]])


def projected(*cells: tuple[int, int, float]) -> np.ndarray:
    result = np.zeros((1, 4, 4, 1))
    for row, column, value in cells:
        result[0, row, column, 0] = value
    return result


RELU = {
    "gradient": projected((0, 1, 1), (3, 0, -3), (2, 2, 4)),
    "deconvnet": projected((0, 1, 1), (0, 2, 2), (2, 2, 4)),
    "guided": projected((0, 1, 1), (2, 2, 4)),
}
RELU6 = {
    "gradient": projected((0, 1, 1), (3, 0, -3)),
    "deconvnet": projected((0, 1, 1), (0, 2, 2), (2, 2, 4)),
    "guided": projected((0, 1, 1)),
}


def as_layer(ceiling):
    return [keras.layers.ReLU(max_value=ceiling)]


def as_activation_layer(ceiling):
    return [keras.layers.Activation("relu6" if ceiling else "relu")]


def as_argument(ceiling):
    activation = "relu6" if ceiling else "relu"
    return [
        keras.layers.Conv2D(1, 1, use_bias=False, activation=activation, kernel_initializer="ones")
    ]


def inside_a_model(ceiling):
    return [sequential((4, 4, 1), keras.layers.Identity(), keras.layers.ReLU(max_value=ceiling))]


def network(rectifier: list[keras.Layer]) -> keras.Model:
    pool = [keras.layers.MaxPooling2D(2), keras.layers.Flatten()]
    last = keras.layers.Dense(1, use_bias=False, name="logits")
    return set_weights(sequential((4, 4, 1), *rectifier, *pool, last), logits=WEIGHTS)


def functional_with_operations(ceiling) -> keras.Model:
    image = keras.Input((4, 4, 1))
    x = (keras.ops.relu6 if ceiling else keras.ops.relu)(image)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(x))
    logits = keras.layers.Dense(1, use_bias=False, name="logits")(x)
    model = keras.Model(image, keras.layers.Activation("sigmoid")(logits))
    return set_weights(model, logits=WEIGHTS)


@pytest.mark.parametrize("policy", ["gradient", "deconvnet", "guided"])
@pytest.mark.parametrize(("ceiling", "expected"), [(None, RELU), (6, RELU6)])
@pytest.mark.parametrize(
    "rectifier", [as_layer, as_activation_layer, as_argument, inside_a_model, None]
)
def test_each_policy_by_hand(rectifier, ceiling, expected, policy):
    model = network(rectifier(ceiling)) if rectifier else functional_with_operations(ceiling)
    projection, value = backward.backward_pass(model, IMAGE, "logits", 0, policy=policy)
    np.testing.assert_array_equal(projection, expected[policy])
    highest = 6 if ceiling else 7
    assert value == [5 * 1 + 0 * 2 + 3 * -3 + highest * 4]


def unpooled(image: np.ndarray, weights: np.ndarray, pool, stride, padding: str) -> np.ndarray:
    """Return ``weights`` of the cells of a pooled map, each in the cell that won its window."""
    found = np.zeros_like(image)
    lengths = zip(image.shape[:2], weights.shape[:2], pool, stride, strict=True)
    top, left = (
        max((count - 1) * step + size - length, 0) // 2 if padding == "same" else 0
        for length, count, size, step in lengths
    )
    for row, column, channel in np.ndindex(weights.shape):
        window = [
            (i, j, channel)
            for i in range(row * stride[0] - top, row * stride[0] - top + pool[0])
            for j in range(column * stride[1] - left, column * stride[1] - left + pool[1])
            if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]
        ]
        found[max(window, key=image.__getitem__)] += weights[row, column, channel]
    return found


POLICIES = {
    "gradient": lambda g, is_open: g * is_open,
    "deconvnet": lambda g, is_open: np.maximum(g, 0),
    "guided": lambda g, is_open: np.maximum(g, 0) * is_open,
}


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each example costs compilations, so that shrinking takes minutes
)
@given(
    shape=st.tuples(st.integers(2, 9), st.integers(2, 9), st.integers(1, 3)),
    pool=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["same", "valid"]),
    ceiling=st.sampled_from([None, 6]),
    seed=st.integers(0, 9),
)
def test_each_value_goes_back_to_the_cell_that_won(shape, pool, stride, padding, ceiling, seed):
    assume(padding == "same" or (pool[0] <= shape[0] and pool[1] <= shape[1]))
    generator = np.random.default_rng(seed)
    # so few values that windows tie, at 0 and at the ceiling too
    images = generator.integers(-4, 9, (2, *shape)).astype(float)
    last = keras.layers.Dense(1, use_bias=False, name="logits")
    model = sequential(
        shape,
        keras.layers.ReLU(max_value=ceiling),
        keras.layers.MaxPooling2D(pool, stride, padding, name="pool"),
        keras.layers.Flatten(),
        last,
    )
    weights = generator.integers(-5, 6, graph.shape(model, "pool")).astype(float)
    set_weights(model, logits=weights.reshape(-1, 1))
    for policy, passed in POLICIES.items():
        found, _ = backward.backward_pass(model, images, "logits", 0, policy=policy)
        for image, projection in zip(images, found, strict=True):
            rectified = np.clip(image, 0, ceiling)
            returned = unpooled(rectified, weights, pool, stride, padding)
            is_open = (image > 0) & (image < (ceiling or np.inf))
            np.testing.assert_array_equal(projection, passed(returned, is_open), err_msg=policy)


def test_the_network_is_left_as_it_was():
    model = network(as_argument(None))
    calls = len(model.layers[0]._inbound_nodes)
    backward.deconvnet(model, IMAGE, "logits", 0)
    assert model.layers[0].activation is keras.activations.relu
    assert len(model.layers[0]._inbound_nodes) == calls


def test_logits_of_a_fused_last_layer_are_explained_before_their_softmax():
    last = keras.layers.Dense(2, use_bias=False, activation="softmax", name="classes")
    model = set_weights(
        sequential((2, 1, 1), keras.layers.Flatten(), last), classes=np.array([[1, 2], [3, 5]])
    )
    image = np.array([1.0, 2.0]).reshape(1, 2, 1, 1)
    projection, value = backward.backward_pass(model, image, "logits", 1, policy="gradient")
    assert value == [2 + 10]
    np.testing.assert_array_equal(projection.ravel(), [2, 5])
    probability, value = backward.backward_pass(model, image, "classes", 1, policy="gradient")
    p = 1 / (1 + np.exp(-5))  # the logits are 7 and 12
    np.testing.assert_allclose(value, p, rtol=1e-6)
    np.testing.assert_allclose(probability.ravel(), p * (1 - p) * np.array([1, 2]), rtol=1e-4)


def convolution() -> keras.Model:
    kernel = np.arange(1, 9).reshape(2, 2, 1, 2)  # unit 0: 1 3 5 7, unit 1: 2 4 6 8
    layer = keras.layers.Conv2D(2, 2, use_bias=False, name="conv")
    return set_weights(sequential((4, 4, 1), layer, keras.layers.ReLU(name="relu")), conv=kernel)


def test_a_cell_goes_back_to_its_own_patch():
    images = np.stack([np.ones((4, 4, 1)), 2 * np.ones((4, 4, 1))])
    found = backward.gradient(convolution(), images, "relu", [0, 1], [(0, 1), (2, 0)])
    np.testing.assert_array_equal(found[0, 0:2, 1:3, 0], [[1, 3], [5, 7]])
    np.testing.assert_array_equal(found[1, 2:4, 0:2, 0], [[2, 4], [6, 8]])
    assert np.count_nonzero(found) == 8


def test_a_deconvolution_starts_from_the_activation():
    images = 2 * np.ones((1, 4, 4, 1))
    found = backward.deconvnet(convolution(), images, "conv", 1, (2, 0))
    activation = 2 * (2 + 4 + 6 + 8)
    np.testing.assert_array_equal(found[0, 2:4, 0:2, 0], activation * np.array([[2, 4], [6, 8]]))
    assert np.count_nonzero(found) == 4


def test_a_channel_is_the_sum_of_its_cells():
    model = convolution()
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 1))
    cells = [(row, column) for row in range(3) for column in range(3)]
    for policy in ("gradient", "deconvnet"):
        whole, value = backward.backward_pass(model, images, "conv", 1, policy=policy)
        parts = [
            backward.backward_pass(model, images, "conv", 1, cell, policy=policy) for cell in cells
        ]
        np.testing.assert_allclose(whole, sum(p for p, _ in parts), rtol=1e-5)
        np.testing.assert_allclose(value, sum(v for _, v in parts), rtol=1e-5, atol=1e-5)


def test_traced_once_for_all_units_positions_and_batches(monkeypatch):
    traces = []
    outputs = graph.outputs
    monkeypatch.setattr(graph, "outputs", lambda *a, **k: traces.append(a) or outputs(*a, **k))
    model = convolution()
    images = np.random.default_rng(0).normal(size=(7, 4, 4, 1))
    whole = backward.guided_backpropagation(model, images, "relu", 1, (0, 0))
    backward.guided_backpropagation(model, images[:2], "relu", 0, (1, 2))
    split, _ = backward.backward_pass(model, images, "relu", 1, (0, 0), policy="guided", batch=3)
    assert len(traces) == 1
    np.testing.assert_array_equal(split, whole)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            dict(layer="conb", unit=0),
            "layer conb: the network has none of that name; nearest: conv",
        ),
        (dict(layer="conv", unit=2), "layer conv: it has units 0 to 1, and no unit 2"),
        (dict(layer="conv", unit=0, position=(3, 0)), "layer conv: its map has 3 x 3 cells"),
    ],
)
def test_what_does_not_exist_is_named(call, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        backward.gradient(convolution(), np.zeros((1, 4, 4, 1)), **call)


def test_images_of_another_shape_are_refused():
    with pytest.raises(UserError, match=r"\(4, 4, 1\): \(batch, height, width, 1\) is expected"):
        backward.gradient(convolution(), np.zeros((4, 4, 1)), "conv", 0)
