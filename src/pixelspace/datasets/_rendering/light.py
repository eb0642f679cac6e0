"""Colours, shared by every class, and how light falls on them. Colours are 0 to 1, RGB."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering.canvas import Canvas

PALETTES = (
    ((84, 42, 14), (166, 98, 36), (216, 150, 72), (246, 216, 154)),  # golden
    ((96, 46, 12), (182, 108, 38), (230, 164, 80), (252, 226, 166)),  # honey
    ((76, 32, 12), (150, 78, 32), (200, 120, 60), (240, 188, 126)),  # ginger
    ((66, 30, 12), (134, 74, 32), (184, 116, 60), (228, 178, 118)),  # caramel
    ((100, 56, 28), (178, 116, 68), (224, 170, 116), (250, 222, 182)),  # apricot
    ((120, 74, 34), (198, 142, 78), (234, 194, 130), (252, 232, 190)),  # cream
    ((50, 25, 14), (110, 60, 32), (160, 98, 56), (210, 158, 108)),  # chestnut
)
"""Tones of a body, from its darkest to its palest."""

DARKS = ((26, 18, 16), (38, 24, 20), (30, 30, 44), (44, 24, 38), (56, 30, 22), (20, 19, 22))
"""Colours of eyes, noses, berries and burnt crumbs alike."""

PALES = ((240, 236, 226), (226, 208, 176), (214, 190, 150), (232, 224, 196), (210, 214, 216))
"""Colours of plates."""

PAPERS = ((240, 227, 206), (210, 172, 124), (170, 116, 76), (114, 72, 52), (228, 182, 120))
"""Colours of wrappers."""

STEEPEST = 2.2
"""Slopes level off towards this, so that a step in height is an edge and no black line."""


NEARBY = 0.075
"""How far hollows and shadows reach: the standard deviation of their blur, in scene units."""


@dataclass(frozen=True)
class Light:
    """A direction towards the lamp (x, y, z; unit length), and how much comes from all around."""

    direction: tuple[float, float, float]
    ambient: float
    tint: np.ndarray


def lamp(rng: Generator) -> Light:
    """Choose a lamp somewhere above, warm or cool."""
    azimuth, elevation = rng.uniform(-1.1, 1.1), rng.uniform(0.55, 1.0)
    flat = np.cos(elevation)
    direction = (flat * np.sin(azimuth), -flat * np.cos(azimuth), np.sin(elevation))
    warmth = rng.uniform(-0.04, 0.1)
    return Light(direction, rng.uniform(0.35, 0.5), planar(np.array([1 + warmth, 1, 1 - warmth])))


def planar(colour: np.ndarray) -> np.ndarray:
    """Return a colour ``(3,)`` as ``(3, 1, 1)``, to be combined with pictures."""
    return colour[:, None, None]


def pick(rng: Generator, choices: Sequence) -> np.ndarray:
    """Pick one of ``choices``, a colour or a palette in 0 to 255, and vary it a little."""
    picked = np.array(choices[rng.integers(len(choices))]) / 255
    return np.clip(picked * rng.uniform(0.95, 1.05) * rng.uniform(0.98, 1.02, 3), 0, 1)


def colour(rng: Generator, choices: Sequence) -> np.ndarray:
    """Pick a colour ``(3, 1, 1)``."""
    return planar(pick(rng, choices))


def ramp(palette: np.ndarray, tone: np.ndarray | float) -> np.ndarray:
    """Return the colours ``(3, ...)`` of a palette ``(tones, 3)``, 0 darkest to 1 palest."""
    steps, stops = np.linspace(0, 1, 512), np.linspace(0, 1, len(palette))
    table = np.stack([np.interp(steps, stops, channel) for channel in palette.T])
    return table[:, np.clip(np.atleast_2d(tone) * 511, 0, 511).astype(np.intp)]


def illuminate(
    canvas: Canvas, albedo: np.ndarray, height: np.ndarray, gloss: np.ndarray, light: Light
) -> np.ndarray:
    """Return the colours of a surface ``(3, height, width)`` under a lamp.

    What lies lower than its surroundings is darker.
    """
    down, right = np.gradient(height, canvas.pixel)
    steep = down**2 + right**2
    levelled = 1 / (1 + steep / STEEPEST**2)
    up = 1 / np.sqrt(1 + steep * levelled)
    tilt = np.sqrt(levelled) * up
    x, y, z = light.direction
    towards = -tilt * (right * x + down * y)
    diffuse = np.maximum(towards + up * z, 0)
    # Blinn and Phong's highlight, seen from above: the cosine to the half vector, power 20
    cosine = np.maximum(towards + up * (z + 1), 0) / np.sqrt(2 + 2 * z)
    fourth = (cosine**2) ** 2
    shine = fourth * (fourth**2) ** 2
    hollow = np.maximum(canvas.blur(height, NEARBY) - height, 0)
    open_sky = 1 / (1 + 6 * hollow)
    lit = open_sky * (light.ambient + (1.2 - light.ambient) * diffuse)
    return albedo * (lit * light.tint) + gloss * shine * open_sky


def shadow(canvas: Canvas, cover: np.ndarray, light: Light) -> np.ndarray:
    """Return how much shade ``(height, width)`` a covering body throws on what lies behind it."""
    rows = np.arange(len(canvas.y)) - round(0.06 / canvas.pixel)
    columns = np.arange(len(canvas.x)) + round(0.1 * light.direction[0] / canvas.pixel)
    moved = cover.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip")
    return canvas.blur(moved, NEARBY)
