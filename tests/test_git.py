import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelspace import artifacts
from pixelspace.datasets import git
from pixelspace.errors import UserError

IMAGES = "data/our_data/training_set/images"
LABELS = "data/our_data/training_set/label_train.csv"
NAMES = {0: "muffin", 1: "chicken", 2: "dog"}
HEADER = '"Image","Label, that is 0 for muffin, 1 for chicken, and 2 for dog"\n'

SETTINGS = {
    "size": 16,
    "validation": 0.25,
    "test": 0.25,
    "skip_unreadable": 0,
    "large_per_class": 1,
    "large_size": 24,
    "seed": 0,
}


def run_git(folder: Path, *arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    clean |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    done = subprocess.run(command, env=clean, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def picture(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    image = Image.fromarray(noise).resize((40, 32), Image.Resampling.BICUBIC)
    return image.convert("L") if seed % 5 == 0 else image


def commit(source: Path) -> str:
    run_git(source, "add", ".")
    run_git(source, "commit", "-qm", "x")
    return run_git(source, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A repository of the public one's layout: twelve photographs, and a large file elsewhere."""
    source = tmp_path_factory.mktemp("template") / "a repository"
    (source / IMAGES).mkdir(parents=True)
    run_git(source, "init", "-q")
    for k in range(1, 13):
        picture(k).save(source / IMAGES / f"img_{k:04}.jpg")
    (source / IMAGES / ".DS_Store").write_bytes(b"\0\1")
    (source / "data" / ".DS_Store").write_bytes(b"\0\2")
    rows = "".join(f'"{k}",{k % 3}\n' for k in range(1, 13))
    (source / LABELS).write_text(HEADER + rows)
    (source / LABELS).with_name("sift_train.csv").write_bytes(os.urandom(300_000))
    (source / "README.md").write_text("first")
    commit(source)
    (source / "README.md").write_text("second")
    commit(source)
    return source


@pytest.fixture
def source(template, tmp_path) -> Path:
    """A copy of the repository that a test may change."""
    run_git(tmp_path, "clone", "-q", "--no-local", str(template), str(tmp_path / "source"))
    return tmp_path / "source"


def arguments(source: Path | str, cache: Path, **changes) -> dict:
    head = run_git(source, "rev-parse", "HEAD") if isinstance(source, Path) else "0" * 40
    return {
        "repository": str(source),
        "commit": head,
        "images": IMAGES,
        "labels": LABELS,
        "cache": str(cache),
    } | changes


def fetched(source, cache, **changes) -> Path:
    return git.checkout(**arguments(source, cache, **changes))


def complaint(source, cache, **changes) -> str:
    with pytest.raises(UserError) as caught:
        git.make(class_names=NAMES, **arguments(source, cache, **changes), **SETTINGS)
    assert len(str(caught.value).splitlines()) == 1
    assert not list(cache.glob("[0-9a-f]*"))
    assert not list(cache.glob(".fetch-*"))
    return str(caught.value)


def objects(checkout: Path) -> list[str]:
    """What the clone holds, as "hash kind size", without asking the server for more."""
    return run_git(checkout, "cat-file", "--batch-all-objects", "--batch-check").splitlines()


# The data set


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_the_data_set_of_a_repository(template, tmp_path, form):
    address = form.format(template)
    settings = arguments(template, tmp_path / "cache", repository=address)
    dataset = git.make(class_names=NAMES, **settings, **SETTINGS)
    artifacts.write_dataset(tmp_path / "out" / "dataset.h5", dataset)
    with artifacts.open_dataset(tmp_path / "out" / "dataset.h5") as stored:
        assert stored.class_names == ("muffin", "chicken", "dog")
        sources, grey = {}, set()
        for part, count in {"train": 6, "validation": 3, "test": 3, "large": 3}.items():
            split = stored[part]
            assert len(split) == count
            assert np.bincount(split.labels).tolist() == [count // 3] * 3
            sources |= dict(zip(split.sources, split.labels, strict=True))
            spread = np.ptp(split.images[:], axis=-1).max(axis=(1, 2))
            grey |= {split.sources[k] for k in np.flatnonzero(spread == 0)}
        assert grey == {f"{IMAGES}/img_0005.jpg", f"{IMAGES}/img_0010.jpg"}
    assert sources == {f"{IMAGES}/img_{k:04}.jpg": k % 3 for k in range(1, 13)}


def test_only_what_is_needed_is_fetched(template, tmp_path):
    checkout = fetched(template, tmp_path)
    files = {str(p.relative_to(checkout)) for p in checkout.rglob("*") if p.is_file()}
    expected = {f"{IMAGES}/img_{k:04}.jpg" for k in range(1, 13)} | {f"{IMAGES}/.DS_Store", LABELS}
    assert {name for name in files if not name.startswith(".git/")} == expected
    held = objects(checkout)
    large = run_git(template, "rev-parse", f"HEAD:{Path(LABELS).with_name('sift_train.csv')}")
    assert not any(line.startswith(large) for line in held)
    assert sum(" commit " in line for line in held) == 1
    assert sum(" blob " in line for line in held) == 14
    assert (checkout / ".git" / "shallow").exists()
    assert sum(f.stat().st_size for f in checkout.rglob("*") if f.is_file()) < 150_000


def test_a_server_that_cannot_leave_files_out(template, tmp_path, monkeypatch):
    monkeypatch.setattr(git, "UPLOAD_PACK", "git -c uploadpack.allowFilter=false upload-pack")
    checkout = fetched(template, tmp_path)
    assert len(list((checkout / IMAGES).glob("*.jpg"))) == 12
    assert not (checkout / LABELS).with_name("sift_train.csv").exists()
    assert sum(" commit " in line for line in objects(checkout)) == 1


def test_any_commit_can_be_pinned(source, tmp_path):
    old = run_git(source, "rev-parse", "HEAD")
    (source / IMAGES / "img_0001.jpg").write_bytes(b"spoilt")
    commit(source)
    checkout = fetched(source, tmp_path / "cache", commit=old)
    assert Image.open(checkout / IMAGES / "img_0001.jpg").size == (40, 32)


def test_it_is_fetched_once_and_needs_nobody_afterwards(source, tmp_path):
    settings = arguments(source, tmp_path / "cache")
    first = git.checkout(**settings)
    source.rename(tmp_path / "gone")
    source.mkdir()
    assert git.checkout(**settings) == first
    other = tmp_path / "cache"
    assert [entry.name for entry in other.iterdir()] == [first.name]


def test_a_changed_or_missing_file_in_the_cache_is_noticed(template, tmp_path):
    checkout = fetched(template, tmp_path)
    image = checkout / IMAGES / "img_0003.jpg"
    content = image.read_bytes()
    (checkout / IMAGES / "Thumbs.db").touch()
    assert fetched(template, tmp_path) == checkout
    image.write_bytes(content[:-1] + b"!")
    with pytest.raises(UserError, match="changed since it was fetched"):
        fetched(template, tmp_path)
    image.unlink()
    with pytest.raises(UserError, match="changed since it was fetched"):
        fetched(template, tmp_path)
    image.write_bytes(content)
    assert fetched(template, tmp_path) == checkout


def test_an_interrupted_fetch_is_not_taken_for_finished(template, tmp_path, monkeypatch):
    run = git._git

    def interrupted(folder, *words):
        if words[0] == "checkout":
            raise KeyboardInterrupt
        return run(folder, *words)

    monkeypatch.setattr(git, "_git", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetched(template, tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / ".fetch-killed" / "checkout").mkdir(parents=True)  # what a killed process leaves
    monkeypatch.setattr(git, "_git", run)
    assert (fetched(template, tmp_path) / LABELS).is_file()


# What is refused


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c 'touch here'",
        "--upload-pack=touch here",
        "-o",
        "http://example.org/a.git",
        "git://example.org/a.git",
        "https://user:secret@example.org/a.git",
        "https://example.org/user:secret@a.git",
        "https://example.org/a.git?private_token=secret",
        "https://example.org?private_token=secret/a.git",
        "https://example.org/a.git#secret",
        "https://-oProxyCommand=x/a",
        "ssh://-oProxyCommand=x/a",
        "ssh://git@-oProxyCommand=x/a",
        "https://example.org/a\nb",
    ],
)
def test_addresses_that_are_refused(tmp_path, address):
    assert " is refused; " in complaint(address, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/a/b",
        "https://github.com:443/a/b.git",
        "ssh://git@github.com:22/a/b.git",
        "git@github.com:a/b.git",
    ],
)
def test_addresses_that_are_taken(address):
    assert git._address(address) == address


def test_errors_in_what_is_asked_for(template, source, tmp_path):
    cache = tmp_path / "cache"
    missing = "1234567890" * 4
    assert complaint(template, cache, commit=missing) == (
        f"commit: '{template}' has no commit {missing}"
    )
    for name in ("main", missing[:7], missing + "0", ""):
        assert complaint(template, cache, commit=name).startswith(f"commit: '{name}' is not a full")
    assert "no folder 'data/nothing'" in complaint(template, cache, images="data/nothing")
    assert f"no folder '{LABELS}'" in complaint(template, cache, images=LABELS)
    assert "no file 'data/labels.csv'" in complaint(template, cache, labels="data/labels.csv")
    assert f"no file '{IMAGES}'" in complaint(template, cache, labels=IMAGES)
    for path in ("/etc", "../up", "a/../../b", "", ".", "a\nb"):
        assert complaint(template, cache, images=path).startswith(f"images: {path!r} is not")
        assert complaint(template, cache, labels=path).startswith(f"labels: {path!r} is not")
    tree = run_git(template, "rev-parse", "HEAD^{tree}")
    assert f"{tree} is a tree" in complaint(template, cache, commit=tree)
    run_git(source, "tag", "-a", "v1", "-m", "x")
    tag = run_git(source, "rev-parse", "v1")
    assert f"{tag} is a tag" in complaint(source, cache, commit=tag)


def test_errors_in_reaching_the_repository(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    assert "neither an address nor a folder" in complaint(str(tmp_path / "nowhere"), cache)
    (tmp_path / "plain").mkdir()
    assert "does not appear to be a git repository" in complaint(str(tmp_path / "plain"), cache)
    message = complaint("https://127.0.0.1:1/a/b", cache)
    assert message.startswith("repository: 'https://127.0.0.1:1/a/b' cannot be fetched (git fetch")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert complaint("https://127.0.0.1:1/a/b", cache).startswith("git: not found")


def ended(pid: int) -> bool:
    """Whether a process ends within two seconds; one that nobody has waited for has ended."""
    for _ in range(20):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


def test_a_fetch_that_stalls_is_stopped(template, tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    stalling = f"echo $$ > {pid}; sleep 60; git upload-pack"
    monkeypatch.setattr(git, "UPLOAD_PACK", stalling)
    monkeypatch.setattr(git, "SECONDS", 2)
    assert "git fetch: not done after 2 s" in complaint(template, tmp_path / "cache")
    assert ended(int(pid.read_text()))


def test_nothing_of_the_repository_or_the_user_is_run(source, tmp_path, monkeypatch):
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\n")
    (hooks / "post-checkout").chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\n"
        f'[filter "evil"]\nsmudge = touch {tmp_path}/filter-ran\nrequired = true\n'
        '[url "/nowhere/"]\ninsteadOf = /\n'
    )
    monkeypatch.setenv("HOME", str(home))
    (source / ".gitattributes").write_text("*.csv text eol=crlf\n*.jpg filter=evil ident\n")
    commit(source)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    settings = arguments(source, tmp_path / "cache")
    checkout = git.checkout(**settings)
    assert not list(tmp_path.glob("*-ran"))
    assert (checkout / LABELS).read_bytes() == (source / LABELS).read_bytes()
    image = Path(IMAGES) / "img_0001.jpg"
    assert (checkout / image).read_bytes() == (source / image).read_bytes()


def test_links_are_not_followed(source, tmp_path):
    secret = tmp_path / "secret.jpg"
    picture(99).save(secret)
    (source / IMAGES / "img_0001.jpg").unlink()
    (source / IMAGES / "img_0001.jpg").symlink_to(secret)
    commit(source)
    settings = arguments(source, tmp_path / "cache")
    with pytest.raises(UserError, match=r"img_0001.jpg': not a JPEG"):
        git.make(class_names=NAMES, **settings, **SETTINGS)
    (source / LABELS).unlink()
    (source / LABELS).symlink_to(secret)
    commit(source)
    with pytest.raises(UserError, match="has no file"):
        fetched(source, tmp_path / "cache")


# Labels


def labelled(tmp_path, text: str, files=("img_0001.jpg", "img_0002.png", "b.jpg")) -> dict:
    (tmp_path / "labels.csv").write_bytes(text.encode())
    return git.read_labels(tmp_path / "labels.csv", list(files), {"0": 0, "1": 1, "yes": 1})


@pytest.mark.parametrize(
    "text",
    [
        "img_0001.jpg,0\nimg_0002.png,1\n",
        "image,label\nimg_0001,0\nimg_0002,1\n",
        '"","how, or what"\n"1","0"\n"2","1"\n',
        "\ufeffn,junk,label\r\n2,7,yes\r\n\r\n1,9, 0\r\n",
        '"two\nlines",x\n 0001 ,0\n2,1',
        "\ufeff1,0\n2,1\n",
        "label\n0\n1\n",
        "0\nyes\n",
    ],
)
def test_ways_to_write_labels(tmp_path, text):
    found = labelled(tmp_path, text)
    assert found == {"img_0001.jpg": 0, "img_0002.png": 1}
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,0\n31,1\n", "row 2: the image '31' is missing"),
        ("1,0\n../b.jpg,1\n", "row 2: the image '../b.jpg' is missing"),
        ("1,0\n.DS_Store,1\n", "row 2: the image '.DS_Store' is missing"),
        ("1,0\n3,1\n", "row 2: the image '3' may be any of 2 files"),
        ("1,0\nimg_0001.jpg,1\n", "row 2: the image 'img_0001.jpg' has a label already"),
        ("n,label\n1,0\n2,no\n", "row 2: the label 'no' is not in class_names ('0', '1', 'yes')"),
        ("img_0001.jpg,no\n", "row 1: the label 'no' is not"),
        ("1,0\n" + "9" * 5000 + ",1\n", "is missing"),
        ("1,0\n" + "x" * 200_000 + ",1\n", "cannot be read as CSV"),
    ],
)
def test_labels_that_fit_no_image_or_class(tmp_path, text, problem):
    with pytest.raises(UserError) as caught:
        labelled(tmp_path, text, ("img_0001.jpg", "img_0002.png", "a3.jpg", "b03.jpg", ".DS_Store"))
    assert problem in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_label_file_that_is_not_utf_8(tmp_path):
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read as CSV in UTF-8"):
        git.read_labels(tmp_path / "labels.csv", [], {})


def test_two_labels_may_be_one_class_and_none_may_be_missing(source, tmp_path):
    names = {"2": "dog", "0": "food", "1": "food"}
    settings = arguments(source, tmp_path / "cache")
    dataset = git.make(class_names=names, **settings, **SETTINGS)
    assert dataset.class_names == ("dog", "food")
    assert dataset.splits["test"].count == 1 + 2
    (source / LABELS).write_text(HEADER)
    commit(source)
    with pytest.raises(UserError, match="class 'muffin': 0 photographs"):
        git.make(class_names=NAMES, **arguments(source, tmp_path / "cache"), **SETTINGS)


def test_files_that_are_large_together_are_not_checked_out(tmp_path, monkeypatch):
    source = tmp_path / "source"
    (source / IMAGES).mkdir(parents=True)
    run_git(source, "init", "-q")
    for k in range(20):
        (source / IMAGES / f"img_{k:04}.jpg").write_bytes(b"the same" * 10_000)
    (source / LABELS).write_text(HEADER)
    head = commit(source)
    monkeypatch.setattr(git, "BYTES", 1_000_000)
    with pytest.raises(UserError, match="has 1,600,.* bytes, and 1,000,000 are the most"):
        fetched(source, tmp_path / "cache", commit=head)
    assert not list((tmp_path / "cache").iterdir())


def test_what_a_killed_fetch_left_is_removed_once_it_is_old(template, tmp_path):
    old, new = (tmp_path / f".fetch-{name}" for name in ("old", "new"))
    for left in (old, new):
        (left / "checkout").mkdir(parents=True)
    os.utime(old, (0, 0))
    fetched(template, tmp_path)
    assert not old.exists()
    assert new.exists()
