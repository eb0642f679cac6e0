"""What a method draws for a network whose weights are drawn anew, layer by layer from the logits.

If a map does not change when what was learned is taken away, it does not show what was learned:
the cascading randomization of Adebayo et al. (2018, arXiv:1810.03292).
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import graph
from pixelspace.projections.attribution import METHODS, Settings
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.selection import choose_images

STAGES = {"top": 0.0, "half": 0.5, "most": 0.75, "all": 1.0}
"""By name: the share of the layers, from the logits down, whose weights are drawn anew. The first
stage has the logits alone."""


def depths(layers: int) -> dict[str, int]:
    """Return for each of `STAGES` how many of so many layers have weights that are drawn anew."""
    return {name: max(1, math.ceil(share * layers)) for name, share in STAGES.items()}


def from_the_top(model: keras.Model) -> list[list[str]]:
    """Return the layers that have weights, the last one first.

    Each is named with the normalization behind it, which was learned for it.
    """
    found, behind = [], []
    for layer in reversed(model.layers):
        if layer.weights:
            behind.append(layer.name)
            if not isinstance(layer, keras.layers.BatchNormalization):
                found.append(behind)
                behind = []
    return found


def twin(model: keras.Model) -> keras.Model:
    """Return a copy of a model, to be given other weights: what is compiled of it stays good."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def untrained(model: keras.Model, seed: int) -> dict[str, list[np.ndarray]]:
    """Return weights for each layer, such as its initializers give them before any training.

    For networks that were trained elsewhere too: kernels shuffled in place would meet the old
    statistics of normalization, which may shut rectifiers or fill them, and maps would change for
    that alone. Fresh normalization is the identity.
    """
    keras.utils.set_random_seed(seed)
    fresh = keras.models.clone_model(model)
    return {layer.name: layer.get_weights() for layer in fresh.layers}


def cascade(
    model: keras.Model, copy: keras.Model, weights: Mapping[str, list[np.ndarray]]
) -> Iterator[str]:
    """Bring ``copy`` into the state of each of `STAGES`, and yield the stage's name.

    Args:
        model: as it is trained.
        copy: its `twin`; it gets other weights from the logits down, and the model's elsewhere.
        weights: the other ones, by layer.
    """
    copy.set_weights(model.get_weights())
    layers = from_the_top(model)
    changed = 0
    for stage, depth in depths(len(layers)).items():
        for name in (name for names in layers[changed:depth] for name in names):
            copy.get_layer(name).set_weights(weights[name])
        changed = depth
        yield stage


def explained(
    method: str, settings: Settings, model: keras.Model, images: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return what a method makes of a class for each image: ``(n, height, width, channels)``."""
    found = METHODS[method](settings, model, images, graph.LOGITS, classes, None)
    return found[0] if isinstance(found, tuple) else found


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    methods: Sequence[str] = ("gradient", "deconvnet", "guided"),
    image: int = 0,
) -> Projection:
    """Explain one test image to itself, for another class, and by networks that know less.

    Of each method there are maps for the predicted logit, for the smallest one, and for the
    predicted class by the network at each of `STAGES`.

    Args:
        methods: names of `attribution.METHODS`.
        image: number of the test image, counted from 0.

    Raises:
        UserError: if there is no such image.
    """
    split, names = dataset["test"], dataset.class_names
    _, pixels = choose_images(split, [image], seed)
    network = twin(model)
    logits = layer_outputs(network, pixels, [graph.LOGITS])[graph.LOGITS]
    predicted, unlikely = logits.argmax(1), logits.argmin(1)
    settings = Settings(seed, dataset.value_range)
    stages = depths(len(from_the_top(model)))
    maps = {
        method: [
            explained(method, settings, network, pixels, classes)
            for classes in (predicted, unlikely)
        ]
        for method in methods
    }
    for _ in cascade(model, network, untrained(model, seed)):
        for method in methods:
            maps[method].append(explained(method, settings, network, pixels, predicted))
    arrays = {f"maps_{i}": np.concatenate(own) for i, own in enumerate(maps.values())}
    explained_classes = [names[predicted[0]], names[unlikely[0]]]
    explained_classes += [names[predicted[0]]] * len(stages)
    random_layers = [0, 0, *stages.values()]
    notes = [
        f"method {method}: zero everywhere for class {name} with {random or 'no'} random layers"
        for method, own in maps.items()
        for name, random, values in zip(explained_classes, random_layers, own, strict=True)
        if not values.any()
    ]
    about = {
        "kind": "randomized",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layer": graph.LOGITS,
        "methods": list(methods),
        "split": "test",
        "image": image,
        "label": names[split.labels[image]],
        "predicted": names[predicted[0]],
        "explained": explained_classes,
        "layers": len(from_the_top(model)),
        "random_layers": random_layers,
        "notes": notes,
    }
    return Projection({"input": pixels[0], **arrays}, about)
