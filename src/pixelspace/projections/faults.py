"""Filters that their pictures condemn: dead, duplicate or aliased.

Zeiler and Fergus (2014, arXiv:1311.2901, section 4.1) redesigned a network after such faults were
seen in the projections of its first layers. Here the picture of a filter is its weight projection
times the activation at its strongest cell, averaged over the validation images, so that a filter
which never opens, or whose weights are next to nothing, has a blank one. A filter is the more

- *dead*, the fainter its picture,
- *duplicate*, the larger the cosine between its picture and another one's,
- *aliased*, the more of its picture's energy lies at frequencies above half of Nyquist's, which is
  .25 periods a pixel in any direction.
"""

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset, StoredSplit
from pixelspace.projections import feature_maps, graph, weights

FAULTS = ("dead", "duplicate", "aliased")

HALF_OF_NYQUIST = 0.25
FINER = 4  # points of the spectrum for each that the pixels of a picture give
BATCH = 64


def strongest_activations(model: keras.Model, split: StoredSplit, layer: str) -> np.ndarray:
    """Return each unit's largest activation in an image, behind its rectifier, on average.

    Returns:
        ``(units,)``, float64.
    """
    layer = weights.activated(model, layer)
    sums = np.zeros(graph.shape(model, layer)[-1])
    for images, _ in split.batches(BATCH):
        output = feature_maps.layer_outputs(model, images, [layer])[layer]
        largest = output.reshape(len(output), -1, output.shape[-1]).max(axis=1)
        sums += largest.sum(axis=0, dtype=np.float64)
    return sums / len(split)


def pictures(model: keras.Model, split: StoredSplit, layer: str) -> np.ndarray:
    """Return the picture of each unit of a layer, ``(units, height, width, channels)``, signed.

    Raises:
        UserError: if the layer does not exist.
    """
    units = range(graph.shape(model, layer)[-1])
    projections, _ = weights.project_weights(model, layer, units)
    return projections * strongest_activations(model, split, layer)[:, None, None, None]


def brightness(images: np.ndarray) -> np.ndarray:
    """Return the root mean square of each picture ``(n, height, width, channels)``."""
    return np.sqrt(np.mean(np.square(images, dtype=np.float64), axis=(1, 2, 3)))


def cosines(images: np.ndarray) -> np.ndarray:
    """Return the cosine of each picture with each other one, ``(n, n)``; -1 on the diagonal.

    A blank picture has cosine 0 with every other.
    """
    flat = images.reshape(len(images), -1).astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = flat / np.where(lengths > 0, lengths, 1)
    found = unit @ unit.T
    np.fill_diagonal(found, -1)
    return found


def high_frequency_share(images: np.ndarray) -> np.ndarray:
    """Return the share of each picture's spectral energy that lies above half of Nyquist's.

    White noise has .80 there on average: all but a disc. A blank picture has none.
    """
    height, width = (FINER * length for length in images.shape[1:3])
    energy = np.abs(np.fft.fft2(images, (height, width), axes=(1, 2))) ** 2
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]
    high = np.hypot(rows, columns) > HALF_OF_NYQUIST
    total = energy.sum(axis=(1, 2, 3))
    return energy[:, high].sum(axis=(1, 2)) / np.where(total > 0, total, 1)


def condemned(images: np.ndarray, count: int) -> tuple[np.ndarray, list[str]]:
    """Choose ``count`` pictures, fewer than there are, one after the other.

    The three faults take turns: first goes the faintest picture; then, of the two most alike among
    those that stay, the fainter; then the one with the largest share of high frequencies; then
    the faintest of those left, and so on. Of equals the earlier goes.

    Returns:
        Their numbers ``(count,)`` in that order, and the fault that each went for.
    """
    bright, alike, rough = brightness(images), cosines(images), high_frequency_share(images)
    staying = np.arange(len(images))
    faults = [FAULTS[turn % len(FAULTS)] for turn in range(count)]
    chosen = []
    for fault in faults:
        match fault:
            case "dead":
                place = bright[staying].argmin()
            case "duplicate":
                among = alike[np.ix_(staying, staying)]
                pair = np.array(np.unravel_index(among.argmax(), among.shape))
                place = pair[bright[staying[pair]].argmin()]
            case "aliased":
                place = rough[staying].argmax()
        chosen.append(staying[place])
        staying = np.delete(staying, place)
    return np.array(chosen, np.int64), faults


def project(model: keras.Model, dataset: StoredDataset, *, seed: int, layer: str) -> Projection:
    """Show the filters of a layer in the order in which their pictures condemn them.

    All but the last, which is left over.
    """
    images = pictures(model, dataset["validation"], layer)
    order, faults = condemned(images, len(images) - 1)
    about = {
        "kind": "faults",
        "class_names": list(dataset.class_names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "faults": faults,
        "notes": [],
    }
    return Projection({"projections": images[order], "units": order}, about)
