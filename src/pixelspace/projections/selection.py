"""Which units and images a projection shows, and how it names them."""

from collections.abc import Sequence

import keras
import numpy as np

from pixelspace.artifacts import StoredSplit
from pixelspace.errors import UserError
from pixelspace.projections import graph


def choose_units(
    model: keras.Model, layer: str, units: int | Sequence[int], seed: int
) -> np.ndarray:
    """Return unit numbers of a layer: as given, or a count of them chosen at random, rising.

    Asking for as many as there are, or more, gives all.

    Raises:
        UserError: if a number given is out of range.
    """
    total = graph.shape(model, layer)[-1]
    if isinstance(units, int):
        return at_random(np.arange(total), units, seed)
    graph.check_units(model, layer, units)
    return np.array(units, np.int64)


def choose_images(
    split: StoredSplit, images: int | Sequence[int], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of images of a split, as `choose_units` does, and the images as float32.

    Raises:
        UserError: if a number given is out of range.
    """
    if isinstance(images, int):
        numbers = at_random(np.arange(len(split)), images, seed)
    else:
        numbers = np.array(images, np.int64)
    for number in numbers:
        if not 0 <= number < len(split):
            raise UserError(f"image {number}: the images are numbered 0 to {len(split) - 1}")
    return numbers, np.stack([split.images[i].astype(np.float32) for i in numbers])


def at_random(numbers: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return a count of numbers chosen at random, rising; all if there are no more than that."""
    count = min(count, len(numbers))
    chosen = np.random.default_rng(seed).choice(numbers, count, replace=False)
    return np.sort(chosen)


def listed(numbers: np.ndarray, what: str = "unit") -> str:
    """Return numbers of units, or of something else, as words: ``unit 3`` or ``units 3, 5``."""
    return f"{what}{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
