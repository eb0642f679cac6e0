"""Sanity checks of attribution: comparisons by hand, and networks whose maps are known."""

import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored
from scipy.stats import binomtest, bootstrap, spearmanr

from pixelspace.measures import correlations, intervals, sanity
from pixelspace.projections import randomized

kinds = keras.layers
SIDE = 12  # the window of structural similarity fits into it


def test_rank_correlation_by_hand_and_as_scipy_has_it():
    rising = np.array([[1.0, 2.0], [30.0, 400.0]])
    assert correlations.rank_correlation(rising, rising**3) == pytest.approx(1)
    assert correlations.rank_correlation(rising, -rising) == pytest.approx(-1)
    # Ranks 1 2 3 4 and 1 2 4 3: 1 - 6 (0 + 0 + 1 + 1) / (4 * 15).
    swapped = np.array([[0.0, 1.0], [9.0, 8.0]])
    assert correlations.rank_correlation(rising, swapped) == pytest.approx(0.8)
    assert correlations.rank_correlation(rising, np.zeros((2, 2))) == 0
    a, b = np.random.default_rng(0).integers(0, 6, (2, 9, 7))  # with many ties
    assert correlations.rank_correlation(a, b) == pytest.approx(
        spearmanr(a.ravel(), b.ravel()).statistic
    )


def test_sign_and_scale_do_not_count_for_the_similarity_of_sizes():
    map_ = np.random.default_rng(1).normal(size=(SIDE, SIDE + 3))
    assert sanity.similarity_of_sizes(map_, -7 * map_) == pytest.approx(1)
    assert sanity.similarity_of_sizes(map_, np.zeros_like(map_)) == pytest.approx(0, abs=0.01)
    assert sanity.similarity_of_sizes(0 * map_, 0 * map_) == pytest.approx(1)


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(2).exponential(size=80)
    low, high = intervals.of_mean(values, seed=0)
    other = bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=1)
    assert low == pytest.approx(other.confidence_interval.low, abs=0.02)
    assert high == pytest.approx(other.confidence_interval.high, abs=0.02)
    assert intervals.of_mean(values, seed=0) == (low, high)
    assert intervals.of_mean(np.array([0.5]), seed=0) == (0.5, 0.5)


def test_the_interval_of_a_share_is_wilsons_as_scipy_has_it():
    for won, total in ((0, 20), (3, 10), (10, 10), (57, 60)):
        expected = binomtest(won, total).proportion_ci(intervals.COVERAGE, method="wilson")
        assert intervals.of_share(won / total, total) == pytest.approx(expected, abs=1e-9)
    low, high = intervals.of_share(2.5 / 10, 10)
    assert intervals.of_share(0.2, 10)[0] < low < 0.25 < high < intervals.of_share(0.3, 10)[1]


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    generator = np.random.default_rng(3)
    found = [intervals.of_mean(generator.normal(size=50), seed=i) for i in range(300)]
    share = np.mean([low <= 0 <= high for low, high in found])
    assert share == pytest.approx(intervals.COVERAGE, abs=0.04)


def test_maps_of_noise_have_nothing_in_common_but_the_image_that_they_are_multiplied_with():
    plane = np.zeros((40, 24, 24))
    plane[:, 8:16, 8:16] = 255
    found = sanity.controls(plane, 0)
    assert found["noise_spearman"] == pytest.approx(0, abs=0.02)
    assert found["noise_times_input_spearman"] == pytest.approx(0, abs=0.05)
    # The background is the same nothing in both.
    assert found["noise_times_input_ssim"] > found["noise_ssim"] + 0.2


def test_of_two_layers_or_fifty_the_stages_have_their_shares():
    assert randomized.depths(4) == {"top": 1, "half": 2, "most": 3, "all": 4}
    assert randomized.depths(50) == {"top": 1, "half": 25, "most": 38, "all": 50}
    assert randomized.depths(2) == {"top": 1, "half": 1, "most": 2, "all": 2}
    assert randomized.depths(1) == {"top": 1, "half": 1, "most": 1, "all": 1}


def deep() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = sequential(
        (SIDE, SIDE, 1),
        kinds.Conv2D(3, 3, use_bias=False, name="first"),
        kinds.BatchNormalization(name="first_bn"),
        kinds.ReLU(),
        kinds.Conv2D(2, 3, activation="relu", name="second"),
        kinds.GlobalAveragePooling2D(),
        kinds.Dense(3, name="logits"),
    )
    generator = np.random.default_rng(0)
    model.set_weights([generator.uniform(0.5, 1, w.shape) for w in model.get_weights()])
    return model


def test_layers_lose_their_weights_from_the_logits_down_with_their_normalization():
    model = deep()
    assert randomized.from_the_top(model) == [["logits"], ["second"], ["first_bn", "first"]]
    copy = randomized.twin(model)
    weights = randomized.untrained(model, 7)
    own = {layer.name: layer.get_weights() for layer in model.layers}
    changed = {
        "top": {"logits"},
        "half": {"logits", "second"},
        "most": {"logits", "second", "first", "first_bn"},
        "all": {"logits", "second", "first", "first_bn"},
    }
    for stage in randomized.cascade(model, copy, weights):
        for layer in copy.layers:
            expected = weights if layer.name in changed[stage] else own
            for found, value in zip(layer.get_weights(), expected[layer.name], strict=True):
                np.testing.assert_array_equal(found, value)
    for name, values in own.items():
        for found, value in zip(model.get_layer(name).get_weights(), values, strict=True):
            np.testing.assert_array_equal(found, value)


def test_untrained_weights_are_those_of_the_initializers_and_of_a_seed():
    model = deep()
    one, same, other = (randomized.untrained(model, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["second"][0], same["second"][0])
    assert (one["second"][0] != other["second"][0]).all()
    assert np.abs(one["second"][0]).max() <= np.sqrt(6 / (9 * 3 + 9 * 2))  # Glorot uniform
    assert not one["second"][1].any()
    gamma, beta, mean, variance = one["first_bn"]
    for values, fresh in ((gamma, 1), (beta, 0), (mean, 0), (variance, 1)):
        assert (values == fresh).all()


def linear() -> keras.Model:
    """Logits that are sums over the left half of the image, its right half, and minus the left."""
    model = sequential((SIDE, SIDE, 1), kinds.Flatten(), kinds.Dense(3, name="logits"))
    left = np.zeros((SIDE, SIDE))
    left[:, : SIDE // 2] = 1
    columns = np.stack([left.ravel(), 1 - left.ravel(), -left.ravel()], 1)
    return set_weights(model, logits=[columns, np.zeros(3)])


def test_of_a_linear_network_the_comparisons_are_known(tmp_path):
    """The image is 2 on the left and 1 on the right, so that the left is predicted.

    The gradient is 1 on the left; of the least likely class it is the opposite.
    """
    image = np.ones((SIDE, SIDE, 1), np.float32)
    image[:, : SIDE // 2] = 2
    images = np.stack([image, 3 * image])
    model = linear()
    own = model.get_weights()
    with stored(tmp_path / "d.h5", images, [0, 0], ("left", "right", "none")) as dataset:
        settings = {"methods": ["gradient", "gradient_times_input"], "images": 2, "draws": 20}
        found = sanity.measure(model, dataset, seed=5, **settings)
        again = sanity.measure(model, dataset, seed=5, **settings)
    assert found == again
    assert found["gradient_across_logits"] == pytest.approx(-1)
    assert found["gradient_with_input"] == pytest.approx(1)
    assert found["gradient_with_input_low"] == pytest.approx(1)
    assert found["gradient_times_input_with_input"] == pytest.approx(1)
    assert (found["images"], found["layers"], found["layers_top"]) == (2, 1, 1)
    # Random weights know nothing of the left: twenty draws of 144 of them.
    assert found["gradient_spearman_top"] == pytest.approx(0, abs=0.06)
    assert found["gradient_spearman_all"] == found["gradient_spearman_top"]
    assert found["gradient_times_input_ssim_all"] < 0.5
    for value, before in zip(model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(value, before)
    assert all(isinstance(value, int | float) and np.isfinite(value) for value in found.values())


def test_a_picture_shows_what_the_measure_compares(tmp_path):
    images = np.random.default_rng(0).uniform(size=(3, SIDE, SIDE, 1)).astype(np.float32)
    model = linear()
    with stored(tmp_path / "d.h5", images, [0, 1, 0], ("left", "right", "none")) as dataset:
        found = randomized.project(model, dataset, seed=0, methods=["gradient"], image=1)
    gradient = found.arrays["maps_0"]
    names = ["left", "right", "none"]
    assert gradient.shape == (6, SIDE, SIDE, 1)
    for number, name in enumerate(found.about["explained"][:2]):
        expected = model.get_weights()[0][:, names.index(name)].reshape(SIDE, SIDE)
        np.testing.assert_allclose(gradient[number, ..., 0], expected)
    assert found.about["explained"][1] == "none"  # the only logit below zero
    assert found.about["random_layers"] == [0, 0, 1, 1, 1, 1]
    assert (found.about["split"], found.about["image"]) == ("test", 1)
    weights = randomized.untrained(model, 0)["logits"][0]
    random = weights[:, names.index(found.about["predicted"])].reshape(SIDE, SIDE)
    np.testing.assert_allclose(gradient[5, ..., 0], random)
    assert found.about["label"] == "right"
    np.testing.assert_array_equal(found.arrays["input"], images[1])
