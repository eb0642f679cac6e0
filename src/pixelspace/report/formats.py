"""How numbers are printed, as LaTeX."""

import re

from pixelspace.errors import UserError

FORMAT = re.compile(r"(number|percent|points)([0-6])|count")


def fixed(value: float, digits: int) -> str:
    """Return a number with so many digits after the point; 0 has no sign."""
    text = f"{abs(value):.{digits}f}"
    minus = value < 0 and float(text) != 0
    return rf"\ensuremath{{{'-' if minus else ''}{text}}}"


def percent(value: float, digits: int) -> str:
    """Return a share as a percentage."""
    return rf"{fixed(100 * value, digits)}\,\%"


def grouped(value: float) -> str:
    """Return a whole number with its thousands apart."""
    return f"{round(value):,}".replace(",", "{,}")


def shown(value: float, format: str) -> str:
    """Return a number in a format that has a name.

    ``number2`` has two digits after the point, ``percent1`` is a percentage with one, ``points1``
    the same without its sign, and ``count`` a whole number.

    Raises:
        UserError: if there is no such format.
    """
    found = FORMAT.fullmatch(format)
    if not found:
        raise UserError(
            f"format '{format}': it is number, percent or points with a digit, or count"
        )
    match found[1]:
        case "number":
            return fixed(value, int(found[2]))
        case "percent":
            return percent(value, int(found[2]))
        case "points":
            return fixed(100 * value, int(found[2]))
        case _:
            return grouped(value)
