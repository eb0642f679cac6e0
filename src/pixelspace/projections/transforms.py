"""Small random changes of an image, so that what is found does not hang on a pixel's place.

A transform is called with images ``(n, height, width, channels)`` between 0 and 1 and a seed
``(2,)``. All images of a call change alike, so that none depends on its company. What comes into
view from outside is mid-grey. Changes average out: turned, grown and shifted as often one way as
the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections.checks import check_number, check_whole

GREY = 0.5
SMALL = 64  # pixels; below, a grey border and a turn would be much of what is seen


def uniform(seed: tf.Tensor, low: float, high: float, count: int = 1) -> tf.Tensor:
    return tf.random.stateless_uniform((count,), seed, low, high)


@dataclass(frozen=True)
class _InPixels:
    pixels: int

    def __post_init__(self):
        check_whole(0, pixels=self.pixels)


@dataclass(frozen=True)
class Pad(_InPixels):
    """A grey frame around the image, which becomes larger by twice ``pixels``."""

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        frame = [[0, 0], [self.pixels] * 2, [self.pixels] * 2, [0, 0]]
        return tf.pad(images, frame, constant_values=GREY)


@dataclass(frozen=True)
class Roll(_InPixels):
    """A shift by up to ``pixels`` along each axis; what leaves on one side enters on the other."""

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        reach = self.pixels
        shift = tf.random.stateless_uniform((2,), seed, -reach, reach + 1, tf.int32)
        return tf.roll(images, shift, (1, 2))


@dataclass(frozen=True)
class Jitter(_InPixels):
    """A shift by up to ``pixels`` along each axis, in whole pixels."""

    def matrix(self, seed: tf.Tensor) -> tf.Tensor:
        dx, dy = tf.unstack(tf.round(uniform(seed, -self.pixels, self.pixels, 2)))
        return _matrix(1.0, 0.0, dx, 0.0, 1.0, dy)


@dataclass(frozen=True)
class Rotate:
    """A turn about the middle by up to ``degrees`` either way."""

    degrees: float

    def __post_init__(self):
        check_number(0, degrees=self.degrees)

    def matrix(self, seed: tf.Tensor) -> tf.Tensor:
        (angle,) = tf.unstack(uniform(seed, -self.degrees, self.degrees) * (np.pi / 180))
        cos, sin = tf.cos(angle), tf.sin(angle)
        return _matrix(cos, -sin, 0.0, sin, cos, 0.0)


@dataclass(frozen=True)
class Scale:
    """Growth about the middle by a factor between ``low`` and ``high``."""

    low: float
    high: float

    def __post_init__(self):
        check_number(0, low=self.low, high=self.high)
        if not 0 < self.low <= self.high:
            raise UserError(f"scale {self.low} to {self.high}: rising factors over 0 are expected")

    def matrix(self, seed: tf.Tensor) -> tf.Tensor:
        (factor,) = tf.unstack(uniform(seed, self.low, self.high))
        return _matrix(1 / factor, 0.0, 0.0, 0.0, 1 / factor, 0.0)


Transform = Pad | Roll | Jitter | Rotate | Scale

ROBUST = (Rotate(10.0), Scale(0.9, 1.1), Jitter(8))
"""For large images: what is found then survives a turn, a step and a look from nearby."""

GENTLE = (Roll(2),)
"""For small images."""


def standard(image: tuple[int, int]) -> tuple[Transform, ...]:
    """Return the transforms that fit images of a height and width."""
    return GENTLE if min(image) < SMALL else ROBUST


def _matrix(*entries) -> tf.Tensor:
    """Return the 3 x 3 matrix whose first two rows are ``entries``: from new place to old one."""
    return tf.reshape(tf.stack([*map(tf.convert_to_tensor, entries), 0.0, 0.0, 1.0]), (3, 3))


def transformed(images: tf.Tensor, transforms: Sequence[Transform], seed: tf.Tensor) -> tf.Tensor:
    """Apply transforms in turn; neighbours that move pixels are done in one resampling."""
    pending = None
    for number, transform in enumerate(transforms):
        own_seed = seed + (0, number)
        if hasattr(transform, "matrix"):
            matrix = transform.matrix(own_seed)
            pending = matrix if pending is None else pending @ matrix
        else:
            images = images if pending is None else resampled(images, pending)
            images, pending = transform(images, own_seed), None
    return images if pending is None else resampled(images, pending)


def resampled(images: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Take each pixel from the place, about the middle, that ``matrix`` sends its place to.

    Between pixels the value is interpolated linearly. The gradient is taken to be the resampling by
    the inverse matrix, which is the exact one up to the interpolation and the growth.
    """

    @tf.custom_gradient
    def resample(images):
        back = tf.linalg.inv(matrix)
        return _gathered(images, matrix, GREY), lambda gradient: _gathered(gradient, back, 0.0)

    return resample(images)


def _gathered(images: tf.Tensor, matrix: tf.Tensor, outside: float) -> tf.Tensor:
    """Resample, with the value ``outside`` where there is no image.

    The images move alike, so a pixel of all of them is one row of a table, and a row is gathered at
    a time: half the time of TensorFlow's projective transform, which takes value by value.
    """
    count, height, width, channels = tf.unstack(tf.shape(images))
    middle_y, middle_x = (tf.cast(length - 1, tf.float32) / 2 for length in (height, width))
    y = (tf.range(tf.cast(height, tf.float32)) - middle_y)[:, None]
    x = (tf.range(tf.cast(width, tf.float32)) - middle_x)[None]
    places_y = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] + middle_y
    places_x = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] + middle_x
    first_y, first_x = tf.floor(places_y), tf.floor(places_x)
    rest_y, rest_x = places_y - first_y, places_x - first_x
    table = tf.reshape(tf.transpose(images, (1, 2, 0, 3)), (height * width, count * channels))
    found, inside = 0.0, 0.0
    for row, weight_y in ((first_y, 1 - rest_y), (first_y + 1, rest_y)):
        for column, weight_x in ((first_x, 1 - rest_x), (first_x + 1, rest_x)):
            row_number, column_number = tf.cast(row, tf.int32), tf.cast(column, tf.int32)
            is_seen = (row_number >= 0) & (row_number < height)
            is_seen &= (column_number >= 0) & (column_number < width)
            weight = tf.where(is_seen, weight_y * weight_x, 0)
            cell = tf.where(is_seen, row_number * width + column_number, 0)
            found += tf.reshape(weight, (-1, 1)) * tf.gather(table, tf.reshape(cell, (-1,)))
            inside += weight
    found += outside * tf.reshape(1 - inside, (-1, 1))
    moved = tf.transpose(tf.reshape(found, (height, width, count, channels)), (2, 0, 1, 3))
    return tf.ensure_shape(moved, images.shape)
