"""The images that a network is wrong about, and those that it is nearly undecided about."""

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset, StoredSplit
from pixelspace.projections import graph
from pixelspace.projections.feature_maps import layer_outputs

BATCH = 64


def margins(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return by how much the right class is ahead of the others ``(n,)``; negative for an error.

    Args:
        logits: ``(n, classes)``.
        labels: ``(n,)``.
    """
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    return logits[rows, labels] - others.max(1)


def project(
    model: keras.Model, dataset: StoredDataset, *, seed: int, images: int = 6
) -> Projection:
    """Show the test images that the network is most wrong about, and right ones nearest to error.

    Args:
        seed: of no effect, as nothing is left to chance; for one call for all projections.
        images: how many of each, at most.
    """
    split = dataset["test"]
    logits = np.concatenate(
        [
            layer_outputs(model, part, [graph.LOGITS])[graph.LOGITS]
            for part, _ in split.batches(BATCH)
        ]
    )
    ahead = margins(logits, split.labels)
    order = np.argsort(ahead, kind="stable")
    wrong = order[ahead[order] < 0][:images]
    close = order[ahead[order] >= 0][:images]
    names = dataset.class_names
    rivals = [_rivals(logits, split.labels, row) for row in (wrong, close)]
    about = {
        "kind": "hard_images",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "split": "test",
        "labels": [[names[split.labels[i]] for i in row] for row in (wrong, close)],
        "rivals": [[names[i] for i in row] for row in rivals],
        "notes": [] if len(wrong) else ["no test image is classified wrongly"],
    }
    arrays = {
        "wrong": _images(split, wrong),
        "close": _images(split, close),
        "wrong_numbers": wrong,
        "close_numbers": close,
        "wrong_margins": ahead[wrong],
        "close_margins": ahead[close],
    }
    return Projection(arrays, about)


def _rivals(logits: np.ndarray, labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return for each image the class that comes first, the right one left out."""
    others = logits[numbers]
    others[np.arange(len(numbers)), labels[numbers]] = -np.inf
    return others.argmax(1)


def _images(split: StoredSplit, numbers: np.ndarray) -> np.ndarray:
    shape = split.images.shape[1:]
    return np.array([split.images[i] for i in numbers], np.float32).reshape(-1, *shape)
