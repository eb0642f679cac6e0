"""What each regularizer of activation maximization buys, in numbers.

What is made for a network need not mean anything to another: images that exploit one network's
weights are called fooling (Nguyen et al. 2015, arXiv:1412.1897), and what carries over to networks
with other weights lies in the data (Ilyas et al. 2019, arXiv:1905.02175). So the images of classes
are shown to judges, small networks trained from random weights on the same images.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from pixelspace.artifacts import (
    Dataset,
    Projection,
    Sample,
    Split,
    StoredDataset,
    open_dataset,
    write_dataset,
)
from pixelspace.networks.scratch import train
from pixelspace.networks.storage import describe
from pixelspace.projections import graph, objectives
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.transforms import standard, transformed
from pixelspace.seeds import derive

FINE = 0.25
"""Cycles in a pixel above which a wave is fine: half of what the pixels can hold."""

BATCH = 64
SAMPLE = 512  # training images that are enough to know their spectrum by


def fine_share(images: np.ndarray) -> float:
    """Return the share of fine waves in the variance of images ``(n, h, w, c)``, on their mean.

    White noise has 1 - pi/16, an image without any variance 0.
    """
    height, width = images.shape[1:3]
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    centred = images - images.mean((1, 2), keepdims=True, dtype=np.float64)
    power = (np.abs(np.fft.fft2(centred, axes=(1, 2))) ** 2).sum(-1)
    total = power.sum((1, 2))
    return float(np.mean(power[:, frequencies > FINE].sum(1) / np.where(total > 0, total, 1)))


def share_of(values: np.ndarray, whole: np.ndarray) -> float:
    """Return the median of values ``(n,)`` as shares of others; 0 where none of those is over 0."""
    counted = whole > 0
    return float(np.median(values[counted] / whole[counted])) if counted.any() else 0.0


def of_units(outputs: np.ndarray, units: np.ndarray, *, strongest: bool) -> np.ndarray:
    """Return one unit's output for each image ``(n,)``: its strongest cell, or the mean of all.

    Args:
        outputs: of a layer, ``(n, units)`` or ``(n, rows, columns, units)``.
        units: the number of each image's unit.
    """
    cells = outputs.reshape(len(outputs), -1, outputs.shape[-1])
    own = cells[np.arange(len(cells)), :, units]
    return own.max(1) if strongest else own.mean(1)


def spread(outputs: np.ndarray, group: int) -> float:
    """Return how unlike the images of a group are, on the mean over all groups.

    One minus the cosine of the Gram matrices of a layer's channels, see `objectives.diversity`.

    Args:
        outputs: of the layer, ``(n, rows, columns, units)``; each ``group`` images are a group.
    """
    empty = np.zeros((1, 1), np.float32)
    scores = objectives.score("diversity", group, tf.constant(outputs), empty, empty)
    return 1 + float(np.mean(scores))


def shrunk(images: np.ndarray, size: int) -> np.ndarray:
    """Return images ``(n, h, w, c)`` at ``size`` x ``size`` pixels, as float32."""
    return tf.image.resize(images, (size, size), antialias=True).numpy()


def _shrunk_dataset(dataset: StoredDataset, size: int) -> Dataset:
    def samples(split):
        for images, labels in dataset[split].batches(BATCH):
            for image, label in zip(shrunk(images, size), labels, strict=True):
                yield Sample(image, int(label), "")

    splits = {
        split: Split(len(dataset[split]), (size, size, dataset.image_shape[-1]), samples(split))
        for split in ("train", "validation", "test")
    }
    return Dataset(dataset.class_names, dataset.value_range, "float32", splits)


def trained_judges(
    dataset: StoredDataset, *, seed: int, count: int, size: int, cnn: Mapping, scratch: Mapping
) -> list[tuple[keras.Model, float]]:
    """Train small networks from random weights, each from a seed of its own, on shrunk images.

    Args:
        cnn, scratch: what `networks.cnn` and `networks.scratch` take.

    Returns:
        Each with its accuracy on the test images.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset.h5"
        write_dataset(path, _shrunk_dataset(dataset, size))
        with open_dataset(path) as small:
            layers = describe(small, "cnn", **cnn)
            trained = [
                train(layers, small, seed=derive(seed, "judges", "training", number), **scratch)
                for number in range(count)
            ]
    return [(judge.model, judge.report["test"]["accuracy"]) for judge in trained]


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    projection: Projection,
    draws: int,
    judges: Mapping,
) -> dict[str, float]:
    """Return numbers of each row of images of a projection of kind `parametrizations`.

    Of units, on the median over them: ``_reach``, the activation as a share of that of the best
    test patch, and ``_kept``, the share of it that is left after random changes as in training, on
    the mean over ``draws`` of these; and ``_fine``, see `fine_share`. Of classes, on the mean over
    the images: ``_certainty``, the probability of its class in the network that an image was made
    for, ``_judged``, the same in the ``judges`` (see `trained_judges`), ``_agreed``, the share of
    images that judges take for their class, and ``_spread``, see `spread`.
    """
    trained = trained_judges(dataset, seed=seed, **judges)
    accuracies = [accuracy for _, accuracy in trained]
    shown = projection.arrays["natural_classes"]
    return {
        "units": len(projection.arrays["numbers"]),
        "class_images": int(np.prod(shown.shape[:2])),
        "judges_accuracy": float(np.mean(accuracies)),
        **_of_units(model, dataset, projection, seed, draws),
        **_of_classes(model, projection, [judge for judge, _ in trained]),
    }


def _of_units(
    model: keras.Model, dataset: StoredDataset, projection: Projection, seed: int, draws: int
) -> dict[str, float]:
    arrays, about = projection.arrays, projection.about
    train = dataset["train"].images
    some = np.linspace(0, len(train) - 1, min(len(train), SAMPLE)).astype(int)
    natural = arrays["natural_unit_values"]
    numbers = {"natural_fine": fine_share(np.stack([train[i] for i in some]))}
    rows = {"natural": (arrays["natural_units"], natural)}
    made = zip(about["of_units"], arrays["units"], arrays["unit_values"], strict=True)
    for way, images, values in made:
        rows[way] = (images, values)
        numbers[f"{way}_reach"] = share_of(values, natural)
        numbers[f"{way}_fine"] = fine_share(images)
    low, high = dataset.value_range
    for way, (images, values) in rows.items():
        left = []
        for draw in range(draws):
            inside = tf.constant((images - low) / (high - low), tf.float32)
            changed = transformed(
                inside, standard(images.shape[1:3]), tf.constant((seed % 2**31, draw))
            )
            outputs = layer_outputs(model, low + (high - low) * changed.numpy(), [about["layer"]])
            left.append(
                of_units(outputs[about["layer"]], arrays["numbers"], strongest=way == "natural")
            )
        numbers[f"{way}_kept"] = share_of(np.mean(left, 0), values)
    return numbers


def _of_classes(
    model: keras.Model, projection: Projection, judges: Sequence[keras.Model]
) -> dict[str, float]:
    arrays, about = projection.arrays, projection.about
    rows = {"natural": arrays["natural_classes"]}
    rows |= dict(zip(about["of_classes"], arrays["classes"], strict=True))
    numbers = {}
    for way, groups in rows.items():
        classes, starts = groups.shape[:2]
        labels = np.repeat(np.arange(classes), starts)
        images = groups.reshape(-1, *groups.shape[2:])
        outputs = layer_outputs(model, images, [graph.LOGITS, about["layer"]])
        own = softmax(outputs[graph.LOGITS], axis=-1)
        sizes = [graph.sized_image_shape(judge)[0] for judge in judges]
        said = np.stack(
            [
                softmax(
                    layer_outputs(judge, shrunk(images, size), [graph.LOGITS])[graph.LOGITS],
                    axis=-1,
                )
                for judge, size in zip(judges, sizes, strict=True)
            ]
        )
        each = np.arange(len(labels))
        numbers |= {
            f"{way}_certainty": float(own[each, labels].mean()),
            f"{way}_judged": float(said[:, each, labels].mean()),
            f"{way}_agreed": float((said.argmax(-1) == labels).mean()),
            f"{way}_spread": spread(outputs[about["layer"]], starts),
        }
    return numbers
