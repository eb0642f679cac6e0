"""The paper as a web page: the same LaTeX by LaTeXML, and what a page can say besides.

Pictures are said in words, claims and numbers say what they are of where the pointer rests.
"""

import html
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from pixelspace.artifacts import checked, write_text
from pixelspace.errors import UserError
from pixelspace.report.latex import ENVIRONMENT, origin

CONVERSION = (
    # The preamble tells by this package that it is not TeX that reads it.
    "latexml --quiet --preload=latexml.sty --dest=paper.xml paper.tex",
    "latexml --quiet --bibtex --dest=references.bib.xml references.bib",
    "latexmlpost --quiet --format=html5 --timestamp=0 --nodefaultresources"
    " --bibliography=references.bib.xml --dest=paper.html paper.xml",
)
SIGNS = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<", "equal": "="}
FOOTER = re.compile(r'<footer class="ltx_page_footer">.*?</footer>', re.DOTALL)
PICTURE = re.compile(r'(<img src="figures/([\w-]+)\.png"[^>]*) alt="[^"]*"')
FROM = re.compile(r'<a href="ledger:([\d,]+)" title=""[^>]*>')
NOTHING = re.compile(r'<a href="ledger:[\d,]+" title=""[^>]*></a>')
CLAIM = re.compile(r'<a href="claim:(\d+)" title=""[^>]*>')
TARGET = re.compile(r'<a href="target:(\w+):(\d+)" title=""[^>]*>')


def convert(
    tex: str | Path,
    *,
    bibliography: str | Path,
    figures: Iterable[str | Path],
    style: str | Path,
    origins: Mapping[str, int],
    claims: Mapping[str, Mapping],
    page: str | Path,
) -> None:
    """Write the paper as a page of HTML that shows the figures beside it in ``figures/``.

    Args:
        figures: as PNG; the words for each are beside it, in a file of the same name with ``.txt``.
        style: the page's style sheet.
        origins: the place in the paper's ledger of each artifact.
        claims: see `pixelspace.report.claims.check`.

    Raises:
        UserError: if LaTeXML is missing or finds an error.
    """
    figures = [checked(figure) for figure in figures]
    alt = {file.stem: checked(file.with_suffix(".txt")).read_text("utf-8") for file in figures}
    text = _converted(checked(tex), Path(bibliography), figures)
    paths = {place: path for path, place in origins.items()}
    write_text(page, _finished(text, Path(style).read_text("utf-8"), alt, paths, claims))


def _converted(tex: Path, bibliography: Path, figures: Iterable[Path]) -> str:
    """Return the page as LaTeXML makes it."""
    if not shutil.which("latexml"):
        raise UserError("latexml is not installed; `make readers` installs or names it")
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        folder = Path(name)
        shutil.copy(tex, folder / "paper.tex")
        shutil.copy(bibliography, folder / "references.bib")
        (folder / "figures").mkdir()
        for figure in figures:
            shutil.copy(figure, folder / "figures")
        for command in CONVERSION:
            run = subprocess.run(
                command.split(),
                cwd=folder,
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            print(run.stdout)
            # It ends well whatever it finds.
            error = re.search(r"^(?:Error|Fatal):(.+)$", run.stdout, re.M)
            if run.returncode != 0 or error:
                raise UserError(_explained(run.stdout, error[1] if error else command, tex))
        return (folder / "paper.html").read_text("utf-8")


def _explained(said: str, error: str, tex: Path) -> str:
    line = re.search(r"line (\d+)", said)
    place = f", from report/{origin(tex, int(line[1]))}" if line else ""
    return f"{tex}: LaTeXML: {error}{place}"


def _finished(
    text: str,
    style: str,
    alt: Mapping[str, str],
    paths: Mapping[int, str],
    claims: Mapping[str, Mapping],
) -> str:
    """Return a page as it is to be, of what LaTeXML made."""
    said = {found["place"]: _said(name, found) for name, found in claims.items()}

    def from_files(link: re.Match) -> str:
        places = [int(place) for place in link[1].split(",")]
        files = html.escape(f"from {', '.join(paths[place] for place in places)}")
        return f'<a class="from" href="#ledger.{places[0]}" title="{files}">'

    text = FOOTER.sub("", NOTHING.sub("", text))
    text = PICTURE.sub(lambda own: f'{own[1]} alt="{html.escape(alt[own[2]].strip())}"', text)
    text = FROM.sub(from_files, text)
    text = CLAIM.sub(
        lambda own: f'<a href="#claim.{own[1]}" title="{html.escape(said[int(own[1])])}">', text
    )
    text = TARGET.sub(r'<a id="\1.\2">', text)
    return text.replace("</head>", f"<style>\n{style}</style>\n</head>", 1)


def _said(name: str, found: Mapping) -> str:
    """Return a claim as a line of plain text: what was measured, and what it is held against."""
    bounds = " and ".join(f"{SIGNS[kind]} {bound:.4g}" for kind, bound in found["bounds"].items())
    verdict = "holds" if found["holds"] else "fails"
    return f"{name} {verdict}: {found['number']} = {found['value']:.4g}, to be {bounds}"
