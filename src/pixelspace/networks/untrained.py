"""No training at all: random weights, to tell what a network has learned from what it is."""

from pixelspace.artifacts import StoredDataset
from pixelspace.networks import training
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layers
from pixelspace.runtime import seed_tensorflow


def train(layers: Layers, dataset: StoredDataset, *, seed: int) -> training.Trained:
    """Return a network as it is before any training; its history has that one moment."""
    seed_tensorflow(seed)
    model = build(layers)
    forward = training.compiled(logits_model(model))
    curves = training.image_curves(forward, dataset, layers[-1].kind)
    report = training.report(
        model,
        layers,
        dataset,
        training.outputs(forward, dataset["test"]),
        recipe={"name": "untrained"},
        seed=seed,
        history={name: [value] for name, value in curves.items()},
    )
    return training.Trained(model, report)
