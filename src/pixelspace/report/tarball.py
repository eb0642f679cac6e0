"""Archives whose bytes depend on the names and contents of their members alone."""

import gzip
import tarfile
from collections.abc import Iterable
from pathlib import Path


def write(archive: str | Path, members: Iterable[tuple[str, Path]], *, folder: str = "") -> None:
    """Write a compressed tar archive without times and owners.

    Args:
        members: the name of each file in the archive, in their order there, and where it is.
        folder: begins the name of each.
    """
    with (
        open(archive, "wb") as stream,
        gzip.GzipFile("", "wb", 9, stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, path in members:
            member = tarfile.TarInfo(f"{folder}{name}")
            facts = path.stat()
            member.size = facts.st_size
            # As git has it: whether a file is a program, and nothing else.
            member.mode = 0o755 if facts.st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                tar.addfile(member, content)
