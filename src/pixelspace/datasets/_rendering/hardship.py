"""What makes some pictures hard to tell apart."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from pixelspace.datasets._rendering import backdrop
from pixelspace.datasets._rendering.canvas import Canvas

HIDDEN, JOKE = 0.25, 0.4
"""How often a hard picture has something in front, and makes the joke."""

AMOUNTS = {
    "closeness": (0.3, 1.3, 1.9),
    "blur": (0.35, 0.02, 0.04),
    "gain": (0.3, 0.7, 0.4),
    "strength": (0.6, 0.6, 0.2),
    "mimicry": (0.5, 0.25, 0.5),
}
"""How often a hard picture has each other hardship, and from which amount to which."""


@dataclass(frozen=True)
class Hardship:
    """How a picture is made hard; the defaults leave it easy.

    Attributes:
        closeness: how far the camera moves in on a part of the subject, 1 for not at all.
        blur: the Gaussian blur's standard deviation, in units of half the picture's width.
        gain: share of the light that is left; grain grows as it falls.
        hidden: whether something in front hides part of the subject.
        strength: opacity of the parts that decide the class, which are also smaller.
        mimicry: share of another class's texture in the subject's own.
        joke: whether dark spots pose as another class's parts: berries lie as eyes and a nose
            do, and so do burnt crumbs, or they are as large as berries.
    """

    closeness: float = 1.0
    blur: float = 0.0
    gain: float = 1.0
    strength: float = 1.0
    mimicry: float = 0.0
    hidden: bool = False
    joke: bool = False


def draw(rng: Generator, difficulty: float) -> Hardship:
    """Return no hardship, or with probability ``difficulty`` a mixture of several."""
    if rng.random() >= difficulty:
        return Hardship()
    amounts = {
        name: least + rng.random() * (most - least)
        for name, (share, least, most) in AMOUNTS.items()
        if rng.random() < share
    }
    return Hardship(**amounts, hidden=rng.random() < HIDDEN, joke=rng.random() < JOKE)


def cover_up(canvas: Canvas, picture: np.ndarray, rng: Generator) -> np.ndarray:
    """Lay the soft edge of a cloth or a hand over one side of ``picture``; return where it is."""
    turn, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.4)
    _, down = canvas.frame(0, 0, turn)
    wavy = canvas.noise(rng, 1.5)
    distance = down - reach + 0.12 * wavy
    cover = canvas.inside(distance, 0.04)
    cloth = backdrop.ground(rng) * (0.85 + 0.1 * wavy + 0.1 * np.clip(distance, 0, 1))
    picture *= 1 - 0.3 * np.clip(1 + distance / 0.12, 0, 1)
    picture += cover * (cloth - picture)
    return cover


def photograph(
    canvas: Canvas, picture: np.ndarray, hardship: Hardship, rng: Generator
) -> np.ndarray:
    """Return ``picture`` as a camera sees it: blurred, underexposed and grainy."""
    if hardship.blur:
        picture = canvas.blur(picture, hardship.blur)
    if hardship.gain < 1:
        grain = np.stack([canvas.noise(rng, 30) for _ in range(3)])
        picture = hardship.gain * picture + 0.03 * (1 - hardship.gain) * grain
    return picture
