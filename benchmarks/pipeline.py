"""How long the paper takes, in a fresh clone of the committed state: `make bench`.

Prints and writes a table of seconds and of the largest process. The targets are those of the
project for two cores; timings on a shared machine vary by up to a factor of two.
"""

import json
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).parent / "results" / "pipeline.md"
CORES = 2


def timed(command: list[str], folder: Path) -> float:
    """Run a command to its end and return the seconds it took."""
    start = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def largest_process() -> float:
    """Return the most memory that any process started so far has held, in GB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file} no longer has {old!r}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def measure(folder: Path) -> list[tuple[str, str, str]]:
    """Return rows of what was measured, its target, and its value."""
    rows = []
    snakemake = [".venv/bin/snakemake", "--cores", str(CORES)]

    def row(name: str, target: str, command: list[str], prepare: Callable[[], None] | None = None):
        if prepare:
            prepare()
        rows.append((name, target, f"{timed(command, folder):.1f} s"))
        print(*rows[-1], sep="   ", flush=True)

    row(
        "set-up of Python with a warm package cache",
        "240 s",
        ["tools/setup", "python", ".venv", "requirements.txt"],
    )
    row("the whole paper", "900 s", snakemake)
    rows.append(("largest process of it", "3.0 GB", f"{largest_process():.1f} GB"))
    row("every other figure, and a contact sheet of each network", "none", [*snakemake, "figures"])
    row(
        "one training of the digit network, alone",
        "90 s",
        [".venv/bin/snakemake", "--cores", "1", "--force", "results/mnist/0/training.json"],
    )
    row("the small paper", "180 s", [*snakemake, "--configfile", "config/smoke.yaml"])
    subprocess.run(snakemake, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    row("a plan with nothing to do", "3 s", [*snakemake, "-n"])
    row(
        "one figure after an edit of its drawing",
        "6 s",
        [*snakemake, "results/figures/efl-weights.pdf"],
        lambda: append(folder / "src/pixelspace/figures/weights.py", "EDITED = 1\n"),
    )
    row(
        "the PDF after an edit of its text",
        "15 s",
        snakemake,
        lambda: edit(folder / "report/sections/further.tex.j2", "Three things", "Several things"),
    )
    for name, seconds in watched(folder):
        rows.append((name, "15 s", f"{seconds:.1f} s"))
        print(*rows[-1], sep="   ", flush=True)
    return rows


def watched(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield what is saved while `make watch` runs, and the seconds until the page shows it."""
    text = folder / "report/sections/further.tex.j2"
    style = folder / "src/pixelspace/figures/style.py"
    edits = {
        "a text": (text, "Several things", "Some things"),
        "the style of all figures": (style, '"axes.labelpad": 3,', '"axes.labelpad": 4,'),
    }
    watcher = subprocess.Popen(["make", "-s", "watch"], cwd=folder, stdout=subprocess.PIPE)
    try:
        line = next(line for line in watcher.stdout if b"http:" in line).decode()
        threading.Thread(target=watcher.stdout.read, daemon=True).start()
        with urlopen(f"{line.split('shown at ')[1].split(';')[0]}events") as events:
            shown = built(events)
            for name, edited in edits.items():
                time.sleep(5)  # in which a writer looks at the page
                start = time.monotonic()
                edit(*edited)
                shown = built(events, unlike=shown)
                yield f"{name}, from its edit to the page of `make watch`", time.monotonic() - start
    finally:
        watcher.terminate()
        watcher.wait()


def built(events: Iterable[bytes], unlike: str = "") -> str:
    """Return the version of the next PDF that a page is told of; not the one that it shows."""
    for line in events:
        if line.startswith(b"data: "):
            state = json.loads(line.removeprefix(b"data: "))
            assert not state["failure"], state["failure"]
            if not state["building"] and state["version"] not in ("", unlike):
                return state["version"]
    raise AssertionError("the watcher ended")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "paper"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        rows = measure(folder)
    table = ["| what | target | measured |", "|---|---|---|"]
    table += [f"| {' | '.join(row)} |" for row in rows]
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
