"""The paper as a web page: the same LaTeX by LaTeXML, and what a page can say besides.

Pictures are said in words, claims and numbers say what they are of where the pointer rests.
"""

import html
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote

from pixelspace.artifacts import checked, write_text
from pixelspace.errors import UserError
from pixelspace.report import latex
from pixelspace.report.tables import SIGNS

CONVERSION = (
    # The preamble tells by this package that it is not TeX that reads it.
    "latexml --quiet --preload=latexml.sty --dest=paper.xml paper.tex",
    "latexml --quiet --bibtex --dest=references.bib.xml references.bib",
    "latexmlpost --quiet --format=html5 --timestamp=0 --nodefaultresources"
    " --bibliography=references.bib.xml --dest=paper.html paper.xml",
)
WIDE = r'<div class="wide" role="group" aria-label="{}" tabindex="0">\g<0></div>'
PLAINER = (
    (r'(?s)<footer class="ltx_page_footer">.*?</footer>', ""),
    (r'<div class="ltx_page_content">', '<div class="ltx_page_content" role="main">'),
    (r"<h6( class=\"ltx_title ltx_title_abstract\">.*?)</h6>", r"<p\1</p>"),
    (r"<th( [^>]*)></th>", r"<td\1></td>"),
    # A paragraph's title is below a section's where no subsection is between.
    (r'(<section id="\w+\.SS0\.[^>]*>\s*)<h4( .*?)</h4>', r"\1<h3\2</h3>"),
    # What is wider than a window scrolls by itself, by keys as well.
    (r"(?s)<table (?=[^>]*ltx_eqn_table).*?</table>", WIDE.format("equation")),
    (r"(?s)<table (?=[^>]*ltx_tabular).*?</table>", WIDE.format("table")),
    # What is on arXiv is told once, by a link.
    (
        r'<span class="ltx_bibblock">Note: <span class="[^"]*">arXiv:.*?</span>\n</span>',
        "",
    ),
    (
        r'<span class="ltx_text ltx_bib_external">([\d.]+)</span>',
        r'<a href="https://arxiv.org/abs/\1" class="ltx_ref">arXiv:\1</a>',
    ),
    ("External Links: ", ""),
    # The small type of print is too small on a screen.
    (r' style="font-size:\d+%;"|font-size:\d+%;| mathsize="\d+%"', ""),
)
"""What a reader of the page is spared, by what is in its place: landmarks and headings are kept."""

FIGURE = re.compile(
    r'(<img src="figures/([\w-]+)\.png"[^>]*) alt="[^"]*"(.*?)</figcaption>', re.DOTALL
)
NUMBER = re.compile(r'<a href="ledger:([\d,]+)" title=""[^>]*>')
NOTHING = re.compile(r'<a href="ledger:[\d,]+" title=""[^>]*></a>')
CLAIM = re.compile(r'<a href="claim:(\d+)" title=""[^>]*>')
DOI = re.compile(r'<a href="https://dx\.doi\.org/([^"]+)" title=""([^>]*)>Document</a>')
TARGET = re.compile(r'<a href="target:(\w+):(\d+)" title=""[^>]*>')


def convert(
    tex: str | Path,
    *,
    bibliography: str | Path,
    figures: Iterable[str | Path],
    style: str | Path,
    looks: Mapping[str, str],
    origins: Mapping[str, int],
    claims: Mapping[str, Mapping],
    page: str | Path,
) -> None:
    """Write the paper as a page of HTML that shows the figures beside it in ``figures/``.

    Args:
        figures: as PNG; the words for each are beside it, in a file of the same name with ``.txt``.
        style: the page's style sheet.
        looks: the address, seen from the page, where there is more to see of what a figure shows.
        origins: the place in the paper's ledger of each artifact.
        claims: see `pixelspace.report.claims.check`.

    Raises:
        UserError: if LaTeXML is missing or finds an error; also see `latex.keep_inside`.
    """
    figures = [checked(figure) for figure in figures]
    alt = {file.stem: checked(file.with_suffix(".txt")).read_text("utf-8") for file in figures}
    paths = {place: path for path, place in origins.items()}
    said = {found["place"]: _said(name, found) for name, found in claims.items()}
    text = _converted(checked(tex), Path(bibliography), figures)
    text = _linked(_pictured(text, alt, looks), paths, said)
    text = DOI.sub(_doi, text)
    for found, better in PLAINER:
        text = re.sub(found, better, text)
    sheet = f"<style>\n{Path(style).read_text('utf-8')}</style>\n</head>"
    write_text(page, text.replace("</head>", sheet, 1))


def _converted(tex: Path, bibliography: Path, figures: Iterable[Path]) -> str:
    """Return the page as LaTeXML makes it."""
    if not shutil.which("latexml"):
        raise UserError("latexml is not installed; `make readers` installs or names it")
    latex.keep_inside(tex, bibliography)
    with latex.laid_out(tex, bibliography, figures) as folder:
        for command in CONVERSION:
            status = latex.run(command.split(), folder)
            # It ends well whatever it finds, and says what in files alone.
            said = "".join(log.read_text("utf-8", "replace") for log in folder.glob("*.log"))
            error = re.search(r"^(?:Error|Fatal):(.+)$", said, re.M)
            if status != 0 or error:
                raise UserError(_explained(said, error[1] if error else command, tex))
        return (folder / "paper.html").read_text("utf-8")


def _explained(said: str, error: str, tex: Path) -> str:
    line = re.search(r"line (\d+)", said)
    place = f", from report/{latex.origin(tex, int(line[1]))}" if line else ""
    return f"{tex}: LaTeXML: {error}{place}"


def _pictured(text: str, alt: Mapping[str, str], looks: Mapping[str, str]) -> str:
    """Say in words what figures show, and link to where there is more to see."""

    def figure(found: re.Match) -> str:
        image, name, rest = found.groups()
        look = looks.get(name)
        link = f' <a class="look" href="{html.escape(look)}">Look closer.</a>' if look else ""
        return f'{image} alt="{html.escape(alt[name].strip())}"{rest}{link}</figcaption>'

    return FIGURE.sub(figure, text)


def _linked(text: str, paths: Mapping[int, str], said: Mapping[int, str]) -> str:
    """Link numbers with the ledger's table, and claims with theirs.

    Args:
        paths: the artifact of each entry of the ledger.
        said: what the pointer says of each claim.
    """

    def number(link: re.Match) -> str:
        places = [int(place) for place in link[1].split(",")]
        files = html.escape(f"from {', '.join(paths[place] for place in places)}")
        return f'<a class="from" href="#ledger.{places[0]}" title="{files}">'

    def claim(link: re.Match) -> str:
        return f'<a href="#claim.{link[1]}" title="{html.escape(said[int(link[1])])}">'

    text = NUMBER.sub(number, NOTHING.sub("", text))
    return TARGET.sub(r'<a id="\1.\2">', CLAIM.sub(claim, text))


def _doi(link: re.Match) -> str:
    """Return a link of a reference that says where it leads, by the name that is cited."""
    return f'<a href="https://doi.org/{link[1]}"{link[2]}>doi:{unquote(link[1])}</a>'


def _said(name: str, found: Mapping) -> str:
    """Return a claim as a line of plain text: what was measured, and what it is held against."""
    bounds = " and ".join(f"{SIGNS[kind]} {bound:.4g}" for kind, bound in found["bounds"].items())
    verdict = "holds" if found["holds"] else "fails"
    return f"{name} {verdict}: {found['number']} = {found['value']:.4g}, to be {bounds}"
