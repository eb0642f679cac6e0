"""Sweeps, as tables: a row for each network, and one for each point."""

import csv
import difflib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pixelspace.artifacts import read_json
from pixelspace.errors import UserError
from pixelspace.report import spread
from pixelspace.scores import numbers_of

LISTED = 40
"""Points of a sweep that a table has, at most."""

Row = Mapping[str, Any]
"""A network: ``varied`` (values by key, of the same keys in each row), ``replicate``, ``key``, and
``numbers`` or ``error``."""


def collected(
    networks: Iterable[Mapping],
    measures: Sequence[str],
    *,
    points: Iterable[str],
    repeated: Iterable[str],
) -> list[Row]:
    """Return the networks of a sweep with what is known of them.

    Args:
        networks: in their order; which ``repeats`` that of an experiment says each.
        measures: names of those that were taken.
        points: files with what is known of the others, by key.
        repeated: files of those that repeat one, in their order: of each how it was trained, and
            these measures.
    """
    known: dict[str, Mapping] = {}
    for path in points:
        known |= read_json(path)
    artifacts = map(read_json, repeated)
    found = []
    for network in networks:
        if network["repeats"]:
            report = next(artifacts)
            numbers = numbers_of(report, {name: next(artifacts) for name in measures})
            found.append(network | {"numbers": numbers})
        else:
            found.append(network | known[network["key"]])
    return found


def tidy(rows: Sequence[Row]) -> str:
    """Return a sweep as CSV: a row for each network, a column for each key and each number.

    Lists are written as in JSON. A network that failed has its ``error`` and no numbers.
    """
    keys = rows[0]["varied"]
    names = dict.fromkeys(name for row in rows for name in row.get("numbers", ()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*keys, "replicate", "network", "error", *names])
    for row in rows:
        numbers = row.get("numbers", {})
        varied = [row["varied"][key] for key in keys]
        writer.writerow(
            [
                *(value if isinstance(value, str) else json.dumps(value) for value in varied),
                *(row["replicate"], row["key"], row.get("error", "")),
                *(numbers.get(name, "") for name in names),
            ]
        )
    return text.getvalue()


def summary(rows: Sequence[Row], shows: str, where: str) -> dict:
    """Return the points of a sweep with the mean of one number over the networks of each.

    Args:
        rows: of one sweep, those of a point beside one another.
        shows: the number.
        where: the key that names it, for the message.

    Returns:
        ``keys``, ``shows`` and ``points``. A point has ``varied``, the ``values`` of those of its
        networks that have this number, and the ``errors`` of those that failed; and, where there is
        a value, their ``mean``, and what `spread.of_mean` says of two or more.

    Raises:
        UserError: if no network has such a number.
    """
    known = dict.fromkeys(name for row in rows for name in row.get("numbers", ()))
    if known and shows not in known:
        close = difflib.get_close_matches(shows, known, n=1, cutoff=0)
        raise UserError(f"{where}: no network has a number '{shows}'; did you mean '{close[0]}'?")
    by_point: dict[str, list[Row]] = {}
    for row in rows:
        by_point.setdefault(json.dumps(row["varied"]), []).append(row)
    return {
        "keys": list(rows[0]["varied"]),
        "shows": shows,
        "points": [_point(own, shows) for own in by_point.values()],
    }


def listed(points: Sequence[Mapping]) -> list[Mapping]:
    """Return the points that a table has room for: all, or the highest and the lowest means."""
    if len(points) <= LISTED:
        return list(points)
    ranked = sorted((p for p in points if "mean" in p), key=lambda p: p["mean"], reverse=True)
    return [*ranked[: LISTED // 2], *ranked[LISTED // 2 :][-(LISTED // 2) :]]


def _point(rows: Iterable[Row], shows: str) -> dict:
    rows = list(rows)
    values = [row["numbers"][shows] for row in rows if shows in row.get("numbers", ())]
    within = [spread.SHARE] if shows.split("_")[-1] == "accuracy" else []
    mean = {"mean": float(np.mean(values)), **spread.of_mean(values, *within)} if values else {}
    return {
        "varied": dict(rows[0]["varied"]),
        "values": values,
        "errors": [row["error"] for row in rows if "error" in row],
        **mean,
    }
