"""Activation maximization: each of its parts by hand, and that what is meant to grow grows."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from projection_examples import sequential, set_weights, stored

from pixelspace.errors import UserError
from pixelspace.networks import efficientnet
from pixelspace.networks.build import build
from pixelspace.projections import (
    depth_series,
    graph,
    images,
    maximization,
    objectives,
    regularizers,
    transforms,
)
from pixelspace.projections.feature_maps import layer_outputs

kinds = keras.layers


# --- images


@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_the_fourier_basis_is_orthonormal_and_its_own_inverse(length):
    basis = images.hartley(length)
    np.testing.assert_allclose(basis, basis.T, atol=1e-6)
    np.testing.assert_allclose(basis @ basis, np.eye(length), atol=1e-6)


def test_one_number_is_one_wave():
    parametrization = images.Fourier((4, 6, 1))
    numbers = np.zeros((1, 1, 4, 6), np.float32)
    numbers[0, 0, 1, 2] = 0.3
    found = parametrization.images(tf.constant(numbers)).numpy()[0, :, :, 0]
    rows, columns = np.arange(4) / 4, 2 * np.arange(6) / 6
    wave = [
        (np.cos(turn) + np.sin(turn))[..., None] for turn in (2 * np.pi * rows, 2 * np.pi * columns)
    ]
    scale = 0.5 / np.hypot(1 / 4, 2 / 6) / np.sqrt(4 * 6)
    np.testing.assert_allclose(
        np.log(found / (1 - found)), 0.3 * scale * wave[0] @ wave[1].T, atol=1e-5
    )


def test_a_wave_has_its_colour_and_its_decay():
    numbers = np.zeros((1, 3, 4, 6), np.float32)
    numbers[0, 1, 0, 3] = 5.0
    found = images.Fourier((4, 6, 3), decay=2.0).images(tf.constant(numbers)).numpy()[0]
    wave = np.array([1, -1, 1, -1, 1, -1]) / np.sqrt(4 * 6)
    colour = np.array([0.09, 0.0, -0.09]) / np.sqrt(0.26**2 + 0.27**2 + 0.27**2)
    expected = 5.0 * (0.5 / 0.5**2) * wave[:, None] * colour
    np.testing.assert_allclose(
        np.log(found / (1 - found)), np.broadcast_to(expected, (4, 6, 3)), atol=1e-5
    )


def test_the_constant_counts_as_the_slowest_wave():
    scales = images.spectrum(4, 6, decay=2.0)
    np.testing.assert_allclose(scales[0, 0], 0.5 * 6**2)
    np.testing.assert_allclose(scales[0, 1], 0.5 * 6**2)
    np.testing.assert_allclose(scales[2, 3], 0.5 / (0.5**2 + 0.5**2))


def test_colours_by_hand():
    strengths = np.eye(3, dtype=np.float32)[:, None, None]
    longest = np.sqrt(0.26**2 + 0.27**2 + 0.27**2)
    found = images.uncorrelated(tf.constant(strengths)).numpy()[:, 0, 0]
    expected = [[0.26, 0.27, 0.27], [0.09, 0.0, -0.09], [0.02, -0.05, 0.03]]
    np.testing.assert_allclose(found, np.array(expected) / longest, rtol=1e-6)


@pytest.mark.parametrize("kind", [images.Fourier, images.Pixels])
def test_an_image_starts_from_its_mean(kind):
    nothing = kind((4, 6, 3)).start([0], 1) * 0
    found = kind((4, 6, 3), (0.2, 0.5, 0.0)).images(tf.constant(nothing)).numpy()
    np.testing.assert_allclose(found[0, 0, 0], [0.2, 0.5, images.EXTREME], rtol=1e-5)
    assert np.ptp(found, axis=(1, 2)).max() == 0


def test_the_mean_colour_is_that_of_the_images(monkeypatch):
    data = np.random.default_rng(0).uniform(-1, 3, (7, 4, 5, 2))
    np.testing.assert_allclose(
        images.mean_colour(data, (-1, 3)), (data.mean((0, 1, 2)) + 1) / 4, rtol=1e-6
    )
    monkeypatch.setattr(images, "SAMPLE", 3)
    np.testing.assert_allclose(
        images.mean_colour(data, (-1, 3)), (data[[0, 3, 6]].mean((0, 1, 2)) + 1) / 4, rtol=1e-6
    )


def test_single_images_are_made_twice_and_groups_stay_whole():
    def parts(*what):
        return [part.tolist() for part in maximization._parts(*what)]

    assert parts(5, 2, 1) == [[0, 1], [2, 3], [4, 4]]
    assert parts(1, 16, 1) == [[0, 0]]
    assert parts(6, 4, 3) == [[0, 1, 2], [3, 4, 5]]


def test_noise_depends_on_the_image_alone():
    five, two = images.noise(range(5), 7, (3,)), images.noise([3, 4], 7, (3,))
    np.testing.assert_array_equal(five[3:], two)
    assert np.abs(five - images.noise(range(5), 8, (3,))).min() > 1e-6


# --- transforms


def impulse(row: int, column: int) -> np.ndarray:
    """A point on mid-grey."""
    image = np.full((1, 21, 31, 1), transforms.GREY, np.float32)
    image[0, row, column] += 1
    return image


def centroid(image: tf.Tensor) -> np.ndarray:
    light = np.asarray(image)[0, :, :, 0] - transforms.GREY
    rows, columns = np.indices(light.shape)
    return np.array([(rows * light).sum(), (columns * light).sum()]) / light.sum()


def test_a_turn_and_a_growth_keep_the_middle():
    both = [transforms.Rotate(30.0), transforms.Scale(0.7, 1.5)]
    for number in range(5):
        found = transforms.transformed(impulse(10, 15), both, tf.constant([3, number]))
        np.testing.assert_allclose(centroid(found), (10, 15), atol=1e-3)


def test_transforms_are_unbiased():
    place = (7, 20)
    for kind in (transforms.Jitter(3), transforms.Rotate(10.0), transforms.Roll(3)):
        moved = tf.function(lambda s, kind=kind: transforms.transformed(impulse(*place), [kind], s))
        found = [centroid(moved(tf.constant([5, number]))) for number in range(200)]
        assert np.std(found, axis=0).min() > 0.3
        # the standard error of a shift by up to 3 is .14
        np.testing.assert_allclose(np.mean(found, axis=0), place, atol=0.4)


def test_growth_is_as_often_shrinking():
    growth = transforms.Scale(0.9, 1.1)
    move = tf.function(lambda seed: transforms.transformed(impulse(6, 22), [growth], seed))
    found = [centroid(move(tf.constant([5, number]))) for number in range(200)]
    # the middle is at (10, 15), so that this point moves by up to .4 and .7
    assert np.std(found, axis=0).min() > 0.1
    np.testing.assert_allclose(np.mean(found, axis=0), (6, 22), atol=0.1)


def test_a_frame_keeps_the_middle():
    framed = transforms.Pad(3)(tf.constant(impulse(10, 15)), tf.constant([0, 0]))
    np.testing.assert_allclose(centroid(framed), (13, 18), atol=1e-4)


def test_the_mean_move_is_none():
    kinds_and_spreads = [
        (transforms.Jitter(8), 0, 8 / np.sqrt(3)),
        (transforms.Rotate(10.0), 1 - np.sinc(10 / 180), np.radians(10) / np.sqrt(3)),
        (transforms.Scale(0.9, 1.1), 1 - np.log(1.1 / 0.9) / 0.2, 0.1 / np.sqrt(3)),
    ]
    for kind, bias, spread in kinds_and_spreads:
        matrix = tf.function(kind.matrix)
        found = np.mean([matrix(tf.constant([1, number])) for number in range(300)], axis=0)
        # turned and grown places are not quite linear in the angle and the factor
        expected = np.eye(3) - np.diag([bias, bias, 0])
        np.testing.assert_allclose(found, expected, atol=4 * spread / np.sqrt(300))


def test_a_shift_is_in_whole_pixels():
    found = transforms.transformed(impulse(10, 15), [transforms.Jitter(4)], tf.constant([1, 2]))
    row, column = np.argwhere(np.asarray(found)[0, :, :, 0] > 1)[0]
    assert (row, column) != (10, 15)
    np.testing.assert_allclose(found, impulse(row, column), atol=1e-5)


def test_resampling_is_that_of_tensorflow():
    generator = np.random.default_rng(0)
    picture, slope = generator.uniform(size=(2, 2, 9, 14, 3)).astype(np.float32)
    matrix = np.array([[1.1, 0.2, 1.3], [-0.3, 0.9, -0.6], [0, 0, 1]], np.float32)
    to_middle = np.array([[1, 0, -6.5], [0, 1, -4], [0, 0, 1]], np.float32)

    def expected(images, matrix, outside):
        around = np.linalg.inv(to_middle) @ matrix @ to_middle
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=around.reshape(1, 9)[:, :8].astype(np.float32),
            output_shape=(9, 14),
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
            fill_value=outside,
        )

    with tf.GradientTape() as tape:
        images = tf.constant(picture)
        tape.watch(images)
        found = transforms.resampled(images, tf.constant(matrix))
    np.testing.assert_allclose(found, expected(picture, matrix, 0.5), atol=1e-4)
    gradient = tape.gradient(found, images, slope)
    np.testing.assert_allclose(gradient, expected(slope, np.linalg.inv(matrix), 0.0), atol=1e-4)


def test_a_quarter_turn(monkeypatch):
    monkeypatch.setattr(transforms, "uniform", lambda seed, low, high: tf.constant([high]))
    found = transforms.transformed(impulse(10, 18), [transforms.Rotate(90.0)], tf.constant([0, 0]))
    np.testing.assert_allclose(centroid(found), (7, 15), atol=1e-3)


def test_neighbours_act_in_turn(monkeypatch):
    monkeypatch.setattr(
        transforms, "uniform", lambda seed, low, high, n=1: tf.fill((n,), float(high))
    )
    both = [transforms.Jitter(3), transforms.Scale(2.0, 2.0)]
    one_by_one = impulse(10, 15)
    for transform in both:
        one_by_one = transforms.transformed(one_by_one, [transform], tf.constant([0, 0]))
    at_once = transforms.transformed(impulse(10, 15), both, tf.constant([0, 0]))
    np.testing.assert_allclose(at_once, one_by_one, atol=1e-5)


def test_a_frame_is_grey():
    found = transforms.Pad(2)(tf.zeros((1, 3, 4, 1)), tf.constant([0, 0])).numpy()
    assert found.shape == (1, 7, 8, 1)
    assert found.sum() == (7 * 8 - 3 * 4) * transforms.GREY


# --- objectives and regularizers


def value(objective: objectives.Objective, output: np.ndarray) -> np.ndarray:
    total = 0
    for term in objective.terms:
        factors, vectors, cells = map(tf.constant, term.data(output.shape[-1]))
        cells = tf.broadcast_to(cells, (len(output), 2))
        arguments = (term.kind, term.parameter, tf.constant(output), vectors, cells)
        total = total + factors * objectives.score(*arguments)
    return total.numpy()


MAPS = np.arange(2 * 3 * 4 * 2, dtype=np.float32).reshape(2, 3, 4, 2)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        # unit 1 of the second image: 25, 27, …, 47; the middle cell is row 1, column 2
        (objectives.unit("map", [0, 1]), [12, 37]),
        (objectives.unit("map", [0, 1], (2, 0)), [16, 41]),
        (objectives.channel("map", [0, 1]), [11, 36]),
        (objectives.direction("map", [[1, 2], [0, -1]]), [11 + 2 * 12, -36]),
        (objectives.direction("map", [[1, 2]], (0, 1)), [2 + 2 * 3, 26 + 2 * 27]),
        (objectives.layer("map"), (MAPS**2).mean((1, 2, 3))),
        (objectives.channel("map", [0, 0]) - objectives.channel("map", 1), [-1, -1]),
        (-(2 * objectives.channel("map", 0)) + objectives.layer("map") * 0, [-22, -70]),
    ],
)
def test_objectives_by_hand(objective, expected):
    np.testing.assert_allclose(value(objective, MAPS), expected, rtol=1e-5)


def test_logits_have_no_cells():
    np.testing.assert_array_equal(value(objectives.logit([1, 0]), MAPS[:, 0, 0]), [1, 24])


def test_terms_must_be_for_as_many_images():
    one = objectives.channel("map", [0, 0])
    assert (one + objectives.channel("map", 1)).count == 2
    with pytest.raises(UserError, match="^objective: its terms are for 2 and 3 images"):
        _ = (one + objectives.channel("map", [0, 1, 1])).count


def test_likeness_by_hand():
    maps = np.array([[[3.0, 4.0], [-1.0, 0.0]]], np.float32)[None]
    # along (1, 0) everywhere: 3 with the cosine 3 / 5, and -1 with the least weight
    found = value(objectives.likeness("map", np.array([[[[1.0, 0.0]]]]), power=2), maps)
    np.testing.assert_allclose(found, [(3 * 0.6**2 - 1 * 0.1) / 2], rtol=1e-5)
    # a code of its own for each cell; for a dense layer there is but one
    codes = np.array([[[3.0, 4.0], [-2.0, 0.0]]])[None]
    np.testing.assert_allclose(
        value(objectives.likeness("map", codes), maps), [(25 + 2) / 2], rtol=1e-5
    )
    # where nothing answers there is a slope of zero, not of nothing
    with tf.GradientTape() as tape:
        dark = tf.zeros((1, 1, 1, 2))
        tape.watch(dark)
        cells = tf.zeros((1, 2), tf.int32)
        nothing = objectives.score("likeness", 4, dark, tf.ones((1, 1, 1, 2)), cells)
    assert np.isfinite(tape.gradient(nothing, dark)).all()
    np.testing.assert_allclose(
        value(objectives.likeness("map", np.array([[2.0, 0.0]]), 1), maps[0, :, 0]),
        [6 * 0.6],
        rtol=1e-5,
    )


def test_the_error_of_a_code_by_hand():
    maps = np.array([[[3.0, 4.0], [-1.0, 0.0]]], np.float32)[None]
    codes = np.array([[[3.0, 2.0], [-1.0, 1.0]]])[None]
    np.testing.assert_allclose(value(objectives.code("map", codes), maps), [-(4 + 1) / 15])


def test_images_of_a_group_are_alike_or_not():
    # one channel alone, the same one elsewhere, the other one, both alike
    maps = np.zeros((4, 1, 2, 2), np.float32)
    maps[0, 0, 0, 0] = maps[1, 0, 1, 0] = maps[2, 0, 0, 1] = 3
    maps[3] = 1
    found = value(objectives.diversity("map", 2), maps)
    np.testing.assert_allclose(found, [-1, -1, -0.5, -0.5], rtol=1e-6)
    found = value(2 * objectives.diversity("map", 4), maps)
    np.testing.assert_allclose(found[0], -2 * (1 + 0 + 0.5) / 3, rtol=1e-6)


def test_regularizers_by_hand():
    image = tf.constant([[0.0, 1.0], [0.5, 0.5]])[None, :, :, None]
    np.testing.assert_allclose(regularizers.L2(2.0)(image), [2 * (1 + 0.25 + 0.25) / 4])
    np.testing.assert_allclose(regularizers.L2(2.0, grey=0.5)(image), [2 * 0.5 / 4])
    np.testing.assert_allclose(regularizers.TotalVariation(3.0)(image), [3 * (1 / 2 + 1 / 2)])
    flat = tf.fill((1, 40, 40, 1), 0.7)
    np.testing.assert_allclose(regularizers.Blur(1.0)(flat), [0], atol=1e-10)
    stripes = tf.tile(tf.constant([0.0, 1.0])[None, None, :, None], (1, 40, 20, 1))
    cost = regularizers.Blur(1.0)(stripes)
    assert cost[0] > 0.2
    np.testing.assert_allclose(regularizers.Blur(3.0)(stripes), 3 * cost, rtol=1e-6)


# --- the whole


def test_adam_takes_the_same_steps_as_keras():
    variable = tf.Variable([1.0, -2.0, 3.0])
    optimizer = keras.optimizers.Adam(0.05)
    parameters, moments = tf.constant(variable), (tf.zeros(3), tf.zeros(3))
    for step in range(4):
        gradient = tf.constant([0.1, -3.0, 0.7]) * (step - 1.5)
        optimizer.apply_gradients([(-gradient, variable)])
        parameters, moments = maximization.adam_step(
            parameters, gradient, moments, tf.constant(step), 0.05
        )
    np.testing.assert_allclose(parameters, variable, rtol=1e-5)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(5)
    return sequential(
        (18, 14, 1),
        kinds.Rescaling(1 / 255),
        kinds.Conv2D(6, 3, padding="same", use_bias=False, name="conv"),
        kinds.BatchNormalization(name="norm"),
        kinds.ReLU(name="relu"),
        kinds.MaxPooling2D(2, name="pool"),
        kinds.Flatten(),
        kinds.Dense(5, name="logits"),
        kinds.Softmax(name="probabilities"),
    )


GREY_IMAGE = images.Fourier((18, 14, 1))
SETTINGS = {"seed": 3, "steps": 25, "transforms": transforms.GENTLE}


@pytest.mark.parametrize(
    "objective",
    [
        objectives.unit("norm", [1, 4]),
        objectives.channel("conv", [0, 5]),
        objectives.logit([2]),
        objectives.direction("relu", np.ones((1, 6))),
        objectives.layer("pool"),
        objectives.channel("conv", [3, 3]) + 0.1 * objectives.diversity("conv", 2),
        objectives.logit(1) - objectives.logit(3) + 0.5 * objectives.channel("norm", 2),
        objectives.unit("norm", [1], (0, 13)),
        objectives.direction("conv", np.ones((1, 6)), (17, 0)),
        objectives.likeness("conv", np.ones((2, 1, 1, 6))),
        objectives.code("pool", 0.5 * np.ones((1, 9, 7, 6))),
    ],
)
def test_every_objective_climbs(network, objective):
    found = maximization.maximize(network, objective, seed=3, steps=25, transforms=())
    assert found.images.shape == (objective.count, 18, 14, 1)
    assert (found.values[:, 1] > found.values[:, 0] + 0.02).all()


def test_pixels_climb_too(network):
    found = maximization.maximize(
        network, objectives.logit(2), image=images.Pixels((18, 14, 1)), seed=3, steps=25
    )
    assert found.values[0, 1] > found.values[0, 0] + 0.02


def test_the_network_sees_the_images_transformed(network):
    objective = objectives.logit(2)
    plain, shifted = (
        maximization.maximize(network, objective, seed=3, steps=3, transforms=own).images
        for own in ((), transforms.GENTLE)
    )
    assert np.abs(plain - shifted).max() > 1


def test_diversity_tells_images_apart_and_is_not_in_their_values(network):
    alone, apart = objectives.channel("conv", [3, 3]), objectives.diversity("conv", 2)
    settings = {**SETTINGS, "steps": 60}
    alike = []
    for weight in (0, 100):
        made = maximization.maximize(network, alone + weight * apart, **settings)
        output = layer_outputs(network, made.images, ["conv"])["conv"]
        np.testing.assert_allclose(made.values[:, 1], output[..., 3].mean((1, 2)), rtol=1e-4)
        alike.append(-value(apart, output)[0])
    assert alike[1] < alike[0] - 0.005


def test_the_values_are_those_of_the_images(network):
    objective = objectives.logit([0, 3])
    found = maximization.maximize(network, objective, **SETTINGS)
    logits = layer_outputs(network, found.images, ["logits"])["logits"]
    np.testing.assert_allclose(found.values[:, 1], [logits[0, 0], logits[1, 3]], rtol=1e-4)


def test_a_difference_climbs_the_one_and_lowers_the_other(network):
    found = maximization.maximize(network, objectives.logit(1) - objectives.logit(3), **SETTINGS)
    start = GREY_IMAGE.images(tf.constant(GREY_IMAGE.start([0], 3))) * 255
    shown = np.concatenate([start, found.images])
    before, after = layer_outputs(network, shown, ["logits"])["logits"]
    assert after[1] > before[1] + 0.02
    assert after[3] < before[3] - 0.02
    np.testing.assert_allclose(
        found.values[0], [before[1] - before[3], after[1] - after[3]], rtol=1e-3
    )


def test_the_seed_decides_and_company_does_not(network):
    objective = objectives.channel("norm", [0, 1, 2, 3, 4])
    robust = {**SETTINGS, "transforms": transforms.ROBUST, "steps": 10}
    one = maximization.maximize(network, objective, **robust)
    same = maximization.maximize(network, objective, **robust)
    np.testing.assert_array_equal(one.images, same.images)
    parts = maximization.maximize(network, objective, batch=2, **robust)
    np.testing.assert_allclose(parts.images, one.images, atol=1e-5 * 255)
    other = maximization.maximize(network, objective, **{**robust, "seed": 4})
    assert np.abs(other.images - one.images).max() > 1


def test_traced_once_for_all_units_and_numbers_of_images(network, monkeypatch):
    traces = []
    outputs = graph.outputs
    monkeypatch.setattr(graph, "outputs", lambda *a, **k: traces.append(a) or outputs(*a, **k))
    for units, steps in (([0], 1), ([3, 4], 2), (range(6), 1)):
        objective = objectives.unit("pool", units)
        maximization.maximize(network, objective, seed=1, steps=steps, transforms=())
    # in the loop, and for the values before and after it
    assert len(traces) == 3


def test_regularizers_hold_the_image_back(network):
    free = maximization.maximize(network, objectives.logit(0), **SETTINGS)
    costs = [regularizers.TotalVariation(20.0), regularizers.L2(5.0)]
    held = maximization.maximize(network, objectives.logit(0), regularizers=costs, **SETTINGS)
    assert np.abs(np.diff(held.images, axis=1)).mean() < np.abs(np.diff(free.images, axis=1)).mean()
    assert held.values[0, 1] < free.values[0, 1]


def test_a_dead_unit_is_noted(tmp_path):
    # unit 2 answers to bright cells alone, so that images can differ for the sake of diversity
    model = sequential((8, 8, 1), kinds.Conv2D(3, 1, activation="relu", name="conv"))
    set_weights(model, conv=[np.array([[[[1.0, -1.0, 2.0]]]]), [-0.1, 0.0, -0.8]])
    data = np.ones((2, 8, 8, 1), np.float32)
    with stored(tmp_path / "data.h5", data, [0, 1]) as dataset:
        found = maximization.project(
            model, dataset, seed=0, layer="conv", units=[0, 1], variants=2, diversity=0.5, steps=5
        )
    assert found.arrays["images"].shape == (2, 2, 8, 8, 1)
    assert found.about["notes"] == [f"unit 1: {maximization.STUCK}"]


def test_sums_of_parts_are_one_objective_for_each_image(network, tmp_path):
    parts = [
        [{"layer": "logits", "unit": 0}, {"layer": "logits", "unit": 1, "factor": -2.0}],
        [{"layer": "conv"}],
        [{"layer": "pool", "direction": [1.0] * 6, "factor": 0.5}],
    ]
    data = np.zeros((2, 18, 14, 1), np.float32)
    names = ("fish", "bird", "c", "d", "e")
    with stored(tmp_path / "data.h5", data, [0, 1], names, value_range=(0, 255)) as dataset:
        found = maximization.project(network, dataset, seed=0, objectives=parts, steps=20)
    assert found.about["titles"] == ["fish - 2 bird", "conv", "0.5 a direction of pool"]
    made = found.arrays["images"][:, 0]
    outputs = layer_outputs(network, made, ["logits", "conv", "pool"])
    expected = [
        outputs["logits"][0, 0] - 2 * outputs["logits"][0, 1],
        (outputs["conv"][1] ** 2).mean(),
        0.5 * outputs["pool"][2].sum(-1).mean(),
    ]
    np.testing.assert_allclose(found.arrays["values"][:, 0, 1], expected, rtol=1e-4)
    assert (found.arrays["values"][..., 1] > found.arrays["values"][..., 0]).all()


def test_an_image_of_another_size_in_grey(tmp_path):
    model = sequential((16, 16, 3), kinds.Conv2D(4, 3, name="conv"), kinds.ReLU(name="relu"))
    data = np.zeros((2, 16, 16, 3), np.float32)
    with stored(tmp_path / "data.h5", data, [0, 1]) as dataset:
        found = maximization.project(
            model,
            dataset,
            seed=0,
            layer="conv",
            units=[1],
            size=(9, 20),
            grey=True,
            transforms=[{"pad": 2}, {"scale": [0.9, 1.1], "jitter": None}],
            steps=10,
        )
    (made,) = found.arrays["images"]
    assert made.shape == (1, 9, 20, 1)
    output = layer_outputs(model, np.repeat(made, 3, -1), ["conv"])["conv"]
    np.testing.assert_allclose(found.arrays["values"][0, 0, 1], output[..., 1].mean(), rtol=1e-4)


def test_transforms_are_what_the_configuration_says():
    found = maximization._transforms([{"pad": 2}, {"scale": [0.9, 1.1], "jitter": None}], (9, 9))
    assert found == (transforms.Pad(2), transforms.Scale(0.9, 1.1))
    assert maximization._transforms("robust", (9, 9)) == transforms.ROBUST
    assert maximization._transforms(None, (9, 9)) == transforms.GENTLE


def test_what_climbs_next_to_nothing_is_noted():
    values = np.array([[0.0, 1.0], [2.0, 2.001], [0.0, 3.0]])
    (note,) = maximization.notes_of_stuck([4, 5, 7], values, "unit")
    assert note == f"unit 5: {maximization.STUCK}"
    assert maximization.notes_of_stuck([4, 7], values[[0, 2]], "unit") == []
    (note,) = maximization.notes_of_stuck([4, 5], np.zeros((2, 2)), "unit")
    assert note == f"units 4, 5: {maximization.STUCK}"
    assert maximization.notes_of_stuck(["a", "b"], np.zeros((2, 2)))[0].startswith("a, b: ")


def test_what_cannot_be_compared_is_judged_by_itself():
    values = np.array([[0.4, 1.0], [2.0, 700.0]])
    assert maximization.notes_of_stuck(["a", "b"], values, alike=False) == []
    (note,) = maximization.notes_of_stuck(
        ["a", "b"], np.array([[0.4, 0.401], [2, 700]]), alike=False
    )
    assert note.startswith("a: ")


@pytest.mark.parametrize(
    ("objective", "settings", "message"),
    [
        (objectives.unit("conv", 0, (18, 0)), {}, "layer conv: its map has 18 x 14 cells"),
        (objectives.unit("conv", 0, (-5, 0)), {}, "layer conv: its map has 18 x 14 cells"),
        (objectives.direction("conv", np.ones(5)), {}, "layer conv: it has 6 units; give as many"),
        (
            objectives.logit(0),
            {"transforms": (transforms.Pad(2),)},
            "layer logits: it takes images of one size alone, 18 x 14 pixels, and not of 22 x 18",
        ),
        (objectives.channel("pool", 0), {"image": images.Fourier((1, 9, 1))}, "nothing is left"),
        (objectives.channel("conv", 0), {"image": images.Fourier((18, 14, 3))}, "image of shape"),
        (objectives.channel("conv", 0), {"transforms": "robust"}, "transforms: 'r' is none of Pad"),
        (objectives.channel("conv", 0), {"regularizers": [1.0]}, "regularizers: 1.0 is none of L2"),
        (objectives.channel("conv", 0), {"steps": 2.5}, "steps 2.5: a whole number of at least 1"),
        (objectives.channel("conv", 0), {"seed": -1}, "seed -1: a whole number of at least 0"),
    ],
)
def test_what_there_is_not_is_refused(network, objective, settings, message):
    with pytest.raises(UserError, match=message):
        maximization.maximize(network, objective, **({"seed": 0, "steps": 1} | settings))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: transforms.Rotate(np.nan), "^degrees nan: a number of at least 0"),
        (lambda: transforms.Scale(1, np.inf), "^high inf: a number of at least 0"),
        (lambda: images.Fourier((4, 4, 1), decay="x"), "^decay x: a number of at least 0"),
        (lambda: objectives.code("conv", 3.0), "^layer conv: codes are finite numbers"),
        (lambda: objectives.code("conv", [[np.nan]]), "^layer conv: codes are finite numbers"),
        (lambda: objectives.likeness("conv", 3.0), "^layer conv: codes are finite numbers"),
        (lambda: objectives.likeness("conv", [[1.0]], -1), "^power -1: a number of at least 0"),
        (lambda: objectives.logit(0) * np.nan, "^objective: factor nan; finite numbers"),
        (lambda: objectives.unit("conv", 0, (1.5, 2)), "^layer conv: a cell is a row and a column"),
        (lambda: objectives.unit("conv", 0, 1), "^layer conv: a cell is a row and a column"),
        (lambda: objectives.direction("conv", [1.0], (0.5, 1)), "^layer conv: a cell is a row"),
    ],
)
def test_what_nothing_can_be_made_of_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_a_transform_may_be_given_by_itself(network):
    what = (network, objectives.channel("conv", 0))
    alone = maximization.maximize(*what, seed=0, steps=2, transforms=transforms.Roll(1))
    listed = maximization.maximize(*what, seed=0, steps=2, transforms=[transforms.Roll(1)])
    np.testing.assert_array_equal(alone.images, listed.images)


def test_objectives_are_summed_and_divided():
    both = sum([objectives.logit(1), objectives.logit(2)])
    assert [term.units[0] for term in both.terms] == [1, 2]
    np.testing.assert_allclose((both / 4).terms[0].factors, 0.25)


def test_groups_must_be_whole(network):
    objective = objectives.channel("conv", [1, 2, 3]) + objectives.diversity("conv", 2)
    with pytest.raises(UserError, match="^diversity: 3 images do not make groups of 2"):
        maximization.maximize(network, objective, seed=0)
    with pytest.raises(UserError, match="^diversity: groups of 1; it takes 2 images to differ"):
        objectives.diversity("conv", 1)


def test_the_deep_network_draws_the_same_whatever_the_company():
    layers = efficientnet.layers(input_shape=(64, 64, 3), classes=3)
    keras.utils.set_random_seed(1)
    model = build(layers)
    settings = {"seed": 1, "steps": 6, "transforms": transforms.ROBUST}
    objective = objectives.channel("b4_out", [3, 6, 11])
    whole = maximization.maximize(model, objective, batch=3, **settings).images
    for batch in (1, 2):
        found = maximization.maximize(model, objective, batch=batch, **settings).images
        np.testing.assert_allclose(found, whole, rtol=0, atol=1e-5 * 255)


def test_a_depth_series_excites_the_units_of_each_layer(tmp_path):
    model = sequential(
        (12, 12, 1),
        kinds.Conv2D(1, 3, use_bias=False, name="shallow"),
        kinds.Conv2D(2, 5, use_bias=False, name="deep"),
    )
    pictures = np.random.default_rng(0).uniform(0, 1, (4, 12, 12, 1)).astype("float32")
    with stored(tmp_path / "dataset.h5", pictures, [0, 1, 0, 1]) as dataset:
        found = depth_series.project(
            model, dataset, seed=1, layers=["shallow", "deep"], units_per_layer=5, steps=8
        )
    assert found.about["layers"] == [
        {"name": "shallow", "units": [0], "seen": [3, 3]},
        {"name": "deep", "units": [0, 1], "seen": [7, 7]},
    ]
    for number, name in enumerate(["shallow", "deep"]):
        made, values = found.arrays[f"images_{number}"], found.arrays[f"values_{number}"]
        assert made.shape == (number + 1, 12, 12, 1)
        outputs = layer_outputs(model, made, [name])[name].mean((1, 2))
        np.testing.assert_allclose(np.diag(outputs), values[:, 1], rtol=1e-4)
        assert (values[:, 1] > values[:, 0]).all()
