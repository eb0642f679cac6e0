"""MaCo: maximization in which an image's spectrum is that of the data set, and its phases are free.

What makes a picture a picture of something is where its waves meet: their phases. How strong the
waves are is much the same in all pictures of a kind. With that held fixed, no noise pattern is in
reach, and no regularizer needed (Fel et al. 2023, arXiv:2306.06805). There the pixels pass through
a sigmoid, here they do not: the strengths are then exactly those of the data set, and some pixels
lie outside the range of its values.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph, objectives
from pixelspace.projections.checks import check_value_range
from pixelspace.projections.images import noise, recoloured
from pixelspace.projections.maximization import maximize, notes_of_stuck
from pixelspace.projections.selection import choose_units
from pixelspace.projections.transforms import standard

BATCH = 256
RATE = 0.3  # of Adam, in radians: phases go round in circles


@dataclass(frozen=True, eq=False)
class Phases:
    """Images whose numbers are the phases of waves of fixed strength; see `spectrum_of`.

    ``magnitudes`` ``(channels, height, width // 2 + 1)`` are the strengths in the colours
    ``basis`` ``(channels, channels)``, one a row; ``mean`` ``(channels,)`` is the mean colour.
    """

    shape: tuple[int, int, int]
    magnitudes: np.ndarray
    basis: np.ndarray
    mean: np.ndarray

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phases) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @functools.cached_property
    def _content(self) -> tuple:
        """What the images are made of; loops are compiled once for each."""
        arrays = (self.magnitudes, self.basis, self.mean)
        return self.shape, *((array.shape, array.tobytes()) for array in arrays)

    def start(self, numbers: Sequence[int], seed: int) -> np.ndarray:
        return np.pi * noise(numbers, seed, self.magnitudes.shape)

    def images(self, parameters: tf.Tensor) -> tf.Tensor:
        phases = odd_where_real(parameters, self.shape[1])
        waves = tf.complex(self.magnitudes * tf.cos(phases), self.magnitudes * tf.sin(phases))
        planes = tf.signal.irfft2d(waves, self.shape[:2])
        return recoloured(tf.transpose(planes, (0, 2, 3, 1)), self.basis) + self.mean


def odd_where_real(phases: tf.Tensor, width: int) -> tf.Tensor:
    """Make phases those of a real image.

    Of a real image's waves, half say all; but the first column, and for an even width the last,
    hold pairs of opposite waves, whose phases are each other's negatives.
    """
    opposite = tf.roll(tf.reverse(phases, [2]), 1, 2)
    odd = (phases - opposite) / 2
    last = [odd[..., -1:]] if width % 2 == 0 else []
    return tf.concat([odd[..., :1], phases[..., 1 : phases.shape[-1] - len(last)], *last], -1)


def spectrum_of(images: Sequence, value_range: tuple[float, float]) -> Phases:
    """Measure the mean strength of each wave in images, each colour by itself.

    The colours are the axes along which the colours of the images vary independently. All is in
    units in which black is 0 and white 1, after the mean colour is taken off.

    Args:
        images: ``(n, height, width, channels)``, an array or stored; they are read in slices.
        value_range: what black and white are.
    """
    low, high = check_value_range(value_range)
    images = images if hasattr(images, "shape") else np.asarray(images)

    if len(images.shape) != 4 or not len(images):
        raise UserError(
            f"images of shape {images.shape}: (batch, height, width, channels) is expected"
        )

    def parts() -> Iterator[np.ndarray]:
        for first in range(0, len(images), BATCH):
            yield (images[first : first + BATCH].astype(np.float64) - low) / (high - low)

    mean = sum(part.mean((1, 2)).sum(0) for part in parts()) / len(images)
    products = sum(np.einsum("nhwc,nhwd->cd", part - mean, part - mean) for part in parts())
    _, axes = np.linalg.eigh(products)
    magnitudes = sum(
        np.abs(np.fft.rfft2(np.moveaxis((part - mean) @ axes, -1, 1))).sum(0) for part in parts()
    ) / len(images)
    magnitudes[:, 0, 0] = 0  # the mean colour is given by itself
    arrays = (magnitudes, axes.T, mean)
    return Phases(images.shape[1:], *(array.astype(np.float32) for array in arrays))


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 8,
    steps: int = 256,
) -> Projection:
    """Make images that excite units of a layer, with the spectrum of the training images.

    Args:
        units: their numbers, or how many to choose at random.
    """
    units = choose_units(model, layer, units, seed)
    found = maximize(
        model,
        objectives.channel(layer, units),
        seed=seed,
        image=spectrum_of(dataset["train"].images, dataset.value_range),
        transforms=standard(graph.image_shape(model)[:2]),
        steps=steps,
        rate=RATE,
        value_range=dataset.value_range,
    )
    low, high = dataset.value_range
    outside = (found.images < low) | (found.images > high)
    about = {
        "kind": "maco",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "units": units.tolist(),
        "steps": steps,
        "share_outside": float(outside.mean()),
        "notes": notes_of_stuck(units, found.values, "unit"),
    }
    return Projection({"images": found.images, "values": found.values, "units": units}, about)
