"""Trained networks on disk: their weights; what they are a part of is in the configuration."""

import os
from importlib import import_module

import keras

from pixelspace.artifacts import StoredDataset, checked, written
from pixelspace.networks.build import build
from pixelspace.networks.layers import Layers


def describe(dataset: StoredDataset, kind: str, **settings) -> Layers:
    """Describe the network of a kind that fits the images and classes of a data set."""
    network = import_module(f"pixelspace.networks.{kind}")
    classes = len(dataset.class_names)
    if kind == "cnn":
        settings["white"] = dataset.value_range[1]
    return network.layers(input_shape=dataset.image_shape, classes=classes, **settings)


def save(model: keras.Model, path: str | os.PathLike) -> None:
    """Write the weights of ``model`` to ``path``, which ends with ``.weights.h5``."""
    with written(path) as temporary:
        model.save_weights(temporary)


def load(dataset: StoredDataset, path: str | os.PathLike, kind: str, **settings) -> keras.Model:
    """Build the network that `describe` describes, with the weights that `save` wrote."""
    model = build(describe(dataset, kind, **settings))
    model.load_weights(checked(path))
    return model
