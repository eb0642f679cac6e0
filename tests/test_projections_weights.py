"""Weight projections by hand: kernels, and products of linear maps."""

import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored

from pixelspace.errors import UserError
from pixelspace.projections import weights

kinds = keras.layers


def test_the_kernels_of_a_first_layer_are_shown_as_they_are():
    model = sequential((5, 4, 2), kinds.Rescaling(1 / 255), kinds.Conv2D(3, (2, 3), name="conv"))
    images, method = weights.project_weights(model, "conv", [2, 0])
    kernel = model.get_layer("conv").kernel.numpy()
    assert method == "direct"
    assert images.shape == (2, 2, 3, 2)
    np.testing.assert_array_equal(images[0], kernel[..., 2])
    np.testing.assert_array_equal(images[1], kernel[..., 0])


def test_a_dense_layer_on_pixels_is_reshaped():
    dense = kinds.Dense(2, activation="relu", use_bias=False, name="dense")
    model = sequential((2, 3, 1), kinds.Flatten(), dense)
    set_weights(model, dense=np.arange(12).reshape(6, 2))
    images, method = weights.project_weights(model, "dense", [1])
    assert method == "direct"
    np.testing.assert_array_equal(images[0, :, :, 0], [[1, 3, 5], [7, 9, 11]])


def test_a_single_unit_and_a_cell_of_whole_numbers():
    model = sequential((3, 3, 1), kinds.Conv2D(2, 2, name="conv"))
    one, listed = (weights.expected_response(model, "conv", unit, (0, 1)) for unit in (1, [1]))
    np.testing.assert_array_equal(one, listed)
    with pytest.raises(UserError, match="^cell 0.5: a whole number of at least 0 is expected"):
        weights.expected_response(model, "conv", [1], (0.5, 1))


def test_a_deeper_layer_is_a_product_with_one_half_for_the_rectifier():
    model = sequential(
        (1, 2, 1),
        kinds.Rescaling(1 / 255),
        kinds.Flatten(),
        kinds.Dense(2, name="first"),
        kinds.ReLU(max_value=6),
        kinds.Dense(1, activation="sigmoid", name="second"),
    )
    first = np.array([[1.0, 2.0], [3.0, -4.0]])
    set_weights(model, first=[first, [5.0, -5.0]], second=[np.array([[10.0], [1.0]]), [3.0]])
    images, method = weights.project_weights(model, "second", [0])
    assert method == "expected response"
    # half of (1 * 10 + 2 * 1, 3 * 10 - 4 * 1)
    np.testing.assert_allclose(images[0, 0, :, 0], [6, 13])
    # an activation that is an argument counts for the same
    fused = sequential(
        (1, 2, 1),
        kinds.Flatten(),
        kinds.Dense(2, activation="relu6", name="first"),
        kinds.Dense(1, name="second"),
    )
    set_weights(fused, first=[first, [5.0, -5.0]], second=[np.array([[10.0], [1.0]]), [3.0]])
    np.testing.assert_allclose(weights.project_weights(fused, "second", [0])[0], images)


def test_max_pooling_becomes_averaging_and_the_middle_cell_is_shown():
    model = sequential(
        (8, 6, 1),
        kinds.Conv2D(1, 1, use_bias=False, name="gain"),
        kinds.MaxPooling2D(2),
        kinds.BatchNormalization(epsilon=0.0, name="norm"),
        kinds.Conv2D(2, (1, 2), use_bias=False, name="pair"),
    )
    set_weights(
        model,
        gain=np.full((1, 1, 1, 1), 8.0),
        norm=[[3.0], [1.0], [7.0], [4.0]],
        pair=np.array([[[[0.0, 1.0]], [[0.0, -2.0]]]]),
    )
    images, _ = weights.project_weights(model, "pair", [1, 0])
    # 8 / 4 in each pooling window, 3 / sqrt(4) for the normalization, then 1 and -2
    np.testing.assert_allclose(images[0, :, :, 0], [[3, 3, -6, -6], [3, 3, -6, -6]])
    assert not images[1].any()


def test_the_network_on_a_data_set(tmp_path):
    model = sequential(
        (1, 2, 1),
        kinds.Flatten(),
        kinds.Dense(2, use_bias=False, name="hidden"),
        kinds.ReLU(name="hidden_relu"),
        kinds.Dropout(0.5),
        kinds.Dense(2, use_bias=False, name="logits"),
        kinds.Softmax(),
    )
    read = np.array([[1.0, 2.0], [3.0, 4.0]])
    set_weights(model, hidden=np.array([[1.0, -1.0], [1.0, -1.0]]), logits=read)
    images = np.array([[1.0, 2.0], [3.0, 0.0], [-1.0, -4.0]], np.float32).reshape(3, 1, 2, 1)
    with stored(tmp_path / "data.h5", images, [0, 0, 1]) as dataset:
        found = weights.project(model, dataset, seed=0, layer="hidden", units=2)
        dead = weights.project(model, dataset, seed=0, layer="logits", units=[1])
    # sums 3, 3, -5: unit 0 answers 3 on the mean to class a, unit 1 answers 5 to class b
    np.testing.assert_allclose(found.arrays["mean_activations"], [[3, 0], [0, 5]])
    np.testing.assert_array_equal(found.arrays["readout"], read)
    assert found.about["activations_from"] == "hidden_relu"
    assert found.about["biases"] is None
    assert found.about["notes"] == []
    assert "readout" not in dead.arrays
    # the logit's activation is its own value: 2 * 3 for class a, 4 * 5 for b
    np.testing.assert_allclose(dead.arrays["mean_activations"], [[6], [20]])


def test_a_silent_unit_is_noted(tmp_path):
    dense = kinds.Dense(2, activation="relu", name="dense")
    model = sequential((1, 1, 1), kinds.Flatten(), dense, kinds.Dense(2, name="logits"))
    set_weights(model, dense=[np.array([[1.0, -1.0]]), [0.0, 0.0]])
    images = np.ones((2, 1, 1, 1), np.float32)
    with stored(tmp_path / "data.h5", images, [0, 1]) as dataset:
        found = weights.project(model, dataset, seed=0, layer="dense", units=2)
    assert found.about["notes"] == ["unit 1: silent for every test image"]


def test_a_unit_that_does_not_exist_is_named():
    model = sequential((4, 4, 1), kinds.Conv2D(3, 2, name="conv"))
    with pytest.raises(UserError, match="^layer conv: it has units 0 to 2, and no unit 3$"):
        weights.project_weights(model, "conv", [0, 3])
