"""The recipe for a paper of one's own: the files on its page, in a copy of the repository."""

import json
import os
import re
import shutil

import pytest
from pypdf import PdfReader
from repository import RESULTS, ROOT, SMOKE, snakemake

PAGE = ROOT / "docs/own-paper.md"


def files() -> dict[str, str]:
    """The files of the page by their paths, which are in the first line of each."""
    blocks = re.findall(r"^```\w+\n[#%] (\S+)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    return dict(blocks)


@pytest.fixture(scope="module")
def own_paper(small_paper, tmp_path_factory):
    """A copy of the repository and of what is built there, with these files."""
    folder = tmp_path_factory.mktemp("own") / "paper"
    shutil.copytree(small_paper, folder, symlinks=True)
    for path, text in files().items():
        file = folder / path
        before = file.read_text("utf-8") if file.exists() else ""
        file.write_text(before + text, encoding="utf-8")
    run = snakemake(folder, overlays=(SMOKE, "my.yaml"))
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.mark.skipif(
    not (shutil.which("latexmk") or shutil.which("tectonic")) and "CI" not in os.environ,
    reason="neither latexmk nor tectonic is installed",
)
def test_a_data_set_a_network_a_projection_and_a_figure_are_a_file_each(own_paper):
    pages = PdfReader(own_paper / RESULTS / "paper.pdf").pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    found = re.search(r"tells discs from rings in ([\d.]+) % of the test images", text)
    assert float(found[1]) > 80
    assert re.search(r"What excites four filters on average over 200 test images", text)
    assert (own_paper / RESULTS / "figures/rounds-answers.pdf").is_file()
    assert "efl" in text  # the rest of the paper is there, too


def test_the_explorer_shows_what_is_brought(own_paper):
    run = snakemake(own_paper, f"{RESULTS}/explorer/index.html", overlays=(SMOKE, "my.yaml"))
    assert run.returncode == 0, run.stdout + run.stderr
    text = (own_paper / RESULTS / "explorer/rounds.js").read_text("utf-8")
    rounds = json.loads(text.removeprefix("explorer.experiments.push(").removesuffix(");\n"))
    (panel,) = rounds["panels"]
    assert (panel["title"], panel["layer"]) == ("reverse correlation", "relu1")
    assert len(panel["pictures"]) == 4


def test_the_recipe_has_a_file_of_each_sort():
    assert {path.rpartition("/")[0] for path in files()} == {
        *(f"src/pixelspace/{part}" for part in ("datasets", "networks", "projections", "figures")),
        *("", "report/sections"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{source: round}", "source: should be 'efl', .* or 'rounds'"),
        ("{source: rounds, rounds: {sizes: 9}}", "rounds.sizes: unknown key; .*'size'"),
    ],
)
def test_what_is_brought_is_checked_like_all_else(own_paper, text, message):
    file = own_paper / "mistaken.yaml"
    mine = (own_paper / "my.yaml").read_text("utf-8")
    file.write_text(re.sub(r"dataset: .*", f"dataset: {text}", mine), encoding="utf-8")
    run = snakemake(own_paper, "-n", overlays=(SMOKE, "mistaken.yaml"))
    assert run.returncode == 1
    assert re.search(rf"mistaken.yaml:\d+: experiments.rounds.dataset.{message}", run.stderr)
