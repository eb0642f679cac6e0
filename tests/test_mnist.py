"""The digits: the files' format by hand, their hashes, and what a damaged file says."""

import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelspace.datasets import mnist
from pixelspace.errors import UserError

FOLDER = Path(__file__).parents[1] / "data" / "mnist"
LABELS = "t10k-labels-idx1-ubyte.gz"


def test_idx_is_read_as_its_format_says():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])
    np.testing.assert_array_equal(mnist.parse_idx(content), [[1, 2, 3], [4, 5, 255]])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not an IDX file"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 7]), "not an IDX file"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 2]), "cut short"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 7]), "found 1 values"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 7, 7]), "found 3 values"),
        (bytes([0, 0, 8, 0]), "found 0 values"),
        (bytes([0, 0, 8, 255]) + bytes(40), "cut short"),
        (bytes([0, 0, 8, 3, *[255] * 12]), "found 0 values"),
        (bytes([0, 0, 8, 4, *[0, 1, 0, 0] * 4]), "found 0 values"),  # 2 to the 64th of them
        (bytes([0, 0, 8, 4, 0, 0, 0, 0, *[255] * 12]), "which no array can have"),
        (bytes([0, 0, 8, 255]) + bytes(4 * 255), "which no array can have"),
        (bytes([8, 0, 0, 1, 0, 0, 0, 1, 7]), "not an IDX file"),
        *((bytes([0, 0, code, 1, 0, 0, 0, 1, 7]), "not an IDX") for code in (0, 7, 9, 11, 14, 255)),
    ],
)
def test_idx_that_breaks_its_promise_is_refused(content, complaint):
    with pytest.raises(ValueError, match=complaint):
        mnist.parse_idx(content)


@settings(derandomize=True, deadline=None, database=None, max_examples=200)
@given(
    axes=st.lists(st.integers(0, 4) | st.integers(0, 2**32 - 1), max_size=5),
    values=st.binary(max_size=30),
    magic=st.just(b"\0\0\x08") | st.binary(max_size=3),
)
def test_idx_is_an_array_of_its_shape_or_refused(axes, values, magic):
    header = magic + bytes([len(axes)]) + b"".join(axis.to_bytes(4, "big") for axis in axes)
    try:
        array = mnist.parse_idx(header + values)
    except ValueError as error:
        assert "IDX" in str(error)
    else:
        assert array.shape == tuple(axes)
        assert array.tobytes() == values


def test_shipped_files_are_the_originals():
    images = mnist.parse_idx(mnist.read_checked(FOLDER / "train-images-idx3-ubyte.gz"))
    labels = mnist.parse_idx(mnist.read_checked(FOLDER / "train-labels-idx1-ubyte.gz"))
    assert images.shape == (60_000, 28, 28) and labels.shape == (60_000,)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)  # known to every MNIST user


def test_hashes_are_recorded_in_the_readme():
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    for name, digest in mnist.SHA256.items():
        assert f"`{name}` | `{digest}`" in readme


def test_validation_is_held_out_of_the_training_images():
    dataset = mnist.make(seed=3, folder=str(FOLDER), validation=500, train=1500)
    samples = {name: list(split.samples) for name, split in dataset.splits.items()}
    sources = {name: {s.source for s in found} for name, found in samples.items()}
    assert [len(sources[name]) for name in ("train", "validation", "test")] == [1500, 500, 10_000]
    assert not sources["train"] & sources["validation"]
    assert samples["test"][0].label == 7 and samples["test"][1].label == 2
    image = samples["train"][0].image
    assert image.shape == (28, 28, 1) and image.dtype == np.uint8


def test_every_training_image_is_used_by_default():
    dataset = mnist.make(seed=3, folder=str(FOLDER))
    assert {name: split.count for name, split in dataset.splits.items()} == {
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
    }


def test_counts_beyond_the_files_are_refused():
    with pytest.raises(UserError, match="60000"):
        mnist.make(seed=3, validation=5001, train=55_000)


def damage(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", ["truncated", "altered", "empty", "longer", "no gzip"])
def test_a_damaged_file_is_named_with_both_hashes_and_the_cure(tmp_path, kind):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    content = (FOLDER / LABELS).read_bytes()
    if kind == "truncated":
        content = content[:-100]
    elif kind == "empty":
        content = b""
    elif kind == "longer":
        content += b"\0"
    elif kind == "no gzip":
        content = gzip.decompress(content)
    else:
        labels = bytearray(gzip.decompress(content))
        labels[8] = 3
        content = gzip.compress(bytes(labels), 9, mtime=0)
    found = damage(tmp_path / LABELS, content)
    dataset = mnist.make(seed=3, folder=str(tmp_path))
    with pytest.raises(UserError) as error:
        list(dataset.splits["test"].samples)
    message = str(error.value)
    assert "\n" not in message
    for part in (
        str(tmp_path / LABELS),
        mnist.SHA256[LABELS],
        found,
        f"git checkout -- data/mnist, and copy it to {tmp_path}",
    ):
        assert part in message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=f"{LABELS}: missing; restore it with: git checkout"):
        mnist.read_checked(tmp_path / LABELS)
