"""What differs between two builds: the configuration, numbers, claims, figures and the paper.

`read` takes a build's results folder, `compare` two builds; `summary` says in lines of text what
differs, and `page` in HTML, with the figures side by side.
"""

import base64
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from pypdf import PdfReader

from pixelspace.artifacts import checked, file_hash, read_json
from pixelspace.errors import UserError
from pixelspace.keys import flat
from pixelspace.report import pages

ABSENT = "absent"
"""Stands for a key or claim that one of the builds does not have."""

THERE = object()
"""Stands for a section of the configuration that the other build does not have."""

ALWAYS_DRAWN = ("samples", "training", "diagram", "projections")
"""What there may be a figure of, whatever is projected and measured."""

LISTED = 20
"""How many differences of each sort the summary lists; the page has all of them."""


@dataclass(frozen=True)
class Figure:
    """A figure's picture for the screen, what it shows in words, and a hash of all its files."""

    png: Path
    alt: str
    digest: str


@dataclass(frozen=True)
class Paper:
    """How long a paper is, and the hash of its file."""

    pages: int
    digest: str


@dataclass(frozen=True)
class Build:
    """What a results folder holds. Keys of the configuration are joined by points.

    There is no paper where the claims were built alone.
    """

    folder: str
    config: Mapping[str, object]
    numbers: Mapping[str, float]
    claims: Mapping[str, Mapping]
    figures: Mapping[str, Figure]
    paper: Paper | None


def read(folder: str | Path) -> Build:
    """Read a results folder, every file against its recorded hash.

    Raises:
        UserError: if there is no such folder, it is none of results, or a file of it is damaged.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{folder}: there is no such folder; name a folder of results")
    for name in ("config.json", "numbers.json", "claims.json"):
        if not (root / name).is_file():
            raise UserError(
                f"{folder}: not a complete folder of results, it has no {name}; "
                "build it with `make paper` or `make claims`"
            )
    paper = root / "paper.pdf"
    config = read_json(root / "config.json")
    return Build(
        folder=str(folder),
        # That one build has no sweeps is told by those of the other.
        config={k: v for k, v in flat(config).items() if v != {}},
        numbers={name: entry["value"] for name, entry in read_json(root / "numbers.json").items()}
        | dict(_swept(root, config.get("sweeps", {}))),
        claims=read_json(root / "claims.json"),
        figures={
            png.stem: _figure(png)
            for png in sorted((root / "figures").glob("*.png"))
            if png.stem in _figures(config)
        },
        paper=Paper(len(PdfReader(checked(paper)).pages), file_hash(paper))
        if paper.is_file()
        else None,
    )


def _figures(config: Mapping[str, Mapping]) -> set[str]:
    """Return the names of the figures of a configuration; older ones may lie beside them."""
    found = {f"sweep-{name}" for name in config.get("sweeps", {})}
    for name, chosen in config["experiments"].items():
        subjects = (*ALWAYS_DRAWN, *chosen["projections"], *chosen["measures"])
        found |= {f"{name}-{subject}" for subject in subjects}
    return found


def _swept(root: Path, sweeps: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield what is known of each point of some sweeps, under what sets it apart."""
    paths = [root / f"sweeps/{name}.json" for name in sorted(sweeps)]
    for path in (path for path in paths if path.is_file()):
        found = read_json(path)
        for point in found["points"]:
            setting = ", ".join(f"{key} = {value}" for key, value in point["varied"].items())
            name = f"{path.stem}: {found['shows']} at {setting}"
            if "mean" in point:
                yield name, point["mean"]
            if "deviation" in point:
                yield f"{name}, standard deviation", point["deviation"]
            yield f"{name}, networks that failed", len(point["errors"])


def _figure(png: Path) -> Figure:
    files = [checked(png.with_suffix(suffix)) for suffix in (".png", ".pdf", ".txt")]
    alt = files[-1].read_text(encoding="utf-8").strip()
    return Figure(png, alt, " ".join(file_hash(file) for file in files))


@dataclass(frozen=True)
class Change:
    """A key, say of the configuration, and its value in both builds as JSON, or `ABSENT`."""

    name: str
    a: str
    b: str


@dataclass(frozen=True)
class NumberChange:
    """A number that both builds have, and not the same."""

    name: str
    a: float
    b: float

    @property
    def difference(self) -> float:
        """What the second has more than the first."""
        return self.b - self.a

    @property
    def relative(self) -> float:
        """The same as a share of the larger of the two, which is never 0."""
        return self.difference / max(abs(self.a), abs(self.b))


@dataclass(frozen=True)
class ClaimChange:
    """A claim that holds in one build and fails, or is not made, in the other.

    The verdicts are ``holds``, ``fails`` or `ABSENT`; the sentences are plain text.
    """

    name: str
    a: str
    b: str
    sentence_a: str
    sentence_b: str


@dataclass(frozen=True)
class Names:
    """The names of what two builds have in common, alike or not, and of what only one has."""

    alike: tuple[str, ...]
    differ: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of all that is not alike in both."""
        return tuple(sorted((*self.differ, *self.only_a, *self.only_b)))


@dataclass(frozen=True)
class Comparison:
    """Two builds and what differs: numbers by their relative difference, the largest first."""

    a: Build
    b: Build
    config: tuple[Change, ...]
    numbers: tuple[NumberChange, ...]
    number_names: Names
    claims: tuple[ClaimChange, ...]
    figures: Names

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        changes = (self.config, self.number_names.changed, self.claims, self.figures.changed)
        return not any(changes) and self.a.paper == self.b.paper


def compare(a: Build, b: Build) -> Comparison:
    """Return what differs between two builds."""
    number_names = names(a.numbers, b.numbers)
    numbers = (NumberChange(name, a.numbers[name], b.numbers[name]) for name in number_names.differ)
    return Comparison(
        a=a,
        b=b,
        config=changes(*_with_whole_sections(a.config, b.config)),
        numbers=tuple(sorted(numbers, key=_rank)),
        number_names=number_names,
        claims=tuple(claim_changes(a.claims, b.claims)),
        figures=names(
            *({name: own.digest for name, own in build.figures.items()} for build in (a, b))
        ),
    )


def _rank(change: NumberChange) -> tuple[float, float, str]:
    """Order numbers by their relative difference; a change of sign alone is not more than all."""
    return -min(abs(change.relative), 1), -abs(change.difference), change.name


def names(a: Mapping, b: Mapping) -> Names:
    """Sort the names of two mappings by what they stand for in each."""
    common = sorted(a.keys() & b.keys())
    return Names(
        alike=tuple(name for name in common if a[name] == b[name]),
        differ=tuple(name for name in common if a[name] != b[name]),
        only_a=tuple(sorted(a.keys() - b.keys())),
        only_b=tuple(sorted(b.keys() - a.keys())),
    )


def changes(a: Mapping[str, object], b: Mapping[str, object]) -> tuple[Change, ...]:
    """Return the keys whose values differ, or which only one of two mappings has."""
    return tuple(
        Change(name, *(_text(values, name) for values in (a, b))) for name in names(a, b).changed
    )


def _with_whole_sections(*configs: Mapping[str, object]) -> list[dict[str, object]]:
    """Put one key in the place of all those of an experiment or sweep that not all configs have."""

    def section(key: str) -> str:
        first, _, rest = key.partition(".")
        return f"{first}.{rest.partition('.')[0]}" if first in ("experiments", "sweeps") else ""

    common = set.intersection(*({section(key) for key in config} for config in configs))
    return [
        {key: value for key, value in config.items() if section(key) in common}
        | {section(key): THERE for key in config if section(key) not in common | {""}}
        for config in configs
    ]


def _text(values: Mapping[str, object], name: str) -> str:
    if values.get(name) is THERE:
        return "there"
    return json.dumps(values[name], ensure_ascii=False) if name in values else ABSENT


def claim_changes(a: Mapping[str, Mapping], b: Mapping[str, Mapping]) -> Iterator[ClaimChange]:
    """Yield the claims whose verdicts differ, or which only one of two builds makes."""
    verdicts = ({name: _verdict(found) for name, found in claims.items()} for claims in (a, b))
    for name in names(*verdicts).changed:
        ours, theirs = a.get(name), b.get(name)
        yield ClaimChange(
            name, _verdict(ours), _verdict(theirs), _sentence(ours), _sentence(theirs)
        )


def _verdict(claim: Mapping | None) -> str:
    if claim is None:
        return ABSENT
    return "holds" if claim["holds"] else "fails"


def _sentence(claim: Mapping | None) -> str:
    return "" if claim is None else plain(claim["sentence"])


def plain(tex: str) -> str:
    """Return a sentence of LaTeX as it reads: without citations, commands, braces and dollars."""
    text = re.sub(r"[\s~]*\\cite\w*(\[[^]]*\])*\{[^}]*\}", "", tex)
    text = re.sub(r"\\(ensuremath|math\w+|text\w+|emph)\b", "", text)
    text = re.sub(r"\\[,;: ]|~", " ", text)
    text = re.sub(r"\\([a-zA-Z]+|[%&_#$])", r"\1", text)
    return " ".join(re.sub(r"[{}$]", "", text).split())


# In lines of text -----------------------------------------------------------------------------


def summary(found: Comparison) -> list[str]:
    """Return lines that say what differs, in lists of at most `LISTED` each."""
    a, b = found.a.folder, found.b.folder
    if found.same:
        paper = "" if found.a.paper is None else " and the same paper"
        return [
            f"{a} and {b} have the same configuration, "
            f"{counted(len(found.a.numbers), 'number', 'numbers')}, "
            f"{counted(len(found.a.claims), 'verdict', 'verdicts')}, "
            f"{counted(len(found.a.figures), 'figure', 'figures')}{paper}"
        ]
    numbers, figures = found.number_names, found.figures
    return [
        f"A: {a}",
        f"B: {b}",
        f"configuration: {counted(len(found.config), 'key differs', 'keys differ')}",
        *cut(f"{change.name}: {change.a} → {change.b}" for change in found.config),
        f"numbers: {len(numbers.differ)} differ, {len(numbers.alike)} are equal"
        f"{_only(numbers)}; the largest relative differences first, "
        "where a change of sign counts as 100 %",
        *cut(
            f"{change.name}: {change.a:.6g} → {change.b:.6g}"
            f"   {change.difference:+.4g}   {change.relative:+.1%}"
            for change in found.numbers
        ),
        f"claims: {counted(len(found.claims), 'verdict differs', 'verdicts differ')}",
        *(line for change in found.claims for line in _claim_lines(change)),
        f"figures: {len(figures.differ)} differ, {len(figures.alike)} are equal{_only(figures)}",
        *cut(figures.differ),
        *cut(f"{name}: only in A" for name in figures.only_a),
        *cut(f"{name}: only in B" for name in figures.only_b),
        f"paper: {papers(found)}",
    ]


def papers(found: Comparison) -> str:
    """Say how long both papers are."""
    a, b = found.a.paper, found.b.paper
    if a == b:
        return "none in either" if a is None else f"the same, {_pages(a)}"
    if a and b and a.pages == b.pages:
        return f"{_pages(a)} in both, but not the same"
    return f"{_pages(a)} → {_pages(b)}"


def _pages(paper: Paper | None) -> str:
    return "none" if paper is None else counted(paper.pages, "page", "pages")


def counted(count: int, one: str, more: str) -> str:
    """Say how many there are."""
    return f"{count} {one if count == 1 else more}"


def _only(found: Names) -> str:
    sides = {"A": found.only_a, "B": found.only_b}
    return "".join(f", {len(only)} only in {side}" for side, only in sides.items() if only)


def _claim_lines(change: ClaimChange) -> list[str]:
    sentences = {"A": change.sentence_a, "B": change.sentence_b}
    return [
        f"    {change.name}: {change.a} → {change.b}",
        *(f"        {side}: {sentence}" for side, sentence in sentences.items() if sentence),
    ]


def cut(lines: Iterable[str]) -> list[str]:
    """Return a list that is set in, and has a count in the place of what goes beyond `LISTED`."""
    every = list(lines)
    more = [f"… and {len(every) - LISTED} more"] if len(every) > LISTED else []
    return [f"    {line}" for line in every[:LISTED] + more]


# In HTML --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A figure that differs: its pictures as data URIs, `None` where a build does not have it.

    ``difference`` is a third picture, dark where the two differ, if they have the same size, and
    ``share`` how many of its pixels do.
    """

    name: str
    a: str | None
    b: str | None
    alt_a: str
    alt_b: str
    difference: str | None
    share: float


def page(found: Comparison, template: str | Path) -> str:
    """Fill the template of the page; it needs no other file."""
    pairs = [
        _pair(name, found.a.figures.get(name), found.b.figures.get(name))
        for name in found.figures.changed
    ]
    return pages.filled(template, found=found, pairs=pairs, papers=papers(found), absent=ABSENT)


def _pair(name: str, a: Figure | None, b: Figure | None) -> Pair:
    seen = difference(a.png, b.png) if a and b else None
    return Pair(
        name=name,
        a=_data_uri(a.png.read_bytes()) if a else None,
        b=_data_uri(b.png.read_bytes()) if b else None,
        alt_a=a.alt if a else "",
        alt_b=b.alt if b else "",
        difference=_data_uri(_png(seen)) if seen is not None else None,
        share=float((seen < 255).mean()) if seen is not None else 0.0,
    )


def difference(a: Path, b: Path) -> np.ndarray | None:
    """Return where two pictures of one size differ, ``(height, width)`` uint8; else nothing.

    White is no difference. The square root makes small ones visible.
    """
    ours, theirs = (np.asarray(Image.open(file).convert("RGB"), np.int16) for file in (a, b))
    if ours.shape != theirs.shape:
        return None
    largest = np.abs(ours - theirs).max(axis=-1)
    return (255 - np.ceil(np.sqrt(largest / 255) * 255)).astype(np.uint8)


def _png(grey: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "png")
    return stream.getvalue()


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
