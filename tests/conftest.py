"""Tests run as the jobs do: on one thread, with the instruction sets that fix the bytes."""

import os
from pathlib import Path

from pixelspace import runtime

SOURCE = Path(__file__).parent.parent / "src"

os.environ.update(runtime.environment(gpu=False), PYTHONPATH=str(SOURCE))
