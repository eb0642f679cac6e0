"""An archive of the project and its paper, from which the paper can be built again offline.

Beside the sources, as git has them, it has the build's crate in a folder of its own, so that a new
build does not take the old results for its own, and can be compared with them.
"""

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixelspace.artifacts import RECORDS, checked, read_json, written
from pixelspace.errors import UserError
from pixelspace.files import file_hash
from pixelspace.report import crate, tarball

PUBLISHED = "published"
"""The folder of the archive that has the crate."""

HASHES = "SHA256SUMS"
READ_ME = "ARCHIVE.md"
FOLDER = "pixelspace/"

TEXT = f"""\
# The paper, and what builds it again

`{PUBLISHED}/paper.pdf` is the paper. `{PUBLISHED}/` is an RO-Crate: `{PUBLISHED}/{crate.METADATA}`
says what each file is and what made it. All else is the project as git has it, with its data:
tree {{tree}}, without changes.

    sha256sum --check --quiet {HASHES}
    pip install --require-hashes -r requirements.txt
    snakemake --cores 2{{overlays}}
    PYTHONPATH=src python tools/compare.py {PUBLISHED} {{results}}

The first line says whether all is as it was packed, and the last what differs in the new build.
Only the second needs a network, unless the packages are there; TeX has to be, see README.md.

The third runs code of the archive, and the Python that a configuration can hold: before one that
somebody else wrote, run `PYTHONPATH=src python tools/read_config.py FILE`, which refuses it.
"""


def state(project: str | Path) -> str:
    """Return the hash of the tree that git has of a project.

    Raises:
        UserError: if git has no such project, or a file differs from what it has: an archive of
            sources that no commit has could not be traced back.
    """
    changed = _changed(project)
    if changed:
        more = f" and {len(changed) - 1} more" if changed[1:] else ""
        raise UserError(
            f"{changed[0]}{more}: not as git has it, and an archive has what git has; commit first"
        )
    return _git(project, "rev-parse", "HEAD^{tree}").strip()


def pack(
    project: str | Path,
    *,
    metadata: str | Path,
    settings: Sequence[str],
    photographs: Mapping[str, str],
    archive: str | Path,
) -> None:
    """Write an archive of a project and of a crate. The same commit and build give the same bytes.

    Args:
        project: the folder of the repository.
        metadata: those of the crate, in its folder of results.
        settings: what the build was given beside the default configuration: paths of files, and
            names of settings on the command line.
        photographs: where those of each experiment that has some are from.

    Raises:
        UserError: see `state`; or if git does not have the settings or photographs; or if a file of
            the crate is missing or damaged.
    """
    tree = state(project)
    results = Path(metadata).parent
    entities = read_json(metadata)["@graph"]
    parts = [entity["@id"] for entity in entities if "File" in entity["@type"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        members = _sources(project, folder / "sources")
        for given in settings:
            if given not in members:
                raise UserError(
                    f"{given}: the build was given it, and git has no such file; an archive needs "
                    "a configuration that is committed"
                )
        for experiment, place in photographs.items():
            if not any(Path(member).is_relative_to(place) for member in members):
                raise UserError(
                    f"{place}: experiment '{experiment}' has its photographs from there, and an "
                    "archive has what git has; commit photographs and have them from a folder"
                )
        for part in parts:
            path = Path(PUBLISHED, part)
            members[path.as_posix()] = checked(results / part)
            # Without its record no tool of the project would read it.
            record = folder / path.parent / RECORDS / path.name
            record.parent.mkdir(parents=True, exist_ok=True)
            record.write_text(f"{file_hash(results / part)}\n", encoding="utf-8")
            members[record.relative_to(folder).as_posix()] = record
        members[f"{PUBLISHED}/{crate.METADATA}"] = Path(metadata)
        overlays = "".join(f" {given}" for given in ["--configfile", *settings] if settings)
        text = TEXT.format(overlays=overlays, results=results.name, tree=tree)
        (folder / READ_ME).write_text(text, encoding="utf-8")
        members[READ_ME] = folder / READ_ME
        hashes = "".join(f"{file_hash(members[part])}  {part}\n" for part in sorted(members))
        (folder / HASHES).write_text(hashes, encoding="utf-8")
        members[HASHES] = folder / HASHES
        with written(archive) as file:
            tarball.write(file, sorted(members.items()), folder=FOLDER)


def _sources(project: str | Path, folder: Path) -> dict[str, Path]:
    """Unpack what git has of a project, and return where each file is."""
    folder.mkdir()
    packed = folder.with_suffix(".tar")
    _git(project, "archive", "--format=tar", f"--output={packed}", "HEAD")
    with tarfile.open(packed) as tar:
        tar.extractall(folder, filter="data")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path for path in files}


def _changed(project: str | Path) -> list[str]:
    """Return the files that are not as git has them, those that it does not know included."""
    lines = _git(project, "status", "--porcelain", "-z", "--no-renames").split("\0")
    return [line[3:] for line in lines if line]


def _git(project: str | Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise UserError(f"an archive needs git: {error.strerror}") from error
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise UserError(f"{Path(project).name}: an archive has what git has of it, and: {last}")
    return done.stdout
