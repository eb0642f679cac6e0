"""Phases of fixed strength, inversion, caricature and atlas."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from projection_examples import sequential, set_weights, stored

from pixelspace import projections as px
from pixelspace.errors import UserError
from pixelspace.projections import (
    atlas,
    inversion,
    maco,
    maximization,
    objectives,
    transforms,
    tsne,
)
from pixelspace.projections.feature_maps import layer_outputs

kinds = keras.layers


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(5)
    return sequential(
        (12, 10, 3),
        kinds.Rescaling(1 / 255),
        kinds.Conv2D(8, 3, padding="same", name="conv"),
        kinds.ReLU(name="relu"),
        kinds.Conv2D(6, 3, strides=2, padding="same", name="deep"),
        kinds.GlobalAveragePooling2D(),
        kinds.Dense(4, name="logits"),
    )


def pictures(count: int) -> np.ndarray:
    shape = (count, 12, 10, 3)
    return np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)


# --- MaCo


@pytest.mark.parametrize("width", [6, 7])
def test_phases_move_waves_and_leave_their_strength(width):
    generator = np.random.default_rng(0)
    image = generator.normal(size=(5, width))
    magnitudes = np.abs(np.fft.rfft2(image))[None].astype(np.float32) / 100
    magnitudes[0, 0, 0] = 0
    identity = np.ones((1, 1), np.float32)
    phases = maco.Phases((5, width, 1), magnitudes, identity, np.full(1, 0.5, np.float32))
    found = phases.images(tf.constant(phases.start([0, 1], seed=3))).numpy()[..., 0]
    assert found.min() > 0
    assert found.max() < 1
    waves = np.fft.rfft2(found - 0.5)
    # what is its own opposite is real: the cosine of its phase is all that is left of it
    own = np.zeros_like(waves[0], bool)
    for column in [0] if width % 2 else [0, width // 2]:
        own[0, column] = True
    np.testing.assert_allclose(np.abs(waves)[:, ~own], [magnitudes[0][~own]] * 2, rtol=1e-3)
    assert np.abs(np.angle(waves[0]) - np.angle(waves[1])).max() > 1


def test_the_spectrum_is_that_of_the_data(tmp_path):
    images = pictures(40)
    with stored(tmp_path / "data.h5", images, [0, 1] * 20, value_range=(0, 255)) as dataset:
        found = maco.spectrum_of(dataset["train"].images, (0.0, 255.0))
    np.testing.assert_allclose(found.mean, images.mean((0, 1, 2)) / 255, rtol=1e-4)
    np.testing.assert_allclose(found.basis @ found.basis.T, np.eye(3), atol=1e-5)
    colours = (images / 255 - found.mean) @ found.basis.T
    covariance = np.cov(colours.reshape(-1, 3).T)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-5)
    expected = np.abs(np.fft.rfft2(np.moveaxis(colours, -1, 1))).mean(0)
    np.testing.assert_allclose(found.magnitudes[:, 1:], expected[:, 1:], rtol=1e-3)


def test_the_phases_alone_climb(network, tmp_path):
    with stored(tmp_path / "data.h5", pictures(20), [0, 1] * 10, value_range=(0, 255)) as dataset:
        found = maco.project(network, dataset, seed=0, layer="deep", units=[1, 4], steps=30)
        spectrum = maco.spectrum_of(dataset["train"].images, (0.0, 255.0))
    assert (found.arrays["values"][:, 1] > found.arrays["values"][:, 0] + 0.02).all()
    assert found.about["notes"] == []
    planes = np.moveaxis((found.arrays["images"] / 255 - spectrum.mean) @ spectrum.basis.T, -1, 1)
    magnitudes = np.abs(np.fft.rfft2(planes))
    np.testing.assert_allclose(magnitudes, [spectrum.magnitudes] * 2, atol=1e-4 * magnitudes.max())
    outside = (found.arrays["images"] < 0) | (found.arrays["images"] > 255)
    assert found.about["share_outside"] == outside.mean() > 0


# --- inversion and caricature


def test_an_early_code_is_inverted(network):
    images = 60 + pictures(2) / 2
    made, errors = inversion.invert(network, images, "conv", seed=0, steps=250, total_variation=0.0)
    assert (errors < 0.02).all()
    codes, found = (layer_outputs(network, x, ["conv"])["conv"] for x in (images, made))
    expected = ((found - codes) ** 2).sum((1, 2, 3)) / (codes**2).sum((1, 2, 3))
    np.testing.assert_allclose(errors, expected, rtol=1e-3)
    np.testing.assert_allclose(
        errors, inversion.code_errors(network, made, images, "conv"), rtol=1e-3
    )


def dead(bias: float) -> keras.Model:
    """Return a network that answers to darkness alone, if at all."""
    model = sequential(
        (6, 6, 1),
        kinds.Conv2D(2, 1, activation="relu", name="conv"),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
    )
    kernel = np.array([-1.0, -2.0]).reshape(1, 1, 1, 2)
    return set_weights(model, conv=[kernel, np.full(2, bias)])


def test_what_is_not_found_is_noted(tmp_path):
    data = (np.random.default_rng(0).uniform(size=(20, 6, 6, 1)) > 0.5).astype(np.float32)
    settings = {"seed": 0, "layers": ["conv"], "images": [3], "steps": 3}
    with stored(tmp_path / "data.h5", data, [0, 1] * 10) as dataset:
        missed = inversion.project(dead(0.01), dataset, **settings)
        drawn = inversion.project(dead(0.01), dataset, method="caricature", **settings)
        with pytest.raises(UserError, match="^layer conv: the same for all images"):
            atlas.project(dead(-1.0), dataset, seed=0, layer="conv", steps=1)
        with pytest.raises(UserError, match="^least: no field has 19 vectors"):
            atlas.project(dead(1.5), dataset, seed=0, layer="conv", steps=1, least=19, grid=3)
    assert missed.about["notes"] == ["layer conv, image 3: the code was not found"]
    (note,) = drawn.about["notes"]
    assert note.startswith("layer conv, image 3: hardly excited more than by the first image")


def test_images_of_another_size_are_inverted(network):
    images = 60 + np.random.default_rng(0).uniform(0, 90, (1, 20, 16, 3)).astype(np.float32)
    made, errors = inversion.invert(network, images, "conv", seed=0, steps=5)
    assert made.shape == images.shape
    assert inversion.caricature(network, images, "conv", seed=0, steps=2).images.shape == (
        1,
        20,
        16,
        3,
    )


def test_a_caricature_points_where_the_code_does(network):
    images = pictures(2)
    found = inversion.caricature(network, images, "deep", seed=0, steps=60)
    start, drawn, codes = (
        layer_outputs(network, x, ["deep"])["deep"]
        for x in (np.full_like(images, 127.5), found.images, images)
    )
    before, after = ((x * codes).sum(-1).mean() for x in (start, drawn))
    assert after > 1.2 * before
    assert (found.values[:, 1] > found.values[:, 0]).all()


def test_inversions_of_a_data_set(network, tmp_path):
    with stored(tmp_path / "data.h5", pictures(4), [0, 1, 0, 1], value_range=(0, 255)) as dataset:
        settings = {"seed": 0, "layers": ["conv", "logits"], "images": [3, 0], "steps": 20}
        found = inversion.project(network, dataset, **settings)
        drawn = inversion.project(network, dataset, method="caricature", **settings)
    assert found.arrays["made"].shape == drawn.arrays["made"].shape == (2, 2, 12, 10, 3)
    np.testing.assert_array_equal(found.arrays["inputs"], pictures(4)[[3, 0]])
    assert found.about["labels"] == ["b", "a"]
    assert (found.arrays["errors"] < drawn.arrays["errors"])[0].all()


def test_a_code_of_zeros_is_noted(tmp_path):
    model = sequential((12, 10, 3), kinds.Conv2D(2, 1, activation="relu", name="conv"))
    kernel = np.stack([np.ones((1, 1, 3)), -np.ones((1, 1, 3))], -1)
    set_weights(model, conv=[kernel, [-200.0, 0.0]])
    images = np.stack([np.full((12, 10, 3), 50.0), np.full((12, 10, 3), 100.0)]).astype(np.float32)
    note = "layer conv, image 0: zero everywhere, so nothing of it can be shown"
    settings = {"seed": 0, "layers": ["conv"], "images": [0, 1], "steps": 3}
    with stored(tmp_path / "data.h5", images, [0, 1], value_range=(0, 255)) as dataset:
        for method in ("inversion", "caricature"):
            found = inversion.project(model, dataset, method=method, **settings)
            assert found.about["notes"] == [note]
            assert np.isfinite(found.arrays["made"]).all()
            assert np.isfinite(found.arrays["errors"]).all()


# --- atlas


def test_neighbours_stay_neighbours():
    centres = np.eye(3)[np.arange(60) % 3] * 10
    vectors = np.concatenate([centres, np.zeros((60, 4))], 1)
    vectors += 0.3 * np.random.default_rng(0).normal(size=vectors.shape)
    places = tsne.layout(vectors, perplexity=10)
    distances = np.linalg.norm(places[:, None] - places, axis=-1) + 1e9 * np.eye(60)
    nearest = distances.argsort(1)[:, :15]
    assert (nearest % 3 == np.arange(60)[:, None] % 3).all()
    np.testing.assert_array_equal(places, tsne.layout(vectors, perplexity=10))


def test_widths_give_the_perplexity_that_was_asked_for():
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    distances = tsne._squared_distances(vectors)
    np.testing.assert_allclose(distances[3, 7], ((vectors[3] - vectors[7]) ** 2).sum())
    joint = tsne._joint(distances, 12.0)
    np.testing.assert_allclose(joint.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(joint, joint.T)
    # before the two directions were joined, each vector had its own 12
    off = ~np.eye(50, dtype=bool)
    own = joint[off].reshape(50, 49) / joint[off].reshape(50, 49).sum(1, keepdims=True)
    perplexities = np.exp(-(own * np.log(np.maximum(own, 1e-30))).sum(1))
    assert 12 < np.median(perplexities) < 18


def test_the_slope_is_that_of_the_divergence():
    generator = np.random.default_rng(0)
    places, joint = generator.normal(size=(6, 2)), generator.uniform(size=(6, 6))
    joint = joint + joint.T
    np.fill_diagonal(joint, 0)
    joint /= joint.sum()

    def divergence(places: np.ndarray) -> float:
        near = 1 / (1 + tsne._squared_distances(places))
        np.fill_diagonal(near, 0)
        off = ~np.eye(6, dtype=bool)
        return (joint[off] * np.log(joint[off] / (near / near.sum())[off])).sum()

    step = np.zeros((6, 2))
    step[4, 1] = 1e-5
    numeric = (divergence(places + step) - divergence(places - step)) / 2e-5
    np.testing.assert_allclose(tsne._slope(places, joint)[4, 1], numeric, rtol=1e-5)


def test_fields_by_hand():
    vectors = np.array([[1.0, 0], [3, 2], [5, 5], [0, 1], [0, 3], [0, 5], [0, 7], [9, 9]])
    places = np.array(
        [[0, 0], [0.4, 0.9], [2, 2], [2, 0], [2, 0.5], [1.9, 0], [1.5, 0.3], [0, 2.0]]
    )
    found = atlas.fields(vectors, places, grid=2, least=2)
    np.testing.assert_array_equal(found.places, [[0, 0], [1, 0]])
    np.testing.assert_array_equal(found.counts, [2, 4])
    np.testing.assert_array_equal(found.means, [[2, 1], [0, 4]])
    np.testing.assert_allclose(found.sizes, [np.sqrt(1 / 2), 1])


def test_fields_of_places_on_a_line_are_one_row():
    places = np.array([[3.0, 0], [3, 1], [3, 4]])
    found = atlas.fields(np.eye(3), places, grid=2, least=1)
    np.testing.assert_array_equal(found.places, [[0, 0], [0, 1]])
    np.testing.assert_array_equal(found.counts, [2, 1])
    with pytest.raises(UserError, match="^grid 0: a whole number of at least 1 is expected"):
        atlas.fields(np.eye(3), places, grid=0, least=1)


def test_an_atlas_of_a_data_set(network, tmp_path):
    with stored(tmp_path / "data.h5", pictures(30), [0, 1] * 15, value_range=(0, 255)) as dataset:
        settings = {"seed": 2, "layer": "deep", "grid": 3, "size": 12, "steps": 5}
        found = atlas.project(network, dataset, **settings)
        again = atlas.project(network, dataset, **settings)
        stored_images = dataset["train"].images
        vectors, numbers = atlas.sampled_vectors(network, stored_images, "deep", 10, seed=2)
    of_a_list, _ = atlas.sampled_vectors(network, pictures(30).tolist(), "deep", 10, seed=2)
    np.testing.assert_array_equal(of_a_list, vectors)
    shown = len(found.arrays["places"])
    assert found.arrays["images"].shape == (shown, 12, 12, 3)
    assert (found.arrays["counts"] >= 3).all()
    for name, array in found.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])
    assert vectors.shape == (10, 6)
    maps = layer_outputs(network, pictures(30)[numbers], ["deep"])["deep"].reshape(10, -1, 6)
    assert all((own == vector).all(-1).any() for own, vector in zip(maps, vectors, strict=True))


def test_an_atlas_by_the_names_of_the_package(network):
    vectors, _ = px.sampled_vectors(network, pictures(20), "deep", samples=20, seed=2)
    found = px.fields(vectors, px.layout(vectors), grid=2, least=1)
    assert found.counts.sum() == 20
    np.testing.assert_allclose(found.counts @ found.means, vectors.sum(0), rtol=1e-4, atol=1e-4)


def test_fields_of_one_vector_are_made_for_each_cell(network):
    code = np.random.default_rng(0).normal(size=(1, 1, 1, 6)).astype(np.float32)
    found = maximization.maximize(
        network, objectives.likeness("deep", code), seed=0, steps=40, transforms=transforms.GENTLE
    )
    assert found.values[0, 1] > found.values[0, 0] + 0.05
