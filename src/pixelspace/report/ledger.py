"""The ledger: from each number and figure back to what made it, by content hash.

A number is of an artifact, a figure is one; an artifact was made by a rule with a script, modules
and sections of the configuration, from other artifacts, and these in the end from data.
"""

from collections.abc import Mapping
from pathlib import Path

from pixelspace.artifacts import checked_hash
from pixelspace.files import file_hash, portable


def of(
    steps: Mapping[str, Mapping],
    code: Mapping[str, str],
    numbers: Mapping[str, Mapping],
    results: str | Path,
    photographs: Mapping[str, tuple[str, str, str]],
) -> dict[str, dict]:
    """Return the ledger of a build.

    Args:
        steps: by the path of each file what made it: ``rule``, ``script``, ``config`` (keys),
            ``inputs`` (paths) and ``code`` (names of the script and of modules). What nothing made
            is data, and has none of these. Paths of artifacts are relative to ``results``.
        code: 8 hexadecimal digits of each of these scripts and modules.
        numbers: see `pixelspace.report.numbers.collect`.
        results: the folder of the build.
        photographs: by the path of each data set that has some where they are from, the commit if
            this is a repository, and a hash: the commit, or the SHA-256 of all that it took of a
            folder.

    Returns:
        ``numbers``: the artifact of each. ``artifacts``: by path what made each, and ``sha256`` of
        the file. ``data``: the SHA-256 of each file that nothing made, and the hash of photographs.
        ``code``: as it was given.

    Raises:
        UserError: if an artifact is missing or damaged.
    """
    made = {path: step for path, step in steps.items() if step}
    taken = {
        path: f"{portable(place)}@{commit}" if commit else portable(place)
        for path, (place, commit, _) in photographs.items()
    }
    data = {portable(path): file_hash(path) for path in steps.keys() - made.keys()}
    data |= {taken[path]: content for path, (_, _, content) in photographs.items()}
    return {
        "numbers": {name: entry["artifact"] for name, entry in numbers.items()},
        "artifacts": {
            path: {
                "sha256": checked_hash(Path(results, path)),
                **step,
                "inputs": [portable(file) for file in step["inputs"]]
                + [name for dataset, name in taken.items() if dataset == path],
            }
            for path, step in sorted(made.items())
        },
        "data": dict(sorted(data.items())),
        "code": dict(sorted(code.items())),
    }
