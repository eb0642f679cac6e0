"""Which units and images projections show, and by which methods each is still to be projected.

A reader who sees a unit or an image by one method wants to see it by the others, too.
"""

from collections.abc import Iterable, Mapping, Sequence

from pixelspace.artifacts import Projection

LOGITS = "logits"

SAME_UNITS = frozenset(
    "batchnorm relu relu6 maxpool average_pool dropout identity sigmoid softmax".split()
)
"""Kinds of layers whose units are those of the layer before."""

WEIGHTED = ("conv", "depthwise", "dense")
"""Kinds of layers that have weights of units."""

SHOWING = {
    "weights": ("weights",),
    "feature_maps": ("feature_maps",),
    "deconvolutions": ("deconvolutions",),
    "maximization": ("maximization", "depth_series", "parametrizations", "maco"),
}
"""By kind of projection that there is to be of every unit: the kinds that show as much of one."""

OF_IMAGES = ("attribution", "feature_maps", "inversion")
"""The methods by which there is to be a projection of every image."""


def stages(layers: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Put layers, as names and kinds from the input on, together with those that keep their units.

    So ``conv1``, ``relu1`` and ``pool1`` are one stage, whose unit 3 is the same filter in each.
    """
    found: list[list[str]] = []
    for name, kind in layers:
        if kind in SAME_UNITS and found:
            found[-1].append(name)
        else:
            found.append([name])
    return found


def weighted(layers: Sequence[tuple[str, str]], stage: Sequence[str]) -> bool:
    """Return whether units of a stage have weights: its layers, or any before them."""
    names = [name for name, _ in layers]
    return any(kind in WEIGHTED for _, kind in layers[: names.index(stage[-1]) + 1])


def named(projection: Projection) -> set[tuple[str, int]]:
    """Return the units that a projection shows, each as layer and number."""
    arrays, about = projection.arrays, projection.about
    match about["kind"]:
        case "feature_maps" | "depth_series":
            return {(layer["name"], unit) for layer in about["layers"] for unit in layer["units"]}
        case "attribution":
            names = about["class_names"]
            return {(about["layer"], explained_unit(what, names)) for what in about["explained"]}
        case "parametrizations":
            of_classes = {(LOGITS, label) for label in range(len(about["class_names"]))}
            return of_classes | {(about["layer"], unit) for unit in about["units"]}
    units = about["units"] if "units" in about else arrays.get("units", ())
    return {(about["layer"], int(unit)) for unit in units}


def explained_unit(explained: str, class_names: Sequence[str]) -> int:
    """Return the number of the unit that an attribution explains, as a class or ``unit 3``."""
    if explained in class_names:
        return class_names.index(explained)
    return int(explained.removeprefix("unit "))


def lacking(
    layers: Sequence[str], units: Iterable[int], known: Iterable[Projection]
) -> dict[str, list[int]]:
    """Return by kind of projection which units of some layers none of those known shows so.

    Args:
        layers: a stage.
        units: some of its units, beside those that the known projections show.
    """
    every = set(units)
    shown: dict[str, set[int]] = {kind: set() for kind in SHOWING}
    for projection in known:
        own = {unit for layer, unit in named(projection) if layer in layers}
        every |= own
        for kind, alike in SHOWING.items():
            if projection.about["kind"] in alike:
                shown[kind] |= own
    found = {kind: sorted(every - own) for kind, own in shown.items()}
    return {kind: own for kind, own in found.items() if own}


def seen(projection: Projection) -> set[int]:
    """Return the numbers of the test images that a projection is of."""
    arrays, about = projection.arrays, projection.about
    match about["kind"]:
        case "feature_maps" | "dream":
            image = about["image"]
            return {image["index"]} if image["split"] == "test" else set()
        case "randomized":
            return {about["image"]}
        case "attribution" | "inversion":
            return set(arrays["images"].tolist())
        case "hard_images":
            return {*arrays["wrong_numbers"].tolist(), *arrays["close_numbers"].tolist()}
    return set()


def unseen(known: Iterable[Projection]) -> dict[str, list[int]]:
    """Return by method which test images, of those that projections are of, none shows so."""
    every: set[int] = set()
    shown: dict[str, set[int]] = {method: set() for method in OF_IMAGES}
    for projection in known:
        about, own = projection.about, seen(projection)
        every |= own
        shown.get(method_of(about["kind"], about), set()).update(own)
    found = {method: sorted(every - own) for method, own in shown.items()}
    return {method: own for method, own in found.items() if own}


def method_of(kind: str, settings: Mapping) -> str:
    """Return the method of a kind of projection: a caricature is of kind ``inversion``."""
    return settings["method"] if kind == "inversion" else kind


def bundled(parts: Iterable[tuple[str, Projection]]) -> Projection:
    """Return projections, each with the name of its sheet, as one that a file can hold."""
    arrays, about = {}, []
    for number, (sheet, part) in enumerate(parts):
        arrays |= {f"{number}_{name}": values for name, values in part.arrays.items()}
        about.append({"sheet": sheet, **part.about})
    return Projection(arrays, {"kind": "units", "parts": about})


def unbundled(bundle: Projection) -> list[tuple[str, Projection]]:
    """Return what `bundled` was given."""
    found = []
    for number, about in enumerate(bundle.about["parts"]):
        own = f"{number}_"
        arrays = {
            name.removeprefix(own): values
            for name, values in bundle.arrays.items()
            if name.startswith(own)
        }
        about = dict(about)
        found.append((about.pop("sheet"), Projection(arrays, about)))
    return found
