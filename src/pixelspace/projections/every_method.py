"""What units and images lack that some projections show: each other method, by its own module."""

from collections.abc import Iterable, Iterator, Mapping

import keras

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import (
    attribution,
    deconvolutions,
    feature_maps,
    inversion,
    maximization,
    weights,
)
from pixelspace.units import lacking, unseen

METHODS = {
    "weights": weights.project,
    "feature_maps": feature_maps.project,
    "deconvolutions": deconvolutions.project,
    "maximization": maximization.project,
    "attribution": attribution.project,
    "inversion": inversion.project,
}


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    known: Iterable[Projection],
    planned: Mapping[str, Mapping],
    images: Mapping[str, Mapping],
) -> Iterator[tuple[str, Projection]]:
    """Yield with the name of its sheet each projection that units lack, and then that images do.

    Args:
        known: what is projected already.
        planned: by the name of the stage, as `pixelspace.planned_units.plan` returns it.
        images: by method, as `pixelspace.planned_units.of_images` returns it.
    """
    known = list(known)
    for name, stage in planned.items():
        lacked = lacking(stage["layers"], stage["units"], known)
        for kind in filter(lacked.get, stage["settings"]):
            chosen = {**stage["settings"][kind], **_named(kind, stage, lacked[kind])}
            if "k" in chosen:
                chosen["k"] = min(chosen["k"], len(dataset["test"]))
            known.append(METHODS[kind](model, dataset, seed=seed, **chosen))
            yield f"units-{name}", known[-1]
    for method, numbers in unseen(known).items():
        single = [{"image": number} for number in numbers]
        for chosen in single if method == "feature_maps" else [{"images": numbers}]:
            made = METHODS[method](model, dataset, seed=seed, **images[method], **chosen)
            yield f"images-{method}", made


def _named(kind: str, stage: Mapping, units: list[int]) -> dict:
    if kind == "feature_maps":
        return {"layers": [stage["behind"]], "units_per_layer": units}
    return {"layer": stage["behind" if kind == "deconvolutions" else "before"], "units": units}
