"""Every number that the paper may cite, by name, with the artifact that it came from.

Names read ``experiment.key`` for a trained network and its data, ``experiment.measure.key`` for a
measure, and ``experiment.projection.key`` for the summary of a projection. What is measured of
every network is a mean over them, with ``key_lowest`` and ``key_highest`` beside it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from pixelspace.artifacts import open_dataset, read_json

NEAR = 0.1  # nats

EXTREMES = ("_lowest", "_highest")

Numbers = dict[str, dict]


def collect(
    results: str | Path,
    *,
    datasets: Iterable[str],
    reports: Iterable[str],
    measures: Iterable[str],
    replicated: Iterable[str] = (),
) -> Numbers:
    """Return ``{name: {"value", "artifact"}}``; artifacts are named relative to ``results``.

    Args:
        measures: of the first network of an experiment alone.
        replicated: of each of its networks, the first one first; its artifact stands for all. The
            extremes say in ``"of"`` of which number they are.
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
        experiment, replicate, _ = parts(path)
        report = read_json(path)
        by_experiment.setdefault(experiment, []).append(report)
        if replicate == "0":
            add(path, (experiment,), dict(of_report(report)))
    for path in reports:
        experiment, replicate, _ = parts(path)
        if replicate == "0":
            add(path, (experiment,), of_replicates(by_experiment[experiment]))
    for path in measures:
        add(path, (parts(path)[0], Path(path).stem), read_json(path))
    by_measure: dict[tuple[str, str], list[str]] = {}
    for path in replicated:
        by_measure.setdefault((parts(path)[0], Path(path).stem), []).append(path)
    for prefix, paths in by_measure.items():
        for key, spread in of_networks([read_json(path) for path in paths]).items():
            mean = ".".join((*prefix, key))
            add(paths[0], prefix, {f"{key}{end}": value for end, value in spread.items()})
            for end in EXTREMES:
                numbers[mean + end]["of"] = mean
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


def of_report(report: Mapping) -> Iterator[tuple[str, float]]:
    """Yield the scores of one trained network, and which classes it confuses."""
    test, history = report["test"], report["history"]
    yield "test_accuracy", test["accuracy"]
    yield "test_errors", test["errors"]
    yield "test_ties", test["ties"]
    yield "parameters", report["parameters"]["total"]
    yield "trainable_parameters", report["parameters"]["trainable"]
    yield "epochs", len(history["train_loss"])
    yield "validation_accuracy", history["validation_accuracy"][-1]
    confusion = np.array(report["confusion"])
    wrong = confusion * (1 - np.eye(len(confusion), dtype=int))
    for i, name in enumerate(report["class_names"]):
        yield f"accuracy_of_{name}", float(confusion[i, i] / max(confusion[i].sum(), 1))
    yield "most_confused", int(wrong.max())
    if "restarts" in report:
        losses = np.array(report["restarts"])
        yield "restarts", len(losses)
        yield "restarts_median_loss", float(np.median(losses))
        yield "restarts_best_loss", float(losses.min())
        yield "restarts_near_best", int((losses <= losses.min() + NEAR).sum())


def of_replicates(reports: list[Mapping]) -> dict[str, float]:
    """Return the spread of the test accuracy over networks trained from different seeds."""
    accuracies = [report["test"]["accuracy"] for report in reports]
    return {
        "replicates": len(accuracies),
        "accuracy_mean": float(np.mean(accuracies)),
        "accuracy_lowest": min(accuracies),
        "accuracy_highest": max(accuracies),
        **{f"seed_{number}": report["seed"] for number, report in enumerate(reports)},
    }


def of_networks(measured: list[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return for each number of a measure its mean over networks, and its extremes, by ending."""
    lowest, highest = EXTREMES
    return {
        key: {
            "": float(np.mean([numbers[key] for numbers in measured])),
            lowest: min(numbers[key] for numbers in measured),
            highest: max(numbers[key] for numbers in measured),
        }
        for key in measured[0]
    }
