"""The words of a paper and of its figures, apart from their numbers.

Builds under other instruction sets print other digits, which are judged as numbers; but the words
around them are the text's. They are taken apart into phrases, so that one which follows from a
number is another by itself.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping

from pixelspace.report.template import SOURCE_END, SOURCE_MARK, WORDS

BRACED = r"\{[^{}]*\}"
for _ in range(3):
    BRACED = rf"\{{(?:[^{{}}]|{BRACED})*\}}"
MEASURED = re.compile(rf"\\ledgermark\{{[\d,]+\}}{BRACED}")
CLAIMED = re.compile(rf"\\(?:not)?claimed\{{\d+\}}{BRACED}")
"""Its sentence is in ``claims.json`` as well."""

DIGEST = re.compile(r"\\texttt\{[0-9a-f]{6,}\}")
NUMBER = re.compile(rf"[-−]?\d+(?:(?:[.,]|\{{,\}})\d+)*|\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
LISTED = re.compile(r"(C#)(, C#)+")
"""Which claims fail."""

PHRASE = re.compile(r"[.,;:] ")


def masked(text: str) -> str:
    """Return a text with the same sign for every number, be it in digits or a word."""
    return LISTED.sub(r"\1", NUMBER.sub("#", DIGEST.sub("#", MEASURED.sub("#", text))))


def of_paper(tex: str) -> dict[str, frozenset[str]]:
    """Return the masked lines of each template that a paper is made of, without its claims."""
    found: dict[str, set[str]] = {}
    within = [""]
    for line in MEASURED.sub("#", CLAIMED.sub("#", tex)).splitlines():
        if line.startswith(SOURCE_MARK):
            within.append(line.removeprefix(SOURCE_MARK))
        elif line == SOURCE_END:
            within.pop()
        elif line.strip():
            found.setdefault(within[-1], set()).add(masked(line.strip()))
    return {name: frozenset(lines) for name, lines in found.items()}


def of_figure(alt: str) -> frozenset[str]:
    """Return the masked phrases of what a figure shows in words."""
    return frozenset(PHRASE.split(masked(alt.strip())))


def of_claims(claims: Mapping[str, Mapping]) -> frozenset[str]:
    """Return the masked sentences of claims."""
    return frozenset(masked(claim["sentence"].strip()) for claim in claims.values())


def digests(phrases: Iterable[str]) -> frozenset[str]:
    """Return 8 hexadecimal digits for each of some phrases."""
    return frozenset(hashlib.sha256(phrase.encode()).hexdigest()[:8] for phrase in phrases)
