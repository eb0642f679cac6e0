"""Where a picture's pixels lie in its scene, and smooth noise there.

All lengths are in scene units, in which the whole picture spans -1 to 1 before the camera moves
closer. A scene draws the same random numbers at any size, so more pixels show the same scene.
Numbers are float64 throughout: last-bit differences between processors then stay far below the
8 bits that are stored. Colour pictures are ``(3, height, width)``, which computes faster.
"""

import numpy as np
from numpy.random import Generator

LATTICE = 64
"""Most cells along one side of a noise lattice; noise repeats, unnoticed, after as many."""

SPLINE_SPREAD = 151 / 315
"""Sum of squared cubic B-spline weights, averaged over positions: the noise's variance per axis."""

FINEST = 0.7
"""Noise with more lattice cells than this per pixel is 0: it would only flicker."""

Window = tuple[slice, slice]
WHOLE: Window = (slice(None), slice(None))


class Canvas:
    """A grid of pixels: ``x`` ``(width,)`` grows to the right, ``y`` ``(height,)`` downwards.

    Pictures on it are ``(height, width)``; ``pixel`` is the distance between pixels.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, pixel: float):
        self.x, self.y, self.pixel = x, y, pixel
        self.shape = len(y), len(x)
        self._splines: dict[tuple[float, float], np.ndarray] = {}
        self._gaussians: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    @classmethod
    def square(
        cls, size: int, zoom: float = 1.0, centre: tuple[float, float] = (0.0, 0.0)
    ) -> "Canvas":
        """Return the canvas of a picture, ``size`` pixels wide, that looks at ``centre``."""
        axis = ((np.arange(size) + 0.5) / size * 2 - 1) / zoom
        return cls(centre[0] + axis, centre[1] + axis, 2 / (size * zoom))

    def cropped(self, window: Window) -> "Canvas":
        """Return the canvas of a window of this one."""
        rows, columns = window
        return Canvas(self.x[columns], self.y[rows], self.pixel)

    def noise(self, rng: Generator, frequency: float, stretch: float = 1.0) -> np.ndarray:
        """Return smooth noise, mean 0 and variance 1.

        ``frequency`` is in lattice cells per unit along y, ``stretch`` times that along x. The
        same random numbers are drawn for any canvas.
        """
        cells = min(LATTICE, int(4 * frequency) + 4)
        lattice = _uniform(rng, cells)
        if frequency * max(1, stretch) * self.pixel > FINEST:
            return np.zeros(self.shape)
        if (frequency, stretch) not in self._splines:
            position = np.concatenate([self.y * frequency, self.x * frequency * stretch])
            self._splines[frequency, stretch] = _spline_weights(position, cells)
        rows, columns = np.split(self._splines[frequency, stretch], [len(self.y)])
        return rows @ (lattice @ columns.T / SPLINE_SPREAD)

    def fractal(self, rng: Generator, frequency: float, octaves: int, gain: float = 0.5):
        """Return a sum of noises, each twice as fine as the one before and ``gain`` as strong."""
        return sum(gain**k * self.noise(rng, frequency * 2**k) for k in range(octaves))

    def warp(self, picture: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """Return ``picture`` read at positions moved by ``dx`` and ``dy`` (scene units)."""
        height, width = self.shape
        rows = np.clip(np.arange(height)[:, None] + dy / self.pixel, 0, height - 1.001)
        columns = np.clip(np.arange(width) + dx / self.pixel, 0, width - 1.001)
        row, column = rows.astype(np.intp), columns.astype(np.intp)
        return _interpolate(picture, row, column, rows - row, columns - column)

    def blur(self, picture: np.ndarray, sigma: float) -> np.ndarray:
        """Return ``picture`` (its last two axes) blurred by a Gaussian of ``sigma`` scene units."""
        if sigma not in self._gaussians:
            self._gaussians[sigma] = tuple(
                _gaussian(length, sigma / self.pixel) for length in self.shape
            )
        rows, columns = self._gaussians[sigma]
        return rows @ picture @ columns.T

    def inside(self, distance: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Return 1 where ``distance`` is positive, 0 elsewhere, the edge at least a pixel wide."""
        return np.clip(0.5 + distance / (self.pixel + softness), 0, 1)

    def window(self, x: float, y: float, radius: float) -> Window:
        """Return the rows and columns within ``radius`` of a point; they may be empty."""
        rows = np.searchsorted(self.y, (y - radius, y + radius))
        columns = np.searchsorted(self.x, (x - radius, x + radius))
        return slice(*rows), slice(*columns)

    def frame(
        self, x: float, y: float, angle: float, window: Window = WHOLE
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return coordinates (right, down) about a point, turned clockwise by ``angle``."""
        rows, columns = window
        dx, dy = self.x[None, columns] - x, self.y[rows, None] - y
        cos, sin = np.cos(angle), np.sin(angle)
        return cos * dx + sin * dy, cos * dy - sin * dx


def scattered(rng: Generator, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return noise of mean 0 at any positions of a periodic lattice, given in its cells."""
    lattice = np.pad(_uniform(rng, LATTICE), (0, 1), mode="wrap")
    row, column = np.floor(rows), np.floor(columns)
    below, right = rows - row, columns - column
    row, column = row.astype(np.intp) % LATTICE, column.astype(np.intp) % LATTICE
    ease = below * below * (3 - 2 * below), right * right * (3 - 2 * right)
    return _interpolate(lattice, row, column, *ease)


def _uniform(rng: Generator, cells: int) -> np.ndarray:
    """Return numbers ``(cells, cells)`` of mean 0 and variance 1."""
    return (rng.random((cells, cells)) - 0.5) * np.sqrt(12)


def _interpolate(picture, row, column, below, right):
    """Return ``picture`` between a pixel and its neighbours ``below`` and to the ``right``."""
    width = picture.shape[1]
    corner = row * width + column
    flat = picture.ravel()
    left = 1 - right
    upper = flat.take(corner) * left + flat.take(corner + 1) * right
    lower = flat.take(corner + width) * left + flat.take(corner + width + 1) * right
    return upper + below * (lower - upper)


def _gaussian(length: int, sigma: float) -> np.ndarray:
    """Return the weights ``(length, length)`` of a Gaussian blur of ``sigma`` pixels."""
    steps = np.arange(length)
    weights = np.exp(-((steps / sigma) ** 2) / 2)[np.abs(steps[:, None] - steps)]
    return weights / weights.sum(axis=1, keepdims=True)


def _spline_weights(position: np.ndarray, cells: int) -> np.ndarray:
    """Return the periodic cubic B-spline weights ``(positions, cells)`` at lattice positions."""
    cell = np.floor(position)
    t = position - cell
    s = 1 - t
    pieces = np.stack([s**3, 4 - 3 * t * t * (1 + s), 4 - 3 * s * s * (1 + t), t**3], axis=1) / 6
    columns = (cell.astype(np.intp)[:, None] + np.arange(4)) % cells
    weights = np.zeros((len(position), cells))
    weights[np.arange(len(position))[:, None], columns] = pieces
    return weights
