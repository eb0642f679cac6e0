"""A dream as one would write it in an afternoon: a loop in Python over a compiled step."""

import keras
import numpy as np
import tensorflow as tf
from common import DREAM, deep_network, serve

from pixelspace.projections.dream import BLURS, smoothed

SCALE, JITTER, LENGTH = 1.4, 24, 0.01 * 255


def dream(_task, folder):
    image = tf.constant(np.load(folder / "picture.npy")[None])
    model = deep_network(DREAM["size"])
    weights = model.get_weights()
    model = keras.models.clone_model(model, input_tensors=keras.Input((None, None, 3)))
    model.set_weights(weights)
    cut = keras.Model(model.input, model.get_layer(DREAM["layer"]).output)

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3)), tf.TensorSpec(2, tf.int32)])
    def step(image, shift):
        with tf.GradientTape() as tape:
            shifted = tf.roll(image, shift, (1, 2))
            tape.watch(shifted)
            score = tf.reduce_sum(cut(shifted) ** 2)
        gradient = tf.roll(tape.gradient(score, shifted), -shift, (1, 2))
        return tf.clip_by_value(image + LENGTH * smoothed(gradient, BLURS), 0, 255)

    def work():
        rng = np.random.default_rng(0)
        detail = tf.zeros_like(image)
        for octave in range(DREAM["octaves"]):
            size = round(DREAM["size"] / SCALE ** (DREAM["octaves"] - 1 - octave))
            base = tf.image.resize(image, (size, size), antialias=True)
            dreamt = base + tf.image.resize(detail, (size, size))
            for _ in range(DREAM["steps"]):
                dreamt = step(dreamt, rng.integers(-JITTER, JITTER, 2, endpoint=True))
            detail = dreamt - base
        return dreamt

    return work


serve({"dream": dream})
