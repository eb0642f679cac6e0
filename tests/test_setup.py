"""What a stranger goes by: locks, environments, set-up and licences; and who imports whom."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psutil
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-gpu.txt")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock pins of each package; more than one where platforms differ."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.!+]+)", text_of(lock), re.M):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def reasons(lock: str) -> dict[str, set[str]]:
    """What a lock says asks for each package: the project, or others."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"^(?=[\w.-]+==)", text_of(lock), flags=re.M)[1:]:
        name = canonicalize_name(entry.partition("==")[0])
        comments = re.findall(r"^ +#(?: +via)? +([\w.-]+)", entry, re.M)
        found.setdefault(name, set()).update(comments)
    return found


def asked(*extras: str) -> list[Requirement]:
    lines = PROJECT["dependencies"] + sum(
        (PROJECT["optional-dependencies"][extra] for extra in extras), []
    )
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCKS[0], ["cpu"]), (LOCKS[1], ["cpu", "dev"]), (LOCKS[2], ["gpu"])]
)
def test_a_lock_pins_what_the_project_asks_for(lock, extras):
    pinned = pins(lock)
    for requirement in asked(*extras):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in versions), requirement
    names = {canonicalize_name(requirement.name) for requirement in asked(*extras)}
    assert names == {name for name in pinned if "pixelspace" in reasons(lock)[name]}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_names_no_place(lock):
    text = text_of(lock)
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)
    assert "make lock" in entries[0]
    assert len(entries) > 90
    assert all("--hash=sha256:" in entry for entry in entries[1:])
    assert "://" not in text
    assert not re.search(r"(^|\s)/\w", text)


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_the_locks_agree(lock):
    base, other = pins(LOCKS[0]), pins(lock)
    shared = base.keys() & other.keys()
    assert {name: other[name] for name in shared} == {name: base[name] for name in shared}
    if lock == "requirements-dev.txt":
        assert shared == base.keys()


def test_the_conda_environment_is_python_an_engine_and_the_lock():
    environment = yaml.safe_load(text_of("environment.yml"))
    *packages, last = environment["dependencies"]
    assert packages == ["python=3.11", "pip", "tectonic"]
    assert last == {"pip": ["-r requirements.txt"]}
    assert "3.11" in Requirement(f"python{PROJECT['requires-python']}").specifier
    assert re.search(r"--python-version 3\.11\b", text_of("Makefile"))
    assert "tectonic" in text_of("src/pixelspace/report/latex.py")


def test_both_recipes_of_the_container_install_the_lock_and_the_tex_packages():
    recipes = [
        re.sub(r" *\\\n *(?:&& )?", " ", text_of(f"workflow/{name}"))
        for name in ("container.def", "Containerfile")
    ]
    for recipe in recipes:
        assert re.search(r"\brequirements\.txt\b.*\brequirements\.txt\b", recipe, re.S)
        assert not re.search(r"requirements-\w+\.txt", recipe)
    for wanted in (
        r"debian:\d+",
        r"apt-get install .*?\$\(awk .*? /opt/tex-packages\.txt\)",
        r"-m venv /opt/venv",
        r"pip install .*?--require-hashes --requirement /opt/requirements\.txt",
        r"PATH=/opt/venv/bin:\$PATH",
    ):
        first, second = (re.search(wanted, recipe)[0] for recipe in recipes)
        assert first.replace("--no-cache-dir ", "") == second.replace("--no-cache-dir ", "")


def test_the_image_of_kubernetes_has_the_data_that_the_profile_takes_from_it():
    profile = yaml.safe_load(text_of("profiles/kubernetes/config.yaml"))
    (folder,) = re.findall(r"^COPY data (\S+)$", text_of("workflow/Containerfile"), re.M)
    assert profile["precommand"] == f"cp -r {folder} ."


def test_what_the_paper_loads_is_in_the_list_of_tex_packages():
    template = text_of("report/paper.tex.j2")
    loaded = re.findall(r"\\usepackage(?:\[[^]]*\])?\{([^}]+)\}", template)
    names = {f"{name.strip()}.sty" for names in loaded for name in names.split(",")}
    listed = set(re.sub(r"#.*", "", text_of("tex-packages.txt")).split())
    assert "lmodern.sty" in names
    # Only tectonic, which fetches what it loads, takes the branch with fontspec.
    assert names - {"fontspec.sty"} <= listed


# Set-up, on a machine that is made up: only what is put on the PATH exists.


@pytest.fixture
def machine(tmp_path):
    """A copy of the set-up, and a PATH with what the script itself uses and nothing else."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("tex-packages.txt", *LOCKS[:2]):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in "bash awk cat cmp dirname env flock grep mkdir sed tail".split():
        (programs / name).symlink_to(shutil.which(name))

    class Machine:
        def has(self, name: str, script: str) -> None:
            path = programs / name
            path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
            path.chmod(0o755)

        def set_up(self, *arguments: str) -> subprocess.CompletedProcess:
            with self.setting_up(*arguments) as process:
                said = process.communicate()
            return subprocess.CompletedProcess(arguments, process.returncode, *said)

        def setting_up(self, *arguments: str) -> subprocess.Popen:
            return subprocess.Popen(
                [tmp_path / "tools/setup", *arguments],
                env={"PATH": str(programs)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    return Machine()


def test_without_tex_and_without_rights_one_message_names_the_ways(machine):
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    done = machine.set_up("tex")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: the paper needs a TeX engine")
    assert re.search(r"sudo apt-get install .*latexmk.*texlive-latex-recommended", done.stderr)
    assert "environment.yml" in done.stderr


def test_tex_that_lacks_a_package_of_the_list_is_not_enough(machine):
    for name in ("latexmk", "pdflatex", "bibtex"):
        machine.has(name, "")
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    machine.has("kpsewhich", '[ "$1" != booktabs.sty ]')
    assert machine.set_up("tex").returncode == 1
    machine.has("kpsewhich", "")
    done = machine.set_up("tex")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_python_one_message_names_the_ways(machine):
    done = machine.set_up("python", ".venv", "requirements.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Python 3.11, 3.12 or 3.13 was found")
    assert "environment.yml" in done.stderr


def test_a_python_without_venv_is_named_with_the_package_that_completes_it(machine):
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    machine.has(
        "python3.11",
        """case "$*" in *ensurepip*) exit 1 ;; *print*) echo python3.11-venv ;; esac""",
    )
    done = machine.set_up("python", ".venv", "requirements.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: python3.11 has no venv module")
    assert "sudo apt-get install python3.11-venv" in done.stderr


def test_an_environment_that_is_a_link_is_left_as_it_is(machine, tmp_path):
    machine.has("python3.11", "rm -f other/kept")
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    (tmp_path / ".venv").symlink_to(other)
    for lock in LOCKS[:2]:
        done = machine.set_up("python", ".venv", lock)
        assert done.returncode == 1
        assert done.stderr.startswith("error: .venv is a link")
        assert (other / "kept").exists()


PYTHON = r"""set -e
case "$*" in
    *venv\ --clear*)
        echo created >>created
        mkdir -p .venv/bin
        cat "$0" >.venv/bin/python
        {chmod} +x .venv/bin/python
        ;;
    *-m\ pip*)
        echo $$ >installing
        {sleep} {seconds} &
        echo $! >>installing
        wait
        ;;
esac"""
"""Makes a copy of itself its environment, and installs for some time, in a process of its own."""


def has_python(machine, seconds: float) -> None:
    found = {name: shutil.which(name) for name in ("chmod", "sleep")}
    machine.has("python3.11", PYTHON.format(seconds=seconds, **found))


def soon(holds) -> bool:
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.05)
    return False


def processes(file: Path) -> list[int]:
    return [int(number) for number in file.read_text().split()] if file.exists() else []


def test_a_second_run_waits_for_the_first_and_says_so(machine, tmp_path):
    has_python(machine, 2)
    with machine.setting_up("python", ".venv", LOCKS[0]) as first:
        assert soon(lambda: len(processes(tmp_path / "installing")) == 2)
        second = machine.set_up("python", ".venv", LOCKS[0])
        said, errors = first.communicate()
    assert (first.returncode, second.returncode, errors, second.stderr) == (0, 0, "", "")
    assert second.stdout == "set-up: waiting for another run, which sets up .venv\n"
    assert (tmp_path / "created").read_text() == "created\n"
    assert "installing requirements.txt" in said
    again = machine.set_up("python", ".venv", LOCKS[0])
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_run_that_is_told_to_end_takes_with_it_what_it_started(machine, tmp_path, number):
    has_python(machine, 60)
    with machine.setting_up("python", ".venv", LOCKS[0]) as process:
        assert soon(lambda: len(processes(tmp_path / "installing")) == 2)
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 128 + number
    assert errors == ""
    assert soon(lambda: not any(map(psutil.pid_exists, processes(tmp_path / "installing"))))
    has_python(machine, 0)
    again = machine.set_up("python", ".venv", LOCKS[0])
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("set-up: creating .venv")


@pytest.mark.parametrize(
    ("what", "need", "packages"),
    [
        ("web", "the paper's web page is made by LaTeXML", "latexml"),
        ("browser", "the explorer is tested in Chromium", "chromium"),
        ("latexdiff", "marking changes needs latexdiff", "latexdiff"),
        ("slurm", "a cluster on this machine needs munge and SLURM", "munge slurmctld slurmd"),
    ],
)
def test_without_rights_one_message_names_the_packages(machine, what, need, packages):
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    done = machine.set_up(what)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {need}")
    assert f"sudo apt-get install {packages}" in done.stderr


@pytest.mark.parametrize(("what", "program"), [("web", "latexml"), ("browser", "chromium")])
def test_what_is_there_is_not_installed_again(machine, what, program):
    machine.has(program, "")
    done = machine.set_up(what)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_pages_are_shown_without_what_draws_them(machine):
    machine.has("id", "echo 1000")
    machine.has("sudo", "exit 1")
    done = machine.set_up("pages")
    assert (done.returncode, done.stderr) == (0, "")
    assert "without pdftoppm, of poppler-utils" in done.stdout
    machine.has("pdftoppm", "")
    assert machine.set_up("pages").stdout == ""


# Who may import whom.


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
    )


def test_imports_keep_the_contracts():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


def test_a_breach_of_any_contract_is_caught(tmp_path):
    """The one of TensorFlow is broken through another module, the others directly."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module, line in {
        "errors": "import tensorflow",
        "seeds": "import snakemake",
        "projections/backward": "import matplotlib.figure",
        "datasets/efl": "from pixelspace.networks import layers",
        "figures/style": "import pixelspace.measures",
    }.items():
        file = tmp_path / f"src/pixelspace/{module}.py"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert "Contracts: 0 kept, 5 broken." in done.stdout


# What a stranger may do with it, and what must not be in it.


def test_the_licences_are_there_in_full():
    mit, cc_by = text_of("LICENSE"), text_of("LICENSE-CC-BY-4.0")
    assert mit.startswith("MIT License")
    assert "WITHOUT WARRANTY OF ANY KIND" in mit
    assert cc_by.startswith("Attribution 4.0 International")
    assert all(f"\nSection {n} -- " in cc_by for n in range(1, 9))


def test_the_citation_is_of_this_paper():
    citation = yaml.safe_load(text_of("CITATION.cff"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    template = text_of("report/paper.tex.j2")
    (author,) = citation["authors"]
    assert rf"\author{{{author['name']}\\" in template
    assert rf"\title{{{citation['title']}}}" in template.replace(r":\\", ": ")
    draft = [author["family-names"] for author in citation["references"][0]["authors"]]
    assert draft == ["Gulati", "Lyrio", "Pommer", "Saboya"]


def tracked(*paths: str) -> dict[str, str]:
    """The text of the files that git tracks, below ``paths`` if any are given."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files belong to the project")
    listed = subprocess.run(
        ["git", "ls-files", "-z", *paths], cwd=ROOT, capture_output=True, text=True, check=True
    )
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            texts[name] = content.decode("utf-8")
    return texts


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        pytest.param(r"(?<![\w.])/(home|root|Users|work)/\w", [], id="a folder of one machine"),
        pytest.param(r"https?://[^ \"]*/(simple|packages)/", [], id="a package registry"),
        pytest.param(
            r"(?i)\b(todo|fixme|xxx|for now|placeholder|lorem ipsum|stub(bed)?)\b",
            "src scripts workflow report config tools Makefile Snakefile README.md".split(),
            id="unfinished work",
        ),
    ],
)
def test_no_file_contains(pattern, paths):
    found = {
        f"{name}: {match[0]}"
        for name, text in tracked(*paths).items()
        for match in re.finditer(pattern, text)
    }
    assert found == set()
