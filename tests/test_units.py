"""Units that are named: what each lacks, how that is planned, and that it is made."""

import keras
import numpy as np
import pytest
import yaml
from projection_examples import sequential, stored
from repository import ROOT

from pixelspace import config as configuration
from pixelspace import planned_units, units
from pixelspace.artifacts import Projection
from pixelspace.projections import every_method
from pixelspace.units import SHOWING


@pytest.fixture
def paper() -> dict:
    return yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


def planned(paper: dict, name: str) -> dict:
    return planned_units.plan(configuration.load(paper).experiments[name])


def shown(kind: str, **about) -> Projection:
    return Projection({}, {"kind": kind, "class_names": ["a", "b"], **about})


def test_what_units_lack_is_told_by_the_stage_that_has_them():
    known = [
        shown("weights", layer="conv1", units=[0, 1]),
        shown("feature_maps", layers=[{"name": "pool1", "units": [1, 2]}]),
        shown("top_patches", layer="relu1", units=[1]),
        shown("maco", layer="conv1", units=[2]),
        shown("maximization", layer="conv2", units=[0, 1, 2, 5]),
        shown("inversion", layers=["conv1"]),
    ]
    assert units.lacking(["conv1", "relu1", "pool1"], [4], known) == {
        "weights": [2, 4],
        "feature_maps": [0, 4],
        "deconvolutions": [0, 1, 2, 4],
        "maximization": [0, 1, 4],
    }


def test_a_stage_is_planned_where_units_of_it_are_named(paper):
    assert list(planned(paper, "efl")) == ["hidden", "logits"]
    digits = planned(paper, "mnist")
    assert list(digits) == ["conv1", "conv2", "logits"]  # and not `dense`, which is inverted alone
    assert digits["conv2"]["layers"] == ["conv2", "relu2", "pool2"]
    assert (digits["conv2"]["before"], digits["conv2"]["behind"]) == ("conv2", "relu2")
    paper["experiments"]["mnist"]["projections"] = {
        "mine": {"kind": "maximization", "layer": "pool2", "units": [3]},
        "sums": {"kind": "maximization", "objectives": [[{"layer": "dense", "unit": 5}]]},
        "whole": {"kind": "dream", "layer": "pool1", "label": "7", "channel": 2},
    }
    paper["experiments"]["mnist"]["measures"] = {}
    mine = planned(paper, "mnist")
    assert {name: stage["units"] for name, stage in mine.items()} == {
        "conv1": [2],
        "conv2": [],
        "dense": [5],
    }
    assert (mine["conv2"]["before"], mine["conv2"]["behind"]) == ("conv2", "relu2")


def test_units_are_projected_like_the_nearest_that_the_configuration_has(paper):
    digits = planned(paper, "mnist")
    named = paper["experiments"]["mnist"]["projections"]
    for stage, like in (("conv1", "deeper_maximization"), ("logits", "maximization")):
        settings = digits[stage]["settings"]["maximization"]
        for key in {"total_variation", "l2", "rate"}:
            assert settings[key] == named[like][key], (stage, key)
    deep = planned(paper, "meme")
    assert deep["b10_out"]["settings"]["deconvolutions"] == {"k": 8}  # of the same units' patches
    assert deep["b4_out"]["settings"]["deconvolutions"] == {"k": 9}
    assert {stage["settings"]["feature_maps"]["image"] for stage in deep.values()} == {15}


def test_no_weights_are_planned_where_no_layer_has_any(paper):
    mine = {"kind": "feature_maps", "layers": ["rescale", "pool1"]}
    paper["experiments"]["mnist"] |= {"projections": {"mine": mine}, "measures": {}}
    found = {name: stage["settings"].keys() for name, stage in planned(paper, "mnist").items()}
    assert found == {"rescale": SHOWING.keys() - {"weights"}, "conv1": SHOWING.keys()}


def test_what_units_lack_is_made_and_nothing_else(tmp_path):
    layers = keras.layers
    model = sequential(
        (8, 8, 1),
        layers.Conv2D(4, 3, name="conv1"),
        layers.ReLU(name="relu1"),
        layers.MaxPooling2D(name="pool1"),
        layers.Flatten(name="flatten"),
        layers.Dense(2, name="logits"),
    )
    settings = {"weights": {}, "feature_maps": {"image": 1}, "deconvolutions": {"k": 9}}
    settings["maximization"] = {"steps": 2}
    stage = {"layers": ["conv1", "relu1", "pool1"], "before": "conv1", "behind": "relu1"}
    planned = {"conv1": {**stage, "units": [3], "settings": settings}}
    known = [shown("weights", layer="conv1", units=[0, 2, 3])]
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    with stored(tmp_path / "dataset.h5", images, [0, 1, 0]) as dataset:
        made = list(every_method.project(model, dataset, seed=1, known=known, planned=planned))
    found = {part.about["kind"]: sorted(units.named(part)) for _, part in made}
    maps = [("relu1", 0), ("relu1", 2), ("relu1", 3)]
    images = [("conv1", 0), ("conv1", 2), ("conv1", 3)]
    assert found == {"feature_maps": maps, "deconvolutions": maps, "maximization": images}
    bundle = units.unbundled(units.bundled(made))
    assert [stage for stage, _ in bundle] == ["conv1"] * 3
    for (_, ours), (_, theirs) in zip(bundle, made, strict=True):
        assert ours.about == theirs.about
        assert ours.arrays.keys() == theirs.arrays.keys()
        assert all(np.array_equal(ours.arrays[key], theirs.arrays[key]) for key in ours.arrays)


def test_units_of_any_layer_can_be_projected_by_every_method_that_is_planned(tmp_path):
    layers = keras.layers
    model = sequential(
        (8, 8, 1),
        layers.Rescaling(0.5, name="rescale"),
        layers.Conv2D(2, 3, name="conv1"),
        layers.Flatten(name="flatten"),
        layers.Dense(2, name="logits"),
    )
    settings = {"weights": {}, "feature_maps": {}, "deconvolutions": {"k": 2}}
    settings["maximization"] = {"steps": 2}
    weightless = {kind: own for kind, own in settings.items() if kind != "weights"}
    planned = {
        name: {
            **{"layers": [name], "before": name, "behind": name, "units": [0]},
            "settings": weightless if name == "rescale" else settings,
        }
        for name in ("rescale", "conv1", "flatten", "logits")
    }
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    with stored(tmp_path / "dataset.h5", images, [0, 1, 0]) as dataset:
        made = list(every_method.project(model, dataset, seed=1, known=[], planned=planned))
    assert len(made) == 15
