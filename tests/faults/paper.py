"""A copy of the repository in which things go wrong, and what to do to it."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil
from repository import RESULTS, copy_of_the_repository

from pixelspace.files import file_hash

STEP = re.compile(r"^\[ *\d+/\d+\] .* left +(\w+)", re.M)

REPORT = "report.html"
"""What Snakemake tells of a build, which is made anew each time, with the time in it."""


@dataclass
class Paper:
    """The small paper in a folder, or what ``targets`` name; ``goal`` is make's."""

    folder: Path
    targets: str = ""
    goal: str = "paper"
    screen: str = "terminal.txt"

    @classmethod
    def copied(cls, folder: Path, targets: str = "", goal: str = "paper") -> Self:
        """All that the paper is made of, in a new folder."""
        copy_of_the_repository(folder)
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
        return cls(folder, targets, goal)

    @property
    def results(self) -> Path:
        return self.folder / RESULTS

    @property
    def terminal(self) -> Path:
        return self.folder / self.screen

    def start(self, *arguments: str) -> subprocess.Popen:
        """Begin what `make paper`, or another goal, does once everything is installed."""
        # Not to be installed again, in the folder of the tests, by the copy.
        command = [*"make -o python -o tex -o web CORES=2 CONFIG=config/smoke.yaml".split()]
        asked = " ".join([self.targets, *arguments])
        with self.terminal.open("w") as stream:
            return subprocess.Popen(
                [*command, self.goal, *([f"TARGETS={asked}"] if asked else [])],
                cwd=self.folder,
                env={key: v for key, v in os.environ.items() if not key.startswith("MAKE")},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def shown(self) -> str:
        """What the terminal shows of the last run."""
        return self.terminal.read_text(errors="replace")

    def rules(self) -> set[str]:
        """The rules of which the last run finished steps."""
        return set(STEP.findall(self.shown()))

    def build(self, *arguments: str) -> int:
        """Run `make paper` to its end, and return its exit status."""
        return self.start(*arguments).wait()

    def hashes(self) -> dict[str, str]:
        """The content of every artifact and every record, and the names of what is left over."""
        files = (path.relative_to(self.results) for path in self.results.rglob("*"))
        return {
            str(file): file_hash(self.results / file)
            for file in sorted(files)
            if file.parts[0] not in ("logs", "machine", ".lock", ".steps", REPORT)
            and (self.results / file).is_file()
        }

    def artifacts(self) -> list[Path]:
        """All files that a step wrote and that are to be the same in every build."""
        return [self.results / name for name in self.hashes() if ".sha256/" not in name]


def traceback(paper: Paper) -> bool:
    """Whether the terminal shows a traceback, other than at the end of a step's log."""
    return bool(re.search("^Traceback", paper.shown(), re.M))


def processes(run: subprocess.Popen) -> list[psutil.Process]:
    """`make` and all that it started and that is alive."""
    try:
        made = psutil.Process(run.pid)
        return [made, *made.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def snakemake(run: subprocess.Popen) -> psutil.Process | None:
    """The process of Snakemake."""
    return next((p for p in processes(run) if "run_snakemake.py" in command(p)), None)


def steps(run: subprocess.Popen) -> list[psutil.Process]:
    """The processes of the steps at work."""
    return [process for process in processes(run) if step(process)]


def step(process: psutil.Process) -> str | None:
    """The name of the rule that a process works for, which it writes a log for."""
    with contextlib.suppress(OSError):
        found = re.search(rf"/{RESULTS}/logs/(\w+)", os.readlink(f"/proc/{process.pid}/fd/1"))
        return found and found[1]


def wait_until(condition: Callable[[], object], run: subprocess.Popen, poll: float = 0.05):
    """Return what ``condition`` gives as soon as that is true, or None if the run ends before."""
    while run.poll() is None:
        found = condition()
        if found:
            return found
        time.sleep(poll)
    return None


def at_some_step(paper: Paper, run: subprocess.Popen, dice: random.Random) -> bool:
    """Wait for a random moment; tell whether the run was still at work then."""
    after = dice.choice([0, 0, 1, 2, 3, 5, 8])
    wait_until(lambda: len(STEP.findall(paper.shown())) >= after, run)
    wait_until(lambda: steps(run), run)
    time.sleep(dice.uniform(0, 2.5))
    return run.poll() is None


def kill_run(run: subprocess.Popen) -> None:
    """Kill Snakemake and what it waits in; its steps are left alone, as orphans."""
    for process in (snakemake(run), psutil.Process(run.pid)):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process:
                process.kill()
    run.wait()


def kill_step(
    run: subprocess.Popen, dice: random.Random, rules: Collection[str] = ()
) -> str | None:
    """Kill one step, of some rules if one of theirs is at work, and let the run end by itself.

    Returns:
        Whose step it was; None if there was none.
    """
    found = {process: step(process) for process in steps(run)}
    some = [process for process, rule in found.items() if rule in rules] or [*found]
    killed = None
    with contextlib.suppress(psutil.NoSuchProcess, IndexError):
        process = dice.choice(some)
        process.kill()
        killed = found[process]
    run.wait()
    return killed


def kill_tree(run: subprocess.Popen) -> None:
    """Kill the run and all its steps at once."""
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


def stop(run: subprocess.Popen, number: signal.Signals) -> None:
    """Interrupt or terminate a run, and see that it ends at once with all its steps."""
    started = processes(run)
    if number == signal.SIGINT:
        os.killpg(run.pid, number)  # as a terminal does
    else:
        run.send_signal(number)
    assert run.wait(timeout=5) != 0
    _, left = psutil.wait_procs(started, timeout=1)
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own on a folder; only root may make one."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing be opened in a folder to be written to; what is open already may be."""
    # Laid over it: what has open files is not made read-only itself.
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        for arguments in (
            ["--bind", folder, name],
            ["-o", "remount,bind,ro", name],
            ["--bind", name, folder],
        ):
            subprocess.run(["mount", *arguments], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder, name], check=True)


def remount(folder: Path, options: str) -> None:
    """Give such a file system other options, with all that is in it."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def truncate(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size))


def empty(path: Path, dice: random.Random) -> None:
    os.truncate(path, 0)


def flip(path: Path, dice: random.Random) -> None:
    """Change one bit, and keep the time of the last change."""
    before = path.stat()
    with path.open("r+b") as file:
        position = dice.randrange(before.st_size)
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1 << dice.randrange(8)]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path, dice: random.Random) -> None:
    """Put another artifact of the same kind in its place, or of any kind if there is no other."""
    results = next(parent for parent in path.parents if parent.name == RESULTS)
    content = path.read_bytes()
    others = [
        other
        for other in sorted(results.rglob(f"*{path.suffix}"))
        if ".sha256" not in other.parts and other.is_file() and other.read_bytes() != content
    ]
    shutil.copyfile(dice.choice(others), path) if others else path.write_bytes(content[::-1] + b".")


DAMAGES = (truncate, empty, flip, replace)
