"""How planning and running grow with the networks of a sweep: `make bench-scale`.

Works on a fresh clone of the committed state. Writes a table and a figure.
"""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from matplotlib.figure import Figure

from pixelspace.figures import style

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
PLANNED = (10, 100, 1000, 5000)
RUNS = 3
TRAINED = 64
PER_JOB = 8
WORKERS = (1, 2)
STEP = re.compile(r"^\[ *\d+/\d+\] +([\d.]+) s .*the sweep", re.M)


def write_sweep(folder: Path, networks: int) -> None:
    """Write an overlay with a sweep of letter networks that differ in their learning rate."""
    rates = [round(0.01 * (1 + place / networks), 8) for place in range(networks)]
    sweep = {"experiment": "efl", "grid": {"training.restarts.learning_rate": rates}}
    overlay = {
        "results": "results-scale",
        "points_per_job": PER_JOB,
        # The first point would be that of the experiment, which is trained anyway.
        "experiments": {"efl": {"training": {"restarts": {"epochs": 9}}}},
        "sweeps": {"scale": sweep},
    }
    (folder / "scale.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")


def snakemake(folder: Path, *arguments: str, **environment: str) -> tuple[float, str]:
    """Run the sweep, and return the seconds it took and what was printed."""
    start = time.monotonic()
    done = subprocess.run(
        [
            *(".venv/bin/snakemake", "results-scale/sweeps/scale.csv", *arguments),
            *("--configfile", "scale.yaml"),
        ],
        cwd=folder,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return time.monotonic() - start, done.stdout


def planning(folder: Path) -> dict[int, float]:
    """Return the seconds that a plan takes, by the networks of the sweep: medians of runs."""
    found = {}
    for networks in PLANNED:
        write_sweep(folder, networks)
        found[networks] = statistics.median(snakemake(folder, "-n")[0] for _ in range(RUNS))
        print(f"plan of {networks}: {found[networks]:.1f} s", flush=True)
    return found


def running(folder: Path, *arguments: str, **environment: str) -> tuple[float, float]:
    """Return the seconds that a sweep takes, and the sum of those of its jobs."""
    shutil.rmtree(folder / "results-scale", ignore_errors=True)
    snakemake(folder, "--cores", "1", "--until", "make_dataset")
    seconds, printed = snakemake(folder, *arguments, **environment)
    return seconds, sum(map(float, STEP.findall(printed)))


def wall(folder: Path, cluster: Path) -> dict[str, dict[int, tuple[float, float]]]:
    """Return the seconds of `TRAINED` networks on cores of one machine, and on nodes of SLURM."""
    write_sweep(folder, TRAINED)
    found = {"cores": {}, "nodes": {}}
    for cores in WORKERS:
        found["cores"][cores] = running(folder, "--cores", f"{cores}")
        print(f"{cores} cores: {found['cores'][cores]}", flush=True)
    slurm = [str(ROOT / "tools/slurm")]
    subprocess.run([*slurm, "up", str(cluster)], check=True)
    try:
        for nodes in reversed(WORKERS):
            options = ("--profile", "profiles/slurm", "--slurm-status-command", "squeue")
            waits = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5")
            path = f"{cluster / 'bin'}:{os.environ['PATH']}"
            # The nodes share this machine: each has one core of it, as one job at a time.
            jobs = ("--jobs", f"{nodes}")
            found["nodes"][nodes] = running(folder, *options, *waits, *jobs, PATH=path)
            print(f"{nodes} nodes: {found['nodes'][nodes]}", flush=True)
            subprocess.run([*slurm, "kill", str(cluster), "n2"], check=True)
    finally:
        subprocess.run([*slurm, "down", str(cluster)], check=True)
    return found


def table(plans: Mapping[int, float], walls: Mapping[str, Mapping]) -> str:
    lines = ["| networks | plan, s | ms a network |", "|---|---|---|"]
    lines += [f"| {n:,} | {s:.1f} | {1000 * s / n:.1f} |" for n, s in plans.items()]
    lines += ["", f"| {TRAINED} networks on | wall, s | jobs, s in all | efficiency |"]
    lines += ["|---|---|---|---|"]
    for kind, found in walls.items():
        for workers, (seconds, inside) in sorted(found.items()):
            share = found[1][0] / (workers * seconds)
            lines.append(f"| {workers} {kind} | {seconds:.0f} | {inside:.0f} | {share:.0%} |")
    return "\n".join(lines) + "\n"


def memory() -> dict[str, dict[int, int]]:
    """Return the megabytes of each step by the number of photographs, as `memory.py` wrote them."""
    text = (RESULTS / "memory.md").read_text(encoding="utf-8").replace(",", "")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    (_, *steps), _, *found = rows
    return {
        step.removesuffix(" MB"): {int(row[0]): int(row[place]) for row in found}
        for place, step in enumerate(steps, start=1)
    }


@style.house()
def draw(plans: Mapping[int, float], walls: Mapping[str, Mapping]) -> Figure:
    """Draw time to plan by networks, wall time by cores and nodes, and memory by photographs."""
    figure, _ = style.sheet(2.1)
    width = (style.WIDTH - 2) / 3
    places = (0.45 + column * (width + 0.7) for column in range(3))
    planned, run, held = (style.place(figure, x, 0.12, width, 1.5) for x in places)
    dotted = {"color": style.GREY, "ls": ":", "lw": 0.8}
    planned.loglog(list(plans), list(plans.values()), "o-", color=style.BLUE, ms=3)
    most = max(plans)
    guide = [plans[most] * networks / most for networks in plans]
    planned.loglog(list(plans), guide, label="in proportion", **dotted)
    planned.set(xlabel="networks of the sweep", ylabel="seconds to plan", ylim=(1, 40))
    planned.set_yticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    looks = {"cores": (style.BLUE, "o-"), "nodes": (style.VERMILLION, "^--")}
    for kind, found in walls.items():
        colour, look = looks[kind]
        seconds = [found[workers][0] for workers in WORKERS]
        run.plot(WORKERS, seconds, look, color=colour, ms=3, label=kind)
        run.plot(WORKERS, [seconds[0] / workers for workers in WORKERS], **dotted)
    run.set(xlabel="cores or nodes", ylabel=f"seconds for {TRAINED} networks", xticks=WORKERS)
    run.set_ylim(0)
    styles = zip("o^s", (style.BLUE, style.VERMILLION, style.GREY), strict=True)
    for (step, megabytes), (marker, colour) in zip(memory().items(), styles, strict=True):
        held.semilogx(
            list(megabytes), list(megabytes.values()), f"{marker}-", color=colour, ms=3, label=step
        )
    held.set(xlabel="photographs", ylabel="MB held", ylim=(0, 1400))
    held.set_xticks(list(megabytes), [f"{count:,}" for count in megabytes])
    held.minorticks_off()
    for axes in (planned, run, held):
        axes.legend(loc="upper left" if axes is not run else "upper right", fontsize=style.SMALL)
    return figure


def alt(plans: Mapping[int, float]) -> str:
    said: Sequence[str] = [f"{seconds:.1f} s for {n}" for n, seconds in plans.items()]
    return (
        f"A plan takes {', '.join(said)} networks; beside it wall time against cores and nodes, "
        "and memory against photographs."
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "paper"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        plans = planning(folder)
        walls = wall(folder, Path(name) / "cluster")
    (RESULTS / "scale.md").write_text(table(plans, walls), encoding="utf-8")
    files = [RESULTS / f"scale.{suffix}" for suffix in ("pdf", "png", "txt")]
    style.save(draw(plans, walls), *files, alt=alt(plans))


if __name__ == "__main__":
    main()
