"""The three surfaces: curly fur, muffin crumb and fried crust."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering.canvas import LATTICE, Canvas, scattered
from pixelspace.datasets._rendering.shapes import Body


@dataclass(frozen=True)
class Texture:
    """``height`` (scene units), ``tone`` (0 darkest to 1 palest) and ``gloss``, per pixel."""

    height: np.ndarray
    tone: np.ndarray
    gloss: np.ndarray

    def mixed(self, other: "Texture", share: float) -> "Texture":
        """Return this texture with a ``share`` of another in it."""
        return Texture(
            (1 - share) * self.height + share * other.height,
            (1 - share) * self.tone + share * other.tone,
            (1 - share) * self.gloss + share * other.gloss,
        )


def fur(canvas: Canvas, rng: Generator, body: Body) -> Texture:
    """Curls, and hair that grows outwards from the front body's middle and down the others."""
    curl, scale, straight = rng.uniform(0.2, 1.3), rng.uniform(0.8, 1.3), rng.uniform(0.4, 1)
    wave_x, wave_y = canvas.noise(rng, 8), canvas.noise(rng, 8)
    curls = canvas.warp(1 - np.abs(canvas.noise(rng, 14 * scale)), 0.05 * wave_x, 0.05 * wave_y)
    front = body.owner == len(body.blobs) - 1
    down = body.v - 0.25 + 0.7 * body.blobs[-1].neck
    along = np.where(front, 1.2 * np.sqrt(body.u**2 + down**2), 1 + down) + 0.1 * wave_y
    across = np.arctan2(body.u, down, out=1.3 * body.u, where=front) / np.pi
    across = across + 0.05 * canvas.noise(rng, 4) + 0.03 * wave_x
    locks = scattered(rng, along * 7 * scale, across * 44)
    hair = scattered(rng, along * 10 * scale, across * 96 + 0.7 * wave_x)
    finest = scattered(rng, along * 13 * scale, across * 192 + wave_x)
    finest *= np.clip(0.017 / canvas.pixel - 0.7, 0, 1)
    soft = canvas.noise(rng, 32)
    height = 0.03 * curl * curls + 0.003 * soft
    height += straight * (0.0066 * locks + 0.005 * hair + 0.0022 * finest)
    tone = 0.46 + 0.16 * curl * (curls - 0.3) + 0.02 * soft + 0.1 * canvas.noise(rng, 2)
    tone += 0.09 * straight * (locks + hair + finest)
    return Texture(height, tone, np.full_like(tone, 0.03))


def crumb(canvas: Canvas, rng: Generator, body: Body) -> Texture:
    """A baked top: fine grain and pores, a few cracks, browner where it rises and at the rim."""
    grain = canvas.fractal(rng, 12, 3, 0.8)
    pores = np.maximum(canvas.noise(rng, 24) - 1.0, 0)
    broad, lumps = canvas.noise(rng, 2), canvas.noise(rng, 4)
    crack = canvas.warp(canvas.noise(rng, 2), 0.06 * lumps + 0.02 * grain, 0.06 * lumps)
    crack = np.exp(-((crack / 0.12) ** 2)) * np.clip(broad, 0, 1) * rng.uniform(0, 1)
    sugar = rng.uniform(0, 0.25) * np.clip(canvas.noise(rng, 32) - 1.2, 0, 1)
    height = 0.006 * grain + 0.022 * lumps - 0.03 * pores - 0.04 * crack + 0.02 * sugar
    tone = 0.575 + 0.035 * grain + 0.07 * lumps - 0.16 * pores + 0.2 * crack + sugar
    tone += 0.1 * broad - 0.2 * (body.radius**2) ** 2
    return Texture(height, tone, np.full_like(tone, 0.05))


def crust(canvas: Canvas, rng: Generator, body: Body) -> Texture:
    """Fried breading: folds, on them flakes, crags and crumbs, toasted by height; oily patches."""
    craggy = rng.uniform(0.2, 1)
    wander_x, wander_y = canvas.fractal(rng, 4, 2), canvas.fractal(rng, 4, 2)
    folds = canvas.warp(1 - np.abs(canvas.noise(rng, 4)), 0.06 * wander_x, 0.06 * wander_y)
    crags = 1.2 - np.abs(canvas.noise(rng, 16)) - 0.6 * np.abs(canvas.noise(rng, 32))
    crags = canvas.warp(crags, 0.03 * wander_x, 0.03 * wander_y)
    flakes = _flakes(canvas, rng, rng.uniform(6, 10), wander_x, wander_y)
    clumps = _flakes(canvas, rng, 20, wander_x, wander_y)
    grit = canvas.noise(rng, 32)
    height = 0.06 * folds + 0.065 * flakes + 0.025 * craggy * crags + 0.03 * clumps + 0.005 * grit
    tone = 0.477 + 0.26 * flakes + 0.18 * craggy * (crags - 0.5) + 0.2 * clumps + 0.04 * grit
    tone += 0.13 * canvas.noise(rng, 4)
    return Texture(height, tone, np.clip(0.04 + 0.1 * wander_x, 0, 0.25))


def _flakes(
    canvas: Canvas, rng: Generator, frequency: float, wander_x: np.ndarray, wander_y: np.ndarray
) -> np.ndarray:
    """Return the upper hull of tilted caps, one in each cell of a jittered, warped grid.

    Only the four nearest cells are looked at: a cap cut off is one more crack.
    """
    jitter_x, jitter_y = rng.uniform(0.2, 0.8, (2, LATTICE * LATTICE))
    tilt_x, tilt_y = rng.uniform(-0.7, 0.7, (2, LATTICE * LATTICE))
    lift = rng.uniform(-0.5, 0.5, LATTICE * LATTICE)
    across = canvas.x[None, :] * frequency + 0.3 * wander_x
    down = canvas.y[:, None] * frequency + 0.3 * wander_y
    column, row = np.floor(across - 0.5), np.floor(down - 0.5)
    first_column, first_row = column.astype(np.intp), row.astype(np.intp)
    hull = np.full(across.shape, -9.0)
    for i in (0, 1):
        for j in (0, 1):
            cell = (first_row + i) % LATTICE * LATTICE + (first_column + j) % LATTICE
            dx = across - (column + j) - jitter_x.take(cell)
            dy = down - (row + i) - jitter_y.take(cell)
            cap = (tilt_x.take(cell) - dx) * dx + (tilt_y.take(cell) - dy) * dy + lift.take(cell)
            np.maximum(hull, cap, out=hull)
    return hull
