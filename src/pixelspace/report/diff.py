"""Two papers in one: what was taken out is struck and red, what came in is underlined and blue.

latexdiff marks the running text. It would tear apart what is not running text, so figures and
tables are taken out before, compared here, and put back where latexdiff leaves their places:
figures by their names and by what is in their files, tables row by row.
"""

import difflib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelspace.errors import UserError
from pixelspace.files import file_hash

TABLES = "claimtable ledgertable longtable methods resulttable sweeptable tabular".split()
LEDGER = "ledgertable"
"""A table whose every hash is new in every build; that of the later paper is shown unmarked."""

BEGIN = r"\begin{document}"
PLACE = r"\diffplace"
FIGURE = r"\paperfigure"
DELETED = "%DIFDELCMD"
"""Begins the comments in which latexdiff keeps commands that are gone."""

EARLIER = "earlier"
"""The folder that has the figures of the earlier paper, beside that of the later one's."""

OPTIONS = [
    "--packages=amsmath,hyperref",
    "--append-textcmd=notclaimed",
    "--append-safecmd=ensuremath,layer,allowbreak,mathrm",
    "--math-markup=whole",
]
FRAGILE = re.compile(r"\\(cite|ref|hypertarget|hyperlink|multicolumn|textcolor|raggedright)")
"""What cannot be struck through, and is only coloured."""

RULES = re.compile(r"\*?(\s|\\(top|mid|bottom)rule\b|\\cmidrule(\(\w+\))?\{[^}]*\}|\\hline\b)*")
"""What begins a row and is in none of its cells."""

SEVERAL = re.compile(r"(\s*\\multicolumn\{\d+\}\{(?:[^{}]|\{[^{}]*\})*\})\{(.*)\}(\s*)$", re.S)
"""A cell over several columns, which must begin with what says so."""

PREAMBLE = r"""
\DeclareRobustCommand{\ledgermark}[2]{#2}
\definecolor{old}{HTML}{B00020}
\definecolor{new}{HTML}{0040C0}
\renewcommand{\DIFadd}[1]{{\protect\color{new}\uline{#1}}}
\renewcommand{\DIFdel}[1]{{\protect\color{old}\sout{#1}}}
\newsavebox{\diffpicture}
% #1 colour of the frame, #2 file, #3 the largest height.
\newcommand{\diffframed}[3]{%
  \sbox{\diffpicture}{\includegraphics{#2}}%
  \ifdim\dimexpr\ht\diffpicture+\dp\diffpicture\relax>#3
    \sbox{\diffpicture}{\includegraphics[height=#3]{#2}}\fi
  {\setlength{\fboxsep}{2pt}\setlength{\fboxrule}{1pt}%
    \makebox[\linewidth]{\fcolorbox{#1}{white}{\usebox{\diffpicture}}}}}
\newcommand{\diffsaid}[2]{{\footnotesize\color{#1}#2\par}}
% A figure whose picture changed: #1 name, #2 caption.
\newcommand{\diffchangedfigure}[2]{%
  \begin{figure}[!htbp]
    \centering
    \diffsaid{old}{earlier:}\diffframed{old}{earlier/#1.pdf}{.36\textheight}\par\smallskip
    \diffsaid{new}{now:}\diffframed{new}{figures/#1.pdf}{.36\textheight}
    \caption{#2}
    \label{fig:#1}
  \end{figure}}
\newcommand{\diffaddedfigure}[2]{%
  \begin{figure}[!htbp]
    \centering
    \diffsaid{new}{added:}\diffframed{new}{figures/#1.pdf}{.75\textheight}
    \caption{\color{new}#2}
    \label{fig:#1}
  \end{figure}}
% It keeps the number that it had: #1 name, #2 caption, #3 number.
\makeatletter
\newcommand{\diffdeletedfigure}[3]{%
  \begin{figure}[!htbp]
    \centering
    \diffsaid{old}{removed:}\diffframed{old}{earlier/#1.pdf}{.75\textheight}
    \caption*{\color{old}\textbf{Figure #3 of the earlier paper:} #2}
    \def\@currentlabel{#3 of the earlier paper}\label{fig:#1}
  \end{figure}}
\makeatother
"""


@dataclass(frozen=True)
class Paper:
    """A paper's source, and the folder of its figures."""

    tex: str
    figures: Path

    def picture(self, name: str) -> Path:
        return self.figures / f"{name}.pdf"


@dataclass(frozen=True)
class Block:
    """A figure or a table, as it stands in the source; a figure has a name and a caption too."""

    text: str
    table: str = ""
    name: str = ""
    caption: str = ""
    number: int = 0


@dataclass(frozen=True)
class Diff:
    """The source of a marked paper, and the pictures that it shows of each paper."""

    tex: str
    figures: tuple[Path, ...]
    earlier: tuple[Path, ...]


def diff(old: Paper, new: Paper) -> Diff:
    """Return the later paper with what changed since the earlier one marked.

    Raises:
        UserError: if latexdiff is missing or fails, or a source is no LaTeX document.
    """
    preamble, _, new_body = _halves(new.tex)
    old_text, old_blocks = _without_blocks(_plain(_halves(old.tex)[2]))
    new_text, new_blocks = _without_blocks(_plain(new_body))
    marked = latexdiff(f"{preamble}{BEGIN}{old_text}", f"{preamble}{BEGIN}{new_text}")
    blocks = {
        key: _now(old_blocks.get(key), block, _same_picture(old, new, block))
        for key, block in new_blocks.items()
    }
    gone = {key: _gone(block) for key, block in old_blocks.items() if key not in new_blocks}
    tex = "\n".join(_with_blocks(marked.splitlines(), blocks, gone))
    head, _, body = _halves(tex)
    return Diff(
        f"{head}{PREAMBLE}{BEGIN}{body}\n",
        tuple(new.picture(name) for name in _shown(body, "figures", FIGURE, "diffaddedfigure")),
        tuple(old.picture(name) for name in _shown(body, EARLIER, "diffdeletedfigure")),
    )


def bibliography(old: str, new: str) -> str:
    """Return the later bibliography with those entries of the earlier one that it has no more."""
    known = set(re.findall(r"^@\w+\{([^,\s]+)", new, re.M))
    entries = re.split(r"^(?=@)", old, flags=re.M)[1:]
    lost = [entry for entry in entries if _entry_key(entry) not in known]
    return "\n".join([new.rstrip(), *lost]) + "\n"


def _entry_key(entry: str) -> str:
    match = re.match(r"@\w+\{([^,\s]+)", entry)
    return match[1] if match else ""


def latexdiff(old: str, new: str) -> str:
    """Return what latexdiff makes of two texts.

    Raises:
        UserError: if it is missing or fails.
    """
    if not shutil.which("latexdiff"):
        raise UserError("latexdiff is not installed; `make diff` installs it or names its package")
    with tempfile.TemporaryDirectory(prefix="pixelspace-") as folder:
        for name, text in (("old.tex", old), ("new.tex", new)):
            Path(folder, name).write_text(text, encoding="utf-8")
        run = subprocess.run(
            ["latexdiff", "--encoding=utf8", "--no-label", *OPTIONS, "old.tex", "new.tex"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    if run.returncode:
        said = run.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"latexdiff failed: {said[-1] if said else f'exit {run.returncode}'}")
    return run.stdout.decode()


def _halves(tex: str) -> tuple[str, str, str]:
    head, begin, body = tex.partition(BEGIN)
    if not begin:
        raise UserError(f"a paper's source has no {BEGIN}")
    return head, begin, body


def _plain(body: str) -> str:
    """Return a text without the ledger's marks, and with a claim's number after its sentence.

    Both are other numbers in each build, and would break up the text that they stand in.
    """
    while mark := re.search(r"\\ledgermark\{[\d,]*\}(?=\{)", body):
        end = _closed(body, mark.end())
        body = body[: mark.start()] + body[mark.end() + 1 : end - 1] + body[end:]
    parts, at = [], 0
    for match in re.finditer(r"\\claimed\{(\d+)\}(?=\{)", body):
        if match.start() < at:
            continue
        end = _closed(body, match.end())
        parts += [body[at : match.start()], body[match.end() + 1 : end - 1]]
        parts += [rf"\claimnumber{{{match[1]}}}"]
        at = end
    return "".join([*parts, body[at:]])


def _closed(text: str, start: int) -> int:
    """Return where the group ends that begins at ``start``: the place after its brace."""
    depth = 0
    for match in re.finditer(r"\\.|[{}]|%.*", text[start:]):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return start + match.end()
    raise UserError(f"a paper's source has a brace that is not closed: {text[start : start + 60]}")


def _without_blocks(body: str) -> tuple[str, dict[str, Block]]:
    """Return a text with a place in it for each figure and table, and these by their places."""
    opening = re.compile(
        rf"{re.escape(FIGURE)}\{{([^{{}}]+)\}}(?=\{{)|\\begin\{{({'|'.join(TABLES)})\}}"
    )
    blocks: dict[str, Block] = {}
    parts, at = [], 0
    while match := opening.search(body, at):
        if match[1]:
            end = _closed(body, match.end())
            caption = body[match.end() + 1 : end - 1]
            number = 1 + sum(not block.table for block in blocks.values())
            key = f"figure-{match[1]}"
            block = Block(body[match.start() : end], "", match[1], caption, number)
        else:
            closing = rf"\end{{{match[2]}}}"
            end = body.find(closing, match.end()) + len(closing)
            if end < len(closing):
                raise UserError(f"a paper's source has no {closing}")
            block = Block(body[match.start() : end], match[2])
            key = f"table-{match[2]}-{_label(body[: match.start()], block.text)}"
        while key in blocks:
            key += "+"
        blocks[key] = block
        parts += [body[at : match.start()], rf"{PLACE}{{{key}}}"]
        at = end
    return "".join([*parts, body[at:]]), blocks


def _label(before: str, table: str) -> str:
    """Return by which label the text refers to a table, if it does: its own, or its float's."""
    own = re.search(r"\btab:[\w-]+", table)
    if own:
        return own[0]
    opened = before.rpartition(r"\begin{table}")[2]
    around = re.findall(r"\\label\{(tab:[\w-]+)\}", opened)
    return around[-1] if around and r"\end{table}" not in opened else ""


def _with_blocks(
    lines: Iterable[str], blocks: Mapping[str, str], gone: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines of a marked text with each figure and table in its place.

    latexdiff keeps the place of what is gone in a comment, and that of what moved there as well.
    """
    place = re.compile(rf"{re.escape(PLACE)}\{{([^{{}}]+)\}}")
    for line in lines:
        text, _, comment = line.partition(DELETED)
        before = place.sub(lambda match: blocks[match[1]], text)
        yield f"{before}{DELETED}{comment}" if comment else before
        yield from (gone[key] for key in place.findall(comment) if key in gone)


def _same_picture(old: Paper, new: Paper, block: Block) -> bool:
    if block.table:
        return True
    files = (old.picture(block.name), new.picture(block.name))
    return all(file.is_file() for file in files) and len({file_hash(file) for file in files}) == 1


def _now(old: Block | None, new: Block, same_picture: bool) -> str:
    """Return a figure or table of the later paper, with what changed in it marked."""
    if new.table:
        return new.text if new.table == LEDGER else _table(old, new)
    if old is None:
        return rf"\diffaddedfigure{{{new.name}}}{{{new.caption}}}"
    caption = new.caption
    if old.caption != new.caption:
        caption = latexdiff(old.caption, new.caption).strip()
    command = FIGURE if same_picture else r"\diffchangedfigure"
    return f"{command}{{{new.name}}}{{{caption}}}"


def _gone(block: Block) -> str:
    """Return a figure or table that only the earlier paper has."""
    if block.table == LEDGER:
        return ""
    if block.table:
        return "{" + _assembled(block, (_row(row, _taken_out) for row in _rows(block))) + "}"
    return rf"\diffdeletedfigure{{{block.name}}}{{{block.caption}}}{{{block.number}}}"


def _table(old: Block | None, new: Block) -> str:
    """Return a table with its rows marked: added, taken out, or changed in some cells."""
    if old is None:
        return _assembled(new, (_row(row, _put_in) for row in _rows(new)))
    before, after = list(_rows(old)), list(_rows(new))
    if _opening(old) != _opening(new):
        before = after  # with other columns, rows are not comparable
    return _assembled(new, _merged(before, after))


def _merged(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Yield the rows of two tables, each beside its like: that which begins with the same words."""
    shapes = [[_shape(row) for row in rows] for rows in (before, after)]
    matcher = difflib.SequenceMatcher(None, *shapes, autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal" or a_end - a == b_end - b:
            pairs = zip(before[a:a_end], after[b:b_end], strict=True)
            yield from (_changed(*pair) for pair in pairs)
        else:
            yield from (_row(row, _taken_out) for row in before[a:a_end])
            yield from (_row(row, _put_in) for row in after[b:b_end])


def _shape(row: str) -> str:
    return re.sub(r"[\d.]+", "0", "&".join(_cells(_bare(row))[:2])).strip()


def _changed(old: str, new: str) -> str:
    """Return a row with those cells marked that are not as they were.

    What they are stands below what they were: side by side, both may not fit into a column.
    """
    before, after = _cells(_bare(old)), _cells(_bare(new))
    if [cell.strip() for cell in before] == [cell.strip() for cell in after]:
        return new
    if len(before) != len(after):
        return _row(old, _taken_out) + r"\\" + _row(new, _put_in)
    above, below = [], []
    for was, now in zip(before, after, strict=True):
        same = was.strip() == now.strip()
        above.append(now if same else _taken_out(was))
        below.append(_emptied(now) if same else _put_in(now))
    return RULES.match(new)[0] + "&".join(above) + r"\\*" + "&".join(below)


def _row(row: str, marked: Callable[[str], str]) -> str:
    """Return a row of rules and marked cells; what ends a table has no cells."""
    rules, bare = RULES.match(row)[0], _bare(row)
    return rules + "&".join(marked(cell) for cell in _cells(bare)) if bare.strip() else row


def _bare(row: str) -> str:
    return row[RULES.match(row).end() :]


def _taken_out(cell: str) -> str:
    # Nothing can be linked to that is there twice.
    cell = re.sub(r"\\hypertarget\{[^{}]*\}", "", cell)
    return _marked_cell(cell, "old", "DIFdel")


def _put_in(cell: str) -> str:
    return _marked_cell(cell, "new", "DIFadd")


def _emptied(cell: str) -> str:
    wide = SEVERAL.match(cell)
    return f"{wide[1]}{{}}" if wide else " "


def _marked_cell(cell: str, colour: str, command: str) -> str:
    if wide := SEVERAL.match(cell):
        return f"{wide[1]}{{{_marked_cell(wide[2], colour, command)}}}{wide[3]}"
    _, ragged, text = cell.rpartition(r"\raggedright")
    text = text.strip()
    if not text:
        return cell
    if FRAGILE.search(text):
        return rf" {ragged}\color{{{colour}}} {text} "
    return rf" {ragged}\{command}{{{text}}} "


def _opening(block: Block) -> str:
    """Return how a table begins: its environment with what follows it in braces."""
    end = len(rf"\begin{{{block.table}}}")
    while block.text[end : end + 1] == "{":
        end = _closed(block.text, end)
    return block.text[:end]


def _rows(block: Block) -> list[str]:
    """Return the rows of a table; the last is what stands behind the last row's end."""
    body = block.text[len(_opening(block)) : -len(rf"\end{{{block.table}}}")]
    return _split(body, r"\\")


def _assembled(block: Block, rows: Iterable[str]) -> str:
    return _opening(block) + r"\\".join(rows) + rf"\end{{{block.table}}}"


def _cells(row: str) -> list[str]:
    return _split(row, "&")


def _split(text: str, separator: str) -> list[str]:
    """Split a text where a separator stands outside of braces."""
    parts, start, depth = [], 0, 0
    for match in re.finditer(r"\\.|[{}&]", text, re.S):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if match[0] == separator and depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _shown(body: str, folder: str, *commands: str) -> list[str]:
    """Return the names of the figures in a folder that a marked text shows."""
    names = [command.lstrip("\\") for command in (*commands, "diffchangedfigure")]
    shown = re.findall(rf"\\(?:{'|'.join(names)})\{{([^{{}}]+)\}}", body)
    direct = re.findall(rf"\\includegraphics(?:\[[^]]*\])?\{{{folder}/([^{{}}]+)\.pdf\}}", body)
    return list(dict.fromkeys([*shown, *direct]))
