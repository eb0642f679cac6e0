"""A layout in two dimensions that keeps neighbours: t-SNE, exact, for a few thousand vectors.

After van der Maaten and Hinton (2008, JMLR 9, 2579-2605).
"""

import numpy as np

STEPS = 500
EXAGGERATED = 125  # steps with the attraction stronger, in which clusters find together
EXAGGERATION = 12.0


def layout(vectors: np.ndarray, perplexity: float = 30.0) -> np.ndarray:
    """Return places ``(n, 2)`` of vectors ``(n, d)``; near vectors are near each other.

    It starts from the two principal components and has no random part.
    """
    count = len(vectors)
    joint = _joint(_squared_distances(vectors), min(perplexity, (count - 1) / 3))
    places = _principal(vectors) * 1e-2
    velocity = np.zeros_like(places)
    gains = np.ones_like(places)
    rate = max(count / EXAGGERATION, 50.0)
    for step in range(STEPS):
        early = step < EXAGGERATED
        slope = _slope(places, joint * (EXAGGERATION if early else 1.0))
        gains = np.maximum(np.where(slope * velocity < 0, gains + 0.2, gains * 0.8), 0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * slope
        places = places + velocity
        places -= places.mean(0)
    return places


def _squared_distances(vectors: np.ndarray) -> np.ndarray:
    squares = (vectors**2).sum(1)
    return np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0)


def _principal(vectors: np.ndarray) -> np.ndarray:
    """Return the first two principal components, scaled to a standard deviation of 1 at most."""
    centred = vectors - vectors.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    found = centred @ axes.T
    return found / found.std()


def _joint(distances: np.ndarray, perplexity: float) -> np.ndarray:
    """Return the probabilities ``(n, n)``, 1 in all, that two vectors are neighbours.

    Each vector has a Gaussian as wide as gives it ``perplexity`` neighbours, found by halving.
    """
    count = len(distances)
    others = ~np.eye(count, dtype=bool)
    scaled = distances / distances[others].mean()
    low, high = np.full((count, 1), 1e-4), np.full((count, 1), 1e6)
    for _ in range(50):
        middle = np.sqrt(low * high)
        own = _neighbours(scaled, middle, others)
        entropy = -(own * np.log(np.maximum(own, 1e-30))).sum(1, keepdims=True)
        too_wide = entropy > np.log(perplexity)
        low, high = np.where(too_wide, middle, low), np.where(too_wide, high, middle)
    return ((own + own.T) / (2 * count)).astype(np.float32)


def _neighbours(distances: np.ndarray, precision: np.ndarray, others: np.ndarray) -> np.ndarray:
    exponents = np.where(others, -distances * precision, -np.inf)
    weights = np.exp(exponents - exponents.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def _slope(places: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Return the slope ``(n, 2)`` of the divergence between the neighbourhoods."""
    nearness = 1 / (1 + _squared_distances(places))
    np.fill_diagonal(nearness, 0)
    pulls = (joint - nearness / nearness.sum()) * nearness
    return 4 * (pulls.sum(1)[:, None] * places - pulls @ places)
