"""Whether a build is the paper of the reference: the same bytes, else numbers and pictures near.

A reference is what a finished build was: a hash of each file, every number and how far another may
be off it, every figure in small, which claims hold, hashes of what the text says around its
numbers, and the configuration and machine it was of.
`read` takes a folder of results, `of` makes a reference of it, `compare` judges it by one, and
`report` says the verdict in lines of text.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from PIL import Image
from pydantic import Base64Bytes, Field, TypeAdapter, ValidationError

from pixelspace import machine
from pixelspace.artifacts import RECORDS, checked, file_hash, folders, read_json
from pixelspace.errors import UserError
from pixelspace.keys import flat
from pixelspace.report import compare as comparing
from pixelspace.report import wording
from pixelspace.report.compare import Build, Change, ClaimChange, Names, counted, cut

APART = (
    *("machine", "logs", "points", "diff.pdf", "diff.tex"),
    *("explorer", "units", "ro-crate", "ro-crate-metadata.json"),
)
FOR_READERS = (".html", ".gz")
"""What in a folder of results is no artifact of the paper, or none that has to be there: by the
first part of the path, and by the end of the name.

Pages and archives for readers are made of the paper's artifacts, and only where they are asked for,
as are projections for the explorer alone.
What is known of networks of sweeps stays there for other configurations to use; what of it is the
paper's is in the tables of sweeps.
"""

PAPER = "paper.tex"
CLAIMS = "claims.json"

KINDS = (
    ("data sets", ("*/dataset.h5",)),
    ("networks", ("*/network.weights.h5", "*/training.json")),
    ("projections", ("*/projections/*",)),
    ("measures", ("*/measures/*", "sweeps/*")),
    ("drawings", ("figures/*",)),
    ("texts", ("*",)),
)
"""Kinds of files, in the order in which they are made. A file is of the first that it matches."""

SIDE = 24
"""Pixels on a side of a thumbnail, whatever the shape of the figure."""

BLANK = bytes([255]) * (SIDE * SIDE * 3)
"""The thumbnail of a page with nothing on it."""

MULTIPLE = 5
"""How many times as far as other builds have been off, another may be.

Of builds under AVX2, AVX and SSE4.1, by what two tell of each other, the third has at most one of
500 numbers outside, those of a network of the letters and one of the digits; with 3, up to 14.
"""

PICTURE_MULTIPLE = 2
"""The same of pictures: a distance is the mean of many pixels, so one tells more of another."""

DATASET = "dataset.h5"
"""The end of the paths of data sets, whose numbers no processor changes."""

ROUNDING = 1e-6
"""What such a number may be off, of its size: ten times the rounding of a 32-bit float. A count may
not."""

NEAR = 0.01
"""The least that any other number may be off, of its size: the last digit that the text prints of
most. A count may be off by one."""

PICTURE_NEAR = 0.02
"""What a picture may be off: the least that plots of networks trained otherwise are."""


class Number(NamedTuple):
    """A number, and how far another build's may be off it."""

    value: int | float
    tolerance: float


class Picture(NamedTuple):
    """How far a figure may be off this thumbnail, ``(SIDE, SIDE, 3)`` uint8 as bytes."""

    tolerance: float
    thumbnail: Annotated[Base64Bytes, Field(min_length=SIDE * SIDE * 3, max_length=SIDE * SIDE * 3)]


class Text(NamedTuple):
    """Hashes of the phrases of a text, numbers apart: those of every build, and those of some."""

    always: tuple[str, ...]
    sometimes: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """What a build was. Keys of the machine and the configuration are joined by points.

    A claim that is None is undecided: it holds in some builds and not in others. There are texts
    in each reference that is made now; without any, words are not judged.
    """

    machine: Mapping[str, object]
    config: Mapping[str, object]
    files: Mapping[str, str]
    numbers: Mapping[str, Number]
    claims: Mapping[str, bool | None]
    figures: Mapping[str, Picture]
    texts: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """A build, with the SHA-256 of each of its files, and the machine, if there is a record."""

    build: Build
    files: Mapping[str, str]
    machine: Mapping[str, object]

    def words(self, undecided: Container[str]) -> dict[str, frozenset[str]]:
        """Return the phrases of its texts, numbers apart; of claims, those of the decided ones."""
        tex = Path(self.build.folder, PAPER)
        decided = {name: c for name, c in self.build.claims.items() if name not in undecided}
        return {
            **(wording.of_paper(tex.read_text(encoding="utf-8")) if PAPER in self.files else {}),
            **{
                f"figures/{name}.txt": wording.of_figure(figure.alt)
                for name, figure in self.build.figures.items()
            },
            CLAIMS: wording.of_claims(decided),
        }


def read(folder: str | Path) -> Finished:
    """Read a results folder, every file against its recorded hash.

    Raises:
        UserError: if there is no such folder, it is none of results, or a file of it is damaged.
    """
    root = Path(folder)
    record = root / machine.RECORD
    return Finished(
        build=comparing.read(folder),
        files={name: file_hash(checked(root / name)) for name in sorted(_artifacts(root))},
        machine=flat(read_json(record)) if record.is_file() else {},
    )


def _artifacts(root: Path) -> Iterator[str]:
    """Yield the paths of what steps have written, which each has a record of its hash."""
    for file in (parent / name for parent, names in folders(root) for name in names):
        path = file.relative_to(root)
        recorded = (file.parent / RECORDS / file.name).is_file()
        if recorded and path.parts[0] not in APART and path.suffix not in FOR_READERS:
            yield path.as_posix()


def thumbnail(png: Path) -> bytes:
    """Return a picture as ``(SIDE, SIDE, 3)`` uint8: each value is the mean of what it covers."""
    with Image.open(png) as image:
        return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()


def distance(a: bytes, b: bytes) -> float:
    """Return the root mean square difference of two thumbnails; 1 is black for white."""
    ours, theirs = (np.frombuffer(pixels, np.uint8).astype(float) for pixels in (a, b))
    return float(np.sqrt(np.mean((ours - theirs) ** 2)) / 255)


# Making a reference ---------------------------------------------------------------------------


def of(
    finished: Finished, *, like: Sequence[Finished] = (), before: Reference | None = None
) -> Reference:
    """Make a reference of a build.

    Args:
        finished: the build.
        like: builds of the same commit on other processors, or under other instruction sets, that
            tell how far numbers and pictures are off.
        before: where there are none of these, the reference whose tolerances stay, and what some
            builds say otherwise.

    Raises:
        UserError: if one of these is of another configuration or commit, or not as complete.
    """
    for other in like:
        _must_be_like(finished, other)
    build = finished.build
    pictures = {name: thumbnail(figure.png) for name, figure in build.figures.items()}
    if like:
        others = [other.build.numbers for other in like]
        numbers = tolerances(build.numbers, others, _sources(finished))
        figures = {
            name: _picture_tolerance(pixels, [other.build.figures[name].png for other in like])
            for name, pixels in pictures.items()
        }
    else:
        known = (
            {name: number.tolerance for name, number in before.numbers.items()} if before else {}
        )
        seen = {name: one.tolerance for name, one in before.figures.items()} if before else {}
        numbers = {name: near(value) for name, value in build.numbers.items()} | known
        figures = dict.fromkeys(pictures, PICTURE_NEAR) | seen
    claims = {
        name: _verdict(found, numbers[found["number"]]) for name, found in build.claims.items()
    }
    return Reference(
        machine=finished.machine,
        config=build.config,
        files=finished.files,
        numbers={name: Number(value, numbers[name]) for name, value in build.numbers.items()},
        claims=claims,
        figures={name: Picture(figures[name], pixels) for name, pixels in pictures.items()},
        texts=dict(_texts(finished, like, before, _undecided(claims))),
    )


def _undecided(claims: Mapping[str, bool | None]) -> set[str]:
    return {name for name, holds in claims.items() if holds is None}


def _texts(
    finished: Finished,
    like: Sequence[Finished],
    before: Reference | None,
    undecided: Container[str],
) -> Iterator[tuple[str, Text]]:
    """Yield what each text says in every build, and what in some, where that follows from numbers.

    What an undecided claim lets the text say is known only if one of the builds says so.
    """
    others = [other.words(undecided) for other in like]
    for name, phrases in finished.words(undecided).items():
        own = wording.digests(phrases)
        said = [own, *(wording.digests(other.get(name, ())) for other in others)]
        some = frozenset().union(*said) - frozenset.intersection(*said)
        if before and name in before.texts:
            some = frozenset(before.texts[name].sometimes)
        yield name, Text(tuple(sorted(own - some)), tuple(sorted(some)))


def _verdict(claim: Mapping, tolerance: float) -> bool | None:
    """Return whether a claim holds, or None if other builds may as well say that it does not.

    They may if its number has been as far off in one as it is from the bound here.
    """
    away = min(abs(claim["value"] - bound) for bound in claim["bounds"].values())
    exact = "equal" in claim["bounds"]
    return None if away <= tolerance / MULTIPLE and not exact else claim["holds"]


def _must_be_like(finished: Finished, other: Finished) -> None:
    folder = other.build.folder
    _must_have_config(other.build, finished.build.config)
    _must_have_files(other, finished.files)
    if finished.build.numbers.keys() != other.build.numbers.keys():
        raise UserError(f"{folder}: it has not the same numbers; build it from the same commit")
    commits = {one.machine.get("commit") for one in (finished, other)} - {None}
    if len(commits) > 1:
        raise UserError(f"{folder}: built from another commit ({' and '.join(sorted(commits))})")


def _sources(finished: Finished) -> dict[str, str]:
    """Return the artifact that each number is from; of a number of a sweep, the sweep."""
    entries = read_json(Path(finished.build.folder, "numbers.json"))
    swept = {name: name.partition(":")[0] for name in finished.build.numbers}
    return swept | {name: entry["artifact"] for name, entry in entries.items()}


def _kin(name: str, source: str) -> tuple[str, str]:
    """Return what numbers have in common that are off alike: a source, and a name's first word.

    In the names of a sweep the word after the last point is always of the same setting.
    """
    return source, name.rpartition(".")[2].partition("_")[0]


def whole(value: float) -> bool:
    """Return whether a number is a count: those are written without a point."""
    return isinstance(value, int)


def size(value: float) -> float:
    """Return what the tolerance of a number is a share of; most numbers are shares themselves."""
    return max(1.0, abs(value))


def near(value: float) -> float:
    """Return the least that a number may be off, unless it is of a data set."""
    return 1.0 if whole(value) else _rounded(NEAR * size(value))


def tolerances(
    values: Mapping[str, float], others: Sequence[Mapping[str, float]], sources: Mapping[str, str]
) -> dict[str, float]:
    """Return how far each number may be off, from how far it is in other builds.

    A few builds tell little of one number: once training has gone another way, all that is measured
    of the network moves, and what is the same is so by luck. So what is no count may also be off as
    far as the numbers usually are that are of its artifact and named alike, by their root mean
    square: an accuracy as far as accuracies, and not as correlations.

    Args:
        values: the numbers of the reference; an int is a count.
        others: those of the other builds, at least one.
        sources: the artifact that each is from.
    """
    off = {
        name: max(abs(other[name] - value) for other in others) for name, value in values.items()
    }
    shares = defaultdict(list)
    for name, value in values.items():
        if not whole(value):
            shares[_kin(name, sources[name])].append(off[name] / size(value))

    def tolerance(name: str, value: float) -> float:
        if sources[name].endswith(DATASET) and not off[name]:
            return 0.0 if whole(value) else ROUNDING * size(value)
        usual = 0.0 if whole(value) else _root_mean_square(shares[_kin(name, sources[name])])
        return max(near(value), MULTIPLE * off[name], MULTIPLE * usual * size(value))

    return {name: _rounded(tolerance(name, value)) for name, value in values.items()}


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(sum(value**2 for value in values) / len(values))


def _picture_tolerance(pixels: bytes, others: Iterable[Path]) -> float:
    off = max(distance(pixels, thumbnail(png)) for png in others)
    return max(PICTURE_NEAR, _rounded(PICTURE_MULTIPLE * off))


def _rounded(tolerance: float) -> float:
    """Return two digits of it: no more are known, and a reference is to be read."""
    return float(f"{tolerance:.2g}")


# As a file ------------------------------------------------------------------------------------

_ADAPTER = TypeAdapter(Reference)


def dump(reference: Reference) -> str:
    """Return a reference as JSON, with a line for each entry, so that a diff shows what changed."""
    sections = _ADAPTER.dump_python(reference, mode="json").items()
    return (
        "{\n" + ",\n".join(f'"{name}": {_section(entries)}' for name, entries in sections) + "\n}\n"
    )


def _section(entries: Mapping[str, object]) -> str:
    lines = (
        f" {json.dumps(name, ensure_ascii=False)}: "
        f"{json.dumps(entry, ensure_ascii=False, allow_nan=False)}"
        for name, entry in sorted(entries.items())
    )
    return "{\n" + ",\n".join(lines) + "\n}"


def load(path: str | Path) -> Reference:
    """Read a reference.

    Raises:
        UserError: if there is no such file, or it is damaged.
    """
    try:
        return _ADAPTER.validate_json(Path(path).read_bytes())
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no reference; `make reference` makes one of a finished build"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ": ".join(map(str, (path, *first["loc"])))
        raise UserError(f"{place}: {first['msg']}; restore it with git") from None


# Judging a build ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deviation:
    """What is not the same: what it was and is, how far it is off, and how far it may be."""

    name: str
    said: str
    off: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether it is near enough."""
        return self.off <= self.tolerance

    @property
    def beyond(self) -> float:
        """How many times its tolerance it is off."""
        return self.off / self.tolerance if self.tolerance else math.inf


@dataclass(frozen=True)
class Judged:
    """How many of a sort are the same, and those that are not, the furthest beyond first."""

    same: int
    within: tuple[Deviation, ...]
    outside: tuple[Deviation, ...]


@dataclass(frozen=True)
class Said:
    """What a text says otherwise: phrases that the reference has not, and how many are gone."""

    name: str
    new: tuple[str, ...]
    gone: int


@dataclass(frozen=True)
class Verdict:
    """What of a build is as the reference says, and what is not.

    Files with other bytes are judged by the numbers, figures and claims that came of them, and
    texts by their words. Those that only the build has are not: other targets than the paper leave
    files there, too. ``loose`` counts numbers whose tolerance is as large as they are. `None`
    stands for what differs between the machines where one is not known.
    """

    folder: str
    files: Names
    numbers: Judged
    loose: int
    figures: Judged
    same_claims: int
    undecided: tuple[str, ...]
    claims: tuple[ClaimChange, ...]
    same_texts: int
    texts: tuple[Said, ...]
    machine: tuple[Change, ...] | None

    @property
    def passed(self) -> bool:
        """Whether numbers and figures are within tolerance, and claims and words as they were."""
        return not (self.numbers.outside or self.figures.outside or self.claims or self.texts)


def compare(reference: Reference, finished: Finished) -> Verdict:
    """Judge a build.

    Raises:
        UserError: if it is of another configuration, or lacks files that the reference has.
    """
    build = finished.build
    _must_have_config(build, reference.config)
    _must_have_files(finished, reference.files)
    now = {name: claim["holds"] for name, claim in build.claims.items()}
    undecided = tuple(name for name in now if reference.claims.get(name, ...) is None)
    decided = reference.claims | {name: now[name] for name in undecided}
    before = {name: {"holds": holds, "sentence": ""} for name, holds in decided.items()}
    files = comparing.names(reference.files, finished.files)
    texts = tuple(_said_otherwise(reference, finished))
    return Verdict(
        folder=build.folder,
        files=files,
        numbers=_judged(
            _deviation(name, reference.numbers.get(name), build.numbers.get(name))
            for name in reference.numbers.keys() | build.numbers.keys()
        ),
        loose=sum(map(_is_loose, reference.numbers.values())),
        figures=_judged(
            _picture_deviation(name, picture, build.figures[name].png)
            if f"figures/{name}.png" in files.differ
            else None
            for name, picture in reference.figures.items()
        ),
        same_claims=len(comparing.names(reference.claims, now).alike),
        undecided=undecided,
        claims=tuple(comparing.claim_changes(before, build.claims)),
        same_texts=len(reference.texts) - len({text.name for text in texts} & {*reference.texts}),
        texts=texts,
        machine=comparing.changes(reference.machine, finished.machine)
        if reference.machine and finished.machine
        else None,
    )


def held_out(finished: Finished, like: Sequence[Finished]) -> Iterator[Verdict]:
    """Judge each of several builds by tolerances that come of the others alone.

    What is outside then is a measure of how often a build is blamed without a fault.
    """
    for other in like:
        rest = [one for one in like if one is not other]
        yield compare(of(finished, like=rest), other)


def _must_have_config(build: Build, config: Mapping[str, object]) -> None:
    changed = comparing.changes(config, build.config)
    if changed:
        first = ", ".join(f"{change.name}: {change.a} → {change.b}" for change in changed[:3])
        more = f", and {len(changed) - 3} more" if len(changed) > 3 else ""
        keys = counted(len(changed), "key differs", "keys differ")
        raise UserError(
            f"{build.folder}: of another configuration than the reference, {keys}: {first}{more}"
        )


def _must_have_files(finished: Finished, files: Iterable[str]) -> None:
    missing = sorted(set(files) - finished.files.keys())
    if missing:
        more = f" and {counted(len(missing) - 1, 'other', 'others')}" if missing[1:] else ""
        raise UserError(
            f"{finished.build.folder}: not complete, it lacks {missing[0]}{more}; "
            "build it with `make paper`"
        )


def _deviation(name: str, before: Number | None, now: float | None) -> Deviation | None:
    """Return how far a number is off; one that only one side has is as far off as can be."""
    if before is None:
        return Deviation(name, f"{comparing.ABSENT} → {now:.6g}", math.inf, 0)
    if now is None:
        return Deviation(name, f"{before.value:.6g} → {comparing.ABSENT}", math.inf, 0)
    if before.value == now:
        return None
    said = f"{before.value:.6g} → {now:.6g}"
    return Deviation(name, said, abs(now - before.value), before.tolerance)


def _is_loose(number: Number) -> bool:
    """Return whether a number may be off more than usual, and by as much as it is."""
    return number.tolerance > near(number.value) and number.tolerance >= abs(number.value)


def _picture_deviation(name: str, before: Picture, png: Path) -> Deviation:
    """Return how far a picture is off; it must not be nearer to a blank page than to what it was.

    Of thin lines most of a picture is white, so that a blank page is no further from them than
    drawings of networks trained otherwise are.
    """
    pixels = thumbnail(png)
    may_be = min(before.tolerance, distance(pixels, BLANK))
    return Deviation(name, "its picture", distance(before.thumbnail, pixels), may_be)


def _said_otherwise(reference: Reference, finished: Finished) -> Iterator[Said]:
    """Yield the texts with other words, but for those of figures that only the build has."""
    if not reference.texts:
        return
    now = finished.words(_undecided(reference.claims))
    for name in sorted(reference.texts.keys() | now.keys()):
        if name not in reference.texts and name.startswith("figures/"):
            continue
        always, sometimes = reference.texts.get(name, Text((), ()))
        phrases = now.get(name, frozenset())
        new = {one for one in phrases if not wording.digests([one]) <= {*always, *sometimes}}
        gone = set(always) - wording.digests(phrases)
        if new or gone:
            yield Said(name, tuple(sorted(new)), len(gone))


def _judged(deviations: Iterable[Deviation | None]) -> Judged:
    """Sort deviations, where None stands for what is the same."""
    every = list(deviations)
    off = sorted(filter(None, every), key=lambda one: (-one.beyond, one.name))
    return Judged(
        same=every.count(None),
        within=tuple(one for one in off if one.within),
        outside=tuple(one for one in off if not one.within),
    )


# In lines of text -----------------------------------------------------------------------------

COLUMNS = ("", "the same", "other bytes", "within tolerance", "outside")


def report(verdict: Verdict) -> list[str]:
    """Return a table of what is the same and what is not, lists of what must be, and a verdict."""
    files, numbers, figures = verdict.files, verdict.numbers, verdict.figures
    claims = (f"{c.name}: {c.a} → {c.b}  {c.sentence_b}".rstrip() for c in verdict.claims)
    return [
        *_table(verdict),
        f"numbers so far off in other builds that 0 is within their tolerance: {verdict.loose}",
        *_listed("numbers that are off", [_said(one) for one in numbers.outside]),
        *_listed("figures that are off", [_said(one) for one in figures.outside]),
        *_listed("claims with another verdict", list(claims)),
        *_listed("texts with other words", list(_words(verdict.texts))),
        *(
            ()
            if verdict.same_texts or verdict.texts
            else ["words: not judged, not in the reference"]
        ),
        *_listed("claims that are undecided, near their bounds", list(verdict.undecided)),
        *_listed("files that the reference does not have, not judged", list(files.only_b)),
        *_machine_lines(verdict.machine),
        f"{verdict.folder}: {_summed_up(verdict)}",
    ]


def _table(verdict: Verdict) -> Iterator[str]:
    alike, differ = (
        Counter(_kind(name) for name in names)
        for names in (verdict.files.alike, verdict.files.differ)
    )
    rows = [
        COLUMNS,
        *((kind, alike[kind], differ[kind], "", "") for kind, _ in KINDS),
        *(
            (name, judged.same, "", len(judged.within), len(judged.outside))
            for name, judged in (("numbers", verdict.numbers), ("figures", verdict.figures))
        ),
        ("claims", verdict.same_claims, "", len(verdict.undecided), len(verdict.claims)),
        ("words", verdict.same_texts, "", "", len(verdict.texts)),
    ]
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(COLUMNS))]
    for name, *cells in rows:
        fitted = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield "   ".join((f"{name:{widths[0]}}", *fitted)).rstrip()


def _kind(name: str) -> str:
    return next(kind for kind, globs in KINDS if any(fnmatch(name, glob) for glob in globs))


def _said(one: Deviation) -> str:
    if math.isinf(one.off):
        return f"{one.name}: {one.said}"
    return f"{one.name}: {one.said}, off by {one.off:.3g} where {one.tolerance:.2g} may be"


def _words(texts: Iterable[Said]) -> Iterator[str]:
    """Yield each phrase that the reference has not, with ``#`` for numbers."""
    for text in texts:
        yield from (f"{text.name}: {phrase}" for phrase in text.new)
        if text.gone:
            yield f"{text.name}: {counted(text.gone, 'phrase', 'phrases')} of the reference gone"


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}: {len(lines)}", *cut(lines)] if lines else []


def _machine_lines(changed: Sequence[Change] | None) -> list[str]:
    if changed is None:
        return ["machine: not recorded"]
    if not changed:
        return ["machine: as the reference's"]
    return [
        "machine: not the reference's",
        *(f"    {change.name}: {change.a} → {change.b}" for change in changed),
    ]


def _summed_up(verdict: Verdict) -> str:
    if not verdict.passed:
        return "not the paper of the reference"
    if verdict.files.differ:
        return "the paper of the reference, within tolerance"
    return "the paper of the reference, byte for byte"
