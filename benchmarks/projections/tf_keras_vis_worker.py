"""tf-keras-vis, with the settings that its documentation gives, which are its defaults."""

import keras
import numpy as np
import tensorflow as tf
from common import BATCH, DEEP, DIGITS, UNITS, explained, network, serve
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.activation_maximization.input_modifiers import Jitter, Rotate2D, Scale
from tf_keras_vis.saliency import Saliency
from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer, GuidedBackpropagation
from tf_keras_vis.utils.scores import CategoricalScore

ROBUST = {"input_modifiers": [Jitter(8), Scale(0.9, 1.1), Rotate2D(10)]}
SHIFTS = {"input_modifiers": [Jitter(2)], "regularizers": []}


def maximization(task, folder, **options):
    model = network(task, folder)
    settings = DEEP if task.endswith("deep") else DIGITS
    cut = ExtractIntermediateLayer(settings["layer"])
    visualize = ActivationMaximization(model, cut, clone=False)
    shape = (len(UNITS), *model.input_shape[1:])
    start = tf.random.uniform(shape, 0, 255)
    return lambda: visualize(CategoricalScore(UNITS), start, steps=settings["steps"], **options)


def with_activations(layer: keras.Layer) -> keras.Layer:
    """Return a rectifier as the one kind of layer whose gradient the library can replace."""
    if not isinstance(layer, keras.layers.ReLU):
        return layer.__class__.from_config(layer.get_config())
    function = keras.activations.relu6 if layer.max_value else keras.activations.relu
    return keras.layers.Activation(function, name=layer.name)


def backward(task, folder):
    model = network(task, folder)
    images, classes = explained(model)
    clone = keras.models.clone_model(model, clone_function=with_activations)
    clone.set_weights(model.get_weights())
    guided = GuidedBackpropagation([keras.activations.relu, keras.activations.relu6])
    modifiers = [ExtractIntermediateLayer("logits"), guided]
    visualize = Saliency(clone, modifiers, clone=False)
    options = {"gradient_modifier": None, "keepdims": True, "normalize_map": False}

    def work():
        parts = (slice(first, first + BATCH) for first in range(0, len(images), BATCH))
        return np.concatenate(
            [
                visualize(CategoricalScore(classes[part].tolist()), images[part], **options)
                for part in parts
            ]
        )

    return work


serve(
    {
        "maximization-digits": maximization,
        "shifts-digits": lambda *given: maximization(*given, **SHIFTS),
        "maximization-deep": lambda *given: maximization(*given, **ROBUST),
        "guided-digits": backward,
        "guided-deep": backward,
    }
)
