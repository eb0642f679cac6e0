"""The whole workflow on the small configuration, in a copy of the repository, as a user runs it."""

import base64
import csv
import functools
import html
import itertools
import json
import operator
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from contents import holding
from faults.paper import DAMAGES
from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin
from pypdf import PdfReader
from repository import RESULTS, ROOT, SMOKE, copy_of_the_repository, snakemake

from pixelspace import artifacts
from pixelspace.files import file_hash
from pixelspace.report import latex, template
from pixelspace.units import OF_IMAGES, SHOWING

PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.skipif(
    not (shutil.which("latexmk") or shutil.which("tectonic")) and "CI" not in os.environ,
    reason="neither latexmk nor tectonic is installed",
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


@pytest.fixture
def restored(small_paper):
    """The build, with its sources and results put back after the test."""
    kept = {file: file.read_bytes() for file in _sources(small_paper)}
    yield small_paper
    for file, content in kept.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


def _sources(folder: Path):
    for name in ("config", "report", "src"):
        files = (folder / name).rglob("*")
        yield from (file for file in files if file.suffix != ".pyc" and file.is_file())


def text_of(pdf: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(pdf).pages)


def test_the_paper_is_complete(small_paper):
    pdf = small_paper / RESULTS / "paper.pdf"
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
    source = (small_paper / RESULTS / "paper.tex").read_text(encoding="utf-8")
    shown = re.findall(r"\\paperfigure\{([\w-]+)\}", source)
    drawn = {file.stem for file in (small_paper / RESULTS / "figures").glob("*.pdf")}
    assert set(shown) <= drawn
    for number in range(1, len(shown) + 1):
        assert f"Figure {number}:" in text
    log = (small_paper / RESULTS / "logs/compile_paper.log").read_text(encoding="utf-8")
    assert "LaTeX Warning: There were undefined" not in log.rpartition("This is pdfTeX")[2]


def with_other_text(folder: Path, old: str, new: str) -> dict:
    """What the template is filled with, with other words in the place of some."""

    def read(file):
        text = (folder / RESULTS / file).read_text(encoding="utf-8")
        return json.loads(text.replace(old, new))

    config = read("config.json")
    return {
        "config": config,
        **{name: read(f"{name}.json") for name in ("numbers", "claims", "ledger")},
        "class_names": {
            name: read(f"{name.replace(new, old)}/0/training.json")["class_names"]
            for name in config["experiments"]
        },
        "sweeps": {"noise_and_starts": read("sweeps/noise_and_starts.json")},
        "lock": folder / "requirements.txt",
    }


@pytest.mark.parametrize("extends", ["efl", None])
def test_an_experiment_that_no_section_tells_of_is_in_tables_whatever_its_name(
    small_paper, tmp_path, extends
):
    name = "letters_of_another_size_and_with_a_name_that_is_far_too_long"
    filled = with_other_text(small_paper, "efl_large", name)
    filled["config"]["experiments"][name]["extends"] = extends
    text = template.render(small_paper / "report/paper.tex.j2", untold=[name], **filled)
    (table,) = re.findall(
        rf"\\begin{{resulttable}}{{tab:results-{name}}}.*?\\end{{resulttable}}", text, re.S
    )
    rows = table.replace(r"\allowbreak{}", "").replace(r"\_", "_")
    # Of a measure of every network; and of a projection that no figure of the paper shows.
    for number in ("letter_parts.node1_cosine", "maximization.climbed_share"):
        assert re.search(rf"^  {number} & .*\d", rows, re.M), number
    artifacts.write_text(tmp_path / "paper.tex", text)
    figures = (small_paper / RESULTS / "figures").glob("*.pdf")
    bibliography = small_paper / "report/references.bib"
    with latex.typeset(tmp_path / "paper.tex", bibliography=bibliography, figures=figures) as made:
        said = (made / "paper.log").read_text(errors="replace")
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt", said)
    assert [points for points in wide if float(points) > 2] == []


def test_captions_of_training_tell_of_as_many_networks_as_the_figures_show(small_paper):
    filled = with_other_text(small_paper, RESULTS, RESULTS)
    numbers = filled["numbers"]
    of_several = {
        name.removeprefix("efl."): numbers[name]
        for name in numbers
        if re.match(r"efl\.(accuracy|seed)_|efl\.replicates", name)
    }
    for several in ([], ["meme"]):
        numbers |= {f"{e}.{name}": entry for e in several for name, entry in of_several.items()}
        text = template.render(small_paper / "report/paper.tex.j2", **filled)
        told = dict(re.findall(r"paperfigure\{(\w+)-training\}\{(.*?)\n\n", text, re.S))
        assert told.keys() == {"efl", "mnist", "meme"}
        ones = [name for name, caption in told.items() if "median" in caption]
        assert ones == [name for name in told if numbers[f"{name}.replicates"]["value"] > 1]
    assert "meme" in ones


def test_figures_say_which_of_several_networks_they_are_of(small_paper):
    numbers = artifacts.read_json(small_paper / RESULTS / "numbers.json")
    for experiment, subjects in {
        "efl": ("weights", "diagram", "training"),
        "mnist": ("weights", "training", "templates"),
    }.items():
        number = numbers[f"{experiment}.shown_replicate"]["value"]
        said = f"The network is number {number}, counted from 0: the median by validation loss."
        for subject in subjects:
            words = (small_paper / RESULTS / f"figures/{experiment}-{subject}.txt").read_text()
            assert (said in words) == (numbers[f"{experiment}.replicates"]["value"] > 1), subject


def test_random_weights_bear_out_no_claim_but_descriptive_ones(small_paper):
    several = {"replicates": 5, "measures": {"pruning": {"shares": [0.5], "epoch_share": 0.02}}}
    overlay = small_paper / "several.yaml"
    overlay.write_text(yaml.safe_dump({"experiments": {"mnist": several}}))
    run = snakemake(small_paper, "claims", overlays=(SMOKE, "config/untrained.yaml", str(overlay)))
    assert run.returncode != 0
    checked = artifacts.read_json(small_paper / "results-untrained/claims.json")
    assert "pruning_beats_magnitude" in checked
    borne_out = [name for name, found in checked.items() if found["holds"]]
    assert [name for name in borne_out if not checked[name]["descriptive"]] == []
    for name in checked.keys() - borne_out:
        assert f"warning: claim {name} fails: " in run.stdout + run.stderr


def test_nothing_of_the_machine_or_the_day_is_in_the_pdf(small_paper):
    content = (small_paper / RESULTS / "paper.pdf").read_bytes()
    assert str(small_paper).encode() not in content
    assert b"/CreationDate" not in content
    assert b"/ModDate" not in content


def names_and_paths(folder: Path) -> list[str]:
    places = (folder, folder.resolve(), ROOT, ROOT.resolve())
    return ["canary", *{str(place) for place in places}]


def test_no_secret_name_or_path_is_in_a_result(small_paper):
    assert holding(small_paper / RESULTS, names_and_paths(small_paper)) == {}


def test_what_is_hidden_in_a_result_is_found(tmp_path):
    """In each kind of file, where its bytes are compressed."""
    words = ["word " * 9 + "canary"]
    artifacts.write_json(tmp_path / "a.json", words)
    projection = artifacts.Projection({"x": np.array(words)}, {"notes": words})
    artifacts.write_projection(tmp_path / "b.npz", projection)
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file.create_dataset("x", data=np.frombuffer(words[0].encode(), "u1"), compression="gzip")
    note = PngImagePlugin.PngInfo()
    note.add_text("note", words[0], zip=True)
    Image.new("L", (1, 1)).save(tmp_path / "d.png", pnginfo=note)
    figure = Figure()
    figure.text(0, 0, words[0])
    figure.savefig(tmp_path / "e.pdf")
    with tarfile.open(tmp_path / "f.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "e.pdf", "e.pdf")
    address = base64.b64encode(words[0].encode()).decode()
    (tmp_path / "g.html").write_text(f'<img src="data:image/png;base64,{address}">')
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/f.log").write_text(words[0])
    found = holding(tmp_path, ["canary"])
    assert set(found) == {"a.json", "b.npz", "c.h5", "d.png", "e.pdf", "f.tar.gz", "g.html"}


def test_what_goes_to_arxiv_compiles_by_itself(small_paper, tmp_path):
    target = f"{RESULTS}/arxiv.tar.gz"
    run = snakemake(small_paper, target)
    assert run.returncode == 0, run.stdout + run.stderr
    with tarfile.open(small_paper / target) as archive:
        names = archive.getnames()
        archive.extractall(tmp_path, filter="data")
    assert names[:2] == ["paper.tex", "paper.bbl"]
    source = (tmp_path / "paper.tex").read_text(encoding="utf-8")
    assert "\\pdfoutput=1" in "".join(source.splitlines()[:5])
    shown = set(re.findall(r"\\paperfigure\{([\w-]+)\}", source))
    assert set(names[2:]) == {f"figures/{name}.pdf" for name in shown}
    home = tmp_path / "home"
    home.mkdir()
    for _ in range(3):
        subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    assert "undefined" not in (tmp_path / "paper.log").read_text(errors="replace")
    assert text_of(tmp_path / "paper.pdf") == text_of(small_paper / RESULTS / "paper.pdf")


def test_no_secret_name_or_path_is_in_what_readers_get(readers):
    folder = readers / RESULTS
    names = "explorer units paper.html numbers.html arxiv.tar.gz ro-crate report.html".split()
    assert [name for name in names if not (folder / name).exists()] == []
    assert holding(folder, names_and_paths(readers)) == {}


def test_snakemake_s_report_shows_figures_with_their_words_and_tables(readers):
    page = (readers / RESULTS / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""<(script|link|img|iframe)[^>]*(src|href)=["']?https?:""", page)
    shown = json.loads(re.search(r"var results = (\{.*\});?$", page, re.M)[1])
    categories = json.loads(re.search(r"var categories = (\{.*\});?$", page, re.M)[1])
    names = {name for name in categories if name not in ("sweeps", "claims and numbers")}
    assert names == {*PAPER["experiments"], "efl_large"}
    figures = {path for path in shown if path.startswith(f"{RESULTS}/figures/")}
    assert {Path(path).stem for path in figures} == {
        path.stem for path in (readers / RESULTS / "figures").glob("*.png")
    }
    for path in figures:
        words = (readers / path).with_suffix(".txt").read_text(encoding="utf-8")
        paragraphs = re.findall(r"<p>(.*?)</p>", shown[path]["caption"], re.S)
        assert [html.unescape(text).split() for text in paragraphs] == [words.split()], path
    weights = shown[f"{RESULTS}/figures/mnist-weights.png"]
    assert weights["labels"] == {"figure": "weights", "method": "weights", "layer": "conv1"}
    tables = {f"{RESULTS}/claims.html", f"{RESULTS}/numbers.html"}
    assert tables == {path for part in categories["claims and numbers"].values() for path in part}
    forms = {
        "sweeps/noise_and_starts.html": "table",
        "figures/sweep-noise_and_starts.png": "figure",
    }
    for path, form in forms.items():
        labels = shown[f"{RESULTS}/{path}"]["labels"]
        assert labels == {"sweep": "noise_and_starts", "shown as": form}
    assert planned(readers) == []


def test_what_readers_get_is_made_again_where_it_is_damaged(readers):
    folder = readers / RESULTS
    names = "paper.html claims.html numbers.html arxiv.tar.gz ledger.json ro-crate-metadata.json"
    files = [*(folder / name for name in names.split()), *(folder / "explorer").iterdir()]
    files = [file for file in files if file.is_file()]
    files += [*(folder / "sweeps").glob("*.html"), folder / "ro-crate/Snakefile"]
    before = {file: file_hash(file) for file in files}
    dice = random.Random(13)
    for file, damage in zip(files, itertools.cycle(DAMAGES)):
        damage(file, dice)
    assert set(artifacts.damaged(folder)) >= set(files)
    run = snakemake(readers, "readers")
    assert run.returncode == 0, run.stdout + run.stderr
    assert {file: file_hash(file) for file in files} == before
    assert planned(readers, "readers") == []


def test_the_terminal_shows_one_line_for_each_step(small_paper):
    lines = (small_paper / "terminal.txt").read_text().splitlines()
    steps = [line for line in lines if re.match(r"\[ *\d+/\d+\] +[\d.]+ s +\d+ left  \w+: ", line)]
    assert len(steps) == int(re.match(r"\[ *\d+/(\d+)\]", steps[0])[1])
    assert len({step.partition("left  ")[2] for step in steps}) == len(steps)
    others = [line for line in lines if line not in steps and "warning: claim" not in line]
    assert len(others) <= 5, others


def test_a_finished_build_has_nothing_to_do(small_paper):
    assert planned(small_paper) == []


def elsewhere(home: Path) -> dict[str, str]:
    """The environment of somebody in another zone, with another language and home."""
    return {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": str(home), "LINES": "9"}


def results_of(folder: Path) -> dict[str, bytes]:
    """The content of all that is the same in every build, records included."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder / RESULTS).rglob("*")
        if path.is_file() and not {"logs", "machine", ".lock", ".steps"} & set(path.parts)
    }


def test_the_bytes_are_the_same_wherever_and_whenever_they_are_made(tmp_path, small_paper):
    """On one core, in another folder, zone, language and home, and in another order."""
    folder = copy_of_the_repository(tmp_path / "ano ther")
    figures = [f"{RESULTS}/figures/efl-{name}.pdf" for name in ("training", "feature_maps")]
    targets = [*figures, f"{RESULTS}/sweeps/noise_and_starts.csv", f"{RESULTS}/meme/dataset.h5"]
    for target in reversed(targets):
        run = snakemake(folder, target, environment=elsewhere(tmp_path), cores=1)
        assert run.returncode == 0, run.stdout + run.stderr
    made, before = results_of(folder), results_of(small_paper)
    assert len(made) > 20
    assert [name for name in made if before[name] != made[name]] == []


def test_what_is_drawn_and_written_has_the_same_bytes_there_too(tmp_path, small_paper):
    """Every figure, number, claim and mark, the text and the PDF, of the same networks."""
    folder = shutil.copytree(small_paper, tmp_path / "ano ther", symlinks=True)
    before = results_of(folder)
    late = [name for name in before if len(Path(name).parts) == 2 or "/figures/" in name]
    assert {f"{RESULTS}/paper.{kind}" for kind in ("tex", "pdf")} <= {*late}
    for name in late:
        (folder / name).unlink()
    run = snakemake(folder, environment=elsewhere(tmp_path), cores=1)
    assert run.returncode == 0, run.stdout + run.stderr
    made = results_of(folder)
    assert f"{RESULTS}/paper.pdf" in made
    assert [name for name in made if before[name] != made[name]] == []


def test_results_without_snakemake_s_records_are_made_again(tmp_path):
    """They may be those of another configuration, copied here."""
    folder = copy_of_the_repository(tmp_path / "paper")
    target = f"{RESULTS}/config.json"
    assert snakemake(folder, target).returncode == 0
    assert planned(folder, target) == []
    shutil.rmtree(folder / ".snakemake")
    (folder / "other.yaml").write_text("seed: 5\n")
    run = snakemake(folder, target, overlays=(SMOKE, "other.yaml"))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "how 1 of its files were made is not known" in run.stderr
    assert artifacts.read_json(folder / target)["seed"] == 5
    again = snakemake(folder, target, overlays=(SMOKE, "other.yaml"))
    assert "not known" not in again.stderr


def test_a_figure_can_be_asked_for_alone(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    steps = planned(folder, f"{RESULTS}/figures/mnist-weights.pdf")
    assert rules(steps) == {"make_dataset", "train_network", "project", "draw_projection"}
    assert len(steps) == 4
    assert all("mnist" in step for step in steps)


def test_a_folder_may_have_any_name(tmp_path):
    folder = copy_of_the_repository(tmp_path / "a 'paper' (mine) & $HOME")
    (folder / "environment").symlink_to(sys.prefix)
    command = f"-m snakemake --cores 1 {RESULTS}/config.json --configfile {SMOKE}".split()
    run = subprocess.run(
        [folder / "environment/bin/python", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0, run.stderr
    assert (folder / RESULTS / "config.json").is_file()


def test_a_contact_sheet_can_be_asked_for_alone(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    steps = planned(folder, f"{RESULTS}/figures/mnist-projections.pdf")
    assert rules(steps) == {"make_dataset", "train_network", "project", "draw_contact_sheet"}
    assert all("mnist" in step for step in steps)


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
        "draw_sweep",
        "write_ledger",
        "write_paper",
        "compile_paper",
    }


def test_a_projection_key_reruns_that_projection_alone(restored):
    config = restored / "config/config.yaml"
    edited(config, "layer: conv1, units: 16}", "layer: conv1, units: 8}")
    report = ("collect", "record", "check", "write", "compile")
    assert {step for step in planned(restored) if not step.startswith(report)} == {
        "project: project mnist onto pixel space: weights",
        "summarize_projection: sum up mnist: weights",
        "draw_projection: draw mnist-weights",
    }


def test_a_sentence_is_rewritten_without_any_computation(restored):
    edited(restored / "report/sections/further.tex.j2", "Three things", "Several things")
    assert rules(planned(restored)) == {"write_paper", "compile_paper"}


OPTIMIZED = {"maximization", "maco", "inversion", "atlas", "depth_series", "parametrizations"}


def is_optimized(step: str) -> bool:
    found = re.fullmatch(r"project (efl|mnist|meme)(?:_large)? onto pixel space: (\w+)", step)
    return (
        bool(found) and PAPER["experiments"][found[1]]["projections"][found[2]]["kind"] in OPTIMIZED
    )


@pytest.mark.parametrize(
    ("module", "concerned"),
    [
        ("figures/dream.py", lambda step: step == "draw meme-dream"),
        (
            "datasets/efl.py",
            lambda step: step.startswith(("make the images of efl", "train and measure")),
        ),
        (
            "projections/transforms.py",
            lambda step: is_optimized(step) or step == "measure meme, replicate 0: regularizers",
        ),
        (
            "measures/intervals.py",
            lambda step: re.fullmatch(
                "measure .* (sanity|templates|explanations|code_frequency)", step
            ),
        ),
        (
            "report/latex.py",
            lambda step: step == "typeset the paper",
        ),
        ("runtime.py", lambda step: True),
    ],
)
def test_an_edit_of_the_library_concerns_the_steps_that_import_it(restored, module, concerned):
    def reasons(*options: str) -> dict[str, str]:
        plan = snakemake(restored, "-n", "--verbose", *options)
        return dict(re.findall(r"^Job \d+: (.*)\nReason: (.*)$", plan.stdout + plan.stderr, re.M))

    wanted = {step for step in reasons("--forceall") if concerned(step)}
    assert reasons() == {}
    appended(restored / "src/pixelspace" / module, "EDITED = 1\n")
    plan = reasons()
    # Of a step that has another reason as well, Snakemake does not give this one.
    assert {step for step, why in plan.items() if "Params have changed" in why} <= wanted
    assert wanted <= plan.keys()
    assert all("updated by another job" in plan[step] for step in plan.keys() - wanted)


def reasons_said(folder: Path, target: str) -> dict[str, list[str]]:
    """What is said of each step, by what it is."""
    plan = snakemake(folder, "-n", f"{RESULTS}/{target}", environment={"PIXELSPACE_WHY": "1"})
    assert plan.returncode == 0, plan.stdout + plan.stderr
    if "Nothing to be done" in plan.stdout + plan.stderr:
        return {}
    said, step = {}, ""
    for line in plan.stdout.splitlines():
        if line.startswith("    "):
            said[step].append(line.strip())
        elif re.match(r"\w+: ", line):
            step = line.partition(": ")[2]
            said[step] = []
    return said


def test_why_a_file_would_be_made_again_is_said_in_words(restored):
    why = functools.partial(reasons_said, restored)
    sheet, drawn = "figures/mnist-inversion.pdf", "draw mnist-inversion"
    assert why(sheet) == {}
    edited(restored / SMOKE, "logits], images: 2, steps: 16", "logits], images: 2, steps: 17")
    assert why(sheet) == {
        "project mnist onto pixel space: inversion": [
            "experiments.mnist.projections.inversion.steps was 16 and is 17"
        ],
        drawn: ["follows from the steps above"],
    }
    edited(restored / SMOKE, "logits], images: 2, steps: 17", "logits], images: 2, steps: 16")
    appended(restored / "src/pixelspace/figures/inversion.py", "\n\nOTHER = 1\n")
    ((step, changed),) = why(sheet).items()
    assert step == drawn
    assert re.fullmatch(
        r"the code changed in src/pixelspace/figures/inversion.py: its hash was \w{8} and is \w{8}",
        "; ".join(changed),
    )
    said = why("paper.pdf")
    assert said.pop(drawn) == said.pop("draw meme-caricature") == changed
    assert list(said) == ["write the ledger", "write the paper", "typeset the paper"]
    assert list(said.values()) == 3 * [["follows from the steps above"]]


def test_why_the_ledger_has_other_steps_is_said_in_a_line(restored):
    edited(restored / SMOKE, "replicates: 2\n    projections:", "replicates: 3\n    projections:")
    said = reasons_said(restored, "paper.pdf")["write the ledger"]
    assert "what the paper cites or shows, or what makes it, is no longer the same" in said
    assert not [line for line in said if line.startswith("steps")]


def test_why_is_said_of_keys_as_they_were_written(restored):
    why = functools.partial(reasons_said, restored)
    appended(restored / SMOKE, "seed: 2018\n")
    seed = ["the seed changed: that of the configuration, or the rule that derives others from it"]
    assert why("efl/dataset.h5") == {"make the images of efl": seed}
    assert why("config.json") == {"record the configuration": ["seed was 2017 and is 2018"]}
    edited(restored / SMOKE, "seed: 2018\n", "")
    edited(restored / SMOKE, "screen_dpi: 100", "screen_dpi: 120")
    dpi = ["figures.screen_dpi was 100 and is 120"]
    assert why("figures/efl-weights.pdf") == {"draw efl-weights": dpi}
    edited(restored / SMOKE, "screen_dpi: 120", "screen_dpi: 100")
    config = restored / "config/config.yaml"
    edited(
        config,
        "- [{layer: logits, unit: 8}, {layer: logits, unit: 3",
        "- [{layer: logits, unit: 8}, {layer: logits, unit: 5",
    )
    edited(config, "dropout: 0.4", "dropout: 0.5")
    dropout = ["experiments.mnist.network.cnn.dropout was 0.4 and is 0.5"]
    assert why("mnist/0/training.json") == {"train the network of mnist, replicate 0": dropout}
    edited(config, "dropout: 0.5", "dropout: 0.4")
    differences = "experiments.mnist.projections.differences.objectives"
    step = "project mnist onto pixel space: differences"
    changed = [f"{differences}.3.1.unit was 3 and is 5"]
    assert why("figures/mnist-differences.pdf")[step] == changed


def test_why_a_sweep_is_computed_again_is_counted_in_networks(restored):
    sweep = "noise_and_starts"
    edited(restored / SMOKE, "4]\n    replicates: 2", "4]\n    replicates: 1")
    said = reasons_said(restored, f"sweeps/{sweep}.json")
    table = said[f"collect the sweep {sweep}"]
    gone = f"sweeps.{sweep}: 0 networks are new, and 4 are no longer asked for"
    assert gone in table
    assert all(line.startswith(("no more to read: ", "one more to read: ", gone)) for line in table)
    jobs = [lines for step, lines in said.items() if step.startswith("train and measure networks")]
    for lines in jobs:
        assert re.fullmatch(r"not there: \S+|sweeps: .* networks are new, .*", "; ".join(lines))


def test_why_the_text_would_be_written_again_is_said_in_words(restored):
    edited(restored / "report/sections/further.tex.j2", "Three things", "Several things")
    plan = snakemake(restored, "-n", environment={"PIXELSPACE_WHY": "1"})
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert plan.stdout.splitlines()[-5:-1] == [
        "write_paper: write the paper",
        "    newer than what was made of it: report/sections/further.tex.j2",
        "compile_paper: typeset the paper",
        "    follows from the steps above",
    ]


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


def test_a_module_that_is_not_python_is_named(restored):
    module = restored / "src/pixelspace/figures/style.py"
    line = len(module.read_text(encoding="utf-8").splitlines()) + 1
    appended(module, "def broken(:\n")
    run = snakemake(restored)
    assert run.returncode == 1
    *_, last = run.stderr.splitlines()
    assert last.startswith("error: ")
    assert last.endswith(f"src/pixelspace/figures/style.py:{line}: this is not Python")
    assert "Traceback" not in run.stderr


def test_a_number_that_nothing_measured_names_the_line(restored):
    edited(restored / "report/sections/abstract.tex.j2", "efl.test_accuracy", "efl.test_speed")
    run = snakemake(restored, f"{RESULTS}/paper.tex")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(r"abstract.tex.j2:\d+: there is no number 'efl.test_speed'", said)
    assert "Traceback" not in said


def test_a_figure_that_is_not_there_is_named_where_the_paper_is_finished(restored):
    edited(restored / "report/sections/efl.tex.j2", "{efl-weights}", "{efl-wieghts}")
    text = (restored / "report/sections/efl.tex.j2").read_text(encoding="utf-8")
    line = text[: text.index("{efl-wieghts}")].count("\n") + 1
    run = snakemake(restored, "-n")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        f"error: report/sections/efl.tex.j2:{line}: there is no figure efl-wieghts; "
        "did you mean efl-weights?"
    )
    assert "Traceback" not in run.stderr
    # What the paper is not in does not mind.
    assert planned(restored, f"{RESULTS}/figures/efl-weights.pdf") == []


def test_a_file_of_the_project_that_is_gone_is_named_where_the_paper_is_finished(restored):
    file = restored / "report/references.bib"
    content = file.read_bytes()
    file.unlink()
    run = snakemake(restored, "-n")
    file.write_bytes(content)
    assert run.returncode == 1
    said = "error: report/references.bib: this file of the project is not there"
    assert run.stderr.splitlines()[-1] == said


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


def test_every_figure_of_the_configuration_is_a_target(small_paper):
    run = snakemake(small_paper, "figures")
    assert run.returncode == 0, run.stdout + run.stderr
    drawn = {file.stem for file in (small_paper / RESULTS / "figures").glob("*.pdf")}
    for name, experiment in PAPER["experiments"].items():
        subjects = {"samples", "training", "projections", *experiment["projections"]}
        assert {f"{name}-{subject}" for subject in subjects} <= drawn
    assert "efl-code_frequency" in drawn  # of a measure


def test_every_number_and_figure_leads_back_to_what_made_it(small_paper):
    folder = small_paper / RESULTS
    ledger, config = (artifacts.read_json(folder / f"{name}.json") for name in ("ledger", "config"))
    assert ledger["numbers"].keys() == artifacts.read_json(folder / "numbers.json").keys()
    assert set(ledger["numbers"].values()) <= ledger["artifacts"].keys()
    known = ledger["artifacts"].keys() | ledger["data"].keys()
    for path, made in ledger["artifacts"].items():
        assert made["sha256"] == file_hash(folder / path)
        assert (small_paper / made["script"]).is_file()
        assert {made["script"], "pixelspace.runtime"} <= set(made["code"]) <= ledger["code"].keys()
        assert set(made["inputs"]) <= known
        for key in made["config"]:
            functools.reduce(operator.getitem, key.split("."), config)
    assert ledger["artifacts"]["mnist/0/measures/pruning.json"]["config"] == [
        "experiments.mnist.measures.pruning",
        "experiments.mnist.network",
        "seed",
    ]
    assert "report/claims.yaml" in ledger["artifacts"]["claims.json"]["inputs"]
    swept = [made for path, made in ledger["artifacts"].items() if path.startswith("points/jobs/")]
    assert swept
    for made in swept:
        assert {"pixelspace.networks.restarts", "pixelspace.datasets.efl"} <= set(made["code"])
    assert all(digest == file_hash(small_paper / path) for path, digest in ledger["data"].items())
    assert "data/efficientnet_lite0/weights.npz" in ledger["data"]

    pages = PdfReader(folder / "paper.pdf")
    entries = {name for name in pages.named_destinations if name.startswith("ledger:")}
    marks = [
        note.get_object()["/A"]["/D"]
        for page in pages.pages
        for note in page.get("/Annots", ())
        if "/A" in note.get_object() and "/D" in note.get_object()["/A"]
    ]
    marks = {mark for mark in marks if mark.startswith("ledger:")}
    figures = [path for path in ledger["artifacts"] if path.startswith("figures/")]
    assert len(entries) > len(figures) > 30
    # Of figures the pictures alone have a mark.
    assert marks == entries


def test_the_explorer_is_for_readers_and_not_a_part_of_the_paper(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    for_readers = {"make_explorer", "project_units"}
    assert for_readers <= rules(planned(folder, "readers"))
    assert not for_readers & rules(planned(folder))


def test_the_explorer_shows_all_that_is_projected(small_paper):
    folder = small_paper / RESULTS / "explorer"
    run = snakemake(small_paper, f"{RESULTS}/explorer/index.html")
    assert run.returncode == 0, run.stdout + run.stderr
    needed = {"index.html", "explorer.css", "explorer.js"}
    for name, experiment in PAPER["experiments"].items():
        needed |= {f"{name}.js", *(f"{name}-{own}.webp" for own in experiment["projections"])}
        needed |= {f"{name}-{figure}.png" for figure in ("samples", "training")}
    assert needed | {"efl-diagram.png"} <= {file.name for file in folder.iterdir()}
    for name in PAPER["experiments"]:
        text = (folder / f"{name}.js").read_text(encoding="utf-8")
        shown = json.loads(text.removeprefix("explorer.experiments.push(").removesuffix(");\n"))
        units = [unit for stage in shown["stages"] for unit in stage["units"]]
        for kinds in ({panel["kind"] for panel in unit["panels"]} for unit in units):
            assert all(kinds & {*alike} for alike in SHOWING.values()), name
        for image in filter(lambda image: image["tested"], shown["images"]):
            kinds = {panel["kind"] for panel in image["panels"]}
            assert kinds >= {*OF_IMAGES}, (name, image["name"])


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("figures/efl-wieghts.pdf", "figures/efl-weights.pdf"),
        # The experiment leaves it out, though others have it.
        ("figures/efl_large-attribution.pdf", "figures/efl-attribution.pdf"),
        ("mnist/0/measures/template.json", "mnist/0/measures/templates.json"),
        ("sweeps/noise_and_start.csv", "sweeps/noise_and_starts.csv"),
    ],
)
def test_a_target_that_the_configuration_has_not_is_refused(small_paper, target, meant):
    run = snakemake(small_paper, f"{RESULTS}/{target}")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        f"error: {RESULTS}/{target}: the configuration has nothing of this name; "
        f"did you mean {RESULTS}/{meant}?"
    )
    assert "Traceback" not in run.stderr


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
results: results-smoke
experiments:
  meme:
    dataset: {folder: {size: 64, test: 0.3, large_per_class: 1, large_size: 96}}
"""


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="there are no photographs beside the repository")
def test_the_paper_is_written_about_photographs(tmp_path, small_paper):
    # With what is there of the letters and the digits.
    folder = shutil.copytree(small_paper, tmp_path / "paper", symlinks=True)
    for name in ("dog", "muffin", "chicken"):
        (folder / "photos" / name).mkdir(parents=True)
        for photo in sorted((PHOTOS / name).iterdir())[:30]:
            (folder / "photos" / name / photo.name).symlink_to(photo)
    (folder / "few.yaml").write_text(FEW_PHOTOS)
    overlays = (SMOKE, "config/folder.yaml", "few.yaml")
    run = snakemake(folder, "--config", "photos=photos", overlays=overlays)
    assert run.returncode == 0, run.stdout + run.stderr
    # Read where no line or page is broken.
    text = " ".join((folder / RESULTS / "paper.tex").read_text(encoding="utf-8").split())
    text = re.sub(r"\\ledgermark\{[\d,]+\}\{([^{}]*)\}", r"\1", text)
    assert "90 photographs of the classes chicken, dog and muffin" in text
    assert "no measure of where a projection should point" in text
    made = artifacts.read_json(folder / RESULTS / "ledger.json")
    assert re.fullmatch("[0-9a-f]{64}", made["data"]["photos"])
    assert made["artifacts"]["meme/dataset.h5"]["inputs"] == ["photos"]
    assert "??" not in text_of(folder / RESULTS / "paper.pdf")
    assert not re.search(r"train the network of (efl|mnist)", run.stdout + run.stderr)


def test_a_sweep_computes_what_is_missing_or_failed_alone(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    store = folder / RESULTS / "points"

    def swept(rates: list[float]) -> str:
        grid = {"training.restarts.learning_rate": rates}
        efl = {"images_per_class": 60, "validation_per_class": 20, "test_per_class": 20}
        overlay = {
            "results": RESULTS,
            "experiments": {"efl": {"dataset": {"efl": efl}}},
            "sweeps": {"rates": {"experiment": "efl", "grid": grid}},
        }
        (folder / "rates.yaml").write_text(yaml.safe_dump(overlay))
        target = f"{RESULTS}/figures/sweep-rates.pdf"
        run = snakemake(folder, target, overlays=("rates.yaml",))
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    def times() -> dict[str, int]:
        return {file.name: file.stat().st_mtime_ns for file in store.glob("*.json")}

    swept([0.02, 0.03])
    first = times()
    assert len(first) == 2
    assert "Nothing to be done" in swept([0.02, 0.03])
    # One more, which diverges.
    said = swept([0.02, 0.03, 1e38])
    assert times() == first
    assert re.search(r"warning: network [0-9a-f]+ failed: training diverged: ", said)
    rows = list(csv.DictReader((folder / RESULTS / "sweeps/rates.csv").open()))
    assert [bool(row["error"]) for row in rows] == [False, False, True]
    # The next run tries it again, and it alone.
    again = swept([0.02, 0.03, 1e38])
    assert again.count("train and measure networks of the sweep rates-") == 1
    assert times() == first
    (failed,) = (store / "failed").glob("*.txt")
    assert failed.read_text().count("\n") == 2
    # Without it, what is left is known.
    swept([0.02, 0.03])
    assert times() == first


def test_a_sweep_that_is_to_show_what_nothing_measures_has_its_table_all_the_same(tmp_path):
    folder = copy_of_the_repository(tmp_path / "paper")
    efl = {"images_per_class": 60, "validation_per_class": 20, "test_per_class": 20}

    def shown(name: str, *arguments: str) -> subprocess.CompletedProcess:
        rates = {
            "experiment": "efl",
            "grid": {"training.restarts.learning_rate": [0.02]},
            "measures": ["letter_parts"],
            "shows": f"letter_parts.{name}",
        }
        overlay = {
            "results": RESULTS,
            "experiments": {"efl": {"dataset": {"efl": efl}}},
            "sweeps": {"rates": rates},
        }
        (folder / "rates.yaml").write_text(yaml.safe_dump(overlay))
        target = f"{RESULTS}/sweeps/rates.json"
        return snakemake(folder, target, *arguments, overlays=("rates.yaml",))

    mistaken = shown("node1_cosin")
    assert mistaken.returncode == 1
    assert (
        "sweeps.rates.shows: no network has a number 'letter_parts.node1_cosin'; "
        "did you mean 'letter_parts.node1_cosine'?"
    ) in mistaken.stdout + mistaken.stderr
    (row,) = csv.DictReader((folder / RESULTS / "sweeps/rates.csv").open())
    mended = shown("node1_cosine")
    assert mended.returncode == 0
    assert "[1/1]" in mended.stdout + mended.stderr
    (point,) = artifacts.read_json(folder / RESULTS / "sweeps/rates.json")["points"]
    assert point["mean"] == float(row["letter_parts.node1_cosine"])


@pytest.mark.parametrize(("networks", "minutes"), [(3, 35), (40, 220)])
def test_a_job_of_a_sweep_asks_for_as_much_time_as_its_networks_need(tmp_path, networks, minutes):
    folder = copy_of_the_repository(tmp_path / "paper")
    rates = [0.02 + 0.001 * number for number in range(networks)]
    sweep = {"experiment": "efl", "grid": {"training.restarts.learning_rate": rates}}
    overlay = {"results": RESULTS, "points_per_job": 100, "sweeps": {"rates": sweep}}
    (folder / "rates.yaml").write_text(yaml.safe_dump(overlay))
    # In the place of its message Snakemake says what a step asks for.
    message = '    message:\n        "train and measure networks of the sweep {wildcards.points}"\n'
    edited(folder / "workflow/rules/sweep.smk", message, "")
    slurm = ("--workflow-profile", "profiles/slurm", "--executor", "local")
    target = f"{RESULTS}/sweeps/rates.csv"
    plan = snakemake(folder, target, "-n", "--verbose", *slurm, overlays=("rates.yaml",))
    (asked,) = re.findall(r"^ *rule compute_points:.*?resources: (.*?)$", plan.stdout, re.M | re.S)
    assert f"runtime={minutes}" in asked.split(", ")
