"""What the README tells people to open, edit and run is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BUILT = (".venv", "results", "my", "figures")


def test_links_lead_to_files():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_files_and_folders_named_are_there():
    named = set(re.findall(r"(?:[\w.-]+/)*[\w.-]+(?:/|\.(?:yaml|yml|txt|py|md))", README))
    own = {name for name in named if not name.startswith(BUILT)}
    assert {"config/folder.yaml", "report/", "environment.yml", "tests/acceptance.py"} <= own
    places = (ROOT, ROOT / "config")
    assert [name for name in own if not any((place / name).exists() for place in places)] == []


def test_make_knows_the_targets():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    asked = re.findall(r"`make ([\w-]+)", README)
    assert asked
    assert set(asked) <= set(targets)


def test_the_figure_asked_for_is_one_of_the_papers():
    (figure,) = set(re.findall(r"results/figures/(\w+-\w+)\.pdf", README))
    experiment, subject = figure.split("-")
    merged = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    assert subject in merged["experiments"][experiment]["projections"]


@pytest.mark.parametrize("folder", ["config", "report", "src/pixelspace", "scripts", "workflow"])
def test_the_table_of_folders_names_each(folder):
    assert f"| `{folder}/`" in README
