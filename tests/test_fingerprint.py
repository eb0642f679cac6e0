"""Fingerprints change with what code does, not with how it is written down."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

MODULES = {
    "__init__.py": "",
    "base.py": '"""Base."""\n\nVALUE = 1\n',
    "middle.py": "from pixelspace.base import VALUE\n\n\ndef double():\n    return 2 * VALUE\n",
    "top.py": "from pixelspace import middle\n\n\ndef four():\n    return 2 * middle.double()\n",
    "other.py": "def zero():\n    return 0\n",
}


@pytest.fixture
def fingerprints(tmp_path):
    package = tmp_path / "pixelspace"
    package.mkdir()
    for name, text in MODULES.items():
        (package / name).write_text(text)
    (package / "fingerprint.py").write_text((SOURCE / "pixelspace/fingerprint.py").read_text())

    def taken():
        code = (
            "from pixelspace.fingerprint import fingerprint as f\n"
            "print(*(f(f'pixelspace.{m}') for m in ('base', 'middle', 'top', 'other')))"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.split()

    return package, taken


def changed(before, after):
    names = ("base", "middle", "top", "other")
    return {n for n, one, two in zip(names, before, after, strict=True) if one != two}


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        ("base.py", '"""Base."""\n\nVALUE = 3\n', {"base", "middle", "top"}),
        ("middle.py", MODULES["middle.py"].replace("2 *", "5 *"), {"middle", "top"}),
        ("other.py", "def zero():\n    return 1\n", {"other"}),
        ("base.py", '"""Basis."""\n# why\nVALUE = (\n    1\n)\n', set()),
        ("top.py", MODULES["top.py"].replace("():\n", '():\n    """Give four."""\n'), set()),
    ],
    ids=["at the bottom", "in the middle", "beside", "comment and layout", "docstring"],
)
def test_what_an_edit_changes(fingerprints, module, text, expected):
    package, taken = fingerprints
    before = taken()
    (package / module).write_text(text)
    assert changed(before, taken()) == expected
