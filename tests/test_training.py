"""Training: measures worked out by hand, one step by hand, and recipes on tiny data."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from pixelspace.artifacts import Dataset, Sample, Split, open_dataset, write_dataset
from pixelspace.datasets import efl
from pixelspace.networks import cnn, efficientnet, scratch, training, transfer
from pixelspace.networks.build import logits_model


def test_a_tie_is_an_error():
    logits = np.array([[2.0, 1, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1], [0, 3, 1]])
    labels = np.array([0, 0, 2, 0, 2])
    np.testing.assert_array_equal(training.verdicts(logits, labels), [0, 1, 0, 1, 1])
    result = training.evaluate(logits, labels, "softmax")
    assert (result["errors"], result["ties"], result["images"]) == (4, 3, 5)
    assert result["accuracy"] == pytest.approx(1 / 5)
    np.testing.assert_array_equal(
        training.confusion(logits, labels), [[1, 2, 0], [0, 0, 0], [1, 1, 0]]
    )


def test_losses_by_hand():
    logits, labels = np.array([[0.0, math.log(3)]]), np.array([1])
    softmax = training.evaluate(logits, labels, "softmax")["loss"]
    assert softmax == pytest.approx(math.log(4 / 3))
    sigmoid = training.evaluate(logits, labels, "sigmoid")["loss"]
    assert sigmoid == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)


def test_batches_hold_every_image_once_with_its_label():
    inputs, labels = np.arange(10) * 10, np.arange(10)
    batches = list(training.shuffled_batches(inputs, labels, 3, np.random.default_rng(0)))
    assert [len(images) for images, _ in batches] == [3, 3, 3]
    seen = np.concatenate([classes for _, classes in batches])
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), seen * 10)
    assert len(set(seen)) == 9 and not np.array_equal(seen, np.sort(seen))
    ((images, _),) = training.shuffled_batches(inputs, labels, 64, np.random.default_rng(0))
    assert sorted(images) == list(inputs)


def test_one_step_by_hand():
    """Logits 0: the softmax's gradient is p - y; the penalty adds 1 to each weight's."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([np.zeros((2, 2))])
    kernel = model.layers[0].kernel
    history = training.fit(
        model,
        [[(np.array([[1.0, 2.0]]), np.array([0]))]],
        optimizer=keras.optimizers.SGD(0.1),
        activation="softmax",
        penalty=lambda: tf.reduce_sum(kernel),
        inspect=lambda: {"first": kernel[0, 0]},
    )
    np.testing.assert_allclose(kernel, [[-0.05, -0.15], [0.0, -0.2]], atol=1e-6)
    assert history == {"first": [pytest.approx(-0.05)]}


def test_shifts_move_every_image_by_itself_and_repeat_the_border():
    image = np.zeros((1, 3, 4, 1), np.uint8)
    image[0, 1, 1] = 9
    image[0, 0, :] = 5
    many = np.repeat(image, 500, axis=0)
    moved = scratch.varied(many, np.random.default_rng(0), shift=1, flip=False)
    assert moved.shape == many.shape and moved.dtype == np.uint8
    kinds = {each.tobytes(): each[..., 0] for each in moved}
    assert len(kinds) == 9
    down = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [0, 9, 0, 0]])
    up_left = np.array([[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    for expected in (down, up_left):
        assert any(np.array_equal(expected, kind) for kind in kinds.values())


def test_flips_mirror_about_half_of_the_images():
    many = np.repeat(np.array([[[[1], [2], [3]]]], np.uint8), 400, axis=0)
    flipped = scratch.varied(many, np.random.default_rng(0), shift=0, flip=True)[:, 0, :, 0]
    mirrored = (flipped == [3, 2, 1]).all(axis=1)
    assert (mirrored | (flipped == [1, 2, 3]).all(axis=1)).all()
    assert 160 < mirrored.sum() < 240


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    path = tmp_path_factory.mktemp("letters") / "dataset.h5"
    counts = {"validation_per_class": 20, "test_per_class": 50}
    write_dataset(path, efl.make(seed=1, rows=12, columns=8, images_per_class=100, **counts))
    with open_dataset(path) as dataset:
        yield dataset


def small_cnn(dataset):
    return cnn.layers(
        input_shape=dataset.image_shape, classes=3, filters=(4, 4), kernel=3, dense=8, white=1.0
    )


def train_scratch(dataset, **settings):
    return scratch.train(
        small_cnn(dataset),
        dataset,
        **{"seed": 1, "epochs": 6, "batch": 10, "learning_rate": 0.01, **settings},
    )


def weight_bytes(trained):
    return b"".join(weights.tobytes() for weights in trained.model.get_weights())


def test_scratch_learns_and_reports(letters):
    report = train_scratch(letters).report
    assert report["test"]["accuracy"] > 0.9
    assert report["test"]["images"] == 150
    assert np.trace(report["confusion"]) == 150 - report["test"]["errors"]
    assert np.sum(report["confusion"], axis=1).tolist() == [50, 50, 50]
    curves = report["history"]
    assert {len(values) for values in curves.values()} == {6}
    assert curves["train_loss"][-1] < 0.5 * curves["train_loss"][0]
    assert report["class_names"] == ["E", "F", "L"]
    assert report["recipe"]["name"] == "scratch" and report["recipe"]["epochs"] == 6
    total = 4 * 9 + 4 + 4 * 4 * 9 + 4 + 3 * 2 * 4 * 8 + 8 + 8 * 3 + 3
    assert report["parameters"] == {"total": total, "trainable": total}
    assert sum(layer["parameters"] for layer in report["network"]) == total
    json.dumps(report, allow_nan=False)


def test_same_seed_same_bytes(letters):
    first = weight_bytes(train_scratch(letters, epochs=1, flip=True))
    assert weight_bytes(train_scratch(letters, epochs=1, flip=True)) == first
    assert weight_bytes(train_scratch(letters, epochs=1, flip=True, seed=2)) != first


def test_images_read_from_the_file_train_as_those_in_memory(letters, monkeypatch):
    in_memory = weight_bytes(train_scratch(letters, epochs=1))
    monkeypatch.setattr(training, "IN_MEMORY", 0)
    assert weight_bytes(train_scratch(letters, epochs=1)) == in_memory


@pytest.fixture(scope="module")
def stripes(tmp_path_factory):
    """Colour images of noise whose classes differ in the direction of faint stripes."""
    stream = np.random.default_rng(0)
    wave = 40 * np.sin(np.arange(32) * 1.5)

    def samples(count):
        for index in range(count):
            label = index % 2
            stripe = wave[:, None, None] if label else wave[None, :, None]
            image = 128 + stripe + stream.normal(0, 20, (32, 32, 3))
            yield Sample(image.clip(0, 255).astype(np.uint8), label, str(index))

    counts = {"train": 60, "validation": 20, "test": 40}
    splits = {name: Split(count, (32, 32, 3), samples(count)) for name, count in counts.items()}
    path = tmp_path_factory.mktemp("stripes") / "dataset.h5"
    write_dataset(path, Dataset(("across", "down"), (0.0, 255.0), "uint8", splits))
    with open_dataset(path) as dataset:
        yield dataset


@pytest.fixture
def pretrained(monkeypatch):
    """Three blocks in place of sixteen, whose first weights stand for those of ImageNet."""
    stages = (efficientnet.Stage(1, 3, 1, 1, 8), efficientnet.Stage(2, 3, 2, 2, 12))
    monkeypatch.setattr(efficientnet, "STAGES", stages)
    weights = {}

    def load(model, path):
        assert path == "the file"
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_variance.assign(0.1 * layer.moving_variance)  # lest signals fade
        weights.update(weights_of(model))

    monkeypatch.setattr(transfer, "load_imagenet", load)
    return weights


def weights_of(model):
    return {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }


def train_transfer(dataset, **settings):
    layers = efficientnet.layers(input_shape=dataset.image_shape, classes=2)
    settings = {"seed": 1, "weights": "the file", "batch": 20, **settings}
    return transfer.train(layers, dataset, **settings)


def changed(trained, pretrained):
    return {
        name
        for name, values in weights_of(trained.model).items()
        if not np.array_equal(values, pretrained[name])
    }


def test_transfer_trains_the_head_alone(stripes, pretrained):
    trained = train_transfer(stripes)
    report = trained.report
    assert report["test"]["accuracy"] > 0.9
    assert report["parameters"]["trainable"] == 1280 * 2 + 2
    assert len(report["history"]["validation_loss"]) == 30
    assert changed(trained, pretrained) == {"logits/kernel", "logits/bias"}
    # the logits that are reported come from features; the whole model makes the same
    whole = training.compiled(logits_model(trained.model))
    logits = training.outputs(whole, stripes["test"])
    result = training.evaluate(logits, stripes["test"].labels, "softmax")
    assert result["loss"] == pytest.approx(report["test"]["loss"], rel=1e-4)


def test_fine_tuning_changes_the_last_blocks_and_no_statistics(stripes, pretrained):
    trained = train_transfer(stripes, epochs=2, fine_tune_blocks=1, fine_tune_epochs=2)
    assert len(trained.report["history"]["train_loss"]) == 4
    assert changed(trained, pretrained) == {
        "b2_expand_conv/kernel",
        "b2_dw_conv/kernel",
        "b2_project_conv/kernel",
        "head_conv/kernel",
        "logits/kernel",
        "logits/bias",
    }


def test_transfer_gives_the_same_bytes_for_the_same_seed(stripes, pretrained):
    first = weight_bytes(train_transfer(stripes, epochs=2))
    assert weight_bytes(train_transfer(stripes, epochs=2)) == first


def test_features_read_from_the_file_train_as_those_in_memory(stripes, pretrained, monkeypatch):
    in_memory = train_transfer(stripes, epochs=2)
    monkeypatch.setattr(training, "IN_MEMORY", 0)
    monkeypatch.setattr(transfer, "ROWS", 7)
    from_file = train_transfer(stripes, epochs=2)
    assert weight_bytes(from_file) == weight_bytes(in_memory)
    history = {name: pytest.approx(values) for name, values in in_memory.report["history"].items()}
    assert from_file.report["history"] == history


def test_the_last_layers_of_a_network_are_counted_in_blocks():
    layers = efficientnet.layers(input_shape=(32, 32, 3), classes=2)
    two = transfer.last_layers(layers, 2)
    assert "b14_expand_conv" in two and "logits" in two
    assert not any("bn" in name or name.startswith("b13") for name in two)
    assert "b0_dw_conv" in transfer.last_layers(layers, 16)
    assert "stem_conv" not in transfer.last_layers(layers, 16)
