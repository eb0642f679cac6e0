"""The long form of the campaign, on the whole small paper: `make faults`, some hours.

Prints what was done, at which steps, and what became of it; fails if a build after a fault is not
byte for byte the undisturbed one.

  python -m faults.campaign [--kills 50] [--disks 5] [--seed 1]
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from repository import RESULTS

from pixelspace import artifacts, machine

from . import paper as faults
from .paper import Paper

DISTURBED_AT_ONCE = 100
"""Artifacts that are damaged together: each of them for itself would take days."""


def killed(folder: Path, undisturbed: dict[str, str], kills: int, dice: random.Random) -> Counter:
    """Kill runs at random moments, each taken up by the next, as often as is wanted.

    Returns:
        How often each kind of kill hit each rule.
    """
    done, started = Counter(), 0
    while sum(done.values()) < kills:
        paper = Paper.copied(folder / f"killed-{started}")
        started += 1
        while (status := _kill_once(paper, done, dice)) is None:
            pass
        _check(paper, undisturbed, status)
        shutil.rmtree(paper.folder)
    return done


def _kill_once(paper: Paper, done: Counter, dice: random.Random) -> int | None:
    """Start a run and kill it; return its exit status if it ended before that."""
    run = paper.start()
    if not faults.at_some_step(paper, run, dice):
        return run.wait()
    rules = sorted({faults.step(step) or "" for step in faults.steps(run)} - {""})
    kind = dice.choice(["run", "step", "all"])
    if kind == "run":
        faults.kill_run(run)
    elif kind == "all":
        faults.kill_all(run)
    else:
        faults.kill_step(run, dice)
    done.update({(kind, " and ".join(rules) or "between steps"): 1})
    return None


def damaged(folder: Path, undisturbed: dict[str, str], dice: random.Random) -> Counter:
    """Damage every artifact of a finished build in every way, some at a time, and build again.

    The record of the machine is damaged each time.

    Returns:
        How often each damage was done.
    """
    done = Counter()
    paper = Paper(folder)
    for damage in faults.DAMAGES:
        left = paper.artifacts()
        dice.shuffle(left)
        while left:
            some, left = left[:DISTURBED_AT_ONCE], left[DISTURBED_AT_ONCE:]
            for path in (*some, paper.results / machine.RECORD):
                damage(path, dice)
                done[damage.__name__] += 1
            _check(paper, undisturbed, paper.build())
            artifacts.checked(paper.results / machine.RECORD)
    return done


def refused_disks(folder: Path, undisturbed: Paper, disks: int, dice: random.Random) -> Counter:
    """Build on a disk that gets full, or read-only, at a random moment, and then on a good one.

    Returns:
        How often each of the two happened; a run may have ended before its disk was read-only.
    """
    done = Counter()
    needed = sum(path.stat().st_size for path in undisturbed.artifacts())
    for number in range(disks):
        paper = Paper.copied(folder / f"disk-{number}")
        size = int(needed * dice.uniform(0.05, 0.95))
        with faults.mounted(paper.results, f"size={size}"):
            _check_refused(paper, paper.build(), "no space left on device")
            done["full"] += 1
            faults.remount(paper.results, f"size={4 * needed}")
            run = paper.start()
            if faults.at_some_step(paper, run, dice):
                faults.remount(paper.results, "ro")
                _check_refused(paper, run.wait(), "read-only file system")
                done["read-only"] += 1
                faults.remount(paper.results, "rw")
            _check(paper, undisturbed.hashes(), paper.build())
        shutil.rmtree(paper.folder)
    return done


def _check_refused(paper: Paper, status: int, what: str) -> None:
    said = paper.shown()
    if not status or what not in said.lower() or "Traceback" in said:
        sys.exit(f"{said}\nerror: exit status {status}; it should say: {what}")


def _check(paper: Paper, undisturbed: dict[str, str], status: int) -> None:
    found = paper.hashes()
    wrong = [name for name in undisturbed | found if undisturbed.get(name) != found.get(name)]
    if status or wrong or "Traceback" in paper.shown():
        sys.exit(f"{paper.shown()}\nerror: exit status {status}; not as undisturbed: {wrong}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--disks", type=int, default=5, help="as root alone; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        folder = Path(name)
        paper = Paper.copied(folder / "undisturbed")
        if paper.build():
            sys.exit(paper.shown())
        undisturbed = paper.hashes()
        kills = killed(folder, undisturbed, chosen.kills, dice)
        print(
            f"{sum(kills.values())} kills, each followed by a run; every paper the same in the end"
        )
        for (kind, rules), count in sorted(kills.items()):
            print(f"  {count:3}  {kind:4}  during {rules}")
        disks = refused_disks(folder, paper, chosen.disks, dice)
        print(", ".join(f"{count} {kind} disks" for kind, count in disks.items()))
        damages = damaged(paper.folder, undisturbed, dice)
        print(f"{sum(damages.values())} damages done; all of {RESULTS} the same in the end")
        for kind, count in sorted(damages.items()):
            print(f"  {count:3}  {kind}")


if __name__ == "__main__":
    main()
