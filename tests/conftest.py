"""Tests run as the jobs do: on one thread, with the instruction sets that fix the bytes."""

import os
import shutil
from pathlib import Path

import pytest
from repository import RESULTS, ROOT, copy_of_the_repository, snakemake

from pixelspace import runtime

os.environ.update(runtime.environment(gpu=False), PYTHONPATH=str(ROOT / "src"))


CANARIES = {"USER": "canary-user", "LOGNAME": "canary-user", "API_TOKEN": "canary-secret"}
"""What of a user must not be found in results; all that is begins with the same word."""


def build(folder: Path, *asked: str) -> str:
    """Build as a user with a name, a home and a secret, and return what the terminal shows."""
    home = folder.parent / "canary-home"
    home.mkdir(exist_ok=True)
    run = snakemake(folder, *asked, environment=CANARIES | {"HOME": str(home)})
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.fixture(scope="session")
def small_paper(tmp_path_factory) -> Path:
    """The folder of a finished build of the small paper. Tests leave it as they found it."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("small") / "paper")
    folder.joinpath("terminal.txt").write_text(build(folder))
    return folder


@pytest.fixture(scope="session")
def readers(small_paper) -> Path:
    """The same folder once it has all figures and all that is for readers, with their report."""
    if not shutil.which("latexml") and "CI" not in os.environ:
        pytest.skip("latexml is not installed")
    build(small_paper, "readers")
    build(small_paper, "readers", "--report", f"{RESULTS}/report.html")
    return small_paper
