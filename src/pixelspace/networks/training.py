"""What the training recipes share: reading images, the loop, what is measured, the report."""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import h5py
import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.networks.layers import Layers, multiply_adds, output_shapes, parameter_counts

BATCH = 32
"""Images that pass through a network at once where nothing is learned: more only cost memory."""

IN_MEMORY = 64 * 2**20
"""Bytes of images, or of features of them, that training may hold at once.

More than that are read from a file, one by one, so that memory has a bound.
"""


@dataclass(frozen=True)
class Trained:
    """A trained model and, in JSON types, how it came about and how good it is."""

    model: keras.Model
    report: dict


def rows(stored: h5py.Dataset) -> Sequence[np.ndarray]:
    """Return what is stored, images or their features, to be read in any order."""
    return stored[:] if stored.nbytes <= IN_MEMORY else stored


def shuffled_batches(
    inputs: Sequence[np.ndarray], labels: np.ndarray, size: int, stream: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the inputs in random order with their labels, ``size`` at a time.

    Those that do not fill a last batch are left out; there is at least one batch.
    """
    order = stream.permutation(len(labels))
    for start in range(0, steps_per_epoch(len(labels), size) * size, size):
        chosen = order[start : start + size]
        yield np.stack([inputs[row] for row in chosen]), labels[chosen]


def steps_per_epoch(images: int, batch: int) -> int:
    """Return how many batches `shuffled_batches` makes."""
    return max(1, images // batch)


def cosine_adam(rate: float, epochs: int, images: int, batch: int) -> keras.optimizers.Optimizer:
    """Return Adam with a rate that falls along a cosine to 0 at the end of the epochs."""
    steps = epochs * steps_per_epoch(images, batch)
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))


def compiled(model: keras.Model) -> Callable[[np.ndarray], tf.Tensor]:
    """Return ``model`` in inference mode as a function that is traced once for all batch sizes."""
    spec = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32)
    return tf.function(
        lambda inputs: model(inputs, training=False), input_signature=[spec], autograph=False
    )


def outputs(
    function: Callable[[np.ndarray], tf.Tensor], split: StoredSplit, first: int | None = None
) -> np.ndarray:
    """Return what a function makes of the images of a split, or of its ``first`` few."""
    batches = itertools.islice(split.batches(BATCH), first and math.ceil(first / BATCH))
    return np.concatenate([np.asarray(function(images)) for images, _ in batches])[:first]


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor, activation: str) -> tf.Tensor:
    """Return the loss of each image ``(n,)``.

    Args:
        labels: class numbers ``(n,)``.
        logits: ``(n, classes)``.
        activation: "softmax", or "sigmoid" for the mean over independent yes-or-no questions,
            one for each class.
    """
    if activation == "softmax":
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    targets = tf.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)


def verdicts(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class that each image is taken for ``(n,)``.

    It is the right one only where its logit exceeds all others: a tie is an error, and the
    image is then taken for another of the tied classes.
    """
    images = np.arange(len(labels))
    rivals = logits.copy()
    rivals[images, labels] = -np.inf
    right = logits[images, labels] > rivals.max(axis=1)
    return np.where(right, labels, rivals.argmax(axis=1))


def evaluate(logits: np.ndarray, labels: np.ndarray, activation: str) -> dict:
    """Return the accuracy, mean loss, and numbers of errors, ties and images; ties are errors."""
    errors = int((verdicts(logits, labels) != labels).sum())
    largest = logits == logits.max(axis=1, keepdims=True)
    return {
        "accuracy": 1 - errors / len(labels),
        "loss": float(np.mean(cross_entropy(labels, logits, activation))),
        "errors": errors,
        "ties": int((largest.sum(axis=1) > 1).sum()),
        "images": len(labels),
    }


def confusion(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how often each class (row) is taken for each (column), ``(classes, classes)``."""
    counts = np.zeros((logits.shape[1],) * 2, int)
    np.add.at(counts, (labels, verdicts(logits, labels)), 1)
    return counts


def fit(
    model: keras.Model,
    epochs: Iterable[Iterable[tuple[np.ndarray, np.ndarray]]],
    *,
    optimizer: keras.optimizers.Optimizer,
    activation: str,
    inspect: Callable[[], Mapping[str, float]],
    penalty: Callable[[], tf.Tensor | float] = lambda: 0.0,
) -> dict[str, list[float]]:
    """Train a model that ends at its logits, in place, and return what was seen of each epoch.

    Args:
        epochs: for each epoch its batches of inputs and class numbers.
        activation: what would follow the logits; it sets the loss, see `cross_entropy`.
        inspect: called after each epoch; returns the numbers to note.
        penalty: what is added to the loss.
    """
    variables = model.trainable_variables
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(inputs, labels):
        with tf.GradientTape() as tape:
            logits = model(tf.cast(inputs, tf.float32), training=True)
            loss = tf.reduce_mean(cross_entropy(labels, logits, activation)) + penalty()
        optimizer.apply(tape.gradient(loss, variables), variables)

    seen = []
    for batches in epochs:
        for inputs, labels in batches:
            step(tf.constant(inputs), tf.constant(labels))
        seen.append(inspect())
    return {name: [float(values[name]) for values in seen] for name in seen[0]}


def curves(
    train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray], activation: str
) -> dict[str, float]:
    """Return the loss and accuracy of both splits, each given by its logits and its labels.

    Where the logits are of the first few images only, so many labels are taken.
    """
    noted = {}
    for name, (logits, labels) in {"train": train, "validation": validation}.items():
        result = evaluate(logits, labels[: len(logits)], activation)
        noted |= {f"{name}_loss": result["loss"], f"{name}_accuracy": result["accuracy"]}
    return noted


def image_curves(
    function: Callable[[np.ndarray], tf.Tensor], dataset: StoredDataset, activation: str
) -> dict[str, float]:
    """Return the `curves` of a function from images to logits, without dropout or variations.

    Of the training images the first few are taken, as many as there are for validation.
    """
    splits = [dataset["train"], dataset["validation"]]
    few = len(splits[1])
    return curves(*((outputs(function, s, few), s.labels) for s in splits), activation)


def report(
    model: keras.Model,
    layers: Layers,
    dataset: StoredDataset,
    logits: np.ndarray,
    *,
    recipe: Mapping,
    seed: int,
    history: Mapping[str, list[float]],
) -> dict:
    """Return what is known of a trained network, as JSON types.

    Args:
        logits: of the test images ``(n, classes)``.
        recipe: the name of the recipe and its settings.
        history: loss and accuracy on the training and validation images after each epoch.
    """
    labels = dataset["test"].labels
    shapes, numbers, products = (
        output_shapes(layers),
        parameter_counts(layers),
        multiply_adds(layers),
    )
    return {
        "class_names": list(dataset.class_names),
        "confusion": confusion(logits, labels).tolist(),
        "history": dict(history),
        "network": [
            {
                "layer": layer.name,
                "kind": layer.kind,
                "shape": list(shapes[layer.name]),
                "parameters": numbers.get(layer.name, 0),
                "multiply_adds": products.get(layer.name, 0),
            }
            for layer in layers
        ],
        "parameters": {
            "total": model.count_params(),
            "trainable": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
        },
        "recipe": dict(recipe),
        "seed": seed,
        "test": evaluate(logits, labels, layers[-1].kind),
    }
