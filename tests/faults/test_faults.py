"""The short form of the campaign: on the letters alone, whose steps are of every kind but one."""

import dataclasses
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest
from repository import RESULTS, ROOT
from test_report import DOCUMENT, compiled, needs_tex

from pixelspace import artifacts, machine
from pixelspace.errors import UserError

from . import paper as faults
from .paper import Paper

LETTERS = [f"{RESULTS}/figures/efl-{name}.pdf" for name in ("weights", "diagram", "training")]
TARGETS = " ".join([*LETTERS, f"{RESULTS}/sweeps/noise_and_starts.csv"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Paper:
    """A build to which nothing happened. Tests leave it as they found it."""
    paper = Paper.copied(tmp_path_factory.mktemp("undisturbed") / "paper", TARGETS)
    assert paper.build() == 0, paper.shown()
    return paper


@pytest.fixture
def paper(tmp_path) -> Paper:
    return Paper.copied(tmp_path / "paper", TARGETS)


@pytest.fixture
def copy(undisturbed, tmp_path) -> Paper:
    """A finished build to damage."""
    paper = Paper.copied(tmp_path / "paper", TARGETS)
    for name in (RESULTS, ".snakemake"):
        shutil.copytree(undisturbed.folder / name, paper.folder / name, symlinks=True)
    return paper


def assert_recovers(paper: Paper, undisturbed: Paper) -> None:
    """What `make paper` makes of what it finds is what it makes of nothing."""
    assert paper.build() == 0, paper.shown()
    assert "Traceback" not in paper.shown()
    assert paper.hashes() == undisturbed.hashes()


def test_runs_that_are_killed_are_taken_up_again(paper, undisturbed):
    dice = random.Random(6)
    kills = [
        faults.kill_run,
        faults.kill_tree,
        lambda run: faults.kill_step(run, dice),
        faults.kill_run,
    ]
    for kill in kills:
        run = paper.start()
        # The next run begins at once, while orphans of this one may be at work.
        if faults.at_some_step(paper, run, dice):
            kill(run)
        assert "Traceback" not in paper.shown()
    assert_recovers(paper, undisturbed)


def test_a_step_ends_with_the_run_that_started_it(paper):
    run = paper.start()
    training = faults.wait_until(
        lambda: next((p for p in faults.steps(run) if faults.step(p) == "train_network"), None), run
    )
    faults.kill_run(run)
    training.wait(timeout=30)


def test_an_interrupted_run_ends_at_once_with_all_its_steps(paper, undisturbed):
    for number in (signal.SIGINT, signal.SIGTERM):
        run = paper.start()
        faults.wait_until(lambda run=run: faults.steps(run), run)
        faults.stop(run, number)
        assert "what was finished is kept" in paper.shown()
    assert_recovers(paper, undisturbed)


def test_a_second_run_is_refused_and_names_the_first(paper, undisturbed):
    run = paper.start()
    faults.wait_until(lambda: faults.steps(run), run)
    number = faults.snakemake(run).pid
    second = dataclasses.replace(paper, screen="second.txt")
    assert second.build() != 0
    errors = [line for line in second.shown().splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert f"process {number} on" in errors[0]
    assert run.wait() == 0, paper.shown()
    assert paper.hashes() == undisturbed.hashes()


def test_every_damage_to_every_artifact_is_noticed(copy):
    dice = random.Random(7)
    without_record = set(artifacts.damaged(copy.results))
    assert {path.relative_to(copy.results).parts[0] for path in without_record} <= {"logs"}
    for path in copy.artifacts():
        content = path.read_bytes()
        for damage in faults.DAMAGES:
            damage(path, dice)
            assert set(artifacts.damaged(copy.results)) - without_record == {path}, damage
            path.write_bytes(content)


def test_what_is_damaged_or_gone_is_made_again(copy, undisturbed):
    dice = random.Random(8)
    for path in copy.artifacts():
        dice.choice([*faults.DAMAGES, lambda path, dice: path.unlink()])(path, dice)
    faults.truncate(copy.results / machine.RECORD, dice)
    shutil.rmtree(copy.results / "figures/.sha256")
    assert_recovers(copy, undisturbed)
    assert artifacts.read_json(copy.results / machine.RECORD)["isa"] == "AVX2"


def test_what_is_damaged_in_a_folder_that_is_a_link_is_made_again(copy, undisturbed):
    elsewhere = copy.folder / "elsewhere"
    (copy.results / "efl").rename(elsewhere)
    (copy.results / "efl").symlink_to(elsewhere)
    faults.truncate(elsewhere / "dataset.h5", random.Random(12))
    assert copy.build() == 0, copy.shown()
    (copy.results / "efl").unlink()
    elsewhere.rename(copy.results / "efl")
    assert copy.hashes() == undisturbed.hashes()


def test_a_folder_in_the_place_of_an_artifact_is_named(copy):
    file = copy.results / "figures/efl-weights.txt"
    file.unlink()
    (file / "of a user").mkdir(parents=True)
    assert copy.build() != 0
    one_line_says(copy, f"error: {file.relative_to(copy.folder)}: a folder")


def test_networks_of_a_sweep_that_are_damaged_alone_are_made_again(copy, undisturbed):
    first, second, *_ = sorted((copy.results / "points").glob("*.json"))
    faults.truncate(first, random.Random(11))
    second.unlink()
    assert_recovers(copy, undisturbed)


def test_a_plan_counts_what_is_damaged_and_changes_nothing(copy):
    damaged = copy.results / "efl/dataset.h5"
    faults.truncate(damaged, random.Random(9))
    before = copy.hashes()
    assert copy.build("--dry-run") == 0
    assert "make_dataset: make the images of efl" in copy.shown()
    assert copy.hashes() == before


def test_a_run_asks_for_nothing_that_was_not_asked_for(copy):
    faults.empty(copy.results / "efl/dataset.h5", random.Random(10))
    (copy.results / "efl/training.json").write_text("a file of the user")
    copy.targets = f"{RESULTS}/config.json"
    assert copy.build() == 0, copy.shown()
    assert "1/1]" in copy.shown()
    assert (copy.results / "efl/training.json").read_text() == "a file of the user"


@pytest.mark.parametrize("as_it_was", [True, False], ids=["moved", "copied"])
def test_a_finished_folder_may_be_moved_or_copied(copy, undisturbed, as_it_was, tmp_path):
    moved = dataclasses.replace(copy, folder=tmp_path / "elsewhere")
    if as_it_was:
        copy.folder.rename(moved.folder)
    else:
        shutil.copytree(copy.folder, moved.folder, symlinks=True, copy_function=shutil.copyfile)
        for script in [*moved.folder.glob("tools/*")]:
            script.chmod(0o755)
    assert_recovers(moved, undisturbed)
    if as_it_was:
        assert "Nothing to be done" in moved.shown()


as_root = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="only root may mount file systems"
)


def one_line_says(paper: Paper, what: str) -> None:
    assert not faults.traceback(paper)
    assert what in paper.shown().lower()


@as_root
def test_a_full_disk_is_named_and_nothing_is_lost(paper, undisturbed):
    needed = sum(path.stat().st_size for path in undisturbed.artifacts())
    with faults.mounted(paper.results, f"size={needed // 3}"):
        assert paper.build() != 0
        one_line_says(paper, "no space left on device")
        assert not list(paper.results.rglob(f"{artifacts.UNFINISHED}*"))
        faults.remount(paper.results, f"size={4 * needed}")
        assert_recovers(paper, undisturbed)


@as_root
def test_a_full_disk_with_the_whole_project_is_named_and_nothing_is_lost(undisturbed, tmp_path):
    with faults.mounted(tmp_path / "disk", "size=100m"):
        paper = Paper.copied(tmp_path / "disk/paper", f"{RESULTS}/efl/dataset.h5")
        paper.screen = str(tmp_path / "terminal.txt")
        used = shutil.disk_usage(paper.folder).used
        # Enough to begin: Snakemake's own log and records do not fit either.
        faults.remount(tmp_path / "disk", f"size={used + (16 << 10)}")
        assert paper.build() != 0
        one_line_says(paper, "no space left on device")
        faults.remount(tmp_path / "disk", "size=100m")
        assert paper.build() == 0, paper.shown()
        assert not faults.traceback(paper)
        assert paper.hashes().items() <= undisturbed.hashes().items()


@as_root
def test_a_full_disk_is_named_by_the_report(copy, tmp_path):
    # Only what is drawn: the tables would have to be there, too.
    copy.targets = LETTERS[0]
    with faults.mounted(tmp_path / "disk", "size=8k"):
        assert copy.build("--report", str(tmp_path / "disk/report.html")) != 0
        one_line_says(copy, "no space left on device")


@as_root
@needs_tex
def test_a_full_disk_is_named_where_tex_is_at_work(tmp_path, monkeypatch):
    with faults.mounted(tmp_path / "disk", "size=20k"):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "disk"))
        with pytest.raises(UserError, match="no space left on device"):
            compiled(tmp_path / "paper", DOCUMENT.format("Hello"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
def test_a_step_whose_log_is_on_the_full_disk_too_tells_the_terminal(tmp_path):
    log = tmp_path / "log"
    log.symlink_to("/dev/full")
    code = f"""
from pixelspace import runtime
with runtime.job({str(log)!r}):
    open("/dev/full", "w", buffering=1).write("an artifact" * 999)
"""
    step = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert step.returncode != 0
    assert "error: no space left on device" in step.stderr.splitlines()


@as_root
def test_a_folder_that_cannot_be_written_to_is_named(paper):
    with faults.mounted(paper.results, "size=1m,ro"):
        assert paper.build() != 0
        one_line_says(paper, "read-only file system")


def test_a_step_that_lacks_memory_says_so_and_the_others_go_on(paper, undisturbed):
    run = paper.start("--keep-going")
    training = faults.wait_until(
        lambda: next((p for p in faults.steps(run) if faults.step(p) == "train_network"), None), run
    )
    training.rlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
    assert run.wait() != 0
    # The second, where what lacks memory ends the step before Python can say so.
    lines = {line.strip() for line in paper.shown().splitlines()}
    assert lines & {
        "error: there is not enough memory for this step",
        "it was killed, as steps are that need more memory than there is",
    }
    assert len(list(paper.results.glob("efl/*/training.json"))) == 1
    assert (paper.results / "sweeps/noise_and_starts.csv").is_file()
    assert_recovers(paper, undisturbed)


@as_root
def test_a_folder_that_becomes_read_only_is_named_and_nothing_is_lost(paper, undisturbed):
    run = paper.start()
    faults.wait_until(lambda: faults.steps(run), run)
    with faults.read_only(paper.results):
        assert run.wait() != 0
    one_line_says(paper, "read-only file system")
    assert_recovers(paper, undisturbed)
