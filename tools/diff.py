"""Mark what changed in the paper since an earlier revision: ``python tools/diff.py -- REV``.

Builds the paper of the working tree, and in `REVISIONS` that of the earlier revision with its own
code, numbers and figures; a second time, what is built there is as it was. Writes ``diff.pdf`` into
the results, and ``diff.tex``, its source. Exits with 2 if there is nothing to mark, or no way to.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from pixelspace import config
from pixelspace.artifacts import UNFINISHED, write_text, written
from pixelspace.errors import UserError
from pixelspace.files import file_hash
from pixelspace.report import diff, latex

ROOT = Path(__file__).resolve().parents[1]
REVISIONS = ROOT / ".snakemake" / "revisions"
SNAKEMAKE = ROOT / "tools/run_snakemake.py"
PAPER = "config/config.yaml"
BIBLIOGRAPHY = "report/references.bib"
LOCK = "requirements-gpu.txt" if "PIXELSPACE_GPU" in os.environ else "requirements.txt"


@dataclass(frozen=True)
class Build:
    """What is to be built where: the overlay, if there is one, may be in any folder."""

    folder: Path
    overlay: Path | None
    photos: str | None
    cores: str

    @property
    def results(self) -> Path:
        name = "results"
        for file in (self.folder / PAPER, self.overlay):
            if file:
                settings = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
                name = settings.get("results", name)
        return self.folder / name

    def run(self, python: str | Path) -> None:
        """Build the paper.

        Raises:
            UserError: if it cannot be built; why, Snakemake has said.
        """
        command = [python, SNAKEMAKE, "--cores", self.cores]
        if self.overlay:
            command += ["--configfile", self.overlay]
        if self.photos:
            command += ["--config", f"photos={self.photos}"]
        # Each revision imports its own library.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        if subprocess.run(command, cwd=self.folder, env=environment).returncode:
            raise UserError(f"the paper in {self.folder} was not built; why is said above")

    def paper(self) -> diff.Paper:
        return diff.Paper(
            (self.results / "paper.tex").read_text(encoding="utf-8"), self.results / "figures"
        )


def commit_of(revision: str) -> str:
    """Return the hash of the commit that a revision names.

    Raises:
        UserError: if there is none of this name, or no git repository.
    """
    if not revision:
        raise UserError("name an earlier revision, say `make diff REV=HEAD~1`")
    if not shutil.which("git"):
        raise UserError("git is not installed, and knows the earlier revisions")
    if _git("rev-parse", "--git-dir").returncode:
        raise UserError("this is not a git repository, so there are no earlier revisions")
    named = f"{revision}^{{commit}}"
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", named)
    if found.returncode:
        raise UserError(f"REV={revision}: git knows no such revision")
    return found.stdout.strip()


def _git(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def checked_out(commit: str, name: str) -> Path:
    """Return a folder with the files of a commit, and what was built there before.

    Raises:
        UserError: if git fails.
    """
    folder = REVISIONS / name
    if folder.is_dir():
        return folder
    REVISIONS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=REVISIONS, prefix=UNFINISHED) as unfinished:
        tree = Path(unfinished, "tree")
        index = str(Path(unfinished, "index"))
        for arguments in (
            ("read-tree", commit),
            ("checkout-index", "--all", f"--prefix={tree}/"),
        ):
            done = _git(*arguments, GIT_INDEX_FILE=index)
            if done.returncode:
                raise UserError(f"git {arguments[0]} failed: {done.stderr.strip()}")
        os.replace(tree, folder)
    return folder


def overlay_there(overlay: Path, folder: Path) -> Path:
    """Return the overlay for an earlier revision: its own, or if it has none, ours."""
    inside = overlay.is_relative_to(ROOT)
    there = folder / (overlay.relative_to(ROOT) if inside else Path("overlays", overlay.name))
    if not there.exists():
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(overlay, there)
    return there


def python_of(folder: Path) -> Path:
    """Return a Python with the versions that a revision pins: this one, or one that is set up.

    Raises:
        UserError: if the revision pins none, or set-up fails.
    """
    lock = folder / LOCK
    if not lock.is_file():
        raise UserError(f"the earlier revision has no {LOCK}, so its environment is not known")
    if file_hash(lock) == file_hash(ROOT / LOCK):
        return Path(sys.executable)
    environment = f".venv.{file_hash(lock)[:12]}"
    setup = [ROOT / "tools/setup", "python", environment, lock.relative_to(ROOT)]
    if subprocess.run(setup, cwd=ROOT).returncode:
        raise UserError(f"the environment of the earlier revision was not set up: {environment}")
    return ROOT / environment / "bin/python"


def mark(earlier: Build, now: Build) -> Path:
    """Write the PDF, and its source beside it; raises what `diff` and `latex` do."""
    marked = diff.diff(earlier.paper(), now.paper())
    tex, pdf = now.results / "diff.tex", now.results / "diff.pdf"
    said = now.results / "logs" / "diff.log"
    said.parent.mkdir(exist_ok=True)
    write_text(tex, marked.tex)
    references = [
        (build.folder / BIBLIOGRAPHY).read_text(encoding="utf-8") for build in (earlier, now)
    ]
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        bibliography = Path(name, "references.bib")
        bibliography.write_text(diff.bibliography(*references), encoding="utf-8")
        with (
            open(said, "w", encoding="utf-8") as log,
            contextlib.redirect_stdout(log),
            latex.typeset(
                tex, bibliography=bibliography, figures=marked.figures, earlier=marked.earlier
            ) as folder,
            written(pdf) as file,
        ):
            shutil.copy(folder / "paper.pdf", file)
    return pdf


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--configfile", type=Path, help="an overlay")
    parser.add_argument("--photos", help="the folder of photographs")
    parser.add_argument("--cores", default="all", help="how many cores a build uses")
    parser.add_argument("revision")
    asked = parser.parse_args(arguments)
    commit = commit_of(asked.revision)
    if not shutil.which("latexdiff"):
        raise UserError("latexdiff is not installed; `make diff` installs it or names its package")
    overlay, name = asked.configfile, commit
    if overlay:
        config.located([ROOT / PAPER, overlay])
        overlay, name = overlay.resolve(), f"{commit}-{file_hash(overlay)[:12]}"
    photos = os.path.abspath(asked.photos) if asked.photos else None

    now = Build(ROOT, overlay, asked.photos, asked.cores)
    now.run(sys.executable)
    folder = checked_out(commit, name)
    print(f"the paper of {asked.revision}, in {folder.relative_to(ROOT)}:", flush=True)
    there = overlay_there(overlay, folder) if overlay else None
    earlier = Build(folder, there, photos, asked.cores)
    earlier.run(python_of(folder))
    print(f"what changed since {asked.revision}: {mark(earlier, now).relative_to(ROOT)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
