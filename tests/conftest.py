"""Tests run as the jobs do: on one thread, with the instruction sets that fix the bytes."""

import os
from pathlib import Path

import pytest
from repository import ROOT, copy_of_the_repository, snakemake

from pixelspace import runtime

os.environ.update(runtime.environment(gpu=False), PYTHONPATH=str(ROOT / "src"))


CANARIES = {"USER": "canary-user", "LOGNAME": "canary-user", "API_TOKEN": "canary-secret"}
"""What of a user must not be found in results; all that is begins with the same word."""


@pytest.fixture(scope="session")
def small_paper(tmp_path_factory) -> Path:
    """The folder of a finished build of the small paper. Tests leave it as they found it."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("small") / "paper")
    home = folder.parent / "canary-home"
    home.mkdir()
    run = snakemake(folder, environment=CANARIES | {"HOME": str(home)})
    assert run.returncode == 0, run.stdout + run.stderr
    folder.joinpath("terminal.txt").write_text(run.stdout + run.stderr)
    return folder
