"""xplique, with the settings that its documentation gives."""

import keras
import tensorflow as tf
from common import BATCH, DEEP, DIGITS, UNITS, explained, network, serve
from xplique.attributions import DeconvNet, GuidedBackprop
from xplique.features_visualizations import Objective, optimize
from xplique.features_visualizations.transformations import (
    compose_transformations,
    pad,
    random_jitter,
)


def maximization(task, folder, transformations="standard"):
    model = network(task, folder)
    settings = DEEP if task.endswith("deep") else DIGITS
    objective = Objective.channel(model, settings["layer"], UNITS)
    return lambda: optimize(
        objective,
        nb_steps=settings["steps"],
        values_range=(0, 255),
        custom_shape=None,
        transformations=transformations,
    )[0][-1]


def shifts(task, folder):
    return maximization(task, folder, compose_transformations([pad(2, 127.5), random_jitter(4)]))


def backward(task, folder):
    model = network(task, folder)
    images, classes = explained(model)
    targets = tf.one_hot(classes, model.output_shape[-1])
    until_logits = keras.Model(model.input, model.get_layer("logits").output)
    method = DeconvNet if task.startswith("deconvnet") else GuidedBackprop
    explainer = method(until_logits, batch_size=BATCH, reducer=None)
    return lambda: explainer(images, targets)


serve(
    {
        "maximization-digits": maximization,
        "shifts-digits": shifts,
        "maximization-deep": maximization,
        "deconvnet-digits": backward,
        "guided-digits": backward,
        "guided-deep": backward,
    }
)
