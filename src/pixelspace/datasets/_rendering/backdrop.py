"""What lies behind and under a subject, the same for every class."""

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering import light
from pixelspace.datasets._rendering.canvas import Canvas

GROUNDS = (
    (196, 186, 170), (142, 110, 82), (98, 78, 62), (168, 172, 170), (118, 128, 132), (64, 58, 56),
    (104, 116, 90), (88, 100, 116), (206, 196, 176), (160, 118, 96), (222, 218, 210),
    (132, 140, 116),
)  # fmt: skip
"""Muted colours of tables, walls, cloths and lawns."""


def ground(rng: Generator) -> np.ndarray:
    """Choose a muted colour ``(3, 1, 1)``."""
    return light.colour(rng, GROUNDS)


def backdrop(canvas: Canvas, rng: Generator) -> np.ndarray:
    """Return a wall and a table ``(3, height, width)``, grain or weave on it, at times a plate."""
    wall, table, other = (ground(rng) for _ in range(3))
    horizon, streak = rng.uniform(-1.6, 0.3), rng.choice((0.15, 1.0))
    haze = canvas.noise(rng, 1.5)
    near = np.clip(0.5 + (canvas.y[:, None] - horizon + 0.04 * haze) / 0.2, 0, 1)
    blots = 0.4 * np.clip(haze - 0.5, 0, 1) * (1 - near)
    picture = wall + (table - wall) * near
    picture += blots * (other - picture)
    picture *= 1 + 0.022 * canvas.noise(rng, 16, streak) * near + 0.05 * haze
    if rng.random() < 0.4:
        _lay_plate(canvas, picture, rng)
    return picture


def _lay_plate(canvas: Canvas, picture: np.ndarray, rng: Generator) -> None:
    pale = light.colour(rng, light.PALES)
    radius, flat = rng.uniform(0.85, 1.15), rng.uniform(0.5, 1.0)
    across, down = canvas.frame(rng.uniform(-0.1, 0.1), rng.uniform(0.1, 0.4), 0)
    distance = radius - np.sqrt(across**2 + (down / flat) ** 2)
    picture *= 1 - 0.3 * np.clip(1 + distance / 0.15, 0, 1)
    rim = np.exp(-(((distance - 0.14) / 0.03) ** 2))
    shaded = pale * (0.9 - 0.12 * rim + 0.06 * np.clip(distance, 0, 1))
    picture += canvas.inside(distance) * (shaded - picture)
