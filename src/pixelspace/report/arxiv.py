"""The paper's sources as arXiv takes them: one TeX file, its bibliography typeset, its figures.

What arXiv asks for: pdfLaTeX announced in the first lines, a ``.bbl`` of the main file's name, no
paths that lead out, plain names, and nothing that is not needed (https://info.arxiv.org/help).
"""

import re
from collections.abc import Iterable
from pathlib import Path

from pixelspace.artifacts import written
from pixelspace.errors import UserError
from pixelspace.report import latex, tarball

ANNOUNCED = "\\pdfoutput=1 % so that arXiv runs pdfLaTeX\n"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.,=-]*")
"""What a file may be called."""

LARGEST = 50 * 2**20
"""Bytes that arXiv takes of a submission, unpacked or not."""


def pack(
    tex: str | Path, *, bibliography: str | Path, figures: Iterable[str | Path], archive: str | Path
) -> None:
    """Write an archive of sources that compile without anything of this project.

    The same sources give the same bytes.

    Raises:
        UserError: if TeX fails, see `latex.typeset`; or if arXiv would refuse a name or the size.
    """
    with latex.typeset(tex, bibliography=bibliography, figures=figures) as folder:
        source = folder / "paper.tex"
        source.write_text(ANNOUNCED + source.read_text(encoding="utf-8"), encoding="utf-8")
        references = folder.glob("paper.bbl")  # none where nothing is cited
        files = [source, *references, *sorted((folder / "figures").iterdir())]
        _check(files)
        with written(archive) as file:
            tarball.write(file, ((path.relative_to(folder).as_posix(), path) for path in files))


def _check(files: Iterable[Path]) -> None:
    size = 0
    for path in files:
        size += path.stat().st_size
        if not NAME.fullmatch(path.name):
            raise UserError(
                f"{path.name}: arXiv takes names of letters, digits and _+-.,= alone; "
                "rename what it is named after in the configuration"
            )
    if size > LARGEST:
        raise UserError(
            f"the sources have {size / 2**20:.0f} MB, and arXiv takes {LARGEST // 2**20}; "
            "smaller or fewer figures may do"
        )
