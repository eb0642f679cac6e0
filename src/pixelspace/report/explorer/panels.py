"""What there is to see of a unit, a layer, an image or a network: panels, from a projection.

A kind of projection may have a function of its name, which yields panels. Their pictures are the
tiles of the figures, so that a value has the same colour on paper and here.
"""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple

import numpy as np

from pixelspace.artifacts import Projection
from pixelspace.figures import attribution as attribution_figure
from pixelspace.figures import depth_series as depth_series_figure
from pixelspace.figures import hard_images as hard_images_figure
from pixelspace.figures import maco as maco_figure
from pixelspace.figures import parametrizations as parametrizations_figure
from pixelspace.figures import randomized as randomized_figure
from pixelspace.figures import style, tiles
from pixelspace.figures import top_patches as top_patches_figure
from pixelspace.figures import weights as weights_figure
from pixelspace.units import explained_unit


class Unit(NamedTuple):
    """A unit of a layer."""

    layer: str
    number: int


class Layer(NamedTuple):
    """All units of a layer together."""

    name: str


class Network(NamedTuple):
    """All of a network."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An image that a network sees ``(h, w, 1 or 3)``. Those with the same pixels are equal.

    Not every projection knows the number of its image; ``place`` is empty where it does not.
    """

    pixels: np.ndarray
    value_range: tuple[float, float]
    label: str
    place: str = ""

    @functools.cached_property
    def key(self) -> bytes:
        """A hash of the pixels."""
        return hashlib.sha256(np.ascontiguousarray(self.pixels, np.float32)).digest()

    @property
    def tile(self) -> tiles.Tile:
        """How it is drawn."""
        return tiles.pictures(self.pixels[None], self.value_range)[0]

    def __eq__(self, other) -> bool:
        return isinstance(other, Seen) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


Subject = Unit | Layer | Network | Seen


class Picture(NamedTuple):
    """A tile, the words below it, it in words, and the number of the unit that it is of, if any."""

    tile: tiles.Tile
    caption: str
    alt: str
    unit: int | None = None


@dataclass(frozen=True)
class Panel:
    """What a projection shows of a subject.

    ``facts`` are words by what they say, ``bars`` values by the name of a class or unit, by what
    they say, ``methods`` the names of methods of attribution, for which there are measures,
    ``place`` that of the image which the pictures are of, if they are of one, ``fields`` the row
    and column of each picture, from 1, if they are a map, and ``kind`` that of the projection.
    """

    of: Subject
    title: str
    layer: str = ""
    pictures: Sequence[Picture] = ()
    facts: Mapping[str, str] | None = None
    bars: Mapping[str, Mapping[str, float]] | None = None
    notes: Sequence[str] = ()
    methods: Sequence[str] = ()
    place: str = ""
    fields: Sequence[tuple[int, int]] = ()
    kind: str = ""


def panels(projection: Projection) -> Iterator[Panel]:
    """Yield what a projection shows, subject by subject; notes about others are left out.

    A kind that is not in `KINDS` shows what its figure gives as examples.
    """
    shown = KINDS.get(projection.about["kind"], examples)
    for panel in shown(projection):
        notes = [style.in_words(note) for note in panel.notes if concerns(note, panel.of)]
        yield replace(panel, kind=projection.about["kind"], notes=notes)


def examples(projection: Projection) -> Iterator[Panel]:
    """Yield the examples of a projection's figure, a row in a panel, all of the network."""
    about = projection.about
    for row in import_module(f"pixelspace.figures.{about['kind']}").examples(projection):
        words = f"{row.method} of {row.layer}" if row.layer else row.method
        pictures = [
            Picture(tile, "", f"{words}, {place} of {len(row.tiles)}")
            for place, tile in enumerate(row.tiles, start=1)
        ]
        yield Panel(Network(), row.method, row.layer, pictures, notes=about["notes"])


def concerns(note: str, subject: Subject) -> bool:
    """Return whether a note is about a subject: one on ``units 3, 5`` is not about unit 4.

    Nor is one on ``images 3, 5`` about image 4.
    """
    match subject:
        case Unit(number=unit):
            what, own = "unit", f"{unit}"
        case Seen(place=place) if place:
            what, own = "image", place.rpartition(" ")[2]
        case _:
            return True
    named = re.findall(rf"\b{what}s? (\d+(?:, \d+)*)", note)
    return not named or own in ", ".join(named).split(", ")


def number(value: float) -> str:
    """Return a number to three digits, or all those before the point; with a true minus sign."""
    digits = ".0f" if abs(value) >= 100 else ".3g"
    return f"{value + 0.0:{digits}}".replace("-", "−")


def unit_name(layer: str, unit: int, class_names: Sequence[str]) -> str:
    """Return how the figures call a unit, in plain letters: a class, ``h1``, or a number."""
    if layer == style.LOGITS:
        return class_names[unit]
    return re.sub(r"[^\w]|_", "", style.unit_name(layer, unit))


def _called(about: Mapping, layer: str, unit: int) -> str:
    name = unit_name(layer, unit, about["class_names"])
    return f"{name} of {layer}" if layer == style.LOGITS else f"unit {name} of {layer}"


def _extent(values: np.ndarray) -> str:
    height, width = values.shape[:2]
    return f"{height} by {width} pixels, {number(values.min())} to {number(values.max())}"


# Units ----------------------------------------------------------------------------------------


def weights(projection: Projection) -> Iterator[Panel]:
    """Yield the image of each unit's weights, and how strongly each class excites it."""
    arrays, about = projection.arrays, projection.about
    classes, layer = about["class_names"], about["layer"]
    (row,) = weights_figure.examples(projection)
    means, readout = arrays.get("mean_activations"), arrays.get("readout")
    for place, (unit, tile) in enumerate(zip(arrays["units"].tolist(), row.tiles, strict=True)):
        words = f"{row.method} of {_called(about, layer, unit)}, {_extent(tile.values)}"
        bars = {}
        if means is not None:
            bars["mean activation by class"] = _by_class(classes, means[:, place])
        if readout is not None:
            bars["weight to the logit of each class"] = _by_class(classes, readout[place])
        biases = about.get("biases")
        yield Panel(
            Unit(layer, unit),
            row.method,
            layer,
            [Picture(tile, "", words)],
            facts={"bias": number(biases[place])} if biases else None,
            bars=bars,
            notes=about["notes"],
        )


def _by_class(names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, map(float, values), strict=True))


def faults(projection: Projection) -> Iterator[Panel]:
    """Yield for each filter, in the order in which they go, its fault and its place in the line."""
    arrays, about = projection.arrays, projection.about
    images, layer = arrays["projections"], about["layer"]
    limit = float(np.abs(images).max())
    for place, (unit, fault) in enumerate(
        zip(arrays["units"].tolist(), about["faults"], strict=True), start=1
    ):
        image = images[place - 1]
        words = f"filter of {_called(about, layer, unit)}, {_extent(image)}"
        yield Panel(
            Unit(layer, unit),
            "would be removed",
            layer,
            [Picture(tiles.signed(image, limit), "", words)],
            facts={"for being": fault, "place in the line": f"{place} of {len(images)}"},
            notes=about["notes"],
        )


def top_patches(projection: Projection) -> Iterator[Panel]:
    """Yield the patches that excite each unit most, strongest first."""
    arrays, about = projection.arrays, projection.about
    units, layer = arrays["units"].tolist(), about["layer"]
    (row,) = top_patches_figure.examples(projection)
    for place, unit in enumerate(units):
        activations = arrays["activations"][place]
        pictures = [
            Picture(
                tile,
                number(activation),
                f"patch {rank} that excites {_called(about, layer, unit)}, "
                f"by {number(activation)}, from {_from(projection, place, rank - 1)}",
            )
            for rank, (tile, activation) in enumerate(
                zip(row.tiles[place :: len(units)], activations, strict=True), start=1
            )
        ]
        facts = {"strongest activation": number(activations[0])}
        yield Panel(Unit(layer, unit), row.method, layer, pictures, facts, _classes(about, place))


def _classes(about: Mapping, unit: int) -> dict[str, dict[str, float]]:
    """Say how many of a unit's patches are of each class, as far as that is known."""
    if "labels" not in about:
        return {}
    counts = Counter(about["labels"][unit])
    return {"patches by class": {name: counts[name] for name in about["class_names"]}}


def _from(projection: Projection, unit: int, rank: int) -> str:
    """Say which image a patch is from, as far as that is known."""
    about = projection.about
    image = f"{about.get('split', 'test')} image {projection.arrays['images'][unit, rank]}"
    return f"{image}, {about['labels'][unit][rank]}" if "labels" in about else image


def deconvolutions(projection: Projection) -> Iterator[Panel]:
    """Yield the patches of each unit, and what of each excites it, on the scales of the figure."""
    arrays, about = projection.arrays, projection.about
    method = attribution_figure.WORDS.get(about["policy"], about["policy"])
    for panel, back in zip(top_patches(projection), arrays["deconvolutions"], strict=True):
        yield panel
        shared = float(np.abs(back).max()) if back.shape[-1] == 1 else None
        pictures = [
            Picture(tiles.signed(values, shared), patch.caption, f"{method} of {patch.alt}")
            for values, patch in zip(back, panel.pictures, strict=True)
        ]
        yield Panel(panel.of, method, panel.layer, pictures, notes=about["notes"])


def maximization(projection: Projection) -> Iterator[Panel]:
    """Yield the images made for each unit; those of sums of parts are of the network."""
    arrays, about = projection.arrays, projection.about
    layer, sums = about["layer"], about.get("titles")
    for place, (images, values) in enumerate(zip(arrays["images"], arrays["values"], strict=True)):
        of = Network() if sums else Unit(layer, about["units"][place])
        what = sums[place] if sums else _called(about, layer, of.number)
        pictures = [
            Picture(tile, number(last), f"image made to excite {what}, by {number(last)}")
            for tile, (_, last) in zip(
                tiles.pictures(images, about["value_range"]), values, strict=True
            )
        ]
        title = f"maximization of {what}" if sums else "maximization"
        # The parts of a sum may be of any layers: its title names them.
        where = "" if sums else layer
        yield Panel(of, title, where, pictures, _excited(values[0]), notes=about["notes"])


def _excited(values: np.ndarray) -> dict[str, str]:
    """Say from what to what an image's excitation rose: ``values (2,)``."""
    first, last = values
    return {"excitation": f"from {number(first)} to {number(last)}"}


def maco(projection: Projection) -> Iterator[Panel]:
    """Yield the image made for each unit with the spectrum of the data."""
    arrays, about = projection.arrays, projection.about
    layer = about["layer"]
    (row,) = maco_figure.examples(projection)
    for unit, tile, values in zip(about["units"], row.tiles, arrays["values"], strict=True):
        last = number(values[1])
        words = f"image made to excite {_called(about, layer, unit)}, by {last}"
        pictures = [Picture(tile, last, words)]
        facts = _excited(values)
        yield Panel(Unit(layer, unit), row.method, layer, pictures, facts, notes=about["notes"])


def depth_series(projection: Projection) -> Iterator[Panel]:
    """Yield the image made for each unit of each layer."""
    about = projection.about
    rows = depth_series_figure.examples(projection)
    for place, (layer, row) in enumerate(zip(about["layers"], rows, strict=True)):
        values = projection.arrays[f"values_{place}"]
        for unit, tile, own in zip(layer["units"], row.tiles, values, strict=True):
            last = number(own[1])
            words = f"image made to excite {_called(about, layer['name'], unit)}, by {last}"
            yield Panel(
                Unit(layer["name"], unit),
                "maximization in the depth series",
                layer["name"],
                [Picture(tile, last, words)],
                facts=_excited(own),
                notes=about["notes"],
            )


def parametrizations(projection: Projection) -> Iterator[Panel]:
    """Yield for each unit and class a test image, and what each way of making images makes."""
    arrays, about = projection.arrays, projection.about
    images = [arrays["natural_units"], *arrays["units"]]
    values = [arrays["natural_unit_values"], *arrays["unit_values"]]
    for place, unit in enumerate(about["units"]):
        own = [(each[place][None], reached[place][None]) for each, reached in _both(images, values)]
        yield _by_way(about, Unit(about["layer"], unit), about["of_units"], own)
    images = [arrays["natural_classes"], *arrays["classes"]]
    values = [arrays["natural_class_values"], *arrays["class_values"]]
    for label in range(len(about["class_names"])):
        own = [(each[label], reached[label]) for each, reached in _both(images, values)]
        yield _by_way(about, Unit(style.LOGITS, label), about["of_classes"], own)


_both = functools.partial(zip, strict=True)


def _by_way(
    about: Mapping, of: Unit, ways: Sequence[str], made: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Panel:
    """Return images ``(n, h, w, channels)`` with values ``(n,)``: test images, then by each way."""
    what = _called(about, of.layer, of.number)
    pictures = []
    for way, (images, values) in _both(["natural", *ways], made):
        words = parametrizations_figure.WAYS[way]
        for tile, value in _both(tiles.pictures(images, about["value_range"]), values):
            caption = f"{words}: {number(value)}"
            pictures.append(Picture(tile, caption, f"{words}, for {what}: {number(value)}"))
    return Panel(of, "one regularizer more each", of.layer, pictures, notes=about["notes"])


# Images ---------------------------------------------------------------------------------------


def _seen(projection: Projection, pixels: np.ndarray, label: str, place: str = "") -> Seen:
    return Seen(pixels, tuple(projection.about["value_range"]), label, place)


def _all_seen(projection: Projection) -> list[Seen]:
    """Return the images of a projection that has several of them, by number."""
    arrays, about = projection.arrays, projection.about
    return [
        _seen(projection, pixels, label, f"{about.get('split', 'test')} image {number}")
        for pixels, label, number in zip(
            arrays["inputs"], about["labels"], arrays["images"], strict=True
        )
    ]


def feature_maps(projection: Projection) -> Iterator[Panel]:
    """Yield the map of each unit; and what each layer makes of the image, unit by unit."""
    arrays, about = projection.arrays, projection.about
    image = about["image"]
    place = f"{image['split']} image {image['index']}"
    seen = _seen(projection, arrays["input"], image["label"], place)
    for order, layer in enumerate(about["layers"]):
        name, maps = layer["name"], np.moveaxis(arrays[f"maps_{order}"], -1, 0)
        scale = float(maps.min()), float(maps.max())
        single = maps.shape[1:] == (1, 1)
        shown = []
        for unit, values in zip(layer["units"], maps, strict=True):
            words = f"feature map of {_called(about, name, unit)} for {place}, {_extent(values)}"
            called = unit_name(name, unit, about["class_names"])
            picture = Picture(tiles.Tile(style.feature_map, values, scale), called, words, unit)
            shown.append(picture)
            yield Panel(
                Unit(name, unit),
                "feature map",
                name,
                [] if single else [picture._replace(caption="", unit=None)],
                {"value" if single else "largest value": number(float(values.max()))},
                place=place,
            )
        values = {p.caption: float(m.max()) for p, m in zip(shown, maps, strict=True)}
        yield Panel(
            seen,
            "feature maps",
            name,
            [] if single else shown,
            facts={"predicted": image["predicted"]},
            bars={"value by unit": values} if single else None,
            notes=[note for note in about["notes"] if f"layer {name}:" in note],
        )


def attribution(projection: Projection) -> Iterator[Panel]:
    """Yield for each image a map by each method, and for each unit the maps that explain it."""
    about = projection.about
    _, *rows = attribution_figure.examples(projection)
    of_units: dict[str, list[Picture]] = {}
    for place, seen in enumerate(_all_seen(projection)):
        explained = about["explained"][place]
        what = f"{explained} in {about['layer']}"
        pictures = [
            Picture(
                row.tiles[place],
                row.method,
                f"{row.method}: what speaks for {what}, and what against it, in {seen.place}",
            )
            for row in rows
        ]
        of_units.setdefault(explained, []).extend(
            picture._replace(caption=f"{picture.caption}, {seen.place}") for picture in pictures
        )
        facts = {"explained": what, "predicted": about["predicted"][place]}
        yield Panel(
            seen,
            "attribution",
            about["layer"],
            pictures,
            facts,
            notes=about["notes"],
            methods=about["methods"],
        )
    for explained, pictures in of_units.items():
        of = Unit(about["layer"], explained_unit(explained, about["class_names"]))
        yield Panel(of, "attribution", of.layer, pictures, notes=about["notes"])


def randomized(projection: Projection) -> Iterator[Panel]:
    """Yield for each method the maps of the image by the network, and with random weights."""
    arrays, about = projection.arrays, projection.about
    place = f"{about['split']} image {about['image']}"
    seen = _seen(projection, arrays["input"], about["label"], place)
    _, *rows = randomized_figure.examples(projection)
    for row in rows:
        pictures = [
            Picture(
                tile,
                f"{name}, {random} of {about['layers']} layers random",
                f"{row.method}: what speaks for {name} with {random} of {about['layers']} layers "
                "random",
            )
            for tile, name, random in zip(
                row.tiles, about["explained"], about["random_layers"], strict=True
            )
        ]
        title = f"{row.method} with random weights"
        yield Panel(seen, title, about["layer"], pictures, notes=about["notes"])


def inversion(projection: Projection) -> Iterator[Panel]:
    """Yield for each image what can be made again from the code of each layer."""
    arrays, about = projection.arrays, projection.about
    for place, seen in enumerate(_all_seen(projection)):
        shown = tiles.pictures(arrays["made"][:, place], about["value_range"])
        pictures = [
            Picture(
                tile,
                f"{layer}, error {number(error)}",
                f"{about['method']} of {seen.place} from layer {layer}, error {number(error)}",
            )
            for tile, layer, error in zip(
                shown, about["layers"], arrays["errors"][:, place], strict=True
            )
        ]
        yield Panel(seen, about["method"], "", pictures, notes=about["notes"])


def hard_images(projection: Projection) -> Iterator[Panel]:
    """Yield for each image by how much its class is before or behind the strongest other one."""
    arrays, about = projection.arrays, projection.about
    names = zip(hard_images_figure.ROWS.items(), about["labels"], about["rivals"], strict=True)
    for (name, (words, _)), labels, rivals in names:
        for pixels, label, rival, margin, place in zip(
            arrays[name],
            labels,
            rivals,
            arrays[f"{name}_margins"],
            arrays[f"{name}_numbers"],
            strict=True,
        ):
            seen = _seen(projection, pixels, label, f"{about['split']} image {place}")
            facts = {"against": rival, "margin of the logits": number(margin)}
            yield Panel(seen, words.rstrip("s"), facts=facts)


def dream(projection: Projection) -> Iterator[Panel]:
    """Yield the image before, between and after the octaves, and the probabilities."""
    arrays, about = projection.arrays, projection.about
    image = about["image"]
    frames = arrays["frames"]
    place = f"{image['split']} image {image['index']}"
    names = ["original", *(f"octave {n}" for n in range(1, len(frames) - 1)), "dream"]
    pictures = [
        Picture(tile, name, f"{place}, {name}, of {about['layer']}")
        for tile, name in zip(tiles.pictures(frames, about["value_range"]), names, strict=True)
    ]
    bars = {
        f"probability {when}": _by_class(about["class_names"], values)
        for when, values in zip(("before", "after"), arrays["probabilities"], strict=True)
    }
    facts = {"objective": about["objective"]}
    for of in (_seen(projection, frames[0], image["label"], place), Layer(about["layer"])):
        yield Panel(of, "dream", about["layer"], pictures, facts, bars, about["notes"])


def atlas(projection: Projection) -> Iterator[Panel]:
    """Yield the images of a layer's atlas, each at its place in the figure."""
    arrays, about = projection.arrays, projection.about
    shown = tiles.pictures(arrays["images"], about["value_range"])
    pictures = [
        Picture(
            tile,
            f"{count}",
            f"field {row + 1}, {column + 1} of the atlas of {about['layer']}, {count} vectors",
        )
        for tile, (row, column), count in zip(
            shown, arrays["places"].tolist(), arrays["counts"].tolist(), strict=True
        )
    ]
    fields = arrays["places"] - arrays["places"].min(0) + 1
    yield Panel(
        Layer(about["layer"]),
        "atlas",
        about["layer"],
        pictures,
        facts={"vectors": f"{arrays['counts'].sum()}"},
        notes=about["notes"],
        fields=[(row, column) for row, column in fields.tolist()],
    )


KINDS: Mapping[str, Callable[[Projection], Iterable[Panel]]] = {
    function.__name__: function
    for function in (
        weights,
        faults,
        feature_maps,
        top_patches,
        deconvolutions,
        maximization,
        depth_series,
        parametrizations,
        maco,
        attribution,
        randomized,
        inversion,
        hard_images,
        atlas,
        dream,
    )
}
"""By the kind of a projection: what it shows, in the order in which it stands on the page."""
