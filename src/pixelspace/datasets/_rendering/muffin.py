"""What makes a baked dome a muffin: berries, and often a pleated wrapper."""

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering import light
from pixelspace.datasets._rendering.canvas import WHOLE
from pixelspace.datasets._rendering.dog import faces
from pixelspace.datasets._rendering.hardship import Hardship
from pixelspace.datasets._rendering.shapes import Body
from pixelspace.datasets._rendering.surface import Surface

Places = list[tuple[float, float]]


def paint(
    surface: Surface, body: Body, palette: np.ndarray, hardship: Hardship, rng: Generator
) -> None:
    """Sink berries into the top; wrap the lower side of three muffins in five, and every neck.

    As a joke the berries lie as eyes and a nose do. Few and small ones come without a wrapper.
    """
    size = (0.4 + 0.6 * hardship.strength) * rng.uniform(0.06, 0.115)
    plain = hardship.strength == 1
    count = rng.integers(5, 15) if plain else rng.integers(1, 5)
    places = scatter(body, rng, count, 2.2 * size)
    if hardship.joke:
        places = like_a_face(surface, body, rng)
    berries(surface, places, size, rng)
    wrapped = rng.random() < 0.6 or body.blobs[-1].neck > 0.3
    if wrapped and plain and not hardship.joke:
        _wrapper(surface, body, rng)


def like_a_face(surface: Surface, body: Body, rng: Generator) -> Places:
    """Return two places for eyes and one for a nose."""
    *_, face = faces(surface, body.blobs, rng)
    look = rng.uniform(-0.1, 0.1)
    return [face.point(look - 0.36, -0.12), face.point(look + 0.36, -0.12), face.point(look, 0.3)]


def scatter(body: Body, rng: Generator, count: int, apart: float) -> Places:
    """Return at most ``count`` places, mostly on the front body, none closer than ``apart``."""
    places = []
    for _ in range(3 * count):
        blob = body.blobs[-1 if rng.random() < 0.6 else rng.integers(len(body.blobs))]
        turn, far = rng.uniform(0, 2 * np.pi), 0.88 * np.sqrt(rng.random())
        x, y = blob.at(far * np.cos(turn), far * np.sin(turn))
        if all((x - a) ** 2 + (y - b) ** 2 > apart**2 for a, b in places):
            places.append((x, y))
    return places[:count]


def berries(
    surface: Surface, places: Places, size: float, rng: Generator, *, real: bool = True
) -> None:
    """Sink berries into the surface, which hides some of each behind a ragged edge.

    Those that are not ``real`` are no part that decides the class, and cover such parts.
    """
    dark, rough = light.colour(rng, light.DARKS), 0.5 * surface.canvas.fractal(rng, 8, 2)
    shine = rng.uniform(0.05, 0.35)
    for x, y in places:
        radius = size * rng.uniform(0.8, 1.2)
        window = surface.canvas.window(x, y, 2 * radius)
        right, down = surface.canvas.frame(x, y, rng.uniform(0, np.pi), window)
        far = np.sqrt(right**2 + (down * rng.uniform(1, 1.4)) ** 2) / radius
        ragged = rough[window]
        stain = 0.35 * np.clip(1.7 - far - ragged, 0, 1)
        surface.paint(window, surface.strength * stain, dark)
        cover = surface.canvas.inside((1 - far - 0.5 * ragged) * radius)
        colour = dark + rng.uniform(0, 0.14) * np.clip(1 - far + 0.5 * ragged, 0, 1)
        rise = radius * (0.6 * np.sqrt(np.maximum(1 - far**2, 0)) - 0.3 + 0.15 * ragged)
        if real:
            surface.paint_part("berries", window, cover, 1 - far, colour, shine, rise)
        else:
            surface.paint(window, cover, colour, shine, rise)
            surface.hide(window, cover)


def _wrapper(surface: Surface, body: Body, rng: Generator) -> None:
    """Fold pleated paper round the front body seen from above, or round a body's lower side."""
    last, based = len(body.blobs) - 1, body.blobs[0].boxy
    if not based and body.blobs[last].neck < 0.2 and rng.random() < 0.5:
        depth = body.radius - rng.uniform(0.82, 0.9)
        across, owner = 3 * np.arctan2(body.v, body.u) / np.pi, last
    else:
        rim = rng.uniform(-0.8, -0.4) if based else rng.uniform(0.05, 0.3)
        depth = body.v + 0.2 * body.u**2 - rim
        across, owner = body.u * (1.2 + 0.3 * body.u**2), 0 if based else last
    pleats = across * rng.integers(9, 15) / 2
    fold = 2 * np.abs(pleats - np.floor(pleats) - 0.5)
    colour = light.colour(rng, light.PAPERS) * (0.76 + 0.26 * fold)
    cover = surface.canvas.inside(depth) * (body.owner == owner)
    rise = body.height + 0.03 * fold - surface.height
    surface.paint_part("wrapper", WHOLE, cover, 1 - depth, colour, 0.06, rise)
