"""The explorer: what it shows of what, its files, and how it behaves in a browser."""

import io
import json
import re
from pathlib import Path

import figure_examples as examples
import matplotlib
import numpy as np
import pytest
from browsing import (
    DESKTOP,
    PHONE,
    another,
    chromium,
    faults,
    go,
    opened,
    overflows,
    shown,
    views,
)
from PIL import Image

from pixelspace import artifacts
from pixelspace import config as configuration
from pixelspace.artifacts import Projection
from pixelspace.figures import atlas, style, tiles
from pixelspace.networks import cnn, efficientnet, perceptron
from pixelspace.report.explorer import page, panels, sheets
from pixelspace.report.explorer.panels import Layer, Network, Seen, Unit
from pixelspace.units import bundled, named, stages

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "report/explorer"
HOSTILE = (
    "<script>document.title='hit'</script>",
    '"><img src=x onerror="document.title=\'hit\'">',
    "__proto__",
)
NETWORKS = {
    "letters": perceptron.layers(input_shape=(9, 7, 1), classes=3),
    "digits": cnn.layers(input_shape=(28, 28, 1), classes=10),
    "dishes": efficientnet.layers(input_shape=(96, 96, 3), classes=3),
    "few": cnn.layers(input_shape=(32, 32, 3), classes=2),
    "bare": cnn.layers(input_shape=(96, 96, 3), classes=3),
}
NUMBERS = {
    "digits.replicates": (5, "digits/median/training.json"),
    "digits.shown_replicate": (3, "digits/median/training.json"),
    "letters.test_accuracy": (1.0, "letters/0/training.json"),
    "letters.letter_parts.node1_leg": (4.5, "letters/0/measures/letter_parts.json"),
    "letters.letter_parts.node2_leg": (-1.5, "letters/0/measures/letter_parts.json"),
    "digits.sanity.gradient_ssim": (0.5, "digits/0/measures/sanity.json"),
    "digits.sanity.gradient_ssim_low": (0.4, "digits/0/measures/sanity.json"),
    "digits.sanity.gradient_ssim_high": (0.6, "digits/0/measures/sanity.json"),
    "digits.pruning.conv1_lossless": (4, "digits/0/measures/pruning.json"),
    "digits.pruning.conv1_lossless_lowest": (1, "digits/0/measures/pruning.json"),
    "digits.pruning.conv1_lossless_highest": (9, "digits/0/measures/pruning.json"),
    "digits.pruning.conv1_lossless_deviation": (2, "digits/0/measures/pruning.json"),
}


def with_about(made: Projection, **about) -> Projection:
    return Projection(made.arrays, made.about | about)


def sums() -> Projection:
    made = examples.maximized(2, 1, 28, 1)
    about = {key: value for key, value in made.about.items() if key != "units"}
    arrays = {key: values for key, values in made.arrays.items() if key != "units"}
    return with_about(Projection(arrays, about), titles=["4 - 9", HOSTILE[0]])


def projections() -> dict[str, dict[str, Projection]]:
    """Every kind, at least once; an experiment with no units, and none of one kind alone."""
    random = np.random.default_rng(0)
    blob = examples.blob(random, 96)
    deep = {"stem_relu": (48, 48, 4), "b1_out": (48, 48, 3), "avgpool": (1, 1, 3)}
    return {
        "letters": {"weights": examples.letter_weights()},
        "digits": {
            "weights": examples.kernels(16, 5, 1),
            "faults": examples.condemned(6, 5),
            "feature_maps": examples.maps(
                examples.digit("7", random), {"relu1": (24, 24, 3), "dense_relu": (1, 1, 4)}
            ),
            "deconvolutions": examples.patches(3, 4, 14, 1),
            "maximization": examples.maximized(10, 1, 28, 1, layer="logits"),
            "differences": sums(),
            "attribution": examples.attribution(2, 1, examples.DIGITS),
            "randomized": examples.randomized(),
        },
        "dishes": {
            "feature_maps": examples.maps(blob, deep, HOSTILE),
            "top_patches": with_about(
                examples.patches(2, 3, 30, 3), kind="top_patches", layer="b4_out"
            ),
            "deconvolutions": with_about(examples.patches(2, 3, 30, 3), layer="b4_out"),
            "maximization": examples.maximized(3, 2, 48, 3, HOSTILE, "logits"),
            "series": examples.series({"b0_out": 2, "b4_out": 2}, 48),
            "rows": examples.rows(2, 2, HOSTILE),
            "maco": with_about(examples.phases(2), layer="b2_out"),
            "attribution": examples.attribution(4, 3, HOSTILE),
            "inversion": examples.inversion(2, names=HOSTILE),
            "hard_images": examples.hard_images(),
            "atlas": with_about(examples.atlas(4), layer="b6_out"),
            "dream": examples.dream(2, (80, 80), HOSTILE),
        },
        "few": {"hard_images": examples.hard_images()},
        "bare": {"feature_maps": examples.maps(blob, {"rescale": (96, 96, 3)})},
    }


def beside() -> dict[str, list[tuple[str, Projection]]]:
    """What is made of units and images beside the projections, with the name of its sheet."""
    patches = with_about(examples.patches(2, 3, 12, 1), layer="relu1")
    weights = with_about(examples.kernels(1, 5, 1), layer="conv2")
    weights.arrays["units"][:] = 10
    more = examples.maps(examples.digit("4", np.random.default_rng(1)), {"conv2": (24, 24, 3)})
    made = {"units-conv1": patches, "units-conv2": weights, "images-feature_maps": more}
    return {"digits": list(made.items())}


def sources(folder: Path, name: str, projections: list[Path]) -> page.Sources:
    """Write what else is shown of an experiment; return all of it."""
    units = folder / f"results/units/{name}-0.npz"
    artifacts.write_projection(units, bundled(beside().get(name, [])))
    figures = [folder / f"results/figures/{name}-samples.png"] if name == "letters" else []
    for figure in figures:
        with artifacts.written(figure) as file:
            Image.new("RGB", (1200, 400), "white").save(file)
        artifacts.write_text(figure.with_suffix(".txt"), "Images of letters.\n")
    layers = [(layer.name, layer.kind) for layer in NETWORKS[name]]
    beside_these = [f"units-{stage}" for stage in ("conv1", "conv2", "logits")]
    beside_these = [*beside_these, "images-feature_maps"] if name == "digits" else []
    return page.Sources(projections, units, beside_these, layers, figures)


def made(folder: Path) -> Path:
    """Write artifacts, and of them the explorer; return its page."""
    paths = {}
    for name, own in projections().items():
        paths[name] = [folder / f"results/{name}/0/projections/{key}.npz" for key in own]
        for path, projection in zip(paths[name], own.values(), strict=True):
            artifacts.write_projection(path, projection)
    page.make(
        folder / "results/explorer/index.html",
        template=SOURCES / "index.html.j2",
        beside=[SOURCES / "explorer.css", SOURCES / "explorer.js"],
        experiments={name: sources(folder, name, own) for name, own in paths.items()},
        numbers={
            name: {"value": value, "artifact": artifact}
            for name, (value, artifact) in NUMBERS.items()
        },
    )
    return folder / "results/explorer/index.html"


@pytest.fixture(scope="module")
def explorer(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("explorer"))


def data_of(explorer: Path, name: str) -> dict:
    text = (explorer.parent / f"{name}.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("explorer.experiments.push(").removesuffix(");\n"))


def of(subject, *shown: Projection) -> list[panels.Panel]:
    return [panel for each in shown for panel in panels.panels(each) if panel.of == subject]


# What is shown of what ------------------------------------------------------------------------


def test_every_kind_of_projection_is_shown():
    assert set(panels.KINDS) == set(configuration.KINDS)
    tried = {made.about["kind"] for own in projections().values() for made in own.values()}
    assert tried == set(configuration.KINDS)


def test_a_kind_that_nothing_sorts_shows_the_examples_of_its_figure(monkeypatch):
    monkeypatch.delitem(panels.KINDS, "atlas")
    made = with_about(examples.atlas(4), notes=["a note"])
    data, _ = page.experiment("dishes", {"map": made}, [("b10_out", "conv")], {})
    (panel,) = data["panels"]
    assert (panel["title"], panel["layer"], panel["notes"]) == ("atlas", "b10_out", ["a note"])
    assert len(panel["pictures"]) == len(atlas.examples(made)[0].tiles)
    assert all(f"atlas of b10_out, {n} of" in p[6] for n, p in enumerate(panel["pictures"], 1))
    assert data["projections"] == [{"name": "map", "opens": [["look", "network"]]}]


def test_the_units_that_panels_are_of_are_those_that_projections_name():
    for own in projections().values():
        for made in own.values():
            found = {tuple(p.of) for p in panels.panels(made) if isinstance(p.of, Unit)}
            assert found == named(made), made.about["kind"]


def test_no_panel_is_empty_and_every_picture_is_in_words():
    for own in projections().values():
        for projection in own.values():
            for panel in panels.panels(projection):
                assert panel.title
                assert panel.pictures or panel.facts or panel.bars
                assert all(picture.alt for picture in panel.pictures)


def test_a_unit_has_its_weights_and_what_each_class_makes_of_it():
    weights = examples.letter_weights()
    (panel,) = of(Unit("hidden", 1), weights)
    assert np.array_equal(panel.pictures[0].tile.values, weights.arrays["projections"][1])
    means = weights.arrays["mean_activations"]
    assert panel.bars["mean activation by class"] == dict(zip("EFL", means[:, 1], strict=True))
    assert "unit h2 of hidden" in panel.pictures[0].alt


def test_a_unit_has_its_own_patches_strongest_first_and_the_way_back_of_each():
    labels = [["1", "1", "7", "1"]] * 3
    made = with_about(examples.patches(3, 4, 14, 1), labels=labels)
    patches, back = of(Unit("relu2", 10), made)
    white = made.arrays["inside"][1][..., None]
    for rank, (patch, deconvolution) in enumerate(
        zip(patches.pictures, back.pictures, strict=True)
    ):
        own = np.where(white[rank], made.arrays["patches"][1, rank], 255)
        assert np.array_equal(patch.tile.values, own)
        assert np.array_equal(deconvolution.tile.values, made.arrays["deconvolutions"][1, rank])
        assert patch.caption == panels.number(made.arrays["activations"][1, rank])
    assert len({picture.tile.scale for picture in back.pictures}) == 1
    counts = patches.bars["patches by class"]
    assert list(counts) == made.about["class_names"]
    assert {name: count for name, count in counts.items() if count} == {"1": 3, "7": 1}


def test_two_methods_that_begin_with_the_same_patches_show_them_once():
    made = examples.patches(1, 4, 14, 1)
    guided = with_about(made, policy="guided")
    layers = [("relu2", "relu")]
    data, _ = page.experiment("digits", {"a": made, "b": guided}, layers, {})
    (unit,) = data["stages"][0]["units"]
    titles = [panel["title"] for panel in unit["panels"]]
    assert titles == ["strongest patches", "deconvolution", "guided backpropagation"]


def test_a_note_stands_with_the_units_that_it_is_about():
    notes = [
        "units 3, 17: silent for every test image",
        "unit 10: never",
        "layer relu2: no pooling",
    ]
    made = with_about(examples.patches(3, 4, 14, 1), notes=notes)
    shown = {unit: of(Unit("relu2", unit), made)[-1].notes for unit in (3, 10, 17)}
    assert shown == {3: [notes[0], notes[2]], 10: notes[1:], 17: [notes[0], notes[2]]}


def test_a_note_stands_with_each_unit_that_it_names():
    note = "unit 3, unit 17: hardly excited more than by the first image"
    made = with_about(examples.patches(3, 4, 14, 1), notes=[note])
    shown = {unit: of(Unit("relu2", unit), made)[-1].notes for unit in (3, 10, 17)}
    assert shown == {3: [note], 10: [], 17: [note]}


def test_a_note_stands_with_the_images_that_it_is_about():
    notes = [
        "methods gradient, occlusion: zero everywhere for images 1, 3",
        "method gradient: for image 2 the shares miss the gain 2 by 1",
        "method occlusion: left out, as no layer has a map",
    ]
    made = with_about(examples.attribution(4), notes=notes)
    seen = [panel for panel in panels.panels(made) if isinstance(panel.of, Seen)]
    assert {panel.of.place: panel.notes for panel in seen} == {
        "test image 0": notes[2:],
        "test image 1": [notes[0], notes[2]],
        "test image 2": notes[1:],
        "test image 3": [notes[0], notes[2]],
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.12345, "0.123"),
        (-2.0, "−2"),
        (-0.0, "0"),
        (10000, "10000"),
        (1234.5, "1234"),
        (2e-9, "2e−09"),
    ],
)
def test_numbers_are_short_and_counts_whole(value, words):
    assert panels.number(value) == words


def test_a_class_is_called_by_its_name():
    made = examples.maximized(3, 2, 28, 3, examples.DISHES, "logits")
    (panel,) = of(Unit("logits", 2), made)
    assert len(panel.pictures) == 2
    assert "chicken of logits" in panel.pictures[0].alt


def test_a_unit_has_the_maps_that_explain_it():
    made = examples.attribution(4)
    explained = made.about["explained"]
    (panel,) = of(Unit("logits", examples.DISHES.index(explained[0])), made)
    seen = [panel for panel in panels.panels(made) if isinstance(panel.of, Seen)]
    maps = [
        picture.tile.values
        for image, name in zip(seen, explained, strict=True)
        if name == explained[0]
        for picture in image.pictures
    ]
    assert [picture.tile.values.tolist() for picture in panel.pictures] == [
        values.tolist() for values in maps
    ]
    assert panel.pictures[0].caption == f"{seen[0].pictures[0].caption}, test image 0"
    of_unit = with_about(made, layer="relu2", explained=["unit 5"] * 4)
    assert len(of(Unit("relu2", 5), of_unit)[0].pictures) == 12


def test_a_sum_is_of_no_one_layer():
    shown = of(Network(), sums())
    assert [panel.layer for panel in shown] == ["", ""]
    assert shown[0].title == "maximization of 4 - 9"


def test_images_with_the_same_pixels_are_the_same_whoever_shows_them():
    image = examples.digit("7", np.random.default_rng(0))
    maps = examples.maps(image, {"relu1": (24, 24, 3)})
    random = examples.randomized()
    random.arrays["input"][:] = image
    random.about["image"] = 0
    data, files = page.experiment("digits", {"a": maps, "b": random}, [("relu1", "relu")], {})
    (seen,) = data["images"]
    assert seen["name"] == "test image 0"
    assert [panel["layer"] for panel in seen["panels"]] == ["relu1", "logits", "logits"]
    assert list(files) == ["digits-a.webp", "digits-b.webp"]


def test_the_image_that_is_explained_with_random_weights_has_its_number():
    (image,) = {panel.of for panel in panels.panels(examples.randomized())}
    assert image.place == "test image 1"


def test_an_atlas_is_of_its_layer_and_a_dream_of_its_layer_and_image():
    dream = examples.dream(2, (80, 80))
    (panel,) = of(Layer("b10_out"), dream)
    captions = [picture.caption for picture in panel.pictures]
    assert captions == ["original", "octave 1", "dream"]
    first = Seen(dream.arrays["frames"][0], (0, 255), "")
    assert len(of(first, dream)) == 1
    assert len(of(Layer("b10_out"), examples.atlas())) == 1


def test_layers_that_keep_their_units_are_one_stage():
    layers = [(layer.name, layer.kind) for layer in NETWORKS["digits"]]
    assert ["conv2", "relu2", "pool2"] in stages(layers)
    assert stages(layers)[-1] == ["logits", "probabilities"]


def test_a_number_has_its_interval_or_spread_beside_it(explorer):
    numbers = dict(data_of(explorer, "digits")["numbers"])
    assert numbers["sanity"] == [["gradient_ssim", "0.5", "0.4 to 0.6"]]
    assert numbers["pruning"] == [["conv1_lossless", "4", "1 to 9 over the networks"]]
    letters = data_of(explorer, "letters")
    assert dict(letters["numbers"])[""] == [["test_accuracy", "1", ""]]


def test_numbers_stand_where_they_are_about_a_layer_a_node_or_a_method(explorer):
    (hidden,) = data_of(explorer, "letters")["stages"]
    assert hidden["units"][1]["numbers"] == [["letter_parts", [["node2_leg", "−1.5", ""]]]]
    digits = data_of(explorer, "digits")
    conv1 = next(stage for stage in digits["stages"] if stage["name"] == "conv1")
    assert [measure for measure, _ in conv1["numbers"]] == ["pruning"]
    attributed = next(image for image in digits["images"] if image["numbers"])
    assert [measure for measure, _ in attributed["numbers"]] == ["sanity"]


def test_an_experiment_with_one_kind_shows_that_alone(explorer):
    few = data_of(explorer, "few")
    assert few["stages"] == few["panels"] == few["numbers"] == []
    assert [image["name"] for image in few["images"]] == [
        f"test image {number}" for number in (20, 21, 30, 31, 32)
    ]


# Pictures and files ---------------------------------------------------------------------------


def test_colours_are_those_of_the_figures():
    values = np.array([[[-2.0], [0.0], [2.0]]])
    maps = np.array([[0.0, 4.0]])
    grey = np.array([[[0.0], [255.0]]])
    signed, positive, picture = sheets.pixels(
        [
            tiles.signed(values, 2.0),
            tiles.Tile(style.feature_map, maps, (0.0, 4.0)),
            *tiles.pictures(grey[None], (0, 255)),
        ]
    )
    assert signed[0].tolist() == style.SIGNED([0.0, 0.5, 1.0], bytes=True)[:, :3].tolist()
    assert signed[0, 1].tolist() == [255, 255, 255]
    scale = matplotlib.colormaps[style.INTENSITY]([0.0, 1.0], bytes=True)[:, :3]
    assert positive[0].tolist() == scale.tolist()
    assert picture[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_pictures_lie_side_by_side_and_each_is_there_once():
    random = np.random.default_rng(0)
    shapes = [(5, 5), (9, 7), (5, 5), (1, 30)]
    pictures = [random.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    pictures.append(pictures[0])
    sheet, boxes = sheets.pack(pictures)
    for picture, (left, top, width, height) in zip(pictures, boxes, strict=True):
        assert np.array_equal(sheet[top : top + height, left : left + width], picture)
    assert boxes[0] == boxes[-1]
    kept = np.asarray(Image.open(io.BytesIO(sheets.encoded(sheet))).convert("RGB"))
    assert np.array_equal(kept, sheet)


def test_a_sheet_without_pictures_can_be_written():
    assert sheets.pack([])[0].shape == (1, 1, 3)


def test_the_same_artifacts_give_the_same_bytes_and_none_tells_of_the_machine(explorer, tmp_path):
    other = made(tmp_path / "elsewhere")
    files = sorted(path.name for path in explorer.parent.iterdir() if path.is_file())
    assert files == sorted(path.name for path in other.parent.iterdir() if path.is_file())
    for name in files:
        content = artifacts.checked(explorer.parent / name).read_bytes()
        assert content == (other.parent / name).read_bytes(), name
        assert str(explorer.parents[2]).encode() not in content


def test_words_of_a_user_are_data_and_not_code(explorer):
    assert not any(word in explorer.read_text(encoding="utf-8") for word in HOSTILE)
    html = page.html(SOURCES / "index.html.j2", ["<b>"])
    assert "<b>" not in html and "&lt;b&gt;.js" in html
    labels = {image["label"] for image in data_of(explorer, "dishes")["images"]}
    assert {*HOSTILE} < labels
    script = (explorer.parent / "dishes.js").read_text(encoding="utf-8")
    assert '"__proto__":' not in script


def test_the_page_needs_nothing_from_elsewhere(explorer):
    for name in ("index.html", "explorer.css", "explorer.js"):
        text = (explorer.parent / name).read_text(encoding="utf-8")
        assert "//" not in re.sub(r"^\s*//.*|\s// .*$", "", text, flags=re.M)
        assert "innerHTML" not in text


# In a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.mark.parametrize(
    ("variable", "outcome"), [("CI", pytest.fail.Exception), ("ELSE", pytest.skip.Exception)]
)
def test_without_a_browser_a_test_is_left_out_but_not_in_ci(monkeypatch, variable, outcome):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(variable, "true")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(outcome, match="no Chromium here"), chromium():
        pass


def test_every_unit_and_image_of_every_network_opens(browser, explorer):
    with opened(browser, explorer) as page:
        links = views(page)
        assert len(links) > 60
        for link in links:
            go(page, link)
            assert page.locator("main h2").count() + link.endswith("network") >= 1, link
            assert page.locator("#said").inner_text() == "", link
            assert not overflows(page), link


def test_a_picture_has_the_colours_of_its_values(browser, explorer):
    values = examples.letter_weights().arrays["projections"]
    expected, _ = sheets.pixels([tiles.signed(v, float(np.abs(values).max())) for v in values])
    fragment = "#network=letters&look=unit&layer=hidden&unit=0"
    with opened(browser, explorer, fragment=fragment) as page:
        canvas = page.get_by_role("img", name="weights of unit h1 of hidden")
        drawn = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), int)
    rows, columns = (np.arange(n) for n in expected.shape[:2])
    y = ((rows + 0.5) * drawn.shape[0] / len(rows)).astype(int)
    x = ((columns + 0.5) * drawn.shape[1] / len(columns)).astype(int)
    assert np.abs(drawn[y[:, None], x] - expected).max() <= 2


def test_pictures_are_read_when_they_are_shown(browser, explorer):
    with opened(browser, explorer, fragment="#network=letters") as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        go(page, "#network=few&look=image")
        assert asked == ["few-hard_images.webp"]


def test_a_link_restores_what_was_chosen(browser, explorer):
    with opened(browser, explorer) as page:
        for label, value in (("Network", "digits"), ("Layer", "logits"), ("Unit", "7")):
            with another(page):
                page.get_by_label(label, exact=True).select_option(value)
        unit, words = page.url, shown(page)
        assert page.title() == "Unit 7 of logits, probabilities"
        with another(page):
            page.get_by_label("Look at", exact=True).select_option("image")
        with another(page):
            page.get_by_role("button", name="after").click()
        image, seen = page.url, shown(page)
        for _ in range(2):
            with another(page):
                page.evaluate("history.back()")
        assert (page.url, shown(page)) == (unit, words)
    for link, expected in ((unit, words), (image, seen)):
        with opened(browser, explorer, fragment=f"#{link.partition('#')[2]}") as page:
            assert shown(page) == expected


def test_a_link_may_name_any_layer_of_a_stage(browser, explorer):
    with opened(browser, explorer, fragment="#network=digits&layer=relu1&unit=6") as page:
        assert page.title() == "Unit 6 of conv1, relu1, pool1"
        assert page.locator("#said").inner_text() == ""


def test_a_link_to_a_projection_opens_what_it_shows(browser, explorer):
    with opened(browser, explorer, size=PHONE) as page:
        for name, own in projections().items():
            for key in own:
                link = f"#network={name}&projection={key}"
                go(page, link)
                assert page.locator("#said").inner_text() == "", link
                first = page.locator(f"article[data-projection='{key}']").first
                top = first.bounding_box()["y"]
                assert 0 <= top < PHONE[1], link


def test_a_projection_of_images_opens_with_one_and_others_with_their_first_unit(explorer):
    data = {name: data_of(explorer, name)["projections"] for name in NETWORKS}
    opens = {
        (name, own["name"]): dict(own["opens"]) for name, shown in data.items() for own in shown
    }
    first = examples.condemned(6, 5).arrays["units"][0]
    layer = examples.condemned(6, 5).about["layer"]
    assert opens["digits", "faults"] == {"look": "unit", "layer": layer, "unit": first}
    assert opens["digits", "feature_maps"] == {"look": "image", "image": "test image 0"}
    assert opens["digits", "differences"] == {"look": "network"}
    assert opens["dishes", "atlas"] == {"look": "unit", "layer": "b6_out"}
    assert opens["dishes", "dream"]["look"] == "image"


def test_no_two_buttons_have_the_same_name(browser, explorer):
    with opened(browser, explorer) as page:
        for look in ("network=few&look=image", "network=dishes&look=image"):
            go(page, f"#{look}")
            names = page.locator(".strip button").all_inner_texts()
            assert len(names) > 4
            assert len(set(names)) == len(names)


def test_what_is_made_of_units_beside_stands_among_their_other_panels(explorer):
    stages = {stage["name"]: stage for stage in data_of(explorer, "digits")["stages"]}
    titles = {
        unit["number"]: [panel["title"] for panel in unit["panels"]]
        for unit in stages["conv2"]["units"]
    }
    assert titles[10] == ["weights", "strongest patches", "deconvolution"]
    sheets = data_of(explorer, "digits")["sheets"]
    own = [*(f"units-{stage}" for stage in ("conv1", "conv2", "logits")), "images-feature_maps"]
    assert sheets[-4:] == [f"digits-{sheet}.webp" for sheet in own]
    assert all((explorer.parent / sheet).is_file() for sheet in sheets)


def test_what_is_made_of_images_beside_stands_with_them_and_not_with_units(explorer):
    data = data_of(explorer, "digits")
    of_images = [panel["projection"] for image in data["images"] for panel in image["panels"]]
    of_units = [
        panel["projection"]
        for stage in data["stages"]
        for unit in stage["units"]
        for panel in unit["panels"]
    ]
    assert "images-feature_maps" in of_images
    assert "images-feature_maps" not in of_units


def test_a_unit_leads_to_the_measures_of_its_network(browser, explorer):
    with opened(browser, explorer) as page:
        go(page, "#network=digits&look=unit&layer=conv2")
        page.get_by_role("link", name="All measures of digits").click()
        page.get_by_role("heading", name="Measures of digits").wait_for()
        assert "look=network" in page.url


def test_an_image_that_is_not_tested_says_why_there_is_no_more_of_it(browser, explorer):
    said = "There is no more of this image: it is larger than those that the network is tested on"
    with opened(browser, explorer, fragment="#network=dishes") as page:
        go(page, "#network=dishes&look=image&image=large+image+0")
        assert page.locator("#shown h2").first.inner_text().startswith("large image 0")
        assert page.get_by_text(said).count() == 1
        go(page, "#network=dishes&look=image&image=test+image+0")
        assert page.get_by_text(said).count() == 0


def test_a_unit_is_known_by_its_kernel_or_by_an_image_made_for_it():
    weights = examples.kernels(1, 5, 1)
    made = examples.maximized(1, 1, 28, 1, layer="conv1")
    made.about["units"][:] = weights.arrays["units"].tolist()
    for method, title in (("direct", "weights"), ("expected response", "maximization")):
        own = {"weights": with_about(weights, method=method), "made": made}
        data, _ = page.experiment("digits", own, [("conv1", "conv")], {})
        (unit,) = data["stages"][0]["units"]
        (panel,) = [panel for panel in unit["panels"] if panel["title"] == title]
        assert unit["emblem"] == panel["pictures"][0]


def test_a_unit_that_can_have_no_weights_says_so(browser, explorer):
    with opened(browser, explorer, fragment="#network=bare") as page:
        said = "There can be no weights of this unit: no layer up to it has any."
        assert page.get_by_text(said).count() == 1
        go(page, "#network=digits&layer=conv1")
        assert page.get_by_text(said).count() == 0


def test_the_head_says_which_network_is_shown(browser, explorer):
    with opened(browser, explorer, fragment="#network=digits") as page:
        said = "digits: number 3, counted from 0, of 5 trained networks: the median by validation"
        assert page.locator("#which").inner_text().startswith(said)
        go(page, "#network=letters")
        said = "letters: the one network that is trained."
        assert page.locator("#which").inner_text() == said


def test_a_network_has_the_figures_that_are_of_no_projection(browser, explorer):
    with opened(browser, explorer, fragment="#network=letters&look=network") as page:
        figure = page.get_by_role("img", name="Images of letters.")
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        assert figure.evaluate("image => image.naturalWidth") == 1200
        link = page.get_by_role("link", name="samples by itself")
        assert link.get_attribute("href") == "letters-samples.png"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_an_atlas_is_laid_out_as_its_map(browser, explorer, size):
    places = examples.atlas(4).arrays["places"]
    with opened(browser, explorer, fragment="#network=dishes&projection=atlas", size=size) as page:
        boxes = [box.bounding_box() for box in page.locator(".map canvas").all()]
    assert len(boxes) == len(places)
    for axis, numbers in (("y", places[:, 0]), ("x", places[:, 1])):
        found = np.array([box[axis] for box in boxes])
        _, ranks = np.unique(found.round(), return_inverse=True)
        assert np.array_equal(ranks, np.unique(numbers, return_inverse=True)[1])


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("network=mine&unit=<b>", "no network mine and no unit <b>"),
        ("network=digits&look=dream", "no look dream"),
        ("network=few&look=unit", "no look unit"),
        ("network=few&projection=dream", "no projection dream"),
    ],
)
def test_a_link_to_what_is_not_there_says_so(browser, explorer, fragment, said):
    with opened(browser, explorer, fragment=f"#{fragment}") as page:
        assert page.locator("#said").inner_text() == f"There is {said} here."
        assert page.locator("main canvas").count()


def test_another_network_is_looked_at_as_far_as_it_can_be(browser, explorer):
    with opened(browser, explorer, fragment="#network=digits&look=unit") as page:
        with another(page):
            page.get_by_label("Network", exact=True).select_option("few")
        assert page.get_by_label("Look at", exact=True).input_value() == "image"
        assert page.locator("#said").inner_text() == ""


def test_the_keyboard_is_enough(browser, explorer):
    with opened(browser, explorer, fragment="#network=digits&look=unit&layer=conv1") as page:
        first = page.title()
        with another(page):
            page.keyboard.press("ArrowRight")
        second = page.title()
        assert first != second
        with another(page):
            page.keyboard.press("ArrowLeft")
        assert page.title() == first
        with another(page):
            page.keyboard.press("Shift+ArrowRight")
        assert " of conv2, relu2, pool2" in page.title()
        with another(page):
            page.keyboard.press("Shift+ArrowLeft")
        for key, focused in (("Tab", "id === 'skip'"), ("Enter", "id === 'shown'")):
            page.keyboard.press(key)
            assert page.evaluate(f"document.activeElement.{focused}")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        with another(page):
            page.keyboard.press("Enter")
        assert page.title() == second
        assert page.evaluate("document.activeElement.ariaCurrent") == "true"


def test_the_link_can_be_copied(browser, explorer):
    with opened(browser, explorer) as page:
        page.get_by_role("button", name="copy link").click()
        page.wait_for_function("document.getElementById('said').textContent")
        said = page.locator("#said").inner_text()
        assert said in ("The link is copied.", "Copy the link from the address bar.")


def test_a_map_leads_to_its_image_and_back(browser, explorer):
    fragment = "#network=digits&look=unit&layer=conv1&unit=6"
    with opened(browser, explorer, fragment=fragment) as page:
        with another(page):
            page.get_by_role("link", name="test image 0, 1").click()
        assert page.title() == "test image 0, 1"
        with another(page):
            page.get_by_role("link", name="6", exact=True).first.click()
        assert page.title() == "Unit 6 of conv1, relu1, pool1"


def test_a_hostile_name_is_shown_as_it_is(browser, explorer):
    with opened(browser, explorer, fragment="#network=dishes&look=unit&layer=logits") as page:
        for unit, name in enumerate(HOSTILE):
            go(page, f"#network=dishes&look=unit&layer=logits&unit={unit}")
            assert f"Unit {name} of logits, probabilities" in page.locator("h2").first.inner_text()
            assert page.title().startswith("Unit ")
        for link in (link for link in views(page) if "network=dishes" in link):
            go(page, link)
            assert page.title() != "hit"
            assert page.locator("main script, main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_no_fault_and_nothing_is_cut_off(browser, explorer, size, scheme):
    looks = [
        "#network=letters&look=unit",
        "#network=digits&look=unit&layer=conv1",
        "#network=digits&look=network",
        "#network=dishes&look=unit&layer=b4_out",
        "#network=dishes&look=unit&layer=b6_out",
        "#network=dishes&look=image&image=test+image+1",
        "#network=few&look=image",
    ]
    with opened(browser, explorer, size=size, scheme=scheme) as page:
        for look in looks:
            go(page, look)
            assert faults(page) == [], look
            assert not overflows(page), look
