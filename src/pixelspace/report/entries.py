"""Numbers that know which entries of the ledger they are from, and what is computed of them does.

A number is a float or an int like any other, but for its ``entries``.
"""

import operator
from collections.abc import Callable, Iterable

OPERATIONS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")


class _Entered:
    """What a float or an int has besides."""

    entries: frozenset[int] = frozenset()

    def __neg__(self):
        return entered(-_bare(self), self)

    def __abs__(self):
        return entered(abs(_bare(self)), self)


class _Float(_Entered, float):
    pass


class _Int(_Entered, int):
    pass


def _bare(value: float) -> float:
    return int(value) if isinstance(value, int) else float(value)


def _of_both(operate: Callable) -> Callable:
    def operated(self, other):
        if not isinstance(other, (int, float)):
            return NotImplemented
        return entered(operate(_bare(self), _bare(other)), self, other)

    return operated


def _swapped(operate: Callable) -> Callable:
    return lambda self, other: operate(other, self)


for _name in OPERATIONS:
    _operate = getattr(operator, _name)
    setattr(_Entered, f"__{_name}__", _of_both(_operate))
    setattr(_Entered, f"__r{_name}__", _of_both(_swapped(_operate)))


def of(*values: object) -> frozenset[int]:
    """Return the entries that some values are from; what is no such number is from none."""
    return frozenset().union(*(value.entries for value in values if isinstance(value, _Entered)))


def from_entries(value: float, entries: Iterable[int]) -> float:
    """Return a number that is from some entries, by their places in the ledger."""
    number = _Int(value) if isinstance(value, int) else _Float(value)
    number.entries = frozenset(entries)
    return number


def entered(value: float, *sources: object) -> float:
    """Return a number that was computed of others: it is from all of their entries."""
    return from_entries(value, of(*sources))
