"""Sweeps, planned: every network to train, under a name of its own, and in which job.

A network that is trained for a sweep is found again under a hash of all that it depends on. So
one that is asked for twice, by two sweeps or by an experiment too, is trained once.
"""

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelspace.config import Config, DatasetChoice, Experiment
from pixelspace.files import digest, failed, file_hash, listing
from pixelspace.fingerprint import fingerprint
from pixelspace.seeds import derive


@dataclass(frozen=True)
class Point:
    """One network of a sweep.

    ``varied`` is what the sweep's keys are at its point. ``settings`` is all that the network and
    its measures depend on, in JSON types, and ``key`` a hash of it. ``repeats`` is the experiment
    and the replicate that are the same network with the same measures, if one is.
    """

    varied: Mapping[str, Any]
    replicate: int
    settings: Mapping[str, Any]
    key: str
    repeats: tuple[str, int] | None


def points(config: Config, sweep: str) -> list[Point]:
    """Return every network of a sweep: all replicates of its first combination, of the next, …"""
    chosen = config.sweeps[sweep]
    known = _experiments(config, chosen.measures)
    keys = dict.fromkeys(key for combination in chosen.combinations for key in combination)
    found = []
    for combination in chosen.combinations:
        experiment = config.varied(sweep, combination)
        varied = _values(experiment, keys) | combination
        for replicate in range(chosen.replicates):
            settings = of_network(config, chosen.experiment, experiment, replicate)
            key = digest(settings)
            found.append(Point(varied, replicate, settings, key, known.get(key)))
    return found


def _values(experiment: Experiment, keys: Iterable[str]) -> dict[str, Any]:
    """Return what some keys of an experiment are: a list of points need not say all at each."""
    plain = experiment.model_dump(mode="json")
    return {key: functools.reduce(operator.getitem, key.split("."), plain) for key in keys}


def _experiments(config: Config, measures: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return the experiment and the replicate of every network that one trains, by its key."""
    found = {}
    for name, experiment in config.experiments.items():
        if experiment.measures.keys() >= set(measures):
            taken = {measure: experiment.measures[measure] for measure in measures}
            alone = experiment.model_copy(update={"measures": taken})
            for replicate in range(experiment.replicates):
                key = digest(of_network(config, name, alone, replicate))
                found.setdefault(key, (name, replicate))
    return found


def of_network(config: Config, name: str, experiment: Experiment, replicate: int) -> dict[str, Any]:
    """Return all that a network and its measures depend on: settings, seeds, files and code.

    Args:
        name: the experiment whose random numbers it has.
    """
    network, training = experiment.network, experiment.training
    seed = functools.partial(derive, config.seed, config.stem(name))
    return {
        "dataset": of_images(config, name, experiment),
        "network": {"kind": network.kind, **network.chosen.model_dump(mode="json")},
        "recipe": training.recipe,
        "training": training.chosen.model_dump(mode="json"),
        "seed": seed("training", replicate),
        "files": _hash(training.transfer.weights) if training.recipe == "transfer" else None,
        "code": fingerprint(
            "pixelspace.networks.storage",
            f"pixelspace.networks.{network.kind}",
            f"pixelspace.networks.{training.recipe}",
            "pixelspace.points",
        ),
        "measures": {
            measure: {
                "settings": chosen.model_dump(mode="json", exclude={"every_replicate"}),
                "seed": seed("measure", replicate),
                "code": fingerprint(f"pixelspace.measures.{chosen.kind}"),
            }
            for measure, chosen in experiment.measures.items()
        },
    }


def modules(settings: Mapping[str, Any]) -> set[str]:
    """Return the modules that a network's `settings`, see `of_network`, name by their kinds."""
    return {
        "pixelspace.networks.storage",
        f"pixelspace.networks.{settings['network']['kind']}",
        f"pixelspace.networks.{settings['recipe']}",
        f"pixelspace.datasets.{settings['dataset']['source']}",
        *(
            f"pixelspace.measures.{chosen['settings']['kind']}"
            for chosen in settings["measures"].values()
        ),
    }


def of_images(config: Config, name: str, experiment: Experiment) -> dict[str, Any]:
    """Return all that the images of an experiment depend on, as `of_network` does."""
    data = experiment.dataset
    return {
        "source": data.source,
        "settings": data.chosen.model_dump(mode="json"),
        "seed": derive(config.seed, config.stem(name), "dataset"),
        "files": _files_of_images(data),
        "code": fingerprint("pixelspace.artifacts", f"pixelspace.datasets.{data.source}"),
    }


def _files_of_images(data: DatasetChoice) -> list[str] | str | None:
    """Return what tells whether the files that images are made from are still the same."""
    if data.source == "mnist":
        return [_hash(str(path)) for path in sorted(Path(data.mnist.folder).glob("*.gz"))]
    return _listing(data.folder.path) if data.source == "folder" else None


# A plan is made once in a process, and many of its points name the same files.
_hash = functools.cache(file_hash)
_listing = functools.cache(listing)


def failures(store: Path, planned: Iterable[Point]) -> dict[str, int]:
    """Return how often each of some networks failed, by key, of those that ever did."""
    known = {point.key: failed(store, point.key) for point in planned}
    return {
        key: path.read_text(encoding="utf-8").count("\n")
        for key, path in known.items()
        if path.is_file()
    }


def batches(planned: Iterable[Point], size: int) -> dict[str, list[Point]]:
    """Divide points among jobs: at most ``size`` to each, those with the same images together.

    Where a point is added, one job changes, or is divided in two; the others stay what they are.
    Known points are not left out here, but skipped by the job: on a cluster every job plans by
    itself while others add to what is known, and all must come to the same jobs.
    """
    by_bits = {_bits(point): point for point in planned}
    return dict(_halved([by_bits[bits] for bits in sorted(by_bits)], size, ""))


def _halved(ordered: list[Point], size: int, prefix: str) -> Iterator[tuple[str, list[Point]]]:
    """Divide points by the first of their bits, as often as must be."""
    if len(ordered) <= size:
        if ordered:
            yield prefix or "all", ordered
        return
    for bit in "01":
        half = [point for point in ordered if _bits(point)[len(prefix)] == bit]
        yield from _halved(half, size, prefix + bit)


def _bits(point: Point) -> str:
    """Return the key of a point as bits, after a few that points with the same images share."""
    digits = digest(point.settings["dataset"])[:4] + point.key
    return f"{int(digits, 16):0{4 * len(digits)}b}"
