"""Claims: the number decides which sentence is printed, and a claim that is amiss is named."""

from pathlib import Path

import pytest
import yaml
from cited import LEDGER, measured

from pixelspace.errors import UserError
from pixelspace.report import claims, formats, template

ROOT = Path(__file__).parent.parent
LIKENESS = {
    "claim": "Maps are alike",
    "number": "a.alike",
    "at_least": 0.5,
    "reason": "half",
    "holds": "They are alike (<value>, not below <bound>; <a.share:percent1> of <a.n:count>).",
    "fails": "They differ (<value> is below <bound>).",
}
NUMBERS = {"a.alike": 0.75, "a.share": 0.125, "a.n": 1234, "a.other": 0.7}


@pytest.fixture
def check(tmp_path):
    def checked(values=None, config=None, **changes):
        path = tmp_path / "claims.yaml"
        claim = {key: value for key, value in (LIKENESS | changes).items() if value is not None}
        path.write_text(yaml.safe_dump({"alike": claim}))
        measured = {name: {"value": value} for name, value in (NUMBERS | (values or {})).items()}
        return claims.check(path, measured, config or {})

    return checked


def test_the_number_decides_which_sentence_is_true(check):
    assert check()["alike"]["sentence"] == (
        r"They are alike (\ensuremath{0.75}, not below \ensuremath{0.50}; "
        r"\ensuremath{12.5}\,\% of 1{,}234)."
    )
    fails = check({"a.alike": 0.49})
    assert not fails["alike"]["holds"]
    assert fails["alike"]["sentence"] == (
        r"They differ (\ensuremath{0.49} is below \ensuremath{0.50})."
    )
    assert claims.failing(fails) == ["claim alike fails: a.alike is 0.49, not at least 0.5"]
    assert claims.failing(check()) == []


@pytest.mark.parametrize(
    ("bounds", "just", "beyond"),
    [
        ({"at_least": 0.5}, 0.5, 0.499),
        ({"at_most": 0.5, "at_least": None}, 0.5, 0.501),
        ({"above": 0.5, "at_least": None}, 0.501, 0.5),
        ({"below": 0.5, "at_least": None}, 0.499, 0.5),
        ({"equal": 0.5, "at_least": None}, 0.5, 0.5001),
        ({"at_most": 0.9}, 0.9, 0.901),
        ({"at_most": 0.9}, 0.5, 0.499),
        ({"above": "a.other", "at_least": None}, 0.701, 0.7),
    ],
)
def test_bounds(check, bounds, just, beyond):
    assert check({"a.alike": just}, **bounds)["alike"]["holds"]
    assert not check({"a.alike": beyond}, **bounds)["alike"]["holds"]


def test_a_claim_is_made_where_its_configuration_is(check):
    when = {"experiments.a.source": ["drawn", "made"]}
    assert "alike" in check(config={"experiments": {"a": {"source": "made"}}}, when=when)
    assert check(config={"experiments": {"a": {"source": "folder"}}}, when=when) == {}
    assert check(config={"experiments": {}}, when=when) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number": "a.alik"}, r"claims.yaml:1: alike: there is no number 'a.alik' in numbers"),
        ({"above": "b"}, r"claims.yaml:1: alike: there is no number 'b' in numbers.json"),
        ({"holds": "<a.b>"}, r"claims.yaml:1: alike: there is no number 'a.b' in numbers.json"),
        ({"at_least": None}, r"claims.yaml:1: alike: it has no bound; give one of at_least, at_"),
        ({"reason": None}, r"claims.yaml:1: alike: reason: Field required"),
        ({"bound": 1}, r"claims.yaml:1: alike: bound: Extra inputs are not permitted"),
        ({"format": "euro2"}, r"claims.yaml:1: alike: format 'euro2': it is number, percent or"),
        ({"fails": "<value:number9>"}, r"claims.yaml:1: alike: format 'number9': it is number"),
    ],
)
def test_what_is_amiss_is_named_with_its_line(check, changes, message):
    with pytest.raises(UserError, match=message):
        check(**changes)


def test_the_line_is_that_of_the_claim(tmp_path):
    path = tmp_path / "claims.yaml"
    second = {"other": LIKENESS | {"number": "nothing"}}
    first = yaml.safe_dump({"alike": LIKENESS})
    path.write_text(f"# what is claimed\n{first}\n{yaml.safe_dump(second)}")
    line = 1 + len(first.splitlines()) + 2
    measured = {name: {"value": value} for name, value in NUMBERS.items()}
    with pytest.raises(UserError, match=f"^{path}:{line}: other: there is no number 'nothing'"):
        claims.check(path, measured, {})


def test_a_claim_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text(2 * yaml.safe_dump({"alike": LIKENESS}))
    with pytest.raises(UserError, match="claims.yaml:8: alike: this key stands here twice"):
        claims.load(path)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_a_file_without_claims_is_refused(tmp_path, text):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="claims.yaml"):
        claims.load(path)


@pytest.mark.parametrize(
    ("format", "printed"),
    [
        ("number2", r"\ensuremath{0.13}"),
        ("number0", r"\ensuremath{0}"),
        ("percent1", r"\ensuremath{12.5}\,\%"),
        ("points1", r"\ensuremath{12.5}"),
        ("count", "0"),
    ],
)
def test_formats(format, printed):
    assert formats.shown(0.125001, format) == printed


@pytest.fixture
def render(tmp_path):
    def rendered(text, checked, **options):
        (tmp_path / "t.tex.j2").write_text(text)
        return template.render(
            tmp_path / "t.tex.j2",
            numbers=measured(NUMBERS),
            claims=checked,
            config={"experiments": {}},
            class_names={},
            sweeps={},
            ledger=LEDGER,
            lock=ROOT / "requirements.txt",
            **options,
        )

    return rendered


def test_a_claim_that_fails_is_marked(render, check):
    assert r"\claimed{1}{They are alike" in render('((= claim("alike") =))', check())
    text = render('((= claim("alike") =))((= claim_rows()[0].bound =))', check({"a.alike": 0}))
    below = r"\ledgermark{1}{\ensuremath{0.00}} is below \ledgermark{2}{\ensuremath{0.50}})"
    assert rf"\notclaimed{{1}}{{They differ ({below}" in text
    assert r"$\geq$ \ensuremath{0.50}" in text


def test_every_claim_has_its_sentence_and_every_number_a_citation(render, check):
    with pytest.raises(UserError, match="no sentence of the claims alike is printed"):
        render("((= is_claimed('alike') and holds('alike') =))", check())
    with pytest.raises(UserError, match="t.tex.j2:1: no claim 'alik' is made under this config"):
        render('((= claim("alik") =))', check())
    text = '((= claim("alike") =))'
    render(text, check())
    with pytest.raises(UserError, match="nothing cites 1 of the numbers: a.other"):
        render(text, check(), told=["a"])
    render(text + '((= number("a.other") =))', check(), told=["a"])
