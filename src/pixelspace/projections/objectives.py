"""Objectives: what about a network's activations is to grow, one number for each image.

    +-------+   unit: one cell of a channel, the one in the middle unless another is named
    |       |
    |   x   |   channel: all its cells, on the mean          layer: the mean square of it all
    |       |
    +-------+   logit: a class before the softmax            direction: a mix of channels

They are made for as many images as there are units, and can be added, subtracted and scaled:
``channel("conv2", [3, 5]) - 0.5 * logit(7)`` is an objective for two images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections.graph import LOGITS

MEAN = (-1, -1)
MIDDLE = (-2, -2)


@dataclass(frozen=True, eq=False)
class Term:
    """One addend: a ``kind`` of score of a layer, times a factor for each image.

    ``"units"`` is the product of the layer's output with ``vectors``, or, where these are None,
    the output of the units of these numbers, at ``cells``; ``"square"`` the mean square;
    ``"diversity"`` how little the images of a group of ``group`` are alike.
    """

    layer: str
    kind: str
    factors: np.ndarray  # (n,)
    units: np.ndarray | None = None  # (n,)
    vectors: np.ndarray | None = None  # (n, units of the layer)
    cells: np.ndarray | None = None  # (n, 2)
    group: int = 1

    def weights(self, total: int) -> np.ndarray:
        """Return the factors and vectors as one array ``(n, total or 1)``."""
        if self.units is not None:
            vectors = np.eye(total)[self.units]
        else:
            vectors = np.ones((1, 1)) if self.vectors is None else self.vectors
        return (self.factors[:, None] * vectors).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Objective:
    """A sum of terms. A term for one image goes with any number of them."""

    terms: tuple[Term, ...]

    @property
    def count(self) -> int:
        """How many images it is for.

        Raises:
            UserError: if its terms do not agree.
        """
        counts = {len(term.factors) for term in self.terms}
        if len(counts - {1}) > 1:
            listed = " and ".join(map(str, sorted(counts - {1})))
            raise UserError(f"objective: its terms are for {listed} images; give each as many")
        return max(counts)

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(self.terms + other.terms)

    def __mul__(self, factor: float) -> "Objective":
        scaled = (replace(term, factors=factor * term.factors) for term in self.terms)
        return Objective(tuple(scaled))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return -1.0 * self

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other


def _units(layer: str, units: int | Sequence[int], cells) -> Objective:
    units = np.atleast_1d(units)
    cells = np.broadcast_to(cells, (len(units), 2)).astype(np.int32)
    return Objective((Term(layer, "units", np.ones(len(units)), units=units, cells=cells),))


def unit(layer: str, units: int | Sequence[int], cell: tuple[int, int] = MIDDLE) -> Objective:
    """One cell (row, column) of channels; for a dense layer, its units."""
    return _units(layer, units, cell)


def channel(layer: str, units: int | Sequence[int]) -> Objective:
    """The mean of channels over all their cells; for a dense layer, its units."""
    return _units(layer, units, MEAN)


def logit(classes: int | Sequence[int]) -> Objective:
    """Classes before the softmax or sigmoid."""
    return _units(LOGITS, classes, MEAN)


def direction(layer: str, vectors: np.ndarray, cell: tuple[int, int] = MEAN) -> Objective:
    """The product of a layer's output with vectors ``(n, units)``, on the mean over its cells."""
    vectors = np.atleast_2d(vectors)
    cells = np.broadcast_to(cell, (len(vectors), 2)).astype(np.int32)
    return Objective((Term(layer, "units", np.ones(len(vectors)), vectors=vectors, cells=cells),))


def layer(name: str) -> Objective:
    """The mean square of all that a layer puts out: what excites it in any way."""
    return Objective((Term(name, "square", np.ones(1)),))


def diversity(layer: str, images: int) -> Objective:
    """How little the images of a group are alike in a layer; each ``images`` are a group.

    Minus the mean cosine between the Gram matrices of their channels, which say what goes with
    what, wherever it is (Olah, Mordvintsev and Schubert 2017).
    """
    return Objective((Term(layer, "diversity", np.ones(1), group=images),))


def score(
    kind: str, group: int, output: tf.Tensor, weights: tf.Tensor, cells: tf.Tensor
) -> tf.Tensor:
    """Return a term's value for each image ``(n,)``.

    Args:
        output: of the term's layer, ``(n, units)`` or ``(n, rows, columns, units)``.
    """
    if kind == "square":
        return weights[:, 0] * tf.reduce_mean(output**2, range(1, output.shape.rank))
    if kind == "diversity":
        return -weights[:, 0] * _likeness(output, group)
    if output.shape.rank == 4:
        output = _at(output, cells)
    return tf.reduce_sum(weights * output, 1)


def _at(maps: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
    """Return each image's units ``(n, units)`` at its cell, in the middle or on the mean."""
    size = tf.shape(maps)[1:3]
    cells = tf.where(cells == MIDDLE[0], size // 2, cells)
    rows, columns = (tf.one_hot(cells[:, axis], size[axis], dtype=maps.dtype) for axis in (0, 1))
    one = rows[:, :, None] * columns[:, None, :]
    share = tf.where(
        cells[:, :1, None] == MEAN[0], 1 / tf.cast(tf.reduce_prod(size), maps.dtype), one
    )
    return tf.einsum("nijc,nij->nc", maps, share)


def _likeness(output: tf.Tensor, group: int) -> tf.Tensor:
    """Return the mean cosine of each image's Gram matrix with those of the others in its group."""
    channels = output.shape[-1]
    cells = tf.reshape(output, (tf.shape(output)[0], -1, channels))
    grams = tf.reshape(tf.matmul(cells, cells, transpose_a=True), (-1, group, channels**2))
    grams = tf.math.l2_normalize(grams, -1)
    cosines = tf.reduce_sum(tf.matmul(grams, grams, transpose_b=True), -1) - 1
    return tf.reshape(cosines, (-1,)) / (group - 1)
