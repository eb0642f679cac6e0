"""Gradients made to say more, class maps and occlusion, by hand."""

import keras
import numpy as np
import pytest
from projection_examples import sequential, set_weights, stored

from pixelspace.errors import UserError
from pixelspace.projections import attribution, backward, class_maps, gradients, images, occlusion

kinds = keras.layers


def squares() -> keras.Model:
    """Logits ``x0² + 2 x1²`` and ``-x1²``."""
    image = keras.Input((1, 2, 1))
    x = kinds.Flatten()(image)
    logits = kinds.Dense(2, use_bias=False, name="logits")(kinds.Multiply()([x, x]))
    return set_weights(keras.Model(image, logits), logits=np.array([[1.0, 0.0], [2.0, -1.0]]))


PAIR = np.array([[3.0, 1.0], [-1.0, 2.0]], np.float32).reshape(2, 1, 2, 1)


def test_gradient_times_input():
    found = gradients.gradient_times_input(squares(), PAIR, "logits", [0, 1])
    np.testing.assert_allclose(found.reshape(2, 2), [[2 * 9, 4 * 1], [0, -2 * 4]])


def test_integrated_gradients_share_out_the_gain():
    found, gap = gradients.integrated_gradients(squares(), PAIR, "logits", [0, 1], steps=3)
    np.testing.assert_allclose(found.reshape(2, 2), [[9, 2], [0, -4]], rtol=1e-6)
    np.testing.assert_allclose(gap, [0, 0], atol=1e-5)
    # from an image of ones: x0² - 1 and 2 (x1² - 1)
    found, gap = gradients.integrated_gradients(squares(), PAIR, "logits", 0, baseline=1.0, steps=2)
    np.testing.assert_allclose(found.reshape(2, 2), [[8, 0], [0, 6]], atol=1e-5)
    np.testing.assert_allclose(gap, [0, 0], atol=1e-5)


def test_the_gap_is_what_the_steps_miss():
    relu = sequential((1, 1, 1), kinds.ReLU(), kinds.Flatten(), kinds.Dense(1, name="logits"))
    set_weights(relu, logits=[np.ones((1, 1)), np.zeros(1)])
    # One step, half way from -1 to 3, finds the rectifier open: 4 in place of 3.
    found, gap = gradients.integrated_gradients(
        relu, np.full((1, 1, 1, 1), 3.0), "logits", 0, baseline=-1.0, steps=1
    )
    assert found.ravel() == [4]
    assert gap == [1]
    _, gap = gradients.integrated_gradients(
        relu, np.full((1, 1, 1, 1), 3.0), "logits", 0, baseline=-1.0, steps=200
    )
    assert abs(gap[0]) < 0.02


def test_smooth_grad_is_the_mean_over_noise():
    found = gradients.smooth_grad(squares(), PAIR, "logits", 0, seed=4, samples=30, spread=0.1)
    for number, (image, own) in enumerate(zip(PAIR, found, strict=True)):
        span = 2.0 if number == 0 else 3.0
        noisy = image + 0.1 * span * images.noise(range(30), 4, image.shape)
        mean = noisy.mean(0).ravel()
        np.testing.assert_allclose(own.ravel(), [2 * mean[0], 4 * mean[1]], rtol=1e-5)
    np.testing.assert_allclose(found.reshape(2, 2), [[6, 4], [-2, 8]], rtol=0.2)
    again = gradients.smooth_grad(squares(), PAIR, "logits", 0, seed=4, samples=30, spread=0.1)
    np.testing.assert_array_equal(found, again)


# Two channels, the image and its negative, in a map of 2 x 2; then logits.
MAP = np.array([[1.0, 2.0], [-3.0, 4.0]], np.float32).reshape(1, 2, 2, 1)


def two_channels(*head: keras.layers.Layer, weights: np.ndarray) -> keras.Model:
    convolution = kinds.Conv2D(2, 1, use_bias=False, name="map")
    logits = kinds.Dense(weights.shape[1], use_bias=False, name="logits")
    model = sequential((2, 2, 1), convolution, *head, logits)
    return set_weights(model, map=np.array([[[[1.0, -1.0]]]]), logits=weights)


def test_grad_cam_by_hand():
    # every cell of channel 0 counts 8 / 4 = 2 for class 1, of channel 1: 4 / 4 = 1
    model = two_channels(kinds.GlobalAveragePooling2D(), weights=np.array([[0.0, 8.0], [0.0, 4.0]]))
    found = class_maps.grad_cam(model, MAP, 1)
    np.testing.assert_allclose(found[0], [[1, 2], [0, 4]])
    assert not class_maps.grad_cam(model, MAP, 0).any()
    assert class_maps.maps_before(model, "logits") == ["map"]


def test_grad_cam_plus_plus_by_hand():
    # gradients: channel 0 1, 0, 0, 0 and channel 1 0, 0, 2, -1, row by row
    weights = np.zeros((8, 1))
    weights[[0, 5, 7], 0] = [1, 2, -1]
    model = two_channels(kinds.Flatten(), weights=weights)
    # channel 0 sums to 4: its cell counts 1 / (2 + 4 * 1); channel 1 to -4: 4 / (8 - 4 * 8) for
    # the gradient 2, and the negative gradient counts nothing
    first, second = 1 / 6 * 1, 4 / (8 - 32) * 2
    expected = np.maximum(first * MAP[0, :, :, 0] - second * MAP[0, :, :, 0], 0)
    np.testing.assert_allclose(class_maps.grad_cam_plus_plus(model, MAP, 0)[0], expected, rtol=1e-5)


def test_a_map_is_enlarged_to_the_image():
    model = sequential(
        (6, 4, 1),
        kinds.AveragePooling2D(2),
        kinds.Conv2D(1, 1, use_bias=False, name="map"),
        kinds.Flatten(),
        kinds.Dense(1, use_bias=False, name="logits"),
    )
    set_weights(model, map=np.ones((1, 1, 1, 1)), logits=np.ones((6, 1)))
    assert class_maps.grad_cam(model, np.full((3, 6, 4, 1), 2.0), 0).shape == (3, 6, 4)
    np.testing.assert_allclose(class_maps.grad_cam(model, np.full((1, 6, 4, 1), 2.0), 0), 2)


def test_class_maps_need_a_map():
    dense = sequential((4, 4, 1), kinds.Flatten(), kinds.Dense(2, name="logits"))
    with pytest.raises(UserError, match="^layer logits: no layer before it has a map"):
        class_maps.grad_cam(dense, np.zeros((1, 4, 4, 1)), 0)


def linear() -> tuple[keras.Model, np.ndarray]:
    weights = np.arange(12, dtype=np.float32).reshape(3, 4)
    logits = kinds.Dense(1, use_bias=False, name="logits")
    model = sequential((3, 4, 1), kinds.Flatten(), logits)
    return set_weights(model, logits=weights.reshape(12, 1)), weights


def test_windows_are_cut_off_at_the_border():
    found = occlusion.windows((3, 5), (2, 2), (1, 2))
    assert found.tolist() == [
        [0, 0, 2, 2],
        [0, 2, 2, 4],
        [0, 4, 2, 5],
        [1, 0, 3, 2],
        [1, 2, 3, 4],
        [1, 4, 3, 5],
    ]


def test_what_a_window_covers_is_lost():
    model, weights = linear()
    image = np.full((1, 3, 4, 1), 2.0)
    found = occlusion.occlusion_map(
        model, image, "logits", 0, window=(3, 2), stride=(1, 2), fill=1.0
    )
    losses = [weights[:, :2].sum(), weights[:, 2:].sum()]
    np.testing.assert_allclose(found[0], np.tile(np.repeat(losses, 2), (3, 1)))


def test_where_windows_overlap_their_mean_counts():
    model, weights = linear()
    image = np.ones((1, 3, 4, 1))
    found = occlusion.occlusion_map(model, image, "logits", 0, window=(3, 2), stride=(3, 1))
    losses = [weights[:, i : i + 2].sum() for i in range(3)]
    expected = [losses[0], sum(losses[:2]) / 2, sum(losses[1:]) / 2, losses[2]]
    np.testing.assert_allclose(found[0], np.tile(expected, (3, 1)))


def test_the_size_of_a_batch_changes_nothing(monkeypatch):
    keras.utils.set_random_seed(2)
    model = sequential(
        (8, 7, 2),
        kinds.Conv2D(4, 3, activation="relu", name="conv"),
        kinds.MaxPooling2D(2),
        kinds.Flatten(),
        kinds.Dense(3, name="logits"),
    )
    data = np.random.default_rng(0).uniform(size=(5, 8, 7, 2)).astype(np.float32)
    classes = np.array([0, 2, 1, 1, 0])
    settings = attribution.Settings(3, (0.0, 1.0), None, 50, 0.0, 50, 0.15, None)

    def maps() -> dict[str, np.ndarray]:
        found = {
            m: call(settings, model, data, "logits", classes, None)
            for m, call in attribution.METHODS.items()
        }
        return {m: f[0] if isinstance(f, tuple) else f for m, f in found.items()}

    whole = maps()
    for module in (class_maps, gradients, occlusion):
        monkeypatch.setattr(module, "BATCH", 2)
    for method, own in maps().items():
        scale = np.abs(whole[method]).max()
        np.testing.assert_allclose(own, whole[method], rtol=0, atol=1e-5 * scale, err_msg=method)


def test_every_method_on_a_data_set(tmp_path):
    keras.utils.set_random_seed(2)
    model = sequential(
        (8, 8, 1),
        kinds.Conv2D(4, 3, activation="relu", name="conv"),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
    )
    data = np.random.default_rng(0).uniform(size=(6, 8, 8, 1)).astype(np.float32)
    with stored(tmp_path / "data.h5", data, [0, 1, 0, 1, 0, 1]) as dataset:
        found = attribution.project(model, dataset, seed=0, images=[4, 1], target="b")
        with pytest.raises(UserError, match="^method lrp: the methods are gradient, "):
            attribution.project(model, dataset, seed=0, methods=["lrp"])
        with pytest.raises(UserError, match="^target c: give predicted, label, or one of a, b$"):
            attribution.project(model, dataset, seed=0, methods=["gradient"], target="c")
    assert found.about["methods"] == list(attribution.METHODS)
    assert found.about["explained"] == ["b", "b"]
    assert found.about["labels"] == ["a", "b"]
    for number in range(len(attribution.METHODS)):
        assert found.arrays[f"maps_{number}"].shape == (2, 8, 8, 1)
    shares = found.arrays["maps_3"].sum((1, 2, 3))
    logits = model.predict(np.concatenate([data[[4, 1]], np.zeros((1, 8, 8, 1))]), verbose=0)[:, 1]
    np.testing.assert_allclose(
        shares - found.about["completeness_gaps"], logits[:2] - logits[2], atol=1e-4
    )


def test_probabilities_are_explained_if_asked_for(tmp_path):
    logits, probabilities = kinds.Dense(2, name="logits"), kinds.Softmax(name="probabilities")
    model = sequential((2, 2, 1), kinds.Flatten(), logits, probabilities)
    set_weights(model, logits=[np.arange(8.0).reshape(4, 2) / 8, np.zeros(2)])
    data = np.random.default_rng(0).uniform(0, 1, (3, 2, 2, 1)).astype("float32")
    with stored(tmp_path / "data.h5", data, [0, 1, 0]) as dataset:
        settings = {"seed": 0, "methods": ["gradient", "occlusion"], "images": [2], "target": "b"}
        before = attribution.project(model, dataset, **settings)
        after = attribution.project(model, dataset, layer="probabilities", **settings)
    # By the chain rule: p (1 - p) times the derivative of the logits' difference.
    p = model.predict(data[[2]], verbose=0)[0, 1]
    np.testing.assert_allclose(before.arrays["maps_0"].ravel(), np.arange(1, 8, 2) / 8, rtol=1e-6)
    np.testing.assert_allclose(after.arrays["maps_0"].ravel(), p * (1 - p) / 8, rtol=1e-5)
    assert after.about["layer"] == "probabilities"
    assert np.abs(after.arrays["maps_1"]).max() < np.abs(before.arrays["maps_1"]).max()


def test_a_unit_of_a_map_is_explained_at_its_cell(tmp_path):
    keras.utils.set_random_seed(2)
    model = sequential(
        (6, 7, 1),
        kinds.Conv2D(3, 3, activation="relu", padding="same", name="first"),
        kinds.Conv2D(4, 3, padding="same", name="second"),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
    )
    data = np.random.default_rng(0).uniform(0, 1, (3, 6, 7, 1)).astype("float32")
    with stored(tmp_path / "data.h5", data, [0, 1, 0]) as dataset:
        settings = {"seed": 0, "images": [2], "layer": "second"}
        found = attribution.project(model, dataset, target=3, cell=(1, 2), **settings)
        whole = attribution.project(
            model, dataset, target=3, methods=["gradient", "occlusion"], window=2, **settings
        )
        with pytest.raises(UserError, match="^target label: layer second is not of classes"):
            attribution.project(model, dataset, target="label", **settings)
    assert found.about["explained"] == ["unit 3"]
    assert found.about["methods"] == list(attribution.METHODS)
    for number, method in enumerate(found.about["methods"]):
        maps = found.arrays[f"maps_{number}"][0]
        if method in attribution.NEED_A_MAP:
            continue
        # the cell (1, 2) sees rows 0 to 3 and columns 0 to 4
        assert maps[:4, :5].any()
        assert not maps[4:].any()
        assert not maps[:, 5:].any()
    expected = backward.gradient(model, data[[2]], "second", 3)
    np.testing.assert_array_equal(whole.arrays["maps_0"], expected)
    loss = occlusion.occlusion_map(
        model, data[[2]], "second", 3, window=(2, 2), stride=(1, 1), fill=0.5
    )
    np.testing.assert_allclose(whole.arrays["maps_1"][..., 0], loss, atol=1e-6)


def test_a_window_may_be_filled_with_a_colour():
    model = sequential((1, 1, 3), kinds.Flatten(), kinds.Dense(1, use_bias=False, name="logits"))
    set_weights(model, logits=np.array([[1.0], [10.0], [100.0]]))
    settings = {"window": (1, 1), "stride": (1, 1)}
    what = (model, np.ones((1, 1, 1, 3)), "logits", 0)
    found = occlusion.occlusion_map(*what, **settings, fill=(1.0, 0.5, 0.0))
    np.testing.assert_allclose(found, [[[5 + 100]]])
    with pytest.raises(UserError, match="^fill nan: finite numbers are expected"):
        occlusion.occlusion_map(*what, **settings, fill=np.nan)
    with pytest.raises(UserError, match="^fill of shape .2,.: it does not fit"):
        occlusion.occlusion_map(*what, **settings, fill=(1, 2))


def test_class_maps_of_a_layer_that_is_asked_for():
    model = two_channels(kinds.GlobalAveragePooling2D(), weights=np.array([[0.0, 8.0], [0.0, 4.0]]))
    asked = class_maps.grad_cam(model, MAP, 1, layer="map")
    np.testing.assert_array_equal(asked, class_maps.grad_cam(model, MAP, 1))
    with pytest.raises(UserError, match="^layer logits: it has no map, or does not come before"):
        class_maps.grad_cam(model, MAP, 1, layer="logits")


def test_what_is_missing_of_completeness_is_noted(tmp_path):
    # a step of height 1 at one half of the path, which two points of it miss
    steep = np.full((1, 1), 1e4)
    model = sequential(
        (1, 1, 1), kinds.Flatten(), kinds.Dense(1, "sigmoid", name="step"), kinds.Dense(2)
    )
    set_weights(model, step=[steep, [-5e3]])
    model.layers[-1].set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    data = np.ones((1, 1, 1, 1), "float32")
    settings = {"seed": 0, "methods": ["integrated_gradients", "deconvnet"], "images": [0]}
    with stored(tmp_path / "data.h5", data, [0]) as dataset:
        found = attribution.project(model, dataset, target="a", steps=2, **settings)
    missed, unrectified, same, *_ = found.about["notes"]
    assert missed.startswith("method integrated_gradients: for image 0 the shares miss the gain 1")
    assert unrectified.startswith("method deconvnet: no rectifier is known before layer logits")
    assert same == "method deconvnet: no max-pooling, so a unit has the same map for all images"


def test_blank_maps_and_a_silent_unit_are_noted_once_for_all_methods_and_images(tmp_path):
    model = sequential(
        (2, 2, 1),
        kinds.Conv2D(1, 1, use_bias=False, name="conv"),
        kinds.ReLU(name="relu"),
        kinds.Flatten(),
        kinds.Dense(2, use_bias=False),
    )
    set_weights(model, conv=[np.full((1, 1, 1, 1), -1.0)])
    data = np.ones((3, 2, 2, 1), "float32")
    data[1] = -1
    settings = {"seed": 0, "methods": ["gradient", "guided", "deconvnet"], "images": [0, 1, 2]}
    with stored(tmp_path / "data.h5", data, [0, 1, 0]) as dataset:
        found = attribution.project(model, dataset, layer="relu", target=0, **settings)
    blank = [note for note in found.about["notes"] if "zero" in note]
    assert blank == [
        "unit 0: zero for images 0, 2",
        "methods gradient, guided: zero everywhere for images 0, 2",
    ]
