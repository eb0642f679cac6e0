"""What is for readers of a build: its crate, the archive that builds it again, its tables."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
import rocrate
import yaml
from repository import RESULTS, ROOT, copy_of_the_repository, snakemake
from requests_cache import CachedRequest, CachedResponse, CachedSession
from rocrate.rocrate import ROCrate
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

from pixelspace import artifacts
from pixelspace.errors import UserError
from pixelspace.files import file_hash
from pixelspace.report import archive, claims, crate, tables

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
ALT = "Weights of units 0, 1 of layer hidden_relu, from -0.47 to 1.2."
CLAIMS = {
    name: {
        "place": place,
        "claim": said,
        "holds": holds,
        "value": 0.25,
        "bounds": {"above": 0.5, "at_most": 1},
        "number": "efl.accuracy",
    }
    for place, (name, said, holds) in enumerate(
        [("b", "Less <b>is</b> more", False), ("a", "It works", True)], start=1
    )
}
NUMBERS = {
    "efl.accuracy": {"value": 1 / 3, "artifact": "efl/0/training.json"},
    "efl.classes": {"value": 3, "artifact": "efl/dataset.h5"},
}


@pytest.fixture
def build(tmp_path) -> Path:
    """A folder of results with what a crate names."""
    return built(tmp_path / "results")


def built(folder: Path) -> Path:
    for name, content in {
        "config.json": {},
        "numbers.json": NUMBERS,
        "claims.json": CLAIMS,
        "ledger.json": {"data": {}},
        "sweeps/noise.json": {},
    }.items():
        artifacts.write_json(folder / name, content)
    for name, text in {
        "paper.pdf": "%PDF-1.5",
        "figures/efl-weights.pdf": "%PDF-1.5",
        "figures/efl-weights.png": "png",
        "figures/efl-weights.txt": f"{ALT}\n",
        "sweeps/noise.csv": "a\n1\n",
        "ro-crate/Snakefile": "rule all:\n",
        "ro-crate/LICENSE": "MIT",
    }.items():
        artifacts.write_text(folder / name, text)
    return folder


def parts(folder: Path) -> list[str]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [
        path.as_posix() for path in files if ".sha256" not in path.parts and path.name[:3] != "ro-"
    ]


def described(folder: Path, citation=CITATION) -> dict:
    metadata = crate.describe(
        folder,
        parts(folder),
        citation=citation,
        claims=CLAIMS,
        data={"data/mnist/images.gz": "0" * 64, "https://example.org@1": "1" * 40},
        versions={"snakemake": "9.27.1", "numpy": "2.4.6"},
    )
    artifacts.write_json(folder / crate.METADATA, metadata)
    return metadata


def entity(metadata: dict, name: str) -> dict:
    (found,) = (one for one in metadata["@graph"] if one["@id"] == name)
    return found


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """A function that says what a validator finds in a crate, without a network."""
    context = Path(rocrate.__file__).parent / "data/ro-crate.jsonld"
    url = "https://w3id.org/ro/crate/1.1/context"
    assert f'"@id": "{url}"' in context.read_text(encoding="utf-8")
    cache = CachedSession(str(tmp_path / "http"), backend="sqlite", expire_after=-1)
    kept = CachedResponse(
        status_code=200,
        url=url,
        content=context.read_bytes(),
        headers={"Content-Type": "application/ld+json"},
        request=CachedRequest(method="GET", url=url),
    )
    cache.cache.save_response(kept)
    cache.close()

    def refused(*arguments):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)

    def found(folder: Path) -> list[str]:
        settings = ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="workflow-run-crate-0.5",
            requirement_severity=Severity.REQUIRED,
            offline=True,
            cache_path=tmp_path / "http",
        )
        return [issue.message for issue in services.validate(settings).get_issues()]

    return found


def test_a_crate_is_what_its_profile_requires(build, faults):
    metadata = described(build)
    assert faults(build) == []
    entity(metadata, crate.WORKFLOW)["@type"] = "File"
    del entity(metadata, "./")["license"]
    artifacts.write_json(build / crate.METADATA, metadata)
    found = faults(build)
    assert any("ComputationalWorkflow" in message for message in found)
    assert any("license" in message for message in found)


def test_the_crate_of_a_build_is_what_its_profile_requires(readers, faults):
    assert faults(readers / RESULTS) == []


def test_a_crate_is_read_by_others(build):
    described(build)
    read = ROCrate(build)
    assert read.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert read.dereference("figures/efl-weights.png")["description"] == ALT
    assert read.dereference("claims.json")["description"].endswith("1 of 2 hold.")
    (run,) = read.get_by_type("CreateAction")
    assert run["instrument"] is read.mainEntity
    assert [one.id for one in run["object"]] == [
        "config.json",
        "#data/mnist/images.gz",
        "#https://example.org@1",
    ]
    assert read.dereference("#https://example.org@1")["identifier"] == "1" * 40
    results = {one.id for one in run["result"]}
    assert {"paper.pdf", "figures/efl-weights.pdf", "numbers.json", "claims.json"} <= results
    assert not any(name.startswith("ro-crate/") or name == "config.json" for name in results)
    software = read.mainEntity["softwareRequirements"]
    versions = {one["name"]: one["softwareVersion"] for one in software}
    assert versions == {"snakemake": "9.27.1", "numpy": "2.4.6"}
    held = [one for one in read.data_entities if one.id != "./"]
    assert {one.id for one in held} == set(parts(build))
    for one in held:
        assert one["sha256"] == file_hash(build / one.id)
        assert one["contentSize"] == str((build / one.id).stat().st_size)


def test_a_crate_depends_on_the_build_alone(build, tmp_path):
    other = built(tmp_path / "else" / "where")
    assert json.dumps(described(build)) == json.dumps(described(other))
    assert str(tmp_path) not in (build / crate.METADATA).read_text(encoding="utf-8")


def test_people_and_one_author_are_described(build):
    person = {"given-names": "Ada", "family-names": "Lovelace", "orcid": "https://orcid.org/0"}
    metadata = described(build, CITATION | {"authors": [person, {"name": "Others"}]})
    assert entity(metadata, "./")["author"] == [{"@id": "https://orcid.org/0"}, {"@id": "#Others"}]
    assert entity(metadata, "https://orcid.org/0")["@type"] == "Person"
    assert entity(metadata, "https://orcid.org/0")["name"] == "Ada Lovelace"


def test_what_a_crate_must_have_is_asked_for(build):
    undated = {key: value for key, value in CITATION.items() if key != "date-released"}
    with pytest.raises(UserError, match=r"^CITATION\.cff: has no date-released"):
        described(build, undated)
    (build / "paper.pdf").write_text("damaged")
    with pytest.raises(UserError, match=r"paper\.pdf: changed since it was built"):
        described(build)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def committed(project: Path) -> Path:
    git(project, "init", "--quiet")
    git(project, "add", "--force", ".")
    git(project, "commit", "--quiet", "--message", "one")
    return project


@pytest.fixture
def project(tmp_path) -> Path:
    folder = tmp_path / "project"
    (folder / "config").mkdir(parents=True)
    (folder / "config/mine.yaml").write_text("seed: 1\n")
    (folder / "config/more.yaml").write_text("seed: 2\n")
    (folder / "setup").write_text("#!/bin/sh\n")
    (folder / "setup").chmod(0o755)
    (folder / ".gitignore").write_text("/ignored\n")
    return committed(folder)


def packed(project: Path, build: Path, file: Path, settings=(), photographs=None) -> Path:
    archive.pack(
        project,
        metadata=build / crate.METADATA,
        settings=settings,
        photographs=photographs or {},
        archive=file,
    )
    return file


def unpacked(file: Path, folder: Path) -> Path:
    with tarfile.open(file) as tar:
        tar.extractall(folder, filter="data")
    return folder / "pixelspace"


def test_an_archive_has_sources_crate_and_hashes(build, project, tmp_path):
    described(build)
    (project / "ignored").write_text("x")
    file = packed(project, build, tmp_path / "a.tar.gz", ["config/mine.yaml", "config/more.yaml"])
    folder = unpacked(file, tmp_path / "unpacked")
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    published = {f"published/{name}" for name in [*parts(build), crate.METADATA]}
    own = {
        "SHA256SUMS",
        "ARCHIVE.md",
        "setup",
        "config/mine.yaml",
        "config/more.yaml",
        ".gitignore",
    }
    records = {name for name in held if "/.sha256/" in name}
    assert held - records == own | published
    assert artifacts.read_json(folder / "published/claims.json") == CLAIMS
    assert artifacts.checked(folder / "published/figures/efl-weights.png")
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sums.keys() == held - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert os.access(folder / "setup", os.X_OK)
    assert not os.access(folder / "config/mine.yaml", os.X_OK)
    text = (folder / "ARCHIVE.md").read_text()
    assert "--cores 2 --configfile config/mine.yaml config/more.yaml\n" in text
    assert archive.state(project) in text
    assert "`PYTHONPATH=src python tools/read_config.py FILE`" in text


def test_an_archive_has_no_time_and_no_owner(build, project, tmp_path):
    described(build)
    file = packed(project, build, tmp_path / "a.tar.gz")
    with tarfile.open(file) as tar:
        members = tar.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    names = [member.name for member in members]
    assert names == sorted(names)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", project, clone], check=True)
    other = built(tmp_path / "else/results")
    described(other)
    for path in other.rglob("*.json"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert packed(clone, other, tmp_path / "b.tar.gz").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"setup": "exit\n"}, r"^setup: not as git has it"),
        ({"new.py": ""}, r"^new\.py: not as git has it"),
        ({"new.py": "", "größe.py": ""}, r"^größe\.py and 1 more: not as git|^new\.py and 1 more"),
    ],
)
def test_what_git_does_not_have_is_in_no_archive(build, project, tmp_path, changed, message):
    described(build)
    for name, text in changed.items():
        (project / name).write_text(text)
    with pytest.raises(UserError, match=message):
        packed(project, build, tmp_path / "a.tar.gz")
    assert not (tmp_path / "a.tar.gz").exists()


def test_a_configuration_that_git_does_not_have_is_in_no_archive(build, project, tmp_path):
    described(build)
    with pytest.raises(UserError, match=r"^photos: the build was given it, and git has no such"):
        packed(project, build, tmp_path / "a.tar.gz", ["photos"])


def test_photographs_that_git_does_not_have_are_in_no_archive(build, project, tmp_path):
    described(build)
    for place in ("https://example.org/photos", "ignored", str(project / "config")):
        with pytest.raises(
            UserError, match=r"^\S+: experiment 'meme' has its photographs from the"
        ):
            packed(project, build, tmp_path / "a.tar.gz", photographs={"meme": place})
    packed(project, build, tmp_path / "a.tar.gz", photographs={"meme": "./config"})


def test_without_a_repository_there_is_no_archive(build, tmp_path):
    (tmp_path / "plain").mkdir()
    with pytest.raises(UserError, match=r"^plain: an archive has what git has of it, and: fatal"):
        archive.state(tmp_path / "plain")


def test_a_damaged_result_is_in_no_archive(build, project, tmp_path):
    described(build)
    (build / "paper.pdf").write_text("damaged")
    with pytest.raises(UserError, match=r"paper\.pdf: changed since it was built"):
        packed(project, build, tmp_path / "a.tar.gz")


def test_an_archive_builds_the_paper_again(build, tmp_path):
    """Planned from it: without git, and without taking the old results for new ones."""
    project = copy_of_the_repository(tmp_path / "project")
    shutil.rmtree(project / "data")
    shutil.copytree(ROOT / "data", project / "data", ignore=shutil.ignore_patterns("cache"))
    described(build)
    file = packed(committed(project), build, tmp_path / "a.tar.gz", ["config/smoke.yaml"])
    folder = unpacked(file, tmp_path / "unpacked")
    plan = snakemake(folder, "-n")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    for step in ("make_dataset", "train_network", "write_paper", "compile_paper"):
        assert f"{step}: " in plan.stdout
    assert "warning" not in plan.stdout + plan.stderr
    _built_offline(folder)
    refused = snakemake(folder, "-n", "archive")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("error: pixelspace: an archive has what git")


def _built_offline(folder: Path) -> None:
    """Do what the archive says to do, but for packages, and of figures with a cheap one alone."""
    text = (folder / archive.READ_ME).read_text()
    check, _, build, compare = re.findall(r"^    (.+)", text, re.M)
    cut_off = ["unshare", "--net"] if _may_be_cut_off() else []
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def done(line: str) -> int:
        return subprocess.run(
            [*cut_off, "sh", "-c", line], cwd=folder, env={**own, "PATH": path}
        ).returncode

    figure = f"{RESULTS}/figures/efl-samples.pdf"
    assert done(check) == 0
    assert done(build.replace("snakemake ", f"snakemake {figure} ")) == 0
    assert (folder / figure).is_file()
    # Which is not all of a build, nor is what is published in this test.
    assert compare.endswith(f"/compare.py {archive.PUBLISHED} results")
    assert done(compare.replace(archive.PUBLISHED, RESULTS)) == 2


def _may_be_cut_off() -> bool:
    may = (
        bool(shutil.which("unshare"))
        and not subprocess.run(["unshare", "--net", "true"]).returncode
    )
    assert may or "CI" not in os.environ
    return may


def test_the_report_is_written_to_the_folder_of_the_overlay():
    config = {**os.environ, "CONFIG": "config/smoke.yaml"}
    command = ["make", "--dry-run", "readers"]
    plan = subprocess.run(command, cwd=ROOT, env=config, capture_output=True, text=True, check=True)
    last = plan.stdout[plan.stdout.index("results=") :]
    said = last.replace(".venv/bin/python tools/run_snakemake.py", "env echo")
    said = said.replace(".venv/bin/python", sys.executable)
    run = subprocess.run(["sh", "-c", said], cwd=ROOT, env=config, capture_output=True, text=True)
    assert run.stdout.startswith("readers --report results-smoke/report.html "), run.stderr


class Cells(HTMLParser):
    """The text of each cell of a page, by row."""

    def __init__(self, page: str):
        super().__init__()
        self.rows: list[list[str]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.lasttag in ("td", "th"):
            self.rows[-1][-1] += data.strip("\n")


def test_claims_are_a_table_in_the_order_of_the_paper():
    page = tables.of_claims(CLAIMS)
    assert Cells(page).rows[1:] == [
        ["1", "Less <b>is</b> more", "does not hold", "0.25", "> 0.5, ≤ 1", "efl.accuracy"],
        ["2", "It works", "holds", "0.25", "> 0.5, ≤ 1", "efl.accuracy"],
    ]
    assert "1 of 2 claims hold" in page
    assert tables.SIGNS.keys() == claims.BOUNDS.keys()
    assert "://" not in page


def test_numbers_and_sweeps_are_tables():
    assert Cells(tables.of_numbers(NUMBERS)).rows[1:] == [
        ["efl.accuracy", "0.333333", "efl/0/training.json"],
        ["efl.classes", "3", "efl/dataset.h5"],
    ]
    page = tables.of_sweep("noise", 'a,b\n"[1, 2]",<i>\n')
    assert Cells(page).rows == [["a", "b"], ["[1, 2]", "<i>"]]
    assert "1 network of the sweep noise" in page
