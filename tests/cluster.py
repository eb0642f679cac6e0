"""The small paper on a SLURM cluster of two nodes, one of which is lost on the way; compared with
one that is built without a cluster.

make test TESTS=tests/cluster.py
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from repository import RESULTS, ROOT, SMOKE, copy_of_the_repository

from pixelspace import runtime
from pixelspace.artifacts import file_hash

SNAKEMAKE = [sys.executable, "-m", "snakemake", "--configfile", SMOKE]
# What the profile would not say of a cluster of one's own: that nobody else waits, that files are
# seen at once, and that there is no database of jobs.
SMALL_CLUSTER = [
    *("--slurm-init-seconds-before-status-checks", "3"),
    *("--latency-wait", "5"),
    *("--slurm-status-command", "squeue"),
]
TRAINING = "rule_train_network_wildcards_mnist_0"
PATIENCE = 300
"""Seconds to wait for what takes a minute on a machine that does nothing else."""


@dataclass(frozen=True)
class Job:
    """What SLURM remembers of a job."""

    number: int
    state: str
    node: str
    memory: str
    comment: str


@dataclass(frozen=True)
class Build:
    """A build on the cluster, and what was seen of it."""

    results: Path
    terminal: list[str]
    jobs: list[Job]
    lost_node: str
    environment: dict[str, str]


class Cluster:
    def __init__(self, folder: Path):
        self.folder = folder
        own = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "KEPT_BACK": "1"}
        self.environment = os.environ | own
        self.environment.pop("PYTHONPATH")

    def tool(self, command: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [ROOT / "tools/slurm", command, self.folder, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def jobs(self) -> list[Job]:
        """All jobs that there were, in the order of their numbers."""
        listing = subprocess.run(
            ["squeue", "--noheader", "--states=all", "--format=%i|%T|%N|%m|%k"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        rows = [line.split("|") for line in listing.splitlines()]
        return sorted((Job(int(row[0]), *row[1:]) for row in rows), key=lambda job: job.number)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("slurm") / "cluster")
    up = cluster.tool("up")
    if up.returncode != 0:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"SLURM does not run: {up.stdout}")
    yield cluster
    assert cluster.tool("down").returncode == 0


def trainer(folder: Path) -> Path | None:
    """The process that trains a network for the paper in ``folder``, once TensorFlow is at work."""
    log = folder / RESULTS / "logs/train_network/mnist-0.log"
    if not (log.is_file() and log.stat().st_size):
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            opened = (os.readlink(file) for file in (process / "fd").iterdir())
            if b"train_network.py" in command and str(log) in opened:
                return process
    return None


def awaited(what: str, look: Callable, running: subprocess.Popen, terminal: Path):
    """What ``look`` finds, as soon as it finds something, while the build is ``running``."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and running.poll() is None:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"no sign of {what}; the build shows:\n{terminal.read_text()}")


@pytest.fixture(scope="module")
def built(cluster, tmp_path_factory):
    """A build during which the node is lost that trains the network of digits."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("built") / "paper")
    terminal = folder / "terminal.txt"
    command = [*SNAKEMAKE, "--profile", "profiles/slurm", *SMALL_CLUSTER]

    def trained_again() -> bool:
        own = [job for job in cluster.jobs() if job.comment == TRAINING]
        return len(own) > 1 and own[-1].state == "RUNNING"

    with (
        terminal.open("w") as stream,
        subprocess.Popen(
            command, cwd=folder, env=cluster.environment, stdout=stream, stderr=subprocess.STDOUT
        ) as running,
    ):
        try:
            process = awaited("the training", lambda: trainer(folder), running, terminal)
            variables = (process / "environ").read_text().split("\0")
            environment = dict(each.split("=", 1) for each in variables if each)
            node = Path(environment["PIXELSPACE_NODE"]).name
            assert cluster.tool("kill", node).returncode == 0
            awaited("another attempt", trained_again, running, terminal)
            assert cluster.tool("start", node).returncode == 0
            running.wait()
        finally:
            running.kill()
    assert running.returncode == 0, terminal.read_text()
    lines = terminal.read_text().splitlines()
    return Build(folder / RESULTS, lines, cluster.jobs(), node, environment)


def test_a_job_whose_node_was_lost_is_run_again_on_the_other_with_more_memory(built):
    (other,) = {"n1", "n2"} - {built.lost_node}
    runs = [(job.state, job.node, job.memory) for job in built.jobs if job.comment == TRAINING]
    assert runs == [("NODE_FAIL", built.lost_node, "3000M"), ("COMPLETED", other, "6000M")]
    # Of another job there the death may be noticed before that of the node.
    lost = [job for job in built.jobs if job.state != "COMPLETED"]
    assert {job.node for job in lost} == {built.lost_node}
    assert {job.state for job in lost} <= {"NODE_FAIL", "FAILED"}


def test_the_node_that_was_lost_works_again_once_it_is_back(built):
    failed = max(job.number for job in built.jobs if job.state == "NODE_FAIL")
    assert built.lost_node in {job.node for job in built.jobs if job.number > failed}


def test_short_steps_share_a_job_or_need_none(built):
    kinds = ("make_dataset", "train_network", "compute_points", "measure", "projections")
    counts = {kind: sum(f"rule_{kind}_" in job.comment for job in built.jobs) for kind in kinds}
    assert sum(counts.values()) == len(built.jobs)
    assert counts["projections"] < sum(" left  project: " in line for line in built.terminal) / 2


def test_what_fixes_the_bytes_reaches_a_job_although_the_cluster_keeps_it_back(built):
    assert "KEPT_BACK" not in built.environment
    wanted = runtime.environment(gpu=False)
    assert wanted == {name: built.environment.get(name) for name in wanted}


def test_the_terminal_shows_a_line_for_each_step_and_for_each_loss_why(built):
    steps = [line for line in built.terminal if re.match(r"\[ *\d+/\d+\] .* left  \w+: ", line)]
    lost = [line for line in built.terminal if " left  FAILED  " in line]
    reasons = [line for line in built.terminal if "failed due to a node failure" in line]
    assert len(steps) == int(re.match(r"\[ *\d+/(\d+)\]", steps[0])[1])
    assert len(lost) >= len(reasons) == sum(job.state == "NODE_FAIL" for job in built.jobs)


def hashes(results: Path) -> dict[str, str]:
    """The hashes of all artifacts that must be the same wherever they are built."""
    files = (path.relative_to(results) for path in results.rglob("*") if path.is_file())
    return {
        str(file): file_hash(results / file)
        for file in files
        if file.parts[0] not in ("logs", "machine")
        # What a job was writing when its node was lost.
        and not any(part[0] == "." and part != ".sha256" for part in file.parts)
    }


def test_every_artifact_is_byte_for_byte_that_of_a_local_build(built, small_paper):
    local, remote = hashes(small_paper / RESULTS), hashes(built.results)
    assert "paper.pdf" in remote
    assert remote == {name: local.get(name) for name in remote}
