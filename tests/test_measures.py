"""Measures, against values worked out by hand."""

import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored

from pixelspace.artifacts import Projection
from pixelspace.datasets import efl
from pixelspace.measures import correlations, letter_parts, regularizers, summaries
from pixelspace.projections.parametrizations import project as projected


def test_weights_split_into_the_parts_of_a_letter():
    masks = efl.masks(9, 7)
    weights = (
        2.0 * masks["leg"]
        - 0.5 * masks["arms"]
        + 1.0 * ~(masks["leg"] | masks["arms"] | masks["stem"])
    )
    parts = letter_parts.split_weights(weights, masks)
    assert parts == {
        "stem": 0.0,
        "arms": pytest.approx(-0.5 * masks["arms"].sum()),
        "leg": pytest.approx(2.0 * masks["leg"].sum()),
    }


def test_only_positive_weights_count_for_the_cosine():
    template = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert letter_parts.template_cosine(np.array([[3.0, 3.0], [-9.0, 0.0]]), template) == 1
    found = letter_parts.template_cosine(np.array([[3.0, 0.0], [0.0, 4.0]]), template)
    assert found == pytest.approx(3 / (5 * np.sqrt(2)))
    assert letter_parts.template_cosine(-template, template) == 0


def test_correlation_and_alikeness():
    ramp = np.arange(4.0).reshape(2, 2, 1)
    assert correlations.correlation(ramp, 3 * ramp + 7) == pytest.approx(1)
    assert correlations.correlation(ramp, -ramp) == pytest.approx(-1)
    assert correlations.correlation(ramp, np.ones_like(ramp)) == 0
    # Three pairs: +1, -1, -1.
    assert summaries.alikeness(np.stack([ramp, ramp + 1, -ramp])) == pytest.approx(-1 / 3)
    assert summaries.alikeness(ramp[None]) == 0


def test_zero_cells_of_feature_maps_are_counted():
    maps = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]])[..., None]
    projection = Projection(
        {"maps_0": maps, "maps_1": maps[:1, :1], "input": maps},
        {
            "kind": "feature_maps",
            "layers": [{"name": "relu", "units": [0]}, {"name": "dense", "units": [0]}],
        },
    )
    assert summaries.measure(projection) == {
        "height_relu": 3,
        "width_relu": 2,
        "zero_share_relu": pytest.approx(4 / 6),
    }


def test_pixels_outside_the_image_do_not_count_for_a_deconvolution():
    patch = np.array([[1.0, 2.0], [3.0, 99.0]]).reshape(1, 1, 2, 2, 1)
    picture = np.array([[2.0, 4.0], [6.0, -99.0]]).reshape(1, 1, 2, 2, 1)
    inside = np.array([[True, True], [True, False]]).reshape(1, 1, 2, 2)
    projection = Projection(
        {"patches": patch, "deconvolutions": picture, "inside": inside},
        {"kind": "deconvolutions"},
    )
    found = summaries.measure(projection)
    assert found["patch_correlation"] == pytest.approx(1)
    assert (found["field_height"], found["field_width"]) == (2, 2)


def test_what_a_dream_changed():
    frames = np.zeros((2, 1, 2, 1))
    frames[1] = [[[3.0], [4.0]]]
    projection = Projection(
        {
            "frames": frames,
            "logits": np.array([[1.0, 0.0], [1.5, 2.0]]),
            "probabilities": np.array([[0.7, 0.3], [0.4, 0.6]]),
        },
        {"kind": "dream", "value_range": [0, 10], "class_names": ["muffin", "dog"]},
    )
    found = summaries.measure(projection)
    assert found["change"] == pytest.approx(np.sqrt(12.5) / 10)
    assert found["top"] == 1
    assert (found["before_muffin"], found["after_dog"]) == (0.7, 0.6)


@pytest.mark.parametrize("kind", ["maximization", "maco"])
def test_images_that_climbed_are_counted(kind):
    values = np.array([[0.0, 4.0], [1.0, 3.0], [2.0, 2.0], [-1.0, 6.0]])
    shaped = values.reshape(2, 2, 2) if kind == "maximization" else values
    assert summaries.measure(Projection({"values": shaped}, {"kind": kind})) == {
        "images": 4,
        "climbed_share": 0.75,
        "median_before": 0.5,
        "median_after": 3.5,
    }


def test_a_depth_series_tells_what_its_layers_see():
    layers = [{"name": "conv1", "seen": [3, 3]}, {"name": "conv2", "seen": [8, 16]}]
    found = summaries.measure(Projection({}, {"kind": "depth_series", "layers": layers}))
    assert found == {"seen_conv1": 3, "seen_conv2": 8}


def test_maps_are_compared_with_each_other_and_with_the_image():
    ramp = np.arange(4.0).reshape(1, 2, 2, 1)
    colours = ramp * [1.0, 2.0, -1.0]  # they add up to twice the ramp
    split = np.array([0.0, 1.0, 1.0, 0.0]).reshape(1, 2, 2, 1)  # like no ramp
    found = summaries.measure(
        Projection(
            {
                "inputs": np.concatenate([ramp, ramp]),
                "maps_0": np.concatenate([colours, -colours]),
                "maps_1": np.concatenate([ramp, split]),
            },
            {
                "kind": "attribution",
                "methods": ["gradient", "integrated_gradients"],
                "completeness_gaps": [1.0, -0.5],
            },
        )
    )
    assert found == {
        "images": 2,
        "gradient_and_integrated_gradients": pytest.approx((1 + 0) / 2),
        "gradient_and_input": pytest.approx((1 - 1) / 2),
        "integrated_gradients_and_input": pytest.approx((1 + 0) / 2),
        # Shares add up to 6 and 2, so the classes gain 5 and 2.5.
        "completeness_gap": pytest.approx((1 + 0.5) / (5 + 2.5)),
    }


def test_errors_of_inversions_are_averaged_over_the_images():
    ramp = np.arange(4.0).reshape(1, 2, 2, 1)
    inputs = np.concatenate([ramp, ramp])
    made = np.stack([3 * inputs, np.concatenate([ramp, -ramp])])
    projection = Projection(
        {"inputs": inputs, "made": made, "errors": np.array([[0.25, 0.75], [1.0, 3.0]])},
        {"kind": "inversion", "layers": ["pool1", "logits"]},
    )
    assert summaries.measure(projection) == {
        "images": 2,
        "error_pool1": 0.5,
        "correlation_pool1": pytest.approx(1),
        "error_logits": 2.0,
        "correlation_logits": pytest.approx(0),
    }


def test_vectors_outside_the_fields_of_an_atlas_are_counted():
    arrays = {"counts": np.array([3, 7, 4]), "layout": np.zeros((17, 2))}
    assert summaries.measure(Projection(arrays, {"kind": "atlas"})) == {
        "fields": 3,
        "vectors": 14,
        "left_out": 3,
        "fullest": 7,
    }


def test_kernels_that_are_next_to_nothing_are_counted():
    kernels = np.zeros((3, 1, 2, 1))
    kernels[0, 0, 1], kernels[1, 0, 0], kernels[2, 0, 0] = -2.0, 0.019, 0.021
    found = summaries.measure(Projection({"projections": kernels}, {"kind": "weights"}))
    assert found == {"height": 1, "width": 2, "shown": 3, "negligible": 1}


def test_a_projection_without_a_summary_has_no_numbers():
    assert summaries.measure(Projection({}, {"kind": "sphere"})) == {}


def test_fine_waves_are_told_from_coarse_ones():
    rows, columns = np.mgrid[:16, :16]
    checkers = ((rows + columns) % 2)[None, ..., None].astype(float)
    wave = np.cos(2 * np.pi * columns / 8)[None, ..., None]  # an eighth of a cycle in a pixel
    assert regularizers.fine_share(checkers) == pytest.approx(1)
    assert regularizers.fine_share(wave) == pytest.approx(0)
    # A checkerboard of 0 and 1 has the variance 1/4, the wave 1/2; the mean does not count.
    both = checkers + wave + 7
    assert regularizers.fine_share(both) == pytest.approx((1 / 4) / (1 / 4 + 1 / 2))
    assert regularizers.fine_share(np.concatenate([checkers, wave])) == pytest.approx(1 / 2)
    assert regularizers.fine_share(np.ones((1, 16, 16, 3))) == 0


def test_white_noise_has_a_known_share_of_fine_waves():
    noise = np.random.default_rng(0).normal(size=(50, 64, 64, 3))
    # A circle of radius 1/4 in the square of frequencies, whose side is 1.
    assert regularizers.fine_share(noise) == pytest.approx(1 - np.pi / 16, abs=0.005)


def test_shares_are_of_what_is_over_zero():
    values, whole = np.array([1.0, 6.0, 9.0, 5.0]), np.array([2.0, 4.0, 3.0, -1.0])
    assert regularizers.share_of(values, whole) == 1.5
    assert regularizers.share_of(values, -np.ones(4)) == 0


def test_a_units_strongest_cell_and_its_mean():
    outputs = np.arange(16.0).reshape(2, 2, 2, 2)  # cells of unit 1: 1, 3, 5, 7 and 9, 11, 13, 15
    units = np.array([1, 0])
    assert regularizers.of_units(outputs, units, strongest=True).tolist() == [7, 14]
    assert regularizers.of_units(outputs, units, strongest=False).tolist() == [4, 11]
    assert regularizers.of_units(outputs[:, 0, 0], units, strongest=False).tolist() == [1, 8]


def test_spread_is_of_what_goes_with_what():
    one, other = np.zeros((2, 1, 2, 2))
    one[..., 0] = 1  # the first channel alone in both cells, and the second alone
    other[..., 1] = 1
    assert regularizers.spread(np.stack([one, 3 * one]), 2) == pytest.approx(0, abs=1e-6)
    assert regularizers.spread(np.stack([one, other]), 2) == pytest.approx(1)
    groups = np.stack([one, one, one, other])
    assert regularizers.spread(groups, 2) == pytest.approx(1 / 2)


def test_images_are_shrunk_to_the_means_of_what_they_show():
    halves = np.zeros((1, 8, 8, 3), np.float32)
    halves[:, :, 4:] = 200
    small = regularizers.shrunk(halves, 2)
    assert small.shape == (1, 2, 2, 3)
    assert small.mean() == pytest.approx(100, rel=0.01)
    np.testing.assert_array_equal(regularizers.shrunk(halves, 8), halves)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Measure images made for a network whose unit 0 is the mean of red, and unit 1 of blue."""
    convolution = keras.layers.Conv2D(2, 1, use_bias=False, name="colours")
    head = keras.layers.Dense(2, use_bias=False, name="logits")
    model = sequential(
        (16, 16, 3),
        convolution,
        keras.layers.GlobalAveragePooling2D(),
        head,
        keras.layers.Softmax(),
    )
    set_weights(
        model,
        colours=np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]).reshape(1, 1, 3, 2),
        logits=30 * np.array([[1.0, -1.0], [-1.0, 1.0]]),
    )
    labels = np.arange(24) % 2
    images = np.random.default_rng(0).uniform(0, 0.5, (24, 16, 16, 3)).astype("float32")
    images[np.arange(24), ..., 2 * labels] += 0.5  # red, and blue
    settings = {"cnn": {"filters": [4], "kernel": 3, "dense": 8, "dropout": 0.0}}
    settings |= {"scratch": {"epochs": 30, "batch": 8, "learning_rate": 0.02, "shift": 0}}
    with stored(tmp_path_factory.mktemp("red") / "dataset.h5", images, labels) as dataset:
        made = projected(model, dataset, seed=3, layer="colours", units=[0, 1], starts=2, steps=16)
        judges = {"count": 2, "size": 8, **settings}
        numbers = regularizers.measure(
            model, dataset, seed=3, projection=made, draws=4, judges=judges
        )
        again = regularizers.measure(
            model, dataset, seed=3, projection=made, draws=4, judges=judges
        )
    assert numbers == again
    return made, numbers


def test_images_of_regularizers_have_their_rows(measured):
    made, _ = measured
    arrays, about = made.arrays, made.about
    assert about["of_units"] == ["pixels", "fourier", "robust"]
    assert about["of_classes"] == ["pixels", "fourier", "robust", "diverse"]
    assert arrays["units"].shape == (3, 2, 16, 16, 3)
    assert arrays["classes"].shape == (4, 2, 2, 16, 16, 3)
    # What the values say, the images do.
    np.testing.assert_allclose(
        arrays["unit_values"][:, 0], arrays["units"][:, 0, ..., 0].mean((1, 2)), rtol=1e-4
    )
    np.testing.assert_allclose(
        arrays["natural_unit_values"],
        [arrays["natural_units"][i, ..., 2 * i].max() for i in (0, 1)],
    )
    assert made.about["notes"] == []


def test_what_regularizers_buy_is_measured(measured):
    made, numbers = measured
    reach = made.arrays["unit_values"] / made.arrays["natural_unit_values"]
    for row, way in enumerate(made.about["of_units"]):
        assert numbers[f"{way}_reach"] == pytest.approx(np.median(reach[row]))
        assert 0.9 < numbers[f"{way}_kept"] < 1.1  # shifts leave a mean of colours as it is
    assert (numbers["units"], numbers["class_images"]) == (2, 4)
    # Red or blue is what judges learn as well.
    assert numbers["judges_accuracy"] == 1
    assert numbers["natural_agreed"] == numbers["pixels_agreed"] == 1
    for way in ("natural", *made.about["of_classes"]):
        assert numbers[f"{way}_agreed"] * 8 in range(9)  # two judges, four images
        assert 0 <= numbers[f"{way}_judged"] <= 1
        assert numbers[f"{way}_certainty"] > 0.9
        assert 0 <= numbers[f"{way}_spread"] <= 1


def test_a_classifier_that_guesses_agrees_with_one_in_as_many_as_there_are_classes():
    random = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 3)
    right = (random.integers(0, 3, (20_000, 9)) == labels).sum(1)
    assert right.mean() / 9 == pytest.approx(1 / 3, abs=0.005)
    # With 9 images, 6 right are what guessing brings once in 24 times, see the claims.
    assert (right >= 6).mean() == pytest.approx(0.0424, abs=0.005)
