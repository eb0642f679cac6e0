"""Training a convolutional network from random weights, on shifted copies of the images."""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pixelspace.artifacts import StoredDataset
from pixelspace.networks import training
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layers
from pixelspace.runtime import seed_tensorflow


def train(
    layers: Layers,
    dataset: StoredDataset,
    *,
    seed: int,
    epochs: int = 5,
    batch: int = 64,
    learning_rate: float = 0.005,
    shift: int = 1,
    flip: bool = False,
) -> training.Trained:
    """Train with Adam, its rate falling from ``learning_rate`` to 0 along a cosine.

    Args:
        shift: each time an image is used it is moved by up to so many pixels, in each direction;
            the border repeats.
        flip: also mirror it left to right, one time in two.
    """
    seed_tensorflow(seed)
    stream = np.random.default_rng(seed)
    model = build(layers)
    until_logits = logits_model(model)
    forward = training.compiled(until_logits)
    activation = layers[-1].kind
    images, labels = training.rows(dataset["train"].images), dataset["train"].labels

    def epoch() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for chosen, classes in training.shuffled_batches(images, labels, batch, stream):
            yield varied(chosen, stream, shift=shift, flip=flip), classes

    history = training.fit(
        until_logits,
        (epoch() for _ in range(epochs)),
        optimizer=training.cosine_adam(learning_rate, epochs, len(labels), batch),
        activation=activation,
        inspect=lambda: training.image_curves(forward, dataset, activation),
    )
    settings = {
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "shift": shift,
        "flip": flip,
    }
    report = training.report(
        model,
        layers,
        dataset,
        training.outputs(forward, dataset["test"]),
        recipe={"name": "scratch", **settings},
        seed=seed,
        history=history,
    )
    return training.Trained(model, report)


def varied(
    images: np.ndarray, stream: np.random.Generator, *, shift: int, flip: bool
) -> np.ndarray:
    """Return each image ``(n, height, width, channels)`` moved at random, and perhaps mirrored."""
    count, height, width, _ = images.shape
    if shift:
        border = ((0, 0), (shift, shift), (shift, shift), (0, 0))
        padded = np.pad(images, border, mode="edge")
        windows = sliding_window_view(padded, (height, width), axis=(1, 2))
        top, left = stream.integers(0, 2 * shift + 1, (2, count))
        images = np.moveaxis(windows[np.arange(count), top, left], 1, -1)
    if flip:
        mirrored = stream.random(count) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    return images
