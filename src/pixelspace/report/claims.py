"""Claims: statements about results, each with a number, a bound, and a sentence for either case.

A claim says what a number must be for a sentence to be true. The bound has a reason, which is never
that a run came out so. Which of the two sentences the paper prints is decided by the number.
"""

import operator
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixelspace.errors import UserError
from pixelspace.keys import key_lines
from pixelspace.report.formats import shown

PLACE = re.compile(r"<([a-z][\w.]*)(?::(\w+))?>")
BOUNDS = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
    "equal": operator.eq,
}
Bound = float | str | None


class Claim(BaseModel):
    """One statement.

    The sentences are LaTeX. In them ``<value>`` and ``<bound>`` stand for the number and what it is
    held against, and ``<name>`` for any number, shown as the claim's own is; ``<name:percent1>``
    shows it otherwise, see `pixelspace.report.formats.shown`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    claim: str = Field(description="what is claimed, in a few words, for the table of claims")
    number: str = Field(description="name of the number in numbers.json")
    at_least: Bound = Field(None, description="the least that it may be, or a number's name")
    at_most: Bound = Field(None, description="the most that it may be, or a number's name")
    above: Bound = Field(None, description="what it must be larger than, or a number's name")
    below: Bound = Field(None, description="what it must be smaller than, or a number's name")
    equal: Bound = Field(None, description="what it must be, or a number's name")
    reason: str = Field(description="why this is the bound, in LaTeX")
    when: dict[str, list[str | bool | int | float] | dict[Literal["at_least"], int]] = Field(
        {}, description="configuration keys; values of each, or the least, for which it is made"
    )
    descriptive: bool = Field(
        False, description="says what is; it may hold of networks with random weights as well"
    )
    format: str = Field("number2", description="how the number is shown")
    holds: str = Field(description="the sentence where the claim holds")
    fails: str = Field(description="the sentence where it does not")

    @property
    def bounds(self) -> dict[str, float | str]:
        """What the number is held against, by kind."""
        found = {kind: getattr(self, kind) for kind in BOUNDS}
        return {kind: bound for kind, bound in found.items() if bound is not None}

    @property
    def numbers(self) -> Iterator[str]:
        """The names of the numbers that the claim and its sentences are about."""
        yield self.number
        yield from (bound for bound in self.bounds.values() if isinstance(bound, str))
        for sentence in (self.holds, self.fails):
            yield from (name for name, _ in PLACE.findall(sentence) if name not in OWN)


OWN = ("value", "bound")


def load(path: str | Path) -> dict[str, Claim]:
    """Return the claims of a file by their names, in its order.

    Raises:
        UserError: naming file and line, if a claim is not as `Claim` says, has no bound or stands
            there twice.
    """
    lines = key_lines(Path(path))
    if not lines:
        raise UserError(f"{path}: a mapping of claims by their names is expected")
    claims = {}
    for name, fields in yaml.safe_load(Path(path).read_text(encoding="utf-8")).items():
        here = f"{path}:{lines[name,]}: {name}"
        try:
            claims[name] = Claim.model_validate(fields)
            for sentence in (claims[name].holds, claims[name].fails):
                for _, form in PLACE.findall(sentence):
                    shown(0, form or claims[name].format)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{here}: {key}: {first['msg']}") from None
        except UserError as error:
            raise UserError(f"{here}: {error}") from None
        if not claims[name].bounds:
            raise UserError(f"{here}: it has no bound; give one of {', '.join(BOUNDS)}")
    return claims


def is_made(claim: Claim, config: Mapping) -> bool:
    """Tell whether a claim is made under a configuration: each key is as it says."""
    return all(_meets(_setting(config, path), wanted) for path, wanted in claim.when.items())


def _meets(setting, wanted: list | Mapping[str, int]) -> bool:
    if isinstance(wanted, Mapping):
        return setting is not None and setting >= wanted["at_least"]
    return setting in wanted


def _setting(config: Mapping, path: str):
    here = config
    for key in path.split("."):
        if not isinstance(here, Mapping) or key not in here:
            return None
        here = here[key]
    return here


def check(
    path: str | Path, numbers: Mapping[str, Mapping], config: Mapping
) -> dict[str, dict[str, object]]:
    """Check those claims of a file that are made under a configuration.

    Args:
        numbers: see `pixelspace.report.numbers.collect`.
        config: the whole configuration as plain values.

    Returns:
        By the claim's name, in the order of the file: its ``place`` among them, counted from 1;
        ``claim``, ``reason`` and ``descriptive`` as they are; the ``number``'s name, its ``value``
        and the ``bounds`` by kind; the same ``printed`` as LaTeX; whether it ``holds``; the
        ``sentence`` that is true; its ``parts``, each as it is ``printed``, those that are numbers
        with their names in ``numbers``, which a bound of the claim's own has none of; and all
        numbers that the claim ``cites``.

    Raises:
        UserError: naming file and line, if a claim is about a number that nothing measured.
    """
    lines = key_lines(Path(path))
    values = {number: entry["value"] for number, entry in numbers.items()}
    checked = {}
    for name, claim in load(path).items():
        if not is_made(claim, config):
            continue
        unknown = [number for number in claim.numbers if number not in numbers]
        if unknown:
            here = f"{path}:{lines[name,]}: {name}"
            raise UserError(f"{here}: there is no number '{unknown[0]}' in numbers.json")
        value = values[claim.number]
        bounds = {
            kind: values[bound] if isinstance(bound, str) else bound
            for kind, bound in claim.bounds.items()
        }
        holds = all(BOUNDS[kind](value, bound) for kind, bound in bounds.items())
        own = dict(zip(OWN, (value, next(iter(bounds.values()))), strict=True))
        parts = list(_filled(claim, claim.holds if holds else claim.fails, values | own))
        checked[name] = {
            "place": len(checked) + 1,
            "claim": claim.claim,
            "reason": claim.reason,
            "descriptive": claim.descriptive,
            "number": claim.number,
            "value": value,
            "bounds": bounds,
            "printed": {
                "value": shown(value, claim.format),
                "bounds": {kind: shown(bound, claim.format) for kind, bound in bounds.items()},
            },
            "holds": holds,
            "sentence": "".join(part["printed"] for part in parts),
            "parts": parts,
            "cites": sorted(set(claim.numbers)),
        }
    return checked


def _filled(
    claim: Claim, sentence: str, values: Mapping[str, float]
) -> Iterator[dict[str, object]]:
    """Yield the parts of a sentence: words, and numbers with their names."""
    bound = next(iter(claim.bounds.values()))
    names = {"value": [claim.number], "bound": [bound] if isinstance(bound, str) else []}
    start = 0
    for place in PLACE.finditer(sentence):
        yield {"printed": sentence[start : place.start()]}
        printed = shown(values[place[1]], place[2] or claim.format)
        yield {"printed": printed, "numbers": names.get(place[1], [place[1]])}
        start = place.end()
    yield {"printed": sentence[start:].rstrip()}


def failing(checked: Mapping[str, Mapping]) -> list[str]:
    """Return a line for each claim that does not hold."""
    return [
        f"claim {name} fails: {found['number']} is {found['value']:.4g}, not "
        + " and ".join(f"{kind.replace('_', ' ')} {b:.4g}" for kind, b in found["bounds"].items())
        for name, found in checked.items()
        if not found["holds"]
    ]
