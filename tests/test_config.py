"""The configuration: the shipped files are valid, and every mistake gets one line."""

import copy
import inspect
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import yaml

from pixelspace import config
from pixelspace.errors import UserError

ROOT = Path(__file__).parent.parent
PAPER = ROOT / "config" / "config.yaml"
PROJECTIONS = get_args(get_args(config.AnyProjection)[0])


@pytest.fixture
def paper():
    return yaml.safe_load(PAPER.read_text(encoding="utf-8"))


def merged(base, overlay):
    """What Snakemake makes of a config file and an overlay: mappings merge, the rest replaces."""
    result = copy.deepcopy(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def at(paper, path):
    for key in path:
        paper = paper[key]
    return paper


def test_the_paper_and_the_small_paper_are_valid(paper):
    small = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))
    assert set(config.load(paper, [PAPER]).experiments) == {"efl", "mnist", "meme"}
    assert config.load(merged(paper, small)).results == "results-smoke"


def test_the_small_network_fits_where_the_deep_one_was(paper):
    overlay = yaml.safe_load((ROOT / "config" / "cnn.yaml").read_text(encoding="utf-8"))
    assert config.load(merged(paper, overlay)).experiments["meme"].network.kind == "cnn"


def test_photographs_of_a_git_repository_need_no_edit_of_the_paper(paper):
    overlay = yaml.safe_load((ROOT / "config" / "photos.yaml").read_text(encoding="utf-8"))
    loaded = config.load(merged(paper, overlay))
    assert loaded.experiments["meme"].dataset.chosen.classes == ("muffin", "chicken", "dog")


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("ssh://alice@example.org/a/b", "ssh://example.org/a/b"),
        ("ssh://git@example.org:22/a/b", "ssh://example.org:22/a/b"),
        ("alice@example.org:a/b.git", "example.org:a/b.git"),
        ("https://alice:s3cret@example.org/b", "https://example.org/b"),
        ("https://example.org/alice:s3cret@b", "https://example.org/b"),
        ("https://example.org/b.git?private_token=s3cret", "https://example.org/b.git"),
        ("https://example.org/b.git#s3cret", "https://example.org/b.git"),
        ("file:///srv/alice/b", "b"),
        ("/srv/alice/b/", "b"),
        ("~alice/b", "b"),
        ("../../home/alice/b", "b"),
        ("data/../../alice/b", "b"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("data/a..b/c", "data/a..b/c"),
    ],
)
def test_a_record_has_of_an_address_or_a_path_what_names_nobody(paper, place, kept):
    overlay = yaml.safe_load((ROOT / "config" / "photos.yaml").read_text(encoding="utf-8"))
    overlay["experiments"]["meme"]["dataset"]["git"]["repository"] = place
    recorded = config.recorded(config.load(merged(paper, overlay)))
    assert recorded["experiments"]["meme"]["dataset"]["git"]["repository"] == kept


def test_a_folder_of_photographs_comes_from_the_command_line(paper, tmp_path):
    for name in ("cat", "muffin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.png").write_bytes(b"-")
    overlay = yaml.safe_load((ROOT / "config" / "folder.yaml").read_text(encoding="utf-8"))
    with pytest.raises(UserError, match="photos: no directory of photographs is given"):
        config.load(merged(paper, overlay))
    loaded = config.load(merged(paper, overlay | {"photos": str(tmp_path)}))
    assert loaded.experiments["meme"].dataset.folder.path == str(tmp_path)
    assert loaded.experiments["meme"].dataset.chosen.classes == ("cat", "muffin")


MISTAKES = {
    "unknown": (("experiments", "efl", "dataset", "efl"), "rowz", 9, "did you mean 'rows'"),
    "type": (("experiments", "mnist", "training", "scratch"), "epochs", "five", "valid integer"),
    "negative": (("experiments", "efl", "dataset", "efl"), "rows", -9, "greater than or equal"),
    "layer": (
        ("experiments", "mnist", "projections", "weights"),
        "layer",
        "cnov1",
        "did you mean 'conv1'",
    ),
    "no filters": (
        ("experiments", "mnist", "projections", "faults"),
        "layer",
        "dense",
        "layer 'dense' is no convolution",
    ),
    "no map": (
        ("experiments", "mnist", "measures", "templates"),
        "layers",
        ["conv1", "dense"],
        "layer 'dense' has no map; templates needs patches",
    ),
    "no group": (
        ("experiments", "efl", "measures", "code_frequency"),
        "restarts",
        641,
        "as many networks as restarts",
    ),
    "three nodes": (
        ("experiments", "efl", "network", "perceptron"),
        "hidden",
        3,
        "letter_parts needs data source 'efl' and 2 perceptron nodes",
    ),
    "name elsewhere": (("experiments", "efl", "measures"), "dream", "COPY", "name of a projection"),
    "no network to prune": (
        ("experiments", "efl", "measures"),
        "pruning",
        {"kind": "pruning"},
        "pruning needs a network of kind 'cnn'",
    ),
    "shares alike": (
        ("experiments", "mnist", "measures", "pruning"),
        "shares",
        [0.25, 0.252],
        "the same whole number of percent",
    ),
    "unit": (("experiments", "mnist", "projections", "weights"), "units", [16], "has 16 units"),
    "units": (("experiments", "mnist", "projections", "weights"), "units", 17, "has 16 units"),
    "kind": (("experiments", "mnist", "projections", "weights"), "kind", "wieghts", "should be"),
    "class": (("experiments", "meme", "projections", "dream"), "label", "cat", "no class 'cat'"),
    "large": (("experiments", "meme", "projections", "dream"), "index", 4, "only 4 large images"),
    "channel": (("experiments", "meme", "projections", "dream"), "channel", 112, "has 112 units"),
    "guide": (("experiments", "meme", "projections", "dream"), "guide_label", "cat", "no class"),
    "guide image": (
        ("experiments", "meme", "projections", "dream"),
        "guide_index",
        4,
        "only 4 large images",
    ),
    "maximized layer": (
        ("experiments", "efl", "projections", "maximization"),
        "layer",
        "logit",
        "did you mean 'logits'",
    ),
    "maximized unit": (
        ("experiments", "efl", "projections", "maximization"),
        "units",
        [0, 3],
        "has 3 units, numbered 0 to 2",
    ),
    "phases": (("experiments", "mnist", "projections", "maco"), "layer", "pool9", "no layer"),
    "inverted layer": (
        ("experiments", "mnist", "projections", "inversion"),
        "layers",
        ["pool1", "pool9"],
        "no layer 'pool9'",
    ),
    "class map": (
        ("experiments", "efl", "projections", "attribution"),
        "methods",
        ["gradient", "grad_cam"],
        "'grad_cam' needs a network with a convolution",
    ),
    "class map of a random network": (
        ("experiments", "efl", "projections"),
        "randomized",
        {"kind": "randomized", "methods": ["grad_cam"]},
        "'grad_cam' needs a network with a convolution",
    ),
    "image of a random network": (
        ("experiments", "mnist", "projections", "randomized"),
        "image",
        10_000,
        "there are 10000 test images",
    ),
    "images too small for structural similarity": (
        ("experiments", "efl", "measures"),
        "sanity",
        {"kind": "sanity", "methods": ["gradient"]},
        "9 x 7 pixels are smaller than the window of structural similarity, 11 x 11",
    ),
    "compared images": (
        ("experiments", "meme", "measures", "sanity"),
        "images",
        601,
        "there are 600 test images",
    ),
    "explained images": (
        ("experiments", "efl", "projections", "attribution"),
        "images",
        [0, 1500],
        "there are 1500 test images",
    ),
    "inverted images": (
        ("experiments", "meme", "projections", "inversion"),
        "images",
        601,
        "there are 600 test images",
    ),
    "target": (
        ("experiments", "meme", "projections", "attribution"),
        "target",
        "chikcen",
        "no target 'chikcen'; did you mean 'chicken'",
    ),
    "explained unit": (
        ("experiments", "mnist", "projections", "unit_attribution"),
        "target",
        32,
        "layer 'relu2' has 32 units, numbered 0 to 31",
    ),
    "explained layer": (
        ("experiments", "mnist", "projections", "attribution"),
        "layer",
        "relu2",
        "layer 'relu2' is not of classes; give the number of a unit",
    ),
    "cell": (
        ("experiments", "mnist", "projections", "unit_attribution"),
        "cell",
        [0, 8],
        "layer 'relu2' has 8 x 8 cells",
    ),
    "no cell": (
        ("experiments", "mnist", "projections", "attribution"),
        "cell",
        [0, 0],
        "layer 'logits' has no map and no cells",
    ),
    "layer of class maps": (
        ("experiments", "mnist", "projections", "attribution"),
        "map_layer",
        "dense",
        "layer 'dense' has no map; class maps need one",
    ),
    "no objective": (
        ("experiments", "mnist", "projections", "maximization"),
        "layer",
        None,
        "give either a layer, with its units, or objectives",
    ),
    "part": (
        ("experiments", "mnist", "projections", "differences"),
        "objectives",
        [[{"layer": "conv2", "unit": 32}]],
        r"objectives.0.0.unit: layer 'conv2' has 32 units",
    ),
    "layer of a part": (
        ("experiments", "mnist", "projections", "differences"),
        "objectives",
        [[{"layer": "cnov2"}]],
        "did you mean 'conv2'",
    ),
    "direction": (
        ("experiments", "mnist", "projections", "differences"),
        "objectives",
        [[{"layer": "logits", "direction": [1.0, -1.0]}]],
        "layer 'logits' has 10 units; give as many numbers",
    ),
    "unit and direction": (
        ("experiments", "mnist", "projections", "differences"),
        "objectives",
        [[{"layer": "logits", "unit": 1, "direction": [1.0] * 10}]],
        "give a unit or a direction, not both",
    ),
    "size": (
        ("experiments", "mnist", "projections", "maximization"),
        "size",
        [28, 32],
        "layer 'logits' takes images of one size alone, 28 x 28 pixels",
    ),
    "transform": (
        ("experiments", "mnist", "projections", "maximization"),
        "transforms",
        [{"pad": 2, "jitter": 3}],
        "give one of pad, jitter, roll, rotate, scale in each item",
    ),
    "unknown transform": (
        ("experiments", "mnist", "projections", "maximization"),
        "transforms",
        [{"jiter": 3}],
        "did you mean 'jitter'",
    ),
    "units of a depth series": (
        ("experiments", "meme", "projections", "depth_series"),
        "units_per_layer",
        [3, 16],
        "layer 'b0_out' has 16 units, numbered 0 to 15",
    ),
    "layer of parametrizations": (
        ("experiments", "meme", "projections", "parametrizations"),
        "layer",
        "b10",
        "did you mean",
    ),
    "measured projection": (
        ("experiments", "meme", "measures", "regularizers"),
        "projection",
        "maximization",
        "there is no projection 'maximization' of kind 'parametrizations'",
    ),
    "judges of small images": (
        ("experiments", "meme", "measures", "regularizers", "judges"),
        "cnn",
        {"filters": [4] * 6},
        "layer pool6: its input of 1 x 1 is smaller than its window",
    ),
    "dreaming layer": (
        ("experiments", "mnist", "projections", "dream"),
        "layer",
        "dense",
        "layer 'dense' takes images of one size alone; give octaves: 1",
    ),
    "atlas": (("experiments", "meme", "projections", "atlas"), "layer", "b10", "did you mean"),
    "image": (
        ("experiments", "efl", "projections", "feature_maps"),
        "image",
        1500,
        "there are 1500 test images",
    ),
    "name": (("experiments", "efl", "measures"), "weights", "COPY", "name of a projection"),
    "maps": (
        ("experiments", "mnist", "projections", "feature_maps"),
        "units_per_layer",
        [3, 16],
        "layer 'relu1' has 16 units",
    ),
    "source": (("experiments", "meme", "dataset"), "source", "git", "source 'git' needs this"),
    "folder": (
        ("experiments", "mnist", "dataset", "mnist"),
        "folder",
        "nowhere",
        "there is no folder 'nowhere'",
    ),
    "weights": (
        ("experiments", "meme", "training", "transfer"),
        "weights",
        "nofile",
        "there is no file 'nofile'",
    ),
    "method of a measure": (
        ("experiments", "meme", "measures", "explanations"),
        "methods",
        ["gradient", "grad"],
        "explanations.methods.1: should be 'gradient', .* or 'occlusion', but is 'grad'",
    ),
    "images of a measure": (
        ("experiments", "meme", "measures", "explanations"),
        "images",
        601,
        "there are 600 test images",
    ),
    "class maps of a perceptron": (
        ("experiments", "efl", "measures"),
        "explanations",
        {"kind": "explanations", "methods": ["grad_cam"]},
        "method 'grad_cam' needs a network with a convolution; leave it out",
    ),
    "many large": (
        ("experiments", "meme", "dataset", "rendered"),
        "large_per_class",
        201,
        "at most 200",
    ),
    "recipe": (("experiments", "mnist", "training"), "recipe", "transfer", "for it alone"),
    "contact sheet": (
        ("experiments", "efl", "projections"),
        "projections",
        "COPY",
        "another figure",
    ),
    "reserved": (("experiments",), "figures", "COPY", "reserved name"),
    "figure": (("experiments", "efl", "projections"), "samples", "COPY", "another figure"),
    "split": (("experiments", "meme", "dataset", "rendered"), "test", 0.8, "leave images"),
    "too deep": (
        ("experiments", "mnist", "network", "cnn"),
        "filters",
        [8, 8, 8, 8, 8, 8],
        "fewer layers",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_file_line_and_key(paper, tmp_path, name):
    path, key, value, message = MISTAKES[name]
    section = at(paper, path)
    section[key] = next(iter(section.values())) if value == "COPY" else value
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(paper))
    with pytest.raises(UserError, match=message) as caught:
        config.load(paper, [PAPER, file])
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{file}:")
    number = int(text.removeprefix(f"{file}:").split(":")[0])
    line = file.read_text().splitlines()[number - 1].strip()
    named = text.split(": ")[1].split(".")
    is_item = named[-1].isdigit() and line.startswith("- ")
    assert is_item or line.split(":")[0].strip("- ") in named


def test_the_methods_are_listed_to_who_asks_for_another(paper):
    paper["experiments"]["mnist"]["projections"]["attribution"]["methods"][1] = "grad"
    message = "attribution.methods.1: should be 'gradient', .* or 'occlusion', but is 'grad'"
    with pytest.raises(UserError, match=message):
        config.load(paper)


def test_an_atlas_needs_a_layer(paper):
    del paper["experiments"]["meme"]["projections"]["atlas"]["layer"]
    with pytest.raises(UserError, match="projections.atlas.layer: this key is missing"):
        config.load(paper)


def test_behind_a_flattened_map_an_atlas_has_the_size_of_the_images(paper):
    projections = paper["experiments"]["mnist"]["projections"]
    projections["atlas"] = {"kind": "atlas", "layer": "dense_relu", "size": 32}
    with pytest.raises(UserError, match="atlas.size: layer 'dense_relu' takes .*, 28 x 28 pixels"):
        config.load(paper)
    projections["atlas"] |= {"size": 28}
    config.load(paper)
    projections["atlas"] |= {"size": 32, "layer": "conv2"}
    config.load(paper)


def test_a_dream_has_one_goal(paper):
    paper["experiments"]["meme"]["projections"]["dream"] |= {"channel": 3, "guide_label": "dog"}
    with pytest.raises(UserError, match="dream.channel: .*; leave one out"):
        config.load(paper)


@pytest.mark.parametrize("kind", [k.__name__ for k in PROJECTIONS])
def test_a_projection_has_a_figure_and_takes_the_keys_of_the_configuration(kind):
    """And their defaults."""
    section = getattr(config, kind)
    (name,) = get_args(section.model_fields["kind"].annotation)
    figure = import_module(f"pixelspace.figures.{name}")
    assert callable(figure.draw) and callable(figure.examples)
    method = import_module(f"pixelspace.projections.{name}").project
    arguments = inspect.signature(method).parameters
    fields = {key: field for key, field in section.model_fields.items() if key != "kind"}
    assert set(fields) <= set(arguments)
    missing = set(arguments) - set(fields) - {"model", "dataset", "seed"}
    assert missing <= {"blurs"}
    for key, field in fields.items():
        default = arguments[key].default
        if field.is_required():
            assert default is inspect.Parameter.empty, key
        elif key != "methods":
            assert field.default == default, key


def test_the_window_of_structural_similarity_is_that_of_its_module():
    assert import_module("pixelspace.measures.ssim").SIDE == config.SSIM_SIDE


def test_the_methods_of_attribution_are_those_of_its_module():
    attribution = import_module("pixelspace.projections.attribution")
    assert list(attribution.METHODS) == list(get_args(config.Method))


def test_the_methods_that_are_drawn_are_those_that_are_measured():
    drawn = import_module("pixelspace.figures.explanations")
    measured = import_module("pixelspace.measures.explanations")
    assert list(drawn.METHODS) == list(get_args(config.Method))
    assert list(drawn.CONTROLS) == list(measured.CONTROLS)


def test_a_missing_section_is_named(paper):
    del paper["experiments"]["efl"]["dataset"]
    with pytest.raises(UserError, match="experiments.efl.dataset: this key is missing"):
        config.load(paper)


def test_a_value_of_the_command_line_is_named_as_such(paper):
    with pytest.raises(UserError, match="^--config: sede: unknown key; did you mean 'seed'"):
        config.load(paper | {"sede": 1}, [PAPER], {"sede": 1})
    with pytest.raises(UserError, match="^--config: seed: should be .*, but is 'abc'"):
        config.load(paper | {"seed": "abc"}, [PAPER], {"seed": "abc"})


def test_values_inside_a_mapping_of_the_command_line_are_read_as_yaml(paper):
    given = {"experiments": {"mnist": {"training": {"scratch": {"epochs": "2"}}}}}
    loaded = config.load(merged(paper, given), [PAPER], given)
    assert loaded.experiments["mnist"].training.scratch.epochs == 2
    given["experiments"]["mnist"]["training"]["scratch"]["epochs"] = "-2"
    with pytest.raises(UserError, match="^--config: experiments.mnist.training.scratch.epochs: "):
        config.load(merged(paper, given), [PAPER], given)


def test_a_key_that_stands_twice_is_refused(paper, tmp_path):
    file = tmp_path / "twice.yaml"
    file.write_text("seed: 1\nresults: r\nseed: 2\n")
    with pytest.raises(UserError, match=r"twice.yaml:3: seed: .* already in line 1"):
        config.load(paper, [file])


def test_what_is_no_mapping_is_refused(paper, tmp_path):
    file = tmp_path / "list.yaml"
    file.write_text("- a\n- b\n")
    with pytest.raises(UserError, match="must be a mapping"):
        config.load(paper, [file])


def test_every_key_of_the_paper_has_a_comment_above_or_beside_its_section():
    """A reader finds what a key means where the key is."""
    lines = PAPER.read_text(encoding="utf-8").splitlines()
    top = [i for i, line in enumerate(lines) if line[:1].isalpha()]
    for i in top:
        assert lines[i - 1].startswith("#") or lines[i + 1].lstrip().startswith("#"), lines[i]


def test_a_class_that_no_font_of_the_paper_has_is_named(paper, tmp_path):
    for name in ("Käse", "犬"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.png").write_bytes(b"-")
    overlay = {"experiments": {"meme": {"dataset": {"source": "folder"}}}, "photos": str(tmp_path)}
    with pytest.raises(UserError, match="class '犬' cannot be typeset"):
        config.load(merged(paper, overlay))


def test_results_do_not_land_among_the_sources(paper):
    with pytest.raises(UserError, match="results: 'data' is a folder of the project's own"):
        config.load(paper | {"results": "data"})


def test_lists_of_numbers_come_from_the_command_line_too(paper):
    weights = {"units": ["0", "1"]}  # as Snakemake reads them
    given = {"experiments": {"mnist": {"projections": {"weights": weights}}}}
    loaded = config.load(merged(paper, given), [PAPER], given)
    assert loaded.experiments["mnist"].projections["weights"].units == [0, 1]
    weights["units"] = ["0", "many"]
    with pytest.raises(UserError, match="^--config: .*units"):
        config.load(merged(paper, given), [PAPER], given)


VARIANT = {"extends": "mnist", "network": {"cnn": {"dense": 64}}}


def with_variant(paper, **own):
    return merged(paper, {"experiments": {"narrow": {**VARIANT, **own}}})


def test_a_variant_has_what_it_does_not_say_of_the_experiment_that_it_extends(paper):
    given = with_variant(paper, projections={"maco": None, "weights": {"units": 4}})
    loaded = config.load(given).experiments
    narrow, mnist = loaded["narrow"], loaded["mnist"]
    assert narrow.network.cnn.dense == 64
    assert narrow.network.cnn.filters == mnist.network.cnn.filters
    assert narrow.training == mnist.training
    assert narrow.projections.keys() == mnist.projections.keys() - {"maco"}
    assert narrow.projections["weights"].units == 4
    assert narrow.projections["weights"].layer == mnist.projections["weights"].layer


def test_variants_of_variants_share_the_seeds_of_the_first(paper):
    overlay = {"narrow": VARIANT, "slow": {"extends": "narrow", "replicates": 2}}
    loaded = config.load(merged(paper, {"experiments": overlay}))
    assert loaded.experiments["slow"].network.cnn.dense == 64
    assert [loaded.stem(name) for name in ("slow", "narrow", "mnist")] == ["mnist"] * 3


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"extends": "mnst"},
            "narrow.extends: there is no experiment 'mnst'; did you mean 'mnist'",
        ),
        ({"extends": "narrow"}, "narrow.extends: 'narrow' would extend itself"),
        ({"extends": 3}, "narrow.extends: should be a valid string, but is '3'"),
        ({"extends": ["mnist"]}, "narrow.extends: should be a valid string"),
        ({"measures": {"sanitt": None}}, "narrow.*sanitt: 'mnist' has nothing .* mean 'sanity'"),
        ({"network": {"cnn": {"filters": [8]}}}, ":1: experiments.narrow.projections.*8 units"),
        ({"training": {"scratch": {"epoch": 1}}}, "unknown key; did you mean 'epochs'"),
    ],
)
def test_a_mistake_in_a_variant_is_named_where_the_variant_stands(paper, tmp_path, own, message):
    file = tmp_path / "mine.yaml"
    file.write_text("experiments: {narrow: {}}\n")
    with pytest.raises(UserError, match=message):
        config.load(with_variant(paper, **own), [PAPER, file])
