"""Whether files and settings are still the same, and what failed; light enough for every plan."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def portable(path: str) -> str:
    """Return a path as a record may have it: the last part alone if it begins at root or home."""
    rooted = path.startswith(("/", "~", "file:"))
    return path.rstrip("/").rpartition("/")[2] if rooted else path


def listing(path: str) -> str:
    """Return a hash of the names, sizes and times of the files in a folder's folders.

    Links are followed, as `pixelspace.datasets.folder` does.
    """
    lines = []
    for file in sorted(Path(os.path.expanduser(path)).glob("*/*")):
        if os.path.isfile(file):
            facts = file.stat()
            lines.append(b"%s %d %d\n" % (os.fsencode(file), facts.st_size, facts.st_mtime_ns))
    return hashlib.sha256(b"".join(lines)).hexdigest()[:16]


def failed(store: Path, key: str) -> Path:
    """Return the file with a line for each time that a network failed, whatever came of it then."""
    return store / "failed" / f"{key}.txt"


def digest(settings: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits for settings in JSON types."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
