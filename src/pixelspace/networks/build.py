"""From a network's description to a Keras model."""

import keras

from pixelspace.networks.layers import Layer, Layers

BATCHNORM_EPSILON = 1e-3


def build(layers: Layers) -> keras.Model:
    """Return an untrained functional model whose layers bear the names of the description."""
    tensors = {}
    for layer in layers:
        inputs = [tensors[name] for name in layer.inputs]
        if layer.kind == "input":
            tensors[layer.name] = keras.Input(layer.shape, name=layer.name)
        else:
            tensors[layer.name] = _keras_layer(layer)(inputs if len(inputs) > 1 else inputs[0])
    return keras.Model(tensors[layers[0].name], tensors[layers[-1].name])


def logits_model(model: keras.Model) -> keras.Model:
    """Return the part of ``model``, with its weights shared, that ends at the logits."""
    return keras.Model(model.input, model.get_layer("logits").output)


def _keras_layer(layer: Layer) -> keras.Layer:
    kinds = keras.layers
    name = layer.name
    window = {"strides": layer.stride, "padding": layer.padding, "use_bias": layer.bias}
    match layer.kind:
        case "rescaling":
            return kinds.Rescaling(layer.scale, layer.offset, name=name)
        case "conv":
            return kinds.Conv2D(layer.units, layer.kernel, **window, name=name)
        case "depthwise":
            return kinds.DepthwiseConv2D(layer.kernel, **window, name=name)
        case "dense":
            return kinds.Dense(layer.units, use_bias=layer.bias, name=name)
        case "batchnorm":
            return kinds.BatchNormalization(epsilon=BATCHNORM_EPSILON, name=name)
        case "relu":
            return kinds.ReLU(name=name)
        case "relu6":
            return kinds.ReLU(max_value=6, name=name)
        case "maxpool":
            return kinds.MaxPooling2D(layer.kernel, layer.stride, name=name)
        case "average_pool":
            return kinds.GlobalAveragePooling2D(name=name)
        case "flatten":
            return kinds.Flatten(name=name)
        case "dropout":
            return kinds.Dropout(layer.rate, name=name)
        case "add":
            return kinds.Add(name=name)
        case "identity":
            return kinds.Identity(name=name)
        case "sigmoid" | "softmax":
            return kinds.Activation(layer.kind, name=name)
        case _:
            raise ValueError(f"layer {name}: unknown kind {layer.kind!r}")
