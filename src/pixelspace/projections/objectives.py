"""Objectives: what about a network's activations is to grow, one number for each image.

    +-------+   unit: one cell of a channel, the one in the middle unless another is named
    |       |
    |   x   |   channel: all its cells, on the mean          layer: the mean square of it all
    |       |
    +-------+   logit: a class before the softmax            direction: a mix of channels

They are made for as many images as there are units, and can be added, subtracted and scaled, by a
number or by one for each image: ``channel("conv2", [3, 5]) - 0.5 * logit(7)`` is an objective for
two images.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections.checks import check_number, check_whole
from pixelspace.projections.graph import LOGITS

MEAN = (-1, -1)
MIDDLE = (-2, -2)
LEAST_WEIGHT = 0.1  # of a product in a likeness; with less, there is next to no slope to climb


@dataclass(frozen=True, eq=False)
class Term:
    """One addend: a ``kind`` of score of a layer, times a factor for each image.

    Kinds, given the layer's output a and a vector v: ``"units"``, the product a v at a cell;
    ``"square"``, the mean of a²; ``"likeness"``, the mean over cells of a v cos(a, v)^power;
    ``"code"``, minus |a - v|² / |v|², undivided if v is 0; ``"diversity"``, how little the images
    of a group of that many are alike.
    """

    layer: str
    kind: str
    factors: np.ndarray  # (n,)
    units: np.ndarray | None = None  # (n,); short for vectors with a single 1
    vectors: np.ndarray | None = None  # (n, units), or of the shape of the layer's output
    cells: np.ndarray | None = None  # (n, 2)
    parameter: int = 1  # group or power

    def data(self, total: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the factors, vectors and cells, for a layer of ``total`` units."""
        vectors = np.eye(total)[self.units] if self.units is not None else self.vectors
        vectors = np.zeros((1, 1)) if vectors is None else vectors
        cells = np.zeros((1, 2)) if self.cells is None else self.cells
        return self.factors.astype(np.float32), vectors.astype(np.float32), cells.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Objective:
    """A sum of terms. A term for one image goes with any number of them."""

    terms: tuple[Term, ...]

    __array_ufunc__ = None  # so that an array times an objective is an objective

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
        if not isinstance(other, Objective):
            return NotImplemented
        return Objective(self.terms + other.terms)

    def __radd__(self, other: int) -> "Objective":
        return self if other == 0 else NotImplemented  # sum() begins with 0

    def __truediv__(self, divisor: float) -> "Objective":
        return self * (1 / divisor)

    def __mul__(self, factor: float | np.ndarray) -> "Objective":
        if not np.isfinite(factor).all():
            raise UserError(f"objective: factor {factor}; finite numbers are expected")
        numbers = np.shape(factor)
        if numbers not in ((), (1,)) and (self.count != 1 and numbers != (self.count,)):
            raise UserError(
                f"objective: {numbers[0]} factors for {self.count} images; give one, or as many"
            )
        scaled = (replace(term, factors=factor * term.factors) for term in self.terms)
        return Objective(tuple(scaled))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return -1.0 * self

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other


def _units(layer: str, units: int | Sequence[int], cells) -> Objective:
    units = np.atleast_1d(units)
    if units.ndim != 1:
        raise UserError(f"layer {layer}: units of shape {units.shape}; one, or a row is expected")
    cells = _cells(layer, cells, len(units))
    return Objective((Term(layer, "units", np.ones(len(units)), units=units, cells=cells),))


def _cells(layer: str, cells: Sequence[int], count: int) -> np.ndarray:
    """Return the row and the column of a cell for each of ``count`` images."""
    cells = np.asarray(cells)
    if cells.shape not in ((2,), (count, 2)) or not np.issubdtype(cells.dtype, np.integer):
        raise UserError(f"layer {layer}: a cell is a row and a column, two whole numbers")
    return np.broadcast_to(cells, (count, 2)).astype(np.int32)


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
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise UserError(f"layer {layer}: vectors are rows of finite numbers, one for each image")
    cells = _cells(layer, cell, len(vectors))
    return Objective((Term(layer, "units", np.ones(len(vectors)), vectors=vectors, cells=cells),))


def layer(name: str) -> Objective:
    """The mean square of all that a layer puts out: what excites it in any way."""
    return Objective((Term(name, "square", np.ones(1)),))


def diversity(layer: str, images: int) -> Objective:
    """How little the images of a group are alike in a layer; each ``images`` are a group.

    Raises:
        UserError: for groups of fewer than two images.

    Minus the mean cosine between the Gram matrices of their channels, which say what goes with
    what, wherever it is (Olah, Mordvintsev and Schubert 2017).
    """
    check_whole(0, images=images)
    if images < 2:
        raise UserError(f"diversity: groups of {images}; it takes 2 images to differ")
    return Objective((Term(layer, "diversity", np.ones(1), parameter=images),))


def likeness(layer: str, codes: np.ndarray, power: int = 4) -> Objective:
    """How much, and how exactly, a layer's output points where a code does.

    The mean over cells of their product times their cosine to a ``power``: the product alone would
    be largest where a few strong units are, whatever the others do (Carter et al. 2019,
    doi:10.23915/distill.00015).

    Args:
        codes: outputs of the layer ``(n, rows, columns, units)``, or ``(n, 1, 1, units)`` for one
            vector in all cells; for a dense layer ``(n, units)``.
    """
    codes = _codes(layer, codes)
    check_number(0, power=power)
    factors = np.ones(len(codes))
    return Objective((Term(layer, "likeness", factors, vectors=codes, parameter=power),))


def code(layer: str, codes: np.ndarray) -> Objective:
    """How little a layer's output differs from a code of the same shape ``(n, ...)``.

    Minus the square of their distance, as a share of the code's own square unless that is 0
    (Mahendran and Vedaldi 2015, arXiv:1412.0035).
    """
    codes = _codes(layer, codes)
    return Objective((Term(layer, "code", np.ones(len(codes)), vectors=codes),))


def _codes(layer: str, codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim < 2 or not np.isfinite(codes).all():
        raise UserError(f"layer {layer}: codes are finite numbers (n, ...), one code for an image")
    return codes


def score(
    kind: str, parameter: int, output: tf.Tensor, vectors: tf.Tensor, cells: tf.Tensor
) -> tf.Tensor:
    """Return a term's value for each image ``(n,)``, without its factor.

    Args:
        output: of the term's layer, ``(n, units)`` or ``(n, rows, columns, units)``.
    """
    axes = list(range(1, output.shape.rank))
    match kind:
        case "units":
            chosen = _at(output, cells) if output.shape.rank == 4 else output
            return tf.reduce_sum(vectors * chosen, 1)
        case "square":
            return tf.reduce_mean(output**2, axes)
        case "likeness":
            product = tf.reduce_sum(output * vectors, -1)
            squares = tf.reduce_sum(output**2, -1) * tf.reduce_sum(vectors**2, -1)
            cosine = tf.nn.relu(product * tf.math.rsqrt(squares + 1e-6))
            weight = tf.maximum(cosine**parameter, LEAST_WEIGHT)
            return tf.reduce_mean(product * weight, axes[:-1])
        case "code":
            distance = tf.reduce_sum((output - vectors) ** 2, axes)
            square = tf.reduce_sum(vectors**2, axes)
            return -distance / tf.where(square > 0, square, 1)
        case "diversity":
            return -_alikeness(output, parameter)
        case _:
            raise ValueError(f"unknown kind of objective: {kind!r}")


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


def _alikeness(output: tf.Tensor, group: int) -> tf.Tensor:
    """Return the mean cosine of each image's Gram matrix with those of the others in its group."""
    channels = output.shape[-1]
    cells = tf.reshape(output, (tf.shape(output)[0], -1, channels))
    grams = tf.reshape(tf.matmul(cells, cells, transpose_a=True), (-1, group, channels**2))
    grams = tf.math.l2_normalize(grams, -1)
    cosines = tf.reduce_sum(tf.matmul(grams, grams, transpose_b=True), -1) - 1
    return tf.reshape(cosines, (-1,)) / (group - 1)
