"""Read configurations as plain data, before Snakemake does: ``python tools/read_config.py FILE …``.

Snakemake would run the code that some files hold, and answer others with a traceback.
"""

import sys

from pixelspace import config
from pixelspace.errors import UserError

try:
    config.located(sys.argv[1:])
except UserError as error:
    sys.exit(f"error: {error}")
