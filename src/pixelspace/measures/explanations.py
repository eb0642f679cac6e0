"""How well methods of attribution explain a network: where they point, and what follows.

Each method explains the class of the same test images. Its maps are held against the masks of the
parts that decide the class, where a data set has these, and by deletion and insertion. So are maps
of no method: of noise, of the middle of the image and of its edges, which know nothing of the
network. A method that does no better than they do has not shown what the network has learned.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import sobel

from pixelspace.artifacts import StoredDataset, StoredSplit
from pixelspace.errors import UserError
from pixelspace.measures import faithfulness, intervals, localization
from pixelspace.networks import training
from pixelspace.projections import attribution, graph
from pixelspace.projections.randomized import explained

OF_PLACES = (*attribution.NEED_A_MAP, "occlusion")
CENTRE_SPREAD = 1 / 4  # standard deviation of the map of the middle, as a share of the image


def importance(method: str, maps: np.ndarray) -> np.ndarray:
    """Return what a method's maps ``(n, height, width, channels)`` say of each pixel, 0 or more.

    Class maps and occlusion say of a place how much it speaks for the class; what is negative
    there speaks against it and counts as nothing. All others say of each value in a pixel which
    way it should go, and a pixel matters whichever way that is: their sizes are added up.
    """
    sizes = np.maximum(maps, 0) if method in OF_PLACES else np.abs(maps)
    return sizes.sum(-1, dtype=np.float64)


def noise(images: np.ndarray, seed: int) -> np.ndarray:
    """Return maps ``(n, height, width)`` of uniform noise for images."""
    return np.random.default_rng(seed).random(images.shape[:3])


def centre(images: np.ndarray, seed: int) -> np.ndarray:
    """Return for each image the same map: a Gaussian around its middle."""
    rows, columns = (
        (np.arange(length) - (length - 1) / 2) / length for length in images.shape[1:3]
    )
    distances = np.add.outer(rows**2, columns**2)
    return np.broadcast_to(np.exp(-distances / (2 * CENTRE_SPREAD**2)), images.shape[:3])


def edges(images: np.ndarray, seed: int) -> np.ndarray:
    """Return how steep each image is, by Sobel's filter, after the mean over its channels.

    An edge detector is what Adebayo et al. (2018, arXiv:1810.03292) hold methods against.
    """
    grey = images.mean(-1, dtype=np.float64)
    slopes = ([sobel(image, axis, mode="nearest") for image in grey] for axis in (0, 1))
    return np.hypot(*slopes)


CONTROLS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "random": noise,
    "centre": centre,
    "edges": edges,
}
"""By name: from images and a seed to maps ``(n, height, width)``, without a network."""

COMPARED = (
    ("guided", "energy", "edges"),
    ("grad_cam", "iou", "centre"),
    ("grad_cam", "insertion", "random"),
    ("grad_cam", "insertion", "centre"),
    ("occlusion", "deletion", "random"),
    ("occlusion", "deletion", "centre"),
)
"""Of these a method and a control are compared image by image: what each gets of a measure."""

Scores = dict[tuple[str, str, str], np.ndarray]
"""What each image gets ``(images,)``: by a method or control, a measure, and the end of the name of
a target, empty for all images."""


def choose(right: np.ndarray, labels: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Return numbers of images, rising: at most ``count``, as many of each class, at random.

    Args:
        right: which images may be chosen ``(n,)`` bool. A class that has too few gives all.
        labels: class numbers ``(n,)``. Of what cannot be divided, the first classes take more.
    """
    random = np.random.default_rng(seed)
    classes = np.unique(labels)
    share, rest = divmod(count, len(classes))
    chosen = [
        random.permutation(np.flatnonzero(right & (labels == label)))[: share + (place < rest)]
        for place, label in enumerate(classes)
    ]
    return np.sort(np.concatenate(chosen))


def measure(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    methods: Sequence[str],
    images: int,
    curve_steps: int,
    steps: int,
    samples: int,
) -> dict[str, float]:
    """Explain test images that are classified correctly, and return how well each method does.

    Numbers are means over images and begin with the method's name or that of one of `CONTROLS`;
    those that end in ``_low`` and ``_high`` are the ends of their intervals, see `intervals`.
    ``METHOD_forward`` and ``METHOD_backward`` are the passes through the network that it takes to
    explain one image. ``METHOD_MEASURE_less_CONTROL_low`` and ``…_high`` are the ends of the
    interval of the difference of the two, image by image, for each of `COMPARED`.

    Where the data set has parts, images that show none are left out, and there are
    ``METHOD_pointing``, ``METHOD_energy`` and ``METHOD_iou``, see `localization`: for all parts
    together and, with its name at the end, for each class and for each part; ``chance_…`` are
    their chance levels.

    Args:
        methods: names of `attribution.METHODS`.
        images: how many, at most, the same number of each class.
        curve_steps: steps of deletion and insertion.
        steps: of integrated gradients.
        samples: of SmoothGrad.

    Raises:
        UserError: if no test image is classified correctly.
    """
    test = dataset["test"]
    probabilities = _compiled(model)
    usable = training.outputs(probabilities, test).argmax(1) == test.labels
    masks = {part: test.masks[part][:] for part in dataset.parts}
    if masks:
        usable &= np.any(list(masks.values()), axis=(0, 2, 3))
    numbers = choose(usable, test.labels, images, seed=seed)
    if not len(numbers):
        raise UserError("no test image is classified correctly, so there is nothing to explain")
    pixels, labels = _pixels(test, numbers), test.labels[numbers]
    masks = {part: own[numbers] for part, own in masks.items()}

    settings = attribution.Settings(
        seed=seed,
        value_range=dataset.value_range,
        map_layer=None,
        steps=steps,
        baseline=0.0,
        samples=samples,
        spread=0.15,
        window=None,
    )
    found: dict[str, float] = {"images": len(numbers)}
    maps = {}
    scores: Scores = {}
    for method in methods:
        maps[method] = importance(method, explained(method, settings, model, pixels, labels))
        forward, backward = attribution.passes(method, settings, pixels.shape[1:3])
        found |= {f"{method}_forward": forward, f"{method}_backward": backward}
    maps |= {name: control(pixels, seed) for name, control in CONTROLS.items()}

    targets = _targets(masks, labels, dataset.class_names)
    for target, (seen, own) in targets.items():
        found |= _chances(target, seen, own)
        scores |= _localized(maps, target, seen, own)
    grey = np.full_like(pixels, settings.at(0.5))
    ways = {"deletion": (pixels, grey), "insertion": (faithfulness.blurred(pixels), pixels)}
    for way, (starts, ends) in ways.items():
        scores |= _areas(probabilities, maps, way, starts, ends, labels, curve_steps, seed)
    for (method, measured, target), values in scores.items():
        groups = labels[targets[target][0]] if target else labels
        found |= _mean(f"{method}_{measured}{target}", measured, values, groups, seed)
    for method, measured, control in COMPARED:
        pair = [scores.get((name, measured, "")) for name in (method, control)]
        if not any(values is None for values in pair):
            low, high = intervals.of_mean(np.subtract(*pair), labels, seed=seed)
            name = f"{method}_{measured}_less_{control}"
            found |= {f"{name}_low": low, f"{name}_high": high}
    return found


def _pixels(split: StoredSplit, numbers: np.ndarray) -> np.ndarray:
    return np.stack([split.images[number] for number in numbers]).astype(np.float32)


def _targets(
    masks: Mapping[str, np.ndarray], labels: np.ndarray, class_names: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what maps should point at: by the end of its numbers' names, images and masks.

    Of all images, of each class and of each part, where it can be seen. A part that is all that a
    class has is the class.
    """
    if not masks:
        return {}
    union = np.any(list(masks.values()), axis=0)
    everything = np.ones(len(labels), bool)
    targets = {"": (everything, union)}
    targets |= {f"_{name}": (labels == label, union) for label, name in enumerate(class_names)}
    for part, mask in masks.items():
        seen = mask.any(axis=(1, 2))
        alone = (mask[seen] == union[seen]).all()
        if not (alone and any(np.array_equal(seen, of) for of, _ in targets.values())):
            targets[f"_{part}"] = (seen, mask)
    return {name: (seen, mask) for name, (seen, mask) in targets.items() if seen.any()}


def _chances(target: str, seen: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    numbers: dict[str, float] = {f"images{target}": int(seen.sum())}
    for name in localization.MEASURES:
        chance = [localization.chance(name, mask) for mask in masks[seen]]
        numbers[f"chance_{name}{target}"] = float(np.mean(chance))
    return numbers


def _localized(
    maps: Mapping[str, np.ndarray], target: str, seen: np.ndarray, masks: np.ndarray
) -> Scores:
    return {
        (method, name, target): np.array(
            [of(values, mask) for values, mask in zip(own[seen], masks[seen], strict=True)]
        )
        for name, of in localization.MEASURES.items()
        for method, own in maps.items()
    }


def _areas(
    probabilities: Callable[[np.ndarray], tf.Tensor],
    maps: Mapping[str, np.ndarray],
    way: str,
    starts: np.ndarray,
    ends: np.ndarray,
    labels: np.ndarray,
    steps: int,
    seed: int,
) -> Scores:
    found = {}
    for method, own in maps.items():
        areas = []
        for values, start, end, label in zip(own, starts, ends, labels, strict=True):
            order = faithfulness.falling_order(values, seed=seed)
            curve = faithfulness.curve(
                lambda images, label=label: probabilities(images).numpy()[:, label],
                start,
                end,
                order,
                steps,
            )
            areas.append(faithfulness.area(curve))
        found[method, way, ""] = np.array(areas)
    return found


def _mean(
    name: str, measured: str, values: np.ndarray, groups: np.ndarray, seed: int
) -> dict[str, float]:
    """Return the mean of values as ``name``, and the ends of its interval.

    Of wins, some of which no sample may have, no bootstrap can make an interval.
    """
    if measured == "pointing":
        low, high = intervals.of_share(values.mean(), len(values))
    else:
        low, high = intervals.of_mean(values, groups, seed=seed)
    return {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}


def _compiled(model: keras.Model) -> Callable[[np.ndarray], tf.Tensor]:
    """Return the probability of each class, a softmax of the logits, as a function of images."""
    pixels = tf.TensorSpec((None, *graph.image_shape(model)), graph.dtype(model))

    @tf.function(input_signature=[pixels], autograph=False)
    def run(images):
        (logits,) = graph.outputs(
            model, images, [graph.LOGITS], graph.folded(model, [graph.LOGITS])
        )
        return tf.nn.softmax(logits)

    return run
