"""The drawn dogs, muffins and fried chicken: what each picture depends on, and what tells."""

import itertools

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize

from pixelspace import artifacts
from pixelspace.datasets import rendered
from pixelspace.datasets._rendering import hardship, light
from pixelspace.datasets._rendering.canvas import Canvas
from pixelspace.datasets._rendering.shapes import Blob, place

CLASSES = range(3)
PARTS_OF = {"dog": {"eyes", "nose"}, "muffin": {"berries", "wrapper"}, "chicken": {"ridges"}}
SCENES = 200
SIZE = 64


def shown(masks):
    return {name for name, mask in masks.items() if mask.any()}


@pytest.fixture(scope="module")
def pictures():
    """As in the data set: images and labels, the classes taking turns, a scene for each."""
    drawn = [rendered.render(k % 3, [7, k], SIZE) for k in range(3 * SCENES)]
    return np.stack([image for image, _ in drawn]) / 255, np.arange(3 * SCENES) % 3


def linear_accuracy(inputs, labels, penalty):
    """Return the accuracy of multinomial logistic regression on the last third of the rows."""
    inputs = (inputs - inputs.mean(axis=0)) / (inputs.std(axis=0) + 1e-9)
    inputs = np.column_stack([inputs, np.ones(len(inputs))])
    known = len(labels) * 2 // 3
    targets = np.eye(3)[labels[:known]]

    def loss(flat):
        weights = flat.reshape(-1, 3)
        logits = inputs[:known] @ weights
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        slope = inputs[:known].T @ (np.exp(logs) - targets) / known + penalty * weights
        value = -(targets * logs).sum() / known + penalty / 2 * (weights**2).sum()
        return value, slope.ravel()

    start = np.zeros(inputs.shape[1] * 3)
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    logits = inputs[known:] @ weights.reshape(-1, 3)
    return np.mean(logits.argmax(axis=1) == labels[known:])


def shrunk(images, side):
    blocks = images.reshape(len(images), side, SIZE // side, side, SIZE // side, -1)
    return blocks.mean(axis=(2, 4)).reshape(len(images), -1)


def outline(label, seed):
    window, body = rendered._body(Canvas.square(SIZE), label, np.random.default_rng(seed))
    return rendered._framed(body.cover, window, SIZE)


def test_a_linear_model_learns_a_linear_difference():
    labels = np.arange(300) % 3
    noise = np.random.default_rng(0).normal(size=(300, 4))
    assert linear_accuracy(noise + 9 * np.eye(4)[labels], labels, 0.01) == 1
    assert linear_accuracy(noise, labels, 0.01) < 0.5


def test_mean_colour_does_not_tell_the_class(pictures):
    images, labels = pictures
    assert linear_accuracy(images.mean(axis=(1, 2)), labels, 0.001) < 0.45


def test_coarse_pixels_tell_the_class_only_half_the_time(pictures):
    images, labels = pictures
    assert linear_accuracy(shrunk(images, 16), labels, 0.1) < 0.65


def test_outlines_do_not_tell_the_class():
    labels = np.arange(3 * SCENES) % 3
    outlines = np.stack([outline(label, [8, k]) for k, label in enumerate(labels)])
    assert linear_accuracy(shrunk(outlines, 16), labels, 0.1) < 0.45


def test_the_same_scene_has_the_same_silhouette_colours_and_backdrop_in_each_class():
    images = np.stack([rendered.render(k, [1, 4], SIZE, difficulty=0)[0] for k in CLASSES])
    covers = [outline(k, 1) > 0.5 for k in CLASSES]
    for one, other in itertools.combinations(covers, 2):
        assert (one & other).sum() / (one | other).sum() > 0.8
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    assert np.ptp(corners, axis=0).max() <= 12
    hues = [np.median(image[16:48, 16:48], axis=(0, 1)) for image in images]
    hues = np.array([hue / hue.sum() for hue in hues])
    assert np.ptp(hues, axis=0).max() < 0.05


@pytest.mark.parametrize("label", rendered.CLASS_NAMES)
def test_a_picture_depends_on_its_seed_alone(label):
    image, masks = rendered.render(label, [3, 1], 48)
    again, masks_again = rendered.render(rendered.CLASS_NAMES.index(label), [3, 1], 48)
    np.testing.assert_array_equal(image, again)
    for name in rendered.PARTS:
        np.testing.assert_array_equal(masks[name], masks_again[name])
    assert (image != rendered.render(label, [3, 2], 48)[0]).mean() > 0.9


@pytest.mark.parametrize("label", rendered.CLASS_NAMES)
def test_more_pixels_show_the_same_scene(label):
    for scene in range(2):
        small, small_masks = rendered.render(label, [3, scene], 128)
        large, large_masks = rendered.render(label, [3, scene], 320)
        reduced = np.asarray(Image.fromarray(large).resize((128, 128), Image.Resampling.BOX))
        other, _ = rendered.render(label, [4, scene], 128)
        difference = np.abs(small.astype(int) - reduced).mean()
        assert difference < 6 < np.abs(small.astype(int) - other).mean() / 3
        for name in rendered.PARTS:
            assert small_masks[name].mean() == pytest.approx(large_masks[name].mean(), abs=0.01)


def test_easy_pictures_show_the_parts_of_their_class_alone():
    for label, parts in PARTS_OF.items():
        found = [shown(rendered.render(label, [2, k], SIZE, difficulty=0)[1]) for k in range(12)]
        assert set().union(*found) == parts
        always = parts - {"wrapper"}
        assert all(always <= names for names in found)


def test_parts_cover_at_most_a_quarter_however_close_the_camera(monkeypatch):
    shares = []
    monkeypatch.setattr(hardship, "draw", lambda *_: hardship.Hardship(closeness=2.5))
    for k in range(24):
        _, masks = rendered.render(k % 3, [5, k], SIZE)
        assert tuple(masks) == rendered.PARTS
        assert all(mask.shape == (SIZE, SIZE) and mask.dtype == bool for mask in masks.values())
        shares.append(np.any(list(masks.values()), axis=0).mean())
    assert max(shares) <= rendered.LARGEST_SHARE
    assert sum(share > 0.24 for share in shares) > 3


def test_eyes_and_nose_are_dark_and_where_the_face_is():
    darker = []
    for k in range(10):
        image, masks = rendered.render("dog", [6, k], 128, difficulty=0)
        grey, face = image.mean(axis=2), masks["eyes"] | masks["nose"]
        rows, columns = np.nonzero(face)
        around = grey[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        darker.append(grey[face].mean() < 0.8 * around.mean())
        assert masks["eyes"].nonzero()[0].min() < masks["nose"].nonzero()[0].max()
    assert np.mean(darker) >= 0.8


def test_what_is_in_front_hides_the_parts_behind_it(monkeypatch):
    monkeypatch.setattr(hardship, "draw", lambda *_: hardship.Hardship())
    bare = [rendered.render("chicken", [9, k], SIZE) for k in range(6)]
    monkeypatch.setattr(hardship, "draw", lambda *_: hardship.Hardship(hidden=True))
    for (image, masks), k in zip(bare, range(6), strict=True):
        hidden_image, hidden = rendered.render("chicken", [9, k], SIZE)
        gone = masks["ridges"] & ~hidden["ridges"]
        assert not (hidden["ridges"] & ~masks["ridges"]).any()
        assert (image[gone] != hidden_image[gone]).mean() > 0.9
    assert gone.any()


def test_difficulty_is_the_share_of_hard_pictures():
    streams = [np.random.default_rng(k) for k in range(400)]
    hard = [hardship.draw(stream, 0.3) != hardship.Hardship() for stream in streams]
    assert np.mean(hard) == pytest.approx(0.3, abs=0.07)
    easy = rendered.render("dog", [1, 1], 32, difficulty=0)[0]
    np.testing.assert_array_equal(easy, rendered.render("dog", [1, 1], 32, difficulty=0.0001)[0])
    assert (easy != rendered.render("dog", [1, 1], 32, difficulty=1)[0]).mean() > 0.5


def test_splits_are_balanced_apart_and_do_not_shift_one_another():
    dataset = rendered.make(seed=1, size=32, images=60, large_per_class=1, large_size=48)
    counts = {name: split.count for name, split in dataset.splits.items()}
    assert counts == {"train": 36, "validation": 12, "test": 12, "large": 3}
    samples = {name: list(split.samples) for name, split in dataset.splits.items()}
    for name, split in samples.items():
        assert [sample.label for sample in split] == [0, 1, 2] * (counts[name] // 3)
        assert all(set(sample.masks) == set(dataset.parts) for sample in split)
    kept = [s.source for name in ("train", "validation", "test") for s in samples[name]]
    assert kept == [f"rendered, seed 1, number {index}" for index in range(60)]
    assert [s.source for s in samples["large"]] == [s.source for s in samples["test"][:3]]
    for k, large in enumerate(samples["large"]):
        easy, _ = rendered.render(k, [1, 48 + k], 48, difficulty=0)
        np.testing.assert_array_equal(large.image, easy)

    more = rendered.make(seed=1, size=32, images=90, validation=0.4, large_per_class=1)
    first = next(iter(more.splits["train"].samples))
    np.testing.assert_array_equal(first.image, samples["train"][0].image)
    same_index = list(more.splits["validation"].samples)[0]
    assert same_index.source.endswith("number 36")
    np.testing.assert_array_equal(same_index.image, samples["validation"][0].image)


def test_the_default_has_600_test_images_and_is_made_lazily():
    dataset = rendered.make(seed=0)
    counts = {name: split.count for name, split in dataset.splits.items()}
    assert counts == {"train": 1800, "validation": 600, "test": 600, "large": 12}
    assert dataset.splits["large"].shape == (320, 320, 3)


def test_it_is_stored_and_read_back(tmp_path):
    made = rendered.make(seed=2, size=32, images=30, large_per_class=1, large_size=32)
    artifacts.write_dataset(tmp_path / "dataset.h5", made)
    with artifacts.open_dataset(tmp_path / "dataset.h5") as stored:
        assert stored.class_names == rendered.CLASS_NAMES
        assert stored.parts == rendered.PARTS
        image, masks = rendered.render("muffin", [2, 1], 32)
        np.testing.assert_array_equal(stored["train"].images[1], image)
        np.testing.assert_array_equal(stored["train"].masks["berries"][1], masks["berries"])


def test_noise_has_mean_0_and_variance_1():
    canvas, rng = Canvas.square(96), np.random.default_rng(0)
    drawn = np.stack([canvas.noise(rng, 6) for _ in range(60)])
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    assert drawn.var() == pytest.approx(1, abs=0.1)


def test_noise_is_the_same_at_any_size():
    coarse = Canvas.square(32).noise(np.random.default_rng(0), 3)
    fine = Canvas.square(96).noise(np.random.default_rng(0), 3)
    np.testing.assert_allclose(coarse, fine[1::3, 1::3], atol=1e-12)


def test_blurring_keeps_a_flat_picture_and_spreads_a_point_by_its_sigma():
    canvas = Canvas.square(64)
    np.testing.assert_allclose(canvas.blur(np.full((3, 64, 64), 0.7), 0.1), 0.7)
    point = np.zeros((64, 64))
    point[32, 32] = 1
    spread = canvas.blur(point, 0.1).sum(axis=0)
    centre = (canvas.x * spread).sum()
    assert centre == pytest.approx(canvas.x[32])
    assert np.sqrt(((canvas.x - centre) ** 2 * spread).sum()) == pytest.approx(0.1, rel=0.01)


def test_a_shadow_falls_away_from_the_lamp():
    canvas = Canvas.square(64)
    point = np.zeros((64, 64))
    point[32, 32] = 1
    lamp = light.Light((0.6, -0.4, 0.7), 0.4, np.ones((3, 1, 1)))
    shade = light.shadow(canvas, point, lamp)
    down, right = np.unravel_index(shade.argmax(), shade.shape)
    assert (right, down) == (32 - 2, 32 + 2)


def test_a_slope_towards_the_lamp_is_the_brighter():
    canvas = Canvas.square(64)
    roof = -np.abs(np.broadcast_to(canvas.x, (64, 64)))
    lamp = light.Light((-0.6, 0.0, 0.8), 0.4, np.ones((3, 1, 1)))
    lit = light.illuminate(canvas, np.ones((3, 64, 64)), roof, np.zeros((64, 64)), lamp)
    # by hand: a slope of 1 levels off to 1 / sqrt(1 + 1 / 2.2²), and the sky is open
    slope = 1 / np.sqrt(1 + 1 / 2.2**2)
    towards, away = ((0.8 + side * 0.6 * slope) / np.hypot(1, slope) for side in (1, -1))
    np.testing.assert_allclose(lit[:, 32, 12], 0.4 + 0.8 * towards, rtol=1e-3)
    np.testing.assert_allclose(lit[:, 32, 52], 0.4 + 0.8 * away, rtol=1e-3)


def test_a_palette_runs_from_dark_to_pale():
    palette = np.array([[0, 0, 0], [0.2, 0.4, 0.6]])
    assert light.ramp(palette, 1.0)[:, 0, 0] == pytest.approx((0.2, 0.4, 0.6))
    tones = light.ramp(palette, np.array([[-1.0, 0.5]]))[:, 0].T
    np.testing.assert_allclose(tones, [[0, 0, 0], [0.1, 0.2, 0.3]], atol=0.002)


def test_a_blob_covers_its_ellipse():
    canvas = Canvas.square(200)
    body = place(canvas, [Blob(0.1, -0.2, 0.4, 0.6)], np.zeros((200, 200)))
    assert body.cover.sum() * canvas.pixel**2 == pytest.approx(np.pi * 0.4 * 0.6, rel=0.01)
    inside = body.cover == 1
    x, y = np.meshgrid(canvas.x, canvas.y)
    np.testing.assert_allclose(body.u[inside], (x[inside] - 0.1) / 0.4)
    np.testing.assert_allclose(body.v[inside], (y[inside] + 0.2) / 0.6)
    assert Blob(0.1, -0.2, 0.4, 0.6, angle=np.pi / 2).at(0.5, 0) == pytest.approx((0.1, 0.0))
