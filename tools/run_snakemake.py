"""Run Snakemake with its own arguments; Ctrl-C ends it without a traceback from the start.

The workflow says what an interrupt does, but is read a second later, once Snakemake is imported.

After ``--when-told``, it waits until its standard input is closed, and imports before that what a
plan needs of the packages of others.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys  # noqa: E402

del sys.path[0]  # this folder, whose programs are no modules

from snakemake.cli import get_argument_parser, main  # noqa: E402

if sys.argv[1:2] == ["--when-told"]:
    import atexit
    import gc
    from importlib import import_module

    del sys.argv[1]
    for package in ("grimp", "h5py", "jinja2.sandbox"):
        import_module(package)
    get_argument_parser()  # which imports all plugins
    atexit.register(gc.freeze)  # a last search for garbage, at the exit, would take a while
    sys.stdin.read()

sys.exit(main())
