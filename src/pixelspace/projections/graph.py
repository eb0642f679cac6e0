"""Keras models as graphs: every operation visited in order, any of them replaced.

The one module that reads the graph that Keras keeps of a model. No new layer call is recorded in
it, so that the user's model stays as it was, and a network that ends in a global pooling runs at
any image size.
"""

import contextlib
import difflib
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from pixelspace.errors import UserError

LOGITS = "logits"
Substitute = Callable[[keras.Operation], Callable | None]


def _functional(model: keras.Model) -> keras.Model:
    """Return the model, or what a sequential model has inside, if it has a graph and one input."""
    graph = getattr(model, "_functional", model)
    if not hasattr(graph, "_nodes_by_depth"):
        raise UserError(
            f"model {model.name}: it has no graph of layers; "
            "use a Functional model, or a Sequential one that has an input shape"
        )
    if len(graph.inputs) != 1:
        raise UserError(f"model {model.name}: {len(graph.inputs)} inputs; one image is expected")
    return graph


def _nodes(model: keras.Model) -> list:
    """Return the model's operation calls, from the input on."""
    graph = _functional(model)
    depths = sorted(graph._nodes_by_depth, reverse=True)
    return [node for depth in depths for node in graph._nodes_by_depth[depth]]


def _version(model: keras.Model) -> tuple:
    """Return what a model is made of, as far as a user may change it in place."""
    return tuple(
        (
            operation,
            getattr(operation, "activation", None),
            _version(operation) if isinstance(operation, keras.Model) else None,
        )
        for operation in _functional(model).operations
    )


def cached(function: Callable) -> Callable:
    """Remember what a function of a model, and of hashable arguments, returns.

    It is called anew once the model has other operations or other activations.
    """

    @functools.lru_cache(maxsize=32)
    def remembered(_, *arguments):
        return function(*arguments)

    @functools.wraps(function)
    def call(model: keras.Model, *arguments):
        return remembered(_version(model), model, *arguments)

    return call


def walk(model: keras.Model, value, visit: Callable, until: frozenset[str] = frozenset()) -> dict:
    """Interpret a model: let ``value`` stand for its input, and visit its operations in order.

    ``visit(operation, *args, **kwargs)`` gets what earlier visits returned in place of tensors:
    tensors, shapes or anything else. Models inside the model are entered.

    Args:
        until: stop once these operations have been visited.

    Returns:
        What the visits returned, by the operation's name; ``"inner/name"`` inside a model
        ``inner``, whose own name stands for its first output. Of a layer that is called more than
        once, the last call.

    Raises:
        UserError: if a layer that is no model has more than one output.
    """
    results, _ = _walked(model, value, visit, until)
    return results


def _walked(model: keras.Model, value, visit: Callable, until: frozenset[str]) -> tuple[dict, dict]:
    """Return what `walk` does, and what stands for each tensor of the model, by its id."""
    values = {id(model.inputs[0]): value}
    results = {}
    for node in _nodes(model):
        operation = node.operation
        if node.is_input:
            results[operation.name] = value
            continue
        args, kwargs = node.arguments.fill_in(values)
        if isinstance(operation, keras.Model):
            inside, own = _walked(operation, keras.tree.flatten(args)[0], visit, frozenset())
            results |= {f"{operation.name}/{name}": result for name, result in inside.items()}
            found = [own[id(output)] for output in operation.outputs]
        elif len(node.outputs) > 1:
            raise UserError(
                f"layer {operation.name}: it has {len(node.outputs)} outputs; one is expected"
            )
        else:
            found = keras.tree.flatten(visit(operation, *args, **kwargs))
        results[operation.name] = found[0]
        values |= zip(map(id, node.outputs), found, strict=True)
        if until and until <= results.keys():
            break
    return results, values


@cached
def _named(model: keras.Model) -> dict[str, keras.Operation]:
    found = walk(model, None, lambda operation, *_, **__: operation)
    return {name: operation for name, operation in found.items() if operation is not None}


def logits_layer(model: keras.Model) -> str:
    """Return the name of the layer that makes the logits.

    It is the last one or, where that is an activation or does nothing, the one that feeds it.
    """
    last = list(_named(model).values())[-1]
    sources = {}

    def visit(operation, *args, **kwargs):
        given = keras.tree.flatten((args, kwargs))
        sources[operation] = [source for source in given if isinstance(source, keras.Operation)]
        return operation

    walk(model, None, visit)
    while _is_activation(last) and len(sources[last]) == 1:
        (last,) = sources[last]
    return _names(model)[last]


def _is_activation(operation: keras.Operation) -> bool:
    known = isinstance(operation, _ACTIVATIONS) or type(operation).__name__ in _ACTIVATION_FUNCTIONS
    return known or is_idle(operation)


_ACTIVATIONS = (
    keras.layers.Activation,
    keras.layers.ELU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Softmax,
)
_ACTIVATION_FUNCTIONS = frozenset("LogSigmoid LogSoftmax Relu Relu6 Sigmoid Softmax Tanh".split())


def operations(model: keras.Model) -> dict[str, keras.Operation]:
    """Return the model's operations by name, the input left out; ``"logits"`` is among them."""
    return {LOGITS: _named(model)[logits_layer(model)]} | _named(model)


@cached
def shapes(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Return the shape of each layer's output, without the batch axis."""
    (pixels,) = _functional(model).inputs
    image = keras.KerasTensor(pixels.shape, pixels.dtype)
    found = walk(model, image, lambda operation, *a, **k: operation.compute_output_spec(*a, **k))
    result = {name: tuple(found[name].shape[1:]) for name in _named(model)}
    return {LOGITS: result[logits_layer(model)]} | result


def shape(model: keras.Model, layer: str) -> tuple[int | None, ...]:
    """Return the shape of a layer's output, without the batch axis.

    Raises:
        UserError: if the model has no such layer.
    """
    known = shapes(model)
    if layer not in known:
        nearest = difflib.get_close_matches(str(layer), known, n=1, cutoff=0)[0]
        raise UserError(f"layer {layer}: the network has none of that name; nearest: {nearest}")
    return known[layer]


def image_shape(model: keras.Model) -> tuple[int | None, int | None, int]:
    """Return the height, width and channels of the model's input.

    Raises:
        UserError: if the input is of another rank.
    """
    shape = tuple(_functional(model).inputs[0].shape[1:])
    if len(shape) != 3:
        raise UserError(
            f"model {model.name}: its input has shape {shape}, and (height, width, channels) is "
            "expected; put a Reshape layer before it"
        )
    return shape


def sized_image_shape(model: keras.Model) -> tuple[int, int, int]:
    """Return the height, width and channels of the model's input, as `image_shape` does.

    Raises:
        UserError: if the model leaves the height or the width open.
    """
    shape = image_shape(model)
    if None in shape:
        raise UserError(
            f"model {model.name}: its input has no size of its own, {shape}; call it on an input "
            "of one size, as in keras.Model(image := keras.Input((64, 64, 3)), model(image))"
        )
    return shape


def check_size(model: keras.Model, layer: str, size: tuple[int, int]) -> None:
    """Check that a layer can be computed of images of this height and width.

    Raises:
        UserError: if it cannot.
    """
    own = image_shape(model)[:2]
    if tuple(size) == own:
        return
    if not takes_any_size(model, layer):
        raise UserError(
            f"layer {layer}: it takes images of one size alone, {own[0]} x {own[1]} pixels, "
            f"and not of {size[0]} x {size[1]}"
        )
    if shape_at(model, layer, size) is None:
        raise UserError(f"layer {layer}: at {size[0]} x {size[1]} pixels nothing is left of it")


def is_idle(operation: keras.Operation) -> bool:
    """Tell whether a layer does nothing once a network is trained, as dropout and augmentation."""
    return isinstance(operation, _IDLE) or type(operation).__name__.startswith("Random")


_IDLE = (
    keras.layers.ActivityRegularization,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout2D,
)


def takes_any_size(model: keras.Model, layer: str) -> bool:
    """Tell whether a layer can be computed of images larger or smaller than the model's input."""
    known = operations(model)
    through = [known[name] for name in before(model, layer) | {layer}]
    return not any(isinstance(operation, keras.layers.Flatten) for operation in through)


def shape_at(
    model: keras.Model, layer: str, size: tuple[int, int]
) -> tuple[int | None, ...] | None:
    """Return the shape of a layer's output, without the batch axis, for images of a size.

    None if there is no such output, as an image of this height and width is too small.
    """
    pixels = keras.KerasTensor((None, *size, image_shape(model)[-1]), dtype(model))
    own = _names(model)[operations(model)[layer]]

    def visit(operation, *args, **kwargs):
        return operation.compute_output_spec(*args, **kwargs)

    try:
        found = walk(model, pixels, visit, frozenset({own}))[own].shape[1:]
    except ValueError:  # Keras has no other sign for a window that the map is too small for
        return None
    return None if 0 in found else tuple(found)


@cached
def _names(model: keras.Model) -> dict[keras.Operation, str]:
    """Return the name of each operation, inside a model ``inner`` as ``"inner/name"``."""
    return {operation: name for name, operation in reversed(_named(model).items())}


def consumers(model: keras.Model, layer: str) -> list[str]:
    """Return the layers that a layer's output is fed to."""
    own = operations(model)[layer]
    found = []

    def visit(operation, *args, **kwargs):
        if any(source is own for source in keras.tree.flatten((args, kwargs))):
            found.append(_names(model)[operation])
        return operation

    walk(model, None, visit)
    return found


def before(model: keras.Model, layer: str) -> frozenset[str]:
    """Return the layers on all paths from the input to a layer, without the two."""

    def visit(operation, *args, **kwargs):
        sources = [s for s in keras.tree.flatten((args, kwargs)) if isinstance(s, frozenset)]
        return frozenset({_names(model)[operation]}).union(*sources)

    own = _names(model)[operations(model)[layer]]
    return walk(model, frozenset(), visit)[own] - {own}


@contextlib.contextmanager
def _activation(layer: keras.Layer, function: Callable) -> Iterator[None]:
    """Give a layer another activation for the while."""
    own = layer.activation
    layer.activation = function
    try:
        yield
    finally:
        layer.activation = own


def with_activation(layer: keras.Layer, function: Callable) -> Callable:
    """Return the call of a layer with ``function`` in place of its activation."""

    def call(*args, **kwargs):
        with _activation(layer, keras.activations.linear):
            result = layer(*args, **kwargs)
        return function(result)

    return call


def _unchanged(_operation) -> None:
    return None


def outputs(
    model: keras.Model,
    images: tf.Tensor,
    layers: Sequence[str],
    substitute: Substitute = _unchanged,
) -> list[tf.Tensor]:
    """Run a model as for inference and return the outputs of some layers.

    The layer ``"logits"`` is, in a model that has none of that name, what `logits_layer` puts out
    before its activation.

    Args:
        images: ``(batch, height, width, channels)``, in the model's type; another size
            than the model's will do as far as the layers asked for and those before them allow.
        substitute: returns what to call instead of an operation, or None.

    Raises:
        UserError: if the model has no such layer.
    """
    for layer in layers:
        shape(model, layer)
    last = operations(model)[logits_layer(model)]
    logits = []

    def visit(operation, *args, **kwargs):
        if getattr(operation, "_call_has_training_arg", False):
            kwargs["training"] = False  # layers that augment images take it for true
        result = (substitute(operation) or operation)(*args, **kwargs)
        if operation is last:
            fused = getattr(operation, "activation", None) is not None
            unsquashed = with_activation(operation, keras.activations.linear)
            logits.append(unsquashed(*args, **kwargs) if fused else result)
        return result

    named = {layer: layer if layer in _named(model) else logits_layer(model) for layer in layers}
    found = walk(model, images, visit, frozenset(named.values()))
    return [
        logits[-1] if layer == LOGITS and operations(model)[LOGITS] is last else found[named[layer]]
        for layer in layers
    ]


def folded(
    model: keras.Model, keep: Sequence[str] = (), *, single_image: bool = False
) -> Substitute:
    """Return substitutes by which convolutions do the batch normalization that follows them.

    The same outputs, but of those convolutions, for less work. Called inside a compiled function
    and outside its loop, the kernels are scaled once for each run, from the weights as they are.

    Args:
        keep: layers whose output is wanted; a convolution among these stays as it is.
        single_image: whether images go through one at a time. What a convolution has too much is
            then subtracted from it. A bias, or a sum, oneDNN would do together with the
            convolution and the rectifier behind it, which saves a tenth of the time on a batch but
            takes twice as long on one image.
    """
    known = operations(model)
    kept = {known[layer] for layer in keep}
    called = Counter()
    walk(model, None, lambda operation, *_, **__: called.update([operation]))
    calls = {}
    for operation, name in _names(model).items():
        fed = consumers(model, name) if isinstance(operation, _FOLDABLE) else []
        if len(fed) != 1 or operation in kept or not _is_linear(operation):
            continue
        normalization = known[fed[0]]
        alone = called[operation] == called[normalization] == 1
        if alone and _is_of_channels(normalization):
            calls[operation] = _folded_call(operation, normalization, single_image)
            calls[normalization] = lambda x, **_: x
    return calls.get


def _is_linear(operation: keras.Operation) -> bool:
    return operation.activation is keras.activations.linear


def _is_of_channels(operation: keras.Operation) -> bool:
    """Tell whether an operation is a batch normalization of the channels of maps."""
    return isinstance(operation, keras.layers.BatchNormalization) and operation.axis in (-1, 3)


_FOLDABLE = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def _folded_call(
    convolution: keras.layers.Layer,
    normalization: keras.layers.BatchNormalization,
    single_image: bool,
) -> Callable:
    """Return the convolution whose output is ``gamma (x - mean) / sqrt(var + epsilon) + beta``."""
    scale = keras.ops.rsqrt(normalization.moving_variance + normalization.epsilon)
    if normalization.scale:
        scale = scale * normalization.gamma
    excess = normalization.moving_mean * scale
    if convolution.use_bias:
        excess = excess - convolution.bias * scale
    if normalization.center:
        excess = excess - normalization.beta
    kernel = keras.ops.convert_to_tensor(convolution.kernel)
    window = (convolution.strides, convolution.padding, None, convolution.dilation_rate)
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        kernel = kernel * keras.ops.reshape(scale, kernel.shape[2:])
        convolve, settings = keras.ops.depthwise_conv, window
    elif {*convolution.kernel_size, *convolution.strides, convolution.groups} == {1}:
        convolve, kernel, settings = _pointwise, kernel * scale, ()
    else:
        convolve, kernel, settings = keras.ops.conv, kernel * scale, window
    if single_image:
        return lambda x: convolve(x, kernel, *settings) - excess
    return lambda x: tf.nn.bias_add(convolve(x, kernel, *settings), -excess)


def _pointwise(maps: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolve maps with a kernel of one cell ``(1, 1, channels, units)``.

    The gradient by the maps is such a convolution too; TensorFlow's own way to it takes a quarter
    longer.
    """
    transposed = tf.transpose(kernel, (0, 1, 3, 2))

    @tf.custom_gradient
    def convolved(maps):
        result = tf.nn.conv2d(maps, kernel, 1, "VALID")
        return result, lambda gradient: tf.nn.conv2d(gradient, transposed, 1, "VALID")

    return convolved(maps)


def rectifier_ceiling(operation: keras.Operation) -> float | None:
    """Return the largest value that a rectifier lets through; None if it is not a rectifier.

    Rectifiers are ReLU and ReLU6, and such with another ceiling, as layers, as the activation of a
    layer and as functions, a user's own ones too; leaky ones are not. What is hidden in the call of
    a user's own layer cannot be told.
    """
    activation = getattr(operation, "activation", None)
    if isinstance(activation, keras.Operation):
        return rectifier_ceiling(activation)
    if isinstance(operation, keras.layers.Lambda):
        activation = operation.function
    kind = type(operation).__name__
    if kind == "Clip" and np.isscalar(operation.x_min) and operation.x_min == 0:
        return float(operation.x_max) if np.isscalar(operation.x_max) else None
    if kind == "Maximum" and _is_over_zero(operation):
        return np.inf
    if isinstance(operation, keras.layers.ReLU) or kind == "ReLU":
        plain = not operation.negative_slope and not operation.threshold
        ceiling = operation.max_value
        return (np.inf if ceiling is None else float(ceiling)) if plain else None
    if isinstance(operation, keras.layers.LeakyReLU) and not operation.negative_slope:
        return np.inf
    return {"Relu": np.inf, "Relu6": 6.0}.get(kind) or _ceiling_of(activation)


_PROBE = np.array([[-100.0, -3.0, -0.5, 0.0, 0.25, 0.5, 1.5, 3.0, 5.5, 6.5, 100.0]], np.float32)


@functools.lru_cache(maxsize=256)
def _ceiling_of(function: Callable | None) -> float | None:
    """Return the ceiling of a function that rectifies, told by what it makes of some numbers."""
    if function is None or function is keras.activations.linear:
        return None
    try:
        with tf.init_scope():  # with values, even where a graph is being made
            found = np.asarray(function(tf.constant(_PROBE)))
    except Exception:  # a user's function may raise anything at numbers that it is not made for
        return None
    highest = found.max(initial=0)
    if found.shape != _PROBE.shape or not np.array_equal(found, np.clip(_PROBE, 0, highest)):
        return None
    return np.inf if highest == _PROBE.max() else float(highest)


def _is_over_zero(maximum: keras.Operation) -> bool:
    """Tell whether an operation is the maximum of something and the number 0."""
    arguments = [keras.tree.flatten(node.arguments.args) for node in maximum._inbound_nodes]
    return all(any(np.isscalar(a) and a == 0 for a in own) for own in arguments) and any(arguments)


def check_has_units(layer: str, shape: tuple[int | None, ...]) -> None:
    """Check that a layer's output of this shape, without the batch axis, is of units or of maps.

    Raises:
        UserError: if it is neither.
    """
    if len(shape) not in (1, 3):
        raise UserError(f"layer {layer}: its output has shape {shape}; units or maps are expected")


def check_units(model: keras.Model, layer: str, units) -> None:
    """Check that a layer has the units of these numbers.

    Raises:
        UserError: if it has not, or there are no numbers.
    """
    check_has_units(layer, shape(model, layer))
    total = shape(model, layer)[-1]
    if not np.size(units):
        raise UserError(f"layer {layer}: no unit is asked for; it has units 0 to {total - 1}")
    if not np.issubdtype(np.asarray(units).dtype, np.integer):
        raise UserError(f"layer {layer}: units are whole numbers, 0 to {total - 1}")
    wrong = [unit for unit in np.ravel(units) if not 0 <= unit < total]
    if wrong:
        raise UserError(f"layer {layer}: it has units 0 to {total - 1}, and no unit {wrong[0]}")


def dtype(model: keras.Model) -> str:
    """Return the floating-point type that the model computes in."""
    own = _functional(model).inputs[0].dtype
    return own if tf.as_dtype(own).is_floating else keras.config.floatx()


def as_batch(model: keras.Model, images) -> np.ndarray:
    """Return images ``(batch, height, width, channels)`` in the type that the model computes in.

    Raises:
        UserError: if there are none, or they are of another rank or have another number of
            channels.
    """
    images = np.asarray(images, dtype(model))
    check_images(model, images.shape)
    return images


def check_images(model: keras.Model, shape: tuple[int, ...]) -> None:
    """Check that a shape is that of a batch of images for a model.

    Raises:
        UserError: if it is of another rank, there are none, or they have other channels.
    """
    channels = image_shape(model)[-1]
    if len(shape) != 4 or shape[-1] != channels or not shape[0]:
        raise UserError(f"images of shape {shape}: (batch, height, width, {channels}) is expected")
