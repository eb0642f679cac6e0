"""What changed between two papers: marked where it stands, and both papers with their figures."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader
from repository import ROOT

from pixelspace.artifacts import write_text, written
from pixelspace.errors import UserError
from pixelspace.report import diff, latex

needs_latexdiff = pytest.mark.skipif(
    not shutil.which("latexdiff") and "CI" not in os.environ, reason="latexdiff is not installed"
)
TEMPLATE = (ROOT / "report/paper.tex.j2").read_text(encoding="utf-8")
PREAMBLE = re.sub(r"\(\(\*.*?\*\)\)\n(?:.*\n\(\(\*.*?\*\)\)\n)?", "", TEMPLATE.split(r"\title")[0])

OLD = r"""
The share is \ledgermark{3,5}{\ensuremath{91.25}}\,\%, which is stated by many
\citep{lost}. \claimed{4}{It holds of all networks.}

A sentence that goes away.

\paperfigure{kept}{What stays, with a caption that says little.}
\paperfigure{redrawn}{A picture of another seed.}
\paperfigure{dropped}{Only in the earlier one, with $x^2$.}

\begin{claimtable}
  \hypertarget{claim:1}{C1} & \raggedright A first claim & \raggedright because
  & \ledgermark{3}{0.71} & $>$ 0.5 & yes \\
  \hypertarget{claim:2}{C2} & \raggedright A claim that was given up & \raggedright because
  & 12 & $>$ 3 & yes \\
  \hypertarget{claim:3}{C3} & \raggedright A third claim \citep{kept} & \raggedright because
  & 0.2 & $>$ 0.5 & \textcolor{failing}{no} \\
\end{claimtable}

\begin{tabular}{@{}lrrrrr@{}}
  & \multicolumn{2}{c}{one} & \multicolumn{2}{c}{0.41 of others} & last \\
  \midrule
  first & 0.55 [0.51, 0.59] & 0.65 [0.61, 0.69] & 0.75 [0.71, 0.79] & 0.85 [0.81, 0.89] & 0.9 \\*
  second & 0.55 [0.52, 0.58] & 0.65 [0.62, 0.68] & 0.75 [0.72, 0.78] & 0.85 [0.82, 0.88] & 0.9 \\
\end{tabular}

\begin{ledgertable}
  \hypertarget{ledger:3}{3} & training.json & \texttt{aaaaaaaaaaaa} & train.py & seed \\
\end{ledgertable}
"""
NEW = (
    OLD.replace("3,5}{\\ensuremath{91.25}", "4,6}{\\ensuremath{93.75}")
    .replace(r"\citep{lost}", r"\citep{kept}")
    .replace(r"\claimed{4}", r"\claimed{7}")
    .replace("A sentence that goes away.", "Another one that comes instead.")
    .replace("says little", "says more")
    .replace(r"\paperfigure{dropped}{Only in the earlier one, with $x^2$.}", "")
    .replace(r"\begin{claimtable}", "\\paperfigure{new}{Only in the later.}\n\n\\begin{claimtable}")
    .replace("{0.71}", "{0.83}")
    .replace("0.41 of", "0.42 of")
    .replace(".55 [", ".56 [")
    .replace(".65 [", ".66 [")
    .replace(".75 [", ".76 [")
    .replace(".85 [", ".86 [")
    .replace(r"\textcolor{failing}{no}", "yes")
    .replace("aaaaaaaaaaaa", "bbbbbbbbbbbb")
)
NEW = re.sub(r"  \\hypertarget\{claim:2\}.*?\\\\\n", "", NEW, flags=re.S)


def document(body: str) -> str:
    return (
        f"{PREAMBLE}\\begin{{document}}{body}\\bibliographystyle{{abbrvnat}}\n"
        "\\bibliography{references}\n\\end{document}\n"
    )


def draw(file: Path, text: str) -> None:
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, text)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"CreationDate": None})


@pytest.fixture
def papers(tmp_path) -> tuple[diff.Paper, diff.Paper]:
    shown = {
        "old": {"kept": "kept", "redrawn": "before", "dropped": "dropped"},
        "new": {"kept": "kept", "redrawn": "after", "new": "new"},
    }
    for paper, figures in shown.items():
        for name, text in figures.items():
            draw(tmp_path / paper / f"{name}.pdf", f"picture {text}")
    return (
        diff.Paper(document(OLD), tmp_path / "old"),
        diff.Paper(document(NEW), tmp_path / "new"),
    )


def entry(key: str) -> str:
    return f"@book{{{key},\n author = {{{key.title()}}}, title = {{T}}, year = {{2000}},\n}}\n"


@needs_latexdiff
def test_what_changed_is_marked_and_what_did_not_is_not(papers):
    marked = diff.diff(*papers)
    body = marked.tex.partition(r"\begin{document}")[2]
    assert "ledgermark" not in body
    for command, text in {
        "DIFdel": ("91.25", "A sentence that goes away", "little", "A claim that was given up"),
        "DIFadd": ("93.75", "Another one that comes instead", "more", "0.83"),
    }.items():
        for part in text:
            assert re.search(rf"\\{command}(FL)?\{{[^&]*{re.escape(part)}", body), part
    assert "It holds of all networks" in body
    assert "A third claim \\citep{kept} & \\raggedright because" in body
    assert "A first claim & \\raggedright because" in body
    assert "aaaaaaaaaaaa" not in body
    assert [file.stem for file in marked.figures] == ["kept", "redrawn", "new"]
    assert sorted(file.stem for file in marked.earlier) == ["dropped", "redrawn"]


@needs_latexdiff
def test_the_pictures_of_both_papers_are_in_the_pdf(papers, tmp_path):
    marked = diff.diff(*papers)
    tex, bibliography = tmp_path / "diff.tex", tmp_path / "references.bib"
    write_text(tex, marked.tex)
    bibliography.write_text(diff.bibliography(entry("lost") + entry("kept"), entry("kept")))
    for figure in marked.figures:
        content = figure.read_bytes()
        with written(figure) as file:
            file.write_bytes(content)
    with latex.typeset(
        tex, bibliography=bibliography, figures=marked.figures, earlier=marked.earlier
    ) as folder:
        text = "\n".join(page.extract_text() for page in PdfReader(folder / "paper.pdf").pages)
        log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
        wide = re.findall(r"Overfull \\hbox \(.*", log)
        if "KEEP" in os.environ:
            shutil.copy(folder / "paper.pdf", os.environ["KEEP"])
    for shown in ("kept", "before", "after", "dropped", "new"):
        assert text.count(f"picture {shown}") == 1, shown
    assert "Lost" in text
    assert "??" not in text
    assert re.search(r"0\.55 \[0\.51, 0\.59\].*\n.*0\.56 \[0\.51, 0\.59\]", text)
    assert not re.search(r"second.*\*|\* *second", text)
    assert wide == []


@needs_latexdiff
def test_of_one_paper_nothing_is_marked(papers):
    body = diff.diff(papers[1], papers[1]).tex.partition(r"\begin{document}")[2]
    assert not re.search(r"\\DIF(add|del)|\\diff", body)


def test_a_missing_latexdiff_is_named(papers, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="latexdiff is not installed"):
        diff.diff(*papers)


@pytest.mark.parametrize("body", [r"\paperfigure{a}{open", r"\begin{tabular}{l} a \\"])
def test_a_source_that_is_cut_off_is_refused(body, tmp_path):
    paper = diff.Paper(document(OLD), tmp_path)
    with pytest.raises(UserError, match="a paper's source has"):
        diff.diff(paper, diff.Paper(rf"\begin{{document}}{body}", tmp_path))


# The command, in a repository of two commits whose workflow copies what is there.

SNAKEFILE = """
import sys
sys.path.insert(0, SOURCE)
from pixelspace.artifacts import written
configfile: "config/config.yaml"
R = config["results"]
rule all:
    default_target: True
    input: R + "/paper.tex", R + "/figures/redrawn.pdf"
rule copy:
    input: "{name}"
    output: R + "/{name}"
    run:
        open("built.txt", "a").write("x")
        with written(output[0]) as file:
            file.write_bytes(open(input[0], "rb").read())
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path) -> Path:
    folder = tmp_path / "repository"
    for name in ("tools", "config", "report"):
        (folder / name).mkdir(parents=True)
    for name in ("diff.py", "run_snakemake.py"):
        shutil.copy(ROOT / "tools" / name, folder / "tools")
    shutil.copy(ROOT / "requirements.txt", folder)
    (folder / "Snakefile").write_text(SNAKEFILE.replace("SOURCE", repr(str(ROOT / "src"))))
    (folder / "config/config.yaml").write_text("results: results\n")
    (folder / "config/other.yaml").write_text("results: results-other\n")
    (folder / "report/references.bib").write_text(entry("kept"))
    (folder / ".gitignore").write_text("/.snakemake/\n/results*/\n/built.txt\n")
    git(folder.parent, "init", "--quiet", str(folder))
    for number, seed in ((91, "before"), (93, "after")):
        body = f"The share is {number} \\citep{{kept}}.\n\n\\paperfigure{{redrawn}}{{A picture.}}\n"
        (folder / "paper.tex").write_text(document(body))
        draw(folder / "figures/redrawn.pdf", f"picture {seed}")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", seed)
    return folder


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "tools/diff.py", "--cores", "1", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
    )


@needs_latexdiff
def test_the_earlier_revision_is_built_once_and_both_are_shown(repository):
    (repository / "config/config.yaml").write_text("results: results # not committed\n")
    first = run(repository, "--", "HEAD~1")
    assert first.returncode == 0, first.stdout + first.stderr
    text = PdfReader(repository / "results/diff.pdf").pages[0].extract_text()
    assert "picture before" in text
    assert "picture after" in text
    (built,) = (repository / ".snakemake/revisions").glob("*/built.txt")
    assert built.read_text() == "xx"
    assert run(repository, "--", "HEAD~1").returncode == 0
    assert built.read_text() == "xx"
    other = run(repository, "--configfile", "config/other.yaml", "--", "HEAD~1")
    assert other.returncode == 0, other.stdout + other.stderr
    assert (repository / "results-other/diff.pdf").is_file()


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "-h", "", "$(touch x)", "HEAD:x"])
def test_what_names_no_revision_is_refused_in_one_line(repository, revision):
    done = run(repository, "--", revision)
    assert done.returncode == 2
    assert re.fullmatch(r"error: (REV=|name an earlier).*\n", done.stderr)
    assert not (repository / "x").exists()
    assert not (repository / "results").exists()


def test_outside_of_a_repository_one_line_says_so(repository):
    shutil.rmtree(repository / ".git")
    done = run(repository, "--", "HEAD~1", GIT_CEILING_DIRECTORIES=str(repository.parent))
    assert done.returncode == 2
    assert done.stderr.startswith("error: this is not a git repository")


def test_an_earlier_revision_that_cannot_be_built_leaves_nothing(repository):
    (repository / "Snakefile").write_text("error(\n")
    git(repository, "commit", "--quiet", "--all", "--message", "broken")
    git(repository, "checkout", "--quiet", "HEAD~1", "--", "Snakefile")
    done = run(repository, "--", "HEAD")
    assert done.returncode == 2
    assert "was not built; why is said above" in done.stderr.splitlines()[-1]
    assert not (repository / "results/diff.pdf").exists()


def test_make_hands_a_revision_on_as_it_was_written(tmp_path):
    bait = f"REV=$(shell touch {tmp_path}/bait)`touch {tmp_path}/bait`"
    shutil.copy(ROOT / "Makefile", tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    programs = {tools / "setup": "", tmp_path / ".venv/bin/python": 'printf "%s|" "$@"'}
    for program, script in programs.items():
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "diff", bait],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"tools/diff.py|--cores|all|--|{bait.removeprefix('REV=')}|"
    assert not (tmp_path / "bait").exists()
