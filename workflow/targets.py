"""Targets: one that the configuration has not is refused, with the name of the nearest."""

import difflib
import sys
from collections.abc import Callable
from pathlib import PurePosixPath

FOLDERS = ("figures", "projections", "measures", "sweeps")
"""The folders whose files have the names of experiments, of what is looked at, or of sweeps."""


def install(workflow, results: str, known: Callable[[], list[str]]) -> None:
    """Have ``workflow`` refuse targets in `FOLDERS` that nothing makes, in one line each.

    Args:
        known: gives the files in these folders that can be made, without their endings.
    """
    if not workflow.is_main_process:
        return
    execute = workflow.execute

    def checked(**settings) -> None:
        for target in sorted(map(str, workflow.dag_settings.targets)):
            path = PurePosixPath(target)
            if not path.is_relative_to(results):
                continue
            asked = str(path.with_suffix(""))
            if path.relative_to(results).parent.name in FOLDERS and asked not in known():
                close = difflib.get_close_matches(asked, known(), n=1)
                hint = f"; did you mean {close[0]}{path.suffix}?" if close else ""
                sys.exit(f"error: {target}: the configuration has nothing of this name{hint}")
        execute(**settings)

    workflow.execute = checked
