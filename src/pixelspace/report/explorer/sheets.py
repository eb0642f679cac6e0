"""Pictures of a projection in one file: each is a part of it, in the colours of the figures."""

import io
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from pixelspace.figures import style, tiles


class Box(NamedTuple):
    """Where a picture lies on a sheet, in pixels."""

    left: int
    top: int
    width: int
    height: int


@style.house()
def pixels(shown: Iterable[tiles.Tile]) -> list[np.ndarray]:
    """Return each tile as ``(h, w, 3)`` uint8, a pixel for each value, as a figure has it."""
    _, canvas = style.sheet(1)
    images = [tile.show(canvas, (0, 0, 1, 1)) for tile in shown]
    return [image.to_rgba(image.get_array(), bytes=True)[..., :3] for image in images]


def pack(pictures: Sequence[np.ndarray]) -> tuple[np.ndarray, list[Box]]:
    """Lay pictures ``(h, w, 3)`` out in rows of a sheet that is about square, and say where.

    Those with the same pixels are there once. Without any, the sheet is one white pixel.
    """
    area = sum(picture.shape[0] * picture.shape[1] for picture in pictures)
    width = max(math.isqrt(area), *(picture.shape[1] for picture in pictures), 1)
    known: dict[tuple, Box] = {}
    left = top = tall = 0
    for picture in pictures:
        key = picture.shape, picture.tobytes()
        if key in known:
            continue
        high, wide = picture.shape[:2]
        if left + wide > width:
            left, top, tall = 0, top + tall, 0
        known[key] = Box(left, top, wide, high)
        left, tall = left + wide, max(tall, high)
    sheet = np.full((max(top + tall, 1), width, 3), 255, np.uint8)
    for (shape, content), box in known.items():
        place = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
        sheet[place] = np.frombuffer(content, np.uint8).reshape(shape)
    return sheet, [known[picture.shape, picture.tobytes()] for picture in pictures]


def encoded(sheet: np.ndarray) -> bytes:
    """Return a sheet as WebP, without loss: the same pixels give the same bytes."""
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "webp", lossless=True, quality=75, method=4)
    return stream.getvalue()
