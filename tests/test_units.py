"""Units and images: what each lacks, how that is planned, and that it is made."""

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
        made = list(
            every_method.project(
                model, dataset, seed=1, known=known, planned=planned, images=of_images()
            )
        )
    units_made = [(sheet, part) for sheet, part in made if sheet == "units-conv1"]
    found = {part.about["kind"]: sorted(units.named(part)) for _, part in units_made}
    maps = [("relu1", 0), ("relu1", 2), ("relu1", 3)]
    images = [("conv1", 0), ("conv1", 2), ("conv1", 3)]
    assert found == {"feature_maps": maps, "deconvolutions": maps, "maximization": images}
    bundle = units.unbundled(units.bundled(made))
    # The image that the units' maps are of has the other methods, too.
    assert [sheet for sheet, _ in bundle] == [
        *["units-conv1"] * 3,
        *("images-attribution", "images-inversion"),
    ]
    assert all(units.seen(part) == {1} for _, part in bundle[3:])
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
        made = list(
            every_method.project(
                model, dataset, seed=1, known=[], planned=planned, images=of_images()
            )
        )
    assert len([sheet for sheet, _ in made if sheet.startswith("units-")]) == 15


def of_images() -> dict[str, dict]:
    return {
        "attribution": {"methods": ["gradient"]},
        "feature_maps": {"layers": ["conv1"], "units_per_layer": 1},
        "inversion": {"layers": ["conv1"], "steps": 2},
    }


def of_numbers(kind: str, *numbers: int, **about) -> Projection:
    return Projection({"images": np.array(numbers)}, {"kind": kind, **about})


def test_what_images_lack_is_told_by_method():
    hard = {"wrong_numbers": np.array([4]), "close_numbers": np.array([5])}
    known = [
        shown("weights", layer="conv1", units=[0, 1]),
        shown("feature_maps", layers=[], image={"split": "test", "index": 2}),
        shown("dream", image={"split": "large", "index": 8}),
        shown("dream", image={"split": "test", "index": 1}),
        shown("randomized", image=3),
        of_numbers("attribution", 0, 2),
        of_numbers("inversion", 0, method="inversion"),
        of_numbers("inversion", 2, method="caricature"),
        Projection(hard, {"kind": "hard_images"}),
    ]
    assert units.unseen(known) == {
        "attribution": [1, 3, 4, 5],
        "feature_maps": [0, 1, 3, 4, 5],
        "inversion": [1, 2, 3, 4, 5],
    }


def test_images_are_projected_like_the_first_that_the_configuration_has(paper):
    named = paper["experiments"]["mnist"]["projections"]
    paper["experiments"]["mnist"]["measures"] = {}
    planned = planned_units.of_images(configuration.load(paper).experiments["mnist"])
    assert planned["attribution"]["methods"] == named["attribution"]["methods"]
    assert planned["attribution"]["target"] == "predicted"
    assert planned["feature_maps"]["layers"] == named["feature_maps"]["layers"]
    assert planned["inversion"]["layers"] == named["inversion"]["layers"]
    assert planned["inversion"]["method"] == "inversion"
    assert not any({"image", "images", "kind"} & own.keys() for own in planned.values())
    named.clear()
    named["mine"] = {"kind": "hard_images"}
    without = planned_units.of_images(configuration.load(paper).experiments["mnist"])
    assert without["inversion"]["layers"] == without["feature_maps"]["layers"] == ["logits"]


def test_images_that_are_shown_are_projected_by_every_method(tmp_path):
    layers = keras.layers
    model = sequential(
        (8, 8, 1),
        layers.Conv2D(2, 3, name="conv1"),
        layers.Flatten(name="flatten"),
        layers.Dense(2, name="logits"),
    )
    images = np.random.default_rng(0).random((4, 8, 8, 1))
    known = [shown("randomized", image=1), of_numbers("attribution", 3)]
    with stored(tmp_path / "dataset.h5", images, [0, 1, 0, 1]) as dataset:
        made = list(
            every_method.project(
                model, dataset, seed=1, known=known, planned={}, images=of_images()
            )
        )
    assert [(sheet, sorted(units.seen(part))) for sheet, part in made] == [
        ("images-attribution", [1]),
        ("images-feature_maps", [1]),
        ("images-feature_maps", [3]),
        ("images-inversion", [1, 3]),
    ]
    assert units.unseen([*known, *(part for _, part in made)]) == {}
