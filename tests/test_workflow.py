"""The whole workflow on the small configuration, in a copy of the repository, as a user runs it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader

from pixelspace import artifacts

ROOT = Path(__file__).parent.parent
COPIED = ("Snakefile", "config", "profiles", "report", "requirements.txt", "scripts", "src")
SMOKE = "config/smoke.yaml"
RESULTS = "results-smoke"
PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.skipif(
    not (shutil.which("latexmk") or shutil.which("tectonic")),
    reason="neither latexmk nor tectonic is installed",
)


def copy_of_the_repository(folder: Path) -> Path:
    """A copy to build in; the data that the repository ships is linked, file by file."""
    folder.mkdir()
    for name in (*COPIED, "workflow"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    ignored = shutil.ignore_patterns("cache")
    shutil.copytree(ROOT / "data", folder / "data", copy_function=os.symlink, ignore=ignored)
    return folder


def snakemake(folder: Path, *arguments: str, overlays=(SMOKE,)) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", *arguments),
            *("--cores", "2", "--configfile", *overlays),
        ],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def planned(folder: Path, *arguments: str) -> list[str]:
    """The steps that would run: rule and message."""
    plan = snakemake(folder, "-n", *arguments)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    return re.findall(r"^(\w+: .*?)  \(", plan.stdout, re.M)


def rules(steps: list[str]) -> set[str]:
    return {step.split(":")[0] for step in steps}


def edited(file: Path, old: str, new: str):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def appended(file: Path, text: str):
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A finished build of the small paper. Tests leave it as they found it."""
    folder = copy_of_the_repository(tmp_path_factory.mktemp("built") / "paper")
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout + run.stderr
    folder.joinpath("terminal.txt").write_text(run.stdout + run.stderr)
    return folder


@pytest.fixture
def restored(built):
    """The build, with its sources and results put back after the test."""
    kept = {file: file.read_bytes() for file in _sources(built)}
    yield built
    for file, content in kept.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


def _sources(folder: Path):
    for name in ("config", "report", "src"):
        files = (folder / name).rglob("*")
        yield from (file for file in files if file.suffix != ".pyc" and file.is_file())


def text_of(pdf: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(pdf).pages)


def test_the_paper_is_complete(built):
    pdf = built / RESULTS / "paper.pdf"
    assert len(PdfReader(pdf).pages) >= 6
    text = text_of(pdf)
    assert "??" not in text
    assert "undefined" not in text
    for title in (
        "Definitions",
        "A simple (but useful) example",
        "MNIST: deconvolutions and feature maps",
        "Dog, muffin or fried chicken?",
        "Dreams",
        "Application to CNN design",
        "Discussion",
        "Further work",
        "References",
    ):
        assert title in text, title
    source = (built / RESULTS / "paper.tex").read_text(encoding="utf-8")
    shown = re.findall(r"\\paperfigure\{([\w-]+)\}", source)
    drawn = {file.stem for file in (built / RESULTS / "figures").glob("*.pdf")}
    assert set(shown) <= drawn
    for number in range(1, len(shown) + 1):
        assert f"Figure {number}:" in text
    log = (built / RESULTS / "logs/compile_paper.log").read_text(encoding="utf-8")
    assert "LaTeX Warning: There were undefined" not in log.rpartition("This is pdfTeX")[2]


def test_random_weights_bear_out_no_claim_but_descriptive_ones(built):
    run = snakemake(built, "claims", overlays=(SMOKE, "config/untrained.yaml"))
    assert run.returncode != 0
    checked = artifacts.read_json(built / "results-untrained/claims.json")
    borne_out = [name for name, found in checked.items() if found["holds"]]
    assert [name for name in borne_out if not checked[name]["descriptive"]] == []
    for name in checked.keys() - borne_out:
        assert f"warning: claim {name} fails: " in run.stdout + run.stderr


def test_nothing_of_the_machine_or_the_day_is_in_the_pdf(built):
    content = (built / RESULTS / "paper.pdf").read_bytes()
    assert str(built).encode() not in content
    assert b"/CreationDate" not in content
    assert b"/ModDate" not in content


def test_the_terminal_shows_one_line_for_each_step(built):
    lines = (built / "terminal.txt").read_text().splitlines()
    steps = [line for line in lines if re.match(r"\[ *\d+/\d+\] +[\d.]+ s +\d+ left  \w+: ", line)]
    assert len(steps) == int(re.match(r"\[ *\d+/(\d+)\]", steps[0])[1])
    others = [line for line in lines if line not in steps and "warning: claim" not in line]
    assert len(others) <= 5, others


def test_a_finished_build_has_nothing_to_do(built):
    assert planned(built) == []


def test_a_figure_can_be_asked_for_alone(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    steps = planned(folder, f"{RESULTS}/figures/efl-weights.pdf")
    assert rules(steps) == {"make_dataset", "train_network", "project", "draw_projection"}
    assert len(steps) == 4
    assert all("efl" in step for step in steps)


def test_a_contact_sheet_can_be_asked_for_alone(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    steps = planned(folder, f"{RESULTS}/figures/efl-projections.pdf")
    assert rules(steps) == {"make_dataset", "train_network", "project", "draw_contact_sheet"}
    assert all("efl" in step for step in steps)


def test_a_training_key_reruns_what_depends_on_it_alone(restored):
    edited(restored / SMOKE, "scratch: {epochs: 2", "scratch: {epochs: 1")
    steps = planned(restored)
    assert "train_network: train the network of mnist, replicate 0" in steps
    assert not [step for step in steps if re.search(r"\befl\b|\bmeme\b", step)]
    assert "make_dataset" not in rules(steps)


def test_a_figure_key_redraws_figures_alone(restored):
    edited(restored / SMOKE, "screen_dpi: 100", "screen_dpi: 120")
    assert rules(planned(restored)) == {
        "draw_samples",
        "draw_training",
        "draw_diagram",
        "draw_projection",
        "draw_measure",
        "compile_paper",
    }


def test_a_projection_key_reruns_that_projection_alone(restored):
    config = restored / "config/config.yaml"
    edited(config, "layer: conv1, units: 16}", "layer: conv1, units: 8}")
    report = ("collect", "check", "write", "compile")
    assert {step for step in planned(restored) if not step.startswith(report)} == {
        "project: project mnist onto pixel space: weights",
        "summarize_projection: sum up mnist: weights",
        "draw_projection: draw mnist-weights",
    }


def test_a_sentence_is_rewritten_without_any_computation(restored):
    edited(restored / "report/sections/further.tex.j2", "Three things", "Several things")
    assert rules(planned(restored)) == {"write_paper", "compile_paper"}


def test_an_edit_of_the_library_reruns_the_jobs_that_import_it(restored):
    appended(restored / "src/pixelspace/figures/dream.py", "EDITED = 1\n")
    assert [step for step in planned(restored) if "typeset" not in step] == [
        "draw_projection: draw meme-dream"
    ]
    appended(restored / "src/pixelspace/datasets/efl.py", "EDITED = 1\n")
    steps = planned(restored)
    assert "make_dataset: make the images of efl" in steps
    assert "make_dataset: make the images of mnist" not in steps


def test_a_comment_in_the_library_reruns_nothing(restored):
    edited(restored / "src/pixelspace/artifacts.py", "import json", "# Why.\nimport json")
    assert planned(restored) == []


def test_another_number_in_an_artifact_is_another_number_in_the_paper(restored):
    path = restored / RESULTS / "efl/0/training.json"
    before = text_of(restored / RESULTS / "paper.pdf")
    report = artifacts.read_json(path)
    shown = report["test"]["accuracy"]
    artifacts.write_json(path, report | {"test": report["test"] | {"accuracy": 0.4321}})
    try:
        run = snakemake(restored)
        assert run.returncode == 0, run.stdout + run.stderr
        after = text_of(restored / RESULTS / "paper.pdf")
        assert "43.2" in after
        assert "43.2" not in before
    finally:
        report["test"]["accuracy"] = shown
        artifacts.write_json(path, report)
        assert snakemake(restored).returncode == 0


def test_a_mistake_in_a_template_names_the_file_and_leaves_the_paper(restored):
    before = (restored / RESULTS / "paper.pdf").read_bytes()
    edited(restored / "report/sections/further.tex.j2", "Three things", r"\oops{} things")
    run = snakemake(restored)
    assert run.returncode != 0
    said = run.stdout + run.stderr
    assert "Undefined control sequence" in said
    assert "from report/sections/further.tex.j2" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 40
    edited(restored / "report/sections/further.tex.j2", r"\oops{} things", "Three things")
    assert snakemake(restored).returncode == 0
    assert (restored / RESULTS / "paper.pdf").read_bytes() == before


def test_a_number_that_nothing_measured_names_the_line(restored):
    edited(restored / "report/sections/abstract.tex.j2", "efl.test_accuracy", "efl.test_speed")
    run = snakemake(restored, f"{RESULTS}/paper.tex")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(r"abstract.tex.j2:\d+: there is no number 'efl.test_speed'", said)
    assert "Traceback" not in said


def test_an_altered_data_file_is_named_and_nothing_is_taken_for_finished(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    file = folder / "data/mnist/train-images-idx3-ubyte.gz"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1000])
    run = snakemake(folder, f"{RESULTS}/mnist/dataset.h5")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(r"error: data/mnist/train-images-idx3-ubyte.gz: .*SHA-256", said)
    assert "git checkout -- data/mnist" in said
    assert "Traceback" not in said
    assert not (folder / RESULTS / "mnist/dataset.h5").exists()


def test_every_figure_of_the_configuration_is_a_target(built):
    run = snakemake(built, "figures")
    assert run.returncode == 0, run.stdout + run.stderr
    drawn = {file.stem for file in (built / RESULTS / "figures").glob("*.pdf")}
    for name, experiment in PAPER["experiments"].items():
        subjects = {"samples", "training", "projections", *experiment["projections"]}
        assert {f"{name}-{subject}" for subject in subjects} <= drawn
    assert "efl-code_frequency" in drawn  # of a measure


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs: 2", "epoches: 2", "smoke.yaml:LINE: .*unknown key; did you mean 'epochs'"),
        ("train: 4000", "train: -1", "smoke.yaml:LINE: .*greater than or equal to 10"),
        ("results: results-smoke", "results: [1", "not valid JSON or YAML"),
    ],
)
def test_a_mistake_in_the_configuration_stops_before_any_step(tmp_path, old, new, message):
    folder = copy_of_the_repository(tmp_path / "paper")
    edited(folder / SMOKE, old, new)
    lines = (folder / SMOKE).read_text(encoding="utf-8").splitlines()
    (line,) = (number for number, text in enumerate(lines, start=1) if new in text)
    run = snakemake(folder)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(message.replace("LINE", str(line)), said), said
    assert "Traceback" not in said
    assert not (folder / RESULTS).exists()


PHOTOS = ROOT.parent / "shared" / "photos"
FEW_PHOTOS = """\
results: results-few
experiments:
  meme:
    dataset: {folder: {size: 64, test: 0.3, large_per_class: 1, large_size: 96}}
"""


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="there are no photographs beside the repository")
def test_the_paper_is_written_about_photographs(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    for name in ("dog", "muffin", "chicken"):
        (folder / "photos" / name).mkdir(parents=True)
        for photo in sorted((PHOTOS / name).iterdir())[:30]:
            (folder / "photos" / name / photo.name).symlink_to(photo)
    (folder / "few.yaml").write_text(FEW_PHOTOS)
    overlays = (SMOKE, "config/folder.yaml", "few.yaml")
    run = snakemake(folder, "--config", "photos=photos", overlays=overlays)
    assert run.returncode == 0, run.stdout + run.stderr
    # Read where no line or page is broken.
    text = " ".join((folder / "results-few/paper.tex").read_text(encoding="utf-8").split())
    assert "90 photographs of the classes chicken, dog and muffin" in text
    assert "no measure of where a projection should point" in text
    assert "??" not in text_of(folder / "results-few/paper.pdf")
