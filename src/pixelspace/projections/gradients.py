"""What the gradient says, made to say it better: times the input, under noise, along a path."""

from collections.abc import Callable

import keras
import numpy as np

from pixelspace.projections import graph
from pixelspace.projections.backward import Position, Units, backward_pass, for_each
from pixelspace.projections.checks import broadcast, check_number, check_whole
from pixelspace.projections.images import noise

BATCH = 64


def gradient_times_input(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None = None,
) -> np.ndarray:
    """Return each pixel's share in a unit as far as it is linear: its gradient times its value.

    Without biases and with plain rectifiers, the shares add up to the unit (Shrikumar et al. 2016,
    arXiv:1605.01713). See `backward.backward_pass` for the arguments.
    """
    found, _ = backward_pass(model, images, layer, unit, position, policy="gradient")
    return found * graph.as_batch(model, images)


def _mean_gradient(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None,
    variants: Callable[[int], np.ndarray],
    weights: np.ndarray,
) -> np.ndarray:
    """Return the weighted sum of the gradients at ``variants(number of an image)``."""
    units, positions = for_each(model, layer, unit, position, len(images))
    means = []
    for number, own in enumerate(units):
        at = None if position is None else positions[number]
        found, _ = backward_pass(
            model, variants(number), layer, int(own), at, policy="gradient", batch=BATCH
        )
        means.append(np.tensordot(weights, found, 1))
    return np.stack(means).astype(images.dtype)


def smooth_grad(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None = None,
    *,
    seed: int,
    samples: int = 50,
    spread: float = 0.15,
) -> np.ndarray:
    """Return the mean gradient at noisy copies of each image.

    As SmoothGrad does (Smilkov et al. 2017, arXiv:1706.03825).

    Args:
        samples: copies of each image; the noise is the same for all images.
        spread: standard deviation of the noise, as a share of the image's own range of values.

    Raises:
        UserError: if there are no samples; and as `backward.backward_pass` does.
    """
    check_whole(1, samples=samples)
    check_whole(0, seed=seed)
    check_number(0, spread=spread)
    images = graph.as_batch(model, images)

    def variants(number: int) -> np.ndarray:
        image = images[number]
        return image + spread * np.ptp(image) * noise(range(samples), seed, image.shape)

    weights = np.full(samples, 1 / samples)
    return _mean_gradient(model, images, layer, unit, position, variants, weights)


def integrated_gradients(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None = None,
    *,
    baseline: np.ndarray | float = 0.0,
    steps: int = 50,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each pixel's share in what a unit gains from a baseline to each image.

    The gradient is averaged along the straight path between them, at Gauss-Legendre points, and
    multiplied by their difference (Sundararajan et al. 2017, arXiv:1703.01365).

    Args:
        baseline: an image, or its one value; black where that is 0.
        steps: points on the path.

    Returns:
        The shares, of the shape of ``images``, and the gap ``(n,)`` between their sum and the
        gain, which is 0 but for the finite number of steps (completeness).

    Raises:
        UserError: if there are no steps, or the baseline does not fit the images; and as
            `backward.backward_pass` does.
    """
    check_whole(1, steps=steps)
    images = graph.as_batch(model, images)
    start = broadcast("baseline", baseline, images.shape, images.dtype)
    points, weights = np.polynomial.legendre.leggauss(steps)
    along = ((1 + points) / 2).astype(images.dtype)[:, None, None, None]

    def variants(number: int) -> np.ndarray:
        return start[number] + along * (images[number] - start[number])

    mean = _mean_gradient(model, images, layer, unit, position, variants, weights / 2)
    shares = mean * (images - start)
    _, last = backward_pass(model, images, layer, unit, position, policy="gradient")
    _, first = backward_pass(model, start, layer, unit, position, policy="gradient")
    return shares, shares.sum((1, 2, 3)) - (last - first)
