"""Whether a method's maps depend on what the network has learned, and on what is asked of it.

Three questions of each method: are its maps like those for a network whose weights were drawn anew
(Adebayo et al. 2018, arXiv:1810.03292); like those for a class that the image is not of; like the
image itself (Nie et al. 2018, arXiv:1805.07039)?
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from pixelspace.artifacts import StoredDataset
from pixelspace.measures import intervals
from pixelspace.measures.correlations import correlation, rank_correlation
from pixelspace.measures.ssim import structural_similarity
from pixelspace.projections.attribution import Settings
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.graph import LOGITS
from pixelspace.projections.randomized import (
    cascade,
    depths,
    explained,
    from_the_top,
    twin,
    untrained,
)
from pixelspace.projections.selection import choose_images

Comparison = Callable[[np.ndarray, np.ndarray], float]


def similarity_of_sizes(a: np.ndarray, b: np.ndarray) -> float:
    """Return the structural similarity of the absolute values of two maps ``(height, width)``.

    Each is divided by its largest value; it is between -1 and 1.
    """
    return structural_similarity(_scaled(np.abs(a)), _scaled(np.abs(b)))


def _scaled(sizes: np.ndarray) -> np.ndarray:
    largest = sizes.max()
    return sizes / largest if largest else sizes


SIMILARITIES: dict[str, Comparison] = {
    "spearman": rank_correlation,
    "ssim": similarity_of_sizes,
}


def of_pairs(compare: Comparison, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return ``compare`` of each map ``(n, height, width)`` with the one in its place."""
    return np.array([compare(a, b) for a, b in zip(some, others, strict=True)])


def with_interval(name: str, values: np.ndarray, seed: int) -> dict[str, float]:
    """Return the mean of values ``(n,)`` as ``name``, and its interval."""
    low, high = intervals.of_mean(values, seed=seed)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    methods: Sequence[str],
    images: int | Sequence[int] = 100,
    draws: int = 3,
    steps: int = 10,
    samples: int = 10,
) -> dict[str, float]:
    """Compare the maps of some methods, summed over the channels, for some test images.

    Numbers are means over the images, with the bounds of their interval (``_low``, ``_high``).
    They begin with the method's name:

    - ``spearman_STAGE`` and ``ssim_STAGE``, for each of `randomized.STAGES`: how alike are the
      maps of the predicted logit by the network and by the one with random weights; the rank
      correlation of signed maps, and the structural similarity of absolute values. Both are 1 for
      the same maps; the former is 0 on average for unrelated ones.
    - ``across_logits``: Pearson's correlation of the map of the predicted logit with that of the
      smallest.
    - ``with_input``: Pearson's correlation of the map of the predicted logit with the image.
    - ``blank``, without an interval: the share of the maps of the smallest logit that are zero
      everywhere. Their correlation counts as 0.

    The controls know nothing of any network, and no two of their maps are alike: ``noise``, and
    ``noise_times_input``. Besides there are the number of ``images``, the ``confidence`` of the
    intervals, the number of ``layers`` with weights, and at each stage of those drawn anew.

    Args:
        methods: names of `attribution.METHODS`.
        images: numbers of test images, or how many to choose at random.
        draws: of random weights; an image counts with its mean over these.
        steps, samples: of integrated gradients and of SmoothGrad.

    Raises:
        UserError: if there is no such image.
    """
    _, pixels = choose_images(dataset["test"], images, seed)
    network = twin(model)
    logits = layer_outputs(network, pixels, [LOGITS])[LOGITS]
    predicted, unlikely = logits.argmax(1), logits.argmin(1)
    settings = Settings(seed, dataset.value_range, steps=steps, samples=samples)

    def maps(method: str, classes: np.ndarray) -> np.ndarray:
        return explained(method, settings, network, pixels, classes).sum(-1)

    plane = pixels.sum(-1)
    trained = {method: maps(method, predicted) for method in methods}
    other = {method: maps(method, unlikely) for method in methods}
    values = {}
    for method in methods:
        values[f"{method}_across_logits"] = of_pairs(correlation, trained[method], other[method])
        values[f"{method}_with_input"] = of_pairs(correlation, trained[method], plane)
    compared: dict[str, list[np.ndarray]] = {}
    for own_seed in np.random.default_rng(seed).integers(2**32, size=draws):
        for stage in cascade(model, network, untrained(model, int(own_seed))):
            for method in methods:
                random = maps(method, predicted)
                for name, compare in SIMILARITIES.items():
                    found = of_pairs(compare, trained[method], random)
                    compared.setdefault(f"{method}_{name}_{stage}", []).append(found)
    values |= {name: np.mean(found, axis=0) for name, found in compared.items()}
    layers = len(from_the_top(model))
    numbers = {"images": len(pixels), "confidence": intervals.COVERAGE, "layers": layers}
    numbers |= {f"layers_{stage}": depth for stage, depth in depths(layers).items()}
    for method, own in other.items():
        numbers[f"{method}_blank"] = float((~own.any((1, 2))).mean())
    for name, own in values.items():
        numbers |= with_interval(name, own, seed)
    return numbers | controls(plane, seed)


def controls(plane: np.ndarray, seed: int) -> dict[str, float]:
    """Return how alike two maps of noise are, and two of noise times the images ``plane``."""
    one, other = np.random.default_rng(seed).standard_normal((2, *plane.shape))
    pairs = {"noise": (one, other), "noise_times_input": (one * plane, other * plane)}
    return {
        f"{control}_{name}": float(of_pairs(compare, *pair).mean())
        for control, pair in pairs.items()
        for name, compare in SIMILARITIES.items()
    }
