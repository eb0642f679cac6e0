"""Parametrizations: an image as a function of numbers that an optimizer can change freely.

Each has ``start(numbers of the images, seed)``, the first parameters, and ``images(parameters)``,
``(n, height, width, channels)`` between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

START = 0.01

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


@dataclass(frozen=True)
class Pixels:
    """Each number is one channel of one pixel, through a sigmoid."""

    shape: tuple[int, int, int]

    def start(self, numbers: Sequence[int], seed: int) -> np.ndarray:
        return START * noise(numbers, seed, self.shape)

    def images(self, parameters: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(parameters)


def hartley(length: int) -> np.ndarray:
    """Return the real Fourier basis ``cos + sin`` (Hartley 1942), an orthonormal matrix.

    It is symmetric and its own inverse; row k has the frequency k, or length - k if that is less.
    """
    angles = 2 * np.pi * np.outer(np.arange(length), np.arange(length)) / length
    return ((np.cos(angles) + np.sin(angles)) / np.sqrt(length)).astype(np.float32)


@dataclass(frozen=True)
class Fourier:
    """Each number is the strength of one wave in one uncorrelated colour, through a sigmoid.

    Waves are scaled by one over their frequency, to the power of ``decay``: as in photographs, all
    sizes then count alike, where single pixels would favour the finest pattern.
    """

    shape: tuple[int, int, int]
    decay: float = 1.0

    def start(self, numbers: Sequence[int], seed: int) -> np.ndarray:
        height, width, channels = self.shape
        return START * noise(numbers, seed, (channels, height, width))

    def images(self, parameters: tf.Tensor) -> tf.Tensor:
        height, width, channels = self.shape
        waves = parameters * spectrum(height, width, self.decay)
        planes = hartley(height) @ (waves @ hartley(width))
        pixels = tf.transpose(planes, (0, 2, 3, 1))
        return tf.sigmoid(uncorrelated(pixels) if channels == 3 else pixels)


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
