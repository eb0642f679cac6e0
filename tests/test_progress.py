"""What a user sees in the terminal, in a small workflow of its own."""

import io
import logging
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SNAKEFILE = """
import sys
sys.path.insert(0, {root!r})
from workflow.progress import install
install(workflow, "results/logs/snakemake.log")

if config.get("mistake"):
    sys.exit("error: config.yaml: size: must be positive")

rule all:
    default_target: True
    input: "results/one.txt", "results/two.txt"

rule make_one:
    output: "results/one.txt"
    log: "results/logs/one.log"
    message: "make the first"
    shell: "echo chatter > {{log}}; touch {{output}}"

rule make_two:
    input: "results/one.txt"
    output: "results/{{name}}.txt"
    wildcard_constraints: name="two"
    log: "results/logs/{{name}}.log"
    script: "two.py"

rule forget:
    output: "results/forgotten.txt"
    log: "results/logs/forgotten.log"
    shell: "true"

rule warn:
    output: "results/warned.txt"
    log: "results/logs/warn.log"
    shell: "echo chatter > {{log}}; echo warning: mind this >> {{log}}; touch {{output}}"

rule judge:
    log: "results/logs/judge.log"
    shell: "echo two is not one > {{log}}; exit 3"
"""

GOOD = "open(snakemake.output[0], 'w').close()"
BAD = """
with open(snakemake.log[0], 'w') as log:
    print(*(f'line {i}' for i in range(100)), sep='\\n', file=log)
sys.exit(1)
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(root=str(ROOT)))
    (tmp_path / "two.py").write_text(GOOD)

    def run(*arguments: str) -> tuple[int, list[str]]:
        """Return the exit status of Snakemake and the lines that it prints."""
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout.splitlines()

    return run


def test_a_run_shows_one_line_per_step_and_a_second_one_that_there_is_nothing_to_do(run, tmp_path):
    status, lines = run()
    assert status == 0
    assert [re.sub(r"\d+\.\d s", "# s", line) for line in lines] == [
        "[1/2]    # s 1 left  make_one: make the first",
        "[2/2]    # s 0 left  make_two: two",
    ]
    full = (tmp_path / "results/logs/snakemake.log").read_text()
    assert "Job stats" in full
    assert "Finished jobid" in full

    status, lines = run()
    assert status == 0
    assert len(lines) == 1
    assert lines[0].startswith("Nothing to be done")


def test_a_plan_shows_one_line_per_step_with_its_reason(run, tmp_path):
    status, lines = run("--dry-run")
    assert status == 0
    assert lines[0] == "make_one: make the first  (Missing output files: results/one.txt)"
    assert lines[1].startswith("make_two: two  (")
    assert lines[2:] == ["2 steps would run"]
    assert not (tmp_path / "results/logs/snakemake.log").exists()


def test_a_failing_step_shows_the_end_of_its_log_and_nothing_else(run, tmp_path):
    (tmp_path / "two.py").write_text("import sys" + BAD)
    status, lines = run()
    assert status == 1
    assert lines[0].endswith("make_one: make the first")
    assert re.fullmatch(r"\[1/2\] +\d+\.\d s 1 left  FAILED  make_two: two", lines[1])
    assert lines[2] == "the end of results/logs/two.log:"
    assert lines[3:] == [f"    line {i}" for i in range(85, 100)]


def test_a_step_that_fails_without_a_word_in_its_log_shows_the_cause(run, tmp_path):
    (tmp_path / "two.py").write_text("raise ValueError('no such thing')")
    status, lines = run()
    assert status == 1
    assert any("ValueError: no such thing" in line for line in lines)
    assert any("non-zero exit status 1" in line for line in lines)


def test_a_step_that_is_killed_says_so(run, tmp_path):
    (tmp_path / "two.py").write_text("import os; os.kill(os.getpid(), 9)")
    code, lines = run()
    assert code != 0
    assert lines[-1] == "    it was killed, as steps are that need more memory than there is"


def test_an_output_that_a_step_forgets_is_named(run):
    status, lines = run("results/forgotten.txt", "--latency-wait", "0")
    assert status == 1
    assert lines[0].startswith("MissingOutputException in rule forget")
    assert any("results/forgotten.txt" in line for line in lines[1:])


def test_what_a_step_warns_of_is_shown(run):
    status, lines = run("results/warned.txt")
    assert status == 0
    assert lines[1:] == ["    warning: mind this"]


def test_a_step_without_output_is_a_step(run):
    status, lines = run("judge")
    assert status == 1
    assert lines[0].endswith("FAILED  judge")
    assert lines[1:] == ["the end of results/logs/judge.log:", "    two is not one"]


def test_a_mistake_in_the_configuration_is_one_line(run):
    status, lines = run("--config", "mistake=1")
    assert status == 1
    assert lines == ["error: config.yaml: size: must be positive"]


def test_who_asks_for_quiet_gets_it(run):
    status, lines = run("--quiet", "all")
    assert status == 0
    assert lines == []


def test_a_clusters_job_of_several_steps_that_fails_shows_the_end_of_its_log(tmp_path):
    """Made up, as only tests/cluster.py has a cluster."""
    log = tmp_path / "7.log"
    log.write_text("chatter\nout of memory\n")
    terminal = logging.StreamHandler(io.StringIO())
    progress = runpy.run_path(str(ROOT / "workflow/progress.py"))["Progress"]
    shown = progress(None, terminal, "unused.log")
    shown.emit(logging.makeLogRecord({"event": "group_error", "aux_logs": [str(log)]}))
    assert terminal.stream.getvalue().splitlines() == [
        f"the end of {log}:",
        "    chatter",
        "    out of memory",
    ]
