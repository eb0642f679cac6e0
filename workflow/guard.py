"""One run at a time builds in a results folder, on sound files, and ends at once when told to."""

import contextlib
import datetime
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

import psutil
from snakemake.io import IOFile
from snakemake.scheduling.job_scheduler import JobScheduler

from pixelspace import artifacts, machine, runtime

try:
    import fcntl
except ImportError:  # Windows, where Snakemake's own lock has to do
    fcntl = None

PATIENCE = 10
"""Seconds that a run waits for steps of one that was killed, which end by themselves."""


def install(workflow, results: str, maker: Callable[[str], str | None]) -> None:
    """Guard every run of ``workflow``, which builds in ``results``; plans change nothing.

    A run has the folder for itself. It keeps what is as it was written, and makes the rest again.
    Its steps end with it, even if it is killed.

    Args:
        maker: tells of a file that is no rule's output, but written on the way to one, which.
    """
    os.environ[runtime.RUN] = str(os.getpid())
    remote = workflow.storage_settings.default_storage_provider is not None
    if not workflow.is_main_process:
        return
    if remote:
        # Snakemake takes its jobs back when it is interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return
    folder = Path(results)
    execute, report = workflow.execute, workflow.create_report

    def guarded(*, executor_plugin, **settings) -> None:
        planned = executor_plugin.common_settings.dryrun_exec
        with contextlib.nullcontext() if planned else _held(folder, workflow.basedir):
            # Unlike ours, Snakemake's lock outlives a run that is killed.
            workflow.execution_settings.lock = fcntl is None
            if executor_plugin.common_settings.local_exec:
                # Its timers, one more for each step, hold up the end of a run by a second.
                workflow.scheduling_settings.max_jobs_per_timespan = None
            again = dict(_to_make_again(folder, workflow.rules, maker))
            _force(workflow, again.values(), folder)
            if not planned:
                _remove(folder, again)
                _end_at_once(workflow)
            with _lack_named(folder):
                execute(executor_plugin=executor_plugin, **settings)

    def reported(*arguments, **settings) -> None:
        with _lack_named(folder):
            report(*arguments, **settings)

    workflow.execute = guarded
    workflow.create_report = reported


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _lack_named(folder: Path) -> Iterator[None]:
    """End with one line where the disk lacks something; Snakemake would show a traceback of it."""
    try:
        yield
    except OSError as error:
        lack = runtime.lack(error)
        if lack is None:
            raise
        sys.exit(f"error: {folder}: {lack}")


@contextlib.contextmanager
def _held(folder: Path, project: str) -> Iterator[None]:
    """Hold the folder's lock, which the system releases however this process ends.

    What is built from now on is under the limit that is written down here.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "a+", encoding="utf-8")  # noqa: SIM115
        _lock(lock, folder)
        for file in machine.begin(folder, project=project, environment=os.environ):
            _say(f"warning: {file}: gone, or not as it was written; written anew")
    except OSError as error:
        sys.exit(f"error: {folder}: cannot be written to: {error.strerror}")
    with lock:
        yield


def _lock(lock: TextIO, folder: Path) -> None:
    """Take the lock and say in it who has it, once no step of an earlier run is at work.

    Raises:
        SystemExit: if another run has it, or a step does not end.
        OSError: if the folder cannot be written to.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another run"
        sys.exit(f"error: {folder}: {holder} builds here; wait until it has ended, or stop it")
    lock.truncate(0)
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    lock.write(f"process {os.getpid()} on {socket.gethostname()}, since {now},\n")
    lock.flush()
    steps = (folder / ".steps").resolve()
    with open(steps, "a", encoding="utf-8") as at_work:
        for _ in range(PATIENCE):
            try:
                fcntl.flock(at_work, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(1)
        else:
            sys.exit(f"error: {folder}: a step of an earlier run is still at work here; stop it")
    os.environ[runtime.STEPS] = str(steps)


def _to_make_again(
    folder: Path, rules: Iterable, maker: Callable[[str], str | None]
) -> Iterator[tuple[str, str]]:
    """Yield, and name, what rules wrote to the folder and is not as it was, with their outputs."""
    for path in map(str, artifacts.damaged(folder)):
        made = maker(path) or path
        if any(output.match(made) for rule in rules for output in rule.output):
            _say(f"warning: {path}: gone, or not as it was written; to be made again")
            yield path, made


def _force(workflow, again: Iterable[str], folder: Path) -> None:
    """Let steps run again that are needed for what is asked for, though what they feed is there.

    Of files that are gone from between others Snakemake takes no notice, and what it is told to
    force it takes for asked for. What it has no record of, it takes for made as it would make it.
    """
    build = workflow._build_dag

    def forced() -> None:
        unknown = list(_of_unknown_origin(folder, workflow.rules, workflow.persistence))
        if unknown:
            _say(
                f"warning: {folder}: how {len(unknown)} of its files were made is not known "
                "(.snakemake has no record of them); to be made again where they are needed"
            )
        workflow.dag.forcefiles.update(again, unknown)
        build()

    workflow._build_dag = forced


def _of_unknown_origin(folder: Path, rules: Iterable, persistence) -> Iterator[str]:
    """Yield what rules would write to the folder and is there, but not made by a run from here."""
    for parent, names in artifacts.folders(folder):
        for path in (str(parent / name) for name in sorted(names)):
            if not persistence.metadata(IOFile(path)) and any(
                output.match(path) for rule in rules for output in rule.output
            ):
                yield path


def _remove(folder: Path, damaged: Iterable[str]) -> None:
    """Remove what is damaged, and what steps that were killed left behind."""
    for path in damaged:
        if os.path.isdir(path) and not os.path.islink(path):
            sys.exit(f"error: {path}: a folder, where a file is to be; move it elsewhere")
        Path(path).unlink(missing_ok=True)
    for parent, _ in artifacts.folders(folder):
        for left in parent.glob(f"{artifacts.UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)


def _end_at_once(workflow) -> None:
    """End all steps when the run is interrupted or terminated; Snakemake would wait for them."""

    def end(number: int, frame=None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if workflow.local_exec:
            logging.disable()  # of steps that end now nobody wants to know how
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if not workflow.local_exec:
            raise KeyboardInterrupt  # Snakemake takes its jobs back from the cluster
        _say(f"stopped by {signal.Signals(number).name}: what was finished is kept")
        os._exit(128 + number)

    signal.signal(signal.SIGINT, end)
    # Its scheduler sets this one itself, later.
    JobScheduler.exit_gracefully = lambda scheduler, number, frame: end(number)
