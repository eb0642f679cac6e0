"""Faults of filters, and networks that are made smaller, against values worked out by hand."""

import numpy as np
import pytest
from projection_examples import set_weights, stored

from pixelspace.artifacts import Projection
from pixelspace.figures import faults as drawing
from pixelspace.measures import pruning
from pixelspace.networks import cnn
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import multiply_adds
from pixelspace.projections import faults
from pixelspace.runtime import seed_tensorflow

LAYERS = cnn.layers(
    input_shape=(12, 10, 1),
    classes=3,
    filters=(4, 6),
    kernel=3,
    padding="valid",
    dense=5,
    activation="softmax",
    white=255.0,
)


@pytest.fixture
def model():
    seed_tensorflow(5)
    network = build(LAYERS)
    random = np.random.default_rng(5)
    for layer in network.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, random.normal(0, 0.1, bias.shape)])
    return network


def images(count: int) -> np.ndarray:
    return np.random.default_rng(6).uniform(0, 255, (count, 12, 10, 1)).astype("float32")


def test_bright_and_alike_pictures_by_hand():
    found = np.array([[3.0, 4.0], [6.0, 8.0], [0.0, 0.0], [-4.0, 3.0]]).reshape(4, 1, 2, 1)
    np.testing.assert_allclose(faults.brightness(found), np.sqrt([12.5, 50, 0, 12.5]))
    np.testing.assert_allclose(
        faults.cosines(found),
        [[-1, 1, 0, 0], [1, -1, 0, 0], [0, 0, -1, 0], [0, 0, 0, -1]],
        atol=1e-12,
    )


def test_high_frequencies_lie_outside_the_disc_of_half_of_nyquist():
    y, x = np.mgrid[:32, :32]
    waves = [np.cos(2 * np.pi * f * x) for f in (0.125, 0.375)]
    # Each direction alone is below half of Nyquist's frequency, both together are above.
    waves.append(np.cos(2 * np.pi * (0.21875 * x + 0.21875 * y)))
    waves += [np.ones((32, 32)), (-1.0) ** (x + y), np.zeros((32, 32))]
    found = faults.high_frequency_share(np.stack(waves)[..., None])
    np.testing.assert_allclose(found, [0, 1, 1, 0, 1, 0], atol=0.06)
    noise = np.random.default_rng(0).normal(size=(2000, 5, 5, 2))
    expected = 1 - np.pi * faults.HALF_OF_NYQUIST**2
    assert faults.high_frequency_share(noise).mean() == pytest.approx(expected, abs=0.01)


def test_faults_take_turns():
    even, odd = np.ones((4, 4)), np.tile([1.0, -1.0], (4, 2))
    ramp = np.arange(16.0).reshape(4, 4) - 7.5
    shown = np.stack([2 * even, 3 * ramp, 0.1 * even, 4 * odd, ramp, 5 * even])[..., None]
    # 2 is the faintest; then 0 and 5, and 1 and 4, are the same but for brightness, and the
    # earlier pair counts; 3 is the one with high frequencies; 4 is then the faintest.
    order, why = faults.condemned(shown, 4)
    np.testing.assert_array_equal(order, [2, 0, 3, 4])
    assert why == ["dead", "duplicate", "aliased", "dead"]
    order, _ = faults.condemned(shown, 5)
    assert set(order) | {5} == set(range(6)) or set(order) | {1} == set(range(6))


def test_a_picture_is_a_kernel_times_its_mean_strongest_activation(tmp_path):
    layers = cnn.layers(
        input_shape=(4, 4, 1), classes=2, filters=(2,), kernel=1, dense=1, white=1.0
    )
    network = set_weights(
        build(layers), conv1=[np.array([2.0, -3.0]).reshape(1, 1, 1, 2), np.zeros(2)]
    )
    shown = np.zeros((2, 4, 4, 1), "float32")
    shown[0, 1, 2], shown[1, 0, 0] = 5.0, 7.0
    with stored(tmp_path / "data.h5", shown, [0, 1]) as dataset:
        found = faults.pictures(network, dataset["validation"], "conv1")
        projection = faults.project(network, dataset, seed=0, layer="conv1")
    # The first answers with 10 and 14 at most; the second is negative and never opens.
    np.testing.assert_allclose(found.ravel(), [2 * 12.0, 0])
    np.testing.assert_array_equal(projection.arrays["units"], [1])
    assert projection.about["faults"] == ["dead"]


def test_a_network_is_described_as_it_was_built(model):
    assert pruning.described(model) == LAYERS
    assert pruning.filters(LAYERS) == {"conv1": 4, "conv2": 6}


def test_a_smaller_network_computes_what_is_left_of_the_whole(model):
    kept = {"conv1": np.array([1, 3]), "conv2": np.array([0, 2, 3, 5])}
    left = pruning.pruned(model, LAYERS, kept)
    found = logits_model(left)(images(7)).numpy()
    for layer, filters in kept.items():
        kernel, bias = model.get_layer(layer).get_weights()
        stays = np.isin(np.arange(len(bias)), filters)
        model.get_layer(layer).set_weights([kernel * stays, bias * stays])
    zeroed = logits_model(model)(images(7)).numpy()
    np.testing.assert_allclose(found, zeroed, rtol=1e-4, atol=1e-5)


def test_without_removal_the_network_is_the_same(model):
    np.testing.assert_array_equal(
        pruning.pruned(model, LAYERS, {})(images(3)).numpy(), model(images(3)).numpy()
    )


def test_what_is_smaller_by_hand(model):
    # 12 x 10 becomes 10 x 8, 5 x 4, 3 x 2 and 1 x 1.
    assert sum(multiply_adds(LAYERS).values()) == 80 * 9 * 4 + 6 * 9 * 4 * 6 + 6 * 5 + 5 * 3
    left = pruning.pruned(model, LAYERS, {"conv1": np.arange(2), "conv2": np.arange(3)})
    adds = multiply_adds(pruning.described(left))
    assert sum(adds.values()) == 80 * 9 * 2 + 6 * 9 * 2 * 3 + 3 * 5 + 5 * 3
    assert left.count_params() == (9 * 2 + 2) + (9 * 2 * 3 + 3) + (3 * 5 + 5) + (5 * 3 + 3)


@pytest.mark.parametrize(
    ("filters", "share", "count"), [(16, 0.25, 4), (16, 0.99, 15), (3, 0.01, 1), (2, 0.5, 1)]
)
def test_some_filters_go_and_some_stay(filters, share, count):
    assert pruning.removed_count(filters, share) == count


def test_magnitudes_by_hand(model):
    kernel = np.zeros((3, 3, 1, 4))
    kernel[0, 0, 0], kernel[1, 2, 0] = [1, -2, 3, 0], [1, 1, -4, 0]
    set_weights(model, conv1=[kernel, np.zeros(4)])
    np.testing.assert_array_equal(pruning.magnitudes(model, "conv1"), [2, 3, 7, 0])


def measured(model, path, **settings):
    settings = {"shares": [0.25, 0.5], "draws": 2, "epoch_share": 0.5} | settings
    settings |= {"batch": 4, "learning_rate": 0.01, "shift": 1}
    with stored(path, images(24), [0, 1, 2] * 8, "abc", (0.0, 255.0)) as dataset:
        return pruning.measure(model, dataset, seed=3, **settings)


def test_numbers_of_pruning(model, tmp_path):
    before = [weights.copy() for weights in model.get_weights()]
    found = measured(model, tmp_path / "data.h5")
    criteria = {
        f"{name}_{percent}"
        for name in ("projection", "magnitude", "random")
        for percent in (25, 50)
    }
    over = {f"projection_over_{other}" for other in ("random", "magnitude")}
    correlations = {
        f"{name}_correlation" for name in ("brightness", "distinctness", "smoothness", "magnitude")
    }
    of_layers = {
        f"{layer}_{name}"
        for layer in ("conv1", "conv2")
        for name in ("lossless", "largest_loss", *correlations)
    }
    assert found.keys() == {
        *("accuracy", "accuracy_trained", "multiply_adds"),
        *criteria,
        *(f"{name}_trained" for name in criteria),
        *over,
        *(f"{name}_trained" for name in over),
        *(f"{size}_{percent}" for size in ("parameters", "multiply_adds") for percent in (25, 50)),
        *of_layers,
        *correlations,
    }
    both = [found[f"{layer}_smoothness_correlation"] for layer in ("conv1", "conv2")]
    assert found["smoothness_correlation"] == min(both)
    assert all(np.isfinite(list(found.values())))
    differences = [found[f"projection_{p}"] - found[f"random_{p}"] for p in (25, 50)]
    assert found["projection_over_random"] == pytest.approx(np.mean(differences))
    # One filter of four and two of six stay out; rounding goes to the even number.
    assert found["multiply_adds_25"] == 80 * 9 * 3 + 6 * 9 * 3 * 4 + 4 * 5 + 5 * 3
    for weights, others in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, others)
    assert measured(model, tmp_path / "again.h5") == found


def test_filters_are_drawn_in_the_order_in_which_they_go():
    shown = np.random.default_rng(0).normal(size=(5, 3, 3, 1))
    why = ["dead", "duplicate", "aliased", "dead", "duplicate"]
    projection = Projection(
        {"projections": shown, "units": np.array([4, 0, 3, 1, 2])},
        {"kind": "faults", "layer": "conv1", "faults": why},
    )
    figure = drawing.draw(projection)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["dead", "4", "1", "duplicate", "0", "2", "aliased", "3"]
    drawn = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    np.testing.assert_array_equal(drawn, shown[[0, 3, 1, 4, 2], ..., 0])
