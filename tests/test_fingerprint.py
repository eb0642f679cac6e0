"""Fingerprints change with what code does, not with how it is written down."""

import subprocess
import sys
from pathlib import Path

import pytest

from pixelspace import fingerprint
from pixelspace.errors import UserError

SOURCE = Path(__file__).parent.parent / "src"

MODULES = {
    "__init__.py": "",
    "base.py": '"""Base."""\n\nVALUE = 1\n',
    "middle.py": "from pixelspace.base import VALUE\n\n\ndef double():\n    return 2 * VALUE\n",
    "top.py": "from pixelspace import middle\n\n\ndef four():\n    return 2 * middle.double()\n",
    "other.py": "import numpy as np\n\n\ndef zero():\n    return np.zeros(1)\n",
    "part/__init__.py": '"""A package of its own."""\n',
    "part/one.py": "def one():\n    return 1\n",
}
NAMES = ("base", "middle", "top", "other", "part.one")


@pytest.fixture
def fingerprints(tmp_path):
    package = tmp_path / "pixelspace"
    (package / "part").mkdir(parents=True)
    for name, text in MODULES.items():
        (package / name).write_text(text)
    for name in ("errors.py", "fingerprint.py"):
        (package / name).write_text((SOURCE / "pixelspace" / name).read_text())

    def taken():
        code = (
            "from pixelspace.fingerprint import fingerprint as f\n"
            f"print(*(f(f'pixelspace.{{name}}') for name in {NAMES}))"
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


def test_a_script_that_is_not_python_is_named(tmp_path):
    (tmp_path / "broken.py").write_text("def broken(:\n")
    with pytest.raises(UserError, match=r"broken\.py:1: this is not Python: invalid syntax"):
        fingerprint.hashes([f"{fingerprint.SCRIPTS}broken.py"], tmp_path)


def changed(before, after):
    return {n for n, one, two in zip(NAMES, before, after, strict=True) if one != two}


@pytest.mark.parametrize(
    ("module", "text", "expected"),
    [
        ("base.py", '"""Base."""\n\nVALUE = 3\n', {"base", "middle", "top"}),
        ("middle.py", MODULES["middle.py"].replace("2 *", "5 *"), {"middle", "top"}),
        ("other.py", MODULES["other.py"].replace("zeros", "ones"), {"other"}),
        ("base.py", '"""Basis."""\n# why\nVALUE = (\n    1\n)\n', set()),
        ("top.py", MODULES["top.py"].replace("():\n", '():\n    """Give four."""\n'), set()),
        ("__init__.py", "VALUE = 1\n", set(NAMES)),
        ("part/__init__.py", "VALUE = 1\n", {"part.one"}),
        ("part/__init__.py", "from pixelspace import base\n", {"part.one"}),
        ("part/__init__.py", '"""A package, said otherwise."""\n', set()),
    ],
    ids=[
        *("at the bottom", "in the middle", "beside", "comment and layout", "docstring"),
        *("of all", "of a package", "that a package imports", "docstring of a package"),
    ],
)
def test_what_an_edit_changes(fingerprints, module, text, expected):
    package, taken = fingerprints
    before = taken()
    (package / module).write_text(text)
    assert changed(before, taken()) == expected


def test_what_the_package_of_a_module_imports_counts(fingerprints):
    package, taken = fingerprints
    (package / "part/__init__.py").write_text("from pixelspace import base\n")
    before = taken()
    (package / "base.py").write_text("VALUE = 3\n")
    assert changed(before, taken()) == {"base", "middle", "top", "part.one"}


def test_another_version_of_what_a_module_imports_counts(fingerprints):
    package, taken = fingerprints
    before = taken()
    other = package.parent / "numpy-0.0.1.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    assert changed(before, taken()) == {"other"}


def test_why_a_step_runs_again_names_the_versions(monkeypatch):
    monkeypatch.syspath_prepend(SOURCE.parent / "workflow")
    import why

    old, new = {"numpy": "2.4.5", "scipy": "1"}, {"numpy": "2.4.6", "scipy": "1", "keras": "3"}
    assert list(why._changed_code(old, new)) == [
        "keras was not used and is 3",
        "numpy was 2.4.5 and is 2.4.6",
    ]
