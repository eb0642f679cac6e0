"""Fingerprints of code: they change when what a module does may have changed.

Snakemake reruns a job when its parameters change but does not see an edit to a library module;
so each job has the fingerprint of the module that it calls among its parameters.
"""

import ast
import functools
import hashlib
from importlib.util import find_spec
from pathlib import Path

import grimp

PACKAGE = "pixelspace"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


@functools.cache
def _own(module: str) -> str:
    """Hash a module's syntax tree without docstrings: comments and layout do not count."""
    tree = ast.parse(Path(find_spec(module).origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@functools.cache
def fingerprint(*modules: str) -> str:
    """Return 16 hexadecimal digits for modules and all of the package that they import.

    Args:
        modules: full names, for example ``pixelspace.datasets.efl``.
    """
    reached = set(modules)
    for module in modules:
        reached |= _graph().find_upstream_modules(module)
    text = "".join(f"{module} {_own(module)}\n" for module in sorted(reached))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
