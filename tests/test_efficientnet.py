"""The converted network computes what the original computed."""

import hashlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from pixelspace.errors import UserError
from pixelspace.networks import efficientnet, weights
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import parameter_counts

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "data" / "efficientnet_lite0" / "weights.npz"
GOLDEN = ROOT / "tests" / "data" / "efficientnet_golden.npz"


@pytest.fixture(scope="module")
def tool():
    """Return the conversion tool as a module; it imports PyTorch only when it converts."""
    path = ROOT / "tools" / "convert_efficientnet.py"
    specification = importlib.util.spec_from_file_location("convert_efficientnet", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("size", [(224, 224), (128, 128), (97, 150)])
def test_logits_are_those_of_the_original(tool, size):
    rows, columns = size
    model = build(efficientnet.layers(input_shape=(rows, columns, 3), classes=1000))
    weights.load_imagenet(model, WEIGHTS, classifier=True)
    expected = np.load(GOLDEN)[f"{rows}x{columns}"]
    assert np.ptp(expected) > 5  # the golden values do tell classes apart
    logits = logits_model(model)(tool.golden_images(rows, columns))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-4)


def test_another_classifier_keeps_its_own_weights():
    model = build(efficientnet.layers(input_shape=(32, 32, 3), classes=3))
    before = model.get_layer("logits").get_weights()[0]
    weights.load_imagenet(model, WEIGHTS)
    np.testing.assert_array_equal(model.get_layer("logits").get_weights()[0], before)
    with np.load(WEIGHTS) as arrays:
        np.testing.assert_array_equal(
            model.get_layer("b3_dw_conv").kernel, arrays["b3_dw_conv/kernel"]
        )


def test_the_file_holds_what_the_description_counts():
    with np.load(WEIGHTS) as arrays:
        sizes: dict[str, int] = {}
        for name in arrays.files:
            layer = name.split("/")[0]
            sizes[layer] = sizes.get(layer, 0) + arrays[name].size
            assert arrays[name].dtype == np.float32
    assert sizes == parameter_counts(efficientnet.layers(input_shape=(224, 224, 3), classes=1000))


def test_there_is_a_name_for_every_class():
    names = (WEIGHTS.parent / "classes.txt").read_text(encoding="utf-8").splitlines()
    assert len(names) == 1000
    assert (names[0], names[151], names[999]) == ("tench", "Chihuahua", "toilet paper")


def test_the_hash_is_the_one_that_the_readme_states():
    assert f"`{weights.SHA256}`" in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


def test_altered_weights_are_refused(tmp_path):
    altered = tmp_path / "weights.npz"
    shutil.copy(WEIGHTS, altered)
    with open(altered, "r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)[0]
        file.seek(1_000_000)
        file.write(bytes([byte ^ 1]))
    found = hashlib.sha256(altered.read_bytes()).hexdigest()
    with pytest.raises(UserError) as error:
        weights.load_imagenet(None, altered)
    message = str(error.value)
    for part in (str(altered), found, weights.SHA256, "git checkout -- "):
        assert part in message


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(UserError, match=r"weights\.npz: missing; restore it"):
        weights.load_imagenet(None, tmp_path / "weights.npz")


def test_the_golden_images_follow_their_formula(tool):
    images = tool.golden_images(97, 150)
    assert images.shape == (2, 97, 150, 3)
    # (17 * 20 + 29 * 30 + 85 * 2 + 20 * 30 // 3) mod 256 = 1580 mod 256
    assert images[1, 20, 30, 2] == 44
