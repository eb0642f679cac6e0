"""Where a map points: how well it agrees with a mask of the place where it should.

A map holds for each pixel what it matters, 0 or more. Pixels of one value are as good as each
other, so that every measure is its expectation over the orders that they might be put in. The
chance level of a measure is what it is on average for a map that knows nothing of the mask; a map
of one value throughout has exactly that.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import hypergeom


def pointing(values: np.ndarray, mask: np.ndarray) -> float:
    """Tell whether the largest value of a map lies in the mask, 1 or 0; of several, their share.

    The pointing game (Zhang et al. 2018, arXiv:1608.00507), without a margin around the mask. By
    chance it is the mask's share of the image.

    Args:
        values: the map ``(height, width)``, 0 or more.
        mask: ``(height, width)`` bool.

    Raises:
        ValueError: if the mask is empty or of another shape, or a value is below 0 or not finite.
    """
    _check(values, mask)
    return float(mask[values == values.max()].mean())


def energy(values: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of a map's sum that lies in the mask; see `pointing`.

    The energy-based pointing game (Wang et al. 2020, arXiv:1910.01279). By chance it is the mask's
    share of the image.
    """
    _check(values, mask)
    weights = values / (values.max() or 1)  # whose sum can be neither 0 nor infinite
    total = weights.sum(dtype=np.float64)
    return float(weights[mask].sum(dtype=np.float64) / total) if total else float(mask.mean())


def overlap(values: np.ndarray, mask: np.ndarray) -> float:
    """Return the intersection over union of the mask and as many of the map's largest pixels.

    See `pointing`. Where more pixels have the value of the last place than there is room for, how
    many of them lie in the mask is distributed hypergeometrically. By chance all of it is.
    """
    _check(values, mask)
    size = int(mask.sum())
    last = np.partition(values, -size, axis=None)[-size]
    sure, tied = values > last, values == last
    room = size - int(sure.sum())
    inside = int(mask[tied].sum())
    counts = np.arange(min(room, inside) + 1)
    shares = hypergeom.pmf(counts, int(tied.sum()), inside, room)
    common = int(mask[sure].sum()) + counts
    return float((shares * common / (2 * size - common)).sum())


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "pointing": pointing,
    "energy": energy,
    "iou": overlap,
}


def chance(measure: str, mask: np.ndarray) -> float:
    """Return the chance level of one of `MEASURES` for a mask."""
    return MEASURES[measure](np.zeros(mask.shape), mask)


def _check(values: np.ndarray, mask: np.ndarray) -> None:
    if values.shape != mask.shape or mask.dtype != bool or not mask.any():
        raise ValueError("a mask that is not empty is expected, of the map's shape")
    if not np.isfinite(values).all() or values.min() < 0:
        raise ValueError("a map of finite values is expected, none of them below 0")
