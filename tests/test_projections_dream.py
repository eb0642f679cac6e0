"""Dreams: blurs by hand, and that what is meant to grow grows."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from projection_examples import sequential, set_weights, stored

from pixelspace.artifacts import Dataset, Sample, Split, open_dataset, write_dataset
from pixelspace.errors import UserError
from pixelspace.projections import dream
from pixelspace.projections.feature_maps import layer_outputs

kinds = keras.layers


def network(channels: int) -> keras.Model:
    keras.utils.set_random_seed(3)
    return sequential(
        (24, 20, channels),
        kinds.Rescaling(1 / 255),
        kinds.Conv2D(8, 3, padding="same", name="conv", use_bias=False),
        kinds.BatchNormalization(name="norm"),
        kinds.ReLU(max_value=6),
        kinds.Conv2D(4, 3, strides=2, padding="same", name="deep"),
        kinds.GlobalAveragePooling2D(),
        kinds.Dense(2, name="logits"),
        kinds.Softmax(name="probabilities"),
    )


def picture(channels: int) -> np.ndarray:
    shape = (24, 20, channels)
    return np.random.default_rng(0).uniform(60, 190, shape).astype(np.float32)


def test_a_blur_spreads_a_point_as_a_gaussian_does():
    point = np.zeros((1, 9, 11, 2), np.float32)
    point[0, 4, 5, 1] = 1
    found = dream.blur(tf.constant(point), 1.0).numpy()[0]
    assert not found[..., 0].any()
    np.testing.assert_allclose(found[..., 1].sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(found[4, 6, 1] / found[4, 5, 1], np.exp(-1 / 2), rtol=1e-5)
    np.testing.assert_allclose(found[2, 5, 1] / found[4, 5, 1], np.exp(-4 / 2), rtol=1e-5)


def test_each_blur_counts_alike():
    gradient = tf.constant(np.random.default_rng(0).normal(size=(1, 40, 40, 3)), tf.float32)
    one, two = (dream.smoothed(gradient, [sigma]).numpy() for sigma in (0.6, 2.4))
    np.testing.assert_allclose([one.std(), two.std()], [1, 1], rtol=1e-5)
    both = dream.smoothed(1000 * gradient, [0.6, 2.4])
    np.testing.assert_allclose(both, (one + two) / 2, rtol=1e-3, atol=1e-4)


def always_shifted(monkeypatch) -> None:
    """Let every random shift be the largest one."""
    monkeypatch.setattr(tf.random, "stateless_uniform", lambda *_: tf.ones(2))


def test_one_step_by_hand(monkeypatch):
    model = sequential((5, 6, 1), kinds.Activation("linear", name="same"))
    always_shifted(monkeypatch)
    image = np.zeros((5, 6, 1), np.float32)
    image[2, 3] = 50
    settings = {"octaves": 1, "steps": 1, "jitter": 2, "step": 0.1, "blurs": dream.LEAST_SIGMA}
    found = dream.deep_dream(model, image, "same", seed=0, **settings)[-1]
    # of one number in thirty that is not 0, the standard deviation is the root of 1/30 - 1/30^2
    image[2, 3] += 0.1 * 255 / np.sqrt(1 / 30 - 1 / 30**2)
    np.testing.assert_allclose(found, image, rtol=1e-5, atol=1e-9)


def test_what_a_size_adds_is_carried_over(monkeypatch):
    monkeypatch.setattr(dream, "smoothed", lambda gradient, sigmas: tf.ones_like(gradient))
    frames = dream.deep_dream(network(3), picture(3), "deep", seed=0, octaves=3, steps=2)
    added = (frames - picture(3)).mean((1, 2, 3))
    np.testing.assert_allclose(added, 2 * 0.01 * 255 * np.arange(4), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_layers_mean_square_grows(channels):
    model = network(channels)
    frames = dream.deep_dream(model, picture(channels), "deep", seed=0, octaves=2, jitter=3)
    assert frames.shape == (3, 24, 20, channels)
    np.testing.assert_array_equal(frames[0], picture(channels))
    assert frames.min() >= 0
    assert frames.max() <= 255
    before, after = (layer_outputs(model, frames[[0, -1]], ["deep"])["deep"] ** 2).mean((1, 2, 3))
    assert after > 1.5 * before


def test_the_chosen_channel_grows():
    model = network(1)
    for channel in range(4):
        frames = dream.deep_dream(model, picture(1), "deep", channel, seed=0, octaves=1, jitter=2)
        outputs = layer_outputs(model, frames[[0, -1]], ["deep"])["deep"]
        before, after = outputs.mean((1, 2))[:, channel]
        assert after > before + 0.25 * outputs[0, ..., channel].std()


def test_the_seed_decides_and_the_size_is_free():
    image = np.random.default_rng(0).uniform(0, 255, (31, 45, 3)).astype(np.float32)
    settings = {"octaves": 2, "steps": 3, "jitter": 4}
    one = dream.deep_dream(network(3), image, "deep", seed=1, **settings)
    same = dream.deep_dream(network(3), image, "deep", seed=1, **settings)
    other = dream.deep_dream(network(3), image, "deep", seed=2, **settings)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1


def test_a_dream_on_a_data_set(tmp_path):
    images = np.stack([picture(3), picture(3) / 2, picture(3) / 3])
    settings = {"seed": 0, "layer": "deep", "octaves": 2, "steps": 2, "jitter": 2}
    with stored(tmp_path / "data.h5", images, [1, 0, 1], value_range=(0, 255)) as dataset:
        found = dream.project(network(3), dataset, label="b", index=1, **settings)
        with pytest.raises(UserError, match="^index 2: class b has 2 images in split large$"):
            dream.project(network(3), dataset, label="b", index=2, **settings)
        with pytest.raises(UserError, match="^label c: the classes are a, b$"):
            dream.project(network(3), dataset, label="c", **settings)
    np.testing.assert_array_equal(found.arrays["frames"][0], images[2])
    assert found.about["image"] == {"split": "large", "index": 2, "label": "b"}
    np.testing.assert_allclose(found.arrays["probabilities"].sum(1), [1, 1], rtol=1e-6)
    odds = np.exp(found.arrays["logits"])
    np.testing.assert_allclose(
        found.arrays["probabilities"], odds / odds.sum(1, keepdims=True), rtol=1e-5
    )


def test_an_image_that_is_too_small_for_the_layer_is_refused():
    with pytest.raises(UserError, match="^octaves: at 1 x 1 pixels, the smallest of 9 sizes"):
        dream.deep_dream(valid_network(), picture(3), "deep", seed=0, octaves=9, scale=2.0)


def valid_network() -> keras.Model:
    return sequential(
        (24, 20, 3),
        kinds.Conv2D(2, 3, name="deep"),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
    )


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("deep", "^tile 4: of a tile of 3 x 2 pixels nothing is left of layer deep; take larger"),
        ("logits", "^layer logits: it takes images of one size alone, 24 x 20 pixels"),
    ],
)
def test_tiles_that_are_too_small_for_the_layer_are_refused(layer, message):
    # 24 x 20 pixels are tiles of 4 x 4, and 6 x 5, an octave before, of 3 x 2
    settings = {"octaves": 2, "scale": 4.0} if layer == "deep" else {"octaves": 1}
    with pytest.raises(UserError, match=message):
        dream.deep_dream(valid_network(), picture(3), layer, seed=0, tile=4, **settings)


def test_a_guide_of_plain_numbers_leads_a_network_of_mixed_types():
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    scaled = kinds.Rescaling(1 / 255, -0.5, name="scaled", dtype=policy)
    model = sequential((12, 10, 3), scaled)
    image, guide = picture(3)[:12, :10], picture(3)[12:, 10:].tolist()
    frames = dream.deep_dream(model, image, "scaled", seed=0, guide=guide, octaves=1, steps=2)
    assert np.abs(frames[1] - frames[0]).max() > 1


def test_a_network_of_one_size_sees_the_dream_at_that_size(tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (2, 48, 40, 3)).astype(np.float32)
    settings = {"seed": 0, "layer": "deep", "octaves": 2, "steps": 2, "jitter": 2}
    model = valid_network()
    with stored(tmp_path / "data.h5", images, [1, 0], value_range=(0, 255)) as dataset:
        found = dream.project(model, dataset, label="a", **settings)
    assert found.arrays["frames"].shape == (3, 48, 40, 3)
    # to half the size, every pixel with a tent of weights
    seen = tf.image.resize(found.arrays["frames"][[0, -1]], (24, 20), antialias=True)
    np.testing.assert_allclose(found.arrays["logits"], model.predict(seen, verbose=0), rtol=1e-4)


def test_a_data_set_without_large_images_lends_its_test_images(tmp_path):
    images = np.stack([picture(3), picture(3) / 2])
    samples = [Sample(image, label, "made") for label, image in enumerate(images)]
    split = Split(2, images.shape[1:], samples)
    splits = dict.fromkeys(("train", "validation", "test"), split)
    write_dataset(tmp_path / "data.h5", Dataset(("a", "b"), (0, 255), "float32", splits))
    with open_dataset(tmp_path / "data.h5") as dataset:
        settings = {"seed": 0, "layer": "deep", "octaves": 1, "steps": 1, "jitter": 2}
        found = dream.project(network(3), dataset, label="b", **settings)
    assert found.about["image"] == {"split": "test", "index": 1, "label": "b"}


def test_a_dead_channel_is_noted(tmp_path):
    model = sequential(
        (24, 20, 3),
        kinds.Conv2D(2, 1, activation="relu", name="conv"),
        kinds.GlobalAveragePooling2D(),
        kinds.Dense(2, name="logits"),
    )
    set_weights(model, conv=[np.stack([np.ones((1, 1, 3)), -np.ones((1, 1, 3))], -1), [0.0, 0.0]])
    settings = {"seed": 0, "layer": "conv", "label": "a", "octaves": 2, "steps": 2}
    with stored(tmp_path / "data.h5", picture(3)[None], [0], value_range=(0, 255)) as dataset:
        alive, dead = (dream.project(model, dataset, channel=c, **settings) for c in (0, 1))
    assert alive.about["notes"] == []
    assert dead.about["notes"] == [f"layer conv: {dream.UNCHANGED}"]


def test_a_guide_is_grown_towards():
    model = network(3)
    guide = np.random.default_rng(7).uniform(0, 255, (24, 20, 3)).astype(np.float32)
    frames = dream.deep_dream(model, picture(3), "deep", seed=0, guide=guide, octaves=1, jitter=2)
    target = layer_outputs(model, guide[None], ["deep"])["deep"].reshape(-1, 4)
    shown = layer_outputs(model, frames[[0, -1]], ["deep"])["deep"].reshape(2, -1, 4)
    before, after = (shown @ target.T).max(-1).mean(1)
    assert after > 1.3 * before


def test_a_guide_leads_elsewhere_than_the_layer():
    # of what is darker than grey the square grows with darkness, the likeness to light with light
    model = sequential((24, 20, 1), kinds.Rescaling(1.0, -127.5, name="contrast"))
    settings = {"seed": 0, "octaves": 1, "jitter": 2}
    dark, light = 0.5 * picture(1), np.full((24, 20, 1), 200.0, np.float32)
    unguided = dream.deep_dream(model, dark, "contrast", **settings)[-1]
    guided = dream.deep_dream(model, dark, "contrast", guide=light, **settings)[-1]
    assert unguided.mean() < dark.mean() - 10
    assert guided.mean() > dark.mean() + 10


def test_each_place_is_matched_with_the_most_alike_of_the_guide():
    output = tf.constant([[[[1.0, 0.0], [0.0, 2.0]]]])
    guide = tf.constant([[3.0, 1.0], [1.0, 5.0], [-9.0, 0.0]])
    assert dream._score("guide", output, 0, guide) == 3 + 10
    assert dream._score("channel", output, 1, guide) == 2
    assert dream._score("layer", output, 0, guide) == 5


def test_tiles_cover_the_image_once():
    image = tf.constant(np.random.default_rng(0).normal(size=(1, 7, 10, 2)), tf.float32)
    sizes = []

    def gradient(part):
        sizes.append(part.shape[1:3])
        return 2 * part

    found = dream._in_tiles(gradient, image, 4, tf.constant([2, 3]))
    np.testing.assert_allclose(found, 2 * image)
    assert sizes == [(3, 3), (3, 3), (3, 4), (4, 3), (4, 3), (4, 4)]


def test_tiles_dream_too():
    settings = {"seed": 0, "octaves": 1, "steps": 10, "jitter": 2}
    whole = dream.deep_dream(network(3), picture(3), "deep", **settings)
    one = dream.deep_dream(network(3), picture(3), "deep", tile=24, **settings)
    np.testing.assert_allclose(one, whole, atol=0.01)
    model = network(3)
    frames = dream.deep_dream(model, picture(3), "deep", tile=12, **settings)
    before, after = (layer_outputs(model, frames[[0, -1]], ["deep"])["deep"] ** 2).mean((1, 2, 3))
    assert after > 1.3 * before


def test_tiles_are_shifted_by_up_to_half_the_image(monkeypatch):
    monkeypatch.setattr(dream, "smoothed", lambda gradient, sigmas: gradient)
    model = sequential((12, 12, 1), kinds.Conv2D(1, 3, padding="same", name="sums"))
    set_weights(model, sums=[np.ones((3, 3, 1, 1)), [0.0]])
    image = np.zeros((12, 12, 1), np.float32)
    always_shifted(monkeypatch)
    settings = {"octaves": 1, "steps": 1, "jitter": 1, "step": 0.01, "tile": 4}
    found = dream.deep_dream(model, image, "sums", 0, seed=0, **settings)[-1] / (0.01 * 255)
    # a pixel is in three sums of three along each axis, in two where its tile ends
    sums = np.array([3, 2, 2, 3, 3, 2, 2, 3, 3, 2, 2, 3])
    np.testing.assert_allclose(found[..., 0], np.outer(sums, sums), rtol=1e-5)
