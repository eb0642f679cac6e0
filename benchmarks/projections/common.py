"""What every library is given alike, and how its process is asked for one run after another."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from pixelspace.networks import cnn, efficientnet
from pixelspace.networks.build import build
from pixelspace.networks.weights import load_imagenet

ROOT = Path(__file__).parents[2]
DIGIT_WEIGHTS = "digits.weights.h5"

RUNS = 5
"""How often each work is done, after a first time that also compiles it."""

UNITS = list(range(16))
DIGITS = {"layer": "conv2", "steps": 200}
DEEP = {"layer": "b10_out", "steps": 32}
DREAM = {"layer": "b10_out", "octaves": 4, "steps": 20, "size": 320}
EXPLAINED = 256
BATCH = 32
"""Images in one backward pass."""


def digit_network() -> keras.Model:
    """Return the digit network, untrained."""
    return build(cnn.layers(input_shape=(28, 28, 1), classes=10, padding="valid"))


def deep_network(size: int = 128) -> keras.Model:
    """Return EfficientNet-Lite0 with its ImageNet weights, for square images of a size."""
    model = build(efficientnet.layers(input_shape=(size, size, 3), classes=1000))
    load_imagenet(model, ROOT / "data/efficientnet_lite0/weights.npz", classifier=True)
    return model


def network(task: str, folder: Path) -> keras.Model:
    """Return the network of a task whose name ends in ``digits`` or ``deep``."""
    if task.endswith("deep"):
        return deep_network()
    model = digit_network()
    model.load_weights(folder / DIGIT_WEIGHTS)
    return model


def explained(model: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Return images for a backward pass, and the class that each is explained for."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (EXPLAINED, *model.input_shape[1:])).astype(np.float32)
    return images, rng.integers(model.output_shape[-1], size=EXPLAINED)


def serve(tasks: dict[str, Callable[[str, Path], Callable[[], np.ndarray]]]) -> None:
    """Do a task once for each line that comes in, and answer with its seconds.

    The process is started with the name of the task and a folder, which has the weights and gets
    the result of the last run. What a task's function prepares is not timed; what it returns is.
    """
    task, folder = sys.argv[1], Path(sys.argv[2])
    work = tasks[task](task, folder)
    for _ in sys.stdin:
        start = time.perf_counter()
        result = np.asarray(work())
        print(time.perf_counter() - start, flush=True)
    library = Path(sys.argv[0]).stem.removesuffix("_worker")
    np.save(folder / f"{task}-{library}.npy", result)
