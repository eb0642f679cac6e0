"""What the README tells people to open, edit and run is there."""

import re
from pathlib import Path

import pytest
import yaml

from pixelspace import config

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


def test_what_goes_around_make_says_that_a_configuration_can_hold_code():
    folders = ("config", "docs", "profiles")
    texts = [ROOT / "README.md", *(file for name in folders for file in (ROOT / name).rglob("*.*"))]
    texts = [file for file in texts if file.suffix in (".md", ".yaml")]
    around = [file for file in texts if "--configfile" in file.read_text(encoding="utf-8")]
    assert len(around) >= 5
    command = "PYTHONPATH=src .venv/bin/python tools/read_config.py "
    assert [file for file in around if command not in file.read_text(encoding="utf-8")] == []


def test_what_has_other_bytes_each_time_is_named():
    (named,) = re.findall(r"all bytes should be the same, but for (.*?)\.\s", README, re.S)
    assert set(re.findall(r"`results/(.*?)`", named)) == {"machine/", "logs/", "report.html"}


def test_make_knows_the_targets():
    rules = re.findall(r"^([\w -]+):(?!=)", (ROOT / "Makefile").read_text(), re.M)
    targets = {target for rule in rules for target in rule.split()}
    asked = re.findall(r"`make ([\w-]+)", README)
    assert asked
    assert set(asked) <= targets


def test_figures_asked_for_are_those_of_the_paper_and_the_one_line_that_is_added():
    paper = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    (line,) = re.findall(r"say `(mine: [^`]+)` under `mnist`", README)
    paper["experiments"]["mnist"]["projections"] |= yaml.safe_load(line)
    loaded = config.load(paper).experiments
    asked = re.findall(r"results/figures/(\w+)-(\w+)\.pdf", README)
    assert len(asked) >= 2
    assert [pair for pair in asked if pair[1] not in loaded[pair[0]].projections] == []


def test_the_notebook_runs():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    names = {}
    exec(code, names)
    assert names["maps"].shape == (4, 32, 32, 3)
    assert names["made"].shape == (2, 32, 32, 3)


@pytest.mark.parametrize("folder", ["config", "report", "src/pixelspace", "scripts", "workflow"])
def test_the_table_of_folders_names_each(folder):
    assert f"| `{folder}/`" in README
