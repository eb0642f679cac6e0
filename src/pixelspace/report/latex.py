"""From LaTeX to PDF: the same bytes in any folder, no shell, and errors in one line."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pixelspace.artifacts import checked, written
from pixelspace.errors import UserError

ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "TZ": "UTC",
    "openin_any": "p",
    "openout_any": "p",
    "shell_escape": "f",
    "max_print_line": "10000",
}
KEPT = "PIXELSPACE_TEX"
"""Environment variable with a folder to typeset papers in: what TeX wrote of the last one is there
for the next, so that this does not take as many passes."""

FULL = 1 << 16
"""On a disk with fewer bytes left, what TeX wrote last may not have fitted; it does not say so."""

LATEXMK = "latexmk -norc -pdf -no-shell-escape -interaction=nonstopmode -halt-on-error".split()
TECTONIC = "tectonic --untrusted --keep-logs --keep-intermediates".split()

FILE = re.compile(
    r"(\\(?:@*input|include|includegraphics|includepdf|import|graphicspath|verbatiminput"
    r"|lstinputlisting|IfFileExists|InputIfFileExists|documentclass|usepackage|RequirePackage"
    r"|bibliography|bibliographystyle|open(?:in|out)(?:\s*\d+|\s*\\[A-Za-z@]+)?))"
    r"(?![A-Za-z@])([^}]*)"
)
"""A command that names files, and what follows up to the names' end."""

ELSEWHERE = re.compile(r"(?<![\w.-])[/~|]|\.\.")
"""What begins a path, in the names of files, that leads out of a folder."""


def compile_pdf(
    tex: str | Path, *, bibliography: str | Path, figures: Iterable[str | Path], pdf: str | Path
) -> None:
    """Typeset ``tex`` with its bibliography and figures to ``pdf``; raises what `typeset` does."""
    kept = os.environ.get(KEPT)
    made = typeset(tex, bibliography=bibliography, figures=figures, kept=kept)
    with made as folder, written(pdf) as file:
        shutil.copy(folder / "paper.pdf", file)


@contextlib.contextmanager
def typeset(
    tex: str | Path,
    *,
    bibliography: str | Path,
    figures: Iterable[str | Path],
    earlier: Iterable[str | Path] = (),
    kept: str | None = None,
) -> Iterator[Path]:
    """Typeset ``tex`` as ``paper.tex`` in a temporary folder, or in one that is kept, and give it.

    It holds all that TeX read, with the figures in a folder of their own, and all that it wrote:
    ``paper.pdf``, ``paper.bbl`` and more. The figures of an ``earlier`` paper, which another
    revision wrote and answers for, have a folder too.

    Raises:
        UserError: if TeX is missing, or has no room on the disk, or finds an error; with the line
            and the template file that it came from. Also see `keep_inside`.
    """
    command = engine()
    if command is TECTONIC:
        keep_inside(tex, bibliography)
    with laid_out(tex, bibliography, figures, kept) as folder:
        (folder / "earlier").mkdir(exist_ok=True)
        for figure in earlier:
            shutil.copy(figure, folder / "earlier")
        # What is as long as before and written in the same second looks unchanged to latexmk.
        (folder / "paper.pdf").unlink(missing_ok=True)
        if run([*command, "paper.tex"], folder) != 0:
            log = folder / "paper.log"
            text = log.read_text(errors="replace") if log.is_file() else ""
            full = shutil.disk_usage(folder).free < FULL
            lack = f"no space left on device for {folder}" if full else ""
            shutil.rmtree(folder)  # what TeX left half-written would stop it the next time
            folder.mkdir()
            raise UserError(explain(text, Path(tex), lack))
        yield folder


@contextlib.contextmanager
def laid_out(
    tex: str | Path,
    bibliography: str | Path,
    figures: Iterable[str | Path],
    kept: str | None = None,
) -> Iterator[Path]:
    """Give a folder with what a paper is typeset of, under the names that it uses.

    It is a temporary one, unless one that is ``kept`` is named.
    """
    own = contextlib.nullcontext(kept) if kept else None
    with own or tempfile.TemporaryDirectory(prefix="pixelspace-") as name:
        folder = Path(name)
        shutil.copy(checked(tex), folder / "paper.tex")
        shutil.copy(bibliography, folder / "references.bib")
        (folder / "figures").mkdir(exist_ok=True)
        for figure in figures:
            shutil.copy(checked(figure), folder / "figures")
        yield folder


def keep_inside(*files: str | Path) -> None:
    """Refuse what reads or writes files elsewhere, for programs that do not refuse it themselves.

    pdfTeX does. This looks for commands where they are written; what a user names has none, since
    it is escaped, but a template can still make one up.

    Raises:
        UserError: at the first command that names a file outside of the paper's folder.
    """
    for file in map(Path, files):
        text = file.read_text(encoding="utf-8")
        for command in FILE.finditer(text):
            if ELSEWHERE.search(command[2]):
                line = text.count("\n", 0, command.start()) + 1
                raise UserError(
                    f"{file}:{line}: {command[1]} names a file outside of the paper's folder, "
                    f"from report/{origin(file, line)}"
                )


def run(command: Sequence[str], folder: Path) -> int:
    """Run a program that reads LaTeX there, restricted; print what it says, return its status."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout.decode(errors="replace"))
    return done.returncode


def engine() -> list[str]:
    """Return the command that typesets: latexmk with pdfTeX, or tectonic where there is none.

    Raises:
        UserError: if neither is installed.
    """
    if shutil.which("latexmk") and shutil.which("pdflatex"):
        return LATEXMK
    if shutil.which("tectonic"):
        return TECTONIC
    raise UserError(
        "neither latexmk with pdflatex nor tectonic is installed; "
        "`make paper` installs or names one"
    )


def explain(log: str, tex: Path, lack: str = "") -> str:
    """Return one line about the first error in a TeX log: message, line, text, template file.

    Where the log names none, it is about the ``lack`` of something, if that is known.
    """
    message = re.search(r"^! (.+)$", log, re.M)
    line = re.search(r"^l\.(\d+) ?(.*)$", log, re.M)
    if not message and lack:
        return f"{tex}: {lack}"
    if not message:
        return f"{tex}: TeX failed without naming an error; see the log above"
    if not line:
        return f"{tex}: {message[1]}"
    number = int(line[1])
    return f"{tex}:{number}: {message[1]} at '{line[2].strip()}', from report/{origin(tex, number)}"


def origin(tex: Path, number: int) -> str:
    """Return the template file that a line of the rendered ``tex`` came from."""
    from pixelspace.report.template import SOURCE_END, SOURCE_MARK  # here: Jinja2 takes a while

    stack = []
    for text in tex.read_text(encoding="utf-8").splitlines()[:number]:
        if text.startswith(SOURCE_MARK):
            stack.append(text.removeprefix(SOURCE_MARK))
        elif text == SOURCE_END:
            stack.pop()
    return stack[-1] if stack else tex.name
