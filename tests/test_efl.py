"""The letters: their shapes drawn by hand, their noise against its known distribution."""

import itertools
import math

import numpy as np
import pytest

from pixelspace.datasets import efl

HEIGHTS = (5, 6, 7, 9, 16, 28, 64)
WIDTHS = (4, 7, 16, 28, 64)


def draw(picture: str) -> np.ndarray:
    return np.array([[mark == "#" for mark in line] for line in picture.split()])


LETTERS = {
    "E": ".......  .#####.  .#.....  .#.....  .#####.  .#.....  .#.....  .#####.  .......",
    "F": ".......  .#####.  .#.....  .#.....  .#####.  .#.....  .#.....  .#.....  .......",
    "L": ".......  .#.....  .#.....  .#.....  .#.....  .#.....  .#.....  .#####.  .......",
}


def test_letters_look_as_drawn():
    letters = efl.templates(9, 7)
    assert letters.shape == (3, 9, 7, 1)
    for letter, name in zip(letters, efl.CLASS_NAMES, strict=True):
        np.testing.assert_array_equal(letter[..., 0], draw(LETTERS[name]))


def test_strokes_grow_with_the_grid():
    parts = efl.masks(16, 16)
    assert parts["stem"].sum() == 14 * 2
    assert parts["arms"].sum() == 2 * 2 * 10
    assert parts["leg"].sum() == 2 * 10
    np.testing.assert_array_equal(np.flatnonzero(parts["arms"][:, 8]), [1, 2, 7, 8])
    np.testing.assert_array_equal(np.flatnonzero(parts["leg"][:, 8]), [13, 14])


@pytest.mark.parametrize("grid", list(itertools.product(HEIGHTS, WIDTHS)))
def test_parts_are_disjoint_and_make_the_letters(grid):
    parts = efl.masks(*grid)
    stem, arms, leg = parts["stem"], parts["arms"], parts["leg"]
    assert not (stem & arms).any() and not (stem & leg).any() and not (arms & leg).any()
    letters = efl.templates(*grid)[..., 0]
    np.testing.assert_array_equal(letters[0] - letters[1], leg)
    np.testing.assert_array_equal(letters[0] - letters[2], arms)
    np.testing.assert_array_equal(letters[2], stem | leg)
    down = np.diff(letters[0], axis=0, prepend=0, append=0)[:, grid[1] // 2]
    assert np.abs(down).sum() == 6, "three strokes with gaps between them"


def test_a_grid_too_small_for_the_letters_is_refused():
    with pytest.raises(ValueError, match="5 rows and 4 columns"):
        efl.masks(4, 7)


def images_of(dataset, split):
    samples = list(dataset.splits[split].samples)
    assert len(samples) == dataset.splits[split].count
    return np.stack([s.image for s in samples]), np.array([s.label for s in samples])


def test_noise_is_gaussian_with_its_negative_half_at_zero():
    images, labels = images_of(efl.make(seed=1, images_per_class=300, noise=0.2), "train")
    assert images.dtype == np.float32
    np.testing.assert_array_equal(np.bincount(labels), [300, 300, 300])
    noise = images - efl.templates(9, 7)[labels]
    assert noise.min() == 0
    assert np.mean(noise == 0) == pytest.approx(0.5, abs=0.01)
    assert noise.mean() == pytest.approx(0.2 / math.sqrt(2 * math.pi), abs=0.002)
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.2 / math.sqrt(2), abs=0.002)


def test_without_noise_the_images_are_the_letters():
    dataset = efl.make(seed=1, images_per_class=2, noise=0.0)
    images, labels = images_of(dataset, "train")
    np.testing.assert_array_equal(labels, [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(images, dataset.templates[labels])


def test_splits_and_seeds_give_different_images_and_the_same_seed_the_same():
    def first(seed, split):
        return next(iter(efl.make(seed=seed).splits[split].samples)).image

    np.testing.assert_array_equal(first(1, "train"), first(1, "train"))
    others = [first(1, "validation"), first(1, "test"), first(2, "train")]
    for other in others:
        assert not np.array_equal(first(1, "train"), other)
    assert not np.array_equal(others[0], others[1])
