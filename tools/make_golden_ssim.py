"""Record the structural similarity that scikit-image finds for pairs of images.

Run once, by hand, from the repository's root, as ``python tools/make_golden_ssim.py`` in an
environment of its own that has scikit-image 0.25.2 and numpy; `tools/README.md` says how to make
it.

Writes ``tests/golden/ssim.npz``: pairs of images ``a_NAME`` and ``b_NAME``, ``(height, width)``
with values from 0 to 1, and their similarity ``ssim_NAME``, with the settings by which scikit-image
matches Wang et al. (2004).
"""

from pathlib import Path

import numpy as np
from skimage.metrics import structural_similarity

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    "gaussian_weights": True,
    "sigma": 1.5,
    "use_sample_covariance": False,
    "data_range": 1.0,
}


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return pairs of images that are unlike, alike, the same, opposed and flat."""
    generator = np.random.default_rng(5)
    noise = generator.uniform(size=(2, 24, 31))
    y, x = np.mgrid[0:1:28j, 0:1:28j]
    waves = 0.5 + 0.5 * np.sin(9 * x + 4 * y)
    sparse = np.where(noise > 0.9, noise, 0)
    return {
        "noise": (noise[0], noise[1]),
        "sparse": (sparse[0], sparse[1]),
        "alike": (noise[0], np.clip(noise[0] + 0.2 * (noise[1] - 0.5), 0, 1)),
        "same": (waves, waves),
        "opposed": (waves, 1 - waves),
        "darker": (waves, 0.3 * waves),
        "flat": (waves, np.zeros_like(waves)),
        "smallest": (noise[0, :11, :11], noise[1, :11, :11]),
    }


def main() -> None:
    """Write the file."""
    golden = {}
    for name, (a, b) in pairs().items():
        found = structural_similarity(a, b, **SETTINGS)
        print(f"{name}: {found:.6f}")
        golden |= {f"a_{name}": a, f"b_{name}": b, f"ssim_{name}": np.array(found)}
    path = ROOT / "tests" / "golden" / "ssim.npz"
    np.savez_compressed(path, **golden)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
