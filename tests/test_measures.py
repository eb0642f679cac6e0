"""Measures, against values worked out by hand."""

import numpy as np
import pytest

from pixelspace.artifacts import Projection
from pixelspace.datasets import efl
from pixelspace.measures import letter_parts, summaries


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
    assert summaries.correlation(ramp, 3 * ramp + 7) == pytest.approx(1)
    assert summaries.correlation(ramp, -ramp) == pytest.approx(-1)
    assert summaries.correlation(ramp, np.ones_like(ramp)) == 0
    # Three pairs: +1, -1, -1.
    assert summaries.alikeness(np.stack([ramp, ramp + 1, -ramp])) == pytest.approx(-1 / 3)
    assert summaries.alikeness(ramp[None]) == 0


def test_zero_cells_of_feature_maps_are_counted():
    maps = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]])[..., None]
    projection = Projection(
        {"maps_0": maps, "input": maps},
        {"kind": "feature_maps", "layers": [{"name": "relu", "units": [0]}]},
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
