"""How the hidden nodes of the perceptron see the parts of the letters E, F and L.

A letter is a sum of disjoint parts, x = stem + arms + leg + noise, and the weights w of a node are
linear, so that w · x splits into one term for each part.
"""

import keras
import numpy as np

from pixelspace.artifacts import StoredDataset
from pixelspace.datasets import efl

PARTS = ("stem", "arms", "leg")


def split_weights(weights: np.ndarray, masks: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the sum of one node's weights ``(rows, columns)`` over each part of the letters."""
    return {part: float(weights[masks[part]].sum()) for part in PARTS}


def template_cosine(weights: np.ndarray, template: np.ndarray) -> float:
    """Return the cosine between max(weights, 0) and a difference of two letters.

    Zero where one of them is zero everywhere.
    """
    positive = np.maximum(weights, 0)
    length = np.linalg.norm(positive) * np.linalg.norm(template)
    return float((positive * template).sum() / length) if length else 0.0


def measure(model: keras.Model, dataset: StoredDataset, *, seed: int) -> dict[str, float]:
    """Return the terms of both nodes, their mean outputs and logits, and how well they fit.

    Node 1 is compared with E − F (the leg), node 2 with E − L (the arms). The noise term is the
    mean over the test images of w · (x − template).
    """
    rows, columns, _ = dataset.image_shape
    masks = efl.masks(rows, columns)
    hidden = model.get_layer("hidden").get_weights()[0].astype(np.float64)
    readout = model.get_layer("logits").get_weights()[0].astype(np.float64)
    test = dataset["test"]
    images = test.images[:].astype(np.float64).reshape(len(test), -1)
    templates = dataset.templates.reshape(len(dataset.class_names), -1)
    noise = images - templates[test.labels]
    activations = np.maximum(images @ hidden, 0)
    logits = activations @ readout
    letter = dict(zip(dataset.class_names, templates.reshape(-1, rows, columns), strict=True))
    targets = (letter["E"] - letter["F"], letter["E"] - letter["L"])

    numbers: dict[str, float] = {}
    for node, (weights, target) in enumerate(zip(hidden.T, targets, strict=False), start=1):
        for part, total in split_weights(weights.reshape(rows, columns), masks).items():
            numbers[f"node{node}_{part}"] = total
        numbers[f"node{node}_noise"] = float((noise @ weights).mean())
        numbers[f"node{node}_noise_spread"] = float((noise @ weights).std())
        numbers[f"node{node}_cosine"] = template_cosine(weights.reshape(rows, columns), target)
        for i, name in enumerate(dataset.class_names):
            of_class = test.labels == i
            numbers[f"node{node}_mean_{name}"] = float(activations[of_class, node - 1].mean())
            numbers[f"readout_{node}_{name}"] = float(readout[node - 1, i])
    for i, name in enumerate(dataset.class_names):
        for j, of in enumerate(dataset.class_names):
            numbers[f"logit_{of}_of_{name}"] = float(logits[test.labels == i, j].mean())
    return numbers
