"""Short steps run in forks: apart from one another, and with the status that they end with."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from repository import ROOT

sys.path.append(str(ROOT / "workflow"))
from warm import Forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="steps are forked on Linux alone")

SNAKEFILE = """
import sys
sys.path.insert(0, {workflow!r})
import warm
warm.install(workflow)
localrules: short
rule all:
    default_target: True
    input: "short", "long"
rule short:
    output: "short"
    script: "step.py"
rule long:
    output: "long"
    script: "step.py"
"""

STEP = """
import sys
with open(snakemake.output[0], "w") as file:
    file.write(str("matplotlib.figure" in sys.modules))
"""


@pytest.fixture
def script(tmp_path):
    """A function that writes a script and returns its path."""

    def written(text: str, name: str = "script.py") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return written


def test_a_script_sees_nothing_of_another(tmp_path, script, monkeypatch):
    text = """
import json, os, sys, tempfile
seen = [getattr(json, "left", 0), "OWN" in os.environ, os.environ["GIVEN"], __name__, sys.argv]
json.left, os.environ["OWN"] = 1, "1"
print(json.dumps([*seen, tempfile.gettempdir()]), file=open(sys.argv[0] + ".out", "a"))
"""
    path = script(text)
    forks = Forks()
    for given in "first", "second":
        monkeypatch.setenv("GIVEN", given)  # after what is forked has begun
        forks.run(path, str(tmp_path))
    seen = [json.loads(line) for line in Path(f"{path}.out").read_text().splitlines()]
    assert seen == [
        [0, False, given, "__main__", [path], str(tmp_path)] for given in ("first", "second")
    ]


NOTED = """
import os, sys
from matplotlib import rcParams
seen = [os.getpid(), os.environ["GIVEN"], "OWN" in os.environ, "own" in sys.path]
print(*seen, rcParams["lines.linewidth"], file=open(sys.argv[0] + ".out", "a"))
os.environ["OWN"] = "1"
rcParams["lines.linewidth"] = 99
sys.path.append("own")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
"""


def test_what_has_run_a_drawing_runs_the_next(tmp_path, script, monkeypatch, capfd):
    path, saying = script(NOTED), script("print('said')", "saying.py")
    forks = Forks()
    for given in "first", "second":
        monkeypatch.setenv("GIVEN", given)
        forks.run(path, str(tmp_path), again=True)
    forks.run(saying, str(tmp_path), again=True)
    forks.run(path, str(tmp_path))
    noted = [line.split(maxsplit=1) for line in Path(f"{path}.out").read_text().splitlines()]
    (first, one), (second, two), (other, _) = noted
    assert first == second != other
    assert [one, two] == [f"{given} False False 1.5" for given in ("first", "second")]
    assert capfd.readouterr().out == "said\n"


@pytest.mark.parametrize("ending", ["raise ValueError", "import os; os.kill(os.getpid(), 9)"])
def test_what_has_failed_or_ended_runs_nothing_more(tmp_path, script, ending):
    path = script("import os; print(os.getpid(), file=open('{}', 'a'))".format(tmp_path / "pids"))
    forks = Forks()
    forks.run(path, str(tmp_path), again=True)
    with pytest.raises(subprocess.CalledProcessError):
        forks.run(script(ending, "ending.py"), str(tmp_path), again=True)
    forks.run(path, str(tmp_path), again=True)
    first, second = map(int, (tmp_path / "pids").read_text().split())
    assert first != second
    os.kill(second, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(second):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    forks.run(path, str(tmp_path), again=True)


def test_figures_that_pyplot_keeps_are_not_the_next_drawing_s(tmp_path, script):
    path = script(f"""
import os
from matplotlib import pyplot
pyplot.plot([0, 1])
print(len(pyplot.gca().lines), os.getcwd(), file=open({str(tmp_path / "out")!r}, "a"))
os.chdir("/")
""")
    forks = Forks()
    for _ in range(3):
        forks.run(path, str(tmp_path), again=True)
    assert (tmp_path / "out").read_text().splitlines() == 3 * [f"1 {os.getcwd()}"]


def test_scripts_run_side_by_side(tmp_path, script):
    other = "import os, time\nwhile not os.path.exists({!r}): time.sleep(0.01)"
    waiting = script(other.format(str(tmp_path / "done")))
    forks = Forks()
    thread = threading.Thread(target=forks.run, args=[waiting, str(tmp_path)])
    thread.start()
    forks.run(script(f"open({str(tmp_path / 'done')!r}, 'w')", "other.py"), str(tmp_path))
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("import sys; sys.exit(0)", 0),
        ("import sys; sys.exit('a message')", 1),
        ("raise ValueError", 1),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.kill(os.getppid(), 9); os._exit(0)", -signal.SIGKILL),
    ],
)
def test_a_status_other_than_0_is_an_error(tmp_path, script, text, status):
    forks = Forks()
    if status:
        with pytest.raises(subprocess.CalledProcessError) as raised:
            forks.run(script(text), str(tmp_path))
        assert raised.value.returncode == status
    forks.run(script("import sys; sys.exit(0)"), str(tmp_path))


def _forked() -> set[psutil.Process]:
    """What is forked for this process, here and in other tests."""
    living = (p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE)
    return {process for process in living if "warm.py" in " ".join(process.cmdline())}


def test_another_begins_if_what_is_forked_is_killed(tmp_path, script):
    forks, path = Forks(), script("")
    before = _forked()
    forks.run(path, str(tmp_path))
    (first,) = _forked() - before
    first.kill()
    first.wait(10)
    forks.run(path, str(tmp_path))


def test_what_is_forked_ends_with_its_run(tmp_path, script):
    code = """
import os, psutil, sys
from warm import Forks
Forks().run(*sys.argv[1:])
print(*(child.pid for child in psutil.Process().children()), flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, script(""), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        stdout=subprocess.PIPE,
        text=True,
    )
    (forked,) = map(int, done.stdout.split())
    deadline = time.monotonic() + 20
    while psutil.pid_exists(forked) and psutil.Process(forked).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_step_whose_run_is_killed_shows_no_traceback(tmp_path, script):
    code = """
import os, sys
from warm import Forks
os.environ["ASKS"] = str(os.getpid())
Forks().run(*sys.argv[1:])
"""
    killing = "import os, time; os.kill(int(os.environ['ASKS']), 9); time.sleep(1)"
    done = subprocess.run(
        [sys.executable, "-c", code, script(killing), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
        stderr=subprocess.PIPE,  # to the last process that has it
        text=True,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")


def test_local_rules_are_forked_and_others_are_not(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(workflow=str(ROOT / "workflow")))
    (tmp_path / "step.py").write_text(STEP)
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "short").read_text() == "True"
    assert (tmp_path / "long").read_text() == "False"
