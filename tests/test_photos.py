import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pixelspace import artifacts
from pixelspace.datasets import photos
from pixelspace.datasets.photos import Photo
from pixelspace.errors import UserError

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)

SETTINGS = {
    "size": 16,
    "validation": 0.2,
    "test": 0.2,
    "skip_unreadable": 0,
    "large_per_class": 1,
    "large_size": 24,
    "seed": 0,
}


def picture(seed: int, size: tuple[int, int] = (72, 64)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def photo_files(folder, per_class: int = 10, classes: int = 2) -> list[Photo]:
    found = []
    for label in range(classes):
        for k in range(per_class):
            path = folder / f"{label}-{k:03}.png"
            picture(1000 * label + k).save(path)
            found.append(Photo(path, label, path.name))
    return found


def corners(image: Image.Image) -> list[tuple]:
    """The colours in the four corners, each rounded to a pure one: top left, top right, …"""
    last = image.width - 1
    places = [(0, 0), (last, 0), (0, last), (last, last)]
    return [tuple(255 * (v > 127) for v in image.getpixel(place)) for place in places]


def colour(path, size: int = 8) -> tuple[int, ...]:
    """The colour in the middle of the square that is read from a file."""
    return photos.square(path, size).getpixel((size // 2, size // 2))


# Reading


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [(1, "RGBW"), (2, "GRWB"), (3, "WBGR"), (4, "BWRG")]
    + [(5, "RBGW"), (6, "BRWG"), (7, "WGBR"), (8, "GWRB")],
)
def test_the_orientation_of_the_camera_is_undone(tmp_path, orientation, seen):
    colours = {"R": RED, "G": GREEN, "B": BLUE, "W": (255, 255, 255)}
    stored = np.zeros((64, 64, 3), np.uint8)
    for letter, rows, columns in [("R", 0, 0), ("G", 0, 1), ("B", 1, 0), ("W", 1, 1)]:
        stored[32 * rows : 32 * rows + 32, 32 * columns : 32 * columns + 32] = colours[letter]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert corners(photos.square(tmp_path / "a.jpg", 64)) == [colours[c] for c in seen]


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_is_kept(tmp_path, wide):
    stripes = np.repeat(np.array([RED, GREEN, BLUE], np.uint8), 30, axis=0)[None].repeat(30, axis=0)
    Image.fromarray(stripes if wide else stripes.swapaxes(0, 1)).save(tmp_path / "a.png")
    assert (np.asarray(photos.square(tmp_path / "a.png", 30)) == GREEN).all()


def test_resizing_averages(tmp_path):
    checkers = np.indices((256, 256)).sum(0) % 2 * np.uint8(255)
    Image.fromarray(checkers.astype(np.uint8)).save(tmp_path / "a.png")
    inner = np.asarray(photos.square(tmp_path / "a.png", 32)).astype(int)[4:-4, 4:-4]
    assert abs(inner - 127.5).max() <= 2


@pytest.mark.parametrize("size", [(1600, 1200), (500, 400)])
def test_a_large_jpeg_is_read_at_lower_resolution_but_looks_the_same(tmp_path, size):
    large = picture(3, size)
    large.save(tmp_path / "a.jpg", quality=95)
    large.save(tmp_path / "a.png")
    jpeg, png = (np.asarray(photos.square(tmp_path / n, 64), float) for n in ("a.jpg", "a.png"))
    assert abs(jpeg - png).mean() < 1.5
    assert jpeg.std() > 40


def test_kinds_of_image(tmp_path):
    def read(name: str, image: Image.Image, **options) -> tuple[int, ...]:
        image.save(tmp_path / name, **options)
        return colour(tmp_path / name)

    size = (20, 20)
    assert read("grey.png", Image.new("L", size, 77)) == (77, 77, 77)
    assert read("one bit.png", Image.new("1", size, 1)) == (255, 255, 255)
    sixteen = Image.fromarray(np.full(size, 77 * 256 + 200, np.uint16))
    assert read("sixteen.png", sixteen) == (77, 77, 77)
    cmyk = read("cmyk.jpg", Image.new("CMYK", size, (0, 255, 255, 0)), quality=95)
    assert np.allclose(cmyk, RED, atol=4)
    half = read("half.png", Image.new("RGBA", size, (255, 0, 0, 128)))
    assert np.allclose(half, (255, 127, 127), atol=1)
    assert read("clear.webp", Image.new("RGBA", size, (255, 0, 0, 0))) == (255, 255, 255)
    assert read("la.png", Image.new("LA", size, (77, 255))) == (77, 77, 77)
    palette = Image.new("P", size, 1)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    assert read("palette.png", palette) == BLUE
    assert read("see-through.png", palette, transparency=1) == (255, 255, 255)
    assert read("opaque.png", palette, transparency=0) == BLUE


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path, name):
    frames = [Image.new("RGB", (20, 20), c) for c in (RED, GREEN)]
    lossless = {"lossless": True} if name.endswith("webp") else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **lossless)
    assert Image.open(tmp_path / name).n_frames == 2
    assert np.allclose(colour(tmp_path / name), RED, atol=1)


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and has hardly any content."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b"")


def test_what_is_no_photograph_is_refused_by_name(tmp_path):
    good = tmp_path / "good.jpg"
    picture(0).save(good)
    contents = {
        "notes\n'of\" a 🐩.txt": (b"not an image", "not a JPEG, PNG, WebP or GIF image"),
        "empty.jpg": (b"", "not a JPEG, PNG, WebP or GIF image"),
        "page.jpg": (b"<html>404</html>", "not a JPEG, PNG, WebP or GIF image"),
        "cut.jpg": (good.read_bytes()[:-300], "truncated"),
        "bomb.png": (png_header(60_000, 60_000), "larger than 178,956,970 pixels"),
        "short.png": (png_header(50, 50), "cannot be decoded"),
    }
    for name, (content, reason) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError) as caught:
            photos.square(tmp_path / name, 8)
        assert reason in str(caught.value)
        assert repr(str(tmp_path / name)) in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    for name in ("pipe.jpg", "loop.jpg", "broken.jpg", "missing.jpg"):
        with pytest.raises(UserError, match=f"{name}': not a file"):
            photos.square(tmp_path / name, 8)


# Near-duplicates


def test_groups_are_chains_of_at_most_72_bits():
    rng = np.random.default_rng(0)
    hashes = rng.random((6, 256)) < 0.5
    hashes[2] = hashes[0]
    hashes[2, :72] ^= True  # near the first
    hashes[4] = hashes[2]
    hashes[4, 100:172] ^= True  # near the third, far from the first
    hashes[5] = hashes[1]
    hashes[5, :73] ^= True  # one bit too far from the second
    mirrored = rng.random((6, 256)) < 0.5
    groups = photos.near_duplicates(hashes, mirrored)
    assert groups[0] == groups[2] == groups[4]
    assert len({groups[0], groups[1], groups[3], groups[5]}) == 4
    mirrored[3] = hashes[1]
    groups = photos.near_duplicates(hashes, mirrored)
    assert groups[1] == groups[3] != groups[5]


def test_groups_do_not_depend_on_the_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    hashes = (rng.random((10, 256)) < 0.5)[rng.integers(0, 10, 40)]
    expected = [[(a == b).all() for a in hashes] for b in hashes]
    for block in (1, 7, 64):
        monkeypatch.setattr(photos, "BLOCK", block)
        groups = photos.near_duplicates(hashes, ~hashes)
        assert ((groups[:, None] == groups) == expected).all()


def test_copies_are_found_and_others_are_not(tmp_path):
    original = picture(1, (300, 200))
    copies = {
        "original.png": original,
        "strong.jpg": original,
        "half.webp": original.resize((150, 100)),
        "grey.png": original.convert("L"),
        "mirror.jpg": original.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "cropped.png": original.crop((6, 4, 294, 196)),
    }
    for name, image in copies.items():
        image.save(tmp_path / name, quality=30)
    for k in range(6):
        picture(100 + k, (300, 200)).save(tmp_path / f"other-{k}.png")
    found = [Photo(p, 0, p.name) for p in sorted(tmp_path.iterdir())]
    _, hashes, mirrored = photos._hash(found, 0)
    groups = photos.near_duplicates(hashes, mirrored)
    together = {p.source for p, g in zip(found, groups, strict=True) if g == groups[0]}
    assert together == set(copies)
    assert len(set(groups)) == 7


# Split


def dealt(labels, groups=None, *, validation=0.2, test=0.1, seed=0) -> dict[str, np.ndarray]:
    labels = np.asarray(labels)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    names = [f"class {k}" for k in range(labels.max() + 1)]
    return photos.divide(labels, groups, names, validation=validation, test=test, seed=seed)


def test_counts_of_each_class_are_rounded_half_up():
    labels = np.repeat([0, 1, 2], [10, 25, 40])
    parts = dealt(labels, validation=0.2, test=0.15)
    counts = {part: np.bincount(labels[k]).tolist() for part, k in parts.items()}
    assert counts["test"] == [2, 4, 6]  # of 1.5, 3.75, 6
    assert counts["validation"] == [2, 5, 8]
    assert counts["train"] == [6, 16, 26]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(75))


@pytest.mark.parametrize("seed", range(20))
def test_groups_stay_whole_and_counts_exact(seed):
    rng = np.random.default_rng(seed)
    sizes = [1] * 20 + [2] * 8 + [3] * 3 + [9]  # 54 photographs of each class
    groups = np.concatenate([np.repeat(np.arange(32) + 32 * c, sizes) for c in (0, 1)])
    labels = groups // 32
    order = rng.permutation(len(labels))
    groups, labels = groups[order], labels[order]
    parts = dealt(labels, groups, validation=0.1, test=0.2, seed=seed)
    members = [set(groups[k]) for k in parts.values()]
    assert sum(map(len, members)) == len(set(groups))
    counts = [np.bincount(labels[parts[p]]).tolist() for p in ("test", "validation", "train")]
    assert counts == [[11, 11], [5, 5], [38, 38]]


def test_the_seed_decides_and_validation_does_not_move_test():
    labels = np.repeat([0, 1], 50)
    first, again, other = dealt(labels), dealt(labels), dealt(labels, seed=1)
    wider = dealt(labels, validation=0.4)
    for part, indices in first.items():
        assert (indices == again[part]).all()
        assert set(indices) != set(other[part])
    assert (first["test"] == wider["test"]).all()
    assert np.diff(labels[first["train"]]).clip(0).sum() > 5  # classes are mixed


def test_a_group_with_two_labels_is_trained_on():
    labels = np.repeat([0, 1], 10)
    for seed in range(10):
        groups = np.arange(20)
        groups[[3, 15]] = 3
        assert {3, 15} <= set(dealt(labels, groups, seed=seed)["train"])


@pytest.mark.parametrize(
    ("count", "groups", "part"),
    [(4, range(14), "test"), (0, range(10), "train"), (10, [*range(10), *[10] * 10], "validation")],
)
def test_a_class_that_is_too_small_is_named(count, groups, part):
    with pytest.raises(UserError, match=rf"class 'few': {count} photographs .* none for {part}; "):
        photos.divide(
            np.repeat([0, 1], [10, count]),
            np.asarray(groups),
            ["many", "few"],
            validation=0.2,
            test=0.1,
            seed=0,
        )


# The data set


def test_what_is_written(tmp_path):
    found = photo_files(tmp_path)
    dataset = photos.make(found, ["a", "b"], **SETTINGS)
    artifacts.write_dataset(tmp_path / "out" / "dataset.h5", dataset)
    with artifacts.open_dataset(tmp_path / "out" / "dataset.h5") as stored:
        assert stored.class_names == ("a", "b")
        assert stored.value_range == (0, 255)
        counts = {"train": [6, 6], "validation": [2, 2], "test": [2, 2], "large": [1, 1]}
        for part, per_class in counts.items():
            split = stored[part]
            side = 24 if part == "large" else 16
            assert split.images.dtype == np.uint8
            assert split.images.shape == (sum(per_class), side, side, 3)
            assert np.bincount(split.labels).tolist() == per_class
            for image, label, source in zip(split.images, split.labels, split.sources, strict=True):
                assert source.startswith(f"{label}-")
                assert (image == np.asarray(photos.square(tmp_path / source, side))).all()
        parts = {part: set(stored[part].sources) for part in counts}
        assert parts["large"] <= parts["test"]
        assert len(parts["train"] | parts["validation"] | parts["test"]) == 20


def test_samples_are_read_one_at_a_time(tmp_path, monkeypatch):
    dataset = photos.make(photo_files(tmp_path), ["a", "b"], **SETTINGS)
    read = []
    square = photos.square
    monkeypatch.setattr(photos, "square", lambda *a: read.append(a) or square(*a))
    samples = iter(dataset.splits["train"].samples)
    assert len(read) == 0
    next(samples)
    next(samples)
    assert len(read) == 2


def test_unreadable_files_are_counted_against_what_is_allowed(tmp_path):
    found = photo_files(tmp_path)
    for k in (4, 5, 17):
        found[k].path.write_bytes(b"gone")
    for allowed in (0, 2):
        with pytest.raises(UserError) as caught:
            photos.make(found, ["a", "b"], **SETTINGS | {"skip_unreadable": allowed})
        assert str(caught.value) == (
            f"'{tmp_path}/0-004.png': not a JPEG, PNG, WebP or GIF image (and 2 more like it); "
            "mend or remove it, or set skip_unreadable to 3"
        )
    dataset = photos.make(found, ["a", "b"], **SETTINGS | {"skip_unreadable": 3})
    sources = {
        s.source for part in ("train", "validation", "test") for s in dataset.splits[part].samples
    }
    assert sources == {f.source for k, f in enumerate(found) if k not in (4, 5, 17)}


def test_a_single_unreadable_file_is_named(tmp_path):
    found = photo_files(tmp_path)
    found[3].path.write_bytes(b"")
    with pytest.raises(UserError, match=r"0-003.png'.* image; mend .*skip_unreadable to 1$"):
        photos.make(found, ["a", "b"], **SETTINGS)


def test_too_few_test_photographs_for_the_large_ones(tmp_path):
    with pytest.raises(UserError, match="class 'a': large_per_class is 3, but only 2 "):
        photos.make(photo_files(tmp_path), ["a", "b"], **SETTINGS | {"large_per_class": 3})
