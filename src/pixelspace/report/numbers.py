"""Every number that the paper may cite, by name, with the artifact that it came from.

Names read ``experiment.key`` for a trained network and its data, ``experiment.measure.key`` for a
measure, and ``experiment.projection.key`` for the summary of a projection. What is measured of
every network is a mean over them, with ``key_lowest`` and ``key_highest`` beside it and, of more
than one, ``key_deviation`` and the interval of the mean, ``key_mean_low`` to ``key_mean_high``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from pixelspace.artifacts import open_dataset, read_json
from pixelspace.report import spread
from pixelspace.scores import of_report

Numbers = dict[str, dict]


def collect(
    results: str | Path,
    *,
    datasets: Iterable[str],
    reports: Iterable[str],
    shown: Iterable[str],
    measures: Iterable[str],
    replicated: Iterable[str] = (),
) -> Numbers:
    """Return ``{name: {"value", "artifact"}}``; artifacts are named relative to ``results``.

    Args:
        reports: of each network of an experiment, in their order.
        shown: of the network of each experiment that its projections look at.
        measures: of this network alone.
        replicated: of each of its networks, the first one first; its artifact stands for all. What
            goes with a mean says in ``"of"`` of which number it is.
    """
    numbers: Numbers = {}

    def add(path: str, prefix: tuple[str, ...], values: Mapping[str, float]) -> None:
        artifact = Path(path).relative_to(results).as_posix()
        for key, value in values.items():
            name = ".".join((*prefix, key))
            numbers[name] = {"value": value, "artifact": artifact}

    def parts(path: str) -> tuple[str, ...]:
        return Path(path).relative_to(results).parts

    for path in datasets:
        add(path, parts(path)[:1], dict(of_dataset(path)))
    by_experiment: dict[str, list[dict]] = {}
    for path in reports:
        by_experiment.setdefault(parts(path)[0], []).append(read_json(path))
    for path in shown:
        experiment = parts(path)[0]
        report = read_json(path)
        add(path, (experiment,), dict(of_report(report)))
        add(path, (experiment,), {"shown_replicate": report.get("replicate", 0)})
        add(path, (experiment,), of_replicates(by_experiment[experiment]))
    for path in measures:
        add(path, (parts(path)[0], Path(path).stem), read_json(path))
    by_measure: dict[tuple[str, str], list[str]] = {}
    for path in replicated:
        by_measure.setdefault((parts(path)[0], Path(path).stem), []).append(path)
    for prefix, paths in by_measure.items():
        networks = [read_json(path) for path in paths]
        for key in networks[0]:
            found = of_networks([{key: network[key]} for network in networks])
            taken = (found.keys() & networks[0].keys()) - {key}
            if taken:
                raise ValueError(f"{paths[0]}: {taken} are of the spread of {key}, and numbers too")
            add(paths[0], prefix, found)
            mean = ".".join((*prefix, key))
            for beside in found.keys() - {key}:
                numbers[".".join((*prefix, beside))]["of"] = mean
    return numbers


def of_dataset(path: str) -> Iterator[tuple[str, float]]:
    """Yield the size of a data set's splits and of its images."""
    with open_dataset(path) as dataset:
        height, width, _ = dataset.image_shape
        yield "height", height
        yield "width", width
        yield "classes", len(dataset.class_names)
        sizes = {split: len(dataset[split]) for split in ("train", "validation", "test")}
        for split, size in sizes.items():
            yield f"{split}_images", size
        yield "images", sum(sizes.values())
        if dataset.parts:
            covered = np.zeros((len(dataset["test"]), height, width), bool)
            for part in dataset.parts:
                covered |= dataset["test"].masks[part][:]
            yield "mask_share", float(covered.mean())
            yield "mask_share_largest", float(covered.mean(axis=(1, 2)).max())


def of_replicates(reports: list[Mapping]) -> dict[str, float]:
    """Return the spread of the test accuracy over networks trained from different seeds."""
    accuracies = [report["test"]["accuracy"] for report in reports]
    of_mean = spread.of_mean(accuracies, spread.SHARE)
    return {
        "replicates": len(accuracies),
        "accuracy_mean": float(np.mean(accuracies)),
        "accuracy_lowest": min(accuracies),
        "accuracy_highest": max(accuracies),
        **{f"accuracy_{key}": value for key, value in of_mean.items()},
        **{f"seed_{number}": report["seed"] for number, report in enumerate(reports)},
    }


def of_networks(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each number of a measure as its mean over networks, and its spread beside it."""
    found = {}
    for key in measured[0]:
        values = [numbers[key] for numbers in measured]
        names = {"deviation": "deviation", "low": "mean_low", "high": "mean_high"}
        found |= {
            key: float(np.mean(values)),
            f"{key}_lowest": min(values),
            f"{key}_highest": max(values),
            **{f"{key}_{names[name]}": v for name, v in spread.of_mean(values).items()},
        }
    return found
