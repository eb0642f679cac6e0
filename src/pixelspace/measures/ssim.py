"""Structural similarity of two images (Wang et al. 2004, doi:10.1109/TIP.2003.819861)."""

import numpy as np
from scipy.ndimage import gaussian_filter

SIGMA = 1.5  # of the Gaussian window, in pixels
RADIUS = 5  # where the window ends
SIDE = 2 * RADIUS + 1
K1, K2 = 0.01, 0.03


def structural_similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean structural similarity of two images, between -1 and 1; of equal ones, 1.

    It compares means, spreads and the correlation of the two in a Gaussian window around each
    pixel, with the window and the constants of the paper. Windows that leave the image are left
    out.

    Args:
        a, b: images ``(height, width)``, at least `SIDE` pixels a side, with values from 0 to 1.

    Raises:
        ValueError: if they differ in shape or are too small.
    """
    if a.shape != b.shape or a.ndim != 2 or min(a.shape) < SIDE:
        raise ValueError(f"shapes {a.shape} and {b.shape}: one of {SIDE} x {SIDE} or more expected")
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean_a, mean_b = _windowed(a), _windowed(b)
    variance_a, variance_b = _windowed(a * a) - mean_a**2, _windowed(b * b) - mean_b**2
    covariance = _windowed(a * b) - mean_a * mean_b
    c1, c2 = K1**2, K2**2
    levels = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structures = (2 * covariance + c2) / (variance_a + variance_b + c2)
    return float((levels * structures).mean())


def _windowed(image: np.ndarray) -> np.ndarray:
    """Return the weighted mean in the window around each pixel whose window is inside the image."""
    return gaussian_filter(image, SIGMA, radius=RADIUS)[RADIUS:-RADIUS, RADIUS:-RADIUS]
