"""Projections agree with captum on PyTorch; `tools/make_golden_attributions.py` asked it."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest
from projection_examples import sequential

from pixelspace.networks import efficientnet
from pixelspace.networks.build import build
from pixelspace.networks.weights import load_imagenet
from pixelspace.projections import backward, class_maps, gradients, occlusion
from pixelspace.projections.feature_maps import layer_outputs

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden" / "attributions.npz"
WEIGHTS = ROOT / "data" / "efficientnet_lite0" / "weights.npz"
TOLERANCE = 1e-5  # of the largest golden value

kinds = keras.layers


def small(golden: dict[str, np.ndarray]) -> keras.Model:
    model = sequential(
        golden["images"].shape[1:],
        kinds.Conv2D(6, 3, padding="same", activation="relu", name="conv1"),
        kinds.MaxPooling2D(3, strides=2),
        kinds.Conv2D(5, (2, 3), name="conv2"),
        kinds.ReLU(name="relu2"),
        kinds.MaxPooling2D(2),
        kinds.Flatten(),
        kinds.Dense(3, name="logits"),
    )
    for name in ("conv1", "conv2", "logits"):
        weights = [golden[f"weights/{name}/{variable}"] for variable in ("kernel", "bias")]
        model.get_layer(name).set_weights(weights)
    return model


def deep(golden: dict[str, np.ndarray]) -> keras.Model:
    model = build(efficientnet.layers(input_shape=golden["images"].shape[1:], classes=1000))
    load_imagenet(model, WEIGHTS, classifier=True)
    return model


class Case(NamedTuple):
    """A network and what is known of it: arrays by method, ``settings/…``, ``images``."""

    model: keras.Model
    golden: dict[str, np.ndarray]

    @property
    def images(self) -> np.ndarray:
        return self.golden["images"]

    @property
    def classes(self) -> np.ndarray:
        return self.golden["settings/classes"]

    def setting(self, name: str):
        return self.golden[f"settings/{name}"].tolist()

    def check(self, name: str, found: np.ndarray) -> None:
        expected = self.golden[name]
        assert found.shape == expected.shape
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * scale, err_msg=name)


@pytest.fixture(scope="module", params=[small, deep])
def case(request):
    policy, floats = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    name = f"{request.param.__name__}/"
    with np.load(GOLDEN, allow_pickle=False) as arrays:
        own = {key.removeprefix(name): arrays[key] for key in arrays if key.startswith(name)}
    yield Case(request.param(own), own)
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx(floats)


def test_the_networks_are_the_same(case):
    found = layer_outputs(case.model, case.images, ["logits"])["logits"]
    assert found.dtype == np.float64
    case.check("logits", found)


@pytest.mark.parametrize("policy", ["gradient", "deconvnet", "guided"])
def test_from_a_logit(case, policy):
    found, logits = backward.backward_pass(
        case.model, case.images, "logits", case.classes, policy=policy
    )
    assert found.dtype == np.float64
    case.check(policy, found)
    np.testing.assert_allclose(
        logits, np.take_along_axis(case.golden["logits"], case.classes[:, None], 1)[:, 0]
    )


@pytest.mark.parametrize("policy", ["gradient", "deconvnet", "guided"])
def test_from_a_neuron(case, policy):
    found, _ = backward.backward_pass(
        case.model,
        case.images,
        case.setting("layer"),
        case.setting("unit"),
        case.setting("position"),
        policy=policy,
    )
    case.check(f"neuron_{policy}", found)


def test_from_a_channel(case):
    found = backward.deconvnet(
        case.model, case.images, case.setting("layer"), case.setting("unit"), start="one"
    )
    case.check("channel_deconvnet", found)


def test_integrated_gradients(case):
    found, gap = gradients.integrated_gradients(
        case.model,
        case.images,
        "logits",
        case.classes,
        baseline=case.setting("baseline"),
        steps=case.setting("steps"),
    )
    case.check("integrated_gradients", found)
    # a small difference of large sums
    scale = np.abs(case.golden["integrated_gradients"]).sum((1, 2, 3)).max()
    np.testing.assert_allclose(
        gap, case.golden["integrated_gradients_gap"], rtol=0, atol=TOLERANCE * scale
    )


def test_gradient_times_input(case):
    found = gradients.gradient_times_input(case.model, case.images, "logits", case.classes)
    case.check("gradient_times_input", found)


def test_smooth_grad(case, monkeypatch):
    noise = case.golden["noise"]
    monkeypatch.setattr(gradients, "noise", lambda numbers, seed, shape: noise[list(numbers)])
    found = gradients.smooth_grad(
        case.model,
        case.images,
        "logits",
        case.classes,
        seed=0,
        samples=len(noise),
        spread=case.setting("spread"),
    )
    case.check("smooth_grad", found)


def test_grad_cam_plus_plus(case):
    found = class_maps.grad_cam_plus_plus(
        case.model, case.images, case.classes, layer=case.setting("map")
    )
    case.check("grad_cam_plus_plus", found[..., None])


def test_grad_cam(case):
    # Captum leaves the map small; the golden one was enlarged by PyTorch, bilinearly as ours is.
    found = class_maps.grad_cam(case.model, case.images, case.classes, layer=case.setting("map"))
    case.check("grad_cam", found[..., None])


def test_occlusion(case):
    found = occlusion.occlusion_map(
        case.model,
        case.images,
        "logits",
        case.classes,
        window=case.setting("window"),
        stride=case.setting("stride"),
        fill=case.setting("fill"),
    )
    case.check("occlusion", found[..., None])


@pytest.mark.parametrize("start", ["", "neuron_"])
@pytest.mark.parametrize("policy", ["deconvnet", "guided"])
def test_the_golden_values_are_not_the_plain_gradient(case, start, policy):
    gradient, other = (case.golden[start + name] for name in ("gradient", policy))
    scale = np.abs(gradient).max((1, 2, 3))
    assert (np.abs(other - gradient).max((1, 2, 3)) > 0.1 * scale).all()
