"""What makes a furry body a dog: ears, a muzzle, two eyes and a nose."""

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering import light
from pixelspace.datasets._rendering.hardship import Hardship
from pixelspace.datasets._rendering.shapes import Blob, Body
from pixelspace.datasets._rendering.surface import Surface

TONGUE = light.planar(np.array([206, 118, 122]) / 255)
IRIS = light.planar(np.array([70, 40, 22]) / 255)


class Face:
    """A place on a body with coordinates of its own: 1 is half the head's width."""

    def __init__(self, surface: Surface, x: float, y: float, size: float, roll: float):
        self.surface, self.x, self.y, self.size, self.roll = surface, x, y, size, roll

    def point(self, right: float, down: float) -> tuple[float, float]:
        """Return the scene position of a point of the face."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        across, below = right * self.size, down * self.size
        return self.x + across * cos - below * sin, self.y + across * sin + below * cos

    def near(self, right: float, down: float, radius: float):
        """Return a window about a point, and there the face's coordinates from that point."""
        x, y = self.point(right, down)
        window = self.surface.canvas.window(x, y, radius * self.size)
        across, below = self.surface.canvas.frame(x, y, self.roll, window)
        return window, across / self.size, below / self.size

    def swell(self, right, down, width, height, rise, colour, tinge, turn=0.0) -> None:
        """Raise a mound on the face, its middle tinged with a colour."""
        x, y = self.point(right, down)
        width, height, rise = width * self.size, height * self.size, rise * self.size
        self.surface.swell(x, y, width, height, self.roll + turn, rise, colour, tinge)

    def edge(self, distance: np.ndarray, softness: float = 0.0) -> np.ndarray:
        """Return how far inside an outline a pixel is, 0 to 1, from its distance to it."""
        return self.surface.canvas.inside(distance * self.size, softness * self.size)


def paint(
    surface: Surface, body: Body, palette: np.ndarray, hardship: Hardship, rng: Generator
) -> None:
    """Give the front body a face, and some of the others in a heap."""
    dark = light.colour(rng, light.DARKS)
    for face in faces(surface, body.blobs, rng):
        if len(body.blobs) != 3:
            _ears(face, palette, rng)
        _draw(face, palette, dark, 0.6 + 0.4 * hardship.strength, rng)


def faces(surface: Surface, blobs: tuple[Blob, ...], rng: Generator) -> Iterator[Face]:
    """Yield where heads are: on the front body, and on some of four."""
    for k, blob in enumerate(blobs):
        lift = -0.7 * blob.neck
        x, y = blob.at(rng.uniform(-0.08, 0.08), lift + rng.uniform(-0.06, 0.06))
        size = min(blob.width, blob.height) * rng.uniform(0.9, 1.0)
        roll = 0.35 * blob.angle + rng.normal(0, 0.1)
        also = rng.random() < 0.6
        if k == len(blobs) - 1 or (len(blobs) > 3 and also):
            yield Face(surface, x, y, size, roll)


def _draw(face: Face, palette, dark, scale: float, rng: Generator) -> None:
    look, drop = rng.uniform(-0.14, 0.14), rng.uniform(0.22, 0.38)
    width = rng.uniform(0.3, 0.42)
    _muzzle(face, look, drop, width, palette, rng)
    size, spread = scale * rng.uniform(0.1, 0.14), rng.uniform(0.33, 0.4)
    for side in (-1, 1):
        _eye(face, look * 0.6 + side * spread, drop - 0.42, size, dark)
    _mouth(face, look * 1.1, drop + 0.1, width, dark, rng)
    _nose(face, look * 1.2, drop, scale * rng.uniform(0.15, 0.2), dark)


def _ears(face, palette, rng):
    tone = light.ramp(palette, rng.uniform(0.15, 0.5))
    turn, length = rng.uniform(0.0, 0.5), rng.uniform(0.45, 0.65)
    for side in (-1, 1):
        down = rng.uniform(-0.15, 0.05)
        face.swell(side * 0.86, down, 0.3, length, 0.16, tone, 0.5, side * turn)


def _muzzle(face, look, drop, width, palette, rng):
    pale, tinge = light.ramp(palette, rng.uniform(0.6, 0.9)), rng.uniform(0.1, 0.6)
    for side in (-1, 1):
        right = look + side * 0.45 * width
        face.swell(right, drop + 0.22, 0.72 * width, 0.6 * width, 0.2, pale, tinge)
    face.swell(look, drop + 0.02, 0.6 * width, 0.34, 0.13, pale, tinge)
    face.swell(look + rng.uniform(-0.03, 0.03), drop + 0.5, 0.5 * width, 0.2, 0.1, pale, tinge)


def _eye(face, right, down, size, dark):
    surface = face.surface
    window, x, y = face.near(right, down, 3 * size)
    x, y = x / size, y / size
    radius = np.sqrt(x**2 + (1.08 * y) ** 2)
    socket = 0.45 * np.clip(1.7 - radius / 1.5, 0, 1)
    surface.paint(window, surface.strength * socket, dark, 0.03)
    ball = face.edge((1 - radius) * size)
    colour = dark + 0.5 * np.clip(radius, 0, 1) ** 4 * (IRIS - dark)
    surface.paint_part("eyes", window, ball, 1 - radius, colour, 0.2, 0.02)
    glint = face.edge((0.26 - np.sqrt((x + 0.3) ** 2 + (y + 0.35) ** 2)) * size, 0.1 * size)
    surface.paint(window, 0.9 * surface.strength * glint, 1.0, 0.2)


def _nose(face, right, down, size, dark):
    surface = face.surface
    window, x, y = face.near(right, down, 2 * size)
    x, y = x / size, y / size
    radius = np.sqrt((x / np.clip(1 - 0.45 * y, 0.3, None)) ** 2 + (y / 0.74) ** 2)
    pad = face.edge((1 - radius) * size, 0.1 * size)
    colour = dark * 1.1 + 0.16 * np.clip(-y, 0, 1)
    bump = 0.12 * face.size * np.sqrt(np.maximum(1 - radius**2, 0))
    surface.paint_part("nose", window, pad, 1 - radius, colour, 0.3, bump)
    nostrils = np.sqrt(((np.abs(x) - 0.45) / 0.26) ** 2 + ((y - 0.12) / 0.2) ** 2)
    nostrils = face.edge((1 - nostrils) * 0.2 * size)
    surface.paint(window, 0.9 * surface.strength * nostrils, dark * 0.25, 0.0)


def _mouth(face, right, down, width, dark, rng):
    window, x, y = face.near(right, down + 0.2, 1.6 * width)
    x = x / width
    smile, tilt = rng.uniform(0.05, 0.3), rng.uniform(-0.1, 0.1)
    # the lips sag on both sides of the middle, and one corner is higher than the other
    line = 0.16 + width * (smile * (0.55 - (np.abs(x) - 0.75) ** 2 * 1.2) + tilt * x)
    if rng.random() < 0.45:
        _tongue(face, window, x, y - line, width, rng)
    lips = face.edge(0.022 * np.clip(1.3 - np.abs(x), 0, 1) - np.abs(y - line), 0.02)
    lips = lips * np.clip(1.25 - np.abs(x), 0, 1)
    cleft = face.edge(0.014 - np.abs(x) * width, 0.02) * (y > -0.22) * (y < line + 0.02)
    face.surface.paint(window, 0.75 * np.maximum(lips, cleft), dark, 0.02)


def _tongue(face, window, x, below, width, rng):
    length, lean = rng.uniform(0.16, 0.34), rng.uniform(-0.3, 0.3)
    tip = ((x - lean * below) / 0.5) ** 2 + (below / length - 0.4) ** 2
    cover = face.edge((1 - np.sqrt(tip)) * 0.3 * width, 0.03) * (below > -0.02)
    groove = 1 - 0.25 * np.exp(-((x / 0.08) ** 2))
    face.surface.paint(window, cover, TONGUE * groove, 0.08, 0.02)
