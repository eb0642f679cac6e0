"""Time the drawing of one image: ``python benchmarks/rendering.py``.

Prints milliseconds an image on one core, per class and size: the median over scenes, of the
fastest of a few drawings of each, so that a busy machine matters little.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import statistics
import time

from pixelspace.datasets import rendered

SIZES = (128, 320)
SCENES = 24
REPEATS = 5


def seconds(label: str, scene: int, size: int) -> float:
    """Return the processor time of the fastest of a few drawings of one scene."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        rendered.render(label, [0, scene], size)
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    print(f"{'':8}" + "".join(f"{size:>7} px" for size in SIZES))
    for label in rendered.CLASS_NAMES:
        medians = (
            statistics.median(seconds(label, scene, size) for scene in range(SCENES))
            for size in SIZES
        )
        print(f"{label:8}" + "".join(f"{1000 * median:7.1f} ms" for median in medians))


if __name__ == "__main__":
    main()
