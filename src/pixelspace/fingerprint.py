"""Fingerprints of code: they change when what a module does may have changed.

Snakemake reruns a job when its parameters change but does not see an edit to a library module, and
takes a comment in a script, or a copy of it, for a change; so each job has among its parameters
fingerprints of its script and of each module that this imports.

Of a module, Python first runs the packages that it is in: their own statements count as well, and
what these import. What `pixelspace.projections` offers by name is imported when it is first used,
so that a job that asks for one projection depends on that one, and on the list of names.

Of the packages of others, those that compute or draw have their versions beside these: what is
installed, which `make` keeps to what is pinned.
"""

import ast
import contextlib
import functools
import hashlib
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import grimp
import grimp.exceptions

from pixelspace.errors import UserError

PACKAGE = "pixelspace"
SCRIPTS = "scripts/"
TENSORFLOW = ("tensorflow", "tensorflow-cpu")
VERSIONED = {
    "PIL": ("pillow",),
    "h5py": ("h5py",),
    "keras": ("keras", *TENSORFLOW),
    "matplotlib": ("matplotlib", "pillow"),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "tensorflow": TENSORFLOW,
}
"""What is imported of others, and which packages that may be of."""

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def _graph() -> grimp.ImportGraph:
    try:
        return grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)
    except grimp.exceptions.SourceSyntaxError as error:
        raise UserError(f"{error.filename}:{error.lineno}: this is not Python") from None


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: this is not Python: {error.msg}") from None


def _statements(file: Path) -> ast.Module:
    """Return a file's syntax tree without docstrings: comments and layout do not count."""
    tree = _tree(file)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree


def _hash(tree: ast.Module) -> str:
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


NOTHING = _hash(ast.Module([], []))
"""The hash of a module, or of the ``__init__`` of a package, that has no statement."""


@functools.cache
def _hashed(file: Path) -> str:
    return _hash(_statements(file))


@functools.cache
def _own(module: str) -> str:
    return _hashed(Path(find_spec(module).origin))


@functools.cache
def _run_before(module: str) -> frozenset[str]:
    """What Python runs when it imports a module: what this imports, and the package it is in."""
    package = module.rpartition(".")[0]
    return _graph().find_modules_directly_imported_by(module) | ({package} if package else set())


@functools.cache
def _versions(package: str) -> dict[str, str]:
    """Return the version of what is installed of a package that is imported."""
    installed = {}
    for name in VERSIONED.get(package, ()):
        with contextlib.suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    return installed


@functools.cache
def _imported(script: Path) -> frozenset[str]:
    """The modules of the package, and the packages of others, that a script imports by name."""
    found = set()
    for node in ast.walk(_tree(script)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {module, *(f"{module}.{alias.name}" for alias in names)}
            case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name))]):
                found.add(name)
    found |= {name.partition(".")[0] for name in found}
    return frozenset(found & _graph().modules)


@functools.cache
def parts(*modules: str, script: Path | None = None) -> dict[str, str]:
    """Return 8 hexadecimal digits for each of some modules and of all that they import.

    A module without a statement is left out until it has one.

    Args:
        modules: full names of modules of the package, for example ``pixelspace.datasets.efl``.
        script: one that counts too, with what it imports; what it imports by a name that is
            computed must be among the modules.

    Returns:
        By the names of the modules; that of the script is ``scripts/`` and the file's name. By the
        names of packages of others that compute or draw, their versions.

    Raises:
        UserError: naming file and line, if one of the files is not Python.
    """
    reached = set()
    left = {*modules, *(_imported(script) if script else ())}
    while left:
        module = left.pop()
        reached.add(module)
        left |= _run_before(module) - reached
    names = sorted(name for name in reached if is_code(name) and _own(name) != NOTHING)
    versions = {}
    for package in sorted(reached):
        versions |= _versions(package)
    own = [f"{SCRIPTS}{script.name}"] if script else []
    return hashes([*own, *names], script.parent if script else Path()) | versions


def is_code(name: str) -> bool:
    """Return whether one of the `parts` is a script or a module, and no package of others."""
    return name.startswith(SCRIPTS) or name.partition(".")[0] == PACKAGE


def hashes(names: Iterable[str], scripts: Path) -> dict[str, str]:
    """Return 8 hexadecimal digits for each of some scripts and modules.

    Args:
        names: of modules; those of scripts begin with `SCRIPTS`.
        scripts: the folder of the scripts.
    """
    return {name: _named(name, scripts)[:8] for name in names}


def _named(name: str, scripts: Path) -> str:
    return _hashed(scripts / name.removeprefix(SCRIPTS)) if name.startswith(SCRIPTS) else _own(name)


def fingerprint(*modules: str) -> str:
    """Return 16 hexadecimal digits for modules of the package and all of it that they import."""
    text = "".join(f"{name} {own}\n" for name, own in parts(*modules).items())
    return hashlib.sha256(text.encode()).hexdigest()[:16]
