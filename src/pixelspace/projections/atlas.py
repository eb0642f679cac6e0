"""Activation atlas: all that a layer sees in a data set, on one map (Carter et al. 2019).

One cell of the layer is taken from each image. Its vectors are laid out so that like ones are
near each other; a grid is laid over them; and for each field of the grid an image is made whose
vectors point as the mean of those in the field does (doi:10.23915/distill.00015).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph, objectives
from pixelspace.projections.checks import check_whole
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.images import Fourier, mean_colour
from pixelspace.projections.maximization import maximize, notes_of_stuck
from pixelspace.projections.transforms import standard
from pixelspace.projections.tsne import layout

BATCH = 64
SMALLEST = 0.4  # side of the emptiest field shown, the fullest being 1


@dataclass(frozen=True)
class Fields:
    """Fields of a grid, row by row, the emptiest left out.

    ``places`` ``(fields, 2)`` are their rows and columns, ``counts`` how many vectors lie in
    each, ``means`` ``(fields, units)`` the mean of these, and ``sizes`` sides to draw them with,
    whose squares go with the counts.
    """

    places: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    sizes: np.ndarray


def sampled_vectors(
    model: keras.Model, images: Sequence, layer: str, samples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors ``(n, units)`` of one random cell each of images spread over them all.

    Also the numbers of the images ``(n,)``.

    Args:
        images: ``(n, height, width, channels)``, an array or stored; they are read one by one.
        samples: how many to take; all if there are no more than that.
    """
    check_whole(1, samples=samples)
    check_whole(0, seed=seed)
    images = images if hasattr(images, "shape") else np.asarray(images)
    graph.check_images(model, images.shape)
    numbers = np.linspace(0, len(images) - 1, min(samples, len(images))).astype(int)
    generator = np.random.default_rng(seed)
    vectors = []
    for first in range(0, len(numbers), BATCH):
        own = numbers[first : first + BATCH]
        pixels = np.stack([images[i].astype(np.float32) for i in own])
        output = layer_outputs(model, pixels, [layer])[layer]
        cells = output.reshape(len(own), -1, output.shape[-1])
        vectors.append(
            cells[np.arange(len(own)), generator.integers(cells.shape[1], size=len(own))]
        )
    return np.concatenate(vectors), numbers


def fields(vectors: np.ndarray, places: np.ndarray, grid: int, least: int) -> Fields:
    """Sort vectors by their places ``(n, 2)`` into ``grid`` x ``grid`` fields.

    Args:
        least: vectors that a field must have to be kept.
    """
    check_whole(1, grid=grid, least=least)
    low, high = places.min(0), places.max(0)
    # Places on a line have no extent across it.
    extent = np.where(high > low, high - low, 1)
    rows_columns = np.minimum((places - low) / extent * grid, grid - 1).astype(int)
    numbers = rows_columns[:, 0] * grid + rows_columns[:, 1]
    counts = np.bincount(numbers, minlength=grid * grid)
    sums = np.zeros((grid * grid, vectors.shape[1]))
    np.add.at(sums, numbers, vectors)
    kept = np.flatnonzero(counts >= least)
    sides = np.sqrt(counts[kept] / counts.max())
    return Fields(
        np.stack([kept // grid, kept % grid], 1),
        counts[kept],
        sums[kept] / counts[kept, None],
        np.maximum(sides, SMALLEST),
    )


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    grid: int = 10,
    samples: int = 1500,
    least: int = 3,
    size: int = 96,
    steps: int = 128,
) -> Projection:
    """Draw the atlas of a layer over the training images.

    Args:
        grid: fields along each side.
        samples: images that vectors are taken from.
        least: vectors that a field must have to be shown.
        size: height and width of a field's image, in pixels, where the layer allows any; behind a
            flattening, the image is as large as the network's input.
    """
    split = dataset["train"]
    vectors, numbers = sampled_vectors(model, split.images, layer, samples, seed)
    if not np.ptp(vectors, axis=0).any():
        raise UserError(f"layer {layer}: the same for all images; there is nothing to lay out")
    places = layout(vectors)
    found = fields(vectors, places, grid, least)
    if not len(found.counts):
        raise UserError(f"least: no field has {least} vectors; ask for fewer, or for fewer fields")
    codes = found.means if len(graph.shape(model, layer)) == 1 else found.means[:, None, None]
    shape = graph.sized_image_shape(model)
    if graph.takes_any_size(model, layer):
        shape = (size, size, shape[-1])
    made = maximize(
        model,
        objectives.likeness(layer, codes),
        seed=seed,
        image=Fourier(shape, mean_colour(split.images, dataset.value_range)),
        transforms=standard(shape[:2]),
        steps=steps,
        value_range=dataset.value_range,
    )
    about = {
        "kind": "atlas",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "grid": grid,
        "samples": len(vectors),
        "split": "train",
        "steps": steps,
        "notes": [f"{len(vectors) - found.counts.sum()} vectors lie in fields that are left out"]
        + notes_of_stuck([f"field {row}, {column}" for row, column in found.places], made.values),
    }
    arrays = {
        "images": made.images,
        "places": found.places,
        "counts": found.counts,
        "sizes": found.sizes,
        "layout": places,
        "labels": split.labels[numbers],
    }
    return Projection(arrays, about)
