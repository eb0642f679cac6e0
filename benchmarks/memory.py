"""Measure that photographs are streamed: ``python benchmarks/memory.py PHOTOS``.

PHOTOS is a folder with one subfolder for each class. Its photographs are taken once, four times and
sixteen times, as links in a temporary folder. Copies of a photograph are near-duplicates and come
into the same split; that does not change how much is read and kept. Each step is a process of its
own, with the settings of a job; the table has the most memory that each has held.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pixelspace import artifacts, runtime

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "benchmarks/results/memory.md"
WEIGHTS = ROOT / "data/efficientnet_lite0/weights.npz"
TIMES = (1, 4, 16)
SIZE = 96  # pixels: small, so that even the most photographs take minutes


def make_dataset(photos: Path, folder: Path) -> None:
    """Read the photographs twice, for near-duplicates and for the file."""
    from pixelspace.datasets import folder as source

    dataset = source.make(
        path=str(photos),
        seed=0,
        size=SIZE,
        validation=0.15,
        test=0.15,
        skip_unreadable=0,
        large_per_class=1,
        large_size=SIZE,
    )
    artifacts.write_dataset(folder / "dataset.h5", dataset)


def train_network(photos: Path, folder: Path) -> None:
    """Train a head on the features of all photographs."""
    runtime.seed_tensorflow(0)
    from pixelspace.networks import storage, transfer

    with artifacts.open_dataset(folder / "dataset.h5") as dataset:
        layers = storage.describe(dataset, kind="efficientnet")
        trained = transfer.train(layers, dataset, seed=0, weights=str(WEIGHTS), epochs=3)
        storage.save(trained.model, folder / "network.weights.h5")


def find_patches(photos: Path, folder: Path) -> None:
    """Search all test photographs for what excites each unit of a layer."""
    runtime.seed_tensorflow(0)
    from pixelspace.networks import storage
    from pixelspace.projections import top_patches

    with artifacts.open_dataset(folder / "dataset.h5") as dataset:
        model = storage.load(dataset, folder / "network.weights.h5", kind="efficientnet")
        top_patches.project(model, dataset, seed=0, layer="b10_out")


STEPS: dict[str, Callable[[Path, Path], None]] = {
    "making the data set": make_dataset,
    "training": train_network,
    "top patches": find_patches,
}


def peak(step: str, photos: Path, folder: Path) -> float:
    """Run a step and return the most memory that its process has held, in MB."""
    run = subprocess.run(
        [sys.executable, __file__, step, photos, folder],
        env={**os.environ, **runtime.environment(gpu=False)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(run.stdout.split()[-1]) / 1000


def own_peak() -> int:
    """Return the most memory that this process has held, in kB; unlike getrusage, since its start.

    getrusage counts what the process that started this one held as well.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def link(photos: Path, times: int, folder: Path) -> int:
    """Link every photograph several times into a folder like the first; return the number."""
    files = [file for file in photos.glob("*/*") if not file.name.startswith(".")]
    for file in files:
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        for copy in range(times):
            (folder / file.parent.name / f"{copy:02}-{file.name}").symlink_to(file.resolve())
    return times * len(files)


def main(photos: Path) -> None:
    table = [f"| photographs | {', MB | '.join(STEPS)}, MB |", "|---|" + "---|" * len(STEPS)]
    for times in TIMES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            count = link(photos, times, folder / "photos")
            peaks = []
            for step in STEPS:
                peaks.append(f"{peak(step, folder / 'photos', folder):.0f}")
                print(f"{count:,} photographs, {step}: {peaks[-1]} MB", flush=True)
        table.append(f"| {count:,} | {' | '.join(peaks)} |")
        TABLE.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2 and Path(sys.argv[1]).is_dir():
        main(Path(sys.argv[1]))
    elif len(sys.argv) == 4 and sys.argv[1] in STEPS:
        STEPS[sys.argv[1]](*map(Path, sys.argv[2:]))
        print(own_peak())
    else:
        sys.exit("error: name a folder that has one subfolder of photographs for each class")
