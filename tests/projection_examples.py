"""Small networks and data sets whose projections can be worked out by hand."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from pixelspace.artifacts import Dataset, Sample, Split, StoredDataset, open_dataset, write_dataset


def sequential(shape: tuple[int, ...], *layers: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *layers])


def set_weights(model: keras.Model, **weights: np.ndarray | Sequence[np.ndarray]) -> keras.Model:
    """Give layers their kernel, or the list of all their weights."""
    for name, values in weights.items():
        values = values if isinstance(values, list) else [values]
        model.get_layer(name).set_weights([np.asarray(v, np.float32) for v in values])
    return model


@contextlib.contextmanager
def stored(
    path: Path,
    images: np.ndarray,
    labels: Sequence[int],
    class_names: Sequence[str] = ("a", "b"),
    value_range: tuple[float, float] = (0.0, 1.0),
) -> Iterator[StoredDataset]:
    """Open a data set whose splits, ``large`` among them, all hold the same images."""
    samples = [Sample(image, label, "made") for image, label in zip(images, labels, strict=True)]
    split = Split(len(samples), images.shape[1:], samples)
    splits = dict.fromkeys(("train", "validation", "test", "large"), split)
    write_dataset(path, Dataset(tuple(class_names), value_range, "float32", splits))
    with open_dataset(path) as dataset:
        yield dataset
