"""The paper as a web page: formulas, pictures said in words, and what links lead to."""

import os
import re
import shutil

import pytest
from browsing import DESKTOP, PHONE, chromium, cut_off, faults, opened, overflows
from cited import LEDGER, measured
from matplotlib.figure import Figure
from repository import ROOT

from pixelspace import artifacts
from pixelspace.errors import UserError
from pixelspace.report import template, web

BAD = "<img src=x onerror=alert(1)> & \"'"
BODY = r"""
\section{One}
\paragraph{Many.} So many: ((= count("n") =)). ((= claim("large") =)) By
\citet{olah2017feature} and \citet{simonyan2014deep}, ((= bad =)). ((= claim("small") =))
\subsection*{Two}
\begin{equation}
  y = ((= number("n") =))\,x_{\mathrm{as many as fill a line for which no phone is wide enough}}
\end{equation}
\paperfigure{a-weights}{Weights of ((= spell("n") =)) units.}
\begin{claimtable}
  \hypertarget{claim:1}{C1} & a & b & c & counterfactuals & e \\
  \hypertarget{claim:2}{C2} & a & b & c & d & e \\
\end{claimtable}
\begin{ledgertable}((* for e in ledger *))
  \hypertarget{ledger:((= bare(e.place) =))}{((= bare(e.place) =))} & ((= e.path =)) & a & b & c \\
((* endfor *))\end{ledgertable}
"""
CLAIM = {"number": "n", "value": 3.0, "bounds": {"above": 2.0}, "holds": True, "place": 1}
CLAIM |= {"parts": [{"printed": "It is as large as "}, {"printed": "3.00", "numbers": ["n"]}]}
CLAIM |= {"cites": ["n"]}
FAILED = CLAIM | {"bounds": {"below": 2.0}, "holds": False, "place": 2}
FAILED |= {"parts": [{"printed": "It is not below $2$."}]}
SMALLEST = """cell => Math.min(...[...cell.closest("table").querySelectorAll("td, td *")]
    .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
CLAIMS = {"large": CLAIM, "small": FAILED}


def made(folder, body=BODY):
    """Make the page of a short paper with the preamble of the long one."""
    if not shutil.which("latexml"):
        reason = "there is no LaTeXML here; `make web` installs it on Debian"
        (pytest.fail if "CI" in os.environ else pytest.skip)(reason)
    paper = (ROOT / "report/paper.tex.j2").read_text(encoding="utf-8")
    begin, end = r"\maketitle", r"\bibliographystyle"
    text = paper.partition(begin)[0] + begin + body + end + paper.partition(end)[2]
    text = text.partition(r"\appendix")[0] + r"\end{document}"
    (folder / "paper.tex.j2").write_text(text.replace("((= bad =))", "((= setting('bad') =))"))
    ledger = {
        "artifacts": LEDGER["artifacts"] | {"figures/a-weights.pdf": LEDGER["artifacts"]["a.json"]}
    }
    tex = template.render(
        folder / "paper.tex.j2",
        numbers=measured({"n": 3}),
        claims=CLAIMS,
        config={"experiments": {}, "bad": BAD},
        class_names={},
        sweeps={},
        ledger=ledger,
        lock=ROOT / "requirements.txt",
    )
    artifacts.write_text(folder / "paper.tex", tex)
    (folder / "figures").mkdir()
    with artifacts.written(folder / "figures/a-weights.png") as file:
        Figure(figsize=(2, 1)).savefig(file, format="png")
    artifacts.write_text(folder / "figures/a-weights.txt", f"Weights, {BAD}.\n")
    web.convert(
        folder / "paper.tex",
        bibliography=ROOT / "report/references.bib",
        figures=[folder / "figures/a-weights.png"],
        style=ROOT / "report/web/paper.css",
        looks={"a-weights": "explorer/index.html#network=a&look=unit"},
        origins=template.ledger_places(measured({"n": 3}), [], ledger),
        claims=CLAIMS,
        page=folder / "paper.html",
    )
    return folder / "paper.html"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return made(tmp_path_factory.mktemp("web"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_page_reads_well_and_says_what_things_are(page, size, scheme):
    with chromium() as browser, opened(browser, page, size=size, scheme=scheme) as shown:
        assert faults(shown) == []
        assert not overflows(shown)
        assert size == PHONE or cut_off(shown) == []
        word = shown.get_by_text("counterfactuals").bounding_box()
        assert word["height"] < 30, "a word is broken in two"
        # The small type of print is too small here.
        assert shown.locator(".ltx_tabular td").first.evaluate(SMALLEST) > 12
        number = shown.get_by_role("link", name="3", exact=True).first
        assert number.get_attribute("title") == "from a.json"
        inside = shown.get_by_role("link", name="3.00", exact=True)
        assert inside.get_attribute("title") == "from a.json"
        claim = shown.get_by_role("link", name="C1").first
        assert claim.get_attribute("title") == "large holds: n = 3, to be > 2"
        image = shown.get_by_role("img")
        assert image.get_attribute("alt") == f"Weights, {BAD}."
        assert image.evaluate("image => image.naturalWidth") > 0
        look = shown.get_by_role("link", name="Look closer.")
        assert look.get_attribute("href") == "explorer/index.html#network=a&look=unit"
        assert shown.locator("math[display=block], .ltx_equation math").count() >= 1
        for link in shown.locator("a[href^='#']").all():
            target = link.get_attribute("href").removeprefix("#")
            assert shown.locator(f"[id='{target}']").count() == 1, target
        entry = shown.locator(".ltx_bibitem").first.inner_text()
        assert re.match(r"C\. Olah, A\. Mordvintsev, and L\. Schubert \(2017\) Feature v", entry)
        doi = shown.get_by_role("link", name="doi:10.23915/distill.00007")
        assert doi.get_attribute("href") == "https://doi.org/10.23915/distill.00007"
        preprint = shown.get_by_role("link", name="arXiv:1312.6034")
        assert preprint.get_attribute("href") == "https://arxiv.org/abs/1312.6034"
        assert shown.inner_text(".ltx_biblist").count("1312.6034") == 1
        assert not re.search("External Links|Note:|Document", shown.inner_text(".ltx_biblist"))
        # LaTeX sets an apostrophe where one is typed.
        assert BAD.removesuffix("'") in shown.inner_text("body")


def test_the_same_paper_gives_the_same_page(page, tmp_path):
    assert made(tmp_path).read_bytes() == page.read_bytes()
    text = page.read_text(encoding="utf-8")
    assert str(page.parent) not in text
    assert not re.search(r"ledger:|claim:|target:|<footer|Refer to caption", text)


@pytest.mark.parametrize(
    "tex",
    [
        r"\input{SECRET}",
        r"\input SECRET",
        r"\input{figures/../../secret}",
        r"\input{~/secret}",
        r"\include{SECRET}",
        r"\openin\r=SECRET \read\r to\x\x",
        r"\openin15 SECRET \read15 to\x\x",
        r"\immediate\openout15=../ran \immediate\write15{x}",
        r"\includegraphics[width=3cm]{SECRET}",
        r"\verbatiminput{SECRET}",
        r"\lstinputlisting[firstline=1]{SECRET}",
        r"\bibliography{references,../secret}",
    ],
)
def test_the_web_reads_and_writes_nothing_elsewhere(tmp_path, tex):
    """LaTeXML would, where TeX does not."""
    (tmp_path / "secret.tex").write_text("canary")
    tex = tex.replace("SECRET", str(tmp_path / "secret.tex"))
    with pytest.raises(UserError, match=r"paper.tex:\d+: \S+ .* outside .*/paper.tex.j2$"):
        made(tmp_path, f"{tex} ((= claim('large') =)) ((= claim('small') =))")
    assert not (tmp_path / "paper.html").exists()


def test_what_the_web_lacks_is_named_with_the_file_that_it_is_in(tmp_path):
    with pytest.raises(UserError, match=r"paper.tex: LaTeXML: undefined:\\oops .*paper.tex.j2$"):
        made(tmp_path, r"\oops{} ((= claim('large') =)) ((= claim('small') =))")
    assert not (tmp_path / "paper.html").exists()
