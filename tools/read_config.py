"""Read configurations as plain data, before Snakemake does: ``python tools/read_config.py FILE …``.

Snakemake would run the code that some files hold, and answer others with a traceback. Prints the
folder that a build with them writes to.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # without a traceback

import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import yaml  # noqa: E402

from pixelspace import config  # noqa: E402
from pixelspace.errors import UserError  # noqa: E402


def results(files: Sequence[str | Path]) -> str:
    """Return the folder that a build with these configurations writes to.

    Raises:
        UserError: if one is more than data, see `config.located`.
    """
    config.located(files)
    name = "results"
    for file in files:
        name = (yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}).get("results", name)
    return str(name)


if __name__ == "__main__":
    try:
        print(results(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"error: {error}")
