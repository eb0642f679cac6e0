"""Claims, numbers and sweeps as pages with one table each, for readers without a spreadsheet."""

import csv
import html
from collections.abc import Iterable, Mapping, Sequence

from pixelspace.report.compare import counted

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 1rem; font: 1rem/1.4 system-ui, sans-serif; color: #111; background: #fff; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .6rem; border-bottom: 1px solid #8886; text-align: left; }}
th, td {{ vertical-align: top; overflow-wrap: break-word; }}
thead th {{ position: sticky; top: 0; background: #fff; }}
</style>
</head>
<body>
<table>
<caption>{title}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</body>
</html>
"""

SIGNS = {"equal": "=", "above": ">", "at_least": "≥", "below": "<", "at_most": "≤"}
"""How each kind of bound of a claim is written."""


def page(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML that loads nothing; what is in it is text, and no markup."""
    return PAGE.format(
        title=html.escape(title),
        head="".join(f'<th scope="col">{html.escape(name)}</th>' for name in head),
        body="\n".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in rows
        ),
    )


def of_claims(claims: Mapping[str, Mapping]) -> str:
    """Return the claims in their order in the paper, with value, bounds and whether each holds."""
    rows = [
        (
            claim["place"],
            claim["claim"],
            "holds" if claim["holds"] else "does not hold",
            claim["value"],
            ", ".join(f"{SIGNS[name]} {_cell(bound)}" for name, bound in claim["bounds"].items()),
            claim["number"],
        )
        for claim in sorted(claims.values(), key=lambda claim: claim["place"])
    ]
    held = sum(claim["holds"] for claim in claims.values())
    head = ("", "claim", "verdict", "value", "bounds", "number")
    return page(f"{held} of {len(rows)} claims hold", head, rows)


def of_numbers(numbers: Mapping[str, Mapping]) -> str:
    """Return each number with its value and the artifact that it is from."""
    rows = [(name, entry["value"], entry["artifact"]) for name, entry in sorted(numbers.items())]
    return page(counted(len(rows), "number", "numbers"), ("number", "value", "from"), rows)


def of_sweep(name: str, table: str) -> str:
    """Return a sweep, which is given as CSV, see `pixelspace.report.sweep.tidy`."""
    head, *rows = csv.reader(table.splitlines())
    networks = counted(len(rows), "network", "networks")
    return page(f"{networks} of the sweep {name}", head, rows)


def _cell(value: object) -> str:
    """Return what a cell shows: six digits of a fraction are more than any of them tells."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
