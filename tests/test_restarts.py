"""Restarts: the batched computation against Keras, and what the recipe must find."""

import keras
import numpy as np
import pytest

from pixelspace.artifacts import open_dataset, write_dataset
from pixelspace.datasets import efl
from pixelspace.networks import perceptron, restarts

SETTINGS = {
    "restarts": 3,
    "epochs": 2,
    "batch": 20,
    "learning_rate": 0.01,
    "l1": 1e-3,
    "initialization": "glorot",
}


@pytest.fixture(scope="module")
def few_letters(tmp_path_factory):
    path = tmp_path_factory.mktemp("letters") / "dataset.h5"
    counts = {"validation_per_class": 10, "test_per_class": 10}
    write_dataset(path, efl.make(seed=1, images_per_class=30, **counts))
    with open_dataset(path) as dataset:
        yield dataset


def test_side_by_side_training_is_that_of_keras_one_by_one(few_letters):
    """The same first weights and the same order of images must give the same last weights."""
    found = restarts.train_all(few_letters, seed=5, nodes=2, **SETTINGS)

    stream = np.random.default_rng(5)
    pixels = 9 * 7
    hidden = stream.uniform(-1, 1, (3, pixels, 2)) * np.sqrt(6 / (pixels + 2))
    readout = stream.uniform(-1, 1, (3, 2, 3)) * np.sqrt(6 / 5)
    orders = [stream.permutation(90)[:80].reshape(4, 20) for _ in range(2)]
    images = few_letters["train"].images[:].reshape(90, pixels)
    labels = few_letters["train"].labels
    for number in range(3):
        regularizer = keras.regularizers.L1(1e-3)
        model = keras.Sequential(
            [
                keras.Input((pixels,)),
                keras.layers.Dense(2, "relu", use_bias=False, kernel_regularizer=regularizer),
                keras.layers.Dense(3, use_bias=False),
            ]
        )
        model.set_weights([hidden[number], readout[number]])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss)
        for batch in np.concatenate(orders):
            model.train_on_batch(images[batch], labels[batch])
        np.testing.assert_allclose(found.hidden[number], model.get_weights()[0], atol=2e-5)
        np.testing.assert_allclose(found.readout[number], model.get_weights()[1], atol=2e-5)

        validation = few_letters["validation"]
        logits = model.predict_on_batch(validation.images[:].reshape(-1, pixels))
        entropy = float(loss(validation.labels, logits))
        penalty = 1e-3 * np.abs(model.get_weights()[0]).sum()
        assert found.history["validation_loss"][number, -1] == pytest.approx(entropy, abs=1e-4)
        assert found.validation_loss[number] == pytest.approx(entropy + penalty, abs=1e-4)


@pytest.mark.parametrize(
    ("initialization", "inputs", "smallest", "largest"),
    [
        ("glorot", 94, -0.25, 0.25),  # sqrt(6 / (94 + 2))
        ("absolute_glorot", 94, 0.0, 0.25),
        ("he", 96, -0.25, 0.25),  # sqrt(6 / 96)
    ],
)
def test_first_weights_fill_the_range_of_their_distribution(
    initialization, inputs, smallest, largest
):
    weights = restarts._initial(np.random.default_rng(0), (50, inputs, 2), initialization)
    assert smallest <= weights.min() < smallest + 1e-3
    assert largest - 1e-3 < weights.max() <= largest


def test_nodes_are_ordered_to_fit():
    # stem, arms, leg, nothing; of an E, an F and an L
    means = np.array([[1.0, 1, 1, 0], [1.0, 1, 0, 0], [1.0, 0, 1, 0]])
    arms, leg, nothing = [0.1, 2, 0, 0], [0.1, 0, 0.1, -5], [0, 0, -1, 1]
    np.testing.assert_array_equal(restarts.fitting_order(np.array([leg, arms]).T, means), [0, 1])
    np.testing.assert_array_equal(restarts.fitting_order(np.array([arms, leg]).T, means), [1, 0])
    three = np.array([nothing, arms, leg]).T
    np.testing.assert_array_equal(restarts.fitting_order(three, means), [2, 1, 0])
    dead = np.array([[-1.0, -1, -1, -1], leg]).T
    np.testing.assert_array_equal(restarts.fitting_order(dead, means), [1, 0])


def layers_for(dataset):
    return perceptron.layers(input_shape=dataset.image_shape, classes=3)


def test_the_network_with_the_lowest_validation_loss_is_kept(few_letters):
    found = restarts.train_all(few_letters, seed=5, nodes=2, **SETTINGS)
    best = int(np.argmin(found.validation_loss))
    trained = restarts.train(layers_for(few_letters), few_letters, seed=5, **SETTINGS)
    report = trained.report
    assert report["selected"] == best
    np.testing.assert_allclose(report["restarts"], found.validation_loss)
    np.testing.assert_allclose(
        report["history"]["validation_loss"], found.history["validation_loss"][best]
    )
    assert report["test"]["accuracy"] == pytest.approx(found.test_accuracy[best])
    hidden, readout = trained.model.get_weights()
    order = [0, 1] if np.array_equal(hidden, found.hidden[best]) else [1, 0]
    np.testing.assert_array_equal(hidden, found.hidden[best][:, order])
    np.testing.assert_array_equal(readout, found.readout[best][order])


def test_same_seed_same_bytes(few_letters):
    def weights(seed):
        trained = restarts.train(layers_for(few_letters), few_letters, seed=seed, **SETTINGS)
        return [values.tobytes() for values in trained.model.get_weights()]

    first = weights(1)
    assert weights(1) == first
    assert weights(2) != first


def cosine(a, b):
    return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))


def finds_the_described_code(path, seed):
    """No errors and no ties; one node for the bottom leg, one for the two upper arms."""
    write_dataset(path, efl.make(seed=seed))
    with open_dataset(path) as dataset:
        trained = restarts.train(layers_for(dataset), dataset, seed=1000 + seed)
    letters = efl.templates(9, 7).reshape(3, -1)
    leg, arms = np.maximum(trained.model.get_layer("hidden").kernel.numpy(), 0).T
    fit = min(cosine(leg, letters[0] - letters[1]), cosine(arms, letters[0] - letters[2]))
    return trained.report["test"]["errors"] == 0 and fit >= 0.9


def test_the_recipe_finds_the_described_code(tmp_path):
    found = [finds_the_described_code(tmp_path / "dataset.h5", seed) for seed in range(20)]
    assert sum(found) >= 19


def test_with_orders_of_their_own_networks_are_still_those_of_keras(few_letters):
    settings = SETTINGS | {"l1": 0.0}
    found = restarts.train_all(few_letters, seed=5, nodes=2, **settings, own_orders=True)

    stream = np.random.default_rng(5)
    pixels = 9 * 7
    hidden = stream.uniform(-1, 1, (3, pixels, 2)) * np.sqrt(6 / (pixels + 2))
    readout = stream.uniform(-1, 1, (3, 2, 3)) * np.sqrt(6 / 5)
    rows = np.tile(np.arange(90), (3, 1))
    orders = [stream.permuted(rows, axis=1)[:, :80].reshape(3, 4, 20) for _ in range(2)]
    images = few_letters["train"].images[:].reshape(90, pixels)
    labels = few_letters["train"].labels
    assert not np.array_equal(orders[0][0], orders[0][1])
    for number in range(3):
        model = keras.Sequential(
            [
                keras.Input((pixels,)),
                keras.layers.Dense(2, "relu", use_bias=False),
                keras.layers.Dense(3, use_bias=False),
            ]
        )
        model.set_weights([hidden[number], readout[number]])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss)
        for order in orders:
            for batch in order[number]:
                model.train_on_batch(images[batch], labels[batch])
        np.testing.assert_allclose(found.hidden[number], model.get_weights()[0], atol=2e-5)
        np.testing.assert_allclose(found.readout[number], model.get_weights()[1], atol=2e-5)


def test_without_training_the_networks_are_as_they_started(few_letters):
    settings = SETTINGS | {"epochs": 0}
    found = restarts.train_all(few_letters, seed=5, nodes=2, **settings)
    first = restarts._initial(np.random.default_rng(5), (3, 9 * 7, 2), "glorot")
    np.testing.assert_array_equal(found.hidden, first)
    assert {values.shape for values in found.history.values()} == {(3, 0)}
    assert found.validation_loss.shape == found.test_accuracy.shape == (3,)
