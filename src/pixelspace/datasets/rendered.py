"""Dogs, muffins and fried chicken, drawn: the same silhouettes and colours, three surfaces.

After the internet's joke "puppy or bagel, labradoodle or fried chicken, chihuahua or muffin".
Each picture comes with masks of the parts that decide its class, which photographs lack. A
picture depends on its own seed alone, so that neither the number of pictures nor their size
changes what any of them shows.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pixelspace.artifacts import Dataset, Sample, Split
from pixelspace.datasets._rendering import chicken, dog, hardship, light, muffin, shapes, textures
from pixelspace.datasets._rendering.backdrop import backdrop
from pixelspace.datasets._rendering.canvas import Canvas, Window
from pixelspace.datasets._rendering.surface import Surface

CLASS_NAMES = ("dog", "muffin", "chicken")
PARTS = ("eyes", "nose", "berries", "wrapper", "ridges")

LARGEST_SHARE = 0.25
"""The masks of an image cover at most this share of it; larger parts keep only their cores."""

DIFFICULTY = 0.15
"""Share of the pictures that are hard; see `pixelspace.datasets._rendering.hardship`."""

TEXTURES = (textures.fur, textures.crumb, textures.crust)
PAINTERS = (dog.paint, muffin.paint, chicken.paint)
EDGES = ((0.02, 16), (0.005, 16), (0.028, 8))
"""Per class, how far an outline strays (scene units), and in how many waves per unit."""

ROUGHEST = 0.07
"""The farthest that any outline strays, in scene units."""


def make(
    *,
    seed: int,
    size: int = 128,
    images: int = 3000,
    validation: float = 0.2,
    test: float = 0.2,
    large_per_class: int = 4,
    large_size: int = 320,
    difficulty: float = DIFFICULTY,
) -> Dataset:
    """Return pictures in three classes that take turns: dog, muffin, chicken, dog, …

    Args:
        seed: with a picture's index, it is all that the picture depends on.
        size: height and width of the pictures.
        images: how many there are in all, rounded down to a multiple of 3.
        validation: share of them that is held out to validate.
        test: share of them that is held out to test.
        large_per_class: how many scenes of each class, the first of the test split, are drawn
            once more in the split ``large``, none of them made hard.
        large_size: height and width of those.
        difficulty: share of the pictures that are made hard to tell apart.
    """
    per_class = images // 3
    counts = {"validation": round(per_class * validation), "test": round(per_class * test)}
    counts = {"train": per_class - sum(counts.values()), **counts}
    splits, first = {}, 0
    for name, count in counts.items():
        indices = range(first, first + 3 * count)
        splits[name] = _split(seed, indices, size, difficulty)
        first = indices.stop
    start = first - 3 * counts["test"]
    splits["large"] = _split(seed, range(start, start + 3 * large_per_class), large_size, 0.0)
    return Dataset(CLASS_NAMES, (0.0, 255.0), "uint8", splits, parts=PARTS)


def _split(seed: int, indices: range, size: int, difficulty: float) -> Split:
    return Split(len(indices), (size, size, 3), _samples(seed, indices, size, difficulty))


def _samples(seed: int, indices: range, size: int, difficulty: float) -> Iterator[Sample]:
    for index in indices:
        label = index % len(CLASS_NAMES)
        image, masks = render(label, [seed, index], size, difficulty=difficulty)
        yield Sample(image, label, f"rendered, seed {seed}, number {index}", masks)


def render(
    label: str | int, seed: int | Sequence[int], size: int, *, difficulty: float = DIFFICULTY
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw one picture.

    Args:
        label: a class name or its index.
        seed: all that the picture depends on, whatever its size.
        size: its height and width in pixels.
        difficulty: probability that the picture is made hard to tell from other classes.

    Returns:
        The image ``(size, size, 3)`` as uint8, and by the name of each part its mask
        ``(size, size)``, bool, all False where the picture does not show it.
    """
    label = CLASS_NAMES.index(label) if isinstance(label, str) else label
    shape_rng, scene_rng, texture_rng, part_rng, hard_rng = np.random.default_rng(seed).spawn(5)
    hard = hardship.draw(hard_rng, difficulty)
    whole = _camera(size, hard.closeness, scene_rng)
    palette, lamp = light.pick(scene_rng, light.PALETTES), light.lamp(scene_rng)
    window, body = _body(whole, label, shape_rng)
    canvas = whole.cropped(window)
    texture = TEXTURES[label](canvas, texture_rng, body)
    if hard.mimicry:
        other = (label + hard_rng.integers(1, 3)) % 3
        texture = texture.mixed(TEXTURES[other](canvas, texture_rng, body), hard.mimicry)
    surface = Surface(
        canvas,
        albedo=light.ramp(palette, texture.tone),
        height=body.height + texture.height,
        gloss=texture.gloss,
        strength=hard.strength,
    )
    PAINTERS[label](surface, body, palette, hard, part_rng)
    front = light.illuminate(canvas, surface.albedo, surface.height, surface.gloss, lamp)

    cover = _framed(body.cover, window, size)
    picture = backdrop(whole, scene_rng) * lamp.tint
    picture *= 1 - 0.45 * light.shadow(whole, cover, lamp)
    picture[:, *window] += body.cover * (front - picture[:, *window])
    frame, seen = Canvas.square(size), cover >= 0.5
    if hard.hidden:
        seen &= hardship.cover_up(frame, picture, hard_rng) < 0.5
    picture = hardship.photograph(frame, picture, hard, hard_rng)
    image = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    depths = {name: seen * _framed(depth, window, size) for name, depth in surface.parts.items()}
    return np.ascontiguousarray(image.transpose(1, 2, 0)), _masks(depths, size)


def _camera(size: int, closeness: float, rng: np.random.Generator) -> Canvas:
    """Look at the subject from nearby or farther off, and past its middle when very close."""
    zoom = rng.uniform(0.85, 1.1)
    centre = rng.uniform(-1, 1, 2) * (0.12 + 0.3 * (closeness - 1))
    return Canvas.square(size, zoom * closeness, tuple(centre))


def _body(whole: Canvas, label: int, rng: np.random.Generator) -> tuple[Window, shapes.Body]:
    """Return a class's body in a scene, and the window of the canvas that it lies in."""
    blobs = shapes.LAYOUTS[rng.integers(len(shapes.LAYOUTS))](rng)
    window = shapes.bounds(whole, blobs, ROUGHEST + 2 * whole.pixel)
    canvas = whole.cropped(window)
    stray, waves = EDGES[label]
    rough = 0.018 * canvas.noise(rng, 4) + stray * canvas.fractal(rng, waves, 2)
    return window, shapes.place(canvas, blobs, np.clip(rough, -ROUGHEST, ROUGHEST))


def _framed(part: np.ndarray, window: Window, size: int) -> np.ndarray:
    """Return a whole picture ``(size, size)`` with ``part`` in a window, and 0 elsewhere."""
    whole = np.zeros((size, size))
    whole[window] = part
    return whole


def _masks(depths: dict[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Return the visible parts as masks; where they are too large, the deepest places alone."""
    nowhere = np.zeros((size, size))
    deepest = np.max([*depths.values(), nowhere], axis=0)
    most, floor = int(LARGEST_SHARE * size**2), 0.0
    if np.count_nonzero(deepest) > most:
        floor = np.partition(deepest, -most - 1, axis=None)[-most - 1]
    return {name: depths.get(name, nowhere) > floor for name in PARTS}
