"""Structural similarity: by hand, and as scikit-image has it."""

from pathlib import Path

import numpy as np
import pytest

from pixelspace.measures.ssim import SIDE, structural_similarity

GOLDEN = Path(__file__).parent / "golden" / "ssim.npz"  # by tools/make_golden_ssim.py
NAMES = ["noise", "sparse", "alike", "same", "opposed", "darker", "flat", "smallest"]


@pytest.mark.parametrize("name", NAMES)
def test_as_scikit_image_has_it(name):
    with np.load(GOLDEN, allow_pickle=False) as golden:
        a, b = golden[f"a_{name}"], golden[f"b_{name}"]
        expected = float(golden[f"ssim_{name}"])
    assert structural_similarity(a, b) == pytest.approx(expected, abs=1e-12)
    assert structural_similarity(b, a) == pytest.approx(expected, abs=1e-12)


def test_of_even_images_their_means_alone_count():
    grey, dark = np.full((12, 15), 0.5), np.full((12, 15), 0.25)
    expected = (2 * 0.5 * 0.25 + 0.0001) / (0.5**2 + 0.25**2 + 0.0001)
    assert structural_similarity(grey, dark) == pytest.approx(expected)
    assert structural_similarity(grey, grey) == pytest.approx(1)


def test_images_that_no_window_fits_into_are_refused():
    small, large = np.zeros((SIDE - 1, 20)), np.zeros((SIDE, 20))
    for pair in ((small, small), (large, large.T), (large[None], large[None])):
        with pytest.raises(ValueError, match="11 x 11 or more expected"):
            structural_similarity(*pair)
