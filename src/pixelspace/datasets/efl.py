"""Noisy letters E, F and L on a small grid, after Orbanz (2017, lecture notes)."""

from collections.abc import Iterator

import numpy as np

from pixelspace.artifacts import Dataset, Sample, Split

CLASS_NAMES = ("E", "F", "L")
PARTS_OF = {"E": ("stem", "arms", "leg"), "F": ("stem", "arms"), "L": ("stem", "leg")}
MINIMUM_GRID = (5, 4)
"""The fewest rows and columns that leave a gap between any two strokes."""


def masks(rows: int, columns: int) -> dict[str, np.ndarray]:
    """Return where the stem, the two upper arms and the bottom leg are, ``(rows, columns)`` bool.

    The parts do not overlap: E is all of them, F lacks the leg, L lacks the arms. Margins and
    strokes are one pixel wide on a 9 × 7 grid and grow with it; smaller grids have no margin.

    Raises:
        ValueError: if the grid is smaller than `MINIMUM_GRID`.
    """
    if rows < MINIMUM_GRID[0] or columns < MINIMUM_GRID[1]:
        raise ValueError("letters need at least {} rows and {} columns".format(*MINIMUM_GRID))
    top, left = rows // 9, columns // 7
    stroke = max(1, round(min(rows / 9, columns / 7)))
    beside_stem = slice(left + stroke, columns - left)
    leg = rows - top - stroke

    parts = {name: np.zeros((rows, columns), bool) for name in ("stem", "arms", "leg")}
    parts["stem"][top : rows - top, left : left + stroke] = True
    for arm in (top, (top + leg) // 2):
        parts["arms"][arm : arm + stroke, beside_stem] = True
    parts["leg"][leg : leg + stroke, beside_stem] = True
    return parts


def templates(rows: int, columns: int) -> np.ndarray:
    """Return the clean letters ``(3, rows, columns, 1)`` in the order E, F, L: 1 on a stroke."""
    parts = masks(rows, columns)
    letters = [sum(parts[part] for part in PARTS_OF[name]) for name in CLASS_NAMES]
    return np.array(letters, np.float32)[..., None]


def make(
    *,
    seed: int,
    rows: int = 9,
    columns: int = 7,
    images_per_class: int = 2000,
    validation_per_class: int = 500,
    test_per_class: int = 500,
    noise: float = 0.2,
) -> Dataset:
    """Return letters with Gaussian noise of standard deviation ``noise`` added.

    Negative noise is set to 0, so that noise only ever brightens a pixel; a stroke's pixels
    may exceed 1. The letters take turns: E, F, L, E, …
    """
    letters = templates(rows, columns)
    counts = {
        "train": images_per_class,
        "validation": validation_per_class,
        "test": test_per_class,
    }
    streams = np.random.default_rng(seed).spawn(len(counts))
    splits = {
        split: Split(3 * count, letters.shape[1:], _samples(letters, 3 * count, noise, stream))
        for (split, count), stream in zip(counts.items(), streams, strict=True)
    }
    return Dataset(CLASS_NAMES, (0.0, 1.0), "float32", splits, templates=letters)


def _samples(
    letters: np.ndarray, count: int, noise: float, stream: np.random.Generator
) -> Iterator[Sample]:
    for index in range(count):
        label = index % 3
        added = noise * stream.standard_normal(letters.shape[1:], np.float32)
        yield Sample(letters[label] + np.maximum(added, 0), label, f"drawn, number {index}")
