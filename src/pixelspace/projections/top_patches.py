"""Dataset examples: the image patches that excite a unit most."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.networks.layers import ReceptiveField
from pixelspace.projections import graph
from pixelspace.projections.checks import check_whole
from pixelspace.projections.receptive_fields import receptive_field, shown_box
from pixelspace.projections.selection import at_random, choose_units, listed

BATCH = 64


@dataclass(frozen=True)
class TopPatches:
    """Per unit, strongest first: which images excite it most, and where.

    ``activations`` ``(units, k)``, ``images`` ``(units, k)`` numbers of the images, ``positions``
    ``(units, k, 2)`` row and column in the layer's map, (0, 0) for a layer without a map.
    """

    activations: np.ndarray
    images: np.ndarray
    positions: np.ndarray

    def of(self, rows: np.ndarray) -> "TopPatches":
        """Return those of some of the units, by their rows."""
        return TopPatches(self.activations[rows], self.images[rows], self.positions[rows])


@graph.cached
def _compiled(model: keras.Model, layer: str, image_shape: tuple[int, ...]):
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))

    @tf.function(input_signature=[pixels, tf.TensorSpec((None,), tf.int32)], autograph=False)
    def run(images, units):
        (output,) = graph.outputs(model, images, [layer])
        chosen = tf.gather(output, units, axis=-1)
        columns = 1 if chosen.shape.rank == 2 else tf.shape(chosen)[2]
        cells = tf.reshape(chosen, (tf.shape(chosen)[0], -1, tf.size(units)))
        best = tf.argmax(cells, axis=1, output_type=tf.int32)
        positions = tf.stack([best // columns, best % columns], -1)
        return tf.reduce_max(cells, 1), positions

    return run.get_concrete_function()


def strongest_patches(
    model: keras.Model, images: Sequence, layer: str, units: Sequence[int], k: int
) -> TopPatches:
    """Find the ``k`` images that excite each unit most, and where in them.

    An image counts once, by its strongest cell, so that no patch is shown twice a pixel apart.
    Of equal activations the earlier image and, in it, the first cell, row by row, come first.
    One pass; what is kept does not grow with the number of images.

    Args:
        images: ``(n, height, width, channels)``, an array or stored; they are read in slices.
        k: patches for each unit.

    Raises:
        UserError: if the layer or a unit does not exist, or there are fewer than ``k`` images.
    """
    check_whole(1, k=k)
    images = images if hasattr(images, "shape") else np.asarray(images)
    if k > len(images):
        raise UserError(f"k = {k}: more patches than the {len(images)} images that there are")
    units = np.atleast_1d(units)
    graph.check_units(model, layer, units)
    graph.check_images(model, images.shape)
    graph.check_size(model, layer, images.shape[1:3])
    run = _compiled(model, layer, images.shape[1:])
    units = np.asarray(units, np.int32)
    kept = (
        np.empty((0, len(units))),
        np.empty((0, len(units)), np.int64),
        np.empty((0, len(units), 2), np.int64),
    )
    for first in range(0, len(images), BATCH):
        part = graph.as_batch(model, images[first : first + BATCH])
        activations, positions = run(part, units)
        numbers = np.broadcast_to(np.arange(first, first + len(part))[:, None], activations.shape)
        new = (activations.numpy(), numbers, positions.numpy())
        kept = _strongest(*(np.concatenate(pair) for pair in zip(kept, new, strict=True)), k)
    return TopPatches(*(np.swapaxes(column, 0, 1) for column in kept))


def _strongest(activations, images, positions, k: int) -> tuple[np.ndarray, ...]:
    """Keep, for each unit, the ``k`` rows of highest activation, in order."""
    order = np.argsort(-activations, axis=0, kind="stable")[:k]
    rows = np.take_along_axis
    return (
        rows(activations, order, 0),
        rows(images, order, 0),
        rows(positions, order[..., None], 0),
    )


def boxes(patches: TopPatches, field: ReceptiveField, image: tuple[int, int]) -> np.ndarray:
    """Return the top, left, height and width ``(units, k, 4)`` of each patch in its image."""
    found = [shown_box(field, *position, image) for position in patches.positions.reshape(-1, 2)]
    return np.array(found).reshape(*patches.images.shape, 4)


def crop(image: np.ndarray, box: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Cut a box out of an image ``(height, width, channels)``.

    Returns:
        The patch, zero where the box leaves the image, and where it does not, bool.
    """
    top, left, height, width = box
    patch = np.zeros((height, width, image.shape[-1]), image.dtype)
    inside = np.zeros((height, width), bool)
    seen = image[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    rows = slice(max(-top, 0), max(-top, 0) + seen.shape[0])
    columns = slice(max(-left, 0), max(-left, 0) + seen.shape[1])
    patch[rows, columns] = seen
    inside[rows, columns] = True
    return patch, inside


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layer: str,
    units: int | Sequence[int] = 4,
    k: int = 9,
) -> Projection:
    """Show the test patches that excite units of a layer most.

    Args:
        units: their numbers, or how many to choose at random among those that any patch excites.
        k: patches for each unit.
    """
    split = dataset["test"]
    every = np.arange(graph.shape(model, layer)[-1])
    searched = every if isinstance(units, int) else choose_units(model, layer, units, seed)
    patches = strongest_patches(model, split.images, layer, searched, k)
    excited = patches.activations[:, 0] > 0
    silent = searched[~excited]
    rows = np.arange(len(searched))
    if isinstance(units, int):
        rows = at_random(rows[excited] if excited.any() else rows, units, seed)
    patches = patches.of(rows)
    pixels = np.stack([split.images[i].astype(np.float32) for i in patches.images.ravel()])
    field = receptive_field(model, layer, pixels.shape[1:3])
    shown = boxes(patches, field, pixels.shape[1:3])
    cut = [crop(image, box) for image, box in zip(pixels, shown.reshape(-1, 4), strict=True)]
    own = patches.images.shape
    names = dataset.class_names
    about = {
        "kind": "top_patches",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "units": searched[rows].tolist(),
        "split": "test",
        "labels": [[names[split.labels[i]] for i in row] for row in patches.images],
        "receptive_field": {
            "size": list(field.size),
            "stride": list(field.stride),
            "start": list(field.start),
        },
        "notes": [f"{listed(silent)}: excited by no test image"] if silent.size else [],
    }
    arrays = {
        "patches": np.stack([patch for patch, _ in cut]).reshape(*own, *cut[0][0].shape),
        "inside": np.stack([inside for _, inside in cut]).reshape(*own, *cut[0][1].shape),
        "activations": patches.activations,
        "images": patches.images,
        "positions": patches.positions,
        "boxes": shown,
        "units": searched[rows],
    }
    return Projection(arrays, about)
