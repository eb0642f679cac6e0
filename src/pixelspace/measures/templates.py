"""How well a picture of a unit, used as a template, predicts what the unit answers.

A picture that shows what a unit looks for should tell patches that excite the unit from patches
that do not. The plainest such prediction is linear: the inner product of the picture with a patch.
For a convolution that reads the pixels its kernel predicts the unit without error, as the unit is
that inner product; for a unit above, no picture can, and pictures differ in how far they come.

Pictures are made from the training images and tried on patches of the test images. The mean of the
patches that excite a unit most, less the mean of all, is its spike-triggered average, but for the
choice of the strongest (Chichilnisky 2001, doi:10.1080/713663221); what least squares makes of many
patches and answers is close to the best that any template can do.
"""

from collections.abc import Sequence

import keras
import numpy as np
from scipy.stats import rankdata

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.errors import UserError
from pixelspace.measures import intervals
from pixelspace.measures.correlations import rank_correlation
from pixelspace.networks.layers import ReceptiveField
from pixelspace.projections import feature_maps, graph, top_patches
from pixelspace.projections.backward import POLICIES, backward_pass
from pixelspace.projections.receptive_fields import receptive_field, shown_box
from pixelspace.projections.weights import expected_response

PICTURES = (
    "weights",
    "gradient",
    "deconvnet",
    "guided",
    "top_patches",
    "top_difference",
    "fitted",
    "mean_patch",
)
STRONG = 0.05
UNTRAINED = 3
BATCH = 256
TRIES = 100


def rank_correlations(predicted: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of each column of two arrays ``(patches, units)``.

    0 where either column is constant.
    """
    columns = zip(predicted.T, answers.T, strict=True)
    return np.array([rank_correlation(*pair) for pair in columns])


def ranked_above(predicted: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return how often a prediction ranks a strong answer above another, for each unit.

    The area under the ROC curve: over all pairs of one of the strongest `STRONG` of a unit's
    answers and one of the others, the share in which the prediction is higher; of equal
    predictions each counts one half.

    Args:
        predicted, answers: ``(patches, units)``.

    Returns:
        ``(units,)``, between 0 and 1, one half by chance.
    """
    count = len(answers)
    strong = max(1, round(STRONG * count))
    order = np.argsort(-answers, axis=0, kind="stable")[:strong]
    ranks = np.take_along_axis(rankdata(predicted, axis=0), order, axis=0)
    wins = ranks.sum(axis=0) - strong * (strong + 1) / 2
    return wins / (strong * (count - strong))


def least_squares(patches: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return the templates ``(units, pixels)`` that predict answers best, up to a constant.

    The shortest ones, where patches leave a choice.

    Args:
        patches: ``(n, pixels)``.
        answers: ``(n, units)``.
    """
    centred = patches - patches.mean(axis=0)
    return np.linalg.lstsq(centred, answers - answers.mean(axis=0), rcond=1e-6)[0].T


def others(units: int, seed: int) -> np.ndarray:
    """Return for each of some units the number of another one ``(units,)``, each named once."""
    order = np.random.default_rng(seed).permutation(units)
    other = np.empty(units, np.int64)
    other[order] = np.roll(order, 1)
    return other


def random_patches(
    model: keras.Model, split: StoredSplit, layer: str, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw cells of a layer's map at random, in images drawn at random.

    A cell whose patch has one value throughout is drawn anew, at most `TRIES` times: every template
    answers such a patch alike, and most patches of a digit's image are black.

    Returns:
        The patches ``(count, pixels)``, zero outside the image, and what each unit of the layer
        answers ``(count, units)``, both float64.
    """
    rows, columns, _ = graph.shape(model, layer)
    field = receptive_field(model, layer)
    patches, answers = [], []
    numbers = np.sort(rng.integers(len(split), size=count))
    for first in range(0, count, BATCH):
        images = np.stack([split.images[i] for i in numbers[first : first + BATCH]])
        maps = feature_maps.layer_outputs(model, images, [layer])[layer]
        for image, own in zip(images, maps, strict=True):
            for _ in range(TRIES):
                cell = int(rng.integers(rows)), int(rng.integers(columns))
                patch = _cut(image, field, cell)
                if np.ptp(patch) > 0:
                    break
            patches.append(patch.ravel())
            answers.append(own[cell])
    return np.array(patches, np.float64), np.array(answers, np.float64)


def _cut(image: np.ndarray, field: ReceptiveField, cell: tuple[int, int]) -> np.ndarray:
    """Return what a cell sees of an image ``(height, width, channels)``; zero outside of it."""
    return top_patches.crop(image, shown_box(field, *cell, image.shape[:2]))[0]


def weight_pictures(model: keras.Model, layer: str, units: np.ndarray) -> np.ndarray:
    """Return the weight projections ``(units, pixels)``, of the size of the receptive field."""
    rows, columns, _ = graph.shape(model, layer)
    field, middle = receptive_field(model, layer), (rows // 2, columns // 2)
    responses = expected_response(model, layer, units, middle)
    return np.array([_cut(own, field, middle).ravel() for own in responses], np.float64)


def pictures(
    model: keras.Model,
    split: StoredSplit,
    layer: str,
    *,
    k: int,
    patches: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Make each of `PICTURES` of those units of a layer that any image excites.

    ``weights`` is the weight projection. ``gradient``, ``deconvnet`` and ``guided`` are means over
    the ``k`` patches that excite a unit most, each sent back from the one cell with weight 1;
    ``top_patches`` is the mean of these patches, ``top_difference`` the same less the mean patch;
    ``fitted`` is what least squares finds; ``mean_patch`` is the same for all units.

    Args:
        patches: random patches that the fit and the mean patch are made from.

    Returns:
        The numbers of the units ``(units,)``, and the pictures, each ``(units, pixels)``.

    Raises:
        UserError: if fewer than two units are excited by any image.
    """
    every = np.arange(graph.shape(model, layer)[-1])
    strongest = top_patches.strongest_patches(model, split.images, layer, every, k)
    units = np.flatnonzero(strongest.activations[:, 0] > 0)
    if len(units) < 2:
        raise UserError(f"layer {layer}: templates needs two units or more that images excite")
    strongest = strongest.of(units)
    images = np.stack([split.images[i] for i in strongest.images.ravel()])
    cells = strongest.positions.reshape(-1, 2)
    field = receptive_field(model, layer)

    def mean_of_cuts(pixels: np.ndarray) -> np.ndarray:
        cut = [_cut(image, field, cell) for image, cell in zip(pixels, cells, strict=True)]
        return np.array(cut, np.float64).reshape(len(units), k, -1).mean(axis=1)

    def sent_back(policy: str) -> np.ndarray:
        of = np.repeat(units, k)
        return mean_of_cuts(backward_pass(model, images, layer, of, cells, policy=policy)[0])

    drawn, answers = random_patches(model, split, layer, patches, rng)
    top, mean = mean_of_cuts(images), drawn.mean(axis=0)
    return units, {
        "weights": weight_pictures(model, layer, units),
        **{policy: sent_back(policy) for policy in POLICIES},
        "top_patches": top,
        "top_difference": top - mean,
        "fitted": least_squares(drawn, answers[:, units]),
        "mean_patch": np.broadcast_to(mean, top.shape),
    }


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    layers: Sequence[str],
    k: int,
    patches: int,
) -> dict[str, float]:
    """Return how well each of `PICTURES` predicts the units of each layer, in the mean of these.

    Numbers begin with ``layer_picture_``: ``spearman`` is the rank correlation, over random patches
    of test images, of the inner product of picture and patch with the unit's answer; ``low`` and
    ``high`` are the ends of its 95 % bootstrap interval over units; ``other`` is the same rank
    correlation for the picture of another unit; ``auc`` is that of `ranked_above`. Of what a unit's
    own rank correlation gains over that of its weights, ``gain_low`` and ``gain_high`` are the ends
    of the interval. Of the weights, ``untrained`` is the rank correlation in the same network with
    random first weights, in the mean of `UNTRAINED` of them, and ``untrained_lowest`` the lowest of
    theirs.

    Args:
        layers: with maps.
        k: patches that the pictures of strongest patches are made from.
        patches: random test patches, and random training patches for what is fitted.
    """
    numbers: dict[str, float] = {}
    keras.utils.set_random_seed(seed)
    untrained = [keras.models.clone_model(model) for _ in range(UNTRAINED)]
    for layer in layers:
        rng, test_rng, untrained_rng = np.random.default_rng(seed).spawn(3)
        units, made = pictures(model, dataset["train"], layer, k=k, patches=patches, rng=rng)
        drawn, answers = random_patches(model, dataset["test"], layer, patches, test_rng)
        answers = answers[:, units]
        other = others(len(units), seed)
        of_weights = rank_correlations(drawn @ made["weights"].T, answers)
        numbers[f"{layer}_units"] = len(units)
        for picture in PICTURES:
            predicted = drawn @ made[picture].T
            own = rank_correlations(predicted, answers)
            low, high = intervals.of_mean(own, seed=seed)
            if picture != "weights":
                gain_low, gain_high = intervals.of_mean(own - of_weights, seed=seed)
                numbers |= {
                    f"{layer}_{picture}_gain_low": gain_low,
                    f"{layer}_{picture}_gain_high": gain_high,
                }
            numbers |= {
                f"{layer}_{picture}_spearman": float(own.mean()),
                f"{layer}_{picture}_low": low,
                f"{layer}_{picture}_high": high,
                f"{layer}_{picture}_auc": float(ranked_above(predicted, answers).mean()),
            }
            if picture != "mean_patch":
                of_other = rank_correlations(predicted[:, other], answers)
                numbers[f"{layer}_{picture}_other"] = float(of_other.mean())
        of_untrained = [
            _of_weights(network, dataset["test"], layer, patches, untrained_rng)
            for network in untrained
        ]
        numbers[f"{layer}_weights_untrained"] = float(np.mean(of_untrained))
        numbers[f"{layer}_weights_untrained_lowest"] = min(of_untrained)
    return numbers


def _of_weights(model, split: StoredSplit, layer: str, patches: int, rng) -> float:
    """Return the mean rank correlation of the weight projections of all units of a layer."""
    drawn, answers = random_patches(model, split, layer, patches, rng)
    made = weight_pictures(model, layer, np.arange(answers.shape[1]))
    return float(rank_correlations(drawn @ made.T, answers).mean())
