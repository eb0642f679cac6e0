"""Record what xplique computes for deletion and insertion, as a reference for `measures`.

Run once, by hand, from the repository's root, as ``python tools/make_golden_faithfulness.py`` in an
environment of its own that has xplique 2.0.2; `tools/README.md` says how to make it.

Writes ``tests/golden/faithfulness.npz``: images ``(n, height, width, channels)``, their baselines
for insertion, maps ``(n, height, width)`` without equal values, classes, the weights of a linear
model with a softmax; and by the number of steps the curves ``(n, steps + 1)`` and areas ``(n,)``
of deletion to `GREY` and of insertion. xplique averages over images, so that it is asked for one
at a time.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from xplique.metrics import Deletion, Insertion

ROOT = Path(__file__).resolve().parents[1]
GREY = 0.5
STEPS = (5, 9, 54)  # a divisor of the number of pixels, and a number that is none, among them


def main() -> None:
    generator = np.random.default_rng(4)
    images = generator.uniform(0, 1, (4, 9, 6, 3)).astype(np.float32)
    baselines = generator.uniform(0, 1, images.shape).astype(np.float32)
    maps = generator.permuted(np.tile(np.arange(54.0), (4, 1)), axis=1).reshape(images.shape[:3])
    classes = np.array([0, 1, 2, 1])
    weights = generator.normal(0, 0.8, (images[0].size, 3)).astype(np.float32)

    def model(inputs):
        return tf.nn.softmax(tf.reshape(inputs, (-1, len(weights))) @ weights)

    arrays = {
        "images": images,
        "baselines": baselines,
        "maps": maps,
        "classes": classes,
        "weights": weights,
        "grey": np.array(GREY),
        "steps": np.array(STEPS),
    }
    for steps in STEPS:
        for name, metric in (("deletion", Deletion), ("insertion", Insertion)):
            curves, areas = [], []
            for number, label in enumerate(classes):
                own = slice(number, number + 1)
                baseline = GREY if name == "deletion" else lambda _, own=own: baselines[own]
                asked = metric(
                    model, images[own], np.eye(3)[[label]], baseline_mode=baseline, steps=steps
                )
                curves.append(list(asked.detailed_evaluate(maps[own]).values()))
                areas.append(asked.evaluate(maps[own]))
            arrays[f"{name}/{steps}/curves"] = np.array(curves)
            arrays[f"{name}/{steps}/areas"] = np.array(areas)
    np.savez_compressed(ROOT / "tests" / "golden" / "faithfulness.npz", **arrays)


if __name__ == "__main__":
    main()
