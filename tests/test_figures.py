"""Figures: what they show is what the artifact holds, and all of it can be read."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import figure_examples as examples
import matplotlib.text
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.patches import Circle, Rectangle

from pixelspace import artifacts
from pixelspace.errors import UserError
from pixelspace.figures import (
    atlas,
    attribution,
    code_frequency,
    contact_sheet,
    deconvolutions,
    depth_series,
    diagram,
    dream,
    explanations,
    faults,
    feature_maps,
    hard_images,
    inversion,
    maco,
    maximization,
    parametrizations,
    pruning,
    randomized,
    samples,
    sanity,
    style,
    sweep,
    templates,
    top_patches,
    training,
    weights,
)
from pixelspace.report.numbers import of_networks
from pixelspace.report.sweep import summary

RANDOM = np.random.default_rng(0)
SMALL_NETWORK = {"relu1": (28, 28, 16), "pool2": (7, 7, 8), "dense_relu": (1, 1, 128)}
DEEP_NETWORK = {"stem_relu": (64, 64, 8), "b1_out": (80, 80, 8), "logits": (1, 1, 3)}
MANY_NAMES = [f"class {number}" for number in range(20)]


def all_projections():
    """One projection of each kind."""
    return [
        examples.kernels(16, 5, 1),
        examples.condemned(15, 5),
        examples.maps(examples.blob(RANDOM), DEEP_NETWORK, examples.DISHES),
        examples.hard_images(),
        examples.patches(4, 9, 60, 3),
        examples.maximized(5, 2, 96, 3),
        examples.phases(),
        examples.series({"b0_out": 6, "b4_out": 6}),
        examples.rows(),
        examples.attribution(),
        examples.randomized(),
        examples.inversion(),
        examples.inversion(method="caricature"),
        examples.atlas(),
        examples.dream(),
    ]


FIGURES = {
    "diagram": (diagram, lambda: examples.letter_weights()),
    "diagram of 6 nodes": (diagram, lambda: examples.letter_weights(6)),
    "diagram of 10 classes": (diagram, lambda: examples.letter_weights(3, examples.DIGITS)),
    "diagram, awkward names": (diagram, lambda: examples.letter_weights(1, examples.AWKWARD)),
    "weights and bars": (weights, lambda: examples.letter_weights()),
    "weights and bars, awkward names": (
        weights,
        lambda: examples.letter_weights(5, examples.AWKWARD),
    ),
    "weights, colour": (weights, lambda: examples.kernels(32, 3, 3)),
    "weights, many": (weights, lambda: examples.kernels(100, 14, 1)),
    "one kernel": (weights, lambda: examples.kernels(1, 5, 1)),
    "faults": (faults, lambda: examples.condemned(15, 5)),
    "faults of many": (faults, lambda: examples.condemned(95, 14)),
    "fault of one": (faults, lambda: examples.condemned(1, 5)),
    "pruning": (pruning, lambda: of_networks([examples.pruned(seed) for seed in range(5)])),
    "pruning of one network by one share": (
        pruning,
        lambda: of_networks([examples.pruned(0, (50,))]),
    ),
    "pruning by many shares": (
        pruning,
        lambda: of_networks([examples.pruned(0, (10, 20, 30, 40, 50, 60, 70, 80, 90))]),
    ),
    "maps, grey": (feature_maps, lambda: examples.maps(examples.digit("7", RANDOM), SMALL_NETWORK)),
    "maps, colour": (
        feature_maps,
        lambda: examples.maps(examples.blob(RANDOM), DEEP_NETWORK, examples.AWKWARD),
    ),
    "deconvolutions, grey": (deconvolutions, lambda: examples.patches(4, 9, 14, 1)),
    "deconvolutions, colour, in rows": (deconvolutions, lambda: examples.patches(3, 5, 60, 3)),
    "deconvolutions of many units": (deconvolutions, lambda: examples.patches(20, 4, 14, 1)),
    "one deconvolution": (deconvolutions, lambda: examples.patches(1, 1, 14, 1)),
    "dream": (dream, lambda: examples.dream()),
    "dream, upright": (dream, lambda: examples.dream(1, (160, 90), examples.DIGITS)),
    "dream, awkward names": (dream, lambda: examples.dream(6, (90, 160), examples.AWKWARD)),
    "maximization, grey, of classes": (
        maximization,
        lambda: examples.maximized(10, 1, 28, 1, layer="logits"),
    ),
    "maximization, awkward names": (
        maximization,
        lambda: examples.maximized(4, 1, 96, 3, examples.AWKWARD, "logits"),
    ),
    "maximization, variants": (maximization, lambda: examples.maximized(3, 4, 96, 3)),
    "maximization of many units": (maximization, lambda: examples.maximized(300, 1, 28, 1)),
    "maximization of a hidden node": (
        maximization,
        lambda: examples.maximized(1, 1, 9, 1, layer="hidden"),
    ),
    "maco": (maco, lambda: examples.phases()),
    "depth series": (depth_series, lambda: examples.series({"b0_out": 6, "b4_out": 6})),
    "depth series, layers of few units": (
        depth_series,
        lambda: examples.series({"conv1": 2, "a_layer_of_a_very_long_name": 4, "conv3": 1}),
    ),
    "parametrizations": (parametrizations, lambda: examples.rows()),
    "parametrizations, awkward names": (
        parametrizations,
        lambda: examples.rows(2, 2, examples.AWKWARD),
    ),
    "attribution, colour": (attribution, lambda: examples.attribution()),
    "attribution, grey, many images": (
        attribution,
        lambda: examples.attribution(12, 1, examples.DIGITS),
    ),
    "attribution, awkward names": (
        attribution,
        lambda: examples.attribution(4, 3, examples.AWKWARD),
    ),
    "attribution by many methods": (
        attribution,
        lambda: examples.attribution(2, 3, methods=[f"method {number}" for number in range(20)]),
    ),
    "attribution by a method of a long name": (
        attribution,
        lambda: examples.attribution(4, methods=["guided", "grad_cam"]),
    ),
    "attribution by class maps alone": (
        attribution,
        lambda: examples.attribution(3, methods=["grad_cam"]),
    ),
    "randomized": (randomized, lambda: examples.randomized()),
    "randomized, awkward names": (
        randomized,
        lambda: examples.randomized(3, examples.AWKWARD, ["grad_cam", "occlusion", "smooth_grad"]),
    ),
    "sanity": (sanity, lambda: examples.sanity()),
    "sanity of all methods": (sanity, lambda: examples.sanity(sanity.LINES)),
    "inversion": (inversion, lambda: examples.inversion()),
    "caricature, awkward names": (
        inversion,
        lambda: examples.inversion(4, method="caricature", names=examples.AWKWARD),
    ),
    "inversion of many layers": (
        inversion,
        lambda: examples.inversion(3, [f"b{number}_out" for number in range(16)]),
    ),
    "contact sheet": (contact_sheet, lambda: all_projections()),
    "contact sheet of one projection": (contact_sheet, lambda: [examples.phases()]),
    "contact sheet of many": (
        contact_sheet,
        lambda: [examples.inversion(1 + number, [f"b{number}_out"]) for number in range(40)],
    ),
    "templates": (templates, lambda: examples.templates(["conv1", "conv2"])),
    "templates of one layer": (templates, lambda: examples.templates(["b4_out"])),
    "code frequency": (code_frequency, lambda: examples.code_frequency()),
    "explanations": (explanations, lambda: examples.explanations(explanations.METHODS)),
    "explanations without masks": (
        explanations,
        lambda: examples.explanations(["gradient"], ["deletion", "insertion"]),
    ),
    "training": (training, lambda: examples.report()),
    "training, 10 classes": (training, lambda: examples.report(examples.DIGITS, 5)),
    "training, 20 classes": (training, lambda: examples.report(MANY_NAMES, 30)),
    "training, awkward names": (training, lambda: examples.report(examples.AWKWARD, 1)),
    "training, replicates": (training, lambda: [examples.report(seed=s) for s in range(3)]),
    "sweep of one point": (sweep, lambda: examples.swept(1, rate=[0.1])),
    "sweep": (
        sweep,
        lambda: examples.swept(3, (2,), rate=[0.01, 0.02, 0.05], filters=[[8], [16, 32]]),
    ),
    "sweep in panels": (
        sweep,
        lambda: examples.swept(2, rate=[0.1, 0.2], filters=[[8], [16]], size=[28, 32, 48, 64]),
    ),
    "sweep of many": (sweep, lambda: examples.swept(1, rate=range(60), size=range(12))),
    "sweep over four keys": (
        sweep,
        lambda: examples.swept(1, a=[1, 2, 3], b=[1, 2], c=[1, 2, 3], d=["x", "y", "z"]),
    ),
    "sweep of which all failed": (sweep, lambda: examples.swept(2, (0, 1), rate=[1, 2])),
}
"""Of each figure the module that draws it, and what makes that which it draws."""

DATASETS = {
    "letters": examples.letters,
    "digits": examples.digits,
    "dishes": examples.dishes,
    "awkward names": functools.partial(examples.dishes, names=examples.AWKWARD),
}


@functools.cache
def drawn(name):
    module, make = FIGURES[name]
    return module.draw(make())


@pytest.fixture
def drawn_texts(monkeypatch):
    """Draw a figure and return the texts that appeared, each once."""
    texts = []
    draw = matplotlib.text.Text.draw

    def record(text, renderer):
        if text.get_visible() and text.get_text().strip() and text not in texts:
            texts.append(text)
        return draw(text, renderer)

    def draw_and_record(figure):
        monkeypatch.setattr(matplotlib.text.Text, "draw", record)
        with style.house():
            figure.draw(figure.canvas.get_renderer())
        return texts

    return draw_and_record


def assert_readable(figure, texts):
    """Every text is 7 to 9 points, inside the figure, and clear of every other."""
    assert figure.get_figwidth() == style.WIDTH
    assert figure.get_figheight() <= style.TALLEST
    assert len(texts) > 1
    width, height = figure.canvas.get_width_height()
    sides = []
    for text in texts:
        assert 7 <= text.get_size() <= 9, text
        box = text.get_window_extent()
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
        assert inside, f"{text} leaves the figure: {box}"
        sides.append(box.padded(-0.5).extents)
    left, low, right, high = np.transpose(sides)
    apart = (left >= right[:, None]) | (low >= high[:, None])
    overlaps = np.argwhere(np.triu(~(apart | apart.T), 1))
    assert not [(texts[a], texts[b]) for a, b in overlaps]


@pytest.mark.parametrize("name", FIGURES)
def test_texts_can_be_read(name, drawn_texts):
    figure = drawn(name)
    assert_readable(figure, drawn_texts(figure))


@pytest.mark.parametrize("name", FIGURES)
def test_figures_have_words_for_those_who_cannot_see_them(name):
    module, make = FIGURES[name]
    words = module.alt(make())
    assert len(words) > 60
    assert words.endswith(".")
    assert "\n" not in words
    assert not {"nan", "None"} & set(words.split())


def test_words_for_a_figure_have_its_numbers(tmp_path):
    assert "of node 2, E" in diagram.alt(examples.letter_weights())
    wrong = examples.report()
    counts = np.array(wrong["confusion"])
    assert f"{counts.sum() - counts.trace()} of them off its diagonal" in training.alt(wrong)
    assert "units 8 and 12 of layer conv1" in weights.alt(examples.kernels(2, 5, 1))
    assert style.named_units({"layer": "conv1"}, [2, 3, 4]) == "units 2 to 4 of layer conv1"
    with examples.letters(tmp_path) as dataset:
        assert samples.alt(dataset) == (
            "Training images of 9 by 7 pixels after the one without noise, a row for each class: "
            "E, F and L."
        )


@pytest.mark.parametrize("name", DATASETS)
def test_texts_on_samples_can_be_read(name, drawn_texts, tmp_path):
    with DATASETS[name](tmp_path) as dataset:
        figure = samples.draw(dataset)
    assert_readable(figure, drawn_texts(figure))


def images(figure):
    """Return the images that show data: not the solid parts of colour bars."""
    return figure.axes[0].get_images()


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("name", FIGURES)
def test_images_keep_their_shape(name):
    for image in images(drawn(name)):
        left, right, bottom, top = image.get_extent()
        height, width = image.get_array().shape[:2]
        if height > 1:  # one that is not is a strip of nodes
            assert (bottom - top) / (right - left) == pytest.approx(height / width)


# style


def test_words_are_drawn_literally():
    assert style.literal("fried_chicken 100%") == {
        "text": r"fried$\_$chicken 100%",
        "parse_math": True,
    }
    assert style.literal("$a$ {b|c}")["text"] == r"\$a\$ $\{$b${|}$c$\}$"
    assert style.literal("Größe_1 $") == {
        "text": "Größe_1 $",
        "parse_math": False,
        "family": "DejaVu Serif",
    }


def test_long_words_are_shortened_to_the_room():
    with style.house():
        _, canvas = style.sheet(1)
        text = style.write(canvas, 0, 0, "a name that is too long", room=0.8)
        whole = style.write(canvas, 0, 0, "muffin", room=0.8)
        assert style.extent(text)[0] <= 0.8
    assert text.get_text().endswith("...")
    assert whole.get_text() == "muffin"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "$0$"),
        (-0.5, "$-0.50$"),
        (12.34, "$12$"),
        (1.26, "$1.3$"),
        (-0.0042, "$-0.0042$"),
        (0.00042, r"$4.2\times 10^{-4}$"),
        (250000, r"$2.5\times 10^{5}$"),
    ],
)
def test_numbers(value, words):
    assert style.number(value) == words


@pytest.mark.parametrize(
    ("count", "columns"),
    [(3, 3), (5, 5), (16, 8), (10, 10), (32, 8)],  # 7 of the largest fit in a row
)
def test_grids_fill_their_rows(count, columns):
    found, cell = style.grid(count, 5.3, 1.0, gap=0.08, line=0.2, largest=0.68)
    assert found == columns
    assert cell == pytest.approx(min(0.68, 5.38 / columns - 0.08))


def test_a_grid_of_very_many_fits_on_a_page():
    columns, cell = style.grid(1280, 5.3, 1.0, gap=0.05, line=0.2, largest=0.6)
    rows = -(-1280 // columns)
    assert cell > 0
    assert rows * (cell + 0.2) <= style.TALLEST - 1


def test_small_images_have_sharp_pixels_and_signed_ones_a_symmetric_scale():
    _, canvas = style.sheet(1)
    box = (0.0, 0.0, 1.0, 1.0)
    small = style.signed(canvas, np.full((5, 5, 1), -0.2), box, 0.7)
    large = style.picture(canvas, np.zeros((128, 128, 3)), box, 0, 255)
    assert small.get_interpolation() == "nearest"
    assert large.get_interpolation() == "hanning"
    assert small.get_clim() == (-0.7, 0.7)
    assert to_hex(small.get_cmap()(0.5)) == "#ffffff"


def test_signed_colours_are_grey_at_zero():
    _, canvas = style.sheet(1)
    values = np.array([[[0.0, 2.0, -2.0]]])
    image = style.signed(canvas, values, (0, 0, 1, 1), 4.0)
    np.testing.assert_allclose(image.get_array(), [[[0.5, 0.75, 0.25]]])


def test_a_map_has_a_signed_scale_only_if_a_value_is_negative():
    _, canvas = style.sheet(1)
    box = (0.0, 0.0, 1.0, 1.0)
    assert style.feature_map(canvas, np.ones((2, 2)), box, 0.5, 3.0).get_clim() == (0, 3)
    assert style.feature_map(canvas, np.ones((2, 2)), box, -4.0, 3.0).get_clim() == (-4, 4)
    assert style.feature_map(canvas, np.zeros((2, 2)), box, 0.0, 0.0).get_clim() == (0, 1)


DRAW = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import figure_examples as examples
from pixelspace.figures import deconvolutions, diagram, style, training
reports = [examples.report(examples.AWKWARD, seed=seed) for seed in range(2)]
for name, module, what in (
    ("t", training, reports),
    ("w", diagram, examples.letter_weights()),
    ("d", deconvolutions, examples.patches(1, 2, 70, 3)),
):
    files = [Path(f"{name}.{suffix}") for suffix in ("pdf", "png", "txt")]
    style.save(module.draw(what), *files, alt=module.alt(what))
heavy = {"tensorflow", "keras", "matplotlib.pyplot", "snakemake"} & set(sys.modules)
assert not heavy, heavy
"""


def test_same_bytes_whatever_the_folder_the_locale_and_the_users_settings(tmp_path):
    tests = Path(__file__).parent
    settings = tmp_path / "matplotlibrc"
    settings.write_text("font.size: 20\nlines.linewidth: 9\npdf.fonttype: 3\nimage.cmap: jet\n")
    written = []
    for name, environment in {
        "one": {"PYTHONHASHSEED": "1"},
        "another folder": {
            "PYTHONHASHSEED": "2",
            "MATPLOTLIBRC": str(settings),
            "LC_ALL": "C",
            "TZ": "Asia/Tokyo",
            "SOURCE_DATE_EPOCH": "86400",
        },
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        command = [sys.executable, "-c", DRAW, str(tests.parent / "src"), str(tests)]
        subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True)
        written.append({file.name: file.read_bytes() for file in folder.glob("?.*")})
    assert set(written[0]) == {
        f"{figure}.{kind}" for figure in "twd" for kind in ("pdf", "png", "txt")
    }
    assert written[0] == written[1]
    for name, content in written[0].items():
        words = [b"CreationDate", b"Producer", b"Software", b"Matplotlib", b"DejaVuSans"]
        assert not [word for word in words if word in content], name


# samples


def test_samples_show_the_template_and_then_images_of_the_class(tmp_path):
    with examples.letters(tmp_path) as dataset:
        figure = samples.draw(dataset)
        split, templates = dataset["train"], dataset.templates
        ramp, *shown = sorted(images(figure), key=lambda i: i.get_array().shape[0])
        shown = [image for image in images(figure) if image is not ramp]
        columns = len(shown) // 3
        for label in range(3):
            row = [image.get_array() for image in shown[label * columns : (label + 1) * columns]]
            np.testing.assert_array_equal(row[0], templates[label, ..., 0])
            first = np.flatnonzero(split.labels == label)[: columns - 1]
            np.testing.assert_array_equal(row[1:], split.images[first][..., 0])
        brightest = max(image.get_array().max() for image in shown)
    assert {image.get_clim() for image in shown} == {(0, brightest)}
    assert brightest > 1


def test_ten_classes_stand_in_two_blocks(tmp_path):
    with examples.digits(tmp_path) as dataset:
        figure = samples.draw(dataset)
    assert texts(figure.axes[0]) == list("0123456789")
    left = [text.get_position()[0] for text in figure.axes[0].texts]
    assert len(set(left)) == 2 and left[:5] == left[:1] * 5
    assert {image.get_clim() for image in images(figure)} == {(0, 255)}


# training


def test_counts_are_those_of_the_report():
    report = examples.report(examples.DIGITS, 5)
    figure = training.draw(report)
    matrix = figure.axes[-1]
    counts = texts(matrix)[:100]
    assert [int(count) for count in counts] == sum(report["confusion"], [])
    positions = [text.get_position() for text in matrix.texts[:100]]
    assert positions[12] == (2.5, 1.5)  # true class 1, predicted 2: second row, third column
    assert texts(matrix)[100::2] == list(examples.DIGITS)
    images = report["test"]["images"]
    assert f"{images:,} test images" in texts(figure.axes[0])


def test_mistakes_are_tinted_relative_to_the_most_frequent():
    report = examples.report()
    report["confusion"] = [[90, 10, 0], [0, 50, 5], [0, 0, 0]]
    image = training.draw(report).axes[-1].get_images()[0]
    blue, red = -0.4, 0.24
    expected = [[0.9 * blue, red, 0], [0, 50 / 55 * blue, red / 2], [0, 0, 0]]
    np.testing.assert_allclose(image.get_array(), expected)
    assert image.get_clim() == (-1, 1)


def test_points_of_pruning_are_means_and_bars_reach_the_extremes():
    networks = [examples.pruned(seed) for seed in range(3)]
    figure = pruning.draw(of_networks(networks))
    for axes, state in zip(figure.axes[1:], ("", "_trained"), strict=True):
        for container, criterion in zip(
            axes.containers, ("random", "magnitude", "projection"), strict=True
        ):
            line, _, (bars,) = container
            names = [f"accuracy{state}", *(f"{criterion}_{p}{state}" for p in (25, 50, 75))]
            errors = 1 - np.array([[numbers[name] for name in names] for numbers in networks])
            np.testing.assert_allclose(line.get_ydata(), errors.mean(axis=0))
            reached = np.array([segment[:, 1] for segment in bars.get_segments()])
            np.testing.assert_allclose(reached, np.stack([errors.min(0), errors.max(0)], axis=1))
    assert figure.axes[1].get_ylim() == figure.axes[2].get_ylim()


def test_curves_are_those_of_the_report_and_means_over_replicates():
    reports = [examples.report(seed=seed) for seed in range(3)]
    one, several = training.draw(reports[0]), training.draw(reports)
    for axes, quantity in zip(one.axes[1:3], ("loss", "accuracy"), strict=True):
        for line, split in zip(axes.lines, ("train", "validation"), strict=True):
            np.testing.assert_array_equal(
                line.get_ydata(), reports[0]["history"][f"{split}_{quantity}"]
            )
            assert list(line.get_xdata()) == list(range(1, 9))
    lines = several.axes[1].lines
    losses = [report["history"]["train_loss"] for report in reports]
    np.testing.assert_array_equal([line.get_ydata() for line in lines[:3]], losses)
    np.testing.assert_allclose(lines[3].get_ydata(), np.mean(losses, axis=0))
    assert lines[3].get_linewidth() > 2 * lines[0].get_linewidth()
    assert any(text.endswith("median of 3") for text in texts(several.axes[0]))


# explanations


def test_dots_and_intervals_are_those_of_the_numbers():
    numbers = examples.explanations(["gradient", "occlusion"])
    figure = explanations.draw(numbers)
    measures = ("pointing", "energy", "iou", "deletion", "insertion")
    assert len(figure.axes) == 1 + len(measures)
    for axes, measure in zip(figure.axes[1:], measures, strict=True):
        chance, *lines = axes.lines
        level = numbers.get(f"chance_{measure}", numbers[f"random_{measure}"])
        assert list(chance.get_xdata()) == [level, level]
        names = ("gradient", "occlusion", "random", "centre", "edges")
        for name, interval, dot in zip(names, lines[::2], lines[1::2], strict=True):
            ends = [numbers[f"{name}_{measure}_{end}"] for end in ("low", "high")]
            assert list(interval.get_xdata()) == ends
            assert list(dot.get_xdata()) == [numbers[f"{name}_{measure}"]]
        rows = [line.get_ydata()[0] for line in lines[::2]]
        assert rows == sorted(rows)
    words = texts(figure.axes[0])
    assert words[:3] == ["gradient", "occlusion", "noise"]
    assert words.count("less is better") == 1


# diagram


def test_an_interval_that_leaves_the_axes_is_told():
    def told(*values):
        numbers = [{"numbers": {"test_accuracy": value}} for value in (*values, 0.8, 0.81)]
        rates = [1] * len(values) + [2, 3]
        rows = [{**n, "varied": {"rate": rate}} for n, rate in zip(numbers, rates, strict=True)]
        return sweep.alt(summary(rows, "test_accuracy", ""))

    assert "leave the axes" not in told(0.9, 0.901)
    assert told(0.9, 0.95).endswith("Intervals that leave the axes, where they end in arrows: 1.")


def test_edges_bear_their_weights():
    projection = examples.letter_weights()
    readout = projection.arrays["readout"]
    canvas = diagram.draw(projection).axes[0]
    labels = [text for text in canvas.texts if text.get_bbox_patch()]
    assert [text.get_text() for text in labels] == [f"${weight:.2f}$" for weight in readout.flat]
    edges = {line.get_zorder(): [] for line in canvas.lines}
    for line in canvas.lines:
        edges[line.get_zorder()].append(line)
    for line, text, weight in zip(edges[1], labels, readout.flat, strict=True):
        assert line.get_linewidth() == pytest.approx(4.0 * abs(weight) / 1.31)
        assert line.get_color() == (style.VERMILLION if weight > 0 else style.BLUE)
        (x0, x1), (y0, y1) = line.get_data()
        x, y = text.get_position()
        assert (y - y0) * (x1 - x0) == pytest.approx((x - x0) * (y1 - y0)), "off its edge"


def test_labels_of_edges_are_evenly_spaced():
    canvas = diagram.draw(examples.letter_weights(3, examples.DIGITS)).axes[0]
    heights = sorted(text.get_position()[1] for text in canvas.texts if text.get_bbox_patch())
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0])


def test_a_diagram_has_a_circle_per_node_and_logit_and_an_image_per_node():
    projection = examples.letter_weights()
    canvas = diagram.draw(projection).axes[0]
    assert sum(isinstance(patch, Circle) for patch in canvas.patches) == 2 + 3
    shown = [image.get_array() for image in canvas.get_images()]
    np.testing.assert_array_equal(shown, projection.arrays["projections"][..., 0])
    words = texts(canvas)
    assert {"$h_{1}$", "$h_{2}$", "E", "F", "L"} <= set(words)


def test_a_diagram_needs_a_readout():
    with pytest.raises(UserError, match="layer conv1 does not feed the logits"):
        diagram.draw(examples.kernels(4, 5, 1))


# weights


def test_weights_share_one_symmetric_scale():
    projection = examples.kernels(16, 5, 1)
    shown = images(weights.draw(projection))
    values = projection.arrays["projections"]
    np.testing.assert_array_equal([image.get_array() for image in shown], values[..., 0])
    limit = np.abs(values).max()
    assert {image.get_clim() for image in shown} == {(-limit, limit)}
    assert {image.get_interpolation() for image in shown} == {"nearest"}


def test_bars_are_the_mean_activations():
    projection = examples.letter_weights()
    figure = weights.draw(projection)
    for unit in range(2):
        axes = figure.axes[1 + unit]
        means = projection.arrays["mean_activations"][:, unit]
        np.testing.assert_allclose([bar.get_width() for bar in axes.patches], means)
        assert texts(axes)[::2] == [f"{mean:.2f}" for mean in means]
        assert texts(axes)[1::2] == ["E", "F", "L"]
    assert figure.axes[1].get_xlim() == figure.axes[2].get_xlim()


def test_units_bear_their_numbers():
    projection = examples.kernels(16, 5, 1)
    words = texts(weights.draw(projection).axes[0])
    assert words == [str(unit) for unit in projection.arrays["units"]]


def test_faults_have_the_scale_of_their_pictures():
    projection = examples.condemned(15, 5)
    figure = faults.draw(projection)
    limit = np.abs(projection.arrays["projections"]).max()
    assert {image.get_clim() for image in images(figure)} == {(-limit, limit)}
    ticks = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert ticks == [style.number(-limit), "$0$", style.number(limit)]


# feature maps


def test_maps_of_a_layer_share_a_scale():
    projection = examples.maps(examples.blob(RANDOM), DEEP_NETWORK, examples.DISHES)
    image, *maps = images(feature_maps.draw(projection))
    np.testing.assert_allclose(image.get_array(), projection.arrays["input"] / 255)
    for number, scale in ((0, "from zero"), (1, "signed")):
        values = projection.arrays[f"maps_{number}"]
        layer, maps = maps[: values.shape[-1]], maps[values.shape[-1] :]
        for place, shown in enumerate(layer):
            np.testing.assert_array_equal(shown.get_array(), values[..., place])
        largest = np.abs(values).max()
        low = 0 if scale == "from zero" else -largest
        assert {shown.get_clim() for shown in layer} == {(low, largest)}


def test_many_nodes_are_one_strip_in_their_order():
    projection = examples.maps(examples.digit("7", RANDOM), SMALL_NETWORK)
    strip = images(feature_maps.draw(projection))[-1].get_array()
    np.testing.assert_array_equal(strip, projection.arrays["maps_2"][0, 0][None])


def test_logits_stand_below_the_names_of_their_classes():
    projection = examples.maps(examples.blob(RANDOM), DEEP_NETWORK, examples.DISHES)
    assert texts(feature_maps.draw(projection).axes[0])[-3:] == list(examples.DISHES)


# deconvolutions


@pytest.mark.parametrize("count", [4, 5])
def test_deconvolutions_stand_beside_or_below_their_patches(count):
    projection = examples.patches(2, count, 14, 1)
    projection.arrays["deconvolutions"][:, :, [0, -1]] = 0.5
    projection.arrays["deconvolutions"][:, :, :, [0, -1]] = 0.5
    shown = images(deconvolutions.draw(projection))
    for place in range(2 * count):
        patch, deconvolution = shown[2 * place : 2 * place + 2]
        unit, number = divmod(place, count)
        np.testing.assert_array_equal(
            patch.get_array(), projection.arrays["patches"][unit, number, ..., 0]
        )
        values = projection.arrays["deconvolutions"][unit]
        np.testing.assert_array_equal(deconvolution.get_array(), values[number, ..., 0])
        limit = np.abs(values).max()
        assert deconvolution.get_clim() == (-limit, limit)
        (x0, _, _, top0), (x1, _, _, top1) = patch.get_extent(), deconvolution.get_extent()
        assert (x1 > x0 and top1 == top0) if count == 4 else (x1 == x0 and top1 > top0)


def test_deconvolutions_to_colour_have_a_scale_each_that_one_value_in_a_hundred_exceeds():
    projection = examples.patches(1, 4, 60, 3)
    for place, shown in enumerate(images(deconvolutions.draw(projection))[1::2]):
        values = projection.arrays["deconvolutions"][0, place]
        colours = np.asarray(shown.get_array())
        assert np.mean((colours == 0) | (colours == 1)) == pytest.approx(0.01, abs=0.001)
        limit = np.sort(np.abs(values), axis=None)[round(0.99 * (values.size - 1))]
        expected = np.clip(0.5 + values / (2 * limit), 0, 1)
        np.testing.assert_allclose(colours, expected, atol=1e-3)


def test_what_lies_outside_the_image_is_hatched():
    projection = examples.patches(1, 1, 20, 1)
    projection.arrays["deconvolutions"][:, :, [0, -1]] = 0.5
    projection.arrays["deconvolutions"][:, :, :, [0, -1]] = 0.5
    inside = projection.arrays["inside"]
    inside[:, :, :5] = False
    inside[:, :, :, 18:] = False
    figure = deconvolutions.draw(projection)
    boxes = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and p.get_hatch()]
    patch = images(figure)[0]
    left, right, bottom, top = patch.get_extent()
    pixel = (right - left) / 20
    upper, side = boxes[:2]
    np.testing.assert_allclose(upper.get_xy(), (left, top))
    np.testing.assert_allclose((upper.get_width(), upper.get_height()), (20 * pixel, 5 * pixel))
    np.testing.assert_allclose(side.get_xy(), (left + 18 * pixel, top + 5 * pixel))
    np.testing.assert_allclose((side.get_width(), side.get_height()), (2 * pixel, 15 * pixel))
    assert len(boxes) == 4  # on the patch and on its deconvolution


def test_margins_without_deconvolutions_are_cut_off_everywhere():
    projection = examples.patches(2, 4, 20, 1)
    values = projection.arrays["deconvolutions"]
    values[...] = 0
    values[0, 1, 3, 5] = 1
    values[1, 2, 9, 12] = -1
    values[1, 3, 1, 1] = 0.02  # next to nothing
    shown = images(deconvolutions.draw(projection))
    patches = projection.arrays["patches"]
    np.testing.assert_array_equal(shown[0].get_array(), patches[0, 0, 3:10, 5:13, 0])
    np.testing.assert_array_equal(shown[13].get_array(), values[1, 2, 3:10, 5:13, 0])


def test_units_bear_their_activations():
    projection = examples.patches(1, 9, 14, 1)
    first, last = projection.arrays["activations"][0, [0, -1]]
    assert texts(deconvolutions.draw(projection).axes[0])[0] == (
        f"unit 3, activation ${first:.2f}$ to ${last:.2f}$"
    )


def test_a_unit_that_nothing_excites_is_called_silent():
    projection = examples.patches(1, 4, 14, 1)
    projection.arrays["activations"][:] = 0
    projection.arrays["deconvolutions"][:] = 0
    figure = deconvolutions.draw(projection)
    assert texts(figure.axes[0])[0] == "unit 3, silent"
    assert images(figure)[1].get_clim() == (-1, 1)


def test_patches_of_a_few_pixels_are_large_enough_to_see():
    projection = examples.patches(4, 9, 14, 1)
    projection.arrays["deconvolutions"][...] = 0.5  # so that nothing is cut off
    figure = deconvolutions.draw(projection)
    assert min(width for _, _, width, _ in corners(figure)) * 25.4 >= 7
    assert figure.get_figheight() <= 2.6
    scale = figure.axes[1].get_position()
    assert scale.x0 * style.WIDTH > max(left + width for left, _, width, _ in corners(figure))


@pytest.mark.parametrize("units", [1, 4])
def test_words_speak_of_one_unit_or_of_several(units):
    words = deconvolutions.alt(examples.patches(units, 9, 14, 1))
    assert ("unit 3 of layer" if units == 1 else "units 3, 10, 17 and 24 of layer") in words
    assert f"that excite {'it' if units == 1 else 'each'} most" in words
    assert words.endswith("the projection of each patch by deconvolution.")


# dream


@pytest.mark.parametrize("octaves", [2, 4, 6])
def test_a_dream_is_large_and_all_its_frames_are_there(octaves):
    projection = examples.dream(octaves)
    shown = images(dream.draw(projection))
    np.testing.assert_allclose(
        [image.get_array() for image in shown], projection.arrays["frames"] / 255, rtol=1e-6
    )
    widths = [right - left for left, right, *_ in (image.get_extent() for image in shown)]
    assert max(widths) == widths[-1] and widths.count(widths[-1]) == 1
    assert all(width <= widths[0] for width in widths[1:-1])
    edges = [image.get_extent()[2] for image in shown]
    assert edges[-1] == pytest.approx(max(edges)), "the columns end at the same height"


def test_probabilities_before_and_after():
    projection = examples.dream()
    axes = dream.draw(projection).axes[1]
    values = projection.arrays["probabilities"]
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], values.ravel())
    assert texts(axes)[:6] == [f"{value:.3f}" for value in values.flat]


# maximization and MaCo


def corners(figure):
    """Return where the images of a figure stand, ``(left, top, width, height)`` of each."""
    extents = [image.get_extent() for image in images(figure)]
    return [(left, top, right - left, low - top) for left, right, low, top in extents]


def test_variants_stand_side_by_side_with_their_values_below():
    projection = examples.maximized(3, 4, 96, 3)
    figure = maximization.draw(projection)
    made = projection.arrays["images"].reshape(-1, 96, 96, 3)
    for image, expected in zip(images(figure), made, strict=True):
        np.testing.assert_allclose(image.get_array(), expected / 255)
    places = np.array(corners(figure)).reshape(3, 4, 4)
    for unit in places:
        assert len(set(unit[:, 1].round(6))) == 1
        np.testing.assert_allclose(np.diff(unit[:, 0]), unit[0, 2] + maximization.GAP)
    words = texts(figure.axes[0])
    assert words[::5] == ["1", "4", "7"]
    reached = projection.arrays["values"][..., 1].ravel()
    del words[::5]
    assert words == [style.number(value) for value in reached]


def test_logits_bear_the_names_of_their_classes():
    figure = maximization.draw(examples.maximized(3, 1, 28, 1, examples.DISHES, "logits"))
    assert texts(figure.axes[0])[::2] == list(examples.DISHES)
    assert {image.get_interpolation() for image in images(figure)} == {"nearest"}
    assert {image.get_clim() for image in images(figure)} == {(0, 255)}


def test_phases_are_drawn_as_maximizations_are():
    projection = examples.phases(8)
    figure = maco.draw(projection)
    for image, expected in zip(images(figure), projection.arrays["images"], strict=True):
        np.testing.assert_allclose(image.get_array(), expected / 255)
    assert texts(figure.axes[0])[1] == style.number(projection.arrays["values"][0, 1])


def test_sums_of_parts_bear_their_titles():
    projection = examples.maximized(2, 1, 28, 1)
    titles = ["4 - 9", "a much longer sum of parts than there is room for above an image"]
    about = {**projection.about, "titles": titles}
    figure = maximization.draw(artifacts.Projection(projection.arrays, about))
    words = texts(figure.axes[0])[::2]
    assert words[0] == "4 - 9"
    assert words[1].endswith("...")
    assert titles[1].startswith(words[1][:-3])


def test_sums_of_parts_name_no_layer_on_the_contact_sheet():
    projection = examples.maximized(2, 1, 28, 1)
    sums = artifacts.Projection(projection.arrays, {**projection.about, "titles": ["4 - 9", "c1"]})
    sheet = [projection, sums]
    named = texts(contact_sheet.draw(sheet).axes[0])
    assert named[-3:] == ["maximization", projection.about["layer"], "sums and differences"]
    assert contact_sheet.alt(sheet).endswith("maximization (conv2), sums and differences.")


# top patches


def test_patches_stand_in_a_row_for_each_unit():
    projection = examples.patches(3, 4, 9, 1)
    figure = top_patches.draw(projection)
    assert len(images(figure)) == 12
    places = np.array(corners(figure)).reshape(3, 4, 4)
    for row in places:
        assert len(set(row[:, 1].round(6))) == 1
    first = projection.arrays["patches"][0, 0, ..., 0]
    inside = projection.arrays["inside"][0, 0]
    shown = images(figure)[0].get_array()
    np.testing.assert_allclose(shown[inside], first[inside])
    assert (shown[~inside] == projection.about["value_range"][1]).all()


def test_errors_say_what_they_are_taken_for():
    words = {text.get_text() for text in hard_images.draw(examples.hard_images()).axes[0].texts}
    assert {"errors", "nearly errors", "dog as muffin", "muffin or dog"} <= words
    assert len(images(hard_images.draw(examples.hard_images(wrong=0)))) == 3


# notes


def test_notes_stand_below_a_figure_that_keeps_its_size():
    projection = examples.maximized(2, 1, 28, 1)
    plain, noted = maximization.draw(projection), maximization.draw(projection)
    note = "unit 1: " + " ".join(["it would not climb, whatever was tried, and so it is grey"] * 3)
    style.noted(noted, [note])
    lines = [text.get_text() for text in noted.texts]
    assert " ".join(reversed(lines)) == note
    taller = noted.get_figheight() - plain.get_figheight()
    assert taller == pytest.approx(len(lines) * style.NOTE_LINE)
    for one, other in zip(plain.axes, noted.axes, strict=True):
        before = one.get_position().bounds
        after = other.get_position().bounds
        assert before[3] * plain.get_figheight() == pytest.approx(after[3] * noted.get_figheight())
        top = (1 - after[1] - after[3]) * noted.get_figheight()
        assert top == pytest.approx((1 - before[1] - before[3]) * plain.get_figheight())
    assert all(text.get_position()[1] * noted.get_figheight() < taller for text in noted.texts)


def test_notes_call_methods_as_the_text_does():
    note = "methods gradient, guided, grad_cam: zero everywhere for image 3"
    expected = "methods gradient, guided backpropagation, Grad-CAM: zero everywhere for image 3"
    assert style.in_words(note) == expected
    assert style.in_words("unit 3: guided, by nothing") == "unit 3: guided, by nothing"


# attribution


def test_methods_stand_below_the_images_that_they_explain():
    projection = examples.attribution()
    figure = attribution.draw(projection)
    shown = [image.get_array() for image in images(figure)]
    np.testing.assert_allclose(shown[:4], projection.arrays["inputs"] / 255)
    for number in range(3):
        maps = projection.arrays[f"maps_{number}"].sum(-1)
        np.testing.assert_allclose(shown[4 * number + 4 : 4 * number + 8], maps)
    places = np.array(corners(figure)).reshape(4, 4, 4)
    np.testing.assert_allclose(places[..., 0], places[:1, :, 0].repeat(4, 0))
    np.testing.assert_allclose(places[..., 1], places[:, :1, 1].repeat(4, 1))
    assert (np.diff(places[:, 0, 1]) > places[0, 0, 3]).all()
    words = texts(figure.axes[0])
    assert words[:5] == ["class", *projection.about["labels"]]
    assert words[5:10] == ["predicted", *projection.about["predicted"]]
    assert words[10:] == ["test images", "gradient", "Grad-CAM", "occlusion"]


def test_class_maps_begin_at_zero_and_all_others_are_symmetric_about_it():
    projection = examples.attribution()
    gradient, class_map, occlusion = np.reshape(images(attribution.draw(projection))[4:], (3, 4))
    for number, row in enumerate((gradient, class_map, occlusion)):
        for image, values in zip(row, projection.arrays[f"maps_{number}"].sum(-1), strict=True):
            low, high = image.get_clim()
            if row is class_map:
                assert (low, high) == (0, values.max())
            else:
                assert low == -high
                assert np.mean(np.abs(values) > high) == pytest.approx(0.01, abs=0.001)
    assert {image.get_cmap().name for image in [*gradient, *occlusion]} == {"signed"}
    assert {image.get_cmap().name for image in class_map} == {style.INTENSITY}


def test_the_class_is_named_that_is_explained_if_it_is_not_the_predicted_one():
    projection = examples.attribution()
    projection.about["explained"] = ["muffin"] * 4
    words = texts(attribution.draw(projection).axes[0])
    assert words[10:15] == ["explained", *["muffin"] * 4]


def test_a_map_that_is_zero_everywhere_is_white():
    projection = examples.attribution()
    projection.arrays["maps_0"][0] = 0
    image = images(attribution.draw(projection))[4]
    assert to_hex(image.cmap(image.norm(0.0))) == "#ffffff"


# sanity checks


def test_curves_of_similarity_begin_at_one_and_end_where_nothing_is_left():
    numbers = examples.sanity()
    rank, ssim = sanity.draw(numbers).axes[1:]
    for axes, quantity in ((rank, "spearman"), (ssim, "ssim")):
        curves = {tuple(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 5}
        stages = ("top", "half", "most", "all")
        assert curves == {
            (1.0, *(numbers[f"{method}_{quantity}_{stage}"] for stage in stages))
            for method in ("gradient", "guided", "grad_cam")
        }
        assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2", "3", "4"]
        assert len(axes.collections) == 3  # the bands
    levels = [line.get_ydata()[0] for line in ssim.lines if len(line.get_xdata()) == 2]
    assert levels == [numbers["noise_times_input_ssim"], numbers["noise_ssim"]]


def test_every_method_has_a_line_of_its_own():
    lines = [(colour, str(dashes)) for colour, dashes, _ in sanity.LINES.values()]
    assert len(set(lines)) == len(lines)
    assert set(sanity.LINES) >= {"gradient", "guided", *attribution.WORDS}


def test_maps_of_random_networks_have_a_scale_of_each_kind():
    for methods, scales in ((["gradient"], 1), (["gradient", "grad_cam"], 2)):
        assert len(randomized.draw(examples.randomized(methods=methods)).axes) == 1 + scales


def test_maps_of_less_and_less_knowledge_stand_below_the_image():
    projection = examples.randomized()
    shown = [image.get_array() for image in images(randomized.draw(projection))]
    np.testing.assert_array_equal(shown[0], projection.arrays["input"][..., 0])
    expected = np.concatenate([projection.arrays["maps_0"], projection.arrays["maps_1"]])
    np.testing.assert_array_equal(shown[1:], expected[..., 0])
    words = texts(randomized.draw(projection).axes[0])
    assert words[:14] == [
        *("explained", "1", "2", "1", "1", "1", "1"),
        *("random layers", "none", "none", "1 of 50", "25 of 50", "38 of 50", "50 of 50"),
    ]


# inversion


def test_inversions_stand_below_their_originals_with_their_errors():
    projection = examples.inversion()
    figure = inversion.draw(projection)
    shown = np.array([image.get_array() for image in images(figure)]).reshape(3, 4, 96, 96, 3)
    np.testing.assert_allclose(shown[0], projection.arrays["inputs"] / 255)
    np.testing.assert_allclose(shown[1:], projection.arrays["made"] / 255, atol=1e-6)
    words = texts(figure.axes[0])
    errors = [style.number(error) for error in projection.arrays["errors"].ravel()]
    assert words == [
        *("class", *projection.about["labels"], "originals"),
        *("b2$\\_$out", *errors[:4], "b10$\\_$out", *errors[4:]),
    ]


# atlas


def test_fields_stand_at_their_places_with_an_area_for_their_density():
    projection = examples.atlas(5)
    figure = atlas.draw(projection)
    arrays = projection.arrays
    for image, expected in zip(images(figure), arrays["images"], strict=True):
        np.testing.assert_allclose(image.get_array(), expected / 255)
    left, top, width, height = np.transpose(corners(figure))
    np.testing.assert_allclose(width, height)
    np.testing.assert_allclose(width / width.max(), arrays["sizes"] / arrays["sizes"].max())
    middles = np.stack([top + height / 2, left + width / 2], 1)
    field = width.max() / atlas.FULLEST / arrays["sizes"].max()
    from_first = (arrays["places"] - arrays["places"][0]) * field
    np.testing.assert_allclose(middles - middles[0], from_first, atol=1e-9)
    assert figure.get_figheight() == pytest.approx(4 * field + 2 * atlas.MARGIN)


def test_the_map_is_as_large_as_its_page_allows():
    assert atlas.draw(examples.atlas(9)).get_figheight() == pytest.approx(atlas.TALL)


@pytest.mark.parametrize("grid", [2, 20])
def test_an_atlas_fits_on_the_page(grid):
    projection = examples.atlas(grid)
    figure = atlas.draw(projection)
    assert figure.get_size_inches()[0] == style.WIDTH
    assert figure.get_figheight() <= style.TALLEST
    for left, top, width, height in corners(figure):
        assert left >= 0 and left + width <= style.WIDTH
        assert top >= 0 and top + height <= figure.get_figheight()


def test_examples_of_an_atlas_are_full_fields_from_all_over_the_map():
    projection = examples.atlas(9)
    arrays = projection.arrays
    (row,) = atlas.examples(projection)
    fields = [
        next(i for i, image in enumerate(arrays["images"]) if np.array_equal(image, tile.values))
        for tile in row.tiles
    ]
    assert len(fields) >= 8
    assert len(set(fields)) == len(fields)
    assert (arrays["counts"][fields] >= np.median(arrays["counts"])).all()
    thirds = arrays["places"][fields[:5], 0] // 3
    assert set(thirds) == {0, 1, 2}


# contact sheet


def test_every_projection_has_its_rows_on_the_contact_sheet():
    words = texts(drawn("contact sheet").axes[0])
    assert [word for word in words if "_" not in word and word not in ("conv1", "conv2")] == [
        *("weights", "condemned", "feature maps", "feature maps", "feature maps", "logits"),
        *("errors", "nearly errors"),
        *("strongest patches", "relu2", "deconvolution", "relu2", "maximization", "MaCo"),
        *("depth series", "depth series", "pixels", "Fourier", "+ robust"),
        *("test images", "gradient", "logits", "Grad-CAM", "logits", "occlusion", "logits"),
        *("test image", "gradient", "randomized", "guided backprop.", "randomized"),
        *("originals", "inversion", "inversion", "caricature", "caricature", "atlas", "dream"),
    ]


def test_originals_of_two_projections_are_shown_once():
    figure = contact_sheet.draw(
        [examples.inversion(), examples.inversion(method="caricature"), examples.inversion(3)]
    )
    assert texts(figure.axes[0]).count("originals") == 2


def test_a_row_has_at_most_eight_examples_and_its_first_ones():
    projection = examples.kernels(16, 5, 1)
    shown = [image.get_array() for image in images(contact_sheet.draw([projection]))]
    np.testing.assert_array_equal(shown, projection.arrays["projections"][:8, ..., 0])


@pytest.mark.parametrize("rows", [1, 5, 12, 27, 80])
def test_the_contact_sheet_shows_as_many_examples_as_are_large_enough(rows):
    columns, shown, pitch = contact_sheet._layout(rows, 1.0, 8)
    lines = -(-rows // columns)
    assert lines * pitch <= style.TALLEST
    assert columns * (1.0 + shown * pitch) <= style.WIDTH
    assert pitch >= contact_sheet.WANTED or shown == contact_sheet.FEWEST


def test_saved_at_the_size_and_resolution_of_print(tmp_path):
    from PIL import Image
    from pypdf import PdfReader

    figure = weights.draw(examples.letter_weights())
    files = [tmp_path / f"w.{suffix}" for suffix in ("pdf", "png", "txt")]
    style.save(figure, *files, alt="Two nodes.", screen_dpi=100)
    assert files[2].read_text() == "Two nodes.\n"
    width, height = figure.get_size_inches()
    with Image.open(tmp_path / "w.png") as image:
        assert image.size == pytest.approx((590, height * 100), abs=1)
    page = PdfReader(tmp_path / "w.pdf").pages[0]
    assert float(page.mediabox.width) == pytest.approx(72 * width, abs=0.01)
    largest = max(image.image.width for image in page.images)
    shown = next(i for i in figure.findobj(AxesImage) if i.get_array().shape == (9, 7))
    left, right, *_ = shown.get_extent()
    assert largest >= 300 * (right - left)


# code frequency


def test_bars_are_the_shares_and_lines_their_intervals():
    numbers = examples.code_frequency()
    _, *panels = code_frequency.draw(numbers).axes
    assert len(panels) == len(code_frequency.OUTCOMES)
    for axes, outcome in zip(panels, code_frequency.OUTCOMES, strict=True):
        drawn = [outcome]
        if f"plain_best_{outcome}" in numbers:
            drawn.append(f"best_{outcome}")
        assert len(axes.containers) == len(axes.collections) == len(drawn)
        for name, bars, lines in zip(drawn, axes.containers, axes.collections, strict=True):
            for recipe, bar, line in zip(
                code_frequency.RECIPES, bars, lines.get_segments(), strict=True
            ):
                key = f"{recipe}_{name}"
                assert bar.get_width() == pytest.approx(100 * numbers[key])
                ends = [numbers[f"{key}_low"], numbers[f"{key}_high"]]
                np.testing.assert_allclose(line[:, 0], 100 * np.array(ends))
                assert line[0, 1] == pytest.approx(bar.get_y() + bar.get_height() / 2)


# sweep


def test_a_sweep_shows_every_network_and_the_means():
    made = examples.swept(3, (1,), rate=[0.1, 0.2], filters=[[8], [16]])
    axes = sweep.draw(made).axes[1]
    dots = [line for line in axes.lines if line.get_marker() == "."]
    shown = sorted(value for line in dots for value in line.get_ydata())
    assert shown == sorted(value for point in made["points"] for value in point["values"])
    means = [line for line in axes.lines if line.get_marker() in "o^"]
    expected = [point["mean"] for point in made["points"] if point["values"]]
    assert sorted(y for line in means for y in line.get_ydata()) == sorted(expected)
    assert "Networks that failed: 3." in sweep.alt(made)
