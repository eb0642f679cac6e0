"""What the three networks of the default paper must reach; run after `make paper` and
`snakemake figures readers`.

make test TESTS=tests/acceptance.py
"""

import re
import unicodedata
from pathlib import Path
from statistics import mean

import pytest
import yaml
from browsing import DESKTOP, PHONE, chromium, cut_off, faults, go, opened, overflows, views
from pypdf import PdfReader

from pixelspace import config as configuration
from pixelspace.artifacts import read_json, write_text
from pixelspace.report import claims, latex, template

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
RESULTS = ROOT / CONFIG["results"]


def results_of(experiment: str) -> list[dict]:
    """The test results of every replicate of an experiment."""
    replicates = CONFIG["experiments"][experiment]["replicates"]
    return [
        read_json(RESULTS / experiment / str(replicate) / "training.json")["test"]
        for replicate in range(replicates)
    ]


def test_efl_makes_no_error_and_its_nodes_are_the_parts_of_letters():
    (test,) = results_of("efl")
    assert test["accuracy"] == 1
    assert test["errors"] == test["ties"] == 0
    parts = read_json(RESULTS / "efl/0/measures/letter_parts.json")
    assert parts["node1_cosine"] >= 0.9
    assert parts["node2_cosine"] >= 0.9


def test_mnist_reaches_its_mean_accuracy_on_all_ten_thousand_test_digits():
    tests = results_of("mnist")
    assert len(tests) == 5
    assert all(test["images"] == 10_000 for test in tests)
    assert mean(test["accuracy"] for test in tests) >= 0.993


def test_meme_is_learnt_and_not_too_easy():
    (test,) = results_of("meme")
    assert 0.95 <= test["accuracy"] <= 0.99
    assert test["errors"] >= 10


@pytest.fixture(scope="module")
def pages() -> list[str]:
    return [page.extract_text() for page in PdfReader(RESULTS / "paper.pdf").pages]


def test_the_paper_is_complete(pages):
    assert len(pages) >= 6
    assert not any("??" in page for page in pages)


def letters(text: str) -> str:
    return re.sub("[^a-z]", "", unicodedata.normalize("NFKD", text).lower())


def plain_parts(sentence: str) -> list[str]:
    """The letters of those parts of a LaTeX sentence that are printed as they stand."""
    commands = r"\\cite\w*(?:\[[^]]*\])*\{[^}]*\}|\\ensuremath\{[^}]*\}|\$[^$]*\$|\\\w+|[{}~]"
    return [letters(part) for part in re.split(commands, sentence) if len(letters(part)) > 8]


def is_printed(sentence: str, text: str) -> bool:
    """Tell whether the letters of a text have all of a sentence; a page may end within a part."""
    return all(
        any(part[:i] in text and part[i:] in text for i in range(len(part)))
        for part in plain_parts(sentence)
    )


def flipped(numbers: dict, config: dict) -> dict:
    """The claims, each as it would be if its number lay on the other side of its bound."""
    path = ROOT / "report/claims.yaml"
    found = {}
    for name, own in claims.check(path, numbers, config).items():
        bounds = own["bounds"].values()
        tries = (value + step for value in bounds for step in (-1e6, 0, 1e6))
        others = (
            claims.check(path, numbers | {own["number"]: {"value": value}}, config)[name]
            for value in tries
        )
        found[name] = next(other for other in others if other["holds"] != own["holds"])
    return found


def test_every_claim_is_in_the_paper_and_its_opposite_where_that_is_true(pages, tmp_path):
    numbers = read_json(RESULTS / "numbers.json")
    loaded = configuration.load(CONFIG, [str(ROOT / "config/config.yaml")], {})
    config = loaded.model_dump(exclude={"photos", "figures", "results"})
    checked = read_json(RESULTS / "claims.json")
    assert len(checked) >= 25
    text = letters("".join(pages))
    for name, found in checked.items():
        assert is_printed(found["sentence"], text), name
    opposite = flipped(numbers, config)
    tex = template.render(
        ROOT / "report/paper.tex.j2",
        numbers=numbers,
        claims=opposite,
        config=config,
        class_names={
            name: list(chosen.dataset.chosen.classes) for name, chosen in loaded.experiments.items()
        },
        sweeps={name: read_json(RESULTS / f"sweeps/{name}.json") for name in loaded.sweeps},
        ledger=read_json(RESULTS / "ledger.json"),
        lock=ROOT / "requirements.txt",
    )
    write_text(tmp_path / "paper.tex", tex)
    latex.compile_pdf(
        tmp_path / "paper.tex",
        bibliography=ROOT / "report/references.bib",
        figures=sorted((RESULTS / "figures").glob("*.pdf")),
        pdf=tmp_path / "paper.pdf",
    )
    text = letters("".join(p.extract_text() for p in PdfReader(tmp_path / "paper.pdf").pages))
    for name, found in opposite.items():
        assert is_printed(found["sentence"], text), name
    marked = sum(not found["holds"] for found in opposite.values())
    assert text.count("claimcfails") == marked


def test_every_network_has_a_contact_sheet():
    for name in CONFIG["experiments"]:
        (page,) = PdfReader(RESULTS / f"figures/{name}-projections.pdf").pages
        assert "gradient" in page.extract_text()


def test_the_explorer_opens_in_a_second_and_shows_each_unit_and_image():
    file = RESULTS / "explorer/index.html"
    with chromium() as browser, opened(browser, file, size=PHONE) as page:
        taken = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        assert page.evaluate(taken) < 1000
        named = {link.split("&")[0].removeprefix("#network=") for link in views(page)}
        assert named == set(CONFIG["experiments"])
        for link in views(page):
            go(page, link)
            assert page.locator("#said").inner_text() == "", link
            assert not overflows(page), link
        for name in CONFIG["experiments"]:
            for look in ("unit", "image", "network"):
                go(page, f"#network={name}&look={look}")
                assert faults(page) == [], (name, look)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_paper_reads_well_in_a_browser(size, scheme):
    file = RESULTS / "paper.html"
    with chromium() as browser, opened(browser, file, size=size, scheme=scheme) as page:
        assert faults(page) == []
        assert not overflows(page)
        assert size == PHONE or cut_off(page) == []
