"""How often gradient descent finds the code that the letters E, F and L suggest.

Two hidden nodes can share the work in many ways. The described one has a node for the bottom leg,
weak for an F alone, and a node for the upper arms, weak for an L alone. Many perceptrons are
trained by several recipes, each from first weights and with an order of images of its own, and
what became of them is counted.
"""

from collections.abc import Sequence

import keras
import numpy as np

from pixelspace.artifacts import StoredDataset
from pixelspace.measures import intervals
from pixelspace.measures.letter_parts import template_cosine
from pixelspace.networks import restarts as batched

RECIPES = {
    "plain": (False, "glorot"),
    "penalty": (True, "glorot"),
    "positive": (False, "absolute_glorot"),
    "both": (True, "absolute_glorot"),
}
"""Whether there is an L1 penalty, and the distribution of the first hidden weights."""

TABLE = np.array([[True, True], [False, True], [True, False]])
"""Where the described code is strong: letters E, F and L by the nodes for leg and arms."""

READABLE = 0.9
"""The least cosine of a node's positive weights with its part of the letters."""


def code_orders(means: np.ndarray) -> np.ndarray:
    """Return whether networks show the described code, in either order of their nodes.

    A node is strong for the letters whose mean activation exceeds half its largest.

    Args:
        means: mean activations ``(networks, 3, 2)`` for the letters E, F and L.

    Returns:
        ``(networks, 2)`` bool: the leg's node is the first, and it is the second.
    """
    strong = means > means.max(axis=1, keepdims=True) / 2
    return np.stack([(strong == table).all(axis=(1, 2)) for table in (TABLE, TABLE[:, ::-1])], 1)


def fitting_orders(hidden: np.ndarray, leg: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Return whether networks have readable weights, in either order of their nodes.

    Args:
        hidden: weights ``(networks, pixels, 2)``.
        leg, arms: the parts of the letters ``(pixels,)``.

    Returns:
        ``(networks, 2)`` bool: both cosines are at least `READABLE` where the first node is
        compared with the leg and the second with the arms, and the other way round.
    """
    fits = np.array(
        [
            [[template_cosine(node, part) >= READABLE for part in (leg, arms)] for node in nodes.T]
            for nodes in hidden
        ]
    )
    return np.stack([fits[:, 0, 0] & fits[:, 1, 1], fits[:, 1, 0] & fits[:, 0, 1]], axis=1)


def dead_nodes(activations: np.ndarray) -> np.ndarray:
    """Return which networks have a node that no image activates ``(networks,)``.

    Args:
        activations: behind the ReLU ``(networks, images, nodes)``.
    """
    return (activations <= 0).all(axis=1).any(axis=1)


def classes_at_origin(activations: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which networks have a class of whose images most leave every node at zero.

    Without biases all logits of such an image are zero, whatever the readout.

    Args:
        activations: behind the ReLU ``(networks, images, nodes)``.
        labels: class numbers ``(images,)``.
    """
    silent = (activations <= 0).all(axis=2)
    shares = [silent[:, labels == label].mean(axis=1) for label in np.unique(labels)]
    return (np.array(shares) > 0.5).any(axis=0)


def best_of_groups(losses: np.ndarray, size: int) -> np.ndarray:
    """Return the number of the network with the lowest loss in each group of ``size``.

    Groups are formed in order; networks that do not fill a last group are left out.
    """
    groups = len(losses) // size
    return losses[: groups * size].reshape(groups, size).argmin(axis=1) + size * np.arange(groups)


def preference(chosen: np.ndarray, others: np.ndarray) -> float:
    """Return how often the loss of one network is lower than that of another, over all pairs.

    A tie counts half, and without a pair the answer is that of chance, 0.5.

    Args:
        chosen, others: losses, one-dimensional.
    """
    if not len(chosen) or not len(others):
        return 0.5
    return float((1 + np.sign(others - chosen[:, None]).mean()) / 2)


def share(name: str, found: Sequence[bool]) -> dict[str, float]:
    """Return the share of networks that have something, and the ends of its interval.

    These are ``name_low`` and ``name_high``, see `intervals.of_share`.
    """
    own = float(np.mean(found))
    low, high = intervals.of_share(own, len(found))
    return {name: own, f"{name}_low": low, f"{name}_high": high}


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    networks: int = 320,
    restarts: int = 32,
    epochs: int = 8,
    batch: int = 64,
    learning_rate: float = 0.01,
    l1: float = 1e-3,
) -> dict[str, float]:
    """Train ``networks`` perceptrons like ``model`` by each recipe and return what they became.

    Shares with their intervals, by recipe: ``perfect``, no error on the test images (ties are
    errors); ``described``, perfect with the code of `code_orders`; ``readable``, that and the
    same nodes fit their parts, see `fitting_orders`; ``other``, perfect with another code;
    ``dead``, see `dead_nodes`; ``origin``, see `classes_at_origin`. ``best_perfect`` and
    ``best_readable`` are shares of groups of ``restarts`` networks, of each of which the one with
    the lowest validation loss is kept; ``groups`` is their number. ``preferred`` is the
    `preference` for readable networks over others without errors. ``failures_at_origin`` is the
    share of the plain networks with errors that have a class at the origin; 0 if none errs.
    """
    test = dataset["test"]
    images = test.images[:].reshape(len(test), -1)
    e, f, l = dataset.templates.reshape(3, -1)  # noqa: E741
    numbers: dict[str, float] = {
        "networks": networks,
        "restarts": restarts,
        "groups": networks // restarts,
        "confidence": intervals.COVERAGE,
        "least_cosine": READABLE,
    }
    seeds = np.random.SeedSequence(seed).generate_state(len(RECIPES))
    for (recipe, (penalized, initialization)), own_seed in zip(RECIPES.items(), seeds, strict=True):
        found = batched.train_all(
            dataset,
            seed=int(own_seed),
            nodes=model.get_layer("hidden").units,
            restarts=networks,
            epochs=epochs,
            batch=batch,
            learning_rate=learning_rate,
            l1=l1 if penalized else 0.0,
            initialization=initialization,
            own_orders=True,
        )
        activations = np.maximum(np.einsum("ip,rpn->rin", images, found.hidden), 0)
        means = np.stack([activations[:, test.labels == c].mean(axis=1) for c in range(3)], axis=1)
        perfect = found.test_accuracy == 1
        orders = code_orders(means)
        described = perfect & orders.any(axis=1)
        readable = perfect & (orders & fitting_orders(found.hidden, e - f, e - l)).any(axis=1)
        origin = classes_at_origin(activations, test.labels)
        losses = found.validation_loss
        best = best_of_groups(losses, restarts)
        for name, have in {
            "perfect": perfect,
            "described": described,
            "readable": readable,
            "other": perfect & ~described,
            "dead": dead_nodes(activations),
            "origin": origin,
            "best_perfect": perfect[best],
            "best_readable": readable[best],
        }.items():
            numbers |= share(f"{recipe}_{name}", have)
        numbers[f"{recipe}_preferred"] = preference(losses[readable], losses[perfect & ~readable])
        if recipe == "plain":
            failures = origin[~perfect]
            numbers["failures_at_origin"] = float(failures.mean()) if len(failures) else 0.0
    return numbers
