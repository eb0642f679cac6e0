"""Deletion and insertion: what a class loses and gains with the pixels that a map ranks first.

After Petsiuk et al. (2018, arXiv:1806.07421). The pixels of an image are replaced by those of a
baseline, the most important ones first, and the score of the class is taken at equal steps. The
faster it falls, the smaller the area below the curve of deletion. Insertion starts from another
baseline and puts the image's pixels back; the faster the score rises, the larger the area.
"""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

BLUR_SHARE = 1 / 16


def blurred(images: np.ndarray) -> np.ndarray:
    """Return images ``(n, height, width, channels)`` from which what is small has gone.

    The standard deviation of the blur is a sixteenth of the image. Insertion starts here, as in
    the original: an image that appears piece by piece on an even grey shows edges that it does not
    have.
    """
    spread = [BLUR_SHARE * length for length in images.shape[1:3]]
    return gaussian_filter(images, (0, *spread, 0), mode="nearest")


def falling_order(values: np.ndarray, *, seed: int) -> np.ndarray:
    """Return the numbers of a map's pixels ``(height * width,)``, the largest values first.

    Equal ones stand in random order, where that of the rows would draw an image from its top down.
    """
    flat = values.ravel()
    shuffled = np.random.default_rng(seed).permutation(flat.size)
    return shuffled[np.argsort(-flat[shuffled], kind="stable")]


def mixtures(start: np.ndarray, end: np.ndarray, order: np.ndarray, steps: int) -> np.ndarray:
    """Return an image on its way to another: ``(steps + 1, height, width, channels)``.

    Args:
        start, end: images ``(height, width, channels)``.
        order: numbers of pixels, in which those of ``start`` become those of ``end``.
        steps: in which this is done, each of as many pixels as the others, but for rounding.
    """
    pixels = order.size
    counts = np.linspace(0, pixels, steps + 1).astype(int)
    place = np.empty(pixels, int)
    place[order] = np.arange(pixels)
    replaced = (place < counts[:, None]).reshape(-1, *start.shape[:2], 1)
    return np.where(replaced, end, start)


def curve(
    score: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    end: np.ndarray,
    order: np.ndarray,
    steps: int,
) -> np.ndarray:
    """Return the score ``(steps + 1,)`` of an image on its way to another; see `mixtures`.

    Deletion starts at the image and ends at its baseline, insertion the other way about.

    Args:
        score: from images ``(n, height, width, channels)`` to a number for each.
    """
    return np.asarray(score(mixtures(start, end, order, steps)), np.float64)


def area(scores: np.ndarray) -> float:
    """Return the area below a curve of equal steps over a length of 1, by trapezoids."""
    return float(np.trapezoid(scores, dx=1 / (len(scores) - 1)))
