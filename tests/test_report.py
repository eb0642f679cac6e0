"""The report: templates are strict and escaped, numbers are measured, TeX's errors are short."""

import functools
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from cited import LEDGER, STEP, measured
from jinja2 import nodes

from pixelspace import artifacts, config
from pixelspace.errors import UserError
from pixelspace.files import file_hash
from pixelspace.report import (
    arxiv,
    claims,
    latex,
    ledger,
    numbers,
    spread,
    template,
    wording,
)
from pixelspace.seeds import derive

ROOT = Path(__file__).parent.parent
PAPER = ROOT / "config/config.yaml"
SECTIONS = sorted((ROOT / "report").rglob("*.tex.j2"))


@pytest.fixture
def render(tmp_path):
    def rendered(text, values=None, config=None):
        (tmp_path / "t.tex.j2").write_text(text)
        return template.render(
            tmp_path / "t.tex.j2",
            numbers=measured(values or {}),
            claims={},
            config={"experiments": {}} | (config or {}),
            class_names={},
            sweeps={},
            ledger=LEDGER,
            lock=ROOT / "requirements.txt",
        )

    return rendered


def body(text):
    """The rendered text without the marks of its source."""
    return text.removeprefix("% from t.tex.j2\n").removesuffix("\n% end\n")


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        ('number("a")', r"\ensuremath{0.99}"),
        ('number("a", 3)', r"\ensuremath{0.987}"),
        ('number("minus")', r"\ensuremath{-1.50}"),
        ('number("tiny")', r"\ensuremath{0.00}"),
        ('percent("a")', r"\ensuremath{98.7}\,\%"),
        ('count("many")', "1{,}234{,}567"),
        ('spell("few")', "three"),
        ('signed_sum("", ["a", "minus", "few"])', "0.99 - 1.50 + 3.00"),
        ('signed_products("v", "E", ("h_1", "h_2"))', r"- 2.00\,h_1 + 0.25\,h_2"),
    ],
)
def test_numbers_are_printed_with_a_mark(render, expression, printed):
    values = {"a": 0.987, "minus": -1.5, "tiny": -0.001, "many": 1234567, "few": 3}
    values |= {"v1_E": -2, "v2_E": 0.25}
    assert body(render(f"((= {expression} =))", values)) == rf"\ledgermark{{1}}{{{printed}}}"


def test_words_are_printed_as_they_stand(render):
    assert body(render('((= listing(["a", "b_", "c"]) =))')) == r"a, b\_ and c"
    assert body(render('((= setting("x.y") =))', config={"x": {"y": "50%"}})) == r"50\%"


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ('number("x")', "1"),
        ('value("x")', "1"),
        ('spell("n")', "2"),
        ('fixed(100 * (value("x") - value("n")) / 2)', "1,2"),
        ('grouped(1 + value("n") * value("n"))', "2"),
        ('fixed(-(value("x") | abs))', "1"),
        ('signed_sum("", ["x", "n"])', "1,2"),
        ('rectified_sum("", ["x", "n"])', "1,2"),
        ('rectified_sum("", ["minus"])', "1"),
        ('setting("s.t")', "4"),
        ('word(setting("s.l")[0])', "4"),
        ('word(setting("s.names") | length)', "4"),
        ('grouped(sweeps.w.points | selectattr("errors") | list | length)', "5"),
        ('plain(sweeps.w.points[0].varied["k"])', "5"),
        ('differences("own")', "4"),
        ('claim("c")', "1,2"),
        ("claim_rows() | length", "3"),
        ('claim_rows() | sum(attribute="holds")', "3"),
        ("claim_rows()[0].bound", "3"),
        ("claim_rows()[0].value", "1,2"),
    ],
)
def test_every_number_names_the_entries_of_the_ledger_that_it_is_from(tmp_path, expression, places):
    claimed = '((* set said = claim("c") *))' if "claim_rows" in expression else ""
    (tmp_path / "t.tex.j2").write_text(f"{claimed}((= {expression} =))")
    claim = {"place": 1, "holds": True, "cites": ["n", "x"]}
    claim |= {"parts": [{"printed": "So."}]}
    claim |= {"claim": "c", "reason": "r", "descriptive": False}
    claim["printed"] = {"value": "0.5", "bounds": {"above": "0"}}
    extended = {"extends": None, "projections": {}, "measures": {}, "rows": 9, "kind": "a"}
    point = {"varied": {"k": [1, 2]}, "values": [], "errors": ["diverged"]}
    text = template.render(
        tmp_path / "t.tex.j2",
        numbers={
            "x": {"value": 0.5, "artifact": "a.json"},
            "n": {"value": 3, "artifact": "b.json"},
            "minus": {"value": -3, "artifact": "a.json"},
        },
        claims={"c": claim} if "claim" in expression else {},
        config={
            "experiments": {
                "one": extended,
                "own": extended | {"extends": "one", "rows": 18, "kind": "b"},
            },
            "s": {"t": 7, "l": [2], "names": ["a", "b"]},
        },
        class_names={},
        sweeps={"w": {"points": [point]}},
        ledger={
            "artifacts": dict.fromkeys(
                ("a.json", "b.json", "claims.json", "config.json", "sweeps/w.json"), {}
            )
        },
        lock=ROOT / "requirements.txt",
    )
    assert re.findall(r"\\ledgermark\{([\d,]+)\}", text) == [places]


def test_the_paper_s_ledger_has_what_it_cites_and_shows():
    numbers = measured({"x": 1})
    made = {"artifacts": dict.fromkeys(("efl/0/training.json", "figures/f.pdf", "figures/e.pdf"))}
    assert template.ledger_places(numbers, ["s"], made) == {
        "a.json": 1,
        "claims.json": 2,
        "config.json": 3,
        "figures/e.pdf": 4,
        "figures/f.pdf": 5,
        "sweeps/s.json": 6,
    }


def test_a_ledger_leads_from_numbers_to_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    artifacts.write_json("results/a.json", {"x": 1})
    (tmp_path / "images.gz").write_bytes(b"images")
    step = {"rule": "r", "script": "scripts/r.py", "config": ["seed"], "inputs": ["images.gz"]}
    steps = {"a.json": step | {"code": ["m"]}, "images.gz": {}}
    code = {"m": "01234567"}
    found = ledger.of(steps, code, {"x": {"value": 1, "artifact": "a.json"}}, "results", {})
    assert found == {
        "numbers": {"x": "a.json"},
        "artifacts": {
            "a.json": {**step, "code": ["m"], "sha256": file_hash("results/a.json")},
        },
        "data": {"images.gz": file_hash("images.gz")},
        "code": {"m": "01234567"},
    }
    Path("results/a.json").write_text("{}")
    with pytest.raises(UserError, match="results/a.json: changed since it was built"):
        ledger.of(steps, code, {}, "results", {})


def test_a_ledger_leads_to_photographs(tmp_path, monkeypatch):
    """By their content, under a name that has nothing of the machine, or by their commit."""
    monkeypatch.chdir(tmp_path)
    step = {"rule": "r", "script": "scripts/r.py", "config": ["seed"], "inputs": [], "code": []}
    commit = "1" * 40
    address = f"example.org:photos@{commit}"
    taken = {
        "own.h5": ("~/mine/photos", "", "0" * 64),
        "public.h5": ("alice@example.org:photos", commit, commit),
    }
    for name in taken:
        artifacts.write_text(f"results/{name}", name)
    found = ledger.of(dict.fromkeys(taken, step), {}, {}, "results", taken)
    assert found["data"] == {"photos": "0" * 64, address: commit}
    assert found["artifacts"]["own.h5"]["inputs"] == ["photos"]
    assert found["artifacts"]["public.h5"]["inputs"] == [address]


def test_what_a_user_names_is_printed_and_not_run(render):
    hostile = r"\input{/etc/passwd} $x$ %_^~#&{} ((= 7 =)) <|>`"
    text = body(render("((= setting('name') =))", config={"name": hostile}))
    assert r"\input" not in text
    assert text.startswith(r"\textbackslash{}input\{/etc/passwd\} \$x\$ \%\_")
    assert "((= 7 =))" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\n((= nothing =))", r"t.tex.j2:2: 'nothing' is undefined"),
        ('\n\n((= number("efl.speed") =))', r"t.tex.j2:3: there is no number 'efl.speed'"),
        ('((= setting("a.b") =))', r"t.tex.j2:1: the configuration has no key 'a.b'"),
        ("x\n((* if *))", r"t.tex.j2:2: "),
        ("((= listing.__globals__ =))", r"t.tex.j2:1: .*unsafe"),
        ("x\n((= 3 =))", r"t.tex.j2:2: the number 3 is from no entry of the ledger"),
        ('((= word(["a", "b"] | length) =))', r"t.tex.j2:1: the number two is from no entry"),
        ('((= fixed(value("x") | round) =))', r"t.tex.j2:1: .* is from no entry"),
    ],
)
def test_a_template_that_asks_for_what_does_not_exist_is_refused(render, text, message):
    with pytest.raises(UserError, match=message):
        render(text, {"x": 0.5})


NAMES = r"ReLU6|Lite0|SHA-256|\b2017\b"
MATHEMATICS = r"\$[^$]*\$|\\begin\{(equation|align\*)\}.*?\\end\{\1\}"


def test_every_number_in_the_prose_is_measured():
    """Digits stand only in names and citations; formulas have single digits, as in max(x, 0)."""
    for section in SECTIONS:
        text = section.read_text(encoding="utf-8").partition(r"\maketitle")
        text = text[2] or text[0]
        text = re.sub(r"\(\(([*=#]).*?\1\)\)", "", text, flags=re.DOTALL)
        text = re.sub(r"\\(?:cite[tp]|label|ref)(?:\[[^]]*\])*\{[^}]*\}", "", text)
        text = re.sub(r"\\(?:multicolumn|cmidrule)(?:\([lr]+\))?\{[\d-]+\}", "", text)
        for formula in re.finditer(MATHEMATICS, text, re.DOTALL):
            typed = re.search(r"\d\.\d|\d\d", formula[0])
            assert not typed, f"{section.name}: {formula[0]}"
        text = re.sub(MATHEMATICS + "|" + NAMES, "", text, flags=re.DOTALL)
        found = re.search(r".*\d.*", text)
        assert not found, f"{section.name}: {found[0]}"


class Everything(dict):
    """Numbers as if all that an experiment may be asked for had been measured, with one value."""

    def __init__(self, value, experiments):
        super().__init__(measured({"any": value}))
        self.experiments = experiments

    def __contains__(self, name):
        experiment, *within, _ = name.split(".")
        known = self.experiments[experiment]
        return not within or within[0] in known["measures"] or within[0] in known["projections"]

    def __missing__(self, name):
        return self["any"]


def whole_paper(value, holds):
    """Return the paper's text as if all numbers were one, and every claim held or failed."""
    loaded = config.load(yaml.safe_load(PAPER.read_text(encoding="utf-8")), [str(PAPER)])
    settings = config.recorded(loaded)
    about = claims.load(ROOT / "report/claims.yaml")
    verdicts = {
        name: {
            **{"place": place, "claim": claim.claim, "reason": claim.reason, "holds": holds},
            **{"descriptive": claim.descriptive, "cites": [claim.number]},
            "parts": [{"printed": "So it is."}],
            "printed": {"value": "0.5", "bounds": dict.fromkeys(claim.bounds, "0.4")},
        }
        for place, (name, claim) in enumerate(about.items(), start=1)
        if claims.is_made(claim, settings)
    }
    shown = set(re.findall(r"\\paperfigure\{([\w-]+)\}", "".join(map(Path.read_text, SECTIONS))))
    figures = dict.fromkeys((f"figures/{name}.pdf" for name in shown), STEP)
    point = {"varied": {"training.epochs": 3}, "values": [0.5], "errors": ["no"], "mean": 0.5}
    sweeps = {"w": {"keys": ["training.epochs"], "shows": "accuracy", "points": [point]}}
    return template.render(
        ROOT / "report/paper.tex.j2",
        numbers=Everything(value, settings["experiments"]),
        claims=verdicts,
        config=settings | {"sweeps": {"w": {"experiment": "efl", "replicates": 1}}},
        class_names={
            name: list(chosen.dataset.chosen.classes) for name, chosen in loaded.experiments.items()
        },
        sweeps=sweeps,
        ledger={"artifacts": {**LEDGER["artifacts"], **figures, "sweeps/w.json": STEP}},
        lock=ROOT / "requirements.txt",
    )


UNMARKED = (
    # Formulas: names of nodes, exponents, and the single digits that may be typed there.
    MATHEMATICS,
    # What others have named, and the year of a lecture.
    NAMES,
    # Keys that are looked up, and how a table is laid out.
    r"\\(?:cite[tp]|label|ref|paperfigure)(?:\[[^]]*\])*\{[^}]*\}",
    r"\\(?:multicolumn|cmidrule)(?:\([lr]+\))?\{[\d-]+\}",
    # Names of layers and classes.
    r"\\layer\{[\w\\]+\}|\b(?:conv|pool|relu)\d\b|0, 1, 2, 3, 4, 5, 6, 7, 8 and 9",
    # Reasons for bounds, in rows that are marked; the ledger itself; what the lock pins.
    r"\\begin\{(claimtable|ledgertable)\}.*?\\end\{\1\}",
    r"[\w-]+ & \d+\.\d+\.\d+",
    # The numbers of rows and columns.
    r"\n\s*(?:\d &|& method(?: & \d)+)",
)


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("value", [0, 2])
def test_a_number_of_the_paper_has_a_mark_or_a_reason_to_have_none(value, holds):
    """Of numbers in words it is asked where they are printed."""
    text = whole_paper(value, holds).partition(r"\maketitle")[2]
    text = re.sub(rf"^{template.SOURCE_MARK}.*", "", text, flags=re.MULTILINE)
    text = wording.MEASURED.sub("", wording.CLAIMED.sub("", text))
    for explained in UNMARKED:
        text = re.sub(explained, "", text, flags=re.DOTALL)
    assert re.findall(r".*\d.*", text) == []


def test_every_number_in_the_claims_is_measured():
    for name, claim in claims.load(ROOT / "report/claims.yaml").items():
        for sentence in (claim.holds, claim.fails):
            text = claims.PLACE.sub("", sentence)
            text = re.sub(r"\\(?:cite[tp]|ref)(?:\[[^]]*\])*\{[^}]*\}", "", text)
            text = re.sub(MATHEMATICS + "|" + NAMES, "", text, flags=re.DOTALL)
            assert not re.search(r"\d", text), f"{name}: {text}"


def typed_numbers(source):
    """Yield what a template would print, or name to print it later, though nobody measured it."""

    def printed(node):
        match node:
            case nodes.Const():
                yield node.value
            case nodes.Concat(nodes=parts):
                for part in parts:
                    yield from printed(part)
            case nodes.CondExpr(expr1=one, expr2=other):
                yield from (*printed(one), *printed(other))
            case nodes.Filter(node=inner):
                yield from printed(inner)

    tree = template.environment(ROOT / "report").parse(source)
    given = [node for output in tree.find_all(nodes.Output) for node in output.nodes]
    given += [assignment.node for assignment in tree.find_all(nodes.Assign)]
    for value in (value for node in given for value in printed(node)):
        if re.search(r"(?<![a-z])\d", str(value)):  # in a name, as of layer conv1, it may stand
            yield value


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_no_number_is_typed_into_an_expression(section):
    assert list(typed_numbers(section.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        '((= "0.97" =))',
        "((= 97 =))",
        '((* set best = "0.97" *))((= best =))',
        '((= "97" if value("a.b") else "3" =))',
        '((= "a" ~ 97 =))',
    ],
)
def test_a_number_typed_into_an_expression_is_found(source):
    assert list(typed_numbers(source))


def test_no_section_is_unfinished():
    for section in SECTIONS:
        text = section.read_text(encoding="utf-8")
        assert not re.search(r"TODO|FIXME|\[(ADD|INSERT|ELABORATE|COMMENTS)", text), section


def test_every_figure_is_referred_to():
    text = "".join(section.read_text(encoding="utf-8") for section in SECTIONS)
    shown = set(re.findall(r"\\paperfigure\{([\w-]+)\}", text))
    assert shown
    for figure in shown:
        assert rf"\ref{{fig:{figure}}}" in text, figure


def test_every_citation_is_in_the_bibliography():
    text = "".join(section.read_text(encoding="utf-8") for section in SECTIONS)
    cited = {
        key
        for keys in re.findall(r"\\cite[tp](?:\[[^]]*\])*\{([^}]*)\}", text)
        for key in keys.split(",")
    }
    known = set(re.findall(r"@\w+\{(\w+)", (ROOT / "report/references.bib").read_text()))
    assert cited <= known


def report(accuracy):
    return {
        "class_names": ["a", "b"],
        "confusion": [[3, 1], [0, 4]],
        "history": {
            "train_loss": [2.0, 1.0],
            "validation_accuracy": [0.5, 0.75],
            "validation_loss": [1.0, 0.5],
        },
        "seed": 7,
        "parameters": {"total": 10, "trainable": 8},
        "test": {"accuracy": accuracy, "errors": 1, "ties": 0},
    }


def test_numbers_are_those_of_the_artifacts(tmp_path):
    for replicate, accuracy in (("0", 0.875), ("1", 0.625)):
        folder = tmp_path / "x" / replicate
        folder.mkdir(parents=True)
        artifacts.write_json(folder / "training.json", report(accuracy))
    (tmp_path / "x/median").mkdir()
    artifacts.write_json(tmp_path / "x/median/training.json", report(0.625) | {"replicate": 1})
    (tmp_path / "x/0/measures").mkdir()
    artifacts.write_json(tmp_path / "x/0/measures/speed.json", {"top": 3.5})
    collected = numbers.collect(
        str(tmp_path),
        datasets=[],
        reports=[str(tmp_path / "x" / r / "training.json") for r in "01"],
        shown=[str(tmp_path / "x/median/training.json")],
        measures=[str(tmp_path / "x/0/measures/speed.json")],
    )
    assert collected["x.test_accuracy"] == {"value": 0.625, "artifact": "x/median/training.json"}
    assert collected["x.shown_replicate"]["value"] == 1
    # Two values at 0.125 from their mean: s = 0.125 sqrt(2), and t = 12.706 at one degree.
    assert collected["x.accuracy_deviation"]["value"] == pytest.approx(0.176777, abs=1e-6)
    # It reaches from 0.75 - 12.7062 x 0.125 below 0 to beyond 1, where no accuracy is.
    assert collected["x.accuracy_low"]["value"] == 0
    assert collected["x.accuracy_high"]["value"] == 1
    assert collected["x.accuracy_mean"]["value"] == 0.75
    assert collected["x.accuracy_lowest"]["value"] == 0.625
    assert collected["x.replicates"]["value"] == 2
    assert collected["x.accuracy_of_a"]["value"] == 0.75
    assert collected["x.speed.top"] == {"value": 3.5, "artifact": "x/0/measures/speed.json"}


def test_the_median_of_an_even_number_of_networks_is_the_lower_of_two():
    assert spread.median([3.0, 1.0, 2.0]) == 2
    assert spread.median([4.0, 1.0, 3.0, 2.0]) == 3
    assert spread.median([5.0]) == 0


def test_what_is_measured_of_every_network_is_a_mean_with_its_spread(tmp_path):
    paths = [str(tmp_path / f"x/{replicate}/measures/speed.json") for replicate in range(3)]
    for path, top in zip(paths, (4.0, 2.0, 9.0), strict=True):
        artifacts.write_json(path, {"top": top})
    collected = numbers.collect(
        str(tmp_path), datasets=[], reports=[], shown=[], measures=[], replicated=paths
    )
    first = {"artifact": "x/0/measures/speed.json"}
    beside = {"of": "x.speed.top", **first}
    deviation = 13**0.5
    reach = 4.302653 * deviation / 3**0.5  # Student's t with two degrees of freedom
    assert collected == {
        "x.speed.top": {"value": 5.0, **first},
        "x.speed.top_lowest": {"value": 2.0, **beside},
        "x.speed.top_highest": {"value": 9.0, **beside},
        "x.speed.top_deviation": {"value": pytest.approx(deviation), **beside},
        "x.speed.top_mean_low": {"value": pytest.approx(5 - reach, abs=1e-5), **beside},
        "x.speed.top_mean_high": {"value": pytest.approx(5 + reach, abs=1e-5), **beside},
    }
    alone = numbers.collect(
        str(tmp_path), datasets=[], reports=[], shown=[], measures=[], replicated=paths[:1]
    )
    assert {entry["value"] for entry in alone.values()} == {4.0}
    assert alone.keys() == {f"x.speed.top{end}" for end in ("", "_lowest", "_highest")}
    for path in paths:
        artifacts.write_json(path, {"top": 1.0, "top_deviation": 0.0})
    with pytest.raises(ValueError, match="top_deviation"):
        numbers.collect(
            str(tmp_path), datasets=[], reports=[], shown=[], measures=[], replicated=paths
        )


needs_tex = pytest.mark.skipif(
    not shutil.which("latexmk") and "CI" not in os.environ, reason="latexmk is not installed"
)


def tex_file(folder, text):
    folder.mkdir(exist_ok=True)
    artifacts.write_text(folder / "paper.tex", text)
    (folder / "references.bib").write_text("")
    return folder / "paper.tex"


def compiled(folder, text):
    tex = tex_file(folder, text)
    latex.compile_pdf(
        tex, bibliography=folder / "references.bib", figures=[], pdf=folder / "paper.pdf"
    )
    return folder / "paper.pdf"


DOCUMENT = "\\documentclass{{article}}\\pdftrailerid{{}}\\begin{{document}}\n{}\n\\end{{document}}"


@needs_tex
def test_the_same_text_gives_the_same_bytes_in_another_folder(tmp_path):
    one = compiled(tmp_path / "one", DOCUMENT.format("Hello"))
    two = compiled(tmp_path / "two", DOCUMENT.format("Hello"))
    assert one.read_bytes() == two.read_bytes()
    assert b"CreationDate" not in one.read_bytes() or b"D:1970" in one.read_bytes()


@needs_tex
def test_in_a_folder_that_is_kept_tex_takes_fewer_passes_to_the_same_bytes(
    tmp_path, monkeypatch, capsys
):
    text = r"\section{One}\label{one} Of \ref{two}, WORD. \newpage\section{Two}\label{two}"
    one, two = (DOCUMENT.format(text.replace("WORD", word)) for word in ("one", "two"))
    fresh = compiled(tmp_path / "fresh", two)
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setenv(latex.KEPT, str(kept))
    with pytest.raises(UserError):
        compiled(tmp_path / "one", one.replace("Of", r"\oops"))
    compiled(tmp_path / "one", one)
    capsys.readouterr()
    again = compiled(tmp_path / "two", two)
    assert capsys.readouterr().out.count("of rule 'pdflatex'") == 1
    assert again.read_bytes() == fresh.read_bytes()


def test_tectonic_reads_nothing_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(latex, "engine", lambda: latex.TECTONIC)
    with pytest.raises(UserError, match=r"^\S+:2: \\input names a file outside "):
        compiled(tmp_path, DOCUMENT.format(r"\input{/etc/hostname}"))


def test_the_paper_reads_nothing_elsewhere(tmp_path):
    (tmp_path / "paper.tex").write_text(whole_paper(2, True), encoding="utf-8")
    latex.keep_inside(tmp_path / "paper.tex", ROOT / "report/references.bib")


@needs_tex
def test_an_error_of_tex_names_its_line_and_template(tmp_path):
    included = "% from sections/a.tex.j2\nfine\n% end\n% from sections/b.tex.j2\n\\oops\n% end\n"
    with pytest.raises(UserError) as caught:
        compiled(tmp_path, DOCUMENT.format(f"% from paper.tex.j2\n{included}% end"))
    text = str(caught.value)
    assert "Undefined control sequence" in text
    assert text.endswith("from report/sections/b.tex.j2")
    assert ":7: " in text
    assert "\n" not in text
    assert not (tmp_path / "paper.pdf").exists()


@needs_tex
def test_a_line_that_sticks_out_is_told_in_the_log(tmp_path, capsys):
    compiled(tmp_path, DOCUMENT.format(r"\noindent\rule{\textwidth}{1pt}\rule{3pt}{1pt}"))
    assert r"Overfull \hbox (3.0pt too wide)" in capsys.readouterr().out


@needs_tex
def test_tex_runs_no_commands_and_reads_no_files_of_others(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    compiled(tmp_path / "shell", DOCUMENT.format(rf"\immediate\write18{{touch {tmp_path}/ran}} x"))
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UserError):
        compiled(tmp_path / "read", DOCUMENT.format(rf"\input{{{secret}}}"))


@needs_tex
def test_what_arxiv_would_refuse_is_refused_before(tmp_path, monkeypatch):
    tex = tex_file(tmp_path, DOCUMENT.format("Hello"))
    strange = tmp_path / "größe.pdf"
    artifacts.write_text(strange, "")
    packed = functools.partial(
        arxiv.pack, tex, bibliography=tmp_path / "references.bib", archive=tmp_path / "a.tar.gz"
    )
    with pytest.raises(UserError, match=r"^größe\.pdf: arXiv takes names of letters"):
        packed(figures=[strange])
    monkeypatch.setattr(arxiv, "LARGEST", 10)
    with pytest.raises(UserError, match=r"the sources have \d+ MB, and arXiv takes"):
        packed(figures=[])
    assert not (tmp_path / "a.tar.gz").exists()


def test_seeds_follow_the_stated_rule():
    assert derive(2017, "efl", "training") == derive(2017, "efl", "training", 0)
    others = [
        derive(2017, "efl", "training", 1),
        derive(2017, "efl", "dataset"),
        derive(2017, "mnist", "training"),
        derive(2018, "efl", "training"),
    ]
    assert len({derive(2017, "efl", "training"), *others}) == 5
    # The first four bytes of `printf 2017/efl/training/0 | sha256sum`.
    assert derive(2017, "efl", "training") == 0xEC3A4928


def test_what_sets_a_variant_apart_is_told_key_by_key():
    base = {"extends": None, "a": {"b": 1, "c": [1, 2]}, "projections": {"x": {"k": 1}}}
    own = {"extends": "base", "a": {"b": 1, "c": [3]}, "projections": {}}
    experiments = {
        name: {**each, "measures": {}} for name, each in {"base": base, "own": own}.items()
    }
    cited = template.Cited({}, {}, {"experiments": experiments}, {template.CONFIG: 1})
    told = cited.differences("own").replace(r"\allowbreak{}", "")
    assert told == r"a.c = \ledgermark{1}{[3]} and no projections.x"
    experiments["own"] = {**experiments["base"], "extends": "base"}
    assert cited.differences("own") == "nothing else"


def test_what_is_measured_of_a_variant_stands_beside_what_it_extends():
    experiments = {
        "base": {"extends": None, "measures": {"m": {}}, "projections": {"p": {}}},
        "own": {"extends": "base", "measures": {"m": {}, "many": {}}, "projections": {"p": {}}},
    }
    found = {
        "base.m.x": {"value": 1.0},
        "base.m.x_deviation": {"value": 0.5, "of": "base.m.x"},
        "base.m.x_mean_low": {"value": 0.25, "of": "base.m.x"},
        "base.m.x_mean_high": {"value": 1.75, "of": "base.m.x"},
        "own.m.x": {"value": 2.0},
        "own.m.x_lowest": {"value": 0.0, "of": "own.m.x"},
        "own.m.y_deviation": {"value": 4.0},
        "own.m.y": {"value": 3.0},
        **{f"base.many.{number}": {"value": 100.0} for number in range(100)},
        **{f"own.many.{number}": {"value": float(number)} for number in range(100)},
        "own.p.z": {"value": 5.0},
    }
    found = {name: {"artifact": "a.json", **entry} for name, entry in found.items()}
    cited = template.Cited(found, {}, {"experiments": experiments}, {"a.json": 1})
    results = cited.results("own")
    assert [row for row in results if not row["number"].startswith("many.")] == [
        {
            "number": "m.x",
            "own": {"value": 2.0},
            "base": {"value": 1.0, "deviation": 0.5, "low": 0.25, "high": 1.75},
        },
        {"number": "m.y_deviation", "own": {"value": 4.0}, "base": None},
        {"number": "m.y", "own": {"value": 3.0}, "base": None},
        {"number": "p.z", "own": {"value": 5.0}, "base": None},
    ]
    those_that_differ_most = [row["number"] for row in results if row["number"].startswith("many.")]
    assert those_that_differ_most == [f"many.{number}" for number in range(template.LISTED)]
    experiments["own"]["extends"] = None
    assert {row["base"] and row["number"] for row in cited.results("own")} == {None}


def test_long_names_may_be_broken_and_are_escaped_whole():
    assert template.breakable("m.a_b/c&d") == (
        r"m.\allowbreak{}a\_\allowbreak{}b/\allowbreak{}c\&d"
    )
