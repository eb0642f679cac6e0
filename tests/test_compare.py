"""Comparing builds: what differs is found, said and shown, and bad input has one line."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from pypdf import PdfWriter

from pixelspace import artifacts
from pixelspace import config as configuration
from pixelspace.report import compare
from pixelspace.report.compare import ABSENT

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "report/compare.html.j2"
BASE = {
    "config": {
        "seed": 1,
        "experiments": {
            "efl": {"epochs": 5, "units": [0, 1], "projections": {"weights": {}}, "measures": {}}
        },
    },
    "numbers": {"accuracy": 0.5, "errors": 0, "share": 0.25},
    "claims": {"works": (True, r"It is \ensuremath{99.0}\,\%.")},
    "figures": {"efl-samples": (0, "Some letters.")},
    "pages": 2,
}


def made(folder: Path, **changes) -> Path:
    """A small folder of results: figures are squares of one grey."""
    content = BASE | changes
    folder.mkdir()
    artifacts.write_json(folder / "config.json", content["config"])
    numbers = {name: {"value": v, "artifact": "a.json"} for name, v in content["numbers"].items()}
    artifacts.write_json(folder / "numbers.json", numbers)
    of_share = {
        "number": "share",
        "value": content["numbers"].get("share", 1.0),
        "bounds": {"above": 0.0},
    }
    claims = {
        name: {"holds": h, "sentence": s, **of_share} for name, (h, s) in content["claims"].items()
    }
    artifacts.write_json(folder / "claims.json", claims)
    (folder / "figures").mkdir()
    for name, (grey, alt) in content["figures"].items():
        with artifacts.written(folder / f"figures/{name}.png") as file:
            Image.fromarray(np.full((4, 4, 3), grey, np.uint8)).save(file)
        artifacts.write_text(folder / f"figures/{name}.txt", f"{alt}\n")
        artifacts.write_text(folder / f"figures/{name}.pdf", f"{name} {grey}")
    if content["pages"]:
        writer = PdfWriter()
        for _ in range(content["pages"]):
            writer.add_blank_page(100, 100)
        with artifacts.written(folder / "paper.pdf") as file:
            writer.write(file)
    return folder


def run(*folders) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tools/compare.py", *folders]
    environment = {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def found(tmp_path, **changes) -> compare.Comparison:
    folders = made(tmp_path / "a"), made(tmp_path / "b", **changes)
    return compare.compare(*map(compare.read, folders))


def test_builds_that_are_the_same_say_so_in_one_line(tmp_path):
    done = run(made(tmp_path / "a"), made(tmp_path / "b"))
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert "the same configuration, 3 numbers, 1 verdict, 1 figure and the same paper" in line
    assert not (tmp_path / "b/compare.html").exists()


def test_what_an_earlier_comparison_found_is_gone_where_nothing_differs(tmp_path):
    a, b = made(tmp_path / "a"), made(tmp_path / "b", numbers={"accuracy": 0.75})
    assert run(a, b).returncode == 1
    artifacts.write_text(b / "numbers.json", (a / "numbers.json").read_text(encoding="utf-8"))
    assert run(a, b).returncode == 0
    assert list(b.rglob("compare.html")) == []


def test_builds_that_differ_have_a_summary_and_a_page(tmp_path):
    done = run(made(tmp_path / "a"), made(tmp_path / "b", numbers={"accuracy": 0.75}))
    assert done.returncode == 1
    assert done.stderr == ""
    page = Path(done.stdout.splitlines()[-1].removeprefix("figures side by side: "))
    assert page == tmp_path / "b/compare.html"
    assert artifacts.checked(page).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_keys_of_the_configuration(tmp_path):
    own = BASE["config"]["experiments"]["efl"]
    other = {"seed": 1, "experiments": {"efl": {**own, "epochs": 7, "units": [0]}}}
    other["experiments"]["efl"]["measures"] = {"m": 1}
    assert found(tmp_path, config=other).config == (
        compare.Change("experiments.efl.epochs", "5", "7"),
        compare.Change("experiments.efl.measures.m", ABSENT, "1"),
        compare.Change("experiments.efl.units", "[0, 1]", "[0]"),
    )


def test_an_experiment_that_only_one_has_is_one_line(tmp_path):
    experiments = BASE["config"]["experiments"]
    more = {"seed": 1, "experiments": {**experiments, "mine": experiments["efl"]}}
    assert found(tmp_path, config=more).config == (
        compare.Change("experiments.mine", ABSENT, "there"),
    )


def test_numbers_stand_by_their_relative_difference(tmp_path):
    other = {"accuracy": 0.4, "errors": 3, "share": -0.25, "more": 1}
    changed = found(tmp_path, numbers=other)
    assert [(c.name, c.relative) for c in changed.numbers] == [
        ("errors", pytest.approx(1)),
        ("share", pytest.approx(-2)),
        ("accuracy", pytest.approx(-0.2)),
    ]
    lines = compare.summary(changed)
    assert "    share: 0.25 → -0.25   -0.5   -200.0%" in lines
    assert (
        "numbers: 3 differ, 0 are equal, 1 only in B; the largest relative differences first, "
        "where a change of sign counts as 100 %"
    ) in lines


def test_a_long_list_is_cut_with_a_count(tmp_path):
    many = {f"n{i:02}": i for i in range(1, 31)}
    a = compare.read(made(tmp_path / "a", numbers=many))
    b = compare.read(made(tmp_path / "b", numbers={name: 2 * v for name, v in many.items()}))
    lines = compare.summary(compare.compare(a, b))
    assert sum("→" in line for line in lines) == compare.LISTED
    assert "    … and 10 more" in lines
    assert compare.page(compare.compare(a, b), TEMPLATE).count("+50.0 %") == 30


def test_claims_whose_verdict_differs_have_both_sentences(tmp_path):
    claims = {"works": (False, r"It is \ensuremath{9.0}\,\%~\citep{a,b}."), "new": (True, "New.")}
    lines = compare.summary(found(tmp_path, claims=claims))
    at = lines.index("claims: 2 verdicts differ")
    assert lines[at + 1 : at + 6] == [
        "    new: absent → holds",
        "        B: New.",
        "    works: holds → fails",
        "        A: It is 99.0 %.",
        "        B: It is 9.0 %.",
    ]


def test_a_claim_with_another_number_and_the_same_verdict_is_none(tmp_path):
    claims = {"works": (True, r"It is \ensuremath{98.0}\,\%.")}
    assert found(tmp_path, claims=claims).claims == ()


def test_figures_that_differ_appear_or_vanish(tmp_path):
    changed = found(tmp_path, figures={"efl-weights": (0, "Weights.")})
    assert changed.figures == compare.Names((), (), ("efl-samples",), ("efl-weights",))
    other_words = made(tmp_path / "c", figures={"efl-samples": (0, "Other letters.")})
    again = compare.compare(compare.read(tmp_path / "a"), compare.read(other_words))
    assert again.figures.differ == ("efl-samples",)


def test_what_an_earlier_configuration_left_is_not_compared(tmp_path):
    config = {**BASE["config"], "sweeps": {"rates": {}}}
    folders = [made(tmp_path / name, config=config) for name in "ab"]
    point = {"varied": {"a": 1}, "errors": []}
    for name in ("rates", "old"):
        swept = {"shows": "x", "points": [{**point, "mean": 1.0}]}
        artifacts.write_json(folders[0] / f"sweeps/{name}.json", swept)
        swept["points"][0]["mean"] = 2.0
        artifacts.write_json(folders[1] / f"sweeps/{name}.json", swept)
    for name in ("old-samples", "efl-old", "sweep-old"):
        for suffix in ("png", "pdf", "txt"):
            artifacts.write_text(folders[1] / f"figures/{name}.{suffix}", "old")
    changed = compare.compare(*map(compare.read, folders))
    assert [number.name for number in changed.numbers] == ["rates: x at a = 1"]
    assert changed.figures.changed == ()


@pytest.mark.parametrize(
    ("pages", "said"), [(3, "paper: 2 pages → 3 pages"), (0, "paper: 2 pages → none")]
)
def test_pages_of_the_paper(tmp_path, pages, said):
    assert said in compare.summary(found(tmp_path, pages=pages))


def test_a_paper_whose_text_alone_differs_is_another(tmp_path):
    a, b = made(tmp_path / "a"), made(tmp_path / "b")
    with artifacts.written(b / "paper.pdf") as file:
        file.write_bytes((a / "paper.pdf").read_bytes() + b"% other\n")
    changed = compare.compare(compare.read(a), compare.read(b))
    assert not changed.same
    assert "paper: 2 pages in both, but not the same" in compare.summary(changed)


def test_claims_without_a_paper_are_compared(tmp_path):
    a, b = (made(tmp_path / name, pages=0, figures={}) for name in "ab")
    (line,) = compare.summary(compare.compare(compare.read(a), compare.read(b)))
    assert line.endswith("1 verdict, 0 figures")


def pictures(page: str) -> list[np.ndarray]:
    uris = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(uri)))) for uri in uris]


def test_the_page_has_both_pictures_and_where_they_differ(tmp_path):
    page = compare.page(found(tmp_path, figures={"efl-samples": (255, "White.")}), TEMPLATE)
    a, b, between = pictures(page)
    assert a.max() == 0
    assert b.min() == 255
    assert between.max() == 0
    assert "100.0 % of the pixels differ" in page
    assert 'alt="Some letters."' in page
    assert 'alt="White."' in page


def test_the_page_stands_alone_and_what_is_in_it_is_escaped(tmp_path):
    bad = '"><script>alert(1)</script>&'
    changes = {
        "config": {**BASE["config"], bad: bad},
        "numbers": {bad: 1},
        "claims": {bad: (False, bad)},
        "figures": {"efl-samples": (9, bad)},
    }
    page = compare.page(found(tmp_path, **changes), TEMPLATE)
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|@import|https?:", page)
    assert "&lt;script&gt;" in page


def test_where_two_pictures_differ_computed_by_hand(tmp_path):
    one = np.zeros((1, 3, 3), np.uint8)
    other = one.copy()
    other[0, 1] = 0, 255, 0
    other[0, 2] = 1, 0, 0
    for name, image in (("one", one), ("other", other), ("wide", np.zeros((1, 4, 3), np.uint8))):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    seen = compare.difference(tmp_path / "one.png", tmp_path / "other.png")
    # The square root of 1/255 is 16/255, rounded up.
    assert seen.tolist() == [[255, 0, 239]]
    assert compare.difference(tmp_path / "one.png", tmp_path / "wide.png") is None


def test_sentences_of_the_paper_become_plain():
    sentences = yaml.safe_load((ROOT / "report/claims.yaml").read_text(encoding="utf-8")).values()
    for claim in sentences:
        for key in ("holds", "fails"):
            assert not re.search(r"[\\{}$~]", compare.plain(claim[key])), claim[key]
    assert compare.plain(r"About~\ensuremath{5}\,\% of $x$~\citep[p.~1]{a}.") == "About 5 % of x."


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: folder.rename(folder.with_name("c")), "b: there is no such folder"),
        (lambda folder: (folder / "config.json").unlink(), "b: not a complete folder of results"),
        (
            lambda folder: (folder / "numbers.json").write_text("{}"),
            "numbers.json: changed since it was built",
        ),
        (
            lambda folder: (folder / "figures/efl-samples.png").write_bytes(b""),
            "efl-samples.png: changed since it was built",
        ),
        (lambda folder: (folder / "figures/efl-samples.txt").unlink(), "efl-samples.txt: missing"),
        (lambda folder: (folder / "paper.pdf").write_bytes(b""), "paper.pdf: changed since"),
    ],
)
def test_bad_input_has_one_line(tmp_path, spoil, message):
    a, b = made(tmp_path / "a"), made(tmp_path / "b")
    spoil(b)
    done = run(a, b)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


@pytest.mark.parametrize("arguments", [(), ("results",), ("results", "")])
def test_both_folders_must_be_named(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: name two folders of results")


# The record of the configuration ----------------------------------------------------------------


def recorded(**changes) -> dict:
    path = ROOT / "config/config.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    return configuration.recorded(configuration.load(content))


def test_where_results_lie_and_how_figures_are_drawn_is_not_recorded():
    other = recorded(results="results-other", photos="photos", figures={"screen_dpi": 50})
    assert recorded() == other
    assert recorded(seed=1) != other


def test_no_path_of_the_machine_is_recorded(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        (tmp_path / "photos" / label / "1.jpg").touch()
    weights = tmp_path / "weights.npz"
    weights.touch()
    content = {
        "photos": str(tmp_path / "photos"),
        "experiments": {
            "meme": {
                "dataset": {"source": "folder", "git": {"repository": f"file://{tmp_path}/set"}},
                "network": {"kind": "efficientnet"},
                "training": {"recipe": "transfer", "transfer": {"weights": str(weights)}},
            }
        },
    }
    record = configuration.recorded(configuration.load(content))
    assert str(tmp_path) not in str(record)
    own = record["experiments"]["meme"]
    assert own["training"]["transfer"]["weights"] == "weights.npz"
    assert own["dataset"]["git"]["repository"] == "set"
