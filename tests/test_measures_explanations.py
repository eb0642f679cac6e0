"""Where maps point and what their pixels are worth: by hand, by simulation, and as xplique does."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from projection_examples import sequential, set_weights
from scipy.stats import bootstrap

from pixelspace import artifacts
from pixelspace.errors import UserError
from pixelspace.measures import explanations, faithfulness, intervals, localization
from pixelspace.projections import attribution, graph

ROOT = Path(__file__).parents[1]
TOLERANCE = 1e-6

kinds = keras.layers


# localization

MASK = np.array([[True, True, False], [False, False, False]])


def test_the_largest_value_is_pointed_at():
    assert localization.pointing(np.array([[0.0, 3.0, 1.0], [2.0, 2.0, 2.0]]), MASK) == 1
    assert localization.pointing(np.array([[2.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), MASK) == 0


def test_equal_largest_values_share_the_point():
    assert localization.pointing(np.array([[3.0, 0.0, 3.0], [3.0, 0.0, 3.0]]), MASK) == 1 / 4


def test_the_energy_inside_is_a_share():
    values = np.array([[1.0, 2.0, 0.0], [4.0, 1.0, 2.0]])
    assert localization.energy(values, MASK) == pytest.approx(3 / 10)
    assert localization.energy(1e-300 * values, MASK) == pytest.approx(3 / 10)


def test_as_many_pixels_as_the_mask_has_are_laid_over_it():
    both = np.array([[5.0, 4.0, 3.0], [0.0, 0.0, 0.0]])
    one = np.array([[5.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    none = np.array([[1.0, 2.0, 3.0], [9.0, 0.0, 0.0]])
    assert localization.overlap(both, MASK) == 1
    assert localization.overlap(one, MASK) == pytest.approx(1 / 3)
    assert localization.overlap(none, MASK) == 0


def test_an_overlap_of_equal_values_is_the_mean_over_their_orders():
    mask = np.array([[True, True, True], [False, False, False]])
    values = np.array([[7.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
    # Two of the three twos join the seven; in two pairs of three, one of them is inside.
    expected = np.mean([2 / 4, 2 / 4, 1 / 5])
    assert localization.overlap(values, mask) == pytest.approx(expected)
    # All orders of what is left of the pixels where the map is one value throughout.
    pairs = [MASK.ravel()[list(pair)].sum() for pair in itertools.combinations(range(6), 2)]
    expected = np.mean([inside / (4 - inside) for inside in pairs])
    assert localization.overlap(np.full((2, 3), 0.3), MASK) == pytest.approx(expected)


@pytest.mark.parametrize("measure", localization.MEASURES)
@pytest.mark.parametrize("size", [1, 7, 30, 48])
def test_chance_is_what_maps_of_noise_get(measure, size):
    random = np.random.default_rng(size)
    mask = np.zeros(48, bool)
    mask[random.choice(48, size, replace=False)] = True
    mask = mask.reshape(6, 8)
    of = localization.MEASURES[measure]
    found = [of(random.exponential(size=mask.shape), mask) for _ in range(3000)]
    error = np.std(found) / np.sqrt(len(found))
    level = localization.chance(measure, mask)
    assert abs(np.mean(found) - level) <= 4 * error + 1e-12
    if measure != "iou":
        assert level == pytest.approx(size / 48)


def test_of_a_large_mask_chance_is_near_the_overlap_of_shares():
    mask = np.zeros((128, 128), bool)
    mask[:32] = True  # a quarter: (1/16) / (1/2 - 1/16)
    assert localization.chance("iou", mask) == pytest.approx(1 / 7, abs=1e-4)


@pytest.mark.parametrize("measure", localization.MEASURES)
@pytest.mark.parametrize(
    ("values", "mask"),
    [
        (np.ones((2, 3)), np.zeros((2, 3), bool)),
        (np.ones((2, 3)), np.ones((3, 2), bool)),
        (np.ones((2, 3)), np.ones((2, 3))),
        (-np.ones((2, 3)), MASK),
        (np.full((2, 3), np.nan), MASK),
    ],
)
def test_what_cannot_be_localized_is_refused(measure, values, mask):
    with pytest.raises(ValueError, match="is expected"):
        localization.MEASURES[measure](values, mask)


# faithfulness


def test_pixels_are_ordered_by_their_values_and_equal_ones_at_random():
    values = np.array([[1.0, 5.0], [3.0, 1.0]])
    orders = {tuple(faithfulness.falling_order(values, seed=seed)) for seed in range(20)}
    assert orders == {(1, 2, 0, 3), (1, 2, 3, 0)}
    even = np.zeros((8, 8))
    first, again, other = (faithfulness.falling_order(even, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert sorted(first) == list(range(64)) and (first != other).any()


def test_an_image_becomes_another_in_order():
    start = np.array([1.0, 2.0, 3.0, 4.0]).reshape(2, 2, 1)
    found = faithfulness.mixtures(start, -start, np.array([2, 0, 3, 1]), 2)
    np.testing.assert_array_equal(
        found.reshape(3, 4), [[1, 2, 3, 4], [-1, 2, -3, 4], [-1, -2, -3, -4]]
    )


def test_the_area_below_a_curve():
    assert faithfulness.area(np.array([1.0, 0.0])) == pytest.approx(1 / 2)
    assert faithfulness.area(np.array([1.0, 0.4, 0.0])) == pytest.approx((0.7 + 0.2) / 2)
    assert faithfulness.area(np.full(11, 0.3)) == pytest.approx(0.3)


def test_a_blur_keeps_the_mean_and_takes_what_is_small():
    stripes = np.tile([0.0, 1.0], 32) * np.ones((1, 64, 1))
    found = faithfulness.blurred(stripes[..., None])
    np.testing.assert_allclose(found[:, :, 16:-16], 0.5, atol=0.001)


def test_the_curves_of_a_sum_are_straight_for_a_random_order_only():
    """A score that adds up the left half of an image falls first by all of it, or steadily."""
    image = np.zeros((10, 10, 1))
    image[:, :5] = 1 / 50

    def score(images):
        return images.sum((1, 2, 3))

    best = faithfulness.falling_order(image[..., 0], seed=0)
    known = faithfulness.area(faithfulness.curve(score, image, 0 * image, best, 10))
    assert known == pytest.approx(0.5 * 0.5)
    random = [
        faithfulness.area(
            faithfulness.curve(
                score, image, 0 * image, faithfulness.falling_order(0 * image[..., 0], seed=s), 10
            )
        )
        for s in range(300)
    ]
    assert np.mean(random) == pytest.approx(0.5, abs=0.01)


@pytest.fixture(scope="module")
def golden():
    with np.load(ROOT / "tests/golden/faithfulness.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("way", ["deletion", "insertion"])
def test_curves_and_areas_agree_with_xplique(golden, way):
    for steps in golden["steps"]:
        for number, label in enumerate(golden["classes"]):

            def score(images, label=label):
                logits = images.reshape(len(images), -1) @ golden["weights"]
                shares = np.exp(logits - logits.max(1, keepdims=True))
                return shares[:, label] / shares.sum(1)

            image, other = golden["images"][number], golden["baselines"][number]
            grey = np.full_like(image, golden["grey"])
            ends = (image, grey) if way == "deletion" else (other, image)
            order = faithfulness.falling_order(golden["maps"][number], seed=0)
            found = faithfulness.curve(score, *ends, order, int(steps))
            expected = golden[f"{way}/{steps}/curves"][number]
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
            expected = golden[f"{way}/{steps}/areas"][number]
            assert faithfulness.area(found) == pytest.approx(expected, abs=TOLERANCE)


# intervals


def test_an_interval_is_that_of_scipy():
    values = np.random.default_rng(0).exponential(size=80)
    found = intervals.of_mean(values, np.zeros(80), seed=1)
    theirs = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(2))
    np.testing.assert_allclose(found, theirs.confidence_interval, atol=0.03)
    assert found == intervals.of_mean(values, np.zeros(80), seed=1)


def test_an_interval_covers_the_mean_as_often_as_it_says():
    random = np.random.default_rng(3)
    groups = np.arange(60) % 3
    covered = 0
    for trial in range(300):
        low, high = intervals.of_mean(random.normal(size=60) + 9 * groups, groups, seed=trial)
        covered += low <= 9 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_what_makes_groups_unlike_does_not_widen_an_interval():
    groups = np.arange(60) % 3
    assert intervals.of_mean(1.0 * groups, groups, seed=0) == (1, 1)
    assert intervals.of_mean(np.array([4.0]), np.array([2]), seed=0) == (4, 4)


# explanations


def test_what_speaks_against_a_place_counts_as_nothing_and_of_a_pixel_both_signs_count():
    maps = np.array([-3.0, 1.0, 2.0, -4.0]).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(explanations.importance("gradient", maps), [[[4, 6]]])
    places = maps[..., :1]
    np.testing.assert_array_equal(explanations.importance("occlusion", places), [[[0, 2]]])


def test_controls_see_the_middle_and_the_edges():
    images = np.zeros((2, 8, 12, 3), np.float32)
    images[1, :, 6:] = 5
    middle = explanations.centre(images, 0)
    assert middle.shape == (2, 8, 12)
    assert np.argwhere(middle[0] == middle[0].max()).tolist() == [[3, 5], [3, 6], [4, 5], [4, 6]]
    flat, step = explanations.edges(images, 0)
    assert not flat.any()
    assert np.flatnonzero(step.any(0)).tolist() == [5, 6]
    assert explanations.noise(images, 0).std() == pytest.approx(1 / np.sqrt(12), rel=0.1)


def test_as_many_images_of_each_class_are_chosen_as_there_are():
    labels = np.array([0, 1, 2] * 10)
    right = labels != 1
    right[1] = True
    chosen = explanations.choose(right, labels, 8, seed=0)
    assert list(chosen) == sorted(set(chosen)) and right[chosen].all()
    assert np.bincount(labels[chosen]).tolist() == [3, 1, 2]
    other = explanations.choose(right, labels, 8, seed=1)
    assert list(other) != list(chosen)
    assert list(explanations.choose(right, labels, 8, seed=0)) == list(chosen)


class Passes(kinds.Layer):
    """Lets images through and counts them, on the way up and on the way down."""

    def __init__(self):
        super().__init__()
        self.counts = [tf.Variable(0, trainable=False) for _ in range(2)]

    def call(self, x):
        @tf.custom_gradient
        def counted(x):
            self.counts[0].assign_add(tf.shape(x)[0])

            def back(g):
                self.counts[1].assign_add(tf.shape(g)[0])
                return g

            return tf.identity(x), back

        return counted(x)


@pytest.mark.parametrize("method", attribution.METHODS)
def test_passes_are_as_many_as_the_network_counts(method):
    counter = Passes()
    model = sequential(
        (16, 24, 1),
        kinds.Conv2D(2, 3, activation="relu"),
        counter,
        kinds.GlobalAveragePooling2D(),
        kinds.Dense(2, name="logits"),
    )
    settings = attribution.Settings(0, (0.0, 1.0), None, 5, 0.0, 7, 0.1, None)
    images = np.random.default_rng(0).random((3, 16, 24, 1), np.float32)
    for count in counter.counts:
        count.assign(0)
    attribution.METHODS[method](settings, model, images, graph.LOGITS, np.array([0, 1, 1]), None)
    counted = tuple(int(count) for count in counter.counts)
    forward, backward = attribution.passes(method, settings, (16, 24))
    assert counted == (3 * forward, 3 * backward)


SPOTS = {"a": (1, 1), "b": (5, 5), "c": (2, 5)}
"""Upper left corner of the four pixels that make each class."""


def spot(name: str) -> np.ndarray:
    mask = np.zeros((8, 8), bool)
    row, column = SPOTS[name]
    mask[row : row + 2, column : column + 2] = True
    return mask


def spotter() -> keras.Model:
    """A network whose logits are the sums of the pixels that make a class."""
    model = sequential(
        (8, 8, 1),
        kinds.Conv2D(1, 1, use_bias=False, name="conv"),
        kinds.Flatten(),
        kinds.Dense(3, use_bias=False, name="logits"),
        kinds.Softmax(name="probabilities"),
    )
    weights = np.stack([spot(name).ravel() for name in SPOTS], 1)
    return set_weights(model, conv=np.ones((1, 1, 1, 1)), logits=weights)


def spots(path: Path, parts: bool):
    """Images of a spot each; of c, the left half and the right half are parts of their own."""
    random = np.random.default_rng(0)
    samples = []
    for number in range(30):
        label = number % 3
        mask = spot("abc"[label])
        left = mask & (np.arange(8) == SPOTS["c"][1])
        masks = {
            "spot": mask & (label != 2),
            "left": left & (label == 2),
            "right": mask & ~left & (label == 2),
        }
        image = (mask * random.uniform(2, 3, (8, 8)))[..., None]
        samples.append(artifacts.Sample(image, label, "made", masks if parts else {}))
    split = artifacts.Split(30, (8, 8, 1), samples)
    dataset = artifacts.Dataset(
        class_names=("a", "b", "c"),
        value_range=(-3.0, 3.0),
        dtype="float32",
        splits=dict.fromkeys(("train", "validation", "test"), split),
        parts=("spot", "left", "right") if parts else (),
    )
    artifacts.write_dataset(path, dataset)
    return artifacts.open_dataset(path)


def explained(dataset, *, model=None, images=12) -> dict[str, float]:
    return explanations.measure(
        model or spotter(),
        dataset,
        seed=1,
        methods=["gradient", "occlusion"],
        images=images,
        curve_steps=8,
        steps=2,
        samples=2,
    )


def test_a_network_that_sums_up_spots_is_explained(tmp_path):
    with spots(tmp_path / "spots.h5", parts=True) as dataset:
        found = explained(dataset)
        assert found == explained(dataset)
    assert found["images"] == 12
    targets = ["", "_a", "_b", "_c", "_spot", "_left", "_right"]
    assert [found[f"images{t}"] for t in targets] == [12, 4, 4, 4, 8, 4, 4]
    for target in targets[:5]:
        assert found[f"chance_pointing{target}"] == found[f"chance_energy{target}"] == 4 / 64
        for measure in ("energy", "iou"):
            for end in ("", "_low", "_high"):
                assert found[f"gradient_{measure}{target}{end}"] == 1
        # That it won every time, of a few, does not say that it always would.
        assert found[f"gradient_pointing{target}"] == found[f"gradient_pointing{target}_high"] == 1
        assert 0.5 < found[f"gradient_pointing{target}_low"] < 0.8
    assert found["gradient_energy_left"] == pytest.approx(1 / 2)
    assert found["gradient_pointing_right"] == pytest.approx(1 / 2)
    # The first of eight steps takes away all pixels that matter: from 1, nearly, to a third.
    assert found["gradient_deletion"] == pytest.approx(1 / 3 + (1 - 1 / 3) / 16, abs=0.001)
    assert found["gradient_deletion_high"] < found["random_deletion_low"]
    assert found["gradient_insertion_low"] > found["random_insertion_high"]
    assert found["gradient_deletion"] <= found["edges_deletion"]
    # Every image loses more without the pixels that matter than without some at random.
    low, high = (found[f"occlusion_deletion_less_random_{end}"] for end in ("low", "high"))
    mean = found["occlusion_deletion"] - found["random_deletion"]
    assert low < mean < high < 0
    assert (found["gradient_forward"], found["gradient_backward"]) == (1, 1)
    assert found["occlusion_forward"] == 8 * 8 + 1


def test_a_part_that_is_all_that_a_class_has_is_not_measured_twice(tmp_path):
    with spots(tmp_path / "spots.h5", parts=True) as dataset:
        masks = {part: dataset["test"].masks[part][:] for part in dataset.parts}
        labels = dataset["test"].labels
    own = {"first": masks["spot"] & (labels == 0)[:, None, None], "left": masks["left"]}
    found = explanations._targets(own, labels, ("a", "b", "c"))
    assert "_first" not in found and "_a" in found


def test_photographs_have_deletion_and_insertion_alone(tmp_path):
    with spots(tmp_path / "spots.h5", parts=False) as dataset:
        found = explained(dataset, images=400)
    assert found["images"] == 30
    names = ("gradient", "occlusion", *explanations.CONTROLS)
    expected = {
        f"{name}_{way}{end}"
        for name in names
        for way in ("deletion", "insertion")
        for end in ("", "_low", "_high")
    }
    passes = {f"{name}_{way}" for name in names[:2] for way in ("forward", "backward")}
    compared = {
        f"occlusion_deletion_less_{control}_{end}"
        for control in ("random", "centre")
        for end in ("low", "high")
    }
    assert set(found) == {"images"} | expected | compared | passes


def test_a_network_that_is_always_wrong_has_nothing_to_explain(tmp_path):
    (weights,) = spotter().get_layer("logits").get_weights()
    shifted = set_weights(spotter(), logits=np.roll(weights, 1, axis=1))
    with (
        spots(tmp_path / "spots.h5", parts=True) as dataset,
        pytest.raises(UserError, match="no test image is classified correctly"),
    ):
        explained(dataset, model=shifted)
