"""Read configurations as plain data, before Snakemake does: ``python tools/read_config.py FILE …``.

Snakemake would run the code that some files hold, and answer others with a traceback.
"""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # without a traceback

from pixelspace import config  # noqa: E402
from pixelspace.errors import UserError  # noqa: E402

try:
    config.located(sys.argv[1:])
except UserError as error:
    sys.exit(f"error: {error}")
