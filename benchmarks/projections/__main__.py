"""This project's projections beside those of its peers: `make bench-projections`.

One process for each library and task; they take turns, run by run, so that a slow minute of the
machine strikes all alike. Writes a table and two plots into benchmarks/results.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from common import DEEP, DIGIT_WEIGHTS, DIGITS, DREAM, ROOT, RUNS, UNITS, digit_network, network
from draw import plots

from pixelspace.datasets import rendered
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.runtime import ENVIRONMENT, environment

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
WORKER_ENVIRONMENT = {**os.environ, **environment(gpu=False), "PYTHONPATH": str(ROOT / "src")}
TRAINED = ROOT / "results/mnist/0/network.weights.h5"
OURS = "pixelspace"
PYTHONS = {
    OURS: ".venv/bin/python",
    "plain_loop": ".venv/bin/python",
    "tf_keras_vis": ".venv-peers/bin/python",
    "xplique": ".venv-peers/bin/python",
}


@dataclass(frozen=True)
class Task:
    """What is compared; how many times faster than each peer it should be, None for no target."""

    title: str
    targets: dict[str, float | None] = field(default_factory=dict)


STEPS = f"{len(UNITS)} units of `{DIGITS['layer']}`, digit network, {DIGITS['steps']} steps"
TASKS = {
    "maximization-digits": Task(STEPS, {"tf_keras_vis": 8, "xplique": 2.5}),
    "shifts-digits": Task(
        f"{STEPS}; in every library shifts by 2 pixels and nothing else",
        {"tf_keras_vis": None, "xplique": None},
    ),
    "maximization-deep": Task(
        f"{len(UNITS)} units of `{DEEP['layer']}`, deep network at 128 pixels, robust, "
        f"{DEEP['steps']} steps",
        {"tf_keras_vis": 5, "xplique": 1.8},
    ),
    "dream": Task(
        f"dream on `{DREAM['layer']}`, {DREAM['octaves']} octaves of {DREAM['steps']} steps, "
        f"{DREAM['size']} pixels",
        {"plain_loop": 1.4},
    ),
    "deconvnet-digits": Task("deconvnet of 256 images, digit network", {"xplique": 1.5}),
    "guided-digits": Task(
        "guided backpropagation of 256 images, digit network", {"tf_keras_vis": 3, "xplique": 1.5}
    ),
    "guided-deep": Task(
        "guided backpropagation of 256 images, deep network", {"tf_keras_vis": 3, "xplique": 1.5}
    ),
}


def start(library: str, task: str, folder: Path) -> subprocess.Popen:
    script = HERE / f"{library}_worker.py"
    return subprocess.Popen(
        [ROOT / PYTHONS[library], script, task, folder],
        env=WORKER_ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_once(process: subprocess.Popen) -> float:
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"{' '.join(map(str, process.args))}: failed; what it said is above")
    return float(answer)


def in_turn(task: str, libraries: list[str], folder: Path) -> dict[str, list[float]]:
    """Return the seconds of each library's runs; the first includes its compilation."""
    processes = {library: start(library, task, folder) for library in libraries}
    times = {library: [] for library in libraries}
    for number in range(1 + RUNS):
        for library, process in processes.items():
            times[library].append(run_once(process))
            print(f"{task}, {library}, run {number}: {times[library][-1]:.2f} s", flush=True)
    for process in processes.values():
        process.communicate()
    return times


def reached(task: str, library: str, folder: Path) -> str:
    """Return how good a result is, by one measure for all libraries."""
    found = np.load(folder / f"{task}-{library}.npy")
    kind, _, name = task.partition("-")
    if kind in ("deconvnet", "guided"):
        ours = np.load(folder / f"{task}-{OURS}.npy")
        return f"{np.abs(found - ours).max() / np.abs(ours).max():.0e}"
    layer = (DIGITS if name == "digits" else DEEP)["layer"]
    (outputs,) = layer_outputs(network(name or "deep", folder), found, [layer]).values()
    if kind == "dream":
        return f"{(outputs**2).mean():.2f}"
    return f"{outputs.mean((1, 2))[np.arange(len(UNITS)), UNITS].mean():.2f}"


def rows(task: str, folder: Path) -> list[str]:
    libraries = [OURS, *TASKS[task].targets]
    times = in_turn(task, libraries, folder)
    middle = {library: statistics.median(times[library][1:]) for library in libraries}
    lines = []
    for library in libraries:
        ratio, target = middle[library] / middle[OURS], TASKS[task].targets.get(library)
        cells = [
            TASKS[task].title if library == OURS else "",
            library.replace("_", "-").replace("plain-loop", "plain loop"),
            f"{times[library][0]:.2f} s",
            f"{middle[library]:.2f} s",
            "" if library == OURS else f"{ratio:.1f}",
            "" if target is None else f"{target} ({'met' if ratio >= target else 'missed'})",
            reached(task, library, folder),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def prepare(folder: Path) -> str:
    """Write what all processes load, and return where the digit network's weights come from."""
    picture, _ = rendered.render("muffin", 0, DREAM["size"], difficulty=0)
    np.save(folder / "picture.npy", picture.astype(np.float32))
    if TRAINED.exists():
        shutil.copy(TRAINED, folder / DIGIT_WEIGHTS)
        return "trained, from `results/mnist`"
    keras.utils.set_random_seed(0)
    digit_network().save_weights(folder / DIGIT_WEIGHTS)
    return "random, seed 0: `make paper` had not trained it"


HEADER = """# Projections beside their peers

Seconds on {threads} thread(s), AVX2: the first run, which compiles, and the median of {runs} more.
Ratio: the peer's median over ours. Reached: of maximization the mean activation of the unit, of a
dream the mean square of the layer, both on the final image, untransformed; of a backward pass the
largest difference from ours as a share of our largest value. Weights of the digit network: {from_}.

| task | library | first | median | ratio | target | reached |
|---|---|---|---|---|---|---|
"""

SHARE = """
## Share of maximization's time in the network's own forward and backward pass

Target: 80 % at batch 8 and more. Measured as `scaling.py` says.

| batch | digit network | deep network |
|---|---|---|
"""


def main() -> None:
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header = HEADER.format(
            threads=ENVIRONMENT["TF_NUM_INTRAOP_THREADS"], runs=RUNS, from_=prepare(folder)
        )
        table = [line for task in TASKS for line in rows(task, folder)]
        scaling = [sys.executable, HERE / "scaling.py", folder]
        subprocess.run(scaling, check=True, env=WORKER_ENVIRONMENT)
        found = json.loads((folder / "scaling.json").read_text(encoding="utf-8"))
    plots(found, RESULTS)
    digits, deep = found["share"]["digits"], found["share"]["deep"]
    shares = [
        f"| {batch} | {share:.0%} | {other:.0%} |"
        for (batch, share), (_, other) in zip(digits, deep, strict=True)
    ]
    text = header + "\n".join(table) + "\n" + SHARE + "\n".join(shares) + "\n"
    (RESULTS / "projections.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
