"""How a job runs: the same bytes whatever the machine is doing, and its chatter in a log."""

import contextlib
import gc
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from pixelspace.errors import UserError

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
"""Set for every job before Python starts: thread counts and instruction sets change bytes."""


def environment(*, gpu: bool) -> dict[str, str]:
    """Return the environment variables of a job; without ``gpu`` it sees none."""
    return ENVIRONMENT if gpu else {**ENVIRONMENT, "CUDA_VISIBLE_DEVICES": ""}


@contextlib.contextmanager
def job(log: str) -> Iterator[None]:
    """Send all that the process prints, TensorFlow's C++ part included, to the file ``log``.

    A `UserError` becomes its one line there; any other error its traceback. Both exit with 1.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", buffering=1, encoding="utf-8") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        gc.freeze()  # a last search for garbage, at the exit, would take a second or two


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Spare the first import of Keras two things, each a sixth of its time.

    They are the search for garbage, of which there is none, then or later, among what is imported;
    and matplotlib, which Keras takes if it is there, for galleries that nobody draws here.
    """
    hidden = {"matplotlib"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(hidden))
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        for name in hidden:
            del sys.modules[name]


def seed_tensorflow(seed: int) -> None:
    """Make every TensorFlow operation of this process deterministic, from ``seed`` on."""
    with _quick_imports():
        import keras
        import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
