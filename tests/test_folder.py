import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelspace import artifacts
from pixelspace.datasets import folder
from pixelspace.errors import UserError
from pixelspace.files import file_hash

PHOTOS = Path(__file__).parents[2] / "shared" / "photos"

SETTINGS = {
    "size": 16,
    "validation": 0.25,
    "test": 0.25,
    "skip_unreadable": 0,
    "large_per_class": 1,
    "large_size": 24,
    "seed": 0,
}


def picture(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    return Image.fromarray(noise).resize((40, 32), Image.Resampling.BICUBIC)


@pytest.fixture
def root(tmp_path) -> Path:
    """Two classes of four photographs."""
    for c, name in enumerate(("dog", "muffin")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(4):
            picture(10 * c + k).save(tmp_path / "photos" / name / f"{k}.jpg")
    return tmp_path / "photos"


def complaint(path, **settings) -> str:
    with pytest.raises(UserError) as caught:
        folder.make(path=str(path), **SETTINGS | settings)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_classes_are_the_subfolders_whatever_the_case(root):
    for name in ("Zebra", "apple", "Éclair"):
        (root / name).mkdir()
        (root / name / "1.jpg").touch()
    (root / ".hidden").mkdir()
    (root / "readme.txt").touch()
    (root / ".DS_Store").touch()
    class_names, _ = folder.find(str(root))
    assert class_names == ("apple", "dog", "muffin", "Zebra", "Éclair")


def test_the_content_is_that_of_the_photographs_that_were_taken(root):
    taken = {f"{name}/{k}.jpg" for name in ("dog", "muffin") for k in range(4)}
    before = folder.content(str(root), taken)
    (root / "dog/unreadable.jpg").touch()
    os.utime(root / "dog/0.jpg", (1, 1))
    assert folder.content(str(root), taken) == before
    picture(99).save(root / "dog/0.jpg")
    assert folder.content(str(root), taken) != before
    assert folder.content(str(root), taken - {"dog/0.jpg"}) not in ("", before)


def test_every_photograph_is_found_with_its_source(root, tmp_path):
    (root / "dog" / ".DS_Store").touch()
    odd = ["a b.jpg", 'it\'s "1".png', "two\nlines.webp", "🐩.jpg", "café.JPG"]
    for k, name in enumerate(odd):
        picture(100 + k).save(root / "dog" / name)
    dataset = folder.make(path=str(root), **SETTINGS)
    artifacts.write_dataset(tmp_path / "out" / "dataset.h5", dataset)
    with artifacts.open_dataset(tmp_path / "out" / "dataset.h5") as stored:
        assert stored.class_names == ("dog", "muffin")
        splits = [stored[part] for part in ("train", "validation", "test")]
        found = {
            source: label
            for split in splits
            for source, label in zip(split.sources, split.labels, strict=True)
        }
    expected = {f"dog/{name}": 0 for name in [*odd, *(f"{k}.jpg" for k in range(4))]}
    assert found == expected | {f"muffin/{k}.jpg": 1 for k in range(4)}


def test_names_that_are_no_unicode(root):
    name = os.fsdecode(b"caf\xe9.jpg")
    try:
        picture(50).save(root / "dog" / name)
    except OSError:
        pytest.skip("this file system takes proper Unicode only")
    dataset = folder.make(path=str(root), **SETTINGS)
    samples = [s for split in dataset.splits.values() for s in split.samples]
    assert "dog/caf\\udce9.jpg" in {s.source for s in samples}


def test_the_same_folder_elsewhere_gives_the_same_data(root, tmp_path):
    copy = tmp_path / "elsewhere"
    for name in ("muffin", "dog"):
        (copy / name).mkdir(parents=True)
        for path in sorted((root / name).iterdir(), reverse=True):
            (copy / name / path.name).symlink_to(path)
    hashes = []
    for path in (root, copy):
        out = tmp_path / "out" / f"{path.name}.h5"
        artifacts.write_dataset(out, folder.make(path=str(path), **SETTINGS))
        hashes.append(file_hash(out))
    assert hashes[0] == hashes[1]


def test_links_to_photographs_and_class_folders_are_followed(root, tmp_path):
    (tmp_path / "far.jpg").write_bytes((root / "dog" / "0.jpg").read_bytes())
    (root / "dog" / "link.jpg").symlink_to(tmp_path / "far.jpg")
    (root / "more").symlink_to(root / "muffin")
    class_names, found = folder.find(str(root))
    assert class_names == ("dog", "more", "muffin")
    sources = [photo.source for photo in found]
    assert "dog/link.jpg" in sources
    assert "more/3.jpg" in sources


def test_loops_of_links_do_not_hang(root):
    (root / "dog" / "self.jpg").symlink_to("self.jpg")
    (root / "round").symlink_to("round")  # leads nowhere, so it is no class
    assert "self.jpg': not a file" in complaint(root)
    dataset = folder.make(path=str(root), **SETTINGS | {"skip_unreadable": 1})
    assert dataset.class_names == ("dog", "muffin")
    (root / "dog" / "up").symlink_to(root)
    assert "up': a folder in a class folder" in complaint(root)


@pytest.mark.parametrize("path", ["", None])
def test_no_path(path):
    with pytest.raises(UserError, match=r"^path: not given"):
        folder.make(path=path, **SETTINGS)


def test_wrong_paths(root):
    assert "nowhere' does not exist" in complaint(root / "nowhere")
    assert "0.jpg' is a file" in complaint(root / "dog" / "0.jpg")
    assert "dog' has 0 class folders" in complaint(root / "dog")
    (root / "muffin").rename(root / ".muffin")
    assert "photos' has 1 class folders" in complaint(root)


def test_an_empty_class(root):
    (root / "none\nhere").mkdir()
    (root / "none\nhere" / ".DS_Store").touch()
    assert complaint(root).startswith(f"'{root}/none\\nhere': empty; ")


def test_a_file_that_is_no_image(root):
    (root / "dog" / "notes.txt").write_text("bought at the fair")
    assert "dog/notes.txt': not a JPEG, PNG, WebP or GIF image; " in complaint(root)
    folder.make(path=str(root), **SETTINGS | {"skip_unreadable": 1})


def test_a_nested_folder_is_never_skipped(root):
    (root / "dog" / "more").mkdir()
    assert "dog/more': a folder in a class folder" in complaint(root, skip_unreadable=9)


def test_too_few_photographs(root):
    for k in (1, 2, 3):
        (root / "dog" / f"{k}.jpg").unlink()
    assert complaint(root).startswith("class 'dog': 1 photographs ")


def test_the_home_folder_is_understood(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    assert folder.find("~/photos") == folder.find(str(root))


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="needs ../shared/photos")
def test_real_photographs(tmp_path):
    """Twenty of each class and two known near-duplicates, one of them mirrored."""
    pairs = {"dog": ("img_1194.jpg", "img_2756.jpg"), "muffin": ("img_1564.jpg", "img_1841.jpg")}
    for source in PHOTOS.iterdir():
        (tmp_path / source.name).mkdir()
        names = sorted(path.name for path in source.iterdir())[:20]
        for name in {*names, *pairs.get(source.name, ())}:
            (tmp_path / source.name / name).symlink_to(source / name)
    for seed in range(3):
        dataset = folder.make(path=str(tmp_path), **SETTINGS | {"size": 64, "seed": seed})
        assert dataset.class_names == ("chicken", "dog", "muffin")
        counts = [dataset.splits[part].count for part in ("train", "validation", "test", "large")]
        assert counts == [10 + 10 + 10, 5 + 6 + 6, 5 + 6 + 6, 3]
        part_of = {}
        for part in ("train", "validation", "test"):
            for sample in dataset.splits[part].samples:
                part_of[sample.source] = part
                assert sample.image.shape == (64, 64, 3)
                assert sample.image.std() > 10
        for name, (one, other) in pairs.items():
            assert part_of[f"{name}/{one}"] == part_of[f"{name}/{other}"]
