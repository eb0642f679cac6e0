"""Copies of the repository, to build the small paper in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = (
    "CITATION.cff LICENSE LICENSE-CC-BY-4.0 Makefile Snakefile config profiles report "
    "requirements.txt scripts src tools workflow"
)
SMOKE = "config/smoke.yaml"
RESULTS = "results-smoke"


def copy_of_the_repository(folder: Path) -> Path:
    """A copy to build in; the data that the repository ships is linked, file by file."""
    folder.mkdir()
    for name in COPIED.split():
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    ignored = shutil.ignore_patterns("cache")
    shutil.copytree(ROOT / "data", folder / "data", copy_function=os.symlink, ignore=ignored)
    return folder


def snakemake(
    folder: Path, *arguments: str, overlays=(SMOKE,), environment=None, cores=2
) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", *arguments),
            *("--cores", f"{cores}", "--configfile", *overlays),
        ],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        | (environment or {}),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
