"""What units lack that some projections show: each of the other methods, by its own module."""

from collections.abc import Iterable, Iterator, Mapping

import keras

from pixelspace.artifacts import Projection, StoredDataset
from pixelspace.projections import deconvolutions, feature_maps, maximization, weights
from pixelspace.units import lacking

METHODS = {
    "weights": weights.project,
    "feature_maps": feature_maps.project,
    "deconvolutions": deconvolutions.project,
    "maximization": maximization.project,
}


def project(
    model: keras.Model,
    dataset: StoredDataset,
    *,
    seed: int,
    known: Iterable[Projection],
    planned: Mapping[str, Mapping],
) -> Iterator[tuple[str, Projection]]:
    """Yield with the name of its stage each projection that units lack.

    Args:
        known: what is projected already.
        planned: by the name of the stage, as `pixelspace.planned_units.plan` returns it.
    """
    known = list(known)
    for name, stage in planned.items():
        lacked = lacking(stage["layers"], stage["units"], known)
        for kind in filter(lacked.get, stage["settings"]):
            chosen = {**stage["settings"][kind], **_named(kind, stage, lacked[kind])}
            if "k" in chosen:
                chosen["k"] = min(chosen["k"], len(dataset["test"]))
            yield name, METHODS[kind](model, dataset, seed=seed, **chosen)


def _named(kind: str, stage: Mapping, units: list[int]) -> dict:
    if kind == "feature_maps":
        return {"layers": [stage["behind"]], "units_per_layer": units}
    return {"layer": stage["behind" if kind == "deconvolutions" else "before"], "units": units}
