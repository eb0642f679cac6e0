"""The paper's template: Jinja2 with delimiters that LaTeX leaves alone, and every value escaped.

``((* … *))`` holds statements, ``((= … =))`` prints a value, ``((# … #))`` is a comment. What is
printed is escaped unless it is `Tex`.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from packaging.requirements import Requirement

from pixelspace.errors import UserError
from pixelspace.keys import can_be_typeset, flat
from pixelspace.report import entries, formats
from pixelspace.report.sweep import LISTED, listed

ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "\n": " ",
}
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
SIGNS = {
    "at_least": r"$\geq$",
    "at_most": r"$\leq$",
    "above": "$>$",
    "below": "$<$",
    "equal": "$=$",
}
CONFIG = "config.json"
CLAIMS = "claims.json"
SOURCE_MARK = "% from "
SOURCE_END = "% end"


class Tex(str):
    """Text that is LaTeX already and is printed as it is."""


def escape(value) -> Tex:
    """Return a value as LaTeX that prints it literally, a number with the mark of its entries."""
    if isinstance(value, Tex):
        return value
    return marked("".join(ESCAPES.get(character, character) for character in str(value)), value)


def marked(text: str, *values: object) -> Tex:
    """Return LaTeX that prints a text, and names in the margin the entries that values are from.

    Raises:
        UserError: if there are numbers among them and none is from an entry.
    """
    places = sorted(entries.of(*values))
    if not places and any(map(entries.is_number, values)):
        raise UserError(f"the number {text} is from no entry of the ledger; see `bare`")
    return Tex(rf"\ledgermark{{{','.join(map(str, places))}}}{{{text}}}" if places else text)


def bare(number: int) -> Tex:
    """Print a number that has no mark, since it is no result.

    It names a row, a column, a claim or an entry of the ledger; or says how the text is laid out.
    """
    return Tex(f"{number:d}")


def parse_lock(lock: str | Path) -> dict[str, str]:
    """Return the version of every package that a requirements file pins for this machine."""
    pins = re.findall(r"^[\w.-]+==[^\\\n]+", Path(lock).read_text(encoding="utf-8"), re.M)
    wanted = [r for r in map(Requirement, pins) if not r.marker or r.marker.evaluate()]
    return {requirement.name: str(requirement.specifier)[2:] for requirement in wanted}


class Cited:
    """What the template calls to print numbers: each raises on a name that nothing measured.

    It keeps what was cited.
    """

    def __init__(
        self,
        numbers: Mapping[str, Mapping],
        claims: Mapping[str, Mapping],
        config: Mapping,
        places: Mapping[str, int],
    ):
        self._places = places
        self._numbers = numbers
        self._claims = claims
        self._config = config
        self._cited: set[str] = set()
        self._claimed: set[str] = set()

    def value(self, name: str) -> float:
        """Return a number as it was measured, for conditions and for other numbers' digits."""
        if name not in self._numbers:
            raise UserError(f"there is no number '{name}' in numbers.json")
        self._cited.add(name)
        number = self._numbers[name]
        return entries.from_entries(number["value"], [self._places[number["artifact"]]])

    def claim(self, name: str) -> Tex:
        """Print the sentence of a claim that is true, with its number in the table of claims."""
        found = self._checked(name)
        self._claimed.add(name)
        self._cited.update(found["cites"])
        command = "claimed" if found["holds"] else "notclaimed"
        sentence = "".join(map(self._part_of_claim, found["parts"]))
        if not any("numbers" in part for part in found["parts"]):
            sentence += marked("", *map(self.value, found["cites"]))
        return Tex(rf"\{command}{{{found['place']}}}{{{sentence}}}")

    def _part_of_claim(self, part: Mapping) -> str:
        if "numbers" not in part:
            return part["printed"]
        # A bound that is no measured number is of the claims themselves.
        values = [self.value(name) for name in part["numbers"]] or [self._of_claims(0)]
        return marked(part["printed"], *values)

    def holds(self, name: str) -> bool:
        """Tell whether a claim holds, for text that follows from it."""
        return self._checked(name)["holds"]

    def is_claimed(self, name: str) -> bool:
        """Tell whether a claim is made under this configuration."""
        return name in self._claims

    def claim_rows(self) -> list[dict[str, object]]:
        """Return what the table of claims says of each, in their order: LaTeX and bounds' signs."""
        return [
            {
                "place": self._of_claims(found["place"]),
                "claim": found["claim"],
                "reason": Tex(found["reason"]),
                "descriptive": found["descriptive"],
                "value": marked(found["printed"]["value"], *map(self.value, found["cites"])),
                "bound": marked(
                    ", ".join(
                        f"{SIGNS[kind]} {bound}"
                        for kind, bound in found["printed"]["bounds"].items()
                    ),
                    self._of_claims(0),
                ),
                "holds": self._of_claims(found["holds"]),
            }
            for found in sorted(self._claims.values(), key=lambda found: found["place"])
        ]

    def _of_claims(self, value: int) -> int:
        return entries.from_entries(value, [self._places[CLAIMS]])

    def _checked(self, name: str) -> Mapping:
        if name not in self._claims:
            raise UserError(f"no claim '{name}' is made under this configuration")
        return self._claims[name]

    def has(self, name: str) -> bool:
        """Tell whether this configuration measures a number."""
        return name in self._numbers

    def number(self, name: str, digits: int = 2) -> Tex:
        """Print a number with a fixed count of digits after the point."""
        return self.fixed(self.value(name), digits)

    def fixed(self, value: float, digits: int = 2) -> Tex:
        """Print a value that was computed from measured ones."""
        return marked(formats.fixed(value, digits), value)

    def percent(self, name: str, digits: int = 1) -> Tex:
        """Print a share as a percentage."""
        value = self.value(name)
        return marked(formats.percent(value, digits), value)

    def points(self, name: str, digits: int = 1) -> Tex:
        """Print a share as a percentage without its sign."""
        return self.fixed(100 * self.value(name), digits)

    def count(self, name: str) -> Tex:
        """Print a whole number, with its thousands apart."""
        return self.grouped(self.value(name))

    def grouped(self, value: float) -> Tex:
        """Print a whole number that was computed from measured ones."""
        return marked(formats.grouped(value), value)

    def spell(self, name: str) -> Tex:
        """Print a small whole number as a word, a larger one in digits."""
        return self.word(self.value(name))

    def word(self, value: float) -> Tex:
        """Print a small whole number that was computed from measured ones as a word."""
        small = 0 <= value < len(WORDS)
        return marked(WORDS[int(value)], value) if small else self.grouped(value)

    def listing(self, items: Sequence, conjunction: str = "and") -> Tex:
        """Print several things in a row: a, b and c."""
        printed = [escape(item) for item in items]
        if len(printed) < 2:
            return Tex("".join(printed))
        return Tex(f"{', '.join(printed[:-1])} {conjunction} {printed[-1]}")

    def percents(self, prefix: str, names: Sequence[str], digits: int = 1) -> Tex:
        """Print the shares ``prefix + name`` in a row, as percentages."""
        return self.listing([self.percent(prefix + name, digits) for name in names])

    def numbers(self, prefix: str, names: Sequence[str], digits: int = 2) -> Tex:
        """Print the numbers ``prefix + name`` in a row."""
        return self.listing([self.number(prefix + name, digits) for name in names])

    def listing_of_values(self, prefix: str, names: Sequence) -> Tex:
        """Print the numbers ``prefix + name`` in a row, as they stand."""
        return self.listing([self.value(f"{prefix}{name}") for name in names])

    def signed_sum(self, prefix: str, names: Sequence[str], digits: int = 2) -> Tex:
        """Print the sum of the numbers ``prefix + name`` with its signs, in mathematics."""
        return self._terms([(self.value(prefix + name), "") for name in names], digits)

    def rectified_sum(self, prefix: str, names: Sequence[str], digits: int = 2) -> Tex:
        """Print the sum of the numbers ``prefix + name``, or 0 if it is negative."""
        total = sum(self.value(prefix + name) for name in names)
        return self.fixed(entries.entered(max(total, 0), total), digits)

    def signed_products(
        self, prefix: str, name: str, factors: Sequence[str], digits: int = 2
    ) -> Tex:
        """Print the linear combination of ``factors`` with coefficients ``prefix + i_name``."""
        values = [self.value(f"{prefix}{i}_{name}") for i in range(1, len(factors) + 1)]
        pairs = [(value, rf"\,{factor}") for value, factor in zip(values, factors, strict=True)]
        return self._terms(pairs, digits)

    def _terms(self, terms: Sequence[tuple[float, str]], digits: int) -> Tex:
        signed = "".join(
            f" {'-' if value < 0 else '+'} {abs(value):.{digits}f}{factor}"
            for value, factor in terms
        )
        text = signed.removeprefix(" + ").strip()
        return marked(text, *(value for value, _ in terms))

    def setting(self, path: str):
        """Return a value of the configuration by its key path."""
        here = self._config
        for key in path.split("."):
            if not isinstance(here, Mapping) or key not in here:
                raise UserError(f"the configuration has no key '{path}'")
            here = here[key]
        return entries.all_from(here, self._places[CONFIG])

    def differences(self, name: str) -> Tex:
        """Print what sets an experiment apart from the one that it extends, key by key."""
        experiments = self._config["experiments"]
        own, base = experiments[name], experiments[experiments[name]["extends"]]
        before = flat(base)
        changes = [
            Tex(f"{breakable(key)} = {plain(entries.all_from(value, self._places[CONFIG]))}")
            for key, value in flat(own).items()
            if key != "extends" and value not in ({}, before.get(key, ...))
        ]
        changes += [
            Tex(f"no {breakable(f'{group}.{left_out}')}")
            for group in ("projections", "measures")
            for left_out in sorted(base[group].keys() - own[group].keys())
        ]
        return self.listing(changes) if changes else Tex("nothing else")

    def results(self, name: str) -> list[dict[str, object]]:
        """Return the numbers of an experiment's measures and projections, and of what it extends.

        Each is a mapping with ``value`` and, if it is a mean over networks, ``deviation``, ``low``
        and ``high``; that of what it extends is `None` if there is none, or it is not measured. Of
        a measure of more than `LISTED` numbers there are those that differ most, or the first.
        """
        experiment = self._config["experiments"][name]
        base = experiment["extends"]

        def of_base(number: str) -> str:
            return f"{base}{number.removeprefix(name)}"

        def differs(number: str) -> float:
            if of_base(number) not in self._numbers:
                return math.inf
            own, other = (self._numbers[n]["value"] for n in (number, of_base(number)))
            return abs(own - other) / max(1, abs(other))  # most numbers are shares themselves

        chosen = []
        for looked_at in (*experiment["measures"], *experiment["projections"]):
            prefix = f"{name}.{looked_at}."
            own = [n for n, e in self._numbers.items() if n.startswith(prefix) and "of" not in e]
            most = set(sorted(own, key=differs, reverse=True)[:LISTED])
            chosen += [number for number in own if number in most]
        return [
            {
                "number": number.removeprefix(f"{name}."),
                "own": self._spread(number),
                "base": self._spread(of_base(number)),
            }
            for number in chosen
        ]

    def _spread(self, name: str) -> dict[str, float] | None:
        if name not in self._numbers:
            return None
        beside = {"deviation": "deviation", "low": "mean_low", "high": "mean_high"}
        spread = {key: f"{name}_{end}" for key, end in beside.items()}
        own = {k: n for k, n in spread.items() if self._numbers.get(n, {}).get("of") == name}
        return {key: self.value(cited) for key, cited in ({"value": name} | own).items()}


def ledger_places(
    numbers: Mapping[str, Mapping], sweeps: Iterable[str], ledger: Mapping[str, Mapping]
) -> dict[str, int]:
    """Return the place in the paper's ledger, from 1, of each artifact that the paper cites.

    These are those of its numbers and of its sweeps, its figures, the claims and the configuration.
    """
    cited = {entry["artifact"] for entry in numbers.values()} | set(map(_of_sweep, sweeps))
    cited |= {path for path in ledger["artifacts"] if path.startswith("figures/")}
    return {path: place for place, path in enumerate(sorted({*cited, CLAIMS, CONFIG}), start=1)}


def _of_sweep(name: str) -> str:
    return f"sweeps/{name}.json"


def breakable(name: str) -> Tex:
    """Return a path, a key or a name as LaTeX that may be broken after each of its parts."""
    return Tex(re.sub(r"/|\.|\\_", r"\g<0>\\allowbreak{}", escape(name)))


def plain(value: object) -> Tex:
    """Print a value of the configuration, lists as in JSON, as far as it can be typeset."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return marked(escape(latin(text)), *(value if isinstance(value, list) else [value]))


def latin(text: str) -> str:
    """Return a text with question marks for what the paper's fonts lack."""
    return "".join(c if can_be_typeset(c) else "?" for c in text)


class MarkingLoader(jinja2.FileSystemLoader):
    """Loads templates between LaTeX comments that name the file, for TeX's messages."""

    def get_source(self, environment, template):
        source, path, uptodate = super().get_source(environment, template)
        return f"{SOURCE_MARK}{template}\n{source}\n{SOURCE_END}\n", path, uptodate


def environment(folder: str | Path) -> jinja2.Environment:
    """Return the strict, sandboxed Jinja2 environment of the templates in ``folder``."""
    made = ImmutableSandboxedEnvironment(
        loader=MarkingLoader(folder),
        undefined=jinja2.StrictUndefined,
        finalize=escape,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="((*",
        block_end_string="*))",
        variable_start_string="((=",
        variable_end_string="=))",
        comment_start_string="((#",
        comment_end_string="#))",
    )
    made.filters["length"] = entries.length
    return made


def render(
    template: str | Path,
    *,
    numbers: Mapping[str, Mapping],
    claims: Mapping[str, Mapping],
    config: Mapping,
    class_names: Mapping[str, list[str]],
    sweeps: Mapping[str, Mapping],
    ledger: Mapping[str, Mapping],
    lock: str | Path,
    told: Sequence[str] = (),
    untold: Sequence[str] = (),
) -> str:
    """Fill the template.

    Args:
        template: path of the main template; it includes others from the same folder.
        numbers: see `pixelspace.report.numbers.collect`.
        claims: see `pixelspace.report.claims.check`.
        config: the whole configuration as plain values.
        class_names: of each experiment.
        sweeps: see `pixelspace.report.sweep.summary`, by name.
        ledger: see `pixelspace.report.ledger.of`.
        lock: the requirements file whose versions the appendix lists.
        told: the experiments of which it is an error not to cite a number; what goes with a mean
            needs no word of its own.
        untold: the experiments that no section tells of, whose numbers are in tables.

    Raises:
        UserError: naming file and line where a template is wrong or cites what does not exist;
            or naming the claims that the text leaves out, or the numbers that it does not cite.
    """
    template = Path(template)
    places = ledger_places(numbers, sweeps, ledger)
    cited = Cited(numbers, claims, config, places)
    functions = {name: getattr(cited, name) for name in dir(cited) if not name.startswith("_")}
    try:
        text = (
            environment(template.parent)
            .get_template(template.name)
            .render(
                **functions,
                tex=Tex,
                bare=bare,
                plain=plain,
                latin=latin,
                listed_points=lambda sweep: listed(sweep["points"]),
                most_listed=LISTED,
                experiments=config["experiments"],
                untold=untold,
                class_names=class_names,
                sweeps={
                    name: entries.all_from(sweep, places[_of_sweep(name)])
                    for name, sweep in sweeps.items()
                },
                breakable=breakable,
                ledger=[
                    {"place": place, "path": path, **ledger["artifacts"][path]}
                    for path, place in places.items()
                ],
                versions=parse_lock(lock),
            )
        )
    except jinja2.TemplateSyntaxError as error:
        # The mark is one line more than the file has.
        raise UserError(f"{template.parent / error.name}:{error.lineno - 1}: {error}") from None
    except (jinja2.TemplateError, UserError, TypeError) as error:
        file, line = next(_template_frames(error, template.parent), (template, 1))
        raise UserError(f"{file}:{line}: {error}") from None
    silent = [name for name in claims if name not in cited._claimed]
    if silent:
        raise UserError(f"{template}: no sentence of the claims {', '.join(silent)} is printed")
    uncited = [
        name
        for name, entry in numbers.items()
        if name.split(".")[0] in told and {name, entry.get("of")}.isdisjoint(cited._cited)
    ]
    if uncited:
        raise UserError(
            f"{template}: nothing cites {len(uncited)} of the numbers: {', '.join(uncited)}"
        )
    return text


def _template_frames(error: BaseException, folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield file and line of the innermost template that an error passed through."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.suffix == ".j2":
            frames.append((file, trace.tb_lineno - 1))
        trace = trace.tb_next
    yield from reversed(frames)
