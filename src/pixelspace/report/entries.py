"""Numbers that know which entries of the ledger they are from, and what is computed of them does.

A number is a float or an int like any other, but for its ``entries``. A list may have some too: how
long it is was written there as well.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping

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


class _List(list):
    entries: frozenset[int] = frozenset()


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
    """Return the entries that some values are from, or what these hold; others are from none."""
    return frozenset().union(*map(_of, values))


def _of(value: object) -> frozenset[int]:
    if isinstance(value, (_Entered, _List)):
        return value.entries
    if isinstance(value, Mapping):
        return of(*value.values())
    return of(*value) if isinstance(value, (list, tuple)) else frozenset()


def is_number(value: object) -> bool:
    """Tell whether a value is a number, which a truth value is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def from_entries(value: float, entries: Iterable[int]) -> float:
    """Return a number that is from some entries, by their places in the ledger."""
    number = _Int(value) if isinstance(value, int) else _Float(value)
    number.entries = frozenset(entries)
    return number


def all_from(value, place: int):
    """Return a value, all numbers and lists that it is or holds being from an entry."""
    if isinstance(value, Mapping):
        return {key: all_from(inner, place) for key, inner in value.items()}
    if isinstance(value, list):
        listed = _List(all_from(inner, place) for inner in value)
        listed.entries = frozenset([place])
        return listed
    return from_entries(value, [place]) if is_number(value) else value


def entered(value: float, *sources: object) -> float:
    """Return a number that was computed of others: it is from all of their entries."""
    return from_entries(value, of(*sources))


def length(values: Collection) -> int:
    """Return how many values there are, as a number that is from their entries."""
    return entered(len(values), values)
