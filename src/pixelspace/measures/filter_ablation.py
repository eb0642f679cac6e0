"""What a convolutional layer loses with each of its filters.

Zeiler and Fergus (2014) read a network's faults off its projected features and redesigned it;
ablation measures how much of the work a filter does. A filter is removed by setting its kernel and
its bias to zero, without further training.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import spearmanr

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.networks import training
from pixelspace.networks.build import logits_model


def largest_cosines(kernels: np.ndarray) -> np.ndarray:
    """Return for each filter its largest cosine with another one, from kernels ``(..., filters)``.

    A filter of zeros has cosine 0 with every other.
    """
    flat = kernels.reshape(-1, kernels.shape[-1]).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=0)
    unit = flat / np.where(lengths > 0, lengths, 1)
    cosines = unit.T @ unit
    np.fill_diagonal(cosines, -1)
    return cosines.max(axis=1)


def accuracy(logits: Callable[[np.ndarray], tf.Tensor], split: StoredSplit) -> float:
    """Return the share of a split's images whose largest logit is the right one."""
    return float((training.outputs(logits, split).argmax(axis=1) == split.labels).mean())


def measure(
    model: keras.Model, dataset: StoredDataset, *, seed: int, layers: Sequence[str]
) -> dict[str, float]:
    """Remove each filter of ``layers`` in turn and return what the validation accuracy loses.

    Numbers begin with the layer's name. ``rank_correlation`` is Spearman's, between a filter's
    Euclidean norm and its loss.
    """
    return {
        f"{layer}_{name}": value
        for layer in layers
        for name, value in _of_layer(model, dataset, layer).items()
    }


def _of_layer(model: keras.Model, dataset: StoredDataset, layer: str) -> dict[str, float]:
    convolution = model.get_layer(layer)
    kernel, bias = convolution.get_weights()
    logits = training.compiled(logits_model(model))
    whole = accuracy(logits, dataset["validation"])
    losses = []
    for unit in range(kernel.shape[-1]):
        without, shift = kernel.copy(), bias.copy()
        without[..., unit], shift[unit] = 0, 0
        convolution.set_weights([without, shift])
        losses.append(whole - accuracy(logits, dataset["validation"]))
    convolution.set_weights([kernel, bias])
    norms = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0)
    cosines = largest_cosines(kernel)
    return {
        "filters": kernel.shape[-1],
        "accuracy": whole,
        "largest_loss": max(losses),
        "smallest_loss": min(losses),
        "median_loss": float(np.median(losses)),
        "filters_lossless": sum(loss <= 0 for loss in losses),
        "largest_cosine": float(cosines.max()),
        "rank_correlation": float(spearmanr(norms, losses).statistic),
    }
