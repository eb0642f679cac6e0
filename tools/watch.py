"""Build whenever a source is saved, and show the paper: ``python tools/watch.py CONFIG COMMAND …``.

``CONFIG`` is the overlay that the command builds with, or empty. The command starts before there is
anything to build, and builds once when its standard input is closed, so that no save waits for its
start. What is saved during a build is built after it. A build that fails is shown, and the next
save mends it. Ctrl-C ends all.
"""

import collections
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import watchfiles
from read_config import results

from pixelspace.errors import UserError
from pixelspace.report import latex
from pixelspace.report.preview import Preview

ROOT = Path(__file__).resolve().parents[1]
PAPER = ROOT / "config/config.yaml"
PAGE = ROOT / "report/preview.html"
FOLDERS = "config profiles report scripts src workflow".split()
FILES = ("Snakefile", "requirements.txt", "requirements-gpu.txt")
LINES = 30
"""How much of what a failed build said is shown."""

PATIENCE = 2
"""Seconds in which a build that is stopped may end by itself."""


class Watcher:
    """Notes what is saved: below some folders, and some files, of which editors make new ones."""

    def __init__(self, files: Sequence[Path], folders: Sequence[Path]):
        self.saved = threading.Event()
        self._ended = threading.Event()
        self._files = {str(file) for file in files}
        beside = {file.parent for file in files}
        watched = [(folders, True, watchfiles.DefaultFilter()), (beside, False, self._is_one)]
        for paths, recursive, wanted in watched:
            arguments = (paths, recursive, wanted)
            threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def _is_one(self, change: watchfiles.Change, path: str) -> bool:
        return path in self._files

    def _watch(self, paths, recursive: bool, wanted) -> None:
        changes = watchfiles.watch(
            *paths,
            recursive=recursive,
            watch_filter=wanted,
            stop_event=self._ended,
            debounce=400,
            rust_timeout=500,
            raise_interrupt=False,
        )
        for _ in changes:
            self.saved.set()

    def close(self) -> None:
        self._ended.set()


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen]:
    """Run a command as the leader of a group, which ends with the block, whatever happens."""
    # In a group of its own: Ctrl-C would reach it twice, and what it left behind not at all.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _written(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def build(process: subprocess.Popen, overlay: Path | None, preview: Preview) -> None:
    """Let a process that waits build, and show what comes of it, the paper once it is there."""
    preview.building()
    began = time.monotonic()
    try:
        pdf = ROOT / results([PAPER, overlay] if overlay else [PAPER]) / "paper.pdf"
    except UserError as error:
        print(f"error: {error}", flush=True)
        preview.failed(f"error: {error}")
        return
    said: collections.deque[str] = collections.deque(maxlen=LINES)
    shown = _written(pdf)
    process.stdin.close()
    for line in process.stdout:
        print(line, end="", flush=True)
        said.append(line)
        if (now := _written(pdf)) not in (None, shown):
            shown = now
            preview.built(pdf, time.monotonic() - began)
    if status := process.wait():
        preview.failed("".join(said) or f"the build ended with status {status}, without a word")
    else:
        preview.built(pdf, time.monotonic() - began)


def main(arguments: Sequence[str]) -> None:
    name, *command = arguments
    overlay = Path(name).resolve() if name else None
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    files = [ROOT / file for file in FILES] + ([overlay] if overlay else [])
    watcher = Watcher(files, [ROOT / folder for folder in FOLDERS if (ROOT / folder).is_dir()])
    preview = Preview(PAGE.read_bytes())
    kept = tempfile.TemporaryDirectory(prefix="pixelspace-")
    os.environ[latex.KEPT] = kept.name
    print(f"the paper is shown at {preview.url}; Ctrl-C ends", flush=True)
    try:
        watcher.saved.set()
        while True:
            with running(command) as process:
                # Not for ever: a wait without an end would not be interrupted on all systems.
                while not watcher.saved.wait(1) and process.poll() is None:
                    pass
                if watcher.saved.is_set():
                    watcher.saved.clear()
                    build(process, overlay, preview)
    except KeyboardInterrupt:
        print("ended")
    finally:
        watcher.close()
        preview.close()
        kept.cleanup()


if __name__ == "__main__":
    main(sys.argv[1:])
