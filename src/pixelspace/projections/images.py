"""Parametrizations: an image as a function of numbers that an optimizer can change freely.

Each has ``start(numbers of the images, seed)``, the first parameters, and ``images(parameters)``,
``(n, height, width, channels)`` between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections.checks import check_image_shape, check_number

START = 0.3  # of the first parameters, their spread: with less, closed rectifiers may stay closed
GREY = (0.5,)
SAMPLE = 512  # images that are enough to know their mean colour by
EXTREME = 0.02  # the nearest that a mean is taken to be to black or white

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""Red, green and blue (rows) of three uncorrelated directions (columns) of natural colours.

A square root of the covariance of ImageNet's colours, as measured for lucid (Olah, Mordvintsev
and Schubert 2017, doi:10.23915/distill.00007). Close to brightness, blue to yellow and green to
magenta; neither orthogonal nor of one length: the first is the longest because colours of
photographs differ most in brightness.
"""


def noise(numbers: Sequence[int], seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return normal noise ``(n, *shape)``, for each image by its number and none of the others."""
    generators = [np.random.default_rng([seed, number]) for number in numbers]
    return np.stack([generator.standard_normal(shape, np.float32) for generator in generators])


def mean_colour(images: Sequence, value_range: tuple[float, float]) -> tuple[float, ...]:
    """Return the mean of each channel of images ``(n, height, width, channels)``.

    The images, an array or stored, are sampled evenly. Black is 0 and white 1.
    """
    low, high = value_range
    numbers = np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).astype(int)
    mean = np.mean([images[i].mean((0, 1)) for i in numbers], axis=0)
    return tuple(float(value) for value in (mean - low) / (high - low))


@dataclass(frozen=True)
class _Squashed:
    """Images whose pixels pass through a sigmoid.

    ``mean`` is the colour of the first image, from 0 to 1, of all channels or of each.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...] = GREY

    def __post_init__(self):
        check_image_shape(self.shape)
        if np.shape(self.mean) not in ((), (1,), self.shape[-1:]):
            raise UserError(f"mean {self.mean}: one value, or {self.shape[-1]}, are expected")
        object.__setattr__(self, "mean", tuple(map(float, np.ravel(self.mean))))
        if not all(0 <= value <= 1 for value in self.mean):
            raise UserError(f"mean {self.mean}: from 0, black, to 1, white, is expected")

    def squashed(self, pixels: tf.Tensor) -> tf.Tensor:
        mean = np.clip(self.mean, EXTREME, 1 - EXTREME).astype(np.float32)
        return tf.sigmoid(pixels + np.log(mean / (1 - mean)))


@dataclass(frozen=True)
class Pixels(_Squashed):
    """Each number is one channel of one pixel, through a sigmoid."""

    def start(self, numbers: Sequence[int], seed: int) -> np.ndarray:
        return START * noise(numbers, seed, self.shape)

    def images(self, parameters: tf.Tensor) -> tf.Tensor:
        return self.squashed(parameters)


def hartley(length: int) -> np.ndarray:
    """Return the real Fourier basis ``cos + sin`` (Hartley 1942), an orthonormal matrix.

    It is symmetric and its own inverse; row k has the frequency k, or length - k if that is less.
    """
    angles = 2 * np.pi * np.outer(np.arange(length), np.arange(length)) / length
    return ((np.cos(angles) + np.sin(angles)) / np.sqrt(length)).astype(np.float32)


@dataclass(frozen=True)
class Fourier(_Squashed):
    """Each number is the strength of one wave in one uncorrelated colour, through a sigmoid.

    Waves are scaled by one over their frequency, to the power of ``decay``: as in photographs, all
    sizes then count alike, where single pixels would favour the finest pattern.
    """

    decay: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        check_number(0, decay=self.decay)

    def start(self, numbers: Sequence[int], seed: int) -> np.ndarray:
        height, width, channels = self.shape
        return START * noise(numbers, seed, (channels, height, width))

    def images(self, parameters: tf.Tensor) -> tf.Tensor:
        height, width, channels = self.shape
        waves = parameters * spectrum(height, width, self.decay)
        planes = hartley(height) @ (waves @ hartley(width))
        pixels = tf.transpose(planes, (0, 2, 3, 1))
        return self.squashed(uncorrelated(pixels) if channels == 3 else pixels)


def spectrum(height: int, width: int, decay: float) -> np.ndarray:
    """Return ``frequency ** -decay`` of each wave, halved; the constant counts as the slowest."""
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    slowest = 1 / max(height, width)
    return (0.5 / np.maximum(frequencies, slowest) ** decay).astype(np.float32)


def uncorrelated(pixels: tf.Tensor) -> tf.Tensor:
    """Turn strengths of uncorrelated colours, on the last axis, into red, green and blue."""
    basis = np.array(COLOURS, np.float32)
    return recoloured(pixels, basis.T / np.linalg.norm(basis, axis=0).max())


def recoloured(pixels: tf.Tensor, matrix: np.ndarray) -> tf.Tensor:
    """Multiply the colours of images ``(n, height, width, c)`` by a matrix ``(c, channels)``.

    As a convolution: of a product of matrices the last bits depend on how many rows there are, and
    so an image would on its company.
    """
    return tf.nn.conv2d(pixels, tf.constant(matrix)[None, None], 1, "VALID")
