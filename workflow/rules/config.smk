import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path[:0] = [str(SOURCE), str(SOURCE.parent / "workflow")]

from pixelspace import config as configuration
from pixelspace.errors import UserError

# Snakemake reads the configuration next. Overlays it has read already; `make` looks at them before.
if workflow.is_main_process:
    try:
        configuration.located(["config/config.yaml", *workflow.overwrite_configfiles])
    except UserError as error:
        sys.exit(f"error: {error}")
