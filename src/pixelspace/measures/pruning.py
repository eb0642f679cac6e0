"""What a network loses with its filters, chosen by their pictures, by magnitude or at random.

Zeiler and Fergus (2014, arXiv:1311.2901) saw faults in the projections of a network and redesigned
it. Here filters that show such faults are removed from a digit network, and as many by the usual
criterion, the L1 norm of the kernel (Li et al. 2017, arXiv:1608.08710), and at random. The smaller
network is a network of its own, and is measured as it is and after some further training.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import keras
import numpy as np

from pixelspace.artifacts import StoredDataset
from pixelspace.measures.correlations import rank_correlation
from pixelspace.networks import cnn, scratch, training
from pixelspace.networks.build import build, logits_model
from pixelspace.networks.layers import Layers, multiply_adds, output_shapes
from pixelspace.projections import faults
from pixelspace.runtime import seed_tensorflow

PROPERTIES = ("brightness", "distinctness", "smoothness", "magnitude")
"""Of a filter: the opposites of the three faults, and the L1 norm of its kernel."""

Kept = Mapping[str, np.ndarray]
"""The filters of each convolution that stay, rising."""


def described(model: keras.Model) -> Layers:
    """Describe a network of kind ``cnn`` again, from the Keras model that was built of it."""
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return cnn.layers(
        input_shape=model.input.shape[1:],
        classes=model.output.shape[-1],
        filters=[layer.filters for layer in convolutions],
        kernel=convolutions[0].kernel_size[0],
        padding=convolutions[0].padding,
        dense=model.get_layer("dense").units,
        dropout=model.get_layer("dropout").rate,
        activation=keras.activations.serialize(model.layers[-1].activation),
        white=1 / model.get_layer("rescale").scale,
    )


def filters(layers: Layers) -> dict[str, int]:
    """Return how many filters each convolution has."""
    return {layer.name: layer.units for layer in layers if layer.kind == "conv"}


def removed_count(filters: int, share: float) -> int:
    """Return how many filters of a layer are removed, at least one and never all."""
    return min(max(round(share * filters), 1), filters - 1)


def smaller(layers: Layers, kept: Kept) -> Layers:
    """Describe the network that is left when each convolution has only the filters kept."""
    return tuple(
        replace(layer, units=len(kept[layer.name])) if layer.name in kept else layer
        for layer in layers
    )


def pruned(model: keras.Model, layers: Layers, kept: Kept) -> keras.Model:
    """Build that smaller network with the weights that stay."""
    shapes = output_shapes(layers)
    left = build(smaller(layers, kept))
    stays: dict[str, np.ndarray] = {}  # of each layer, the units that are left of it
    for layer in layers:
        total = shapes[layer.name][-1]
        before = stays[layer.inputs[0]] if layer.inputs else None
        if layer.kind in ("conv", "dense"):
            stays[layer.name] = np.asarray(kept.get(layer.name, np.arange(total)))
            kernel, bias = model.get_layer(layer.name).get_weights()
            kernel = kernel[..., before, :][..., stays[layer.name]]
            left.get_layer(layer.name).set_weights([kernel, bias[stays[layer.name]]])
        elif layer.kind == "flatten":
            channels = shapes[layer.inputs[0]][-1]
            stays[layer.name] = np.arange(total).reshape(-1, channels)[:, before].ravel()
        else:
            stays[layer.name] = np.arange(total) if before is None else before
    return left


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    shares: Sequence[float],
    draws: int,
    epoch_share: float,
    batch: int,
    learning_rate: float,
    shift: int,
) -> dict[str, float]:
    """Remove shares of the filters of every convolution and return what is left.

    Which filters go is decided by the weights and the validation images; accuracies are of the test
    images. Their names end with the share in percent; those after further training with
    ``_trained``. Of random removal they are means over the draws. ``projection_over_random`` is a
    difference of accuracies, as a mean over the shares.

    For each layer the names that begin with it are of filters removed one at a time: how many cost
    no validation accuracy, the most that one costs, and the rank correlation between the increase
    of the validation loss and the `PROPERTIES` of a filter; without a layer, the lowest of layers.

    Args:
        shares: of the filters of each convolution.
        draws: how often filters are chosen at random.
        epoch_share: how much of an epoch the further training takes; Adam's rate falls from
            ``learning_rate`` to 0, with ``batch`` images in a step, shifted as in `scratch`.
    """
    layers = described(model)

    def accuracy(network: keras.Model) -> float:
        logits = training.outputs(training.compiled(logits_model(network)), dataset["test"])
        return training.evaluate(logits, dataset["test"].labels, layers[-1].kind)["accuracy"]

    def trained(network: keras.Model) -> float:
        seed_tensorflow(seed)
        stream = np.random.default_rng(seed)
        images, labels = training.rows(dataset["train"].images), dataset["train"].labels
        steps = max(1, round(epoch_share * training.steps_per_epoch(len(labels), batch)))
        batches = training.shuffled_batches(images, labels, batch, stream)
        varied = (
            (scratch.varied(chosen, stream, shift=shift, flip=False), classes)
            for chosen, classes in itertools.islice(batches, steps)
        )
        history = training.fit(
            logits_model(network),
            [varied],
            optimizer=training.cosine_adam(learning_rate, 1, steps * batch, batch),
            activation=layers[-1].kind,
            inspect=lambda: {"accuracy": accuracy(network)},
        )
        return history["accuracy"][0]

    numbers = {
        "multiply_adds": sum(multiply_adds(layers).values()),
        "accuracy": accuracy(model),
        "accuracy_trained": trained(pruned(model, layers, {})),
    }
    pictures = {
        layer: faults.pictures(model, dataset["validation"], layer) for layer in filters(layers)
    }
    for share in shares:
        percent = f"{100 * share:.0f}"
        for criterion, choices in _choices(model, layers, pictures, share, draws, seed).items():
            networks = [pruned(model, layers, kept) for kept in choices]
            key = f"{criterion}_{percent}"
            numbers[key] = float(np.mean([accuracy(network) for network in networks]))
            numbers[f"{key}_trained"] = float(np.mean([trained(network) for network in networks]))
        numbers[f"parameters_{percent}"] = networks[0].count_params()
        numbers[f"multiply_adds_{percent}"] = sum(multiply_adds(described(networks[0])).values())
    for other, state in itertools.product(("random", "magnitude"), ("", "_trained")):
        differences = [
            numbers[f"projection_{100 * share:.0f}{state}"]
            - numbers[f"{other}_{100 * share:.0f}{state}"]
            for share in shares
        ]
        numbers[f"projection_over_{other}{state}"] = float(np.mean(differences))
    for layer, images in pictures.items():
        for name, value in _one_at_a_time(model, dataset, layer, images, layers[-1].kind):
            numbers[f"{layer}_{name}"] = value
    for name in PROPERTIES:
        correlations = [numbers[f"{layer}_{name}_correlation"] for layer in pictures]
        numbers[f"{name}_correlation"] = min(correlations)
    return numbers


def _choices(
    model: keras.Model,
    layers: Layers,
    pictures: Mapping[str, np.ndarray],
    share: float,
    draws: int,
    seed: int,
) -> dict[str, list[Kept]]:
    """Return by each criterion the choices of filters that stay: one, or one for each draw."""
    totals = filters(layers)
    counts = {layer: removed_count(total, share) for layer, total in totals.items()}

    def kept(removed: Mapping[str, np.ndarray]) -> Kept:
        return {layer: np.setdiff1d(np.arange(totals[layer]), removed[layer]) for layer in removed}

    random = np.random.default_rng(seed)
    smallest = {layer: np.argsort(magnitudes(model, layer), kind="stable") for layer in counts}
    return {
        "projection": [
            kept({layer: faults.condemned(pictures[layer], counts[layer])[0] for layer in counts})
        ],
        "magnitude": [kept({layer: smallest[layer][: counts[layer]] for layer in counts})],
        "random": [
            kept({layer: random.permutation(totals[layer])[: counts[layer]] for layer in counts})
            for _ in range(draws)
        ],
    }


def magnitudes(model: keras.Model, layer: str) -> np.ndarray:
    """Return the L1 norm of each kernel of a convolution, ``(filters,)``."""
    kernel = model.get_layer(layer).get_weights()[0]
    return np.abs(kernel).sum(axis=(0, 1, 2), dtype=np.float64)


def _one_at_a_time(
    model: keras.Model, dataset: StoredDataset, layer: str, pictures: np.ndarray, activation: str
) -> Iterator[tuple[str, float]]:
    """Yield what the network loses without each filter of a layer, its weights set to zero."""
    convolution = model.get_layer(layer)
    kernel, bias = convolution.get_weights()
    logits = training.compiled(logits_model(model))
    validation = dataset["validation"]

    def result() -> dict:
        outputs = training.outputs(logits, validation)
        return training.evaluate(outputs, validation.labels, activation)

    whole, without = result(), []
    for unit in range(len(bias)):
        stays = np.arange(len(bias)) != unit
        convolution.set_weights([kernel * stays, bias * stays])
        without.append(result())
    convolution.set_weights([kernel, bias])
    losses = np.array([whole["accuracy"] - one["accuracy"] for one in without])
    worth = np.array([one["loss"] for one in without])
    yield "lossless", int((losses <= 0).sum())
    yield "largest_loss", float(losses.max())
    properties = (
        faults.brightness(pictures),
        -faults.cosines(pictures).max(axis=1),
        -faults.high_frequency_share(pictures),
        magnitudes(model, layer),
    )
    for name, values in zip(PROPERTIES, properties, strict=True):
        yield f"{name}_correlation", rank_correlation(values, worth)
