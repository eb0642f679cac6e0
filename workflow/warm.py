"""Short steps run in forks of one process, which has imported what most of them need.

To start Python and to import matplotlib takes longer than to draw most figures, and an edit of
their style draws all. What is forked has imported packages of others and let matplotlib draw once,
so that its fonts and its parser are at hand; no step sees code as it was before the run.

A drawing takes a fork over from one that is done, since a third of its time would go to a fork of
its own: to copy each page of memory that it touches. Of what a drawing has changed, the next finds
the environment, the working folder, matplotlib's settings, the path and streams as they were. One
that has used pyplot, which keeps figures and a current one, gives its fork to no other. No other
step sees anything of others.
"""

import contextlib
import gc
import importlib
import io
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection

PACKAGES = (
    *("h5py", "jinja2.sandbox", "matplotlib.backends.backend_pdf", "matplotlib.figure"),
    *("matplotlib.style", "numpy", "PIL.Image", "psutil", "pydantic", "scipy.special"),
    *("snakemake.script", "yaml"),
)


def install(workflow) -> None:
    """Let the scripts of local rules run in forks, of what starts while a run is still planned.

    On other systems than Linux, libraries that have been imported may not survive one.
    """
    if not workflow.is_main_process or sys.platform != "linux":
        return
    from snakemake.script import PythonScript  # here: what is forked is this file, too

    alone, build = PythonScript.execute_script, workflow.execute
    forks = Forks()

    def built(*, executor_plugin, **settings) -> None:
        if not executor_plugin.common_settings.dryrun_exec:
            forks.start()
        build(executor_plugin=executor_plugin, **settings)

    def execute(script: PythonScript, fname: str, edit: bool = False) -> None:
        elsewhere = script.container_img or script.conda_env or script.env_modules
        if script.rulename in workflow._localrules and not elsewhere:
            drawing = script.rulename.startswith("draw_")
            forks.run(fname, script.resources.tmpdir, again=drawing)
        else:
            alone(script, fname, edit)

    workflow.execute, PythonScript.execute_script = built, execute


class Forks:
    """Runs scripts in forks of one process, which starts at the latest with the first of them."""

    def __init__(self):
        self._control: socket.socket | None = None
        self._asking = threading.Lock()
        self._idle: list[Connection] = []

    def run(self, script: str, temporary: str, *, again: bool = False) -> None:
        """Run a script to its end.

        Args:
            temporary: the folder for its temporary files.
            again: whether what runs it may have run others, and may run others after it.

        Raises:
            subprocess.CalledProcessError: if it ends with another status than 0.
        """
        line = self._taken() if again else self._fork()
        environment = {**os.environ, "TMPDIR": temporary}
        status, goes_on = -signal.SIGKILL, False  # nothing at all comes of a fork that is killed
        with contextlib.suppress(EOFError, ConnectionError):
            line.send((script, environment))
            status, goes_on = line.recv()
        if again and goes_on:
            self._idle.append(line)
        else:
            line.close()
        if status:
            raise subprocess.CalledProcessError(status, [sys.executable, script])

    def _taken(self) -> Connection:
        """Return a line to a fork that is done and still there, or else to a new one."""
        with contextlib.suppress(IndexError):  # of a list that is empty by now
            while True:
                line = self._idle.pop()
                if not line.poll():
                    return line
                line.close()
        return self._fork()

    def _fork(self) -> Connection:
        """Return a line to a new fork; if what is forked has been killed, begin with another."""
        ours, theirs = Pipe()
        with theirs, self._asking:
            try:
                if self._control is None:
                    self.start()
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
            except BrokenPipeError:
                self.start()
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    def start(self) -> None:
        """Start the process, in place of any before; it imports while this one goes on."""
        self._control, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            subprocess.Popen([sys.executable, __file__, f"{number}"], pass_fds=[number])


def serve(control: socket.socket) -> None:
    """Fork for each line that arrives, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for package in PACKAGES:
        importlib.import_module(package)
    _draw()
    gc.freeze()
    while True:
        said, lines, _, _ = socket.recv_fds(control, 1, 1)
        if not said:
            return
        if os.fork() == 0:
            control.close()  # so that it is known when nobody reads it
            _answer(Connection(lines[0]))
        os.close(lines[0])


def _draw() -> None:
    """Let matplotlib find its fonts, and build what it reads mathematics with."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", {"font.family": "cmr10", "mathtext.fontset": "cm"}]):
        figure = Figure()
        figure.text(0, 0, "$x$")
        for form in ("pdf", "png"):
            figure.savefig(io.BytesIO(), format=form)


def _answer(line: Connection) -> None:
    """Let another fork run the scripts that are asked for, and say its status if one fails."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        _work(line)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status:
        with contextlib.suppress(ConnectionError):  # of a run that is killed
            line.send((status, False))
    os._exit(0)


def _work(line: Connection) -> None:
    """Run scripts until no more is asked for or one fails, and end this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from matplotlib import rc_context

    streams = {stream: os.dup(stream.fileno()) for stream in (sys.stdout, sys.stderr)}
    folder, path = os.getcwd(), list(sys.path)
    goes_on = True
    with contextlib.suppress(EOFError, ConnectionError):
        while goes_on:
            # With the line open: a step that goes on has not ended.
            script, environment = line.recv()
            with rc_context():
                if status := _run(script, environment):
                    os._exit(status)
            for stream, own in streams.items():
                os.dup2(own, stream.fileno())
            os.chdir(folder)
            sys.path[:] = path
            goes_on = "matplotlib.pyplot" not in sys.modules
            line.send((0, goes_on))
    os._exit(0)


def _run(script: str, environment: dict[str, str]) -> int:
    """Run a script as Python would, and return its status."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [script]
    status = 1
    try:
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as error:
        status = 1 if error.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
