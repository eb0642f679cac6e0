"""The files of the explorer: one page, for each experiment its data, and sheets of pictures.

The page is opened from a disk, from where a script may not fetch: so the data of an experiment is a
script as well, which hands them over. Words that come from a user are in there as JSON, and the
page puts them in as text alone.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from pixelspace.artifacts import Projection, checked, read_projection, write_text, written
from pixelspace.figures import style, tiles
from pixelspace.report import pages
from pixelspace.report.explorer import panels, sheets
from pixelspace.report.explorer.panels import (
    Layer,
    Network,
    Panel,
    Seen,
    Subject,
    Unit,
    number,
)
from pixelspace.units import stages, unbundled, weighted

ORDER = {kind: place for place, kind in enumerate(panels.KINDS)}
"""In which the panels of a unit stand, whoever made them."""

STOPS = 17  # of a scale in CSS

SPREADS = {
    ("_low", "_high"): "{} to {}",
    ("_lowest", "_highest"): "{} to {} over the networks",
}
"""By what their names end in: two numbers that say how certain another is, and how they read."""

BESIDE = ("_deviation", "_mean_low", "_mean_high")
"""Ends the names of what else is known of a number of several networks."""

Numbers = dict[str, list[list[str]]]
"""By the name of a measure, or nothing: rows of a number's name, its value, and its spread."""


def numbers_of(experiment: str, numbers: Mapping[str, Mapping]) -> Numbers:
    """Return an experiment's numbers by measure, each in one row with its interval or spread."""
    values: dict[tuple[str, str], float] = {}
    for name, entry in numbers.items():
        if not name.startswith(f"{experiment}."):
            continue
        artifact = PurePosixPath(entry["artifact"])
        measure = artifact.stem if "measures" in artifact.parts else ""
        key = name.removeprefix(f"{experiment}.").removeprefix(f"{measure}." if measure else "")
        values[measure, key] = entry["value"]
    beside = {
        (measure, f"{key}{ending}")
        for measure, key in values
        for endings in SPREADS
        if all((measure, f"{key}{ending}") in values for ending in endings)
        for ending in (*endings, *BESIDE)
    }
    found: Numbers = {}
    for (measure, key), value in sorted(values.items()):
        if (measure, key) not in beside:
            row = [key, number(value), _spread(values, measure, key)]
            found.setdefault(measure, []).append(row)
    return found


def _spread(values: Mapping[tuple[str, str], float], measure: str, key: str) -> str:
    for endings, words in SPREADS.items():
        ends = [values.get((measure, f"{key}{ending}")) for ending in endings]
        if None not in ends:
            return words.format(*map(number, ends))
    return ""


def about_layers(numbers: Numbers, layers: Iterable[str]) -> Numbers:
    """Return the numbers that have a layer's name in theirs."""
    pattern = "|".join(map(re.escape, layers))
    return chosen(numbers, rf"(^|_)({pattern})(_|$)")


def about_node(numbers: Numbers, unit: int) -> Numbers:
    """Return the numbers of a node of the perceptron, which are counted from 1."""
    return chosen(numbers, rf"^node{unit + 1}_")


def about_methods(numbers: Numbers, shown: Iterable[Mapping]) -> Numbers:
    """Return the numbers of methods of attribution that panels show."""
    methods = dict.fromkeys(method for panel in shown for method in panel["methods"])
    return chosen(numbers, rf"^({'|'.join(map(re.escape, methods))})_") if methods else {}


def chosen(numbers: Numbers, pattern: str) -> Numbers:
    """Return the numbers whose names match."""
    found = {m: [row for row in rows if re.search(pattern, row[0])] for m, rows in numbers.items()}
    return {measure: rows for measure, rows in found.items() if rows}


def experiment(
    name: str,
    projections: Mapping[str, Projection],
    layers: Sequence[tuple[str, str]],
    numbers: Mapping[str, Mapping],
    parts: Mapping[str, Sequence[Projection]] | None = None,
) -> tuple[dict, dict[str, bytes]]:
    """Return what the page knows of an experiment, as JSON types, and its sheets by file name.

    Args:
        projections: by name, in the order in which they are shown.
        layers: name and kind of each of the network's, from the input on.
        numbers: as in ``numbers.json``.
        parts: by the name of a sheet, what is made of units or images beside the projections.
    """
    shown = {key: list(panels.panels(projection)) for key, projection in projections.items()}
    of_parts = {key: list(_beside(key, own)) for key, own in (parts or {}).items()}
    both = shown | of_parts
    files, by_subject, images = _laid_out(name, _without_repetition(both))
    places = {
        panel.of: panel.of.place
        for own in both.values()
        for panel in own
        if isinstance(panel.of, Seen) and panel.of.place
    }
    names = dict(zip(images, _names(images, places), strict=True))
    own_numbers = numbers_of(name, numbers)
    class_names = next((made.about["class_names"] for made in projections.values()), ())
    found = (
        _stage(stage, by_subject, own_numbers, class_names, layers) for stage in stages(layers)
    )
    return {
        "name": name,
        "which": which(name, numbers),
        "sheets": list(files),
        "projections": [
            {"name": key, "opens": _pairs(_opens(own, names))} for key, own in shown.items() if own
        ],
        "stages": [stage for stage in found if stage],
        "images": [
            {
                "name": names[image],
                "label": image.label,
                "tested": image.place.startswith("test "),
                "picture": [*where, "", f"{names[image]}, {image.label}"],
                "panels": by_subject[image],
                "numbers": _pairs(about_methods(own_numbers, by_subject[image])),
            }
            for image, where in images.items()
        ],
        "panels": by_subject.get(Network(), []),
        "numbers": _pairs(own_numbers),
    }, files


def _beside(sheet: str, parts: Iterable[Projection]) -> Iterator[Panel]:
    """Yield panels of what is made for units, or of what is made for images those of images alone.

    A unit's map of each of them would hide what else there is of it.
    """
    for panel in (panel for part in parts for panel in panels.panels(part)):
        if isinstance(panel.of, Seen) or not sheet.startswith("images-"):
            yield panel


def which(name: str, numbers: Mapping[str, Mapping]) -> str:
    """Return which of an experiment's networks is shown, in words."""
    trained, shown = (numbers.get(f"{name}.{what}") for what in ("replicates", "shown_replicate"))
    if trained is None or trained["value"] == 1:
        return "the one network that is trained"
    return (
        f"number {shown['value']}, counted from 0, of {trained['value']} trained networks: "
        "the median by validation loss"
    )


def _laid_out(
    name: str, shown: Mapping[str, Sequence[Panel]]
) -> tuple[dict[str, bytes], dict[Subject, list[dict]], dict[Seen, list[int]]]:
    """Return the sheets by file name, the panels of each subject, and where each image lies.

    A projection's pictures are on one sheet, with the images that none before it is of.
    """
    files: dict[str, bytes] = {}
    by_subject: dict[Subject, list[dict]] = {}
    images: dict[Seen, list[int]] = {}
    for order, (key, own) in enumerate(shown.items()):
        seen = dict.fromkeys(panel.of for panel in own if isinstance(panel.of, Seen))
        new = [image for image in seen if image not in images]
        pictures = [picture.tile for panel in own for picture in panel.pictures]
        drawn = sheets.pixels([*pictures, *(image.tile for image in new)])
        sheet, boxes = sheets.pack(drawn)
        files[f"{name}-{key}.webp"] = sheets.encoded(sheet)
        where = iter([order, *box] for box in boxes)
        for panel in own:
            by_subject.setdefault(panel.of, []).append(_panel(panel, key, where))
        images |= dict(zip(new, where, strict=True))
    return files, by_subject, images


def _names(images: Iterable[Seen], places: Mapping[Seen, str]) -> list[str]:
    """Return a name for each image, none twice: its place in the data set where that is known."""
    names: list[str] = []
    for order, image in enumerate(images, start=1):
        place = places.get(image)
        names.append(place if place and place not in names else f"unnumbered image {order}")
    return names


def _opens(own: Sequence[Panel], names: Mapping[Seen, str]) -> dict[str, str | int]:
    """Return what is to be chosen to see a projection: an image, or else what it begins with."""
    first = min((panel.of for panel in own), key=lambda of: not isinstance(of, Seen))
    match first:
        case Seen():
            return {"look": "image", "image": names[first]}
        case Unit(layer, unit):
            return {"look": "unit", "layer": layer, "unit": unit}
        case Layer(layer):
            return {"look": "unit", "layer": layer}
        case Network():
            return {"look": "network"}


def _without_repetition(shown: Mapping[str, Sequence[Panel]]) -> dict[str, list[Panel]]:
    """Leave out panels that are as an earlier one: two methods may begin with the same patches."""
    known = set()
    found: dict[str, list[Panel]] = {}
    for key, own in shown.items():
        found[key] = []
        for panel in own:
            pictures = (np.ascontiguousarray(p.tile.values).tobytes() for p in panel.pictures)
            content = panel.of, panel.title, panel.layer, str(panel.facts), *pictures
            if content not in known:
                found[key].append(panel)
            known.add(content)
    return found


def _stage(
    layers: Sequence[str],
    by_subject: Mapping[Subject, list[dict]],
    numbers: Numbers,
    class_names: Sequence[str],
    network: Sequence[tuple[str, str]],
) -> dict | None:
    """Return what is shown of some layers with the same units, if there is anything."""
    units = sorted({of.number for of in by_subject if isinstance(of, Unit) and of.layer in layers})
    shown = {
        unit: sorted(
            (panel for layer in layers for panel in by_subject.get(Unit(layer, unit), ())),
            key=lambda panel: ORDER.get(panel["kind"], len(ORDER)),
        )
        for unit in units
    }
    whole = [panel for layer in layers for panel in by_subject.get(Layer(layer), ())]
    if not units and not whole:
        return None
    return {
        "name": layers[0],
        "layers": list(layers),
        "weighted": weighted(network, layers),
        "panels": whole,
        "numbers": _pairs(about_layers(numbers, layers)),
        "units": [
            {
                "number": unit,
                "name": panels.unit_name(layers[0], unit, class_names),
                "emblem": _emblem(own),
                "panels": own,
                "numbers": _pairs(about_node(numbers, unit) if "hidden" in layers else {}),
            }
            for unit, own in shown.items()
        ],
    }


def _emblem(own: Sequence[Mapping]) -> list | None:
    """Return the picture by which a unit is known: its kernel, or else an image made for it.

    What weights become on their way through many layers looks much the same for all units.
    """
    shown = [panel for panel in own if panel["pictures"]]
    kernels = [panel for panel in shown if panel["title"] == "weights"]
    made = [panel for panel in shown if panel["kind"] in ("maximization", "depth_series", "maco")]
    return next((panel["pictures"][0] for panel in [*kernels, *made, *shown]), None)


def _panel(panel: Panel, projection: str, where: Iterator[list[int]]) -> dict:
    """Return a panel as JSON types; a picture is its sheet, its box there, its words and unit."""
    return {
        "projection": projection,
        "kind": panel.kind,
        "title": panel.title,
        "layer": panel.layer,
        "pictures": [[*next(where), p.caption, p.alt, p.unit] for p in panel.pictures],
        "scales": list(_scales([picture.tile for picture in panel.pictures])),
        "facts": _pairs(panel.facts or {}),
        "bars": [
            [title, [[name, value, number(value)] for name, value in bars.items()]]
            for title, bars in (panel.bars or {}).items()
        ],
        "notes": list(panel.notes),
        "methods": list(panel.methods),
        "place": panel.place,
        "fields": list(panel.fields),
    }


def _pairs(values: Mapping) -> list[list]:
    """Return a mapping as JavaScript keeps it, in its order and whatever its keys are."""
    return [[key, value] for key, value in values.items()]


def _scales(shown: Sequence[tiles.Tile]) -> Iterator[list[str]]:
    """Yield the names of the colours that values of one channel are shown in, and their ends."""
    ends: dict[str, set[float]] = {}
    for tile in shown:
        if tile.draw is style.feature_map:
            low, high = tile.scale
            name, end = ("signed", max(-low, high)) if low < 0 else ("intensity", high)
        elif tile.draw is style.signed and tile.values.shape[-1] == 1:
            name, end = "signed", tile.scale[0]
        else:
            continue
        ends.setdefault(name, set()).add(end)
    for name, own in ends.items():
        end = number(own.pop()) if len(own) == 1 else "max"
        yield [name, f"−{end}" if name == "signed" else "0", end]


# Files ----------------------------------------------------------------------------------------


def script(data: Mapping) -> str:
    """Return a script that hands an experiment's data to the page."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return f"explorer.experiments.push({text});\n"


def html(template: str | os.PathLike, experiments: Sequence[str]) -> str:
    """Fill the template of the page; ``experiments`` are names of data files, less ``.js``."""
    return pages.filled(
        template,
        experiments=experiments,
        scales={"signed": gradient(style.SIGNED), "intensity": gradient(style.INTENSITY)},
    )


def gradient(colours) -> str:
    """Return a colour map as a gradient in CSS, from its lowest value to its highest."""
    stops = colormaps.get_cmap(colours)(np.linspace(0, 1, STOPS))
    return f"linear-gradient(to right, {', '.join(map(to_hex, stops))})"


class Sources(NamedTuple):
    """What the page shows of an experiment: artifacts in the order in which they are shown.

    ``units`` has what is made beside these of units and images, for the sheets ``beside``;
    ``layers`` are name and kind of each layer, from the input on; ``figures`` are pictures with
    their words beside them.
    """

    projections: Sequence[str | os.PathLike]
    units: str | os.PathLike
    beside: Sequence[str]
    layers: Sequence[tuple[str, str]]
    figures: Sequence[str | os.PathLike]


def make(
    path: str | os.PathLike,
    *,
    template: str | os.PathLike,
    beside: Iterable[str | os.PathLike],
    experiments: Mapping[str, Sources],
    numbers: Mapping[str, Mapping],
) -> None:
    """Write the page to ``path``, and all that it needs into the same folder.

    The same artifacts give the same bytes.

    Args:
        beside: files that the page needs as they are.
    """
    folder = Path(path).parent
    for name, sources in experiments.items():
        read = {Path(own).stem: read_projection(own) for own in sources.projections}
        parts: dict[str, list[Projection]] = {sheet: [] for sheet in sources.beside}
        for sheet, part in unbundled(read_projection(sources.units)):
            parts[sheet].append(part)
        data, files = experiment(name, read, sources.layers, numbers, parts)
        figures = [Path(figure) for figure in sources.figures]
        data["figures"] = [_figure(name, figure) for figure in figures]
        files |= {figure.name: checked(figure).read_bytes() for figure in figures}
        for file, content in {f"{name}.js": script(data).encode(), **files}.items():
            _write(folder / file, content)
    for file in map(Path, beside):
        _write(folder / file.name, file.read_bytes())
    write_text(path, html(template, list(experiments)))


def _figure(experiment: str, png: Path) -> dict:
    """Return what the page knows of a figure."""
    with Image.open(png) as image:
        width, height = image.size
    return {
        "name": re.sub("[_-]", " ", png.stem.removeprefix(f"{experiment}-")),
        "file": png.name,
        "alt": checked(png.with_suffix(".txt")).read_text(encoding="utf-8").strip(),
        "width": width,
        "height": height,
    }


def _write(path: Path, content: bytes) -> None:
    with written(path) as file:
        file.write_bytes(content)
