"""What is known of one network by number.

A network of a sweep is trained again where this changes: what makes tables of it is elsewhere.
"""

from collections.abc import Iterator, Mapping

import numpy as np

NEAR = 0.1  # nats


def numbers_of(report: Mapping, measures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the numbers of one network: of its training by name, others as ``measure.name``."""
    measured = {
        f"{measure}.{name}": value
        for measure, numbers in measures.items()
        for name, value in numbers.items()
    }
    return {**dict(of_report(report)), "seed": report["seed"], **measured}


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
