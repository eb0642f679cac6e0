"""Folders with files that nobody should put there: each is an image that is used, or one line.

What an image looks like once it is read is in `test_photos.py`.
"""

import io
import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_folder import SETTINGS, complaint, picture
from test_photos import png_header

from pixelspace import artifacts
from pixelspace.datasets import folder, photos
from pixelspace.errors import UserError
from pixelspace.files import listing


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def animated(kind: str) -> bytes:
    frames = [picture(200 + k) for k in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def sixteen_bits() -> Image.Image:
    grey = np.asarray(picture(7).convert("L"), np.uint16)
    return Image.fromarray(grey * 257)


PHOTO = picture(99)
USED = {
    "one pixel.png": encoded(Image.new("RGB", (1, 1), "red")),
    "one pixel.gif": encoded(Image.new("L", (1, 1)), "GIF"),
    "one row.png": encoded(PHOTO.resize((3000, 1))),
    "CMYK.jpg": encoded(PHOTO.convert("CMYK"), "JPEG"),
    "grey.jpg": encoded(PHOTO.convert("L"), "JPEG"),
    "sixteen bits.png": encoded(sixteen_bits()),
    "one bit.png": encoded(PHOTO.convert("1")),
    "palette.png": encoded(PHOTO.convert("P")),
    "see-through.png": encoded(PHOTO.convert("RGBA")),
    "lossless.webp": encoded(PHOTO, "WEBP", lossless=True),
    "progressive.jpg": encoded(PHOTO, "JPEG", progressive=True),
    "animated.gif": animated("GIF"),
    "animated.webp": animated("WEBP"),
    "animated.png": animated("PNG"),
    "a PNG.jpg": encoded(PHOTO),
    "a JPEG.gif": encoded(PHOTO, "JPEG"),
    "no suffix": encoded(PHOTO),
    "more behind.png": encoded(PHOTO) + b"<script>",
}


def text_bomb() -> bytes:
    """A PNG whose comment is a hundred megabytes once it is inflated."""
    content = b"comment\0\0" + zlib.compress(bytes(100_000_000), 9)
    chunk = struct.pack(">I", len(content)) + b"zTXt" + content
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + content))
    whole = encoded(PHOTO)
    return whole[:33] + chunk + whole[33:]  # behind the header


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def jpeg_header(width: int, height: int) -> bytes:
    whole = encoded(PHOTO, "JPEG")
    at = whole.index(b"\xff\xc0") + 5
    return whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :]


REFUSED = {
    "nothing.jpg": b"",
    "one byte.png": b"\x89",
    "half.jpg": encoded(PHOTO, "JPEG")[: len(encoded(PHOTO, "JPEG")) // 2],
    "half.png": encoded(PHOTO)[: len(encoded(PHOTO)) // 2],
    "half.gif": encoded(PHOTO, "GIF")[:100],
    "half.webp": encoded(PHOTO, "WEBP")[:100],
    "bomb.png": png_header(60_000, 60_000),
    "bomb.jpg": jpeg_header(65_000, 65_000),
    "bomb.webp": webp_header(16_000_000, 16_000_000),
    "bomb.gif": b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b";",
    "text bomb.png": text_bomb(),
    "page.jpg": b"<html>404</html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    # Pillow would have Ghostscript run this.
    "program.jpg": encoded(PHOTO, "EPS"),
    "scan.tiff": encoded(PHOTO, "TIFF"),
    "bitmap.png": encoded(PHOTO, "BMP"),
    "document.png": encoded(PHOTO, "PDF"),
    "archive.jpg": b"PK\x03\x04" + bytes(100),
    "pickle.png": b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.",
}


@pytest.fixture(scope="module")
def some(tmp_path_factory) -> Path:
    """Four photographs in each of two classes."""
    root = tmp_path_factory.mktemp("photos")
    for c, name in enumerate(("dog", "muffin")):
        (root / name).mkdir()
        for k in range(4):
            picture(10 * c + k).save(root / name / f"{k}.jpg")
    return root


@pytest.fixture
def with_file(some):
    """Puts a file among the dogs, for the time of a test."""
    put = []

    def putting(name: str, content: bytes) -> Path:
        put.append(some / "dog" / name)
        put[-1].write_bytes(content)
        return some

    yield putting
    for path in put:
        path.unlink(missing_ok=True)


def sources(dataset: artifacts.Dataset) -> set[str]:
    samples = [sample for split in dataset.splits.values() for sample in split.samples]
    assert all(sample.image.shape[2] == 3 for sample in samples)
    return {sample.source for sample in samples}


@pytest.mark.parametrize("name", USED)
def test_an_unusual_image_is_used(with_file, name):
    root = with_file(name, USED[name])
    assert f"dog/{name}" in sources(folder.make(path=str(root), **SETTINGS))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_photograph_is_named_and_counted(with_file, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = with_file(name, REFUSED[name])
    said = complaint(root)
    assert f"dog/{name}': " in said
    assert said.endswith("mend or remove it, or set skip_unreadable to 1")
    assert len(said) < 300 + len(str(root))
    found = sources(folder.make(path=str(root), **SETTINGS | {"skip_unreadable": 1}))
    assert len(found) == 8
    assert not list(tmp_path.iterdir())


NAMES = [
    *("a b.png", "'.png", '".png', "$(touch ran).png", "`touch ran`.png", ";touch ran.png"),
    *("two\nlines.png", "\x1b[2J.png", "🐩.png", "é.png", "e\u0301.png", "-rf.png", "{x}.png"),
    *("%s.png", r"\input{x}.png", "<script>.png", "#$&_^~.png", "*.png", "x" * 250 + ".png"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_photograph_may_have_any_name(with_file, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    root = with_file(name, USED["a PNG.jpg"])
    artifacts.write_dataset("dataset.h5", folder.make(path=str(root), **SETTINGS))
    with artifacts.open_dataset("dataset.h5") as stored:
        found = {
            source for part in ("train", "validation", "test") for source in stored[part].sources
        }
    assert f"dog/{name}" in found
    with_file(name, b"")
    assert complaint(root).isprintable()
    assert {path.name for path in tmp_path.iterdir()} == {"dataset.h5", ".sha256"}


def test_any_damage_of_a_file_is_an_image_or_one_line(tmp_path):
    draw = random.Random(0)
    whole = [encoded(PHOTO, kind) for kind in photos.FORMATS] + list(USED.values())
    for number in range(200):
        content = bytearray(whole[number % len(whole)])
        for _ in range(draw.choice((1, 3, 30))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        del content[draw.choice((len(content), draw.randrange(len(content)))) :]
        (tmp_path / "photo").write_bytes(content)
        try:
            assert photos.square(tmp_path / "photo", 16).size == (16, 16)
        except UserError as error:
            assert str(error).isprintable()


# What tells a plan whether photographs are still the same


def test_a_listing_takes_names_that_are_no_unicode_and_loops_of_links(tmp_path):
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "loop").symlink_to(tmp_path / "dog" / "loop")
    (tmp_path / "dog" / "up").symlink_to(tmp_path)
    before = listing(str(tmp_path))
    try:
        (tmp_path / "dog" / os.fsdecode(b"caf\xe9.jpg")).touch()
    except OSError:
        pytest.skip("this file system takes proper Unicode only")
    assert listing(str(tmp_path)) != before


def test_a_listing_sees_what_a_data_set_is_made_of(tmp_path, monkeypatch):
    (tmp_path / "far").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "dog").symlink_to(tmp_path / "far")
    monkeypatch.setenv("HOME", str(tmp_path))
    before = listing("~/photos")
    (tmp_path / "far" / "1.jpg").touch()
    assert listing("~/photos") != before
