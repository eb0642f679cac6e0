"""Whether files and settings are still the same, and what failed; light enough for every plan."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ADDRESS = re.compile(r"(?!file:)[a-z+]+://|[^/@\s]+@[\w.-]+:", re.IGNORECASE)
"""What begins an address: a scheme, or a name at a host."""


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def portable(path: str) -> str:
    """Return a path or an address as a record may have it, which tells of no machine and no user.

    Of a path that begins at root or home, or leads up, only the last part is kept; of an address
    all but names, passwords and what follows ``?`` or ``#``.
    """
    if ADDRESS.match(path):
        return re.sub(r"[^/@?#]*@|[?#].*", "", path)
    leads_out = path.startswith(("/", "~", "file:")) or ".." in path.split("/")
    return path.rstrip("/").rpartition("/")[2] if leads_out else path


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
