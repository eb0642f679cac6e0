"""How units that a configuration names, and images, are projected by methods that lack them."""

from collections.abc import Iterable, Iterator, Mapping

from pixelspace import config as configuration
from pixelspace.config import Experiment
from pixelspace.units import LOGITS, OF_IMAGES, SHOWING, method_of, stages, weighted

RECTIFIERS = ("relu", "relu6")

LIKE = {
    "weights": (),
    "feature_maps": ("feature_maps",),
    "deconvolutions": ("deconvolutions", "top_patches"),
    "maximization": ("maximization",),
}
"""By kind of projection that is made: the kinds whose settings it has."""

KEPT = {
    *("image", "k", "cell", "grey", "transforms", "total_variation", "l2", "blur", "steps", "rate"),
}
"""The settings of these that are not of their own units."""

DEFAULTS = {
    "feature_maps": configuration.FeatureMaps(kind="feature_maps", layers=[LOGITS]),
    "deconvolutions": configuration.Deconvolutions(kind="deconvolutions", layer=LOGITS),
    "maximization": configuration.Maximization(kind="maximization"),
    "attribution": configuration.Attribution(kind="attribution"),
    "inversion": configuration.Inversion(kind="inversion", layers=[LOGITS]),
}
"""What has them where no projection of a configuration does."""


def plan(experiment: Experiment) -> dict[str, dict]:
    """Return how units of an experiment's network are projected, by the first layer of their stage.

    A unit has the settings of the nearest projection that the configuration has of a kind: of units
    of the same stage, or else of one behind it, or else of one before.

    Returns:
        Of each stage that projections name units of: its ``layers``; the one of them that weights
        and images are of, ``before`` the rectifier, where no unit is silent; the one that maps and
        patches are of, ``behind`` it; ``units`` that are named, but not shown by themselves; and
        ``settings`` by kind, weights among them if there are any.
    """
    network = [(layer.name, layer.kind) for layer in experiment.layers]
    kinds, every = dict(network), stages(network)
    places = {layer: place for place, own in enumerate(every) for layer in own}
    projections = [experiment.projections[name] for name in sorted(experiment.projections)]
    parts = [part for made in projections for part in _parts(made)]
    layers = {layer for made in projections for layer in _with_units(made)}
    layers |= {layer for layer, _ in parts}
    found = {}
    for place, own in enumerate(every):
        shown = [layer for layer in own if layer in layers]
        if shown:
            rectified = [order for order, layer in enumerate(own) if kinds[layer] in RECTIFIERS]
            linear = own[: rectified[0]] if rectified else own
            found[own[0]] = {
                "layers": own,
                "before": next((layer for layer in shown if layer in linear), linear[-1]),
                "behind": own[rectified[-1]] if rectified else shown[-1],
                "units": sorted({unit for layer, unit in parts if layer in own}),
                "settings": {
                    kind: _settings(kind, projections, places, place)
                    for kind in SHOWING
                    if kind != "weights" or weighted(network, own)
                },
            }
    return found


def of_images(experiment: Experiment) -> dict[str, dict]:
    """Return by method the settings by which images are projected that it does not show.

    They are those of the first projection by that method, by name, that the configuration has.
    """
    found = dict(DEFAULTS)
    for name in sorted(experiment.projections, reverse=True):
        settings = experiment.projections[name]
        found[method_of(settings.kind, settings.model_dump())] = settings
    own = {"kind", "image", "images"}
    return {method: found[method].model_dump(exclude=own) for method in OF_IMAGES}


def sheets(experiment: Experiment) -> list[str]:
    """Return the names of the sheets of what is made beside an experiment's projections."""
    units = [f"units-{stage}" for stage in plan(experiment)]
    return [*units, *(f"images-{method}" for method in OF_IMAGES)]


def _with_units(made) -> list[str]:
    """Return the layers that a projection of a configuration shows units of."""
    fields = {"units", "units_per_layer", "target"} & type(made).model_fields.keys()
    classes = [LOGITS] if made.kind == "parametrizations" else []
    return classes + (_layers(made) if fields or made.kind == "faults" else [])


def _layers(made) -> list[str]:
    layer = getattr(made, "layer", None)
    return getattr(made, "layers", None) or ([] if layer is None else [layer])


def _parts(made) -> Iterator[tuple[str, int]]:
    """Yield the units that a projection of a configuration adds up or lets grow in an image."""
    for parts in getattr(made, "objectives", None) or ():
        yield from ((part.layer, part.unit) for part in parts if part.unit is not None)
    if getattr(made, "channel", None) is not None:
        yield made.layer, made.channel


def _settings(kind: str, projections: Iterable, places: Mapping[str, int], place: int) -> dict:
    """Return the settings of the nearest projection of a kind to a stage."""

    def distance(made) -> tuple[bool, int]:
        return min((places[layer] < place, abs(places[layer] - place)) for layer in _layers(made))

    found = [made for made in projections if made.kind in LIKE[kind] and _layers(made)]
    nearest = min(found, key=distance, default=DEFAULTS.get(kind))
    return nearest.model_dump(include=KEPT) if nearest else {}
