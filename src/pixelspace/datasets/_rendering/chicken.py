"""What makes a crusted body fried chicken: ridges of breading, burnt crumbs, a bone's end."""

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering import light
from pixelspace.datasets._rendering.canvas import WHOLE
from pixelspace.datasets._rendering.hardship import Hardship
from pixelspace.datasets._rendering.muffin import berries, like_a_face, scatter
from pixelspace.datasets._rendering.shapes import Body
from pixelspace.datasets._rendering.surface import Surface

BONE = light.planar(np.array([255, 236, 204]) / 255)

RIDGES = 0.3
"""Share of the visible crust that counts as ridges: what rises most above its surroundings."""


def paint(
    surface: Surface, body: Body, palette: np.ndarray, hardship: Hardship, rng: Generator
) -> None:
    """Mark the ridges, bare a bone's end on a long piece, and strew crumbs.

    As a joke burnt crumbs are as large as berries, or lie as eyes and a nose do.
    """
    relief = surface.height - body.height
    crests = relief - surface.canvas.blur(relief, light.NEARBY)
    surface.parts["ridges"] = _highest(crests, body.cover > 0.5, RIDGES)
    for k, blob in enumerate(body.blobs):
        if blob.neck > 0.3 and rng.random() < 0.7:
            _bone(surface, body, k, relief, rng)
    if hardship.joke:
        size = rng.uniform(0.05, 0.1)
        posed = rng.random() < 0.5
        places = like_a_face(surface, body, rng) if posed else scatter(body, rng, 6, 2.5 * size)
        berries(surface, places, size, rng, real=False)


def _highest(relief: np.ndarray, where: np.ndarray, share: float) -> np.ndarray:
    """Return 0 but for the given share of the pixels ``where``; there 0 to 1, by height."""
    heights = relief[where]
    if not heights.size:
        return np.zeros(relief.shape)
    rank = int((1 - share) * heights.size)
    low, top = np.partition(heights, rank)[rank], heights.max()
    return where * np.clip((relief - low) / max(top - low, 1e-9), 0, 1)


def _bone(surface: Surface, body: Body, owner: int, relief: np.ndarray, rng: Generator) -> None:
    """Leave the lower end of a body bare: a shaft with a dip between two knuckles."""
    depth = body.v - rng.uniform(0.6, 0.75) + 1.5 * (relief - 0.05)
    knuckle = np.clip((body.v - 0.85) / 0.15, 0, 1) * (np.abs(body.u) - 0.4)
    colour = BONE * (1 - 0.25 * np.clip(1 - 4 * depth, 0, 1))
    cover = surface.canvas.inside(depth, 0.02) * (body.owner == owner)
    surface.paint(WHOLE, cover, colour, 0.1, 0.1 * knuckle - relief)
    surface.hide(WHOLE, cover)
