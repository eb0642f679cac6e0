"""Every method on every kind of network, with the same bytes each time, and compiled once."""

import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import pytest
from projection_examples import sequential, stored

from pixelspace.errors import UserError
from pixelspace.projections import (
    atlas,
    attribution,
    backward,
    class_maps,
    deconvolutions,
    dream,
    feature_maps,
    gradients,
    graph,
    inversion,
    maco,
    maximization,
    objectives,
    occlusion,
    randomized,
    regularizers,
    top_patches,
    transforms,
    weights,
)
from pixelspace.projections import images as px_images

kinds = keras.layers


def one_channel_sequential() -> keras.Model:
    return sequential(
        (12, 9, 1),
        kinds.Conv2D(4, 3, activation="relu", name="hidden"),
        kinds.MaxPooling2D(2),
        kinds.Flatten(),
        kinds.Dense(2, name="logits"),
        kinds.Softmax(),
    )


def dense_functional() -> keras.Model:
    image = keras.Input((8, 9, 3))
    x = kinds.Dense(5, name="hidden")(kinds.Flatten()(image))
    return keras.Model(image, kinds.Dense(2)(kinds.ReLU()(x)))


def functional_in_double_precision() -> keras.Model:
    policy, floats = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    image = keras.Input((9, 12, 3))
    first = kinds.Conv2D(4, 3, padding="same")(image)
    second = kinds.BatchNormalization()(kinds.Conv2D(4, 3, padding="same")(first))
    x = kinds.Add(name="hidden")([first, kinds.ReLU(max_value=6)(second)])
    x = kinds.GlobalAveragePooling2D()(x)
    model = keras.Model(image, kinds.Dense(2, activation="softmax")(x))
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx(floats)
    return model


NETWORKS = [one_channel_sequential, dense_functional, functional_in_double_precision]

METHODS: dict[str, Callable] = {
    "atlas": lambda *a: atlas.project(*a, seed=0, layer="hidden", grid=2, size=10, steps=2),
    "attribution": lambda *a: attribution.project(*a, seed=0, images=2),
    "caricature": lambda *a: inversion.project(
        *a, seed=0, layers=["hidden", "logits"], images=2, steps=2, method="caricature"
    ),
    "deconvolutions": lambda *a: deconvolutions.project(*a, seed=0, layer="hidden", units=2, k=3),
    "dream": lambda *a: dream.project(
        *a, seed=0, layer="hidden", label="a", octaves=2, steps=2, jitter=2
    ),
    "feature_maps": lambda *a: feature_maps.project(*a, seed=0, layers=["hidden", "logits"]),
    "inversion": lambda *a: inversion.project(
        *a, seed=0, layers=["hidden", "logits"], images=2, steps=2
    ),
    "maco": lambda *a: maco.project(*a, seed=0, layer="hidden", units=2, steps=2),
    "maximization": lambda *a: maximization.project(
        *a, seed=0, layer="logits", units=2, variants=2, diversity=0.1, l2=0.1, blur=0.1, steps=2
    ),
    "randomized": lambda *a: randomized.project(*a, seed=0),
    "top_patches": lambda *a: top_patches.project(*a, seed=0, layer="hidden", units=2, k=3),
    "weights": lambda *a: weights.project(*a, seed=0, layer="hidden", units=3),
}


@pytest.fixture(scope="module", params=NETWORKS)
def network_and_data(request, tmp_path_factory) -> Iterator[tuple]:
    keras.utils.set_random_seed(0)
    model = request.param()
    images = np.random.default_rng(0).uniform(size=(12, *model.input_shape[1:]))
    path = tmp_path_factory.mktemp("data") / "data.h5"
    with stored(path, images.astype(np.float32), [0, 1] * 6) as dataset:
        yield model, dataset


@pytest.mark.parametrize("method", METHODS)
def test_every_method_works_on_every_network(network_and_data, method):
    model, _ = network_and_data
    if method == "dream" and len(graph.shape(model, "hidden")) == 1:
        with pytest.raises(UserError, match="^layer hidden: it takes images of one size alone"):
            METHODS[method](*network_and_data)
        return
    found = METHODS[method](*network_and_data)
    again = METHODS[method](*network_and_data)
    for name, array in found.arrays.items():
        assert np.isfinite(array).all()
        np.testing.assert_array_equal(array, again.arrays[name])


def test_a_layer_without_a_map_dreams_at_one_size():
    model = dense_functional()
    image = np.random.default_rng(0).uniform(size=(8, 9, 3)).astype(np.float32)
    settings = {"seed": 0, "octaves": 1, "steps": 8, "jitter": 0, "value_range": (0, 1)}
    frames = dream.deep_dream(model, image, "hidden", 2, **settings)
    before, after = feature_maps.layer_outputs(model, frames, ["hidden"])["hidden"][:, 2]
    assert after > before


def test_a_network_that_is_changed_in_place_is_compiled_anew():
    model = one_channel_sequential()
    image = np.random.default_rng(0).uniform(size=(1, 12, 9, 1))
    rectified = backward.gradient(model, image, "hidden", 0)
    model.get_layer("hidden").activation = keras.activations.linear
    linear = backward.gradient(model, image, "hidden", 0)
    assert not np.array_equal(rectified, linear)
    model.add(kinds.Dense(3, name="more"))
    assert graph.shape(model, "more") == (3,)


def test_where_no_rectifier_is_known_that_is_noted(tmp_path):
    model = sequential((4, 4, 1), kinds.Flatten(), kinds.Dense(2, name="logits"))
    images = np.random.default_rng(0).uniform(size=(2, 4, 4, 1)).astype(np.float32)
    with stored(tmp_path / "data.h5", images, [0, 1]) as dataset:
        found = attribution.project(model, dataset, seed=0, images=1, methods=["guided"])
    assert found.about["notes"] == [
        "method guided: no rectifier is known before layer logits, so it is the gradient"
    ]


def test_class_maps_are_left_out_where_there_is_no_map(tmp_path):
    images = np.random.default_rng(0).uniform(size=(2, 8, 9, 3)).astype(np.float32)
    with stored(tmp_path / "data.h5", images, [0, 1]) as dataset:
        found = attribution.project(dense_functional(), dataset, seed=0, images=1)
    assert "grad_cam" not in found.about["methods"]
    assert found.about["notes"][:2] == [
        "method grad_cam: left out, as no layer has a map",
        "method grad_cam_plus_plus: left out, as no layer has a map",
    ]


CALLS: dict[str, Callable] = {
    "backward": lambda model, x, unit: backward.guided_backpropagation(model, x, "hidden", unit),
    "class map": lambda model, x, unit: class_maps.grad_cam(model, x, unit % 2),
    "dream": lambda model, x, unit: dream.deep_dream(
        model, x[0], "hidden", unit, seed=unit, octaves=1 + unit, steps=1 + unit, jitter=1
    ),
    "feature maps": lambda model, x, unit: feature_maps.layer_outputs(model, x, ["hidden"]),
    "inversion": lambda model, x, unit: inversion.invert(model, x, "hidden", seed=unit, steps=1),
    "integrated gradients": lambda model, x, unit: gradients.integrated_gradients(
        model, x, "logits", unit % 2, steps=2 + unit
    ),
    "maco": lambda model, x, unit: maximization.maximize(
        model, objectives.logit(unit % 2), image=maco.spectrum_of(x[:1], (0, 1)), seed=unit, steps=1
    ),
    "maximization": lambda model, x, unit: maximization.maximize(
        model, objectives.channel("hidden", [unit] * (1 + unit)), seed=unit, steps=1 + unit
    ),
    "occlusion": lambda model, x, unit: occlusion.occlusion_map(
        model, x, "hidden", unit, window=(3, 3), stride=(2 + unit, 2)
    ),
    "smooth gradients": lambda model, x, unit: gradients.smooth_grad(
        model, x, "logits", unit % 2, seed=unit, samples=2 + unit
    ),
    "top patches": lambda model, x, unit: top_patches.strongest_patches(
        model, x, "hidden", [unit] * (1 + unit), k=len(x)
    ),
    "weights": lambda model, x, unit: weights.expected_response(model, "logits", [unit % 2]),
}


@pytest.mark.parametrize("method", CALLS)
def test_another_unit_or_number_of_images_is_not_traced_again(method, monkeypatch):
    traces = []
    outputs = graph.outputs
    monkeypatch.setattr(graph, "outputs", lambda *a, **k: traces.append(a) or outputs(*a, **k))
    model = one_channel_sequential()
    images = np.random.default_rng(0).uniform(size=(3, 12, 9, 1))
    CALLS[method](model, images, 0)
    first = len(traces)
    for unit in (1, 2, 3):
        CALLS[method](model, images[:unit], unit)
    assert first > 0
    assert len(traces) == first


class CaughtError(Exception):
    """Carries what a method was called with."""


def caught(monkeypatch, module, name: str, call: Callable) -> dict:
    """Return the keyword arguments that ``call`` leads a function of a module to be called with."""

    def catch(*positional, **given):
        raise CaughtError(dict(enumerate(positional)) | given)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, catch)
        with pytest.raises(CaughtError) as found:
            call()
    return found.value.args[0]


def test_settings_reach_the_optimization(tmp_path, monkeypatch):
    keras.utils.set_random_seed(0)
    model = one_channel_sequential()
    images = np.random.default_rng(0).uniform(size=(4, 12, 9, 1)).astype(np.float32)
    with stored(tmp_path / "data.h5", images, [0, 1] * 2) as dataset:
        what = (model, dataset)

        def maximize(**settings):
            call = lambda: maximization.project(*what, seed=7, layer="hidden", **settings)  # noqa: E731
            return caught(monkeypatch, maximization, "maximize", call)

        found = maximize(
            units=[1, 3],
            cell="middle",
            image="pixels",
            total_variation=2.0,
            l2=3.0,
            blur=4.0,
            steps=5,
            rate=0.3,
        )
        (term,) = found[1].terms
        np.testing.assert_array_equal(term.cells, [objectives.MIDDLE] * 2)
        mean = px_images.mean_colour(images, (0, 1))
        assert found["image"] == px_images.Pixels((12, 9, 1), mean)
        assert found["regularizers"] == [
            regularizers.TotalVariation(2.0),
            regularizers.L2(3.0),
            regularizers.Blur(4.0),
        ]
        assert (found["seed"], found["steps"], found["rate"]) == (7, 5, 0.3)
        found = maximize(units=[1], variants=3, diversity=0.5)
        terms = {term.kind: term for term in found[1].terms}
        assert terms["diversity"].parameter == 3
        np.testing.assert_allclose(terms["diversity"].factors, 0.5)
        np.testing.assert_array_equal(terms["units"].cells, [objectives.MEAN] * 3)
        assert found["transforms"] == transforms.GENTLE

        call = lambda: maco.project(*what, seed=7, layer="hidden", units=[1], steps=5)  # noqa: E731
        found = caught(monkeypatch, maco, "maximize", call)
        assert found["transforms"] == transforms.GENTLE
        assert (found["seed"], found["steps"], found["rate"]) == (7, 5, maco.RATE)

        settings = {"seed": 7, "layers": ["hidden"], "images": [1], "steps": 5}
        call = lambda: inversion.project(*what, total_variation=0.3, **settings)  # noqa: E731
        found = caught(monkeypatch, inversion, "maximize", call)
        assert found["regularizers"] == [regularizers.TotalVariation(0.3)]
        assert found["transforms"] == ()
        assert found["image"] == px_images.Fourier((12, 9, 1), mean)

        settings = {"seed": 7, "layer": "hidden", "label": "a"}
        call = lambda: dream.project(*what, guide_label="b", guide_index=1, **settings)  # noqa: E731
        found = caught(monkeypatch, dream, "deep_dream", call)
        np.testing.assert_array_equal(found["guide"], images[3])


def test_settings_reach_the_methods_of_attribution(tmp_path, monkeypatch):
    model = one_channel_sequential()
    images = np.random.default_rng(0).uniform(size=(4, 12, 9, 1)).astype(np.float32)
    with stored(tmp_path / "data.h5", images, [0, 1] * 2, value_range=(-1, 3)) as dataset:

        def given(name: str, **settings) -> dict:
            method = {"occlusion_map": "occlusion"}.get(name, name)
            settings = {"seed": 7, "methods": [method], "images": [1], **settings}
            call = lambda: attribution.project(model, dataset, **settings)  # noqa: E731
            return caught(monkeypatch, attribution, name, call)

        found = given("smooth_grad", samples=3, spread=0.2)
        assert (found["samples"], found["spread"], found["seed"]) == (3, 0.2, 7)
        found = given("integrated_gradients", steps=9, baseline=0.25)
        assert (found["steps"], found["baseline"]) == (9, 0.0)
        found = given("occlusion_map", window=4)
        assert (found["window"], found["stride"], found["fill"]) == ((4, 4), (2, 2), 1.0)


def test_codes_and_what_is_made_of_them_do_not_depend_on_the_company():
    keras.utils.set_random_seed(0)
    model = one_channel_sequential()
    images = np.random.default_rng(0).uniform(size=(3, 12, 9, 1)).astype(np.float32)
    whole = feature_maps.layer_outputs(model, images, ["hidden", "logits"])
    for number in range(3):
        alone = feature_maps.layer_outputs(model, images[number : number + 1], ["hidden", "logits"])
        for layer, output in whole.items():
            scale = np.abs(output).max()
            np.testing.assert_allclose(alone[layer][0], output[number], rtol=0, atol=1e-5 * scale)
    settings = {"seed": 1, "steps": 12, "value_range": (0, 1)}
    together, errors = inversion.invert(model, images, "hidden", **settings)
    drawn = inversion.caricature(model, images, "hidden", **settings)
    for batch in (1, 2):
        apart, own_errors = inversion.invert(model, images, "hidden", batch=batch, **settings)
        np.testing.assert_allclose(apart, together, rtol=0, atol=1e-5)
        np.testing.assert_allclose(own_errors, errors, rtol=1e-4)
        other = inversion.caricature(model, images, "hidden", batch=batch, **settings)
        np.testing.assert_allclose(other.images, drawn.images, rtol=0, atol=1e-5)


def test_an_atlas_does_not_depend_on_what_is_made_side_by_side(tmp_path, monkeypatch):
    keras.utils.set_random_seed(0)
    model = one_channel_sequential()
    images = np.random.default_rng(0).uniform(size=(24, 12, 9, 1)).astype(np.float32)
    maximize = maximization.maximize
    found = []
    with stored(tmp_path / "data.h5", images, [0, 1] * 12) as dataset:
        for batch in (1, 3, 16):
            side_by_side = functools.partial(maximize, batch=batch)
            monkeypatch.setattr(atlas, "maximize", side_by_side)
            settings = {"seed": 0, "layer": "hidden", "grid": 3, "least": 1, "size": 10, "steps": 6}
            found.append(atlas.project(model, dataset, **settings).arrays["images"])
    assert len(found[0]) > 3
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: transforms.Roll(2.5), "pixels 2.5: a whole number of at least 0"),
        (lambda: transforms.Pad(-1), "pixels -1: a whole number of at least 0"),
        (lambda: transforms.Scale(1.1, 0.9), "scale 1.1 to 0.9: rising factors over 0"),
        (lambda: px_images.Fourier((8, 8, 3), (0.5, 0.5)), r"mean \(0.5, 0.5\): one value, or 3"),
        (lambda: px_images.Pixels((8, 8)), r"shape \(8, 8\): \(height, width, channels\)"),
        (lambda: objectives.logit([0, 1]) * np.ones(3), "objective: 3 factors for 2 images"),
    ],
)
def test_parts_of_an_optimization_that_cannot_be_are_refused(call, message):
    with pytest.raises(UserError, match=f"^{message}"):
        call()


REFUSED: dict[str, tuple[Callable, str]] = {
    "a tile of none": (
        lambda m, x: dream.deep_dream(m, x[0], "hidden", seed=0, tile=0),
        "tile 0: a whole number of at least 1",
    ),
    "a scale that shrinks": (
        lambda m, x: dream.deep_dream(m, x[0], "hidden", seed=0, scale=0.5),
        "scale 0.5: a number of at least 1",
    ),
    "a small guide": (
        lambda m, x: dream.deep_dream(m, x[0], "hidden", seed=0, guide=x[0, :2, :2]),
        "layer hidden: at 2 x 2 pixels nothing is left of it",
    ),
    "no steps": (
        lambda m, x: gradients.integrated_gradients(m, x, "logits", 0, steps=0),
        "steps 0: a whole number of at least 1",
    ),
    "a baseline of another shape": (
        lambda m, x: gradients.integrated_gradients(m, x, "logits", 0, baseline=np.zeros(5)),
        r"baseline of shape \(5,\): it does not fit \(2, 12, 9, 1\)",
    ),
    "no samples": (
        lambda m, x: gradients.smooth_grad(m, x, "logits", 0, seed=0, samples=0),
        "samples 0: a whole number of at least 1",
    ),
    "units that are not one for each": (
        lambda m, x: gradients.smooth_grad(m, x, "logits", [0, 1, 0], seed=0),
        r"units of shape \(3,\)",
    ),
    "a window of one side": (
        lambda m, x: occlusion.occlusion_map(m, x, "logits", 0, window=4, stride=(1, 1)),
        "window 4: two numbers, of rows and of columns",
    ),
    "weights of no unit": (
        lambda m, x: weights.project_weights(m, "hidden", []),
        "layer hidden: no unit is asked for; it has units 0 to 3",
    ),
    "an objective for no image": (
        lambda m, x: maximization.maximize(m, objectives.channel("hidden", []), seed=0),
        "objective: it is for no image",
    ),
    "a code of another shape": (
        lambda m, x: maximization.maximize(
            m, objectives.code("hidden", np.ones((1, 2, 7, 4))), seed=0
        ),
        r"layer hidden: codes of shape \(2, 7, 4\), and \(10, 7, 4\) is what it puts out",
    ),
    "a batch of none": (
        lambda m, x: backward.backward_pass(m, x, "logits", 0, policy="gradient", batch=0),
        "batch 0: a whole number of at least 1",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_arguments_that_cannot_be_are_refused_in_one_line(what):
    call, message = REFUSED[what]
    images = np.random.default_rng(0).uniform(size=(2, 12, 9, 1)).astype(np.float32)
    with pytest.raises(UserError, match=f"^{message}"):
        call(one_channel_sequential(), images)
