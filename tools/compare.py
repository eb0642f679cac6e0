"""Say what differs between two folders of results: ``python tools/compare.py A B``.

Prints a summary, and writes ``compare.html`` into B with all of it, figures side by side; where
nothing differs, one of an earlier comparison is deleted. Exits with 0 if nothing differs, 1 if
something does, and 2 if a folder cannot be read.
"""

import sys
from pathlib import Path

from pixelspace.artifacts import RECORDS, write_text
from pixelspace.errors import UserError
from pixelspace.report import compare

TEMPLATE = Path(__file__).parents[1] / "report/compare.html.j2"


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not all(arguments):
        raise UserError("name two folders of results, say `make compare A=results B=results-my`")
    a, b = arguments
    found = compare.compare(compare.read(a), compare.read(b))
    page = Path(b) / "compare.html"
    try:
        if found.same:
            for old in (page, page.parent / RECORDS / page.name):
                old.unlink(missing_ok=True)
            print(*compare.summary(found), sep="\n")
            return 0
        write_text(page, compare.page(found, TEMPLATE))
    except OSError as error:
        raise UserError(f"{page}: {error.strerror}") from error
    print(*compare.summary(found), f"figures side by side: {page}", sep="\n")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
