"""Attribution: what in an image excites a class or a unit, by every method, for a data set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.errors import UserError
from pixelspace.projections import graph
from pixelspace.projections.backward import (
    backward_pass,
    deconvnet,
    gradient,
    guided_backpropagation,
    has_rectifiers,
    has_switches,
)
from pixelspace.projections.class_maps import grad_cam, grad_cam_plus_plus, maps_before
from pixelspace.projections.feature_maps import layer_outputs
from pixelspace.projections.gradients import (
    gradient_times_input,
    integrated_gradients,
    smooth_grad,
)
from pixelspace.projections.occlusion import occlusion_map, windows
from pixelspace.projections.selection import choose_images, listed

LOGITS = graph.LOGITS
WINDOW_SHARE = 8  # an occluding window's side, as a fraction of the image's
LARGEST_GAP = 0.05  # by which integrated gradients may miss what they share out, unremarked


@dataclass(frozen=True)
class Settings:
    """What some methods need besides a unit; see `project`."""

    seed: int
    value_range: tuple[float, float]
    map_layer: str | None = None
    steps: int = 50
    baseline: float = 0.0
    samples: int = 50
    spread: float = 0.15
    window: int | None = None

    def at(self, share: float) -> float:
        """Return the value at a share of the range, from black to white."""
        low, high = self.value_range
        return low + share * (high - low)


def _window(settings: Settings, image: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Return the window and the stride of occlusion for images of a height and width."""
    window = tuple(settings.window or max(length // WINDOW_SHARE, 1) for length in image)
    return {"window": window, "stride": tuple(max(length // 2, 1) for length in window)}


def _occlusion(settings: Settings, model, images: np.ndarray, *what) -> np.ndarray:
    own = _window(settings, images.shape[1:3])
    return occlusion_map(model, images, *what, **own, fill=settings.at(0.5))[..., None]


def _class_map(method: Callable) -> Callable:
    def found(settings: Settings, model, images, layer, *what) -> np.ndarray:
        return method(model, images, *what, layer=settings.map_layer, output=layer)[..., None]

    return found


METHODS: dict[str, Callable] = {
    "gradient": lambda _, *what: gradient(*what),
    "gradient_times_input": lambda _, *what: gradient_times_input(*what),
    "smooth_grad": lambda settings, *what: smooth_grad(
        *what, seed=settings.seed, samples=settings.samples, spread=settings.spread
    ),
    "integrated_gradients": lambda settings, *what: integrated_gradients(
        *what, baseline=settings.at(settings.baseline), steps=settings.steps
    ),
    "deconvnet": lambda _, *what: deconvnet(*what, start="one"),
    "guided": lambda _, *what: guided_backpropagation(*what),
    "grad_cam": _class_map(grad_cam),
    "grad_cam_plus_plus": _class_map(grad_cam_plus_plus),
    "occlusion": _occlusion,
}
"""By name: from settings, a model, images, a layer, its units and their position to maps
``(n, height, width, channels or 1)``; integrated gradients also give the gap ``(n,)`` by which
these miss completeness."""

NEED_A_MAP = ("grad_cam", "grad_cam_plus_plus")


def passes(method: str, settings: Settings, image: tuple[int, int]) -> tuple[int, int]:
    """Return how often a method runs a network forward and backward to explain one image.

    Args:
        method: a name of `METHODS`.
        image: height and width.
    """
    match method:
        case "smooth_grad":
            return settings.samples, settings.samples
        case "integrated_gradients":  # two more are for the gap: the image and the baseline
            return settings.steps + 2, settings.steps + 2
        case "occlusion":  # one more is for the whole image
            return len(windows(image, **_window(settings, image))) + 1, 0
        case _:
            return 1, 1


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    methods: Sequence[str] | None = None,
    images: int | Sequence[int] = 4,
    layer: str = LOGITS,
    target: str | int = "predicted",
    cell: Sequence[int] | None = None,
    map_layer: str | None = None,
    steps: int = 50,
    baseline: float = 0.0,
    samples: int = 50,
    spread: float = 0.15,
    window: int | None = None,
) -> Projection:
    """Explain a class or a unit for some test images by each of some methods.

    Args:
        methods: names of `METHODS`; None for all. Where no map lies before the layer, class maps
            are left out, and this is noted.
        images: numbers of test images, or how many to choose at random.
        layer: the layer of what is explained. Of a probability, what speaks for a class cannot be
            told from what speaks against the others; hence the logits.
        target: a unit's number or, of classes: ``"predicted"``, ``"label"``, or a class's name.
        cell: row and column in the layer's map; None for all of it.
        map_layer: the layer of class maps; None for the last one.
        steps, baseline: of integrated gradients: points on the path, and the share of the value
            range, from black, where the path begins.
        samples, spread: of SmoothGrad: noisy copies, and the noise in them.
        window: side in pixels of what occlusion covers; None for an eighth of the image's.

    Raises:
        UserError: if there is no such method, image, layer, class, unit or cell.
    """
    methods = list(METHODS) if methods is None else methods
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise UserError(f"method {unknown[0]}: the methods are {', '.join(METHODS)}")
    left_out = [] if maps_before(model, layer) else [m for m in methods if m in NEED_A_MAP]
    methods = [name for name in methods if name not in left_out]
    split = dataset["test"]
    numbers, pixels = choose_images(split, images, seed)
    predicted = layer_outputs(model, pixels, [LOGITS])[LOGITS].argmax(1)
    labels = split.labels[numbers]
    names = dataset.class_names
    units = _targets(target, predicted, labels, names)
    of_classes = graph.shape(model, layer) == (len(names),)
    if not of_classes and not isinstance(target, int):
        raise UserError(f"target {target}: layer {layer} is not of classes; give a unit's number")
    settings = Settings(
        seed, dataset.value_range, map_layer, steps, baseline, samples, spread, window
    )
    what = (model, pixels, layer, units, cell)
    found = {name: METHODS[name](settings, *what) for name in methods}
    notes = [f"method {name}: left out, as no layer has a map" for name in left_out]
    about = {}
    if "integrated_gradients" in found:
        found["integrated_gradients"], gaps = found["integrated_gradients"]
        gains = found["integrated_gradients"].sum((1, 2, 3)) - gaps
        about["completeness_gaps"] = gaps.tolist()
        notes += [
            f"method integrated_gradients: for image {number} the shares miss the gain "
            f"{gain:.3g} by {gap:.2g}; take more steps"
            for number, gain, gap in zip(numbers, gains, gaps, strict=True)
            if abs(gap) > LARGEST_GAP * abs(gain)
        ]
    if not has_rectifiers(model, layer):
        notes += [
            f"method {name}: no rectifier is known before layer {layer}, so it is the gradient"
            for name in ("deconvnet", "guided")
            if name in found
        ]
    if "deconvnet" in found and not has_switches(model, layer):
        notes.append("method deconvnet: no max-pooling, so a unit has the same map for all images")
    explained = [names[i] if of_classes else f"unit {i}" for i in units]
    _, values = backward_pass(*what, policy="gradient")
    notes += _notes_of_zero(explained, values, numbers)
    notes += _notes_of_blank_maps(found, numbers)
    about |= {
        "kind": "attribution",
        "class_names": list(names),
        "value_range": list(dataset.value_range),
        "layer": layer,
        "methods": list(found),
        "split": "test",
        "labels": [names[i] for i in labels],
        "predicted": [names[i] for i in predicted],
        "explained": explained,
        "notes": notes,
    }
    arrays = {f"maps_{i}": maps.astype(np.float32) for i, maps in enumerate(found.values())}
    return Projection({"inputs": pixels, "images": numbers, **arrays}, about)


def _notes_of_zero(explained: Sequence[str], values: np.ndarray, numbers: np.ndarray) -> list[str]:
    """Return a note for each thing explained that is zero for some of the images itself."""
    zero: dict[str, list[int]] = {}
    for name, number in zip(np.array(explained)[values == 0], numbers[values == 0], strict=True):
        zero.setdefault(str(name), []).append(number)
    return [f"{name}: zero for {listed(own, 'image')}" for name, own in zero.items()]


def _notes_of_blank_maps(found: Mapping[str, np.ndarray], numbers: np.ndarray) -> list[str]:
    """Return a note for methods whose maps of the same images are zero everywhere."""
    methods: dict[str, list[str]] = {}
    for name, maps in found.items():
        blank = numbers[~maps.any((1, 2, 3))]
        if blank.size:
            methods.setdefault(listed(blank, "image"), []).append(name)
    return [
        f"method{'s' if len(own) > 1 else ''} {', '.join(own)}: zero everywhere for {images}"
        for images, own in methods.items()
    ]


def _targets(target: str | int, predicted: np.ndarray, labels: np.ndarray, names) -> np.ndarray:
    if isinstance(target, int):
        return np.full(len(labels), target)
    if target in ("predicted", "label"):
        return predicted if target == "predicted" else labels
    if target not in names:
        raise UserError(f"target {target}: give predicted, label, or one of {', '.join(names)}")
    return np.full(len(labels), names.index(target))
