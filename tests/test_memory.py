"""Memory does not grow with the number of images: what Python and numpy hold, at the most.

`benchmarks/memory.py` measures whole processes, on photographs.
"""

import tracemalloc
from collections.abc import Callable

import keras
import numpy as np
import pytest
from PIL import Image

from pixelspace import artifacts
from pixelspace.artifacts import Dataset, Sample, Split
from pixelspace.datasets import photos
from pixelspace.datasets.photos import Photo
from pixelspace.networks import cnn, efficientnet, scratch, training, transfer
from pixelspace.projections.top_patches import strongest_patches

SIDE = 32
FEW, MANY = 200, 800


def peak(run: Callable[[], object]) -> int:
    """Return the most bytes that were held during a call, beyond those held before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth(run: Callable[[int], object]) -> int:
    """Return how many bytes more the larger number takes; what is made once is made before."""
    run(FEW)
    return peak(lambda: run(MANY)) - peak(lambda: run(FEW))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Opens a data set of noise with so many images of each split but validation."""
    folder = tmp_path_factory.mktemp("stored")

    def samples(count):
        stream = np.random.default_rng(0)
        for index in range(count):
            image = stream.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
            yield Sample(image, index % 2, str(index))

    def opened(count):
        path = folder / f"{count}.h5"
        if not path.exists():
            counts = {"train": count, "validation": 20, "test": count}
            splits = {name: Split(n, (SIDE, SIDE, 3), samples(n)) for name, n in counts.items()}
            artifacts.write_dataset(path, Dataset(("a", "b"), (0.0, 255.0), "uint8", splits))
        return artifacts.open_dataset(path)

    for count in (FEW, MANY):
        with opened(count):
            pass
    return opened


def test_reading_photographs(tmp_path):
    stream = np.random.default_rng(0)
    for index in range(MANY):
        image = stream.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    size = 4 * SIDE

    def make(count):
        found = [Photo(tmp_path / f"{k}.png", k % 2, str(k)) for k in range(count)]
        shares = {"validation": 0.2, "test": 0.2, "skip_unreadable": 0}
        large = {"large_per_class": 1, "large_size": SIDE}
        dataset = photos.make(found, ("a", "b"), size=size, seed=0, **shares, **large)
        artifacts.write_dataset(tmp_path / "dataset.h5", dataset)

    assert growth(make) < 0.2 * (MANY - FEW) * 3 * size**2


def test_near_duplicates():
    stream = np.random.default_rng(0)
    hashes, mirrored = stream.random((2, 8 * MANY, 256)) < 0.5

    def group(count):
        photos.near_duplicates(hashes[: 8 * count], mirrored[: 8 * count])

    assert growth(group) < 0.2 * 8 * (MANY - FEW) * 2 * 4 * 256  # of their signs, as float32


def test_training_on_features(stored, monkeypatch):
    monkeypatch.setattr(efficientnet, "STAGES", (efficientnet.Stage(1, 3, 2, 1, 8),))
    monkeypatch.setattr(transfer, "load_imagenet", lambda model, path: None)
    monkeypatch.setattr(transfer, "ROWS", 64)
    monkeypatch.setattr(training, "IN_MEMORY", 0)

    def train(count):
        with stored(count) as dataset:
            layers = efficientnet.layers(input_shape=dataset.image_shape, classes=2)
            transfer.train(layers, dataset, seed=0, weights="none", epochs=1)

    features = 4 * 1280
    assert growth(train) < 0.2 * (MANY - FEW) * features


def test_training_from_random_weights(stored, monkeypatch):
    monkeypatch.setattr(training, "IN_MEMORY", 0)

    def train(count):
        with stored(count) as dataset:
            layers = cnn.layers(input_shape=dataset.image_shape, classes=2, filters=[4])
            scratch.train(layers, dataset, seed=0, epochs=1, batch=20)

    assert growth(train) < 0.2 * (MANY - FEW) * 3 * SIDE**2


def test_the_search_for_patches(stored):
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Conv2D(4, 5, name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )

    def search(count):
        with stored(count) as dataset:
            strongest_patches(model, dataset["test"].images, "conv", [0, 1], 3)

    assert growth(search) < 0.2 * (MANY - FEW) * 3 * SIDE**2
