"""Photographs in a folder that has one subfolder per class."""

import hashlib
import os
from collections.abc import Container
from pathlib import Path

from pixelspace.artifacts import Dataset
from pixelspace.datasets import photos
from pixelspace.datasets.photos import Photo, shown, text
from pixelspace.errors import UserError
from pixelspace.files import file_hash


def make(*, path: str, seed: int, **settings) -> Dataset:
    """Return the data set of the photographs in the folder ``path``.

    The classes are its subfolders, sorted by name without regard to case; what else lies beside
    them is ignored. Every file in a subfolder is a photograph of that class. Hidden files and
    folders, whose names begin with a dot, are ignored everywhere. Links are followed.

    Args:
        path: the folder.
        seed: decides the split and the order.
        settings: the others of `pixelspace.datasets.photos.make`.

    Raises:
        UserError: if there is no such folder, or it does not have at least two such subfolders
            with photographs; also see `pixelspace.datasets.photos.make`.
    """
    class_names, found = find(path)
    return photos.make(found, class_names, seed=seed, **settings)


def find(path: str) -> tuple[tuple[str, ...], list[Photo]]:
    """Return the class names and the photographs in a folder, in the order of their names."""
    if not path:
        raise UserError("path: not given; name the folder that has one subfolder per class")
    root = Path(os.path.expanduser(path))  # of which no path is an error, however odd
    if not os.path.exists(root):
        raise UserError(f"path: {shown(root)} does not exist; name a folder of photographs")
    if not os.path.isdir(root):
        raise UserError(f"path: {shown(root)} is a file; name a folder of photographs")
    folders = [entry for entry in _entries(root) if entry.is_dir()]
    if len(folders) < 2:
        raise UserError(
            f"path: {shown(root)} has {len(folders)} class folders; at least two are needed, "
            "each with the photographs of one class"
        )
    found = []
    for label, folder in enumerate(folders):
        entries = _entries(folder)
        if not entries:
            raise UserError(f"{shown(folder)}: empty; put photographs there, or remove the folder")
        for entry in entries:
            if entry.is_dir():
                raise UserError(
                    f"{shown(entry)}: a folder in a class folder; move its photographs up, "
                    "or remove it"
                )
            found.append(Photo(entry, label, f"{folder.name}/{entry.name}"))
    return tuple(text(folder.name) for folder in folders), found


def content(path: str, sources: Container[str]) -> str:
    """Return a SHA-256 over the content of those photographs in a folder that are ``sources``."""
    lines = [
        f"{file_hash(photo.path)}  {text(photo.source)}\n"
        for photo in find(path)[1]
        if text(photo.source) in sources
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _entries(folder: Path) -> list[Path]:
    """Return what is in a folder and not hidden, in an order that is the same everywhere."""
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise UserError(f"{shown(folder)}: {error.strerror}") from error
    return sorted(entries, key=lambda entry: (entry.name.casefold(), entry.name))
