"""Compare a finished build with the committed reference, or renew that from one.

``python tools/verify.py check RESULTS`` prints what is the same, what is within tolerance and what
is not, and where the machine differs. Exits with 0 if nothing is outside of its tolerance, 1 if
something is, and 2 if there is nothing to compare.

``python tools/verify.py renew RESULTS --like OTHER …`` writes the reference. The tolerances are
from the other builds, of the same commit under other instruction sets; without any, they stay as
they are. Exits with 1 if one of these has a claim with another verdict.
"""

import argparse
import sys
from collections.abc import Sequence, Sized
from pathlib import Path

from pixelspace.errors import UserError
from pixelspace.report import reference
from pixelspace.report.compare import counted
from pixelspace.report.reference import Reference, Verdict

REFERENCE = Path(__file__).parents[1] / "report/reference.json"


def check(results: str, file: Path) -> int:
    known = reference.load(file)
    verdict = reference.compare(known, reference.read(results))
    print(*reference.report(verdict), sep="\n")
    return 0 if verdict.passed else 1


def renew(results: str, like: Sequence[str], file: Path) -> int:
    before = reference.load(file) if file.exists() and not like else None
    finished = reference.read(results)
    others = [reference.read(folder) for folder in like]
    renewed = reference.of(finished, like=others, before=before)
    try:
        file.write_text(reference.dump(renewed), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from error
    print(
        f"{file}: {counted(len(renewed.files), 'file', 'files')}, "
        f"{_three(renewed.numbers, renewed.figures, renewed.claims)} of {results}"
    )
    if not others:
        print(_unseen(renewed, before))
    if len(others) > 1:
        for verdict in reference.held_out(finished, others):
            print(f"by the tolerances of the others: {_outside(verdict)}")
    verdicts = [reference.compare(renewed, other) for other in others]
    for verdict in verdicts:
        print(f"by those of all: {_outside(verdict)}")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _unseen(renewed: Reference, before: Reference | None) -> str:
    known = before.numbers.keys() | before.figures.keys() if before else set()
    new = (renewed.numbers.keys() | renewed.figures.keys()) - known
    kept = len(renewed.numbers) + len(renewed.figures) - len(new)
    return (
        f"{kept} tolerances stay; {len(new)} are new, and what is usual until other builds are "
        'named: LIKE="results-a results-b"'
    )


def _outside(verdict: Verdict) -> str:
    numbers, figures = verdict.numbers.outside, verdict.figures.outside
    return f"{verdict.folder} has {_three(numbers, figures, verdict.claims)} outside"


def _three(numbers: Sized, figures: Sized, claims: Sized) -> str:
    return (
        f"{counted(len(numbers), 'number', 'numbers')}, "
        f"{counted(len(figures), 'figure', 'figures')} and "
        f"{counted(len(claims), 'claim', 'claims')}"
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--file", type=Path, default=REFERENCE, help="the reference")
    commands = parser.add_subparsers(required=True)
    checking = commands.add_parser("check", help="compare a build with the reference")
    checking.set_defaults(run=check)
    renewing = commands.add_parser("renew", help="make the reference from a build")
    renewing.add_argument("--like", nargs="*", default=[], help="builds that tell tolerances")
    renewing.set_defaults(run=renew)
    for command in (checking, renewing):
        command.add_argument("results", help="the folder of a finished build")
    given = vars(parser.parse_args(arguments))
    return given.pop("run")(**given)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
