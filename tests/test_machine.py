"""The record of the machine: what is in it, when it is written, and that limits do not mix."""

import ast
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from test_workflow import copy_of_the_repository, snakemake

from pixelspace import artifacts, machine, runtime
from pixelspace.errors import UserError

ROOT = Path(__file__).parent.parent


def test_versions_are_those_that_are_installed(tmp_path):
    found = machine.describe(tmp_path, runtime.environment(gpu=False))
    assert found["packages"]["numpy"] == metadata.version("numpy")
    assert {"keras", "matplotlib", "snakemake"} <= found["packages"].keys()
    assert len({"tensorflow", "tensorflow-cpu"} & found["packages"].keys()) >= 1
    assert found["isa"] == "AVX2"
    assert found["processor"]
    assert found["system"]
    assert found["commit"] is None


@pytest.mark.parametrize(
    ("program", "line"),
    [("pdflatex", "pdfTeX 3.14-1.40 (TeX Live)"), ("tectonic", "tectonic 0.15.0")],
)
def test_the_tex_engine_is_the_one_that_typesets(tmp_path, monkeypatch, program, line):
    bash = shutil.which("bash")
    for name in {program, "latexmk"} - ({"latexmk"} if program == "tectonic" else set()):
        script = tmp_path / name
        script.write_text(f"#!{bash}\nprintf '%s\\n' '{line}' more\n")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.describe(tmp_path, runtime.environment(gpu=False))["tex"] == line


def test_nothing_installed_is_nothing_known(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = machine.describe(ROOT, runtime.environment(gpu=False))
    assert found["tex"] is None
    assert found["commit"] is None


def test_a_processor_is_named_with_its_numbers(tmp_path, monkeypatch):
    facts = (
        "processor\t: 0\nmodel name\t: A Chip\ncpu family\t: 6\nmodel\t\t: 85\nflags\t\t: fpu\n\n"
    )
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(facts * 2)
    monkeypatch.setattr(machine, "CPUINFO", cpuinfo)
    described = machine.describe(tmp_path, runtime.environment(gpu=False))
    assert described["processor"] == "A Chip, family 6, model 85"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_says_whether_files_differ_from_it(tmp_path):
    def commit(folder=tmp_path):
        return machine.describe(folder, runtime.environment(gpu=False))["commit"]

    git(tmp_path, "init", "--quiet")
    assert commit() is None
    (tmp_path / "tracked.txt").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    git(tmp_path, "tag", "v1")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "my.yaml").touch()
    assert commit() == head
    (tmp_path / "tracked.txt").write_text("2")
    assert commit() == f"{head}-dirty"
    (tmp_path / "inside").mkdir()
    assert commit(tmp_path / "inside") is None


def recorded(folder: Path, monkeypatch, isa: str) -> dict[str, str]:
    """Record the machine under a limit, and return the environment of jobs under it."""
    monkeypatch.setenv("PIXELSPACE_ISA", isa)
    environment = runtime.environment(gpu=False)
    machine.record(folder, project=folder, environment=environment)
    return environment


def test_a_folder_is_built_under_one_limit(tmp_path, monkeypatch):
    small = runtime.environment(gpu=False) | {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    machine.check(tmp_path, small)
    own = recorded(tmp_path, monkeypatch, "AVX2")
    machine.check(tmp_path, own)
    with pytest.raises(UserError, match="built under PIXELSPACE_ISA=AVX2, and this is SSE41"):
        machine.check(tmp_path, small)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"isa": "AVX3"}'])
def test_a_damaged_record_tells_nothing_and_is_written_anew(tmp_path, monkeypatch, text):
    own = recorded(tmp_path, monkeypatch, "AVX2")
    file = tmp_path / machine.RECORD
    file.write_text(text)
    machine.check(tmp_path, own)
    assert machine.begin(tmp_path, project=tmp_path, environment=own) == [file]
    assert artifacts.read_json(file)["isa"] == "AVX2"
    assert machine.begin(tmp_path, project=tmp_path, environment=own) == []


def test_the_limit_is_known_from_when_a_run_begins(tmp_path):
    own = runtime.environment(gpu=False)
    small = own | {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    assert machine.begin(tmp_path, project=tmp_path, environment=small) == []
    assert not (tmp_path / machine.RECORD).exists()
    machine.check(tmp_path, small)
    with pytest.raises(UserError, match="built under PIXELSPACE_ISA=SSE41, and this is AVX2"):
        machine.check(tmp_path, own)
    (tmp_path / machine.BEGUN).write_text('{"isa": "AVX3"}')
    machine.check(tmp_path, own)
    machine.begin(tmp_path, project=tmp_path, environment=own)
    machine.check(tmp_path, own)


@pytest.mark.parametrize(("isa", "limit"), [(None, "AVX2"), ("", "AVX2"), ("SSE41", "SSE41")])
def test_the_limit_is_chosen_by_one_variable(monkeypatch, isa, limit):
    if isa is None:
        monkeypatch.delenv("PIXELSPACE_ISA", raising=False)
    else:
        monkeypatch.setenv("PIXELSPACE_ISA", isa)
    assert runtime.environment(gpu=False)["ONEDNN_MAX_CPU_ISA"] == limit


@pytest.mark.parametrize("isa", ["SSE41", "AVX", "AVX2", "AVX2_VNNI"])
def test_numpy_and_its_linear_algebra_have_the_same_limit(monkeypatch, isa):
    if platform.machine() != "x86_64":
        pytest.skip("of processors of one kind")
    monkeypatch.setenv("PIXELSPACE_ISA", isa)
    told = "import numpy; print(numpy.show_config('dicts')['SIMD Extensions'].get('found', []))"
    limited = {**os.environ, **runtime.environment(gpu=False), "OPENBLAS_VERBOSE": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", told],
        env=limited,
        capture_output=True,
        text=True,
        check=True,
    )
    core, unused = runtime.OF_NUMPY[isa.partition("_")[0]]
    assert done.stderr == f"Core: {core}\n"
    assert not set(unused.split()) & set(ast.literal_eval(done.stdout))


@pytest.mark.parametrize("isa", ["AVX3", "sse41"])
def test_a_limit_that_there_is_not_is_one_line(monkeypatch, isa):
    monkeypatch.setenv("PIXELSPACE_ISA", isa)
    with pytest.raises(UserError, match=rf"^PIXELSPACE_ISA={isa}: must be one of SSE41, .*unset$"):
        runtime.environment(gpu=False)


def test_a_run_that_built_something_leaves_a_record_and_a_plan_does_not(tmp_path, monkeypatch):
    folder = copy_of_the_repository(tmp_path / "paper")
    record = folder / "results" / machine.RECORD
    target = "results/config.json"
    assert snakemake(folder, "-n", target, overlays=("config/config.yaml",)).returncode == 0
    assert not record.exists()
    run = snakemake(folder, target, overlays=("config/config.yaml",))
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr.splitlines()[-1].endswith("record_config: record the configuration")
    assert artifacts.read_json(record)["isa"] == "AVX2"
    record.write_text("")
    mended = snakemake(folder, target, overlays=("config/config.yaml",))
    assert mended.returncode == 0
    assert f"warning: results/{machine.RECORD}: gone, or not as it was written" in mended.stderr
    assert artifacts.read_json(record)["isa"] == "AVX2"
    monkeypatch.setenv("PIXELSPACE_ISA", "SSE41")
    mixed = snakemake(folder, "--force", target, overlays=("config/config.yaml",))
    assert mixed.returncode != 0
    assert mixed.stderr.splitlines()[-1].startswith("error: results: built under PIXELSPACE_ISA=")


def test_limits_do_not_mix_though_a_run_does_not_end_well(tmp_path, monkeypatch):
    folder = copy_of_the_repository(tmp_path / "paper")
    config = ("config/config.yaml",)
    target = ["results/config.json", "results/efl/dataset.h5"]
    monkeypatch.setenv("PIXELSPACE_ISA", "SSE41")
    (folder / "scripts/make_dataset.py").write_text('raise SystemExit("failed")\n')
    assert snakemake(folder, "--keep-going", *target, overlays=config).returncode != 0
    assert (folder / "results/config.json").is_file()
    assert not (folder / "results" / machine.RECORD).exists()
    monkeypatch.delenv("PIXELSPACE_ISA")
    mixed = snakemake(folder, *target, overlays=config)
    assert mixed.returncode != 0
    assert "results: built under PIXELSPACE_ISA=SSE41, and this is AVX2" in mixed.stderr
