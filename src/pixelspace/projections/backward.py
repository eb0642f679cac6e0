"""One backward pass, three ways through a rectifier: gradient, deconvnet, guided backpropagation.

Let x be what goes into a rectifier on the way up, and g what comes back to it on the way down.
It passes on

- gradient (Simonyan et al. 2014, arXiv:1312.6034):  g where it was open;
- deconvnet (Zeiler and Fergus 2014, arXiv:1311.2901):  max(g, 0), wherever it was open;
- guided backpropagation (Springenberg et al. 2015, arXiv:1412.6806):  max(g, 0) where it was open.

It is open where 0 < x, for ReLU6 where 0 < x < 6. All else is as in the gradient: convolutions
are transposed, and max-pooling is undone through its switches, each value going back to the cell
that won its window; of equal cells the first one, row by row.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.checks import check_whole

POLICIES = {
    "gradient": lambda g, is_open: tf.where(is_open, g, 0),
    "deconvnet": lambda g, is_open: tf.nn.relu(g),
    "guided": lambda g, is_open: tf.where(is_open, tf.nn.relu(g), 0),
}
"""What a rectifier passes down, given what comes down and where it was open on the way up."""

Units = int | Sequence[int]
Position = tuple[int, int] | Sequence[tuple[int, int]]


def rectifiers(policy: str) -> graph.Substitute:
    """Return the substitute of every rectifier of a model: the same way up, ``policy`` down."""

    def substitute(operation):
        ceiling = graph.rectifier_ceiling(operation)
        if ceiling is None:
            return None

        # TensorFlow does these two together with the convolution before them.
        usual = {np.inf: tf.nn.relu, 6.0: tf.nn.relu6}
        forward = usual.get(ceiling, lambda x: tf.clip_by_value(x, 0, ceiling))

        @tf.custom_gradient
        def rectify(x):
            y = forward(x)
            return y, lambda g: POLICIES[policy](g, (y > 0) & (y < ceiling))

        if getattr(operation, "activation", None) is not None:
            return graph.with_activation(operation, rectify)
        # of a maximum, either operand may be the number 0
        return lambda *operands, **_: rectify(next(o for o in operands if tf.is_tensor(o)))

    return substitute


def picked(output: tf.Tensor, units: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Return 1 at each image's unit and position, and 0 elsewhere.

    Args:
        output: of a layer, ``(n, units)`` or ``(n, rows, columns, units)``.
        units: one for each image ``(n,)``.
        positions: row and column of one cell for each image ``(n, 2)``; (-1, -1) for all cells.
    """
    chosen = tf.one_hot(units, tf.shape(output)[-1], dtype=output.dtype)
    if output.shape.rank != 4:
        return chosen
    at_rows, at_columns = (
        tf.one_hot(positions[:, axis], tf.shape(output)[axis + 1], dtype=output.dtype)
        for axis in (0, 1)
    )
    cells = at_rows[:, :, None] * at_columns[:, None, :]
    everywhere = tf.cast(positions[:, :1] < 0, output.dtype)[:, :, None]
    return chosen[:, None, None, :] * tf.maximum(cells, everywhere)[..., None]


@graph.cached
def _compiled(model: keras.Model, layer: str, policy: str, image_shape: tuple[int, ...]):
    """Return the backward pass from one layer; it is traced once, whatever the unit and batch."""
    pixels = tf.TensorSpec((None, *image_shape), graph.dtype(model))
    numbers, pairs = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, 2), tf.int32)

    signature = [pixels, numbers, pairs, tf.TensorSpec((), tf.bool)]

    @tf.function(input_signature=signature, autograph=False)
    def run(images, units, positions, by_activation):
        rectified, folded = rectifiers(policy), graph.folded(model, [layer])
        with tf.GradientTape() as tape:
            tape.watch(images)
            (output,) = graph.outputs(
                model, images, [layer], lambda operation: rectified(operation) or folded(operation)
            )
        chosen = picked(output, units, positions)
        seed = tf.where(by_activation, chosen * output, chosen)
        return tape.gradient(output, images, seed), tf.reduce_sum(
            chosen * output, range(1, output.shape.rank)
        )

    return run.get_concrete_function()


def backward_pass(
    model: keras.Model,
    images: np.ndarray,
    layer: str,
    unit: Units,
    position: Position | None = None,
    *,
    policy: str,
    start: str = "one",
    batch: int = 64,
) -> tuple[np.ndarray, np.ndarray]:
    """Send one unit of a layer back to the pixels.

    Args:
        images: ``(n, height, width, channels)``.
        layer: its name; ``"logits"`` explains a class before the softmax or sigmoid.
        unit: number of the unit (channel, class) for all images, or one for each.
        position: row and column of the cell in the layer's map, for all images or for each; None
            starts from every cell of the channel.
        policy: ``"gradient"``, ``"deconvnet"`` or ``"guided"``.
        start: what comes down at first: ``"one"`` in each chosen cell, or the cell's own
            ``"activation"``, as Zeiler and Fergus do. For one cell the two differ by that factor.
        batch: images in one pass.

    Returns:
        The projections, of the shape of ``images``, and what they explain: the sum of the chosen
        cells ``(n,)``.

    Raises:
        UserError: if the layer, the unit or the position does not exist, or images of this size
            cannot be seen by the layer.
    """
    check_whole(1, batch=batch)
    images = graph.as_batch(model, images)
    graph.check_size(model, layer, images.shape[1:3])
    units, positions = for_each(model, layer, unit, position, len(images))
    for value, allowed in ((policy, tuple(POLICIES)), (start, ("one", "activation"))):
        if value not in allowed:
            raise UserError(f"{value!r}: it should be {' or '.join(allowed)}")
    run = _compiled(model, layer, policy, images.shape[1:])
    parts = [
        run(images[part], units[part], positions[part], start == "activation")
        for part in (slice(first, first + batch) for first in range(0, len(images), batch))
    ]
    projections, values = zip(*parts, strict=True)
    return np.concatenate(projections), np.concatenate(values)


def for_each(
    model: keras.Model, layer: str, unit: Units, position: Position | None, images: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the units ``(n,)`` and positions ``(n, 2)`` of each of ``n`` images; see `picked`.

    Raises:
        UserError: if the layer, a unit or a position does not exist.
    """
    graph.check_units(model, layer, unit)
    shape = graph.shape(model, layer)
    positions = np.asarray((-1, -1) if position is None else position)
    if np.shape(unit) not in ((), (images,)):
        raise UserError(f"units of shape {np.shape(unit)}: one, or one for each of {images} images")
    if positions.shape not in ((2,), (images, 2)):
        raise UserError(
            f"positions of shape {positions.shape}: a row and a column, or these for each of "
            f"{images} images"
        )
    if position is not None:
        _check_positions(positions.reshape(-1, 2), shape, layer)
    units = np.broadcast_to(np.asarray(unit, np.int32), images)
    return units, np.broadcast_to(positions.astype(np.int32), (images, 2))


def has_switches(model: keras.Model, layer: str) -> bool:
    """Tell whether max-pooling lies before a layer, or is it; a deconvnet knows nothing else."""
    known = graph.operations(model)
    through = [known[name] for name in graph.before(model, layer) | {layer}]
    pooling = (keras.layers.MaxPooling2D, keras.layers.GlobalMaxPooling2D)
    return any(isinstance(operation, pooling) for operation in through)


def has_rectifiers(model: keras.Model, layer: str) -> bool:
    """Tell whether a rectifier is known to lie before a layer, or to be it."""
    known = graph.operations(model)
    through = graph.before(model, layer) | {layer}
    return any(graph.rectifier_ceiling(known[name]) is not None for name in through)


def _check_positions(positions: np.ndarray, shape: tuple, layer: str) -> None:
    if len(shape) != 3:
        raise UserError(f"layer {layer}: it is no map and has no positions; leave `position` out")
    if not np.issubdtype(positions.dtype, np.integer):
        raise UserError(f"layer {layer}: a position is a row and a column, two whole numbers")
    limits = [np.inf if length is None else length for length in shape[:2]]
    if (positions < 0).any() or (positions >= limits).any():
        raise UserError(f"layer {layer}: its map has {shape[0]} x {shape[1]} cells")


def gradient(model, images, layer, unit, position=None) -> np.ndarray:
    """Return the derivative of a unit by each pixel (Simonyan et al. 2014); see `backward_pass`."""
    return backward_pass(model, images, layer, unit, position, policy="gradient")[0]


def deconvnet(model, images, layer, unit, position=None, *, start="activation") -> np.ndarray:
    """Return what of an image excites a unit (Zeiler and Fergus 2014); see `backward_pass`."""
    return backward_pass(model, images, layer, unit, position, policy="deconvnet", start=start)[0]


def guided_backpropagation(model, images, layer, unit, position=None) -> np.ndarray:
    """Return the guided gradient of a unit (Springenberg et al. 2015); see `backward_pass`."""
    return backward_pass(model, images, layer, unit, position, policy="guided")[0]
