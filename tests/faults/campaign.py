"""The long form of the campaign, on all that is built small, and the short one: `make faults`.

Prints what is done as it goes on, and then how often what was done to which rule; fails if a build
after a fault is not byte for byte the undisturbed one, or no kill hit some rule. Rules are all that
make the paper, any figure, or what there is for readers: not `pack_archive`, which needs all to be
committed, and `claims`, which makes nothing.

  python -m faults.campaign [--kills 50] [--signals 10] [--disks 5] [--seed 1]
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pixelspace import artifacts, machine
from pixelspace.files import file_hash

from . import paper as faults
from .paper import Paper

KILLS = ("run", "step", "tree")
SIGNALS = ("SIGINT", "SIGTERM")

AIMED = 10
"""How many papers are begun at most to hit the rules that no random kill has hit."""

TARGETS, GOAL = "readers figures", "readers"
"""What make is asked for, whose goal makes Snakemake's report, too."""

PARTS = 3
"""What is damaged together is as much of the artifacts, in the order in which they were made.

Each artifact for itself would take days; all at once, nothing sound would stand beside the damaged.
"""

STARTED = time.monotonic()


def say(line: str) -> None:
    print(f"{(time.monotonic() - STARTED) / 60:6.1f} min  {line}", flush=True)


class Ends:
    """How runs of a paper are to end before their time, and which rules were at work then."""

    def __init__(self, rules: set[str], kills: int, signals: int, dice: random.Random):
        self.rules = rules
        self.left = [KILLS[number % len(KILLS)] for number in range(kills)]
        self.left += [SIGNALS[number % len(SIGNALS)] for number in range(signals)]
        dice.shuffle(self.left)
        self.done: Counter[str] = Counter()
        self.hits: Counter[tuple[str, str]] = Counter()

    def unhit(self) -> set[str]:
        """The rules of which no step was killed."""
        return self.rules - {rule for rule, kind in self.hits if kind in KILLS}

    def count(self, kind: str, rules: Sequence[str]) -> None:
        self.left = self.left[:-1]
        self.done[kind] += 1
        self.hits.update((rule, kind) for rule in rules)
        at_work = " and ".join(rules) or "no step"
        say(f"{self.done.total()}: {kind}, {at_work} at work; {len(self.unhit())} rules not killed")

    def report(self) -> Iterator[str]:
        yield ", ".join(f"{count} of {kind}" for kind, count in sorted(self.done.items()))
        for rule in sorted(self.rules):
            kinds = ((kind, self.hits[rule, kind]) for kind in (*KILLS, *SIGNALS))
            yield f"  {rule:20}  {', '.join(f'{count} {kind}' for kind, count in kinds if count)}"


def ended(folder: Path, undisturbed: Paper, ends: Ends, dice: random.Random) -> None:
    """End runs at random moments, and then at steps of the rules that were not hit by then.

    Each is taken up by the next, and each paper is in the end as if nothing had happened.
    """
    aimed = number = 0
    while ends.left or (ends.unhit() and aimed < AIMED):
        aimed += not ends.left
        number += 1
        paper = Paper.copied(folder / f"ended-{number}", TARGETS, GOAL)
        while (status := _end_once(paper, ends, dice)) is None:
            pass
        _check(paper, undisturbed.hashes(), status)
        say(f"paper {number} is the same as the undisturbed")
        shutil.rmtree(paper.folder)
    if ends.unhit():
        sys.exit(f"error: no step of these rules was killed: {', '.join(sorted(ends.unhit()))}")


def _end_once(paper: Paper, ends: Ends, dice: random.Random) -> int | None:
    """Start a run and end it; return its exit status if it came to its end before that."""
    run = paper.start()
    wanted = set() if ends.left else ends.unhit()
    if wanted:
        _at_a_step_of(wanted, run)
    elif ends.left:
        faults.at_some_step(paper, run, dice)
    else:
        run.wait()
    if run.poll() is not None:
        return run.returncode
    at_work = {faults.step(process) or "" for process in faults.steps(run)} - {""}
    kind = ends.left[-1] if ends.left else dice.choice(KILLS)
    if kind == "step":
        killed = faults.kill_step(run, dice, wanted)
        if not killed:
            return run.returncode
        at_work = {killed}
    elif kind == "run":
        faults.kill_run(run)
    elif kind == "tree":
        faults.kill_tree(run)
    else:
        faults.stop(run, signal.Signals[kind])
    if kind != "step" and faults.traceback(paper):
        sys.exit(f"{paper.shown()}\nerror: a traceback after {kind}")
    ends.count(kind, sorted(at_work))
    return None


def _at_a_step_of(rules: set[str], run: subprocess.Popen) -> None:
    """Wait until a step of some rules is at work, or for the end of the run.

    The shortest steps, which run in forks, are over a third of a second later.
    """
    faults.wait_until(
        lambda: any(faults.step(process) in rules for process in faults.steps(run)), run, poll=0.01
    )


def refused_disks(folder: Path, undisturbed: Paper, disks: int, dice: random.Random) -> Counter:
    """Build on a disk that gets full, and then read-only, at random moments; at last on a good one.

    Returns:
        How often each of the two happened; less often than is wanted if the paper is done by then.
    """
    done: Counter[str] = Counter()
    paper = Paper.copied(folder / "disk", TARGETS, GOAL)
    built = [path for path in undisturbed.results.rglob("*") if path.is_file()]
    needed = sum(512 * path.stat().st_blocks for path in built)
    with faults.mounted(paper.results, f"size={needed}"):
        for left in range(disks, 0, -1):
            used = shutil.disk_usage(paper.results).used
            size = used + int((needed - used) * dice.uniform(0.1, 0.9) / left)
            faults.remount(paper.results, f"size={size}")
            _check_refused(paper, paper.build(), "no space left on device")
            done["full"] += 1
            faults.remount(paper.results, f"size={4 * needed}")
            run = paper.start()
            if not faults.at_some_step(paper, run, dice):
                break
            with faults.read_only(paper.results):
                _check_refused(paper, run.wait(), "read-only file system")
            done["read-only"] += 1
            say(f"disks: {done['full']} full, {done['read-only']} read-only")
        _check(paper, undisturbed.hashes(), paper.build())
    say("the paper on these disks is the same as the undisturbed")
    shutil.rmtree(paper.folder)
    return done


def damaged(paper: Paper, dice: random.Random) -> Counter:
    """Damage all that is built, in every way, a part at a time; build again.

    The record of the machine, and Snakemake's report, are damaged each time.

    Returns:
        How often each damage was done.
    """
    done: Counter[str] = Counter()
    undisturbed = paper.hashes()
    report = paper.results / faults.REPORT
    made = sorted(paper.artifacts(), key=lambda path: path.stat().st_mtime_ns)
    for damage in faults.DAMAGES:
        for part in range(PARTS):
            some = made[part * len(made) // PARTS : (part + 1) * len(made) // PARTS]
            some += [paper.results / machine.RECORD, report]
            for path in some:
                damage(path, dice)
            broken = file_hash(report)
            _check(paper, undisturbed, paper.build())
            artifacts.checked(paper.results / machine.RECORD)
            if file_hash(report) == broken:
                sys.exit(f"error: {report} is not made again")
            done[damage.__name__] += len(some)
            say(f"{done.total()} damages, the last {len(some)} by {damage.__name__}")
    return done


def _check_refused(paper: Paper, status: int, what: str) -> None:
    said = paper.shown()
    if not status or what not in said.lower() or faults.traceback(paper):
        sys.exit(f"{said}\nerror: exit status {status}; it should say: {what}")


def _check(paper: Paper, undisturbed: dict[str, str], status: int) -> None:
    found = paper.hashes()
    wrong = [name for name in undisturbed | found if undisturbed.get(name) != found.get(name)]
    if status or wrong or faults.traceback(paper):
        sys.exit(f"{paper.shown()}\nerror: exit status {status}; not as undisturbed: {wrong}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--signals", type=int, default=10)
    parser.add_argument("--disks", type=int, default=5, help="none but as root")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    dice = random.Random(chosen.seed)
    if chosen.disks and os.geteuid() != 0:
        chosen.disks = 0
        say("no disks, which only root may mount")
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        folder = Path(name)
        paper = Paper.copied(folder / "undisturbed", TARGETS, GOAL)
        if paper.build():
            sys.exit(paper.shown())
        ends = Ends(paper.rules(), chosen.kills, chosen.signals, dice)
        say(f"the undisturbed paper is built, by {len(ends.rules)} rules")
        ended(folder, paper, ends, dice)
        disks = Counter()
        if chosen.disks:
            disks = refused_disks(folder, paper, chosen.disks, dice)
        damages = damaged(paper, dice)
    say("the short form, of two runs at once, moved and copied folders, a lack of memory and more:")
    tests = subprocess.run([sys.executable, "-m", "pytest", "-vv", Path(__file__).parent])
    print("every paper was the same in the end; so many of its runs were ended before their time:")
    print(*ends.report(), sep="\n")
    print(", ".join(f"{count} {kind} disks" for kind, count in disks.items()))
    print(f"{damages.total()} damages, all the same in the end: {dict(damages)}")
    sys.exit(tests.returncode)


if __name__ == "__main__":
    main()
