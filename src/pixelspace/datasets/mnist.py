"""Handwritten digits (LeCun, Cortes and Burges), from the four original IDX files."""

import gzip
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelspace.artifacts import Dataset, Sample, Split
from pixelspace.errors import UserError

CLASS_NAMES = tuple("0123456789")
SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "7ff28fd295f802eefc6d40e461175dfe4b969b1842b2abc8c6dc8c20711cf79f"
    ),
    "train-labels-idx1-ubyte.gz": (
        "81a978ae83d39ffdba0db3ce2fcaf80a8921e9629e874428996a2b03242d4b2a"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "197e111ae341b0770be9011ac5e622d0e6cd1c640b32eb0de5dc1dd26cc6e182"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b"
    ),
}
TRAINING_IMAGES = 60_000


def make(
    *, seed: int, folder: str = "data/mnist", validation: int = 5000, train: int | None = None
) -> Dataset:
    """Return the digits; ``validation`` of the 60,000 training images are held out at random.

    ``train`` limits the images that are left for training; without it all of them stay.

    Raises:
        UserError: if a file is missing or altered, or the two counts exceed 60,000.
    """
    train = TRAINING_IMAGES - validation if train is None else train
    if validation + train > TRAINING_IMAGES:
        raise UserError(
            f"mnist: train {train} and validation {validation} exceed {TRAINING_IMAGES} images;"
            " lower one of them"
        )
    shuffled = np.random.default_rng(seed).permutation(TRAINING_IMAGES)
    held_out = np.sort(shuffled[:validation])
    kept = np.sort(shuffled[validation : validation + train])
    splits = {
        "train": _split(Path(folder), "train", kept),
        "validation": _split(Path(folder), "train", held_out),
        "test": _split(Path(folder), "t10k", np.arange(10_000)),
    }
    return Dataset(CLASS_NAMES, (0.0, 255.0), "uint8", splits)


def _split(folder: Path, prefix: str, indices: np.ndarray) -> Split:
    return Split(len(indices), (28, 28, 1), _samples(folder, prefix, indices))


def _samples(folder: Path, prefix: str, indices: np.ndarray) -> Iterator[Sample]:
    name = f"{prefix}-images-idx3-ubyte.gz"
    images = parse_idx(read_checked(folder / name))
    labels = parse_idx(read_checked(folder / f"{prefix}-labels-idx1-ubyte.gz"))
    for index in indices:
        yield Sample(images[index, :, :, None], int(labels[index]), f"{name}, number {index}")


def read_checked(path: Path) -> bytes:
    """Return the decompressed content of one of the four files, its hash checked first.

    Raises:
        UserError: if the file is missing, truncated or altered.
    """
    restore = "restore it with: git checkout -- data/mnist"
    if path.parent != Path("data/mnist"):
        restore += f", and copy it to {path.parent}"
    if not path.is_file():
        raise UserError(f"{path}: missing; {restore}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    expected = SHA256[path.name]
    if found != expected:
        raise UserError(
            f"{path}: altered or cut short: SHA-256 {found}, expected {expected}; {restore}"
        )
    return gzip.decompress(content)


def parse_idx(content: bytes) -> np.ndarray:
    """Return the array of unsigned bytes that an IDX file holds.

    The format: two zero bytes, the type code 8, the number of axes, each axis's length as four
    bytes, big endian, then the values, the last axis fastest.

    Raises:
        ValueError: if the content is not of that format, or too short or too long for it.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError("IDX header cut short")
    shape = tuple(np.frombuffer(content[4:start], ">u4").tolist())
    values = np.frombuffer(content, np.uint8, offset=start)
    if values.size != math.prod(shape):  # whatever its size, unlike NumPy's
        raise ValueError(f"IDX header promises {shape}, found {values.size} values")
    try:
        return values.reshape(shape)
    except ValueError:  # there can be an axis of no length, and others that are too long
        raise ValueError(f"IDX header promises {shape}, which no array can have") from None
