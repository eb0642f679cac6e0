"""Artifacts: what is written comes back, damage is noticed, and nothing half-written stays."""

import numpy as np
import pytest

from pixelspace import artifacts, runtime
from pixelspace.artifacts import Dataset, Projection, Sample, Split
from pixelspace.errors import UserError


def small_dataset(count=70):
    """Images whose every pixel is the image's number, with one mask: the top row."""
    mask = np.zeros((3, 4), bool)
    mask[0] = True

    def samples(n):
        for i in range(n):
            yield Sample(np.full((3, 4, 1), i, np.uint8), i % 2, f"image {i}", {"top": mask})

    splits = {
        name: Split(n, (3, 4, 1), samples(n))
        for name, n in (("train", count), ("validation", 2), ("test", 3))
    }
    return Dataset(("a", "b"), (0.0, 255.0), "uint8", splits, parts=("top",))


def test_a_dataset_comes_back_in_slices(tmp_path):
    path = tmp_path / "dataset.h5"
    artifacts.write_dataset(path, small_dataset())
    with artifacts.open_dataset(path) as dataset:
        assert dataset.class_names == ("a", "b")
        assert dataset.image_shape == (3, 4, 1)
        assert dataset.value_range == (0.0, 255.0)
        assert dataset.templates is None
        train = dataset["train"]
        assert len(train) == 70
        assert train.images[65].max() == 65
        assert train.sources[69] == "image 69"
        assert train.labels[:4].tolist() == [0, 1, 0, 1]
        assert train.masks["top"][69].sum() == 4
        sizes = [len(labels) for _, labels in train.batches(32)]
        assert sizes == [32, 32, 6]


def test_a_dataset_that_makes_fewer_images_than_it_promised_is_not_written(tmp_path):
    short = small_dataset()
    short.splits["test"] = Split(4, (3, 4, 1), short.splits["test"].samples)
    with pytest.raises(ValueError, match="4 samples promised, 3 made"):
        artifacts.write_dataset(tmp_path / "dataset.h5", short)
    assert not (tmp_path / "dataset.h5").exists()


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        artifacts.write_dataset(tmp_path / name / "d.h5", small_dataset())
        projection = Projection({"x": np.arange(5.0)}, {"b": 1, "a": [2]})
        artifacts.write_projection(tmp_path / name / "p.npz", projection)
        artifacts.write_json(tmp_path / name / "j.json", {"b": 1.5, "a": "é"})
    for file in ("d.h5", "p.npz", "j.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_projection_comes_back(tmp_path):
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}
    artifacts.write_projection(tmp_path / "p.npz", Projection(arrays, {"kind": "weights"}))
    read = artifacts.read_projection(tmp_path / "p.npz")
    assert read.about == {"kind": "weights"}
    np.testing.assert_array_equal(read.arrays["x"], arrays["x"])
    assert list(read.arrays) == ["x"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "swap", "no record"])
def test_damage_is_noticed_on_reading(tmp_path, damage):
    path, other = tmp_path / "a.json", tmp_path / "b.json"
    artifacts.write_json(path, {"accuracy": 0.5})
    artifacts.write_json(other, {"accuracy": 0.9})
    content = path.read_bytes()
    if damage == "flip":
        path.write_bytes(content.replace(b"5", b"7"))
    elif damage == "cut":
        path.write_bytes(content[:-3])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "swap":
        other.replace(path)
    else:
        (tmp_path / ".sha256" / "a.json").unlink()
    with pytest.raises(UserError, match="a.json: "):
        artifacts.read_json(path)


def test_a_writer_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.json"
    artifacts.write_json(path, 1)
    with pytest.raises(RuntimeError), artifacts.written(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert artifacts.read_json(path) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == [".sha256", "a.json"]


def test_not_a_number_is_refused(tmp_path):
    with pytest.raises(ValueError):
        artifacts.write_json(tmp_path / "a.json", float("nan"))


def test_what_passes_through_a_remote_storage_needs_no_record(tmp_path, monkeypatch):
    for name, value in runtime.environment(gpu=False, remote=True).items():
        monkeypatch.setenv(name, value)
    artifacts.write_json(tmp_path / "a.json", 1)
    (tmp_path / "a.json").rename(tmp_path / "b.json")
    assert artifacts.read_json(tmp_path / "b.json") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["b.json"]
    monkeypatch.delenv("PIXELSPACE_REMOTE")
    with pytest.raises(UserError, match="missing"):
        artifacts.read_json(tmp_path / "b.json")


def test_damage_is_found_behind_links_and_loops_end(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "results"
    folder.mkdir()
    for name in ("a.txt", "deep/b.txt"):
        artifacts.write_text(elsewhere / name, name)
    (folder / "linked").symlink_to(elsewhere)
    (elsewhere / "deep/loop").symlink_to(folder)
    assert list(artifacts.damaged(folder)) == []
    (elsewhere / "deep/b.txt").write_text("")
    assert list(artifacts.damaged(folder)) == [folder / "linked/deep/b.txt"]
