"""The machine and the versions that a build was made with, for a record beside its artifacts."""

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from pixelspace.artifacts import damaged, read_json, write_json
from pixelspace.errors import UserError

RECORD = "machine/machine.json"
"""Where in a folder of results the record lies. No step reads it, so it changes no bytes."""

BEGUN = "machine/limit.json"
"""Where the limit of oneDNN lies from when a first run begins, which may be killed."""

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "matplotlib", "snakemake")
"""Whose versions are recorded; of the two of TensorFlow, the one that is installed."""

LIMIT = "ONEDNN_MAX_CPU_ISA"

CPUINFO = Path("/proc/cpuinfo")


def record(results: str | Path, *, project: str | Path, environment: Mapping[str, str]) -> None:
    """Write what `describe` returns into a folder of results."""
    write_json(Path(results, RECORD), describe(project, environment))


def begin(
    results: str | Path, *, project: str | Path, environment: Mapping[str, str]
) -> list[Path]:
    """Write down the limit of a run that begins, and make anew the records that are damaged.

    Returns:
        Those that were.
    """
    folder = Path(results, RECORD).parent
    spoiled = [file for file in damaged(folder) if file in _records(results)]
    if _limit(Path(results, BEGUN)) is None:
        write_json(Path(results, BEGUN), {"isa": environment[LIMIT]})
    if Path(results, RECORD) in spoiled:
        record(results, project=project, environment=environment)
    return spoiled


def check(results: str | Path, environment: Mapping[str, str]) -> None:
    """Check that what a folder of results has was built under the same limit of oneDNN.

    A record that is damaged tells nothing.

    Raises:
        UserError: if it was another.
    """
    for limit in filter(None, map(_limit, _records(results))):
        if limit != environment[LIMIT]:
            raise UserError(
                f"{results}: built under PIXELSPACE_ISA={limit}, and this is "
                f"{environment[LIMIT]}; give an overlay with a `results:` of its own, or "
                "`make clean` first"
            )


def _records(results: str | Path) -> list[Path]:
    return [Path(results, name) for name in (BEGUN, RECORD)]


def _limit(file: Path) -> str | None:
    """Return the limit that a record names, or None if there is no record or it is damaged."""
    try:
        return read_json(file)["isa"]
    except (UserError, OSError, ValueError, KeyError, TypeError):
        return None


def describe(project: str | Path, environment: Mapping[str, str]) -> dict:
    """Return the processor, the system and the versions of what computes, draws and typesets.

    Args:
        project: the repository's folder.
        environment: that of the jobs, see `pixelspace.runtime.environment`.

    Returns:
        In JSON types; None stands for what cannot be known.
    """
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "instruction_sets": [*simd["baseline"], *simd.get("found", [])],
        "cores": os.cpu_count(),
        "system": _system(),
        "libc": " ".join(platform.libc_ver()).strip() or None,
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "tex": _tex(),
        "isa": environment[LIMIT],
        "commit": _commit(project),
    }


def _processor() -> str:
    """Return the processor's name, with the numbers that tell apart what clouds name alike."""
    if CPUINFO.is_file():
        facts = dict(re.findall(r"^(.+?)\s*: (.+)$", CPUINFO.read_text(), re.M))
        if "model name" in facts:
            return "{model name}, family {cpu family}, model {model}".format_map(facts)
    return _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            continue


def _tex() -> str | None:
    from pixelspace.report.latex import LATEXMK, engine

    try:
        program = "pdflatex" if engine() == LATEXMK else "tectonic"
    except UserError:
        return None
    return (_said(program, "--version") or "").partition("\n")[0] or None


def _commit(project: str | Path) -> str | None:
    """Return the commit that is checked out; with ``-dirty`` if files that git tracks differ."""
    git = ("git", "-C", str(project))
    if _said(*git, "rev-parse", "--show-prefix") != "":
        return None  # no repository, or a folder in one of something else
    return _said(*git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _said(*command: str) -> str | None:
    """Return what a program prints, or None if it is not there or fails."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
