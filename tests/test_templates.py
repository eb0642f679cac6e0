"""Pictures as templates, against values worked out by hand, by chance and by SciPy."""

import json

import figure_examples as examples
import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored
from scipy import stats

from pixelspace.errors import UserError
from pixelspace.figures import templates as figure
from pixelspace.measures import templates

RANDOM = np.random.default_rng(3)


def test_rank_correlations_by_hand():
    answers = np.array([[1.0, 1.0, 4.0], [2.0, 2.0, 4.0], [3.0, 9.0, 4.0], [4.0, 3.0, 4.0]])
    predicted = np.array([[0.1, 4.0, 1.0], [0.2, 3.0, 2.0], [5.0, 2.0, 3.0], [9.0, 1.0, 4.0]])
    # Of four ranks, one minus 6 times the squared differences over 4 (16 - 1): the second column
    # has ranks 1, 2, 4, 3 against 4, 3, 2, 1.
    expected = [1, 1 - 6 * (9 + 1 + 4 + 4) / 60, 0]
    np.testing.assert_allclose(templates.rank_correlations(predicted, answers), expected)


def test_rank_correlations_and_areas_agree_with_scipy():
    answers = RANDOM.integers(9, size=(200, 5)).astype(float)
    predicted = answers + RANDOM.integers(12, size=(200, 5))
    found = templates.rank_correlations(predicted, answers)
    areas = templates.ranked_above(predicted, answers)
    for unit in range(5):
        own, made = answers[:, unit], predicted[:, unit]
        assert found[unit] == pytest.approx(stats.spearmanr(made, own).statistic)
        order = np.argsort(-own, kind="stable")
        wins = stats.mannwhitneyu(made[order[:10]], made[order[10:]]).statistic
        assert areas[unit] == pytest.approx(wins / (10 * 190))


def test_the_strongest_twentieth_is_ranked_above_by_hand():
    answers = np.arange(20.0)[:, None]
    assert templates.ranked_above(answers, answers) == 1
    assert templates.ranked_above(-answers, answers) == 0
    assert templates.ranked_above(np.zeros_like(answers), answers) == 0.5
    predicted = answers.copy()
    predicted[-1] = 4  # above 4 of the others and equal to 1
    assert templates.ranked_above(predicted, answers) == pytest.approx(4.5 / 19)


def test_chance_is_no_correlation_and_an_area_of_one_half():
    answers, predicted = RANDOM.normal(size=(2, 400, 3000))
    correlations = templates.rank_correlations(predicted, answers)
    areas = templates.ranked_above(predicted, answers)
    assert abs(correlations.mean()) < 4 / np.sqrt(400 * 3000)
    assert correlations.std() == pytest.approx(1 / np.sqrt(399), rel=0.05)
    assert areas.mean() == pytest.approx(0.5, abs=4 * areas.std() / np.sqrt(3000))


def test_least_squares_finds_the_templates_that_answers_were_made_with():
    made_with = RANDOM.normal(size=(3, 6))
    patches = RANDOM.normal(size=(50, 6))
    found = templates.least_squares(patches, patches @ made_with.T + [1.0, -2.0, 5.0])
    np.testing.assert_allclose(found, made_with, atol=1e-10)


@pytest.mark.parametrize("units", [2, 3, 17])
def test_every_unit_is_compared_with_another(units):
    other = templates.others(units, seed=5)
    assert sorted(other) == list(range(units))
    assert (other != np.arange(units)).all()


def convolution(kernel):
    """A network of one convolution of 2 by 2 pixels, with the kernels ``(2, 2, 1, units)``."""
    network = sequential(
        (4, 4, 1),
        keras.layers.Conv2D(kernel.shape[-1], 2, use_bias=False, name="conv"),
        keras.layers.ReLU(name="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(2, name="logits"),
    )
    return set_weights(network, conv=kernel)


@pytest.fixture
def images():
    return RANDOM.uniform(size=(60, 4, 4, 1)).astype(np.float32)


def test_patches_are_those_that_units_answer_to(tmp_path, images):
    images[:, :2] = 0  # what a cell of the first row sees has one value throughout
    kernel = RANDOM.normal(size=(2, 2, 1, 3)).astype(np.float32)
    with stored(tmp_path / "d.h5", images, [0, 1] * 30) as dataset:
        rng = np.random.default_rng(0)
        patches, answers = templates.random_patches(
            convolution(kernel), dataset["test"], "conv", 300, rng
        )
    assert patches.shape == (300, 4)
    assert np.ptp(patches, axis=1).min() > 0
    np.testing.assert_allclose(answers, patches @ kernel.reshape(4, 3), atol=1e-6)


def test_the_first_layer_is_predicted_without_error(tmp_path, images):
    kernel = RANDOM.normal(size=(2, 2, 1, 3)).astype(np.float32)
    with stored(tmp_path / "d.h5", images, [0, 1] * 30) as dataset:
        settings = {"layers": ["conv"], "k": 2, "patches": 200, "seed": 4}
        numbers = templates.measure(convolution(kernel), dataset, **settings)
        again = templates.measure(convolution(kernel), dataset, **settings)
    assert numbers == again
    json.dumps(numbers, allow_nan=False)
    for picture in ("weights", "gradient", "deconvnet", "guided", "fitted"):
        assert numbers[f"conv_{picture}_spearman"] > 0.9999
        assert numbers[f"conv_{picture}_auc"] > 0.9999
    assert numbers["conv_weights_untrained"] > 0.9999
    assert numbers["conv_mean_patch_spearman"] < 0.99
    assert numbers["conv_top_patches_gain_high"] < 0
    assert numbers["conv_units"] == 3


def test_pictures_of_the_strongest_patches_by_hand(tmp_path):
    """Of four bright corners, the first unit answers to the upper left of its window."""
    images = np.zeros((4, 2, 2, 1), np.float32)
    for number, corner in enumerate(np.ndindex(2, 2)):
        images[(number, *corner)] = 1 + number / 10
    kernel = np.zeros((2, 2, 1, 3), np.float32)
    kernel[0, 0, 0, 0], kernel[1, 1, 0, 1], kernel[..., 2] = 1, 2, -1  # the third is never excited
    network = sequential((2, 2, 1), keras.layers.Conv2D(3, 2, use_bias=False, name="conv"))
    set_weights(network, conv=kernel)
    with stored(tmp_path / "d.h5", images, [0, 1, 0, 1]) as dataset:
        units, made = templates.pictures(
            network, dataset["train"], "conv", k=1, patches=400, rng=np.random.default_rng(1)
        )
    assert units.tolist() == [0, 1]
    np.testing.assert_allclose(made["top_patches"], [[1, 0, 0, 0], [0, 0, 0, 1.3]])
    np.testing.assert_allclose(made["deconvnet"], [[1, 0, 0, 0], [0, 0, 0, 2]])
    np.testing.assert_allclose(made["weights"], [[1, 0, 0, 0], [0, 0, 0, 2]])
    np.testing.assert_allclose(
        made["top_difference"], made["top_patches"] - made["mean_patch"], atol=1e-12
    )
    np.testing.assert_allclose(made["mean_patch"][0], [0.25, 0.275, 0.3, 0.325], atol=0.1)


def test_a_layer_that_nothing_excites_is_refused(tmp_path, images):
    kernel = np.full((2, 2, 1, 3), -1, np.float32)
    with (
        stored(tmp_path / "d.h5", images, [0, 1] * 30) as dataset,
        pytest.raises(UserError, match="layer conv: templates needs two units"),
    ):
        templates.measure(convolution(kernel), dataset, seed=0, layers=["conv"], k=2, patches=100)


def test_the_figure_shows_every_number_of_rank_correlations():
    numbers = examples.templates(["conv1", "conv2"])
    panels = [axes for axes in figure.draw(numbers).axes if axes.lines]
    assert len(panels) == 2
    for layer, axes in zip(["conv1", "conv2"], panels, strict=True):
        shown = {round(float(x), 6) for line in axes.lines for x in np.ravel(line.get_xdata())}
        for picture in figure.LABELS:
            assert round(numbers[f"{layer}_{picture}_spearman"], 6) in shown
        assert round(numbers[f"{layer}_weights_untrained"], 6) in shown
    assert tuple(figure.LABELS) == templates.PICTURES
