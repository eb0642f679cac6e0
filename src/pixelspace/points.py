"""Networks of sweeps: trained, measured and kept, each under its key."""

import contextlib
import itertools
import math
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from pixelspace import runtime, scores
from pixelspace.artifacts import (
    UNFINISHED,
    StoredDataset,
    open_dataset,
    read_json,
    write_dataset,
    write_json,
    write_text,
)
from pixelspace.errors import UserError
from pixelspace.files import digest, failed


class Store:
    """What is known of networks: their numbers, or how often they failed; a file for each."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def read(self, key: str) -> dict[str, float] | None:
        """Return the numbers of a network, or None if there are none, or the file is damaged."""
        path = self.folder / f"{key}.json"
        try:
            return read_json(path) if path.is_file() else None
        except (UserError, ValueError):
            return None

    def write(self, key: str, numbers: Mapping[str, float]) -> None:
        write_json(self.folder / f"{key}.json", numbers)

    def fail(self, key: str, error: str) -> None:
        """Note that a network failed; ``error`` is a line."""
        path = failed(self.folder, key)
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        write_text(path, f"{before}{error}\n")


def complete(
    wanted: Mapping[str, Mapping], store: Store, datasets: Mapping[str, str]
) -> dict[str, dict]:
    """Return what is known of networks, once those that the store lacks are computed.

    Each is stored as soon as it is known. One that fails does not keep the others from it.

    Args:
        wanted: the settings of each by its key, see `pixelspace.sweeps.of_network`; those with the
            same images one after the other, as these are made for one at a time.
        store: where to look for them, and to put them.
        datasets: files that have the images of some, by a `digest` of their settings.

    Returns:
        By key ``{"numbers": …}``, or ``{"error": a line}``.

    Raises:
        UserError: if one of these files is damaged.
    """
    found = {key: {"numbers": store.read(key)} for key in wanted}
    missing = [key for key in wanted if found[key]["numbers"] is None]
    for images, own in itertools.groupby(missing, lambda key: digest(wanted[key]["dataset"])):
        with contextlib.ExitStack() as stack:
            stored: StoredDataset | None = None
            if images in datasets:
                stored = stack.enter_context(open_dataset(datasets[images]))
            for key in own:
                settings = wanted[key]
                try:
                    if stored is None:
                        stored = stack.enter_context(_made(settings["dataset"], store.folder))
                    numbers = train_and_measure(settings, stored)
                    store.write(key, numbers)
                except (MemoryError, OSError):  # of the machine, not of the network
                    raise
                except Exception as error:  # whatever it is, the others can do without this one
                    traceback.print_exc()
                    said = _line(error)
                    print(f"warning: network {key} failed: {said}")
                    store.fail(key, said)
                    found[key] = {"error": said}
                else:
                    found[key] = {"numbers": numbers}
    return found


@contextlib.contextmanager
def _made(chosen: Mapping, folder: Path) -> Iterator[StoredDataset]:
    """Give a data set that is made for as long as it is needed, in a folder in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=UNFINISHED) as scratch:
        source = import_module(f"pixelspace.datasets.{chosen['source']}")
        dataset = source.make(seed=chosen["seed"], **chosen["settings"])
        write_dataset(f"{scratch}/dataset.h5", dataset)
        with open_dataset(f"{scratch}/dataset.h5") as stored:
            yield stored


def train_and_measure(settings: Mapping, dataset: StoredDataset) -> dict[str, float]:
    """Return the numbers of one network; the same as in a process of its own."""
    runtime.seed_tensorflow(settings["seed"])
    import_module("keras").utils.clear_session()
    storage = import_module("pixelspace.networks.storage")
    recipe = import_module(f"pixelspace.networks.{settings['recipe']}")
    layers = storage.describe(dataset, **settings["network"])
    trained = recipe.train(layers, dataset, seed=settings["seed"], **settings["training"])
    measured = {}
    for name, chosen in settings["measures"].items():
        runtime.seed_tensorflow(chosen["seed"])
        own = dict(chosen["settings"])
        measure = import_module(f"pixelspace.measures.{own.pop('kind')}").measure
        measured[name] = measure(trained.model, dataset, seed=chosen["seed"], **own)
    numbers = scores.numbers_of(trained.report, measured)
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise UserError(f"training diverged: {name} is {value}")
    return numbers


def _line(error: Exception) -> str:
    text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())
