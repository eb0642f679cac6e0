"""A Workflow Run RO-Crate of a build: what it gave, what made it, and who may use it.

Profile: https://w3id.org/ro/wfrun/workflow/0.5, on RO-Crate 1.1. The metadata are a flat list of
entities, which a dictionary holds as well as a library for it would.
"""

import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pixelspace.artifacts import checked
from pixelspace.errors import UserError
from pixelspace.files import file_hash

METADATA = "ro-crate-metadata.json"
CRATE = "https://w3id.org/ro/crate/1.1"
CONTEXT = [f"{CRATE}/context", {"sha256": "http://schema.org/sha256"}]
"""RO-Crate 1.1 has no term of its own for a hash."""

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}

SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
LICENCES = {"MIT": "MIT License", "CC-BY-4.0": "Creative Commons Attribution 4.0 International"}
CODE, TEXT = ({"@id": f"https://spdx.org/licenses/{name}"} for name in LICENCES)
SOURCE = "ro-crate/"
"""Begins the paths of copies of what the repository has. No experiment can have this name."""

WORKFLOW = f"{SOURCE}Snakefile"

TOLD = {
    "paper.pdf": "The paper.",
    "paper.tex": "The paper as LaTeX.",
    "numbers.json": "Every number that the paper may cite, with the artifact that it is from.",
    "ledger.json": "What made each number and figure: step, code, configuration, inputs, hashes.",
    "config.json": "The configuration of the run, with defaults.",
}

# Types that not every system knows, and that would differ between them.
TYPES = {"": "text/plain", ".cff": "application/yaml", ".csv": "text/csv", ".tex": "text/x-tex"}


def describe(
    folder: str | Path,
    parts: Iterable[str],
    *,
    citation: Mapping,
    claims: Mapping[str, Mapping],
    data: Mapping[str, str],
    versions: Mapping[str, str],
) -> dict:
    """Return the metadata of a crate. The same build gives the same.

    Args:
        folder: the results, which are the root of the crate.
        parts: paths of the crate's files, relative to ``folder``; `WORKFLOW` among them. Those that
            do not begin with `SOURCE` are what the run gave, but for ``config.json``.
        citation: what ``CITATION.cff`` says.
        claims: see `pixelspace.report.claims.check`.
        data: SHA-256 of what the run began with, or a commit's hash, by path or address.
        versions: of the packages that it ran with.

    Raises:
        UserError: if a file is missing or damaged, or ``citation`` lacks what a crate must have.
    """
    files = [_file(Path(folder), part, claims) for part in sorted(parts)]
    results = [f for f in files if not f["@id"].startswith(SOURCE) and f["@id"] != "config.json"]
    inputs = [_data(path, content) for path, content in sorted(data.items())]
    settings = [file for file in files if file["@id"] == "config.json"]
    software = [_package(name, version) for name, version in sorted(versions.items())]
    authors = [_author(author) for author in _of(citation, "authors")]
    (workflow,) = (file for file in files if file["@id"] == WORKFLOW)
    workflow |= {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "The workflow that builds the paper",
        "version": str(_of(citation, "version")),
        "programmingLanguage": {"@id": SNAKEMAKE},
        "author": _references(authors),
        "softwareRequirements": _references(software),
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "A run of the workflow",
        # No time, agent or machine: these differ between builds that are otherwise the same.
        "description": "The run that gave the paper, its figures, its numbers and its claims.",
        "instrument": {"@id": WORKFLOW},
        "object": _references([*settings, *inputs]),
        "result": _references(results),
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": _of(citation, "title"),
        "description": _of(citation, "abstract"),
        # A crate must have a date. That of the release is the only one that is of the sources, and
        # not of the day of a build.
        "datePublished": str(_of(citation, "date-released")),
        "license": [CODE, TEXT],
        "author": _references(authors),
        "keywords": ", ".join(citation.get("keywords", ())),
        "conformsTo": [{"@id": profile} for profile in PROFILES],
        "mainEntity": {"@id": WORKFLOW},
        "mentions": _references([run]),
        "hasPart": _references(files),
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [
            {"@id": CRATE},
            {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
        ],
    }
    others = [*_context(versions), *authors, *inputs, *software]
    return {"@context": CONTEXT, "@graph": [descriptor, root, *files, run, *others]}


def _of(citation: Mapping, key: str):
    try:
        return citation[key]
    except KeyError:
        raise UserError(f"CITATION.cff: has no {key}, which a crate must have") from None


def _references(entities: Iterable[Mapping]) -> list[dict] | dict:
    """Return references to entities; to one alone without a list, as RO-Crate asks."""
    references = [{"@id": entity["@id"]} for entity in entities]
    return references[0] if len(references) == 1 else references


def _file(folder: Path, part: str, claims: Mapping[str, Mapping]) -> dict:
    path = checked(folder / part)
    source = part.startswith(SOURCE)
    told = f"A copy of {part.removeprefix(SOURCE)}." if source else _told(path, part, claims)
    return {
        "@id": part,
        "@type": "File",
        "name": part,
        "description": told,
        "encodingFormat": TYPES.get(path.suffix) or mimetypes.guess_type(part)[0] or "text/plain",
        "contentSize": str(path.stat().st_size),
        "sha256": file_hash(path),
        "license": CODE if source else TEXT,
    }


def _told(path: Path, part: str, claims: Mapping[str, Mapping]) -> str:
    """Return what a file is; of a figure, what it shows."""
    if part.startswith("figures/"):
        return checked(path.with_suffix(".txt")).read_text(encoding="utf-8").strip()
    if part.startswith("sweeps/"):
        return f"The networks of the sweep {path.stem}."
    if part == "claims.json":
        held = sum(claim["holds"] for claim in claims.values())
        return f"The claims of the paper: {held} of {len(claims)} hold."
    return TOLD[part]


def _data(path: str, content: str) -> dict:
    """Return an entity of data that the crate names and does not hold, with their hash.

    Of a path alone RO-Crate would say that the file is there.
    """
    return {
        "@id": f"#{path}",
        "@type": "CreativeWork",
        "name": path,
        "description": "Data that the run began with, which this crate does not hold.",
        ("sha256" if len(content) == 64 else "identifier"): content,
    }


def _package(name: str, version: str) -> dict:
    return {
        "@id": f"pkg:pypi/{name}@{version}",
        "@type": "SoftwareApplication",
        "name": name,
        "softwareVersion": version,
    }


def _author(author: Mapping) -> dict:
    """Return an entity of a person, or of an organization, which has a ``name`` in CFF."""
    if "name" in author:
        kind, name = "Organization", author["name"]
    else:
        kind, name = "Person", f"{author['given-names']} {author['family-names']}"
    return {"@id": author.get("orcid", f"#{name}"), "@type": kind, "name": name}


def _context(versions: Mapping[str, str]) -> Iterator[dict]:
    yield {
        "@id": SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": {"@id": "https://snakemake.github.io"},
        "url": {"@id": "https://snakemake.github.io"},
        "version": versions["snakemake"],
    }
    for profile, (name, version) in PROFILES.items():
        yield {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
    for licence, name in LICENCES.items():
        url = f"https://spdx.org/licenses/{licence}"
        yield {"@id": url, "@type": "CreativeWork", "name": name, "identifier": licence}
