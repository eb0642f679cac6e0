"""Artifacts for the tests of figures: small, seeded, and like those that a run leaves.

Images, weights and maps are made up; what matters is that shapes, ranges and signs are those of
the real ones.
"""

import contextlib
import itertools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixelspace import artifacts
from pixelspace.artifacts import Dataset, Projection, Sample, Split
from pixelspace.figures.templates import LABELS
from pixelspace.report.sweep import summary

LETTERS = ("E", "F", "L")
DIGITS = tuple("0123456789")
DISHES = ("dog", "muffin", "chicken")
AWKWARD = ("100% $x_1$", r"a\b_{c}|<d>", "Größe", "a very long name of a class, too long to show")


def letter(name: str, rows: int = 9, columns: int = 7) -> np.ndarray:
    """Return ``E``, ``F`` or ``L`` as ``(rows, columns, 1)``, 1 on 0."""
    image = np.zeros((rows, columns, 1), "float32")
    image[1:-1, 1:3] = 1
    if name in "EF":
        image[1:3, 1:-1] = 1
        image[rows // 2, 1:-1] = 1
    if name in "EL":
        image[-3:-1, 1:-1] = 1
    return image


def digit(name: str, random: np.random.Generator, size: int = 28) -> np.ndarray:
    """Return a printed digit, turned and moved a little, as ``(size, size, 1)`` uint8."""
    image = Image.new("L", (size, size))
    font = ImageFont.load_default(int(size * random.uniform(0.7, 0.9)))
    middle = size / 2 + random.uniform(-2, 2, 2)
    ImageDraw.Draw(image).text(tuple(middle), name, fill=255, font=font, anchor="mm")
    return np.asarray(image.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR))[..., None]


def blob(random: np.random.Generator, size: int = 128) -> np.ndarray:
    """Return a lit, coloured blob on a dull ground, as ``(size, size, 3)`` uint8."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle, wobble = np.arctan2(y, x), random.uniform(0, 2 * np.pi, 3)
    edge = 0.65 + sum(0.05 * np.cos((k + 2) * angle + w) for k, w in enumerate(wobble))
    inside = (np.hypot(x, y) < edge)[..., None]
    light = (0.75 - 0.25 * (x + y))[..., None]
    body, ground = random.uniform(90, 240, 3), random.uniform(60, 160, 3)
    noise = random.normal(0, 8, (size, size, 1))
    return np.clip(np.where(inside, light * body, ground) + noise, 0, 255).astype("uint8")


def _split(images: list[tuple[np.ndarray, int]]) -> Split:
    samples = [Sample(image, label, f"made {i}") for i, (image, label) in enumerate(images)]
    return Split(len(samples), samples[0].image.shape, samples)


@contextlib.contextmanager
def _stored(folder: Path, images, **about):
    dataset = Dataset(splits={"train": _split(images)}, **about)
    artifacts.write_dataset(folder / "dataset.h5", dataset)
    with artifacts.open_dataset(folder / "dataset.h5") as stored:
        yield stored


def letters(folder: Path, per_class: int = 12):
    """Open a data set of noisy letters with templates."""
    random = np.random.default_rng(0)
    images = [
        (np.maximum(letter(name) + random.normal(0, 0.2, (9, 7, 1)), 0), label)
        for _ in range(per_class)
        for label, name in enumerate(LETTERS)
    ]
    return _stored(
        folder,
        images,
        class_names=LETTERS,
        value_range=(0.0, 1.0),
        dtype="float32",
        templates=np.stack([letter(name) for name in LETTERS]),
    )


def digits(folder: Path):
    """Open a data set of ten classes of grey images."""
    random = np.random.default_rng(1)
    images = [(digit(name, random), label) for label, name in enumerate(DIGITS) for _ in range(20)]
    return _stored(folder, images, class_names=DIGITS, value_range=(0.0, 255.0), dtype="uint8")


def dishes(folder: Path, names=DISHES):
    """Open a data set of colour images."""
    random = np.random.default_rng(2)
    images = [(blob(random), label) for label in range(len(names)) for _ in range(9)]
    return _stored(folder, images, class_names=names, value_range=(0.0, 255.0), dtype="uint8")


def report(names=LETTERS, epochs: int = 8, seed: int = 0) -> dict:
    """Return a training report with a plausible history and confusion matrix."""
    random = np.random.default_rng(seed)
    falling = 1.2 * np.exp(-np.arange(epochs) / 1.5) + 0.01
    noise = random.uniform(0.9, 1.15, (2, epochs))
    confusion = random.integers(0, 4, (len(names), len(names))) * random.integers(0, 2)
    np.fill_diagonal(confusion, random.integers(880, 1130, len(names)))
    errors = int(confusion.sum() - np.trace(confusion))
    return {
        "class_names": list(names),
        "confusion": confusion.tolist(),
        "history": {
            "train_loss": (falling * noise[0]).tolist(),
            "validation_loss": (falling * noise[1] * 0.9).tolist(),
            "train_accuracy": (1 - 0.3 * falling * noise[0]).tolist(),
            "validation_accuracy": (1 - 0.25 * falling * noise[1]).tolist(),
        },
        "test": {
            "accuracy": 1 - errors / int(confusion.sum()),
            "errors": errors,
            "images": int(confusion.sum()),
            "loss": 0.02,
            "ties": 0,
        },
    }


def letter_weights(units: int = 2, names=LETTERS) -> Projection:
    """Return the weights of a hidden layer on letters, and of its logits."""
    random = np.random.default_rng(3)
    leg = letter("E") - letter("F")
    arms = letter("E") - letter("L")
    kinds = np.stack([(leg, arms)[unit % 2] for unit in range(units)])
    readout = random.uniform(-1.5, 1.5, (units, len(names)))
    readout[:2, :3] = [[0.61, -1.24, 0.93], [0.48, 0.87, -1.31]][:units]
    return Projection(
        {
            "projections": 0.6 * kinds + random.normal(0, 0.04, kinds.shape),
            "units": np.arange(units),
            "mean_activations": random.uniform(0.05, 6, (len(names), units)),
            "readout": readout,
        },
        _about("weights", names, (0, 1), layer="hidden", method="direct", units_total=units),
    )


def kernels(units: int, size: int, channels: int, names=DIGITS) -> Projection:
    """Return weights of a convolution: smooth kernels of both signs."""
    random = np.random.default_rng(4)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle = random.uniform(0, 2 * np.pi, (units, 1, 1))
    wave = np.sin(4 * (np.cos(angle) * x + np.sin(angle) * y) + angle) * np.exp(-x * x - y * y)
    tint = random.normal(0, 0.3, (units, 1, 1, channels)) + (1 if channels == 1 else 0.5)
    return Projection(
        {
            "projections": wave[..., None] * tint,
            "units": np.sort(random.choice(10 * units, units, replace=False)),
            "mean_activations": random.uniform(0, 1, (len(names), units)),
        },
        _about("weights", names, (0, 255), layer="conv1", method="direct", units_total=units),
    )


def condemned(units: int, size: int) -> Projection:
    """Return kernels in the order in which they would go."""
    made = kernels(units + 1, size, 1)
    faults = [("dead", "duplicate", "aliased")[turn % 3] for turn in range(units)]
    arrays = {name: made.arrays[name][:units] for name in ("projections", "units")}
    return Projection(arrays, _about("faults", DIGITS, (0, 255), layer="conv1", faults=faults))


def pruned(seed: int = 0, percents: tuple[int, ...] = (25, 50, 75)) -> dict[str, float]:
    """Return what a network loses with shares of its filters: ever more, and most at random."""
    random = np.random.default_rng(seed)
    numbers = {"multiply_adds": 1_116_416, "accuracy": 0.993, "accuracy_trained": 0.9935}
    for percent in percents:
        left = 1 - percent / 100
        numbers[f"multiply_adds_{percent}"] = int(1_116_416 * left**1.7)
        for place, criterion in enumerate(("projection", "magnitude", "random"), 1):
            error = 0.007 + 0.9 * (1 - left) ** (5 - place) * random.uniform(0.5, 1)
            numbers[f"{criterion}_{percent}"] = 1 - error
            numbers[f"{criterion}_{percent}_trained"] = 1 - error / 8
    return numbers


def maps(image: np.ndarray, layers: dict[str, tuple[int, int, int]], names=DIGITS) -> Projection:
    """Return feature maps of ``image``: of each layer, by name, its shape ``(h, w, channels)``."""
    random = np.random.default_rng(5)
    arrays = {"input": image.astype("float32")}
    for number, (name, (height, width, channels)) in enumerate(layers.items()):
        small = Image.fromarray(image.mean(axis=-1).astype("uint8")).resize((width, height))
        base = np.asarray(small, "float32")[..., None] / 255
        values = base * random.uniform(-1, 2, channels) + random.normal(0, 0.1, base.shape)
        signed = name.endswith("out")
        arrays[f"maps_{number}"] = values if signed else np.maximum(values, 0)
    about = [
        {"name": name, "units": [(1 if name == "logits" else 3) * u for u in range(shape[-1])]}
        for name, shape in layers.items()
    ]
    image_about = {"split": "test", "index": 0, "label": names[1], "predicted": names[2]}
    return Projection(
        arrays, _about("feature_maps", names, (0, 255), layers=about, image=image_about)
    )


def patches(units: int, count: int, size: int, channels: int, names=DIGITS) -> Projection:
    """Return patches of ``size`` pixels a side that partly lie outside, and deconvolutions."""
    random = np.random.default_rng(6)
    shown = np.zeros((units, count, size, size, channels), "float32")
    inside = np.ones((units, count, size, size), bool)
    for unit, place in np.ndindex(units, count):
        if channels == 1:
            shown[unit, place] = digit(str(unit % 10), random, size)
        else:
            shown[unit, place] = blob(random, size)
        if place % 3 == 1:
            inside[unit, place, : size // 4] = False
            inside[unit, place, :, : size // 5] = False
    shown *= inside[..., None]
    edges = np.gradient(shown, axis=3) * inside[..., None]
    return Projection(
        {
            "patches": shown,
            "deconvolutions": edges / 300,
            "inside": inside,
            "activations": np.sort(random.uniform(1, 9, (units, count)))[:, ::-1],
            "images": np.arange(units * count).reshape(units, count),
            "boxes": np.zeros((units, count, 4), int),
            "units": np.arange(units) * 7 + 3,
        },
        _about("deconvolutions", names, (0, 255), layer="relu2", policy="deconvnet", split="test"),
    )


def dream(octaves: int = 4, shape: tuple[int, int] = (160, 160), names=DISHES) -> Projection:
    """Return a blob that grows stripes, one set more with each octave."""
    image = Image.fromarray(blob(np.random.default_rng(7), 160)).resize(shape[::-1])
    frames = [np.asarray(image, "float32")]
    x = np.arange(shape[1])[:, None]
    for octave in range(octaves):
        frames.append(np.clip(frames[-1] + 20 * np.sin(x / (8 - octave)), 0, 255))
    probabilities = np.random.default_rng(8).dirichlet(np.full(len(names), 0.5), 2)
    return Projection(
        {
            "frames": np.stack(frames),
            "logits": np.log(probabilities),
            "probabilities": probabilities,
        },
        _about(
            "dream",
            names,
            (0, 255),
            layer="b10_out",
            objective="mean square",
            octaves=octaves,
            steps=20,
            image={"split": "large", "index": 0, "label": names[1]},
        ),
    )


def maximized(
    units: int, variants: int, size: int, channels: int, names=DIGITS, layer: str = "conv2"
) -> Projection:
    """Return stripes for each unit and variant, and the values that they reach."""
    random = np.random.default_rng(9)
    x = np.arange(size)[:, None]
    waves = random.uniform(0.2, 2, (units, variants, 1, 1, 1)) * x
    tint = random.uniform(0.3, 1, (units, variants, 1, 1, channels))
    images = 127.5 * (1 + tint * np.sin(waves) * np.ones((size, 1, 1)))
    values = np.sort(random.uniform(-1, 40, (units, variants, 2)))
    numbers = np.arange(units) if layer == "logits" else 3 * np.arange(units) + 1
    about = _about("maximization", names, (0, 255), layer=layer, units=numbers.tolist())
    return Projection({"images": images, "values": values, "units": numbers}, about)


def series(layers: dict[str, int], size: int = 96) -> Projection:
    """Return stripes for so many units of each layer, by name."""
    arrays, about = {}, []
    for number, (name, units) in enumerate(layers.items()):
        made = maximized(units, 1, size, 3)
        arrays[f"images_{number}"] = made.arrays["images"][:, 0]
        arrays[f"values_{number}"] = made.arrays["values"][:, 0]
        about.append({"name": name, "units": made.about["units"], "seen": [9, 9]})
    return Projection(arrays, _about("depth_series", DISHES, (0, 255), layers=about))


def rows(units: int = 8, starts: int = 3, names=DISHES) -> Projection:
    """Return stripes made in three ways for units, and in four for classes."""
    of = {"unit": (3, units), "class": (4, len(names) * starts)}
    many = {"unit": "units", "class": "classes"}
    arrays = {"numbers": 3 * np.arange(units) + 1}
    for what, (ways, count) in of.items():
        made = maximized((ways + 1) * count, 1, 64, 3)
        own = (units,) if what == "unit" else (len(names), starts)
        shown = made.arrays["images"].reshape(ways + 1, *own, 64, 64, 3)
        values = made.arrays["values"][:, 0, 1].reshape(ways + 1, *own)
        arrays |= {many[what]: shown[1:], f"natural_{many[what]}": shown[0]}
        arrays |= {f"{what}_values": values[1:], f"natural_{what}_values": values[0]}
    about = _about("parametrizations", names, (0, 255), layer="b10_out")
    ways = ["pixels", "fourier", "robust", "diverse"]
    about |= {"units": arrays["numbers"].tolist(), "of_units": ways[:3], "of_classes": ways}
    return Projection(arrays, about)


def phases(units: int = 8) -> Projection:
    """Return what MaCo makes: one image of each unit."""
    made = maximized(units, 1, 96, 3)
    arrays = {
        name: made.arrays[name][:, 0] if name != "units" else made.arrays[name]
        for name in made.arrays
    }
    return Projection(arrays, made.about | {"kind": "maco"})


def attribution(
    images: int = 4, channels: int = 3, names=DISHES, methods=("gradient", "grad_cam", "occlusion")
) -> Projection:
    """Return maps of blobs or digits: of both signs, but for class maps."""
    random = np.random.default_rng(10)
    if channels == 3:
        inputs = np.stack([blob(random, 96) for _ in range(images)])
    else:
        inputs = np.stack([digit(str(i), random) for i in range(images)])
    edges = np.gradient(inputs.astype("float32"), axis=2) * random.uniform(-1, 1, (images, 1, 1, 1))
    of_places = {"grad_cam": np.abs(edges), "occlusion": -edges}
    arrays = {
        f"maps_{number}": of_places[method].mean(-1, keepdims=True)
        if method in of_places
        else edges
        for number, method in enumerate(methods)
    }
    labels = [names[i % len(names)] for i in range(images)]
    about = _about(
        "attribution",
        names,
        (0, 255),
        layer="logits",
        methods=list(methods),
        labels=labels,
        predicted=labels[::-1],
        explained=labels[::-1],
    )
    return Projection({"inputs": inputs, "images": np.arange(images), **arrays}, about)


def randomized(channels: int = 1, names=DIGITS, methods=("gradient", "guided")) -> Projection:
    """Return maps of one image for six cases: noise in which less and less of it is left."""
    random = np.random.default_rng(13)
    image = blob(random, 96) if channels == 3 else digit("7", random)
    noise = random.normal(0, 60, (6, *image.shape))
    left = np.linspace(1, 0, 6)[:, None, None, None]
    arrays = {f"maps_{i}": (left * image + noise).astype("float32") for i in range(len(methods))}
    about = _about(
        "randomized",
        names,
        (0, 255),
        layer="logits",
        methods=list(methods),
        split="test",
        image=1,
        label=names[1],
        predicted=names[1],
        explained=[names[1], names[2], *[names[1]] * 4],
        layers=50,
        random_layers=[0, 0, 1, 25, 38, 50],
    )
    return Projection({"input": image.astype("float32"), **arrays}, about)


def sanity(methods=("gradient", "guided", "grad_cam")) -> dict[str, float]:
    """Return similarities that fall with the number of random layers, with their intervals."""
    numbers = {"images": 100, "confidence": 0.95, "layers": 4}
    numbers |= {"layers_top": 1, "layers_half": 2, "layers_most": 3, "layers_all": 4}
    for control in ("noise", "noise_times_input"):
        numbers |= {f"{control}_spearman": 0.01, f"{control}_ssim": 0.4}
    for place, method in enumerate(methods):
        for quantity in ("spearman", "ssim"):
            for depth, stage in enumerate(("top", "half", "most", "all"), start=1):
                value = (0.9 - 0.2 * place) ** depth - 0.1
                name = f"{method}_{quantity}_{stage}"
                numbers |= {name: value, f"{name}_low": value - 0.03, f"{name}_high": value + 0.03}
        numbers |= {f"{method}_with_input": 0.5, f"{method}_across_logits": 0.5}
    return numbers


def inversion(
    images: int = 4, layers=("b2_out", "b10_out"), method: str = "inversion", names=DISHES
) -> Projection:
    """Return blobs, and the same with more and more noise."""
    random = np.random.default_rng(11)
    inputs = np.stack([blob(random, 96) for _ in range(images)]).astype("float32")
    noise = random.normal(0, 20, (len(layers), *inputs.shape))
    made = np.clip(
        inputs + noise * np.arange(1, len(layers) + 1)[:, None, None, None, None], 0, 255
    )
    return Projection(
        {
            "inputs": inputs,
            "images": np.arange(images),
            "made": made,
            "errors": random.uniform(0.001, 1, (len(layers), images)),
        },
        _about(
            "inversion",
            names,
            (0, 255),
            layers=list(layers),
            method=method,
            labels=[names[i % len(names)] for i in range(images)],
        ),
    )


def atlas(grid: int = 5) -> Projection:
    """Return blobs in some fields of a grid: none in its first row, and the last but one alone."""
    random = np.random.default_rng(12)
    places = [(row, column) for row in range(1, grid) for column in range(grid) if row != grid - 2]
    counts = random.integers(3, 40, len(places))
    return Projection(
        {
            "images": np.stack([blob(random, 48) for _ in places]).astype("float32"),
            "places": np.array(places),
            "counts": counts,
            "sizes": np.maximum(np.sqrt(counts / counts.max()), 0.4),
            "layout": random.normal(0, 1, (int(counts.sum()) + 7, 2)),
            "labels": random.integers(0, 3, int(counts.sum()) + 7),
        },
        _about(
            "atlas", DISHES, (0, 255), layer="b10_out", grid=grid, samples=int(counts.sum()) + 7
        ),
    )


def templates(layers: list[str]) -> dict[str, float]:
    """Rank correlations of every kind of picture, between -1 and 1."""
    random = np.random.default_rng(0)
    numbers = {}
    for layer in layers:
        numbers |= {f"{layer}_units": 16, f"{layer}_weights_untrained": random.uniform(-1, 1)}
        for picture in LABELS:
            low, own, high = sorted(random.uniform(-1, 1, 3))
            numbers |= {
                f"{layer}_{picture}_low": low,
                f"{layer}_{picture}_spearman": own,
                f"{layer}_{picture}_high": high,
            }
            if picture != "mean_patch":
                numbers[f"{layer}_{picture}_other"] = random.uniform(-1, 1)
    return numbers


def explanations(methods, measures=("pointing", "energy", "iou", "deletion", "insertion")) -> dict:
    """Return means with their intervals for some methods and for maps of no method."""
    random = np.random.default_rng(13)
    numbers = {}
    for measure in measures:
        if measure not in ("deletion", "insertion"):
            numbers[f"chance_{measure}"] = 0.1
        for method in (*methods, "random", "centre", "edges"):
            low, mean, high = np.sort(random.uniform(0, 1, 3))
            numbers[f"{method}_{measure}"] = mean
            numbers |= {f"{method}_{measure}_low": low, f"{method}_{measure}_high": high}
    return numbers


def _about(kind: str, names, value_range, **more) -> dict:
    return {
        "kind": kind,
        "class_names": list(names),
        "value_range": list(value_range),
        "notes": [],
        **more,
    }


def hard_images(wrong: int = 2, close: int = 3):
    """Errors and narrow successes."""
    rng = np.random.default_rng(0)
    return Projection(
        {
            "wrong": rng.uniform(0, 255, (wrong, 32, 32, 3)),
            "close": rng.uniform(0, 255, (close, 32, 32, 3)),
            "wrong_margins": -np.arange(wrong)[::-1],
            "close_margins": np.arange(close),
            "wrong_numbers": 20 + np.arange(wrong),
            "close_numbers": 30 + np.arange(close),
        },
        {
            "kind": "hard_images",
            "split": "test",
            "class_names": ["dog", "muffin"],
            "value_range": [0, 255],
            "labels": [["dog"] * wrong, ["muffin"] * close],
            "rivals": [["muffin"] * wrong, ["dog"] * close],
            "notes": [],
        },
    )


def code_frequency() -> dict[str, float]:
    """Return numbers like those of the measure of that name."""
    random = np.random.default_rng(0)
    numbers = {"networks": 4096, "restarts": 128, "groups": 32}
    for recipe in ("plain", "penalty", "positive", "both"):
        for outcome in ("perfect", "described", "readable", "other", "dead", "origin"):
            for kept in ("", "best_") if outcome in ("perfect", "readable") else ("",):
                low, share, high = sorted(random.uniform(0, 1, 3).tolist())
                key = f"{recipe}_{kept}{outcome}"
                numbers |= {key: share, f"{key}_low": low, f"{key}_high": high}
    return numbers


def swept(replicates: int = 3, failed=(), **grid) -> dict:
    """Return the summary of a sweep over a grid, some points of which failed."""
    random = np.random.default_rng(0)
    rows = []
    for number, values in enumerate(itertools.product(*grid.values())):
        for replicate in range(replicates):
            accuracy = 0.9 + 0.02 * np.sin(number) + 0.01 * random.random()
            outcome = {"numbers": {"test_accuracy": float(accuracy)}}
            if number in failed:
                outcome = {"error": "ValueError: it broke"}
            varied = dict(zip(grid, values, strict=True))
            rows.append({"varied": varied, "replicate": replicate, "key": "", **outcome})
    return summary(rows, "test_accuracy", "")
