"""Many small perceptrons trained side by side, from which the best is kept.

Plain gradient descent seldom finds the code that a perceptron with two hidden nodes needs, so
that it is started many times over. The restarts share each step's images; their weights lie
along one more axis and never meet, so that all are trained in the time of a few.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.errors import UserError
from pixelspace.networks import training
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layers, unit_count
from pixelspace.runtime import seed_tensorflow

Initialization = Literal["absolute_glorot", "glorot", "he"]


@dataclass(frozen=True)
class Restarts:
    """Every network of a run; the first axis of each array is the restart.

    hidden: weights from the pixels to the hidden nodes ``(restarts, pixels, nodes)``.
    readout: weights from the nodes to the logits ``(restarts, nodes, classes)``.
    history: loss (cross-entropy) and accuracy on both splits, ``(restarts, epochs)`` each.
    validation_loss: cross-entropy plus L1 penalty at the end ``(restarts,)``.
    test_accuracy: ``(restarts,)``; ties are errors.
    """

    hidden: np.ndarray
    readout: np.ndarray
    history: dict[str, np.ndarray]
    validation_loss: np.ndarray
    test_accuracy: np.ndarray


def train(
    layers: Layers,
    dataset: StoredDataset,
    *,
    seed: int,
    restarts: int = 32,
    epochs: int = 8,
    batch: int = 64,
    learning_rate: float = 0.01,
    l1: float = 1e-3,
    initialization: Initialization = "absolute_glorot",
) -> training.Trained:
    """Train ``restarts`` perceptrons and return the one with the lowest validation loss.

    That is the cross-entropy plus the L1 penalty. Its hidden nodes are put in the order of
    `fitting_order`. Settings: see `train_all`.
    """
    settings = {
        "restarts": restarts,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "l1": l1,
        "initialization": initialization,
    }
    found = train_all(dataset, seed=seed, nodes=unit_count(layers, "hidden"), **settings)
    best = int(np.nan_to_num(found.validation_loss, nan=np.inf).argmin())
    if not np.isfinite(found.hidden[best]).all():
        raise UserError("training diverged: no weights are left; a lower learning_rate may help")
    images, labels = _flat(dataset["train"])
    order = fitting_order(found.hidden[best], _class_means(images, labels))
    model = build(layers)
    model.get_layer("hidden").set_weights([found.hidden[best][:, order]])
    model.get_layer("logits").set_weights([found.readout[best][order]])
    report = training.report(
        model,
        layers,
        dataset,
        training.outputs(training.compiled(logits_model(model)), dataset["test"]),
        recipe={"name": "restarts", **settings},
        seed=seed,
        history={name: values[best].tolist() for name, values in found.history.items()},
    )
    report |= {"restarts": found.validation_loss.tolist(), "selected": best}
    return training.Trained(model, report)


def train_all(
    dataset: StoredDataset,
    *,
    seed: int,
    nodes: int,
    restarts: int,
    epochs: int,
    batch: int,
    learning_rate: float,
    l1: float,
    initialization: Initialization,
    own_orders: bool = False,
) -> Restarts:
    """Train perceptrons side by side and return all of them.

    Args:
        nodes: hidden nodes of each.
        epochs: passes over the training images; after none, the networks are as they started.
        learning_rate: of Adam.
        l1: weight of the sum of the absolute hidden weights in the loss.
        initialization: of the hidden weights: Glorot and Bengio's uniform distribution, its
            absolute values, or He et al.'s uniform distribution. The readout starts from
            Glorot's.
        own_orders: whether each network sees the images in an order of its own, so that its
            fate is independent of the others'; otherwise all share one, which is faster.
    """
    seed_tensorflow(seed)
    stream = np.random.default_rng(seed)
    images, labels = _flat(dataset["train"])
    validation = _flat(dataset["validation"])
    seen = {"train": _flat(dataset["train"], len(dataset["validation"])), "validation": validation}
    classes = len(dataset.class_names)
    state = _start(
        _initial(stream, (restarts, images.shape[1], nodes), initialization),
        _initial(stream, (restarts, nodes, classes), "glorot"),
    )
    batch = min(batch, len(labels))
    used = len(labels) // batch * batch
    history = {f"{name}_{what}": [] for name in seen for what in ("loss", "accuracy")}
    for _ in range(epochs):
        if own_orders:
            orders = stream.permuted(np.tile(np.arange(len(labels)), (restarts, 1)), axis=1)
            order = orders[:, :used].reshape(restarts, -1, batch).swapaxes(0, 1)
        else:
            order = stream.permutation(len(labels))[:used].reshape(-1, batch)
        state = _epoch(images, labels, order, state, np.float32(learning_rate), np.float32(l1))
        for name, split in seen.items():
            loss, accuracy = _evaluate(*split, state.weights)
            history[f"{name}_loss"].append(loss)
            history[f"{name}_accuracy"].append(accuracy)
    hidden, readout = (weights.numpy() for weights in state.weights)
    validation_loss, _ = _evaluate(*validation, state.weights)
    penalty = l1 * np.abs(hidden).sum(axis=(1, 2))
    return Restarts(
        hidden=hidden,
        readout=readout,
        history={
            name: np.reshape(values, (epochs, restarts)).T for name, values in history.items()
        },
        validation_loss=validation_loss + penalty,
        test_accuracy=_evaluate(*_flat(dataset["test"]), state.weights)[1],
    )


def _flat(split: StoredSplit, first: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the images ``(n, pixels)`` of a split, or its ``first`` few, and their labels."""
    images = split.images[:first].astype(np.float32)
    return images.reshape(len(images), -1), split.labels[:first]


def _initial(
    stream: np.random.Generator, shape: tuple[int, int, int], initialization: Initialization
) -> np.ndarray:
    """Draw weights ``(restarts, inputs, outputs)``."""
    _, inputs, outputs = shape
    limit = np.sqrt(6 / inputs) if initialization == "he" else np.sqrt(6 / (inputs + outputs))
    weights = stream.uniform(-limit, limit, shape).astype(np.float32)
    return np.abs(weights) if initialization == "absolute_glorot" else weights


class _State(NamedTuple):
    """Weights, hidden and readout, and the running moments of their gradients."""

    weights: tuple[tf.Tensor, tf.Tensor]
    means: tuple[tf.Tensor, tf.Tensor]
    squares: tuple[tf.Tensor, tf.Tensor]
    steps: tf.Tensor


def _start(hidden: np.ndarray, readout: np.ndarray) -> _State:
    weights = (tf.constant(hidden), tf.constant(readout))
    zeros = tuple(map(tf.zeros_like, weights))
    return _State(weights, zeros, zeros, tf.constant(0.0))


@tf.function
def _epoch(images, labels, order, state: _State, learning_rate, l1) -> _State:
    """Take a step for each row of image numbers in ``order``: one graph serves every run.

    A step's numbers are ``(batch,)``, or ``(restarts, batch)`` where each restart has its own.
    """
    for rows in order:
        step_labels = tf.gather(labels, rows)
        with tf.GradientTape() as tape:
            tape.watch(state.weights)
            logits = _logits(tf.gather(images, rows), state.weights)
            # a sum over the restarts, so that none changes the gradient of another
            loss = tf.reduce_sum(_cross_entropy(step_labels, logits))
            loss += l1 * tf.reduce_sum(tf.abs(state.weights[0]))
        state = _adam(state, tape.gradient(loss, state.weights), learning_rate)
    return state


def _adam(state: _State, gradients: tuple[tf.Tensor, tf.Tensor], learning_rate) -> _State:
    """Take one step of Adam (Kingma and Ba 2015, arXiv:1412.6980), as Keras does by default."""
    steps = state.steps + 1
    rate = learning_rate * tf.sqrt(1 - 0.999**steps) / (1 - 0.9**steps)
    means = [0.9 * mean + 0.1 * g for mean, g in zip(state.means, gradients, strict=True)]
    squares = [
        0.999 * square + 0.001 * g**2 for square, g in zip(state.squares, gradients, strict=True)
    ]
    weights = [
        weight - rate * mean / (tf.sqrt(square) + 1e-7)
        for weight, mean, square in zip(state.weights, means, squares, strict=True)
    ]
    return _State(tuple(weights), tuple(means), tuple(squares), steps)


def _logits(images: tf.Tensor, weights: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """Return the logits of all restarts ``(restarts, images, classes)``.

    The images are ``(images, pixels)``, or ``(restarts, images, pixels)``.
    """
    hidden, readout = weights
    axes = "ip" if images.ndim == 2 else "rip"
    activations = tf.nn.relu(tf.einsum(f"{axes},rpn->rin", images, hidden))
    return tf.einsum("rin,rnc->ric", activations, readout)


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the mean loss of each restart ``(restarts,)``; labels are shared, or its own."""
    labels = tf.broadcast_to(labels, tf.shape(logits)[:2])
    return tf.reduce_mean(training.cross_entropy(labels, logits, "softmax"), axis=1)


def _evaluate(
    images: np.ndarray, labels: np.ndarray, weights: tuple[tf.Tensor, tf.Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss and the accuracy of each restart, ``(restarts,)`` both."""
    logits = _logits(images, weights)
    right = [(training.verdicts(each, labels) == labels).mean() for each in logits.numpy()]
    return _cross_entropy(labels, logits).numpy(), np.array(right)


def _class_means(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([images[labels == label].mean(axis=0) for label in np.unique(labels)])


def fitting_order(hidden: np.ndarray, class_means: np.ndarray) -> np.ndarray:
    """Return the order in which hidden nodes best fit what the first class has over the others.

    The first node is the one for the first class less the second (of the letters E, F and L:
    the leg), the next for the first less the third (the arms), and so on; of all such
    assignments, the one with the largest sum of cosines. Nodes left over come last.

    Args:
        hidden: weights ``(pixels, nodes)``; only their positive part is looked at.
        class_means: mean image of each class ``(classes, pixels)``.
    """
    differences = class_means[0] - class_means[1:]
    fit = _unit(differences) @ _unit(np.maximum(hidden, 0).T).T
    _, nodes = linear_sum_assignment(fit, maximize=True)
    others = np.setdiff1d(np.arange(hidden.shape[1]), nodes)
    return np.concatenate([nodes, others])


def _unit(rows: np.ndarray) -> np.ndarray:
    """Divide each row by its length; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)
