"""Regularizers: what an image costs. Each takes images ``(n, height, width, channels)`` from 0 to 1
and returns a number for each; they are frozen, with the weight that they count with.
"""

from dataclasses import dataclass

import tensorflow as tf

from pixelspace.projections.checks import check_number
from pixelspace.projections.dream import LEAST_SIGMA, blur


@dataclass(frozen=True)
class L2:
    """The mean square of the distance from black, or from another grey."""

    weight: float
    grey: float = 0.0

    def __post_init__(self):
        check_number(0, weight=self.weight, grey=self.grey)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        return self.weight * tf.reduce_mean((images - self.grey) ** 2, (1, 2, 3))


@dataclass(frozen=True)
class TotalVariation:
    """The mean distance of neighbouring pixels, along rows and along columns."""

    weight: float

    def __post_init__(self):
        check_number(0, weight=self.weight)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        across = tf.abs(images[:, :, 1:] - images[:, :, :-1])
        down = tf.abs(images[:, 1:] - images[:, :-1])
        return self.weight * sum(tf.reduce_mean(steps, (1, 2, 3)) for steps in (across, down))


@dataclass(frozen=True)
class Blur:
    """The mean square of what a blur of ``sigma`` pixels would take away."""

    weight: float
    sigma: float = 1.0

    def __post_init__(self):
        check_number(0, weight=self.weight)
        check_number(LEAST_SIGMA, sigma=self.sigma)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        # the blur sees black beyond the border, which is to cost nothing
        inside = blur(tf.ones_like(images[:1]), self.sigma)
        change = images - blur(images, self.sigma) / inside
        return self.weight * tf.reduce_mean(change**2, (1, 2, 3))


Regularizer = L2 | TotalVariation | Blur
