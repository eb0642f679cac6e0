"""Numbers that sum up a projection, from its arrays alone."""

import itertools
from collections.abc import Callable

import numpy as np

from pixelspace.artifacts import Projection
from pixelspace.measures.correlations import correlation

NEGLIGIBLE = 0.01


def alikeness(images: np.ndarray) -> float:
    """Return the mean correlation over all pairs of images ``(n, height, width, channels)``.

    0 where there is no pair.
    """
    pairs = [(i, j) for i in range(len(images)) for j in range(i)]
    return float(np.mean([correlation(images[i], images[j]) for i, j in pairs])) if pairs else 0.0


def weights(projection: Projection) -> dict[str, float]:
    """Return the size and number of the images, and how many units have next to no weights.

    That is, nowhere as much as `NEGLIGIBLE` of the largest weight of all units.
    """
    images = projection.arrays["projections"]
    largest = np.abs(images).max(axis=(1, 2, 3))
    return {
        "height": images.shape[1],
        "width": images.shape[2],
        "shown": len(largest),
        "negligible": int((largest < NEGLIGIBLE * largest.max()).sum()),
    }


def faults(projection: Projection) -> dict[str, float]:
    """Return how many filters are shown, and how many have next to no picture, as in `weights`."""
    found = weights(projection)
    return {"shown": found["shown"], "blank": found["negligible"]}


def feature_maps(projection: Projection) -> dict[str, float]:
    """Return for each layer the size of its maps and the share of cells that are exactly zero.

    Layers whose maps have one cell, as a dense layer's, are left out.
    """
    numbers: dict[str, float] = {}
    for i, layer in enumerate(projection.about["layers"]):
        maps = projection.arrays[f"maps_{i}"]
        if maps.shape[:2] == (1, 1):
            continue
        numbers[f"height_{layer['name']}"], numbers[f"width_{layer['name']}"] = maps.shape[:2]
        numbers[f"zero_share_{layer['name']}"] = float((maps == 0).mean())
    return numbers


def deconvolutions(projection: Projection) -> dict[str, float]:
    """Return how like a deconvolution is to its patch, and how like those of one unit are.

    Correlations are taken over the pixels inside the image, and then averaged over patches; those
    between the patches of one unit over pairs of patches.
    """
    arrays = projection.arrays
    patches, deconvolved, inside = (
        arrays[name].reshape(-1, *arrays[name].shape[2:])
        for name in ("patches", "deconvolutions", "inside")
    )
    own = [
        correlation(patch[seen], picture[seen])
        for patch, picture, seen in zip(patches, deconvolved, inside, strict=True)
    ]
    height, width = inside.shape[1:]
    return {
        "field_height": height,
        "field_width": width,
        "patch_correlation": float(np.mean(own)),
        "patch_alikeness": float(np.mean([alikeness(unit) for unit in arrays["patches"]])),
        "deconvolution_alikeness": float(
            np.mean([alikeness(unit) for unit in arrays["deconvolutions"]])
        ),
    }


def dream(projection: Projection) -> dict[str, float]:
    """Return what a dream changed: pixels, as a share of their range, and each class.

    ``top`` is the number of the class that the dream is taken for.
    """
    arrays, about = projection.arrays, projection.about
    low, high = about["value_range"]
    frames = arrays["frames"].astype(np.float64)
    before, after = arrays["probabilities"]
    numbers = {
        "change": float(np.sqrt(np.mean((frames[-1] - frames[0]) ** 2)) / (high - low)),
        "top": int(after.argmax()),
    }
    for i, name in enumerate(about["class_names"]):
        numbers[f"before_{name}"] = float(before[i])
        numbers[f"after_{name}"] = float(after[i])
    return numbers


def maximization(projection: Projection) -> dict[str, float]:
    """Return how many images there are, what share of them climbed, and how far: in the median.

    Values are those of the objective, of the first images and of the last.
    """
    before, after = projection.arrays["values"].reshape(-1, 2).T
    return {
        "images": len(before),
        "climbed_share": float((after > before).mean()),
        "median_before": float(np.median(before)),
        "median_after": float(np.median(after)),
    }


def depth_series(projection: Projection) -> dict[str, float]:
    """Return for each layer the height in pixels of what a unit sees, the image's at most."""
    return {f"seen_{layer['name']}": layer["seen"][0] for layer in projection.about["layers"]}


def attribution(projection: Projection) -> dict[str, float]:
    """Return how alike the maps of any two methods are, and how like the image those of each are.

    Correlations are taken over the pixels, after summing over the channels of maps and of images,
    and then averaged over the images. ``completeness_gap`` is what integrated gradients miss of
    what the classes gain from the baseline to the images, as a share of that.
    """
    arrays, about = projection.arrays, projection.about
    planes = {
        name: arrays[f"maps_{i}"].sum(-1, dtype=np.float64)
        for i, name in enumerate(about["methods"])
    }
    planes["input"] = arrays["inputs"].sum(-1, dtype=np.float64)
    numbers: dict[str, float] = {"images": len(planes["input"])}
    for one, other in itertools.combinations(planes, 2):
        pairs = zip(planes[one], planes[other], strict=True)
        numbers[f"{one}_and_{other}"] = float(np.mean([correlation(a, b) for a, b in pairs]))
    if "completeness_gaps" in about:
        gaps = np.array(about["completeness_gaps"])
        gains = planes["integrated_gradients"].sum((1, 2)) - gaps
        numbers["completeness_gap"] = float(np.abs(gaps).sum() / (np.abs(gains).sum() or 1.0))
    return numbers


def inversion(projection: Projection) -> dict[str, float]:
    """Return for each layer the mean error, and how like their originals the images are.

    An error is the square of the distance of two codes as a share of the code's own square.
    """
    arrays = projection.arrays
    numbers: dict[str, float] = {"images": len(arrays["inputs"])}
    layers = zip(projection.about["layers"], arrays["errors"], arrays["made"], strict=True)
    for layer, errors, made in layers:
        pairs = zip(made, arrays["inputs"], strict=True)
        numbers[f"error_{layer}"] = float(errors.mean())
        numbers[f"correlation_{layer}"] = float(np.mean([correlation(a, b) for a, b in pairs]))
    return numbers


def atlas(projection: Projection) -> dict[str, float]:
    """Return how many fields are shown, and how many vectors lie in them and in none of them."""
    counts = projection.arrays["counts"]
    return {
        "fields": len(counts),
        "vectors": int(counts.sum()),
        "left_out": len(projection.arrays["layout"]) - int(counts.sum()),
        "fullest": int(counts.max()),
    }


SUMMARIES: dict[str, Callable[[Projection], dict[str, float]]] = {
    "weights": weights,
    "feature_maps": feature_maps,
    "deconvolutions": deconvolutions,
    "dream": dream,
    "maximization": maximization,
    "maco": maximization,
    "depth_series": depth_series,
    "attribution": attribution,
    "inversion": inversion,
    "atlas": atlas,
    "faults": faults,
}


def measure(projection: Projection) -> dict[str, float]:
    """Return the numbers of a projection; none where its kind has no summary."""
    summary = SUMMARIES.get(projection.about["kind"])
    return summary(projection) if summary else {}
