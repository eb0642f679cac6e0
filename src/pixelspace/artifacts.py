"""What flows between the rules: how each kind of artifact is written, read and checked.

Every artifact is written to a temporary file and moved into place, so that a file that
has its final name is complete. Its SHA-256 is recorded beside it, in the folder
`RECORDS`, and compared on reading, so that nothing is built on a damaged file. Where files pass
from job to job through a remote storage, the storage answers for them: a record would stay behind
on the machine that wrote it, and there contradict what another machine writes later.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from pixelspace.errors import UserError
from pixelspace.files import file_hash

IMAGES_PER_WRITE = 64

RECORDS = ".sha256"
"""The folder, beside artifacts, that has a file with the hash of each."""

UNFINISHED = ".unfinished-"
"""Begins the names of the folders in which artifacts are written."""

REMOTE = "PIXELSPACE_REMOTE"
"""Environment variable of jobs whose files pass through a remote storage."""


@dataclass(frozen=True)
class Sample:
    """One image ``(height, width, channels)`` and its part masks ``(height, width)`` bool."""

    image: np.ndarray
    label: int
    source: str
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """``count`` samples of one shape, produced one at a time when they are written."""

    count: int
    shape: tuple[int, int, int]
    samples: Iterable[Sample]


@dataclass(frozen=True)
class Dataset:
    """A data set as it is made: everything but the images is known at once.

    ``splits`` has ``train``, ``validation`` and ``test``, and may have ``large``: a few
    images at a higher resolution, for pictures that are made from a picture.
    ``value_range`` holds the values that are black and white; noise may exceed it.
    ``templates`` are the noise-free images ``(classes, height, width, channels)``, where
    such a thing exists. ``parts`` names the masks that every sample has.
    """

    class_names: tuple[str, ...]
    value_range: tuple[float, float]
    dtype: str
    splits: Mapping[str, Split]
    parts: tuple[str, ...] = ()
    templates: np.ndarray | None = None


class StoredSplit:
    """A split on disk. ``images`` and ``masks[part]`` are read in slices."""

    def __init__(self, group: h5py.Group):
        self.images: h5py.Dataset = group["images"]
        self.labels: np.ndarray = group["labels"][:]
        self.masks: Mapping[str, h5py.Dataset] = group["masks"]
        self._sources = group["sources"]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sources(self) -> list[str]:
        """Where each image came from."""
        return [source.decode() for source in self._sources[:]]

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield images ``(≤ size, height, width, channels)`` as float32, and their labels."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield self.images[part].astype(np.float32), self.labels[part]


class StoredDataset:
    """A data set on disk; see `open_dataset`."""

    def __init__(self, file: h5py.File):
        self._file = file
        self.class_names: tuple[str, ...] = tuple(json.loads(file.attrs["class_names"]))
        self.parts: tuple[str, ...] = tuple(json.loads(file.attrs["parts"]))
        self.value_range: tuple[float, float] = tuple(float(v) for v in file.attrs["value_range"])

    def __getitem__(self, split: str) -> StoredSplit:
        return StoredSplit(self._file[split])

    def __contains__(self, split: str) -> bool:
        return split in self._file

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """``(height, width, channels)`` of the images that the network is trained on."""
        return self._file["train/images"].shape[1:]

    @property
    def templates(self) -> np.ndarray | None:
        """The noise-free images ``(classes, height, width, channels)``, where they exist."""
        return self._file["templates"][:] if "templates" in self._file else None


def _record(path: Path) -> Path:
    return path.parent / RECORDS / path.name


@contextlib.contextmanager
def written(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path to write to; on success it becomes ``path``, with its hash recorded.

    The temporary name keeps the suffix, which some writers go by.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        if REMOTE in os.environ:
            os.replace(temporary, path)
            return
        digest = Path(folder) / "sha256"
        digest.write_text(file_hash(temporary) + "\n")
        record = _record(path)
        record.parent.mkdir(exist_ok=True)
        record.unlink(missing_ok=True)
        os.replace(temporary, path)
        os.replace(digest, record)


def checked(path: str | os.PathLike) -> Path:
    """Return ``path`` if the file's content is what was recorded when it was written.

    What a remote storage brought is taken as it is.

    Raises:
        UserError: if the file or its record is missing, or they disagree.
    """
    path = Path(path)
    if REMOTE in os.environ:
        return path
    record = _record(path)
    for needed in (path, record):
        if not needed.is_file():
            raise UserError(f"{needed}: missing; run again, and it is made again")
    if not _is_as_written(path):
        raise UserError(f"{path}: changed since it was built; run again, and it is made again")
    return path


def checked_hash(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file that is `checked`, in hexadecimal.

    Raises:
        UserError: as `checked` does.
    """
    path = checked(path)
    return file_hash(path) if REMOTE in os.environ else _recorded(path)


def _recorded(path: Path) -> str:
    return _record(path).read_text(errors="replace").strip()


def _is_as_written(path: Path) -> bool:
    return path.is_file() and _record(path).is_file() and file_hash(path) == _recorded(path)


def folders(folder: str | os.PathLike) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder and those in it, however deep, each once, and the names of the files in each.

    Those that are links are followed; those that are hidden are left out.
    """
    seen = set()
    for parent, inner, names in os.walk(folder, followlinks=True):
        itself = os.path.realpath(parent)
        inner[:] = sorted(name for name in inner if not name.startswith(".") and itself not in seen)
        if itself not in seen:
            yield Path(parent), names
        seen.add(itself)


def damaged(folder: str | os.PathLike) -> Iterator[Path]:
    """Yield the files in a folder, however deep, that are not what was recorded of them.

    These are changed or gone, or have no record; what is hidden, and what is in hidden folders, is
    not among them.
    """
    paths = []
    for parent, names in folders(folder):
        recorded = parent / RECORDS
        known = {record.name for record in recorded.iterdir()} if recorded.is_dir() else set()
        names = sorted(name for name in known.union(names) if not name.startswith("."))
        paths += [parent / name for name in names]
    with ThreadPoolExecutor() as pool:
        sound = pool.map(_is_as_written, paths)
        yield from (path for path, is_sound in zip(paths, sound, strict=True) if not is_sound)


def write_dataset(path: str | os.PathLike, dataset: Dataset) -> None:
    """Write a data set as HDF5, a few images at a time."""
    with written(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["class_names"] = json.dumps(dataset.class_names)
        file.attrs["parts"] = json.dumps(dataset.parts)
        file.attrs["value_range"] = dataset.value_range
        if dataset.templates is not None:
            file["templates"] = dataset.templates
        for name, split in dataset.splits.items():
            _write_split(file.create_group(name), split, dataset)


def _write_split(group: h5py.Group, split: Split, dataset: Dataset) -> None:
    def column(name: str, shape: tuple[int, ...], dtype, **options) -> h5py.Dataset:
        chunks = (min(split.count, IMAGES_PER_WRITE), *shape)
        return group.create_dataset(name, (split.count, *shape), dtype, chunks=chunks, **options)

    images = column("images", split.shape, dataset.dtype)
    labels = column("labels", (), "int64")
    sources = column("sources", (), h5py.string_dtype())
    masks = group.create_group("masks")
    for part in dataset.parts:
        column(f"masks/{part}", split.shape[:2], bool, compression="lzf")
    waiting: list[Sample] = []
    start = 0
    for sample in split.samples:
        waiting.append(sample)
        if len(waiting) == IMAGES_PER_WRITE or start + len(waiting) == split.count:
            rows = slice(start, start + len(waiting))
            images[rows] = np.stack([s.image for s in waiting])
            labels[rows] = [s.label for s in waiting]
            sources[rows] = [s.source for s in waiting]
            for part in dataset.parts:
                masks[part][rows] = np.stack([s.masks[part] for s in waiting])
            start += len(waiting)
            waiting = []
    if start != split.count:
        made = start + len(waiting)
        raise ValueError(f"{group.name}: {split.count} samples promised, {made} made")


@contextlib.contextmanager
def open_dataset(path: str | os.PathLike) -> Iterator[StoredDataset]:
    """Open a data set for reading in slices, once its hash is checked."""
    with h5py.File(checked(path), "r") as file:
        yield StoredDataset(file)


@dataclass(frozen=True)
class Projection:
    """The arrays that a figure shows, and in ``about`` what they are (JSON types only)."""

    arrays: Mapping[str, np.ndarray]
    about: Mapping


def write_projection(path: str | os.PathLike, projection: Projection) -> None:
    """Write a projection as npz; ``about`` becomes a JSON text in the array ``about``."""
    about = json.dumps(projection.about, sort_keys=True, allow_nan=False)
    with written(path) as temporary:
        np.savez_compressed(temporary, about=np.array(about), **projection.arrays)


def read_projection(path: str | os.PathLike) -> Projection:
    """Read a projection, once its hash is checked."""
    with np.load(checked(path), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "about"}
        return Projection(arrays, json.loads(str(file["about"])))


def write_json(path: str | os.PathLike, content) -> None:
    """Write JSON with sorted keys; NaN and infinities are refused."""
    with written(path) as temporary:
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | os.PathLike):
    """Read JSON, once its hash is checked."""
    return json.loads(checked(path).read_text(encoding="utf-8"))


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text in UTF-8."""
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
