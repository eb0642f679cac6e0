"""What the paper about photographs must reach; run after it was built in the folder of the default
one, with `photographs.yaml` and `results=results`.

make test TESTS=tests/acceptance_photographs.py
"""

from pathlib import Path

from pypdf import PdfReader

from pixelspace.artifacts import read_json

RESULTS = Path(__file__).parents[1] / "results"


def test_photographs_are_told_apart():
    test = read_json(RESULTS / "meme/0/training.json")["test"]
    assert test["accuracy"] >= 0.99
    assert test["images"] >= 300
    text = "".join(page.extract_text() for page in PdfReader(RESULTS / "paper.pdf").pages)
    assert "??" not in text
    assert "photographs" in text
