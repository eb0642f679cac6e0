"""Run Snakemake with its own arguments; Ctrl-C ends it without a traceback from the start.

The workflow says what an interrupt does, but is read a second later, once Snakemake is imported.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys  # noqa: E402

del sys.path[0]  # this folder, whose programs are no modules

from snakemake.cli import main  # noqa: E402

sys.exit(main())
