import logging
import os
import shlex
import signal
import sys
from pathlib import Path

# Nothing is begun yet, so that an interrupt ends it without a word; `guard` ends steps that run.
if workflow.is_main_process:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

# Snakemake keeps a log in the project's folder, too: where the disk is full, each message that does not
# fit would show a traceback.
logging.raiseExceptions = False

SOURCE = Path(workflow.basedir) / "src"
sys.path[:0] = [str(SOURCE), str(SOURCE.parent / "workflow")]

from pixelspace import config as configuration
from pixelspace.errors import UserError

# Snakemake has the interpreter run scripts by its name without quotes, so that this must need none.
if shlex.quote(sys.executable) != sys.executable:
    sys.executable = os.path.relpath(sys.executable)
    if shlex.quote(sys.executable) != sys.executable:
        sys.exit(
            f"error: Snakemake cannot run scripts with '{sys.executable}', for a character in its path "
            "that means something to a shell; move the environment into a folder without"
        )

# Snakemake reads the configuration next. Overlays it has read already; `make` looks at them before.
if workflow.is_main_process:
    try:
        configuration.located(["config/config.yaml", *workflow.overwrite_configfiles])
    except UserError as error:
        sys.exit(f"error: {error}")
