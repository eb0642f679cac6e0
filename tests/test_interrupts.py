"""What is interrupted before any step runs ends as the system ends it, without a traceback."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import psutil
import pytest
from faults import paper as faults
from faults.paper import Paper
from repository import ROOT, copy_of_the_repository


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "snakemake", "--cores", "1"],
        ["-m", "snakemake", "--dry-run"],
        ["tools/read_config.py", "config/config.yaml"],
    ],
    ids=["run", "plan", "look"],
)
def test_an_interrupt_before_any_step_ends_without_a_traceback(tmp_path, command):
    folder = copy_of_the_repository(tmp_path / "paper")
    settings = folder / "config/config.yaml"
    settings.unlink()
    os.mkfifo(settings)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if "snakemake" not in command:
        environment["PYTHONPATH"] = str(ROOT / "src")
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with open(settings, "w"):  # waits until it is read
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert len(said.splitlines()) <= 1
    assert "Traceback" not in said


@pytest.mark.parametrize("after", [0, 0.1, 0.3, 0.9])
def test_an_interrupt_while_snakemake_is_imported_ends_without_a_traceback(tmp_path, after):
    paper = Paper.copied(tmp_path / "paper")
    run = paper.start()
    assert faults.wait_until(lambda: _is_importing(faults.snakemake(run)), run)
    time.sleep(after)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does
    assert run.wait(timeout=60) != 0
    assert "Traceback" not in paper.shown()
    assert "KeyboardInterrupt" not in paper.shown()


def test_what_waits_to_be_told_runs_then_and_ends_without_a_traceback():
    command = [sys.executable, "tools/run_snakemake.py", "--when-told", "--version"]
    with _waiting(command) as process:
        said, _ = process.communicate(timeout=60)  # which closes its input
        assert (process.returncode, said) == (0, f"{version('snakemake')}\n")
    with _waiting(command) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.wait(60) == -signal.SIGINT


def _waiting(command: list[str]) -> subprocess.Popen:
    """A process once it waits for its input, and has said nothing."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    state = psutil.Process(process.pid)
    deadline = time.monotonic() + 60
    while not any("h5py" in mapped.path for mapped in state.memory_maps()) or (
        state.status() != psutil.STATUS_SLEEPING
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert process.poll() is None
    return process


def _is_importing(process: psutil.Process | None) -> bool:
    """Whether Python itself has started, whose first 20 ms nothing of ours can guard."""
    maps = process.memory_maps() if process else []
    return any("site-packages" in mapped.path for mapped in maps)
