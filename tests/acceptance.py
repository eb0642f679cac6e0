"""What the three networks of the default paper must reach; run after `make paper` and
`snakemake figures readers`.

make test TESTS=tests/acceptance.py
"""

import html
import json
import re
import unicodedata
from pathlib import Path
from statistics import mean
from typing import NamedTuple
from urllib.parse import parse_qs

import pytest
import yaml
from browsing import DESKTOP, PHONE, chromium, cut_off, faults, go, opened, overflows, views
from pypdf import PageObject, PdfReader

from pixelspace import config as configuration
from pixelspace.artifacts import read_json, write_text
from pixelspace.report import claims, latex, template
from pixelspace.report.wording import BRACED
from pixelspace.units import OF_IMAGES, SHOWING

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


class Piece(NamedTuple):
    """Text that a page has in one font and size."""

    text: str
    font: str
    size: float

    @property
    def is_running(self) -> bool:
        """Tell whether it is running text, which no float, table or number in the margin is."""
        return self.font.startswith("LMRoman10") and round(self.size) == 10

    @property
    def is_heading(self) -> bool:
        """Tell whether it is of the heading of a section or of a part of one."""
        return self.font == "LMRoman12-Bold"


def pieces(pdf: Path) -> list[list[Piece]]:
    """What each page of a paper has, as TeX put it there: floats at its top, text, floats below."""
    return [pieces_of(page) for page in PdfReader(pdf).pages]


def pieces_of(page: PageObject) -> list[Piece]:
    found = []

    def keep(text, _matrix, _text_matrix, font, size):
        if text.strip():
            found.append(Piece(text, (font or {}).get("/BaseFont", "").split("+")[-1], size))

    page.extract_text(visitor_text=keep)
    return found


@pytest.fixture(scope="module")
def paper() -> list[list[Piece]]:
    return pieces(RESULTS / "paper.pdf")


def test_the_paper_is_complete(paper):
    assert not any("??" in "".join(piece.text for piece in page) for page in paper)


def test_the_body_is_as_long_as_a_paper_may_be(paper):
    assert 12 <= pages_of_the_body(paper) <= 18


def pages_of_the_body(paper: list[list[Piece]]) -> int:
    """The last page with text before the references, or 0 if there are none."""
    last = 0
    for number, page in enumerate(paper, 1):
        for piece in page:
            if piece.is_heading and piece.text.strip() == "References":
                return last
            if piece.is_running and has_words(piece.text):
                last = number
    return 0


def test_no_heading_is_the_last_line_of_a_page(paper):
    assert sum(piece.is_heading for page in paper for piece in page) >= 20
    assert [number for number, page in enumerate(paper, 1) if ends_with_heading(page)] == []


def ends_with_heading(page: list[Piece]) -> bool:
    """Tell whether nothing but floats and the page's number is below a page's last heading.

    What a figure says itself is set in other fonts than the paper's.
    """
    headings = [place for place, piece in enumerate(page) if piece.is_heading]
    if not headings:
        return False
    below = "".join(piece.text for piece in page[headings[-1] + 1 :] if piece.font.startswith("LM"))
    return not has_words(re.split(r"(?:Figure|Table) \d+:", below)[0])


def test_no_line_sticks_out_by_more_than_two_points():
    log = (RESULTS / "logs/compile_paper.log").read_text(encoding="utf-8")
    assert "paper.pdf" in log
    assert sticking_out(log) == []


def sticking_out(log: str) -> list[str]:
    """What TeX says of boxes that are too large by 2 pt; its last run alone had all references."""
    last = log.rpartition("This is pdfTeX")[2]
    boxes = re.findall(r"(Overfull \\[hv]box \(([\d.]+)pt too .*)", last)
    return [said for said, points in boxes if float(points) > 2]


def has_words(text: str) -> bool:
    return any(character.isalpha() for character in text)


def letters(text: str) -> str:
    """The letters of a text and its full stops, since one sentence may begin like another."""
    return re.sub("[^a-z.]", "", unicodedata.normalize("NFKD", text).lower())


def running_letters(paper: list[list[Piece]]) -> str:
    """The letters of the text, in one run: neither lines nor pages, nor what is on them, cut it."""
    return "".join(letters(piece.text) for page in paper for piece in page if piece.is_running)


def is_printed(sentence: str, text: str) -> bool:
    """Tell whether the letters of a text have a LaTeX sentence, all of it in a row.

    In the place of a citation or a formula other letters may be, fewer than its source has.
    """
    # Of a number nothing is left: TeX takes its point from a font of formulas.
    sentence = re.sub(r"\\ensuremath\{[^}]*\}", "", sentence)
    parts = re.split(r"(\\cite\w*(?:\[[^]]*\])*\{[^}]*\}|\$[^$]*\$)", sentence)
    pattern = "".join(
        f"[a-z.]{{0,{len(part)}}}" if place % 2 else re.escape(letters(re.sub(r"\\\w+", "", part)))
        for place, part in enumerate(parts)
    )
    return re.search(pattern, text) is not None


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


def test_every_claim_is_in_the_paper_and_its_opposite_where_that_is_true(paper, tmp_path):
    numbers = read_json(RESULTS / "numbers.json")
    loaded = configuration.load(CONFIG, [str(ROOT / "config/config.yaml")], {})
    config = loaded.model_dump(exclude={"photos", "figures", "results"})
    checked = read_json(RESULTS / "claims.json")
    assert len(checked) >= 25
    opposite = flipped(numbers, config)
    assert_only(checked, opposite, running_letters(paper))
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
    assert_only(opposite, checked, running_letters(pieces(tmp_path / "paper.pdf")))


def assert_only(true: dict, untrue: dict, text: str) -> None:
    """Assert that a text has each claim's true sentence and not the other, and marks what fails."""
    assert true.keys() == untrue.keys()
    assert [name for name in true if not is_printed(true[name]["sentence"], text)] == []
    assert [name for name in untrue if is_printed(untrue[name]["sentence"], text)] == []
    assert text.count("claimcfails") == sum(not found["holds"] for found in true.values())


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


def test_each_unit_and_image_is_shown_by_every_method():
    for name in CONFIG["experiments"]:
        text = (RESULTS / f"explorer/{name}.js").read_text(encoding="utf-8")
        shown = json.loads(text.removeprefix("explorer.experiments.push(").removesuffix(");\n"))
        assert any(image["tested"] for image in shown["images"]), name
        for image in shown["images"]:
            assert re.fullmatch(r"(test|large) image \d+", image["name"]), (name, image["name"])
            own = (panel for panel in image["panels"] if panel["title"] != "caricature")
            lacking = set(OF_IMAGES) - {panel["kind"] for panel in own}
            assert not (image["tested"] and lacking), (name, image["name"], lacking)
        for stage in shown["stages"]:
            for unit in stage["units"]:
                kinds = {panel["kind"] for panel in unit["panels"]}
                lacking = [kind for kind, alike in SHOWING.items() if not kinds & {*alike}]
                assert lacking == [], (name, stage["name"], unit["number"])


FLOAT = re.compile(
    rf"\\paperfigure{BRACED}{BRACED}|\\begin\{{table\}}.*?\\end\{{table\}}", re.DOTALL
)
CAPTION = re.compile(rf"\\(?:caption|paperfigure{BRACED})\{{([\w ,:\n]+)")


def links_of(page: PageObject) -> set[str]:
    """The places in the paper that a page has links to."""
    links = (note.get_object() for note in page.get("/Annots", ()))
    return {str(link.get("/A", {}).get("/D") or link.get("/Dest")) for link in links}


def test_numbers_in_captions_and_tables_have_marks_that_lead_to_the_ledger():
    pages = PdfReader(RESULTS / "paper.pdf").pages
    texts = [" ".join(page.extract_text().split()) for page in pages]
    seen = 0
    for found in FLOAT.finditer((RESULTS / "paper.tex").read_text(encoding="utf-8")):
        entries = re.findall(r"\\ledgermark\{([\d,]+)\}", found[0])
        places = {f"ledger:{place}" for some in entries for place in some.split(",")}
        if places:
            words = re.escape(" ".join(CAPTION.search(found[0])[1].split()))
            begins = re.compile(rf"(Figure|Table) \d+: {words}".replace(r"\ ", " ?"))
            on = [
                links_of(page)
                for page, text in zip(pages, texts, strict=True)
                if begins.search(text)
            ]
            assert any(places <= links for links in on), (words, places, on)
            seen += 1
    assert seen > 30


def test_each_figure_on_the_web_has_a_link_to_the_explorer():
    text = (RESULTS / "paper.html").read_text(encoding="utf-8")
    captions = re.findall(r'<img src="figures/.*?</figcaption>', text, re.DOTALL)
    assert len(captions) > 30
    assert [caption for caption in captions if 'class="look"' not in caption] == []


def test_each_figure_of_a_projection_is_where_its_link_to_the_explorer_leads():
    text = (RESULTS / "paper.html").read_text(encoding="utf-8")
    found = re.findall(r'<a class="look" href="explorer/index.html(#[^"]+)"', text)
    links = dict.fromkeys(html.unescape(link) for link in found)
    with chromium() as browser, opened(browser, RESULTS / "explorer/index.html") as page:
        for link in links:
            go(page, link)
            assert page.locator("#said").inner_text() == "", link
            name = parse_qs(link.removeprefix("#")).get("projection", [""])[0]
            assert not name or page.locator(f"article[data-projection='{name}']").count(), link
    assert sum("&projection=" in link for link in links) > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_paper_reads_well_in_a_browser(size, scheme):
    file = RESULTS / "paper.html"
    with chromium() as browser, opened(browser, file, size=size, scheme=scheme) as page:
        assert faults(page) == []
        assert not overflows(page)
        assert size == PHONE or cut_off(page) == []
