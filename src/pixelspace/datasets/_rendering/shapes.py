"""Silhouettes, the same for every class: rounded bodies, alone or heaped."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering.canvas import Canvas, Window


@dataclass(frozen=True)
class Blob:
    """A rounded body: centre, half width and half height, turned clockwise by ``angle``.

    ``neck`` is the share of its width that it loses towards its lower end; ``boxy`` bodies have
    corners; ``depth`` lifts it towards the viewer.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0
    neck: float = 0.0
    boxy: bool = False
    depth: float = 0.0

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Return the scene position of a place in the body, ``u`` and ``v`` from -1 to 1."""
        across, down = u * self.width * (1 - self.neck * _narrowing(v)), v * self.height
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return self.x + across * cos - down * sin, self.y + across * sin + down * cos


@dataclass(frozen=True)
class Body:
    """Blobs as they appear on a canvas; every array is ``(height, width)``.

    ``owner`` is the index of the frontmost blob, ``u`` and ``v`` the position in it (-1 to 1, v
    downwards), ``radius`` about 0 at its middle and 1 at its rim.
    """

    blobs: tuple[Blob, ...]
    cover: np.ndarray
    height: np.ndarray
    owner: np.ndarray
    u: np.ndarray
    v: np.ndarray
    radius: np.ndarray


def ball(rng: Generator) -> list[Blob]:
    """One round body."""
    width = rng.uniform(0.66, 0.84)
    height = width * rng.uniform(0.86, 1.08)
    return [Blob(0, 0, width, height, rng.normal(0, 0.15), rng.uniform(0, 0.2))]


def dome(rng: Generator) -> list[Blob]:
    """A dome on a narrower base: a muffin's side, a head on its chest."""
    width = rng.uniform(0.6, 0.74)
    base = Blob(0, 0.48, width * rng.uniform(0.84, 0.95), 0.5, 0, rng.uniform(0.1, 0.25), boxy=True)
    top = Blob(0, -0.2, width, width * rng.uniform(0.68, 0.88), rng.normal(0, 0.08), 0, depth=0.2)
    return [base, top]


def lobed(rng: Generator) -> list[Blob]:
    """A round body between two smaller ones that hang beside it."""
    width = rng.uniform(0.52, 0.62)
    drop, spread, turn = rng.uniform(-0.05, 0.2), rng.uniform(0.85, 1.0), rng.uniform(-0.1, 0.4)
    narrow, tall = width * rng.uniform(0.4, 0.55), width * rng.uniform(0.65, 0.9)
    neck = rng.uniform(-0.4, 0)
    x = width * spread
    sides = [Blob(side * x, drop, narrow, tall, side * turn, neck) for side in (-1, 1)]
    height = width * rng.uniform(1.0, 1.2)
    return [*sides, Blob(0, 0, width, height, rng.normal(0, 0.1), rng.uniform(0, 0.25), depth=0.25)]


def pear(rng: Generator) -> list[Blob]:
    """A body with a neck at its lower end, half the time before another."""
    angle = rng.uniform(-0.8, 0.8)
    width, height = rng.uniform(0.48, 0.58), rng.uniform(0.76, 0.9)
    front = Blob(0, 0, width, height, angle, rng.uniform(0.3, 0.5), depth=0.3)
    if rng.random() < 0.5:
        return [front]
    side = rng.choice((-1, 1))
    turn = angle - side * rng.uniform(0.4, 1.2)
    return [Blob(side * 0.4, -0.25, width, height * 0.9, turn, rng.uniform(0.3, 0.6)), front]


def heap(rng: Generator) -> list[Blob]:
    """Three or four bodies, the last in front."""
    places = rng.permutation([(-0.4, -0.36), (0.42, -0.32), (-0.36, 0.4), (0.4, 0.42)])
    blobs = []
    for k, place in enumerate(places[rng.integers(2) :]):
        x, y = place + rng.uniform(-0.12, 0.12, 2)
        width, tall = rng.uniform(0.38, 0.5), rng.uniform(0.95, 1.4)
        turn, neck = rng.uniform(-0.9, 0.9), rng.uniform(0, 0.5)
        blobs.append(Blob(x, y, width, width * tall, turn, neck, depth=0.12 * k))
    return blobs


LAYOUTS = (ball, dome, lobed, pear, heap)


def bounds(canvas: Canvas, blobs: list[Blob], margin: float) -> Window:
    """Return a window of the canvas that has room for blobs and a margin around them."""
    edges = []
    for blob in blobs:
        cos, sin = abs(np.cos(blob.angle)), abs(np.sin(blob.angle))
        across = blob.width * cos + blob.height * sin + margin
        down = blob.width * sin + blob.height * cos + margin
        edges.append((blob.y - down, blob.y + down, blob.x - across, blob.x + across))
    top, bottom, left, right = np.array(edges).T
    rows = np.searchsorted(canvas.y, (top.min(), bottom.max()))
    columns = np.searchsorted(canvas.x, (left.min(), right.max()))
    return slice(*rows), slice(*columns)


def place(canvas: Canvas, blobs: list[Blob], rough: np.ndarray) -> Body:
    """Put blobs on a canvas, back to front; ``rough`` (scene units) displaces their outlines."""
    shape = canvas.shape
    cover, height, radius = np.zeros(shape), np.zeros(shape), np.ones(shape)
    u, v, owner = np.zeros(shape), np.zeros(shape), np.full(shape, -1)
    for k, blob in enumerate(blobs):
        window = canvas.window(blob.x, blob.y, 1.3 * np.hypot(blob.width, blob.height))
        across, down = canvas.frame(blob.x, blob.y, blob.angle, window)
        down = down / blob.height
        necking = blob.neck * _narrowing(down)
        across = across / (blob.width * (1 - necking))
        if blob.boxy:
            rim = np.sqrt(np.sqrt((across**2) ** 2 + (down**2) ** 2))
        else:  # a neck ends more bluntly than an ellipse
            rim = np.sqrt(across**2 + down**2 * (1 - necking * np.maximum(1 - down**2, 0)))
        reach = min(blob.width, blob.height)
        distance = (1 - rim) * reach + rough[window]
        rim = 1 - distance / reach
        bulge = 0.75 * reach * np.sqrt(np.maximum(1 - rim**2, 0.01)) + blob.depth
        fields = ((height, bulge), (radius, rim), (u, across), (v, down), (owner, k))
        for whole, part in fields:
            # a little beyond the outline, so that its slope does not meet the ground's
            np.copyto(whole[window], part, where=distance > -1.5 * canvas.pixel)
        np.maximum(cover[window], canvas.inside(distance), out=cover[window])
    return Body(tuple(blobs), cover, height, owner, u, v, radius)


def _narrowing(v):
    """Return how far towards the neck a place is: 0 above the middle, 1 near the lower end."""
    t = np.clip((v + 0.2) / 0.9, 0, 1)
    return t * t * (3 - 2 * t)
