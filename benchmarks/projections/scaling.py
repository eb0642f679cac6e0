"""How maximization's time grows with batch and image, and how much of it is the network's own.

The network's own time is that of the same number of steps in one compiled loop that holds nothing
but its forward and backward pass, folded as in maximization, at the same batch and image size. A
single image is made twice, for the sake of the same bytes: its passes are those of two.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from common import DEEP, DIGITS, RUNS, UNITS, network

from pixelspace.projections import graph, objectives
from pixelspace.projections.images import Fourier
from pixelspace.projections.maximization import maximize
from pixelspace.projections.transforms import GENTLE, ROBUST

BATCHES = (1, 2, 4, 8, 16, 32, 64)
SIZES = (64, 96, 128, 192, 256, 384, 512)
SIDE_BY_SIDE = 2  # images of the plot over image sizes
STEPS = {"digits": 200, "deep": 16}
NETWORKS = {"digits": (DIGITS["layer"], GENTLE), "deep": (DEEP["layer"], ROBUST)}


def maximization(name: str, model, batch: int, size: int):
    layer, transforms = NETWORKS[name]
    image = Fourier((size, size, model.input_shape[-1]))
    objective = objectives.channel(layer, np.resize(UNITS, batch))
    options = {"transforms": transforms, "image": image, "batch": batch, "seed": 0}
    return lambda: maximize(model, objective, steps=STEPS[name], **options)


def network_alone(name: str, model, batch: int, size: int):
    layer, _ = NETWORKS[name]
    batch = max(batch, 2)
    vectors = tf.one_hot(np.resize(UNITS, batch), graph.shape(model, layer)[-1])[:, None, None]
    start = tf.random.uniform((batch, size, size, model.input_shape[-1]), 0, 255)

    @tf.function
    def run(images):
        substitute = graph.folded(model, [layer])

        def step(number, images):
            with tf.GradientTape() as tape:
                tape.watch(images)
                (output,) = graph.outputs(model, images, [layer], substitute)
                total = tf.reduce_sum(output * vectors)
            return number + 1, images + tape.gradient(total, images)

        return tf.while_loop(lambda number, _: number < STEPS[name], step, (0, images))[1]

    return lambda: run(start)


def seconds(*works) -> list[float]:
    """Return the median seconds of each work, done in turn; the first, which compiles, apart."""
    times = []
    for _ in range(1 + RUNS):
        for work in works:
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return [statistics.median(times[n + len(works) :: len(works)]) for n in range(len(works))]


def measure(folder: Path) -> dict:
    found = {"batch": {}, "share": {}, "size": []}
    for name in NETWORKS:
        model, steps = network(name, folder), STEPS[name]
        size = model.input_shape[1]
        found["batch"][name], found["share"][name] = [], []
        for batch in BATCHES:
            whole, alone = seconds(
                maximization(name, model, batch, size), network_alone(name, model, batch, size)
            )
            found["batch"][name].append((batch, 1000 * whole / batch / steps))
            found["share"][name].append((batch, alone / whole))
            print(f"{name}, batch {batch}: the network takes {alone / whole:.0%}", flush=True)
    for size in SIZES:
        (whole,) = seconds(maximization("deep", model, SIDE_BY_SIDE, size))
        milliseconds = 1000 * whole / STEPS["deep"] / SIDE_BY_SIDE
        found["size"].append((size, milliseconds))
        print(f"deep, {size} pixels: {milliseconds:.1f} ms an image and step", flush=True)
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    (folder / "scaling.json").write_text(json.dumps(measure(folder)), encoding="utf-8")
