"""Feature maps, the strongest patches of a data set, and their deconvolutions."""

import weakref

import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored

from pixelspace import artifacts
from pixelspace.errors import UserError
from pixelspace.projections import (
    backward,
    deconvolutions,
    feature_maps,
    graph,
    hard_images,
    top_patches,
)
from pixelspace.projections.top_patches import strongest_patches

kinds = keras.layers


def corner_detector() -> keras.Model:
    """Unit 0 weighs the four cells of a window 1, 2, 3, 4; unit 1 never answers to light."""
    kernel = np.zeros((2, 2, 1, 2))
    kernel[..., 0, 0] = [[1, 2], [3, 4]]
    kernel[..., 0, 1] = -1
    model = sequential(
        (3, 4, 1),
        kinds.Conv2D(2, 2, padding="same", use_bias=False, name="conv"),
        kinds.ReLU(name="relu"),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
    )
    return set_weights(model, conv=kernel)


def points(*cells: tuple[int, int, float]) -> np.ndarray:
    images = np.zeros((len(cells), 3, 4, 1), np.float32)
    for image, (row, column, value) in zip(images, cells, strict=True):
        image[row, column] = value
    return images


IMAGES = points((1, 1, 5), (0, 0, 9), (2, 3, 7), (0, 2, 5))


def test_a_feature_map_by_hand():
    found = feature_maps.layer_outputs(corner_detector(), IMAGES[:1], ["conv", "relu"])
    # a point meets each weight of the window in turn, the last weight first
    expected = np.zeros((3, 4))
    expected[0:2, 0:2] = 5 * np.array([[4, 3], [2, 1]])
    np.testing.assert_array_equal(found["relu"][0, :, :, 0], expected)
    np.testing.assert_array_equal(found["conv"][0, :2, :2, 1], -5 * np.ones((2, 2)))
    assert not found["relu"][0, :, :, 1].any()


def test_feature_maps_of_a_data_set(tmp_path):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        found = feature_maps.project(
            corner_detector(), dataset, seed=0, layers=["relu", "logits"], image=2
        )
        with pytest.raises(UserError, match="^image 4: the images are numbered 0 to 3$"):
            feature_maps.project(corner_detector(), dataset, seed=0, layers=["relu"], image=4)
    assert found.arrays["maps_0"].shape == (3, 4, 2)
    assert found.arrays["maps_1"].shape == (1, 1, 2)
    np.testing.assert_array_equal(found.arrays["input"], IMAGES[2])
    assert found.arrays["maps_0"][1, 2, 0] == 4 * 7
    assert found.about["layers"][0] == {"name": "relu", "units": [0, 1]}
    assert found.about["notes"] == ["layer relu: zero everywhere for this image: unit 1"]
    assert found.about["image"]["label"] == "a"


def test_the_strongest_patches_are_found_in_order(tmp_path, monkeypatch):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        found = strongest_patches(corner_detector(), dataset["test"].images, "relu", [0], 3)
        monkeypatch.setattr(top_patches, "BATCH", 3)
        again = strongest_patches(corner_detector(), dataset["test"].images, "relu", [0], 3)
    # The point of 7 at (2, 3) meets weight 4 from cell (1, 2). In the corner a point meets weight
    # 1 alone: 9. Those of 5 give 4 * 5 in image 0, and in image 3, at the top, 2 * 5.
    np.testing.assert_array_equal(found.activations, [[28, 20, 10]])
    np.testing.assert_array_equal(found.images, [[2, 0, 3]])
    np.testing.assert_array_equal(found.positions, [[[1, 2], [0, 0], [0, 1]]])
    for one, other in zip(vars(found).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_equal_activations_keep_the_order_of_the_images(tmp_path, monkeypatch):
    monkeypatch.setattr(top_patches, "BATCH", 2)
    images = np.repeat(IMAGES[:1], 5, axis=0)
    with stored(tmp_path / "data.h5", images, [0, 1, 0, 1, 0]) as dataset:
        found = strongest_patches(corner_detector(), dataset["test"].images, "relu", [0, 1], 4)
        with pytest.raises(UserError, match="^k = 6: more patches than the 5 images"):
            strongest_patches(corner_detector(), dataset["test"].images, "relu", [0], 6)
    np.testing.assert_array_equal(found.images, [[0, 1, 2, 3], [0, 1, 2, 3]])


def test_a_patch_beyond_the_border_is_padded():
    image = np.arange(12.0).reshape(3, 4, 1)
    patch, inside = top_patches.crop(image, (-1, 2, 3, 4))
    np.testing.assert_array_equal(patch[..., 0], [[0, 0, 0, 0], [2, 3, 0, 0], [6, 7, 0, 0]])
    np.testing.assert_array_equal(inside, np.array([[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]) == 1)
    nothing, nowhere = top_patches.crop(image, (5, -9, 2, 2))
    assert not nothing.any()
    assert not nowhere.any()


def test_a_patch_that_nothing_comes_back_for_is_noted(tmp_path):
    ceiling = sequential(
        (3, 4, 1), kinds.Conv2D(1, 2, name="conv"), kinds.ReLU(max_value=6, name="relu")
    )
    set_weights(ceiling, conv=[np.ones((2, 2, 1, 1)), np.zeros(1)])
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        found = deconvolutions.project(
            ceiling, dataset, seed=0, layer="relu", units=[0], k=2, policy="gradient"
        )
    # points of 9 and 7 drive the unit to its ceiling
    assert (found.arrays["activations"] == 6).all()
    (note,) = found.about["notes"]
    assert note.startswith("unit 0: nothing comes back for 2 of 2 patches")


def test_top_patches_of_a_data_set(tmp_path):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        settings = {"seed": 0, "layer": "relu", "k": 3}
        found = top_patches.project(corner_detector(), dataset, units=2, **settings)
        back = deconvolutions.project(corner_detector(), dataset, units=2, **settings)
    # of the two units one never answers to light
    assert found.about["units"] == [0]
    assert found.about["notes"] == ["unit 1: excited by no test image"]
    np.testing.assert_array_equal(found.arrays["activations"], [[28, 20, 10]])
    for name, array in found.arrays.items():
        np.testing.assert_array_equal(array, back.arrays[name])
    assert set(back.arrays) - set(found.arrays) == {"deconvolutions"}


def test_deconvolutions_of_a_data_set(tmp_path):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        found = deconvolutions.project(
            corner_detector(), dataset, seed=0, layer="relu", units=[0, 1], k=3
        )
    arrays = found.arrays
    assert arrays["patches"].shape == arrays["deconvolutions"].shape == (2, 3, 2, 2, 1)
    np.testing.assert_array_equal(arrays["boxes"][0], [[1, 2, 2, 2], [0, 0, 2, 2], [0, 1, 2, 2]])
    np.testing.assert_array_equal(arrays["patches"][0, 0, :, :, 0], [[0, 0], [0, 7]])
    np.testing.assert_array_equal(arrays["patches"][0, 2, :, :, 0], [[0, 5], [0, 0]])
    # the activation, through the transposed kernel
    np.testing.assert_array_equal(
        arrays["deconvolutions"][0, 0, :, :, 0], 28 * np.array([[1, 2], [3, 4]])
    )
    assert arrays["inside"].all()
    assert found.about["labels"][0] == ["a", "a", "b"]
    assert found.about["receptive_field"] == {"size": [2, 2], "stride": [1, 1], "start": [0, 0]}
    assert found.about["notes"] == [
        "unit 1: excited by no test image",
        "layer relu: no max-pooling before it, so all images project alike",
    ]
    artifacts.write_projection(tmp_path / "projection.npz", found)
    read = artifacts.read_projection(tmp_path / "projection.npz")
    np.testing.assert_array_equal(read.arrays["activations"], arrays["activations"])


def test_of_units_chosen_at_random_each_is_excited_by_something(tmp_path):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        for seed in range(4):
            found = deconvolutions.project(
                corner_detector(), dataset, seed=seed, layer="relu", units=1, k=3
            )
            assert found.arrays["units"].tolist() == [0]
            assert found.about["notes"][0] == "unit 1: excited by no test image"


def test_a_patch_by_itself_excites_its_unit_as_much(tmp_path):
    keras.utils.set_random_seed(4)
    model = sequential(
        (20, 17, 2),
        kinds.Conv2D(3, 3, dilation_rate=2, activation="relu"),
        kinds.MaxPooling2D((2, 3), strides=(2, 1)),
        kinds.Conv2D(4, (2, 3), name="deep"),
    )
    images = np.random.default_rng(0).normal(size=(9, 20, 17, 2)).astype(np.float32)
    with stored(tmp_path / "data.h5", images, [0] * 9) as dataset:
        found = deconvolutions.project(model, dataset, seed=0, layer="deep", units=4, k=3)
    patches = found.arrays["patches"]
    assert patches.shape == (4, 3, 8, 9, 2)  # 5 by 5, 6 by 7, and 2 rows and 2 columns more
    for unit in range(4):
        (alone,) = graph.outputs(model, patches[unit], ["deep"])
        assert alone.shape == (3, 1, 1, 4)
        np.testing.assert_allclose(
            alone[:, 0, 0, unit], found.arrays["activations"][unit], rtol=1e-5
        )
        # nothing of a projection lies outside its patch
        whole, _ = backward.backward_pass(
            model,
            images[found.arrays["images"][unit]],
            "deep",
            unit,
            [((top // 2), left) for top, left, _, _ in found.arrays["boxes"][unit]],
            policy="deconvnet",
            start="activation",
        )
        shown = found.arrays["deconvolutions"][unit]
        np.testing.assert_allclose(shown.sum((1, 2, 3)), whole.sum((1, 2, 3)), rtol=1e-3, atol=1e-4)


def test_a_data_set_is_read_once_and_its_images_are_let_go():
    reads = []

    class Images:
        shape = (3 * top_patches.BATCH, 3, 4, 1)

        def __len__(self):
            return self.shape[0]

        def __getitem__(self, part):
            assert all(read() is None for read in reads[:-1])
            images = np.random.default_rng(part.start).uniform(
                size=(part.stop - part.start, 3, 4, 1)
            )
            reads.append(weakref.ref(images))
            return images

    found = strongest_patches(corner_detector(), Images(), "relu", [0], 7)
    assert len(reads) == 3
    assert found.activations.shape == (1, 7)
    assert (np.diff(found.activations) <= 0).all()


def test_units_without_a_map_show_the_whole_image(tmp_path):
    with stored(tmp_path / "data.h5", IMAGES, [0, 1, 0, 1]) as dataset:
        model = corner_detector()
        found = deconvolutions.project(model, dataset, seed=0, layer="logits", units=[1], k=2)
    np.testing.assert_array_equal(found.arrays["boxes"], [[[0, 0, 3, 4]] * 2])
    np.testing.assert_array_equal(found.arrays["patches"][0], IMAGES[found.arrays["images"][0]])


def test_the_margin_is_that_over_the_best_of_the_others():
    logits = np.array([[3.0, 1.0, 2.5], [0.0, 4.0, 1.0], [1.0, 1.0, 0.0]])
    np.testing.assert_allclose(hard_images.margins(logits, np.array([0, 2, 1])), [0.5, -3, 0])


def test_errors_come_worst_first_and_successes_narrowest_first(tmp_path):
    # A network that compares two pixels: the first one's class, then the second one's.
    model = sequential((1, 2, 1), keras.layers.Flatten(), keras.layers.Dense(2, name="logits"))
    model.get_layer("logits").set_weights([np.eye(2), np.zeros(2)])
    first = np.array([5.0, 1.0, 0.0, 2.0, 3.0], np.float32)
    second = np.array([1.0, 2.0, 6.0, 1.5, 9.0], np.float32)
    images = np.stack([first, second], 1).reshape(5, 1, 2, 1)
    with stored(tmp_path / "data.h5", images, [0, 0, 0, 0, 1]) as dataset:
        found = hard_images.project(model, dataset, seed=0, images=1)
        all_of_them = hard_images.project(model, dataset, seed=0, images=9)
    np.testing.assert_array_equal(found.arrays["wrong"], images[[2]])
    np.testing.assert_array_equal(found.arrays["close"], images[[3]])
    np.testing.assert_allclose(all_of_them.arrays["wrong_margins"], [-6, -1])
    np.testing.assert_allclose(all_of_them.arrays["close_margins"], [0.5, 4, 6])
    np.testing.assert_array_equal(all_of_them.arrays["wrong_numbers"], [2, 1])
    np.testing.assert_array_equal(all_of_them.arrays["close_numbers"], [3, 0, 4])
    assert found.about["labels"] == [["a"], ["a"]]
    assert found.about["rivals"] == [["b"], ["b"]]
