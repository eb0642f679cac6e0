"""Time the drawing of images as the data job does it: ``python benchmarks/rendering.py``.

Prints milliseconds of one core an image, HDF5 written, at two sizes: the best of a few runs, so
that a busy machine matters less.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import tempfile
import time

from pixelspace import artifacts
from pixelspace.datasets import rendered

IMAGES = {128: 300, 320: 60}
RUNS = 3


def seconds(size: int, images: int) -> float:
    """Return the processor time an image."""
    dataset = rendered.make(seed=0, size=size, images=images, large_per_class=1, large_size=size)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        artifacts.write_dataset(f"{folder}/dataset.h5", dataset)
        elapsed = time.process_time() - start
    return elapsed / sum(split.count for split in dataset.splits.values())


def main() -> None:
    for size, images in IMAGES.items():
        best = min(seconds(size, images) for _ in range(RUNS))
        print(f"{size} px: {1000 * best:.1f} ms an image")


if __name__ == "__main__":
    main()
