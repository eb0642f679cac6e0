"""Short steps run in forks of one process, which has imported what most of them need.

To start Python and to import matplotlib takes longer than to draw most figures, and an edit of
their style draws all. Each step is a process of its own still. What it is a fork of has imported
packages of others and let matplotlib draw once, so that it has its fonts and its parser at hand;
no step sees what another did, or code as it was.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback

PACKAGES = (
    *("h5py", "jinja2.sandbox", "matplotlib.backends.backend_pdf", "matplotlib.figure"),
    *("matplotlib.style", "numpy", "PIL.Image", "psutil", "pydantic", "snakemake.script", "yaml"),
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
            forks.run(fname, script.resources.tmpdir)
        else:
            alone(script, fname, edit)

    workflow.execute, PythonScript.execute_script = built, execute


class Forks:
    """Runs scripts in forks of one process, which starts at the latest with the first of them."""

    def __init__(self):
        self._control: socket.socket | None = None
        self._asking = threading.Lock()

    def run(self, script: str, temporary: str) -> None:
        """Run a script to its end.

        Args:
            temporary: the folder for its temporary files.

        Raises:
            subprocess.CalledProcessError: if it ends with another status than 0.
        """
        ours, theirs = socket.socketpair()
        with ours, ours.makefile("rw", encoding="utf-8") as line:
            with theirs:
                self._fork(theirs)
            environment = {**os.environ, "TMPDIR": temporary}
            print(json.dumps([script, environment]), file=line, flush=True)
            # Nothing at all comes of a fork that is killed.
            status = int(line.readline() or -signal.SIGKILL)
        if status:
            raise subprocess.CalledProcessError(status, [sys.executable, script])

    def _fork(self, line: socket.socket) -> None:
        """Let a fork serve a line; if what is forked has been killed, begin with another."""
        with self._asking:
            try:
                if self._control is None:
                    self.start()
                socket.send_fds(self._control, [b"."], [line.fileno()])
            except BrokenPipeError:
                self.start()
                socket.send_fds(self._control, [b"."], [line.fileno()])

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
    while True:
        said, lines, _, _ = socket.recv_fds(control, 1, 1)
        if not said:
            return
        if os.fork() == 0:
            control.close()  # so that it is known when nobody reads it
            _answer(socket.socket(fileno=lines[0]))
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


def _answer(connection: socket.socket) -> None:
    """Run, in another fork, the script that is asked for, and say its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A run that is killed asks for nothing, or reads no answer.
    with contextlib.suppress(BrokenPipeError), connection.makefile("rw", encoding="utf-8") as line:
        asked = line.readline() or os._exit(0)
        process = os.fork()
        if process == 0:
            _run(*json.loads(asked))  # with the line open: a step that goes on has not ended
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), file=line, flush=True)
    os._exit(0)


def _run(script: str, environment: dict[str, str]) -> None:
    """Run a script as Python would, and end this process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # a short step ends before the search for garbage would pay
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
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
