"""Photographs in files: read, kept apart where they are nearly the same, and split.

What `folder` and `git` share. Every photograph is read twice: once for its perceptual hash,
which is all that is kept of it, and once more when its sample is written, so that memory does
not grow with the number of photographs.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pixelspace.artifacts import Dataset, Sample, Split
from pixelspace.errors import UserError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

HASH_SIDE = 16
"""A hash has 16 × 16 = 256 bits: the signs, against their median, of the lowest frequencies."""

NEAR = 72
"""Photographs whose hashes differ in at most this many of 256 bits are near-duplicates.

Measured on 2,400 web photographs of dogs, muffins and chicken. Copies of 300 of them differ from
the original by at most 16 bits (JPEG at quality 10, a third of the size, grey, paler), 42
(brighter by 30 %), 50 (a white strip below) and 56 (2 % cut off each side). Among their 2.9
million pairs, every one of the 13 below 80 bits shows the same scene, often with and without a
watermark; the first that does not is at 80. Chance pairs lie around 128. A false match costs
little, since it only ties two photographs to one split; a missed one lets a test photograph be
trained on.
"""

BLOCK = 512

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Photo:
    """A file, the index of its class, and the name that is recorded as its source."""

    path: Path
    label: int
    source: str


def make(
    photos: Sequence[Photo],
    class_names: Sequence[str],
    *,
    size: int,
    validation: float,
    test: float,
    skip_unreadable: int,
    large_per_class: int,
    large_size: int,
    seed: int,
) -> Dataset:
    """Return the data set of these photographs, as `uint8` RGB squares in 0 to 255.

    Args:
        photos: the files, in an order that does not depend on the machine.
        class_names: the names that the photographs' labels index.
        size: side of the square images, in pixels.
        validation: fraction of each class that is held out for validation; see `divide`.
        test: fraction of each class that is held out for testing.
        skip_unreadable: how many files may be left out because they cannot be read.
        large_per_class: how many test photographs of each class are in ``large`` too, at least 1.
        large_size: side of those.
        seed: decides the split and the order.

    Raises:
        UserError: if more files cannot be read than allowed, or a class has too few.
    """
    photos, hashes, mirrored = _hash(photos, skip_unreadable)
    labels = np.array([photo.label for photo in photos], int)
    groups = near_duplicates(hashes, mirrored)
    parts = divide(labels, groups, class_names, validation=validation, test=test, seed=seed)
    parts["large"] = _first_of_each(labels, parts["test"], class_names, large_per_class)
    sizes = dict.fromkeys(parts, size) | {"large": large_size}
    splits = {
        name: Split(
            count=len(part),
            shape=(sizes[name], sizes[name], 3),
            samples=_samples([photos[k] for k in part], sizes[name]),
        )
        for name, part in parts.items()
    }
    return Dataset(tuple(class_names), (0.0, 255.0), "uint8", splits)


def shown(name: object) -> str:
    """Quote a file name for a message, so that it stays on one line whatever is in the name."""
    return repr(str(name))


def text(name: str) -> str:
    """Return a file name as proper Unicode: bytes that are none become ``\\udc80`` and the like."""
    return name.encode("utf-8", "backslashreplace").decode()


def square(path: Path, size: int) -> Image.Image:
    """Read a photograph upright, and return its central square as RGB, ``size`` pixels wide.

    Transparent parts become white; of an animation the first frame is taken; 16-bit greys keep
    their upper 8 bits. A JPEG much larger than needed is decoded at a half, a quarter or an
    eighth, yet at twice ``size`` at least, before it is resized (antialiased, Lanczos).

    Raises:
        UserError: if the file is no photograph that can be read.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        raise UserError(f"{shown(path)}: not a file, or a link that leads to none")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata; Pillow's limit on pixels is an error
            with Image.open(path, formats=FORMATS) as image:
                image.draft(None, (2 * size, 2 * size))
                upright = _rgb(ImageOps.exif_transpose(image))
        return ImageOps.fit(upright, (size, size), Image.Resampling.LANCZOS)
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise UserError(f"{shown(path)}: {_reason(error)}") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("RGB")


def _reason(error: Exception) -> str:
    match error:
        case UnidentifiedImageError():
            return "not a JPEG, PNG, WebP or GIF image"
        case Image.DecompressionBombError():
            return f"larger than {2 * Image.MAX_IMAGE_PIXELS:,} pixels"
        case OSError(strerror=str(text)):
            return text
    return "cannot be decoded: " + (" ".join(str(error).split()) or type(error).__name__)


def _hash(photos: Sequence[Photo], skip: int) -> tuple[list[Photo], np.ndarray, np.ndarray]:
    """Return what can be read, its hashes ``(n, 256)`` bool, and those of its mirror images."""
    readable, hashes, unreadable = [], [], []
    for photo in photos:
        try:
            image = square(photo.path, 4 * HASH_SIDE)
        except UserError as error:
            log.warning("unreadable: %s", error)
            unreadable.append(error)
            continue
        readable.append(photo)
        hashes.append([_bits(image), _bits(ImageOps.mirror(image))])
    if len(unreadable) > skip:
        more = f" (and {len(unreadable) - 1} more like it)" if unreadable[1:] else ""
        raise UserError(
            f"{unreadable[0]}{more}; mend or remove it, or set skip_unreadable to {len(unreadable)}"
        )
    straight, mirrored = np.array(hashes, bool).reshape(-1, 2, HASH_SIDE**2).swapaxes(0, 1)
    return readable, straight, mirrored


def _bits(image: Image.Image) -> np.ndarray:
    return imagehash.phash(image, HASH_SIDE).hash.ravel()


def near_duplicates(hashes: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Return the group ``(n,)`` of each photograph: what is within `NEAR` bits, or chained so.

    Args:
        hashes: ``(n, 256)`` bool.
        mirrored: the same of the mirror images: a mirrored copy is a near-duplicate too.
    """
    # With bits as ±1 a product of matrices counts agreements minus differences, exactly.
    least = hashes.shape[1] - 2 * NEAR
    pairs = [np.zeros((0, 2), int)]
    for row in range(0, len(hashes), BLOCK):
        block = _signs(hashes[row : row + BLOCK])
        for column in range(row, len(hashes), BLOCK):
            others = (_signs(bits[column : column + BLOCK]) for bits in (hashes, mirrored))
            close = np.logical_or(*(block @ other.T >= least for other in others))
            pairs.append(np.argwhere(close) + (row, column))
    first, second = np.concatenate(pairs).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(hashes),) * 2)
    return connected_components(graph, directed=False)[1]


def _signs(bits: np.ndarray) -> np.ndarray:
    return np.where(bits, np.float32(1), np.float32(-1))


def divide(
    labels: np.ndarray,
    groups: np.ndarray,
    class_names: Sequence[str],
    *,
    validation: float,
    test: float,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return the indices of the photographs in ``train``, ``validation`` and ``test``.

    Of the n photographs of a class, ⌊test · n + ½⌋ are for testing and ⌊validation · n + ½⌋ for
    validation. Groups are dealt in a shuffled order, each whole: to test if there is room for
    all of it, else to validation if there is, else to train. So the counts are exact as long as
    a class has single photographs to fill them, and test does not depend on ``validation``.
    A group that spans classes, whose label is in doubt, is trained on.

    Raises:
        UserError: if a class gets none in one of the three.
    """
    members: dict[int, list[int]] = {}
    for index in np.random.default_rng(seed).permutation(len(labels)):
        members.setdefault(groups[index], []).append(index)
    counts = np.bincount(labels, minlength=len(class_names))
    room = {
        "test": np.floor(test * counts + 0.5),
        "validation": np.floor(validation * counts + 0.5),
    }
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for group in members.values():
        label = labels[group[0]]
        pure = all(labels[group] == label)
        fitting = (part for part in room if pure and len(group) <= room[part][label])
        part = next(fitting, "train")
        parts[part] += group
        if part in room:
            room[part][label] -= len(group)
    for part, indices in parts.items():
        for label in np.flatnonzero(np.bincount(labels[indices], minlength=len(counts)) == 0):
            kinds = len(np.unique(groups[labels == label]))
            raise UserError(
                f"class {shown(class_names[label])}: {counts[label]} photographs ({kinds} that are "
                f"not near-duplicates) leave none for {part}; add some, or change the fractions "
                f"validation ({validation:g}) and test ({test:g})"
            )
    return {part: np.array(indices) for part, indices in parts.items()}


def _first_of_each(
    labels: np.ndarray, test: np.ndarray, class_names: Sequence[str], count: int
) -> np.ndarray:
    """Return the first ``count`` test photographs of each class, class after class."""
    chosen = [test[labels[test] == label][:count] for label in range(len(class_names))]
    for name, indices in zip(class_names, chosen, strict=True):
        if len(indices) < count:
            raise UserError(
                f"class {shown(name)}: large_per_class is {count}, but only {len(indices)} of its "
                "photographs are for testing; lower it, or raise test"
            )
    return np.concatenate(chosen)


def _samples(photos: Sequence[Photo], size: int) -> Iterator[Sample]:
    for photo in photos:
        yield Sample(np.asarray(square(photo.path, size)), photo.label, text(photo.source))
