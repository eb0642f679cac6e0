"""What made a file: the rule, its script and code, its part of the configuration, its inputs."""

from collections.abc import Iterable, Mapping

from snakemake.iocontainers import Wildcards

from pixelspace import fingerprint

KEYS = {
    ("make_dataset", "settings"): "experiments.{experiment}.dataset.{source}",
    ("make_dataset", "source"): "experiments.{experiment}.dataset.source",
    ("make_dataset", "seed"): "seed",
    ("train_network", "network"): "experiments.{experiment}.network",
    ("train_network", "recipe"): "experiments.{experiment}.training.recipe",
    ("train_network", "settings"): "experiments.{experiment}.training.{recipe}",
    ("train_network", "seed"): "seed",
    ("project", "network"): "experiments.{experiment}.network",
    ("project", "settings"): "experiments.{experiment}.projections.{projection}",
    ("project", "seed"): "seed",
    ("project_units", "network"): "experiments.{experiment}.network",
    ("measure", "network"): "experiments.{experiment}.network",
    ("measure", "settings"): "experiments.{experiment}.measures.{measure}",
    ("measure", "seed"): "seed",
    ("compute_points", "points"): "sweeps",
    ("collect_sweep", "networks"): "sweeps.{sweep}",
    ("summarize_sweep", "networks"): "sweeps.{sweep}",
}
"""The sections of the configuration that parameters of steps are from, by rule and name."""


def section(rule: str, parameter: str, known: Mapping[str, object]) -> str | None:
    """Return the section of the configuration that a parameter of a step is from, if it is one.

    Args:
        known: wildcards and parameters of the step.
    """
    place = KEYS.get((rule, parameter))
    return place and place.format_map(known)


def trace(workflow, files: Iterable[str], prefix: str = "") -> dict[str, dict]:
    """Return what makes each of some files, and each of the files that they are made of.

    Args:
        prefix: begins the paths of files that rules make, and is left out of what is returned.

    Returns:
        By path: ``rule``, ``script``, ``config`` (keys), ``inputs`` (paths), and ``code`` (names of
        the script and of modules). What nothing makes has none of these.
    """
    found: dict[str, dict] = {}
    left = sorted(files)
    while left:
        file = left.pop()
        if file not in found:
            found[file] = _step(workflow, file, prefix)
            left += found[file].get("inputs", ())
    return found


def _step(workflow, file: str, prefix: str) -> dict:
    made = f"{prefix}{file}"
    rule = next((rule for rule in workflow.rules if rule.is_producer(made)), None)
    if rule is None:
        return {}
    by_name = rule.get_wildcards(made)
    wildcards = Wildcards(fromdict=by_name)
    names = rule.params.keys()
    # The others can be large, and are made anew whenever they are asked for.
    chosen = {name: rule.params[name](wildcards) for name in names & {"source", "recipe"}}
    sections = {section(rule.name, name, chosen | by_name) for name in names}
    return {
        "rule": rule.name,
        "script": f"scripts/{rule.script.rpartition('/')[2]}",
        "config": sorted(sections - {None}),
        "inputs": sorted(
            {str(path).removeprefix(prefix) for path in rule.expand_input(wildcards)[0]}
        ),
        "code": [part for part in rule.params["code"](wildcards) if fingerprint.is_code(part)],
    }
