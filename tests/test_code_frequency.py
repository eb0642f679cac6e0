"""How often the described code is found: outcomes told by hand, shares against simulation."""

import json
import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from pixelspace.artifacts import open_dataset, write_dataset
from pixelspace.datasets import efl
from pixelspace.measures import code_frequency
from pixelspace.networks import perceptron
from pixelspace.networks.build import build

FEW = {"networks": 12, "restarts": 4, "batch": 20}


@pytest.fixture(scope="module")
def few_letters(tmp_path_factory):
    path = tmp_path_factory.mktemp("letters") / "dataset.h5"
    counts = {"validation_per_class": 20, "test_per_class": 20}
    write_dataset(path, efl.make(seed=1, images_per_class=200, **counts))
    with open_dataset(path) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def model(few_letters):
    return build(perceptron.layers(input_shape=few_letters.image_shape, classes=3))


# Mean activations of both nodes for an E, an F and an L.
MEANS = {
    "described": ([[5.1, 5.9], [0.2, 6.7], [5.6, 0.1]], [True, False]),
    "nodes swapped": ([[5.9, 5.1], [6.7, 0.2], [0.1, 5.6]], [False, True]),
    "barely": ([[5.1, 4.0], [2.9, 6.0], [6.0, 2.9]], [True, False]),
    "not quite": ([[5.1, 4.0], [3.1, 6.0], [6.0, 2.9]], [False, False]),
    "weak E": ([[2.0, 4.0], [0.0, 6.0], [6.0, 0.0]], [False, False]),
    "another code": ([[0.4, 8.8], [4.0, 8.2], [3.0, 0.0]], [False, False]),
    "a dead node": ([[5.0, 0.0], [0.0, 0.0], [5.0, 0.0]], [False, False]),
    "all dead": ([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [False, False]),
}


def test_the_described_code_is_told_from_others():
    means = np.array([given for given, _ in MEANS.values()])
    found = code_frequency.code_orders(means)
    assert dict(zip(MEANS, found.tolist(), strict=True)) == {
        name: expected for name, (_, expected) in MEANS.items()
    }


def test_readable_weights_are_told_from_others():
    leg, arms = np.array([0.0, 0, 1, 1]), np.array([1.0, 1, 0, 0])
    # The cosine of (0.4, 0, 1, 1) with the leg is 2 / sqrt(2.16 · 2) = .962; of (1, 0, 1, 1), .816.
    near, far = [0.4, -9, 1, 1], [1.0, -9, 1, 1]
    hidden = np.array([[near, arms], [arms, near], [far, arms], [near, near], [0 * leg, arms]])
    found = code_frequency.fitting_orders(hidden.transpose(0, 2, 1), leg, arms)
    expected = [[True, False], [False, True], [False, False], [False, False], [False, False]]
    assert found.tolist() == expected


def test_dead_nodes_and_classes_at_the_origin():
    labels = np.array([0, 0, 0, 1, 1, 1])
    alive = np.ones((6, 2))
    dead = alive * [1, 0]
    half = alive.copy()
    half[[0, 3]] = 0  # one image in three of each class
    gone = alive.copy()
    gone[[3, 5]] = 0  # two of the three images of class 1
    one_node = alive.copy()
    one_node[3:, 0] = 0
    activations = np.stack([alive, dead, half, gone, one_node, 0 * alive])
    assert code_frequency.dead_nodes(activations).tolist() == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]
    origin = code_frequency.classes_at_origin(activations, labels)
    assert origin.tolist() == [False, False, False, True, False, True]


def test_the_best_of_each_group():
    losses = np.array([3.0, 1.0, 2.0, 5.0, 6.0, 4.0, 0.0])
    assert code_frequency.best_of_groups(losses, 3).tolist() == [1, 5]
    assert code_frequency.best_of_groups(losses, 1).tolist() == list(range(7))


def test_selection_by_an_unrelated_loss_leaves_the_share_as_it_is():
    random = np.random.default_rng(0)
    have, losses = random.random(64_000) < 0.3, random.random(64_000)
    best = code_frequency.best_of_groups(losses, 32)
    assert have[best].mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 2000))


def test_preference_is_the_statistic_of_mann_and_whitney():
    assert code_frequency.preference(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == 2.5 / 4
    assert code_frequency.preference(np.array([1.0]), np.array([])) == 0.5
    random = np.random.default_rng(0)
    chosen, others = random.integers(0, 9, 30), random.integers(2, 12, 40)
    expected = mannwhitneyu(others, chosen).statistic / (30 * 40)
    assert code_frequency.preference(chosen, others) == pytest.approx(expected)


def test_intervals_are_wilsons():
    found = code_frequency.share("x", [True] * 3 + [False] * 7)
    centre, root = 0.3 + 1.96**2 / 20, 1.96 * math.sqrt(0.021 + 1.96**2 / 400)
    assert found == {
        "x": 0.3,
        "x_low": pytest.approx((centre - root) / (1 + 0.384146), abs=1e-4),
        "x_high": pytest.approx((centre + root) / (1 + 0.384146), abs=1e-4),
    }
    assert code_frequency.share("x", [False] * 10)["x_low"] == 0


def test_intervals_cover_the_truth():
    random = np.random.default_rng(0)
    found = [code_frequency.share("x", random.random(320) < 0.1) for _ in range(1000)]
    covered = np.mean([each["x_low"] <= 0.1 <= each["x_high"] for each in found])
    assert covered == pytest.approx(0.95, abs=0.025)


def test_the_numbers_are_plain_and_the_same_each_time(few_letters, model):
    def run(seed):
        return code_frequency.measure(model, few_letters, seed=seed, epochs=2, **FEW)

    numbers = run(3)
    assert json.dumps(run(3), allow_nan=False) == json.dumps(numbers, allow_nan=False)
    assert run(4) != numbers
    assert (numbers["networks"], numbers["restarts"], numbers["groups"]) == (12, 4, 3)
    for recipe in code_frequency.RECIPES:
        of = {key.removeprefix(f"{recipe}_"): value for key, value in numbers.items()}
        assert of["perfect"] == pytest.approx(of["described"] + of["other"])
        assert of["readable"] <= of["described"]


def test_training_finds_what_chance_does_not(few_letters, model):
    settings = FEW | {"networks": 64, "restarts": 32}
    trained = code_frequency.measure(model, few_letters, seed=3, epochs=20, **settings)
    assert trained["both_best_readable"] == trained["both_best_perfect"] == 1
    untrained = code_frequency.measure(model, few_letters, seed=3, epochs=0, **settings)
    for recipe in code_frequency.RECIPES:
        assert untrained[f"{recipe}_readable"] == untrained[f"{recipe}_best_perfect"] == 0
