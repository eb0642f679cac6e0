"""How a job runs: the same bytes whatever the machine is doing, and its chatter in a log."""

import atexit
import contextlib
import errno
import functools
import gc
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import psutil

from pixelspace.errors import UserError

RUN = "PIXELSPACE_RUN"
"""Environment variable with the number of the process that a job ends with."""

STEPS = "PIXELSPACE_STEPS"
"""Environment variable with the file that jobs have locked while they are at work."""

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

ISA = "PIXELSPACE_ISA"
"""Environment variable: the instruction sets that may be used in the place of AVX2.

For builds that are to show what another processor makes of the paper.
"""

ISAS = (
    *("SSE41", "AVX", "AVX2", "AVX2_VNNI"),
    *("AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16", "AVX512_CORE_FP16"),
    *("AVX512_CORE_AMX", "DEFAULT"),
)
"""Its values, as oneDNN names them: each includes those before; DEFAULT is all there are.

oneDNN takes a name that it does not know for DEFAULT, and says nothing.
"""

BEYOND_AVX2 = "X86_V4 AVX512_ICL AVX512_SPR"
OF_NUMPY = {
    "SSE41": ("Nehalem", f"X86_V3 {BEYOND_AVX2}"),
    "AVX": ("Sandybridge", f"X86_V3 {BEYOND_AVX2}"),
    "AVX2": ("Haswell", BEYOND_AVX2),
    "AVX512": ("SkylakeX", ""),
}
"""By what their names begin with: the processor that OpenBLAS is to take this one for, and the
groups of instructions that NumPy is not to use. Both would take all that there are."""


def environment(*, gpu: bool, remote: bool = False) -> dict[str, str]:
    """Return the environment variables of a job.

    Args:
        gpu: whether it may use one; without, it sees none.
        remote: whether its files pass through a remote storage, see `pixelspace.artifacts`.

    Raises:
        UserError: if the variable `ISA` is none of `ISAS`.
    """
    isa = os.environ.get(ISA) or ENVIRONMENT["ONEDNN_MAX_CPU_ISA"]
    if isa not in ISAS:
        raise UserError(f"{ISA}={isa}: must be one of {', '.join(ISAS)}, or unset")
    unseen = {} if gpu else {"CUDA_VISIBLE_DEVICES": ""}
    through = {"PIXELSPACE_REMOTE": "1"} if remote else {}
    return {**ENVIRONMENT, "ONEDNN_MAX_CPU_ISA": isa, **_of_numpy(isa), **unseen, **through}


def _of_numpy(isa: str) -> dict[str, str]:
    """Return the environment variables that limit NumPy and SciPy to some instruction sets."""
    if platform.machine() not in ("x86_64", "AMD64") or isa == "DEFAULT":
        return {}
    core, unused = OF_NUMPY[isa.partition("_")[0]]
    return {"OPENBLAS_CORETYPE": core, "NPY_DISABLE_CPU_FEATURES": unused}


@contextlib.contextmanager
def job(log: str) -> Iterator[None]:
    """Send all that the process prints, TensorFlow's C++ part included, to the file ``log``.

    A `UserError` becomes its one line there; any other error its traceback. Both exit with 1.
    """
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        file = open(log, "w", buffering=1, encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        sys.exit(f"error: {log}: cannot be written to: {error.strerror}")
    atexit.register(gc.freeze)  # a last search for garbage, at the exit, would take a second or two
    terminal = os.dup(sys.stderr.fileno())
    with file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())
    try:
        with _at_work():
            yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        missing = lack(error)
        try:
            traceback.print_exc()
            if missing:
                print(f"error: {missing}", file=sys.stderr)
        except OSError:  # of a full disk that the log is on too
            os.write(terminal, f"error: {missing or error}\n".encode())
        sys.exit(1)
    finally:
        os.close(terminal)


@contextlib.contextmanager
def _at_work() -> Iterator[None]:
    """Let this process be known to be at work, and end it as soon as its run has ended.

    A step that outlives a run which was killed would write what the next run plans to write.
    """
    if RUN in os.environ:
        _follow(int(os.environ[RUN]))
    if STEPS not in os.environ:
        yield
        return
    import fcntl  # there, where this is set

    with open(os.environ[STEPS], "a") as steps:
        fcntl.flock(steps, fcntl.LOCK_SH)
        yield


@functools.cache
def _follow(number: int) -> None:
    """Begin, if this has not begun, to wait for the end of another process to end this one."""
    threading.Thread(target=_end_after, args=[number], daemon=True).start()


def _end_after(number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        run = psutil.Process(number)
        while run.is_running() and run.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.5)
    os._exit(1)


NO_MEMORY = (os.strerror(errno.ENOMEM), "failed to map segment", "ResourceExhaustedError")
"""What errors say that come of a lack of memory, besides `MemoryError`."""


def lack(error: Exception) -> str | None:
    """Return a line about what the machine lacks, if that is what an error says."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or any(sign in said for sign in NO_MEMORY):
        return "there is not enough memory for this step"
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        if os.strerror(number) in said:
            return os.strerror(number).lower()
    return None


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
