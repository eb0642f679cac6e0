"""Sweeps: what is planned, how it is shared among jobs, and what is kept of it."""

import csv
import itertools
import json
import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelspace import artifacts, config, fingerprint, points, sweeps
from pixelspace.errors import UserError
from pixelspace.files import digest
from pixelspace.networks import restarts
from pixelspace.report import sweep as table

ROOT = Path(__file__).parents[1]
PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def loaded(**sweep) -> config.Config:
    return config.load({**PAPER, "sweeps": {"mine": {"experiment": "efl", **sweep}}})


NOISE, RESTARTS = "dataset.efl.noise", "training.restarts.restarts"


def test_a_grid_has_every_combination_and_a_list_its_own():
    grid = loaded(grid={NOISE: [0.1, 0.2], RESTARTS: [1, 2, 3]}).sweeps["mine"].combinations
    assert [tuple(point.values()) for point in grid] == list(
        itertools.product([0.1, 0.2], [1, 2, 3])
    )
    given = [{NOISE: 0.1}, {RESTARTS: 4}]
    assert loaded(points=given).sweeps["mine"].combinations == given


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({}, "sweeps.mine: give either a grid or a list"),
        ({"grid": {NOISE: [0.1]}, "points": [{NOISE: 0.1}]}, "give either a grid or a list"),
        ({"grid": {NOISE: []}}, r"sweeps.mine.grid.dataset.efl.noise: .*at least 1 item"),
        ({"experiment": "elf", "grid": {NOISE: [1]}}, "experiment: .*did you mean 'efl'"),
        ({"grid": {"dataset.efl.nois": [1]}}, f"of this name; did you mean '{NOISE}'"),
        ({"grid": {"projections.weights.units": [1]}}, "experiment 'efl' has no key of its data"),
        (
            {"grid": {NOISE: [0.1, -1]}},
            f"mine.grid.{NOISE}: .*greater than or equal to 0, but is '-1'",
        ),
        ({"points": [{NOISE: 0.1}, {NOISE: "much"}]}, f"mine.points.1.{NOISE}: .*but is 'much'"),
        (
            {"grid": {"training.restarts.epochs": [1], "dataset.efl.rows": [9, 2]}},
            "mine.grid.dataset.efl.rows: at the point .*rows = 2: .*greater than or equal to 5",
        ),
        (
            {"experiment": "meme", "grid": {"dataset.rendered.validation": [0.9]}},
            "mine.grid: at the point .* must leave images to train on",
        ),
        ({"grid": {NOISE: [0.1, 0.1]}}, f"mine.grid: the point {NOISE} = 0.1 stands here twice"),
        (
            {"grid": {"training.scratch.epochs": [1, 2]}},
            "are the same network; it uses nothing of what differs",
        ),
        ({"grid": {NOISE: [1]}, "shows": "letter_parts.x"}, "'letter_parts' is not taken; add it"),
        ({"grid": {NOISE: [1]}, "shows": "test_acuracy"}, "'test_acuracy'; did you mean 'test_acc"),
        ({"grid": {NOISE: [1]}, "shows": "accuracy_of_X"}, "did you mean 'accuracy_of_"),
        (
            {"experiment": "mnist", "grid": {"training.scratch.epochs": [1]}}
            | {"shows": "restarts_best_loss"},
            "training gives no number 'restarts_best_loss'",
        ),
        ({"grid": {NOISE: ["1e-3"]}}, "which in YAML has a point, as 1.0e-3, but is '1e-3'"),
        (
            {"experiment": "mnist", "grid": {"network.cnn.filters": [[8], [8] * 6]}},
            "at the point network.cnn.filters = .*layer conv3: its input",
        ),
        ({"grid": {NOISE: [1]}, "measures": ["letter_part"]}, "did you mean 'letter_parts'"),
        (
            {"experiment": "meme", "grid": {"training.transfer.epochs": [1]}}
            | {"measures": ["regularizers"]},
            "'regularizers' is of a projection",
        ),
    ],
)
def test_a_mistake_in_a_sweep_is_named(sweep, message):
    with pytest.raises(UserError, match=message):
        loaded(**sweep)


def test_a_point_that_repeats_an_experiment_is_known_as_that():
    found = sweeps.points(loaded(grid={NOISE: [0.1, 0.2]}, replicates=2), "mine")
    assert [point.repeats for point in found] == [None, None, ("efl", 0), None]
    assert len({point.key for point in found}) == 4
    measured = loaded(grid={NOISE: [0.2]}, measures=["letter_parts"])
    assert sweeps.points(measured, "mine")[0].repeats == ("efl", 0)
    own = PAPER["experiments"]["efl"]["measures"]["code_frequency"]["networks"]
    grid = {"measures.code_frequency.networks": [own - 1, own]}
    other = loaded(grid=grid, measures=["code_frequency"])
    assert [point.repeats for point in sweeps.points(other, "mine")] == [None, ("efl", 0)]


def test_the_modules_of_a_network_are_those_that_its_settings_name():
    (point,) = sweeps.points(loaded(grid={NOISE: [0.1]}, measures=["letter_parts"]), "mine")
    assert sweeps.modules(point.settings) == {
        "pixelspace.networks.storage",
        "pixelspace.networks.perceptron",
        "pixelspace.networks.restarts",
        "pixelspace.datasets.efl",
        "pixelspace.measures.letter_parts",
    }


def test_a_variant_that_is_the_same_is_not_computed_twice():
    variant = {"noisy": {"extends": "efl", "dataset": {"efl": {"noise": 0.4}}}}
    given = {**PAPER, "experiments": {**PAPER["experiments"], **variant}}
    sweep = {"experiment": "efl", "grid": {NOISE: [0.3, 0.4]}}
    found = sweeps.points(config.load({**given, "sweeps": {"mine": sweep}}), "mine")
    assert [point.repeats for point in found] == [None, ("noisy", 0)]


def test_points_differ_in_what_is_varied_and_in_no_random_number():
    one, two = sweeps.points(loaded(grid={RESTARTS: [1, 2]}), "mine")
    assert one.settings["dataset"] == two.settings["dataset"]
    assert one.settings["seed"] == two.settings["seed"]
    assert one.settings["training"]["restarts"] == 1
    assert json.loads(json.dumps(one.settings)) == one.settings


def test_an_overlay_drops_a_sweep_or_a_key_of_its_grid():
    assert config.load({**PAPER, "sweeps": {"mine": None}}).sweeps == {}
    assert config.load({**PAPER, "sweeps": None}).sweeps == {}
    kept = loaded(grid={NOISE: None, RESTARTS: [1, 2]}).sweeps["mine"]
    assert list(kept.grid) == [RESTARTS]


@pytest.mark.parametrize(
    ("dropped", "message"),
    [
        ({"min": None}, "sweeps.min: null leaves out .* none has this; did you mean 'mine'"),
        ({"mine": {"replicate": None}}, "mine.replicate: .* did you mean 'replicates'"),
        ({"mine": {"grid": {"dataset.efl.nois": None}}}, f"none has this; did you mean '{NOISE}'"),
    ],
)
def test_what_an_overlay_drops_has_to_be_there(dropped, message, tmp_path):
    base = {
        **PAPER,
        "sweeps": {"mine": {"experiment": "efl", "replicates": 2, "grid": {NOISE: [1]}}},
    }
    files = [tmp_path / "base.yaml", tmp_path / "overlay.yaml"]
    for file, keys in zip(files, (base, {"sweeps": dropped}), strict=True):
        file.write_text(yaml.safe_dump(keys), encoding="utf-8")
    with pytest.raises(UserError, match=f"overlay.yaml:[0-9]: .*{message}"):
        config.load(config._updated(base, {"sweeps": dropped}), files)


def test_a_list_of_no_sweeps_is_none():
    with pytest.raises(UserError, match="sweeps: should be a section of keys"):
        config.load({**PAPER, "sweeps": []})


def test_a_point_of_a_list_has_the_values_of_what_it_does_not_say():
    found = sweeps.points(loaded(points=[{NOISE: 0.1}, {RESTARTS: 4}]), "mine")
    assert [dict(point.varied) for point in found] == [
        {NOISE: 0.1, RESTARTS: PAPER["experiments"]["efl"]["training"]["restarts"]["restarts"]},
        {NOISE: PAPER["experiments"]["efl"]["dataset"]["efl"]["noise"], RESTARTS: 4},
    ]


def planned(numbers) -> list[sweeps.Point]:
    return [
        sweeps.Point({}, 0, {"dataset": {"seed": number % 2}}, digest({"number": number}), None)
        for number in numbers
    ]


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 400), min_size=1), st.integers(0, 400), st.integers(1, 9))
def test_jobs_share_all_points_and_one_more_changes_one_job(numbers, more, size):
    before = sweeps.batches(planned(sorted(numbers - {more})), size)
    after = sweeps.batches(planned(sorted(numbers | {more})), size)
    keys = [point.key for own in after.values() for point in own]
    assert sorted(keys) == sorted(point.key for point in planned(numbers | {more}))
    assert all(len(own) <= size for own in after.values())
    gone = [name for name in before if before[name] != after.get(name)]
    assert len(gone) <= 1


SMALL = {"images_per_class": 60, "validation_per_class": 20, "test_per_class": 20}


@pytest.fixture
def wanted():
    overlay = {"dataset": {**PAPER["experiments"]["efl"]["dataset"], "efl": SMALL}}
    experiments = {"efl": {**PAPER["experiments"]["efl"], **overlay}}
    grid = {"training.restarts.epochs": [1, 2], RESTARTS: [2]}
    sweep = {"experiment": "efl", "grid": grid, "measures": ["letter_parts"], "replicates": 2}
    given = config.load({"experiments": experiments, "sweeps": {"mine": sweep}})
    found = sweeps.points(given, "mine")
    assert len(found) == 4
    return {point.key: point.settings for point in found}


def test_networks_of_one_process_are_those_of_their_own(wanted, tmp_path):
    found = points.complete(wanted, points.Store(tmp_path / "all"), {})
    for number, (key, own) in enumerate(reversed(wanted.items())):
        alone = points.complete({key: own}, points.Store(tmp_path / f"{number}"), {})
        assert alone[key] == found[key]
        assert set(found[key]) == {"numbers"}
    assert {numbers["numbers"]["epochs"] for numbers in found.values()} == {1, 2}
    assert "letter_parts.image_1_low" not in found
    assert any(name.startswith("letter_parts.") for name in found[key]["numbers"])
    assert not list((tmp_path / "all").glob(f"{artifacts.UNFINISHED}*"))


def test_what_is_stored_is_not_computed_again_and_what_is_damaged_is(wanted, tmp_path, monkeypatch):
    store = points.Store(tmp_path)
    found = points.complete(wanted, store, {})
    trained = []
    train = restarts.train
    monkeypatch.setattr(
        restarts, "train", lambda *a, **k: trained.append(k["seed"]) or train(*a, **k)
    )
    assert points.complete(wanted, store, {}) == found
    assert trained == []
    first, second, *_ = wanted
    (tmp_path / f"{first}.json").write_text("{}")
    os.remove(tmp_path / f"{second}.json")
    assert points.complete(wanted, store, {}) == found
    assert trained == [wanted[first]["seed"], wanted[second]["seed"]]


def test_a_network_that_fails_keeps_no_other_from_being_stored(wanted, tmp_path, capsys):
    store = points.Store(tmp_path)
    first, *others = wanted
    broken = {**wanted, first: {**wanted[first], "recipe": "prayer"}}
    found = points.complete(broken, store, {})
    assert found[first]["error"].startswith("ModuleNotFoundError: No module named")
    assert f"warning: network {first} failed: ModuleNotFoundError" in capsys.readouterr().out
    assert all(store.read(key) == found[key]["numbers"] for key in others)
    assert store.read(first) is None
    one = [sweeps.Point({}, 0, {}, key, None) for key in wanted]
    assert sweeps.failures(tmp_path, one) == {first: 1}
    points.complete(broken, store, {})
    assert sweeps.failures(tmp_path, one) == {first: 2}
    mended = points.complete(wanted, store, {})
    assert "numbers" in mended[first]
    assert sweeps.failures(tmp_path, one) == {first: 2}


def test_a_damaged_data_set_fails_the_job_and_no_network(wanted, tmp_path):
    damaged = tmp_path / "dataset.h5"
    artifacts.write_text(damaged, "data")
    damaged.write_text("other")
    images = digest(next(iter(wanted.values()))["dataset"])
    with pytest.raises(UserError, match="changed since it was built"):
        points.complete(wanted, points.Store(tmp_path), {images: str(damaged)})
    assert not (tmp_path / "failed").exists()


def test_a_training_that_diverges_is_named_as_such(wanted, tmp_path):
    key, own = next(iter(wanted.items()))
    own = {**own, "training": {**own["training"], "learning_rate": 1e38}}
    found = points.complete({key: own}, points.Store(tmp_path), {})
    assert re.fullmatch(r"training diverged: [\w.]+ is (nan|inf)", found[key]["error"])
    own = {**own, "training": {**own["training"], "learning_rate": 1e300}}
    found = points.complete({key: own}, points.Store(tmp_path), {})
    assert found[key]["error"].startswith("training diverged: ")


def test_what_a_sweep_may_show_is_what_training_gives(wanted, tmp_path):
    found = points.complete(dict([next(iter(wanted.items()))]), points.Store(tmp_path), {})
    ((_, network),) = found.items()
    given = {name for name in network["numbers"] if "." not in name}
    assert given == set(config._of_training(config.load(PAPER).experiments["efl"]))


ROWS = [
    {"varied": {"a": 1, "b": [1, 2]}, "replicate": 0, "key": "k0", "numbers": {"x": 1.0, "y": 2.0}},
    {"varied": {"a": 1, "b": [1, 2]}, "replicate": 1, "key": "k1", "numbers": {"x": 3.0, "y": 2.0}},
    {"varied": {"a": 2, "b": [1, 2]}, "replicate": 0, "key": "k2", "error": "it, broke"},
]


def test_the_table_has_a_row_for_each_network():
    rows = list(csv.DictReader(table.tidy(ROWS).splitlines()))
    assert rows[1] == {
        **{"a": "1", "b": "[1, 2]", "replicate": "1", "network": "k1"},
        **{"error": "", "x": "3.0", "y": "2.0"},
    }
    assert (rows[2]["error"], rows[2]["x"]) == ("it, broke", "")


def test_the_summary_has_a_mean_for_each_point():
    found = table.summary(ROWS, "x", "sweeps.mine.shows")
    first, second = found["points"]
    assert (first["mean"], first["values"]) == (2.0, [1.0, 3.0])
    assert first["deviation"] == pytest.approx(2**0.5)
    assert second == {"varied": {"a": 2, "b": [1, 2]}, "values": [], "errors": ["it, broke"]}
    with pytest.raises(UserError, match="sweeps.mine.shows: no network has a number 'z'"):
        table.summary(ROWS, "z", "sweeps.mine.shows")


def test_the_interval_of_an_accuracy_ends_where_accuracies_do():
    rows = [{"varied": {"a": 1}, "numbers": {"test_accuracy": v, "gain": v}} for v in (0.25, 0.75)]
    (accuracy,) = table.summary(rows, "test_accuracy", "")["points"]
    assert (accuracy["low"], accuracy["high"]) == (0, 1)
    (gain,) = table.summary(rows, "gain", "")["points"]
    assert gain["high"] == pytest.approx(0.5 + 12.7062 * 0.25, abs=1e-4)


def test_networks_without_the_number_that_is_shown_have_no_part_in_the_mean():
    rows = [*ROWS[:2], {**ROWS[2], "numbers": {"y": 1.0}}]
    del rows[2]["error"]
    assert table.summary(rows, "x", "")["points"][1]["values"] == []


def test_a_table_lists_the_ends_of_what_is_long():
    many = [{"mean": float(n)} for n in range(100)]
    found = [point["mean"] for point in table.listed(many)]
    assert found == [*range(99, 79, -1), *range(19, -1, -1)]
    assert table.listed(many[:40]) == many[:40]


def test_an_edit_of_what_writes_of_networks_trains_none_again():
    code = fingerprint.parts("pixelspace.points")
    assert "pixelspace.scores" in code
    assert not [module for module in code if module.startswith("pixelspace.report")]


def test_a_sweep_is_written_as_other_artifacts_are(wanted, tmp_path):
    store = points.Store(tmp_path)
    points.complete(dict(itertools.islice(wanted.items(), 1)), store, {})
    (file,) = tmp_path.glob("*.json")
    assert artifacts.read_json(file) == store.read(file.stem)
