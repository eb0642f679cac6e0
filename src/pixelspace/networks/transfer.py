"""A new head on a network trained on ImageNet, whose other layers stay as they are.

The frozen layers make the same features of an image each time, so these are computed once. They are
kept in a temporary file, so that memory does not grow with the number of images.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.networks import training
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layers
from pixelspace.networks.weights import load_imagenet
from pixelspace.runtime import seed_tensorflow

ROWS = 1024
"""Features that pass through the head at once where nothing is learned."""

FINE_TUNING_RATE = 1e-4
"""Adam's rate for layers that are trained already: low, so that they change little."""


def train(
    layers: Layers,
    dataset: StoredDataset,
    *,
    seed: int,
    weights: str,
    epochs: int = 30,
    batch: int = 64,
    learning_rate: float = 0.005,
    l2: float = 1e-4,
    fine_tune_blocks: int = 0,
    fine_tune_epochs: int = 1,
) -> training.Trained:
    """Train the logits on frozen features; then, if asked to, the last blocks with them.

    Batch normalization keeps ImageNet's statistics throughout. Rates fall to 0 along a cosine.

    Args:
        weights: file of the ImageNet weights, see `load_imagenet`.
        epochs: passes of the head over the features.
        learning_rate: of Adam, for the head.
        l2: weight of the sum of the squared weights of the head in the loss.
        fine_tune_blocks: how many of the last blocks are trained further, with what follows them.
        fine_tune_epochs: passes over the images to do so.

    Raises:
        UserError: if the weights are missing or altered.
    """
    seed_tensorflow(seed)
    stream = np.random.default_rng(seed)
    model = build(layers)
    load_imagenet(model, weights)
    history, logits = _train_head(
        model,
        dataset,
        stream,
        activation=layers[-1].kind,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        l2=l2,
    )
    if fine_tune_blocks:
        further, logits = _fine_tune(
            model,
            dataset,
            stream,
            activation=layers[-1].kind,
            epochs=fine_tune_epochs,
            batch=batch,
            trainable=last_layers(layers, fine_tune_blocks),
        )
        history = {name: values + further[name] for name, values in history.items()}
    settings = {
        "weights": weights,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "l2": l2,
        "fine_tune_blocks": fine_tune_blocks,
        "fine_tune_epochs": fine_tune_epochs,
    }
    report = training.report(
        model,
        layers,
        dataset,
        logits,
        recipe={"name": "transfer", **settings},
        seed=seed,
        history=history,
    )
    return training.Trained(model, report)


def last_layers(layers: Layers, blocks: int) -> set[str]:
    """Return the layers with weights from the last ``blocks`` blocks on, batch norm left out."""
    starts = {}
    for place, layer in enumerate(layers):
        if block := re.match(r"b\d+_", layer.name):
            starts.setdefault(block.group(), place)
    first = list(starts.values())[-blocks]
    return {layer.name for layer in layers[first:] if layer.kind in ("conv", "depthwise", "dense")}


def _train_head(
    model: keras.Model,
    dataset: StoredDataset,
    stream: np.random.Generator,
    *,
    activation: str,
    epochs: int,
    batch: int,
    learning_rate: float,
    l2: float,
) -> tuple[dict[str, list[float]], np.ndarray]:
    """Train the logits alone; return the history and the logits of the test images."""
    _make_trainable(model, {"logits"})
    backbone = training.compiled(keras.Model(model.input, model.get_layer("avgpool").output))
    splits = {name: dataset[name] for name in ("train", "validation", "test")}
    labels = {name: split.labels for name, split in splits.items()}
    code = keras.Input(model.get_layer("avgpool").output.shape[1:])
    head = keras.Model(code, model.get_layer("logits")(model.get_layer("dropout")(code)))
    kernel = model.get_layer("logits").kernel
    with (
        tempfile.TemporaryDirectory(prefix="pixelspace-") as folder,
        h5py.File(Path(folder) / "features.h5", "w") as file,
    ):
        stored = {name: _store(backbone, split, file, name) for name, split in splits.items()}
        features = training.rows(stored["train"])
        history = training.fit(
            head,
            (
                training.shuffled_batches(features, labels["train"], batch, stream)
                for _ in range(epochs)
            ),
            optimizer=training.cosine_adam(learning_rate, epochs, len(labels["train"]), batch),
            activation=activation,
            penalty=lambda: l2 * tf.reduce_sum(kernel**2),
            inspect=lambda: training.curves(
                *((_logits(head, stored[name]), labels[name]) for name in ("train", "validation")),
                activation,
            ),
        )
        return history, _logits(head, stored["test"])


def _store(
    function: Callable[[np.ndarray], tf.Tensor], split: StoredSplit, file: h5py.File, name: str
) -> h5py.Dataset:
    """Write what a function makes of the images of a split, a row for each, to a file."""
    start = 0
    for images, _ in split.batches(training.BATCH):
        codes = np.asarray(function(images))
        stored = file.require_dataset(name, (len(split), codes.shape[1]), codes.dtype)
        stored[start : start + len(codes)] = codes
        start += len(codes)
    return stored


def _logits(head: keras.Model, features: Sequence[np.ndarray]) -> np.ndarray:
    parts = (features[start : start + ROWS] for start in range(0, len(features), ROWS))
    return np.concatenate([head(part).numpy() for part in parts])


def _fine_tune(
    model: keras.Model,
    dataset: StoredDataset,
    stream: np.random.Generator,
    *,
    activation: str,
    epochs: int,
    batch: int,
    trainable: set[str],
) -> tuple[dict[str, list[float]], np.ndarray]:
    """Train some layers on the images; return the history and the logits of the test images."""
    _make_trainable(model, trainable)
    until_logits = logits_model(model)
    forward = training.compiled(until_logits)
    images, labels = training.rows(dataset["train"].images), dataset["train"].labels
    history = training.fit(
        until_logits,
        (training.shuffled_batches(images, labels, batch, stream) for _ in range(epochs)),
        optimizer=training.cosine_adam(FINE_TUNING_RATE, epochs, len(labels), batch),
        activation=activation,
        inspect=lambda: training.image_curves(forward, dataset, activation),
    )
    return history, training.outputs(forward, dataset["test"])


def _make_trainable(model: keras.Model, names: set[str]) -> None:
    """Freeze all layers but these; a frozen batch normalization keeps its statistics."""
    for layer in model.layers:
        layer.trainable = layer.name in names
