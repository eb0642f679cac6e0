"""A saved change is built and shown: a real server, a real save, and what arrives at the page."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from repository import ROOT

from pixelspace.report.preview import Preview

if "CI" not in os.environ:
    pytest.importorskip("watchfiles")

WORKFLOW = """
import os, sys, time
from matplotlib.figure import Figure
open("waiting", "w").write(str(os.getpid()))
sys.stdin.read()
text = open("report/text").read()
open("process", "w").write(str(os.getpid()))
open("started", "a").write(text + "\\n")
if text == "mute":
    os.kill(os.getpid(), 9)
print("about to build", text, flush=True)
if text == "half":
    sys.exit("the end of the log")
while text == "held" and not os.path.exists("go on"):
    time.sleep(0.01)
os.makedirs("results", exist_ok=True)
figure = Figure(figsize=(4, 3))
figure.text(0.1, 0.5, text)
figure.savefig("results/paper.pdf")
print("written", flush=True)
while text == "slow to end" and not os.path.exists("go on"):
    time.sleep(0.01)
"""

PATIENCE = 60
"""Seconds after which what a test waits for does not come, however busy the machine is."""


class Page:
    """What a browser does that has the page open."""

    def __init__(self, port: int):
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._connection.request("GET", "/events")
        self._events = self._connection.getresponse()

    def until(self, wanted) -> dict:
        deadline = time.monotonic() + PATIENCE
        for line in self._events:
            assert time.monotonic() < deadline, "what the page waits for does not come"
            if line.startswith(b"data: "):
                state = json.loads(line.removeprefix(b"data: "))
                if wanted(state):
                    return state
        raise AssertionError("the page was told that this is the end")

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()


def is_built(state: dict) -> bool:
    return bool(state["version"]) and not state["building"] and not state["failure"]


@pytest.fixture
def project(tmp_path) -> Path:
    for name in ("config", "report", "src", "tools"):
        (tmp_path / name).mkdir()
    for name in ("watch.py", "read_config.py"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools")
    shutil.copy(ROOT / "report/preview.html", tmp_path / "report")
    (tmp_path / "config/config.yaml").write_text("results: results\n")
    (tmp_path / "report/text").write_text("first")
    (tmp_path / "build.py").write_text(WORKFLOW)
    return tmp_path


@pytest.fixture
def watching(project) -> Iterator[tuple[subprocess.Popen, Page]]:
    process = subprocess.Popen(
        [sys.executable, "tools/watch.py", "", sys.executable, "build.py"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    try:
        yield process, Page(int(line.partition("127.0.0.1:")[2].partition("/")[0]))
    finally:
        process.kill()
        process.wait()


def save(project: Path, text: str) -> None:
    """As editors do: to another file, which takes the place of the first."""
    new = project / "report/text~"
    new.write_text(text)
    os.replace(new, project / "report/text")


def started(project: Path) -> list[str]:
    """Return what was built, in order."""
    return (project / "started").read_text().split()


def await_start(project: Path, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in started(project):
        assert time.monotonic() < deadline, f"{text} is not built"
        time.sleep(0.05)


def test_a_save_is_built_and_the_page_is_told(project, watching):
    _, page = watching
    first = page.until(is_built)
    status, html = page.get("/")
    assert status == 200
    assert b"EventSource" in html
    assert page.get("/paper.pdf")[1] == (project / "results/paper.pdf").read_bytes()
    save(project, "second")
    second = page.until(lambda state: is_built(state) and state["version"] != first["version"])
    if shutil.which("pdftoppm") or "CI" in os.environ:
        assert second["pages"] == [[288.0, 216.0]]
        assert page.get("/page/1")[1].startswith(b"\x89PNG")


def test_a_failure_is_shown_and_the_next_save_mends_it(project, watching):
    _, page = watching
    first = page.until(is_built)
    save(project, "half")
    failed = page.until(lambda state: state["failure"])
    assert "the end of the log" in failed["failure"]
    assert failed["version"] == first["version"]
    save(project, "whole")
    assert page.until(lambda state: is_built(state) and state["version"] != first["version"])
    (project / "config/config.yaml").write_text("results: [")
    assert "config.yaml" in page.until(lambda state: state["failure"])["failure"]
    (project / "config/config.yaml").write_text("results: results\n")
    page.until(is_built)


def test_the_paper_is_shown_before_the_build_has_ended(project, watching):
    _, page = watching
    first = page.until(is_built)
    save(project, "slow to end")
    page.until(lambda state: is_built(state) and state["version"] != first["version"])
    (project / "go on").touch()


def test_a_build_that_is_killed_is_a_failure_and_the_next_save_mends_it(project, watching):
    _, page = watching
    page.until(is_built)
    save(project, "mute")
    assert "status -9" in page.until(lambda state: state["failure"])["failure"]
    save(project, "whole")
    page.until(is_built)


def test_what_is_killed_while_it_waits_for_a_save_is_replaced(project, watching):
    _, page = watching
    first = page.until(is_built)
    deadline = time.monotonic() + PATIENCE
    while (waiting := (project / "waiting").read_text()) in ("", (project / "process").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(int(waiting), signal.SIGKILL)
    while (project / "waiting").read_text() in ("", waiting):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    save(project, "second")
    page.until(lambda state: is_built(state) and state["version"] != first["version"])


def test_what_is_saved_during_a_build_is_built_after_it(project, watching):
    _, page = watching
    page.until(is_built)
    save(project, "held")
    await_start(project, "held")
    save(project, "last")
    (project / "go on").touch()
    # What is shown in between may be too short to be told of.
    page.until(lambda state: is_built(state) and "last" in started(project))
    assert started(project) == ["first", "held", "last"]


def test_an_interrupt_ends_a_build_and_all_else(project, watching):
    process, page = watching
    page.until(is_built)
    save(project, "held")
    await_start(project, "held")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int((project / "process").read_text()), 0)


# The server by itself.


@pytest.fixture
def preview() -> Iterator[Preview]:
    served = Preview(b"page", port=0)
    yield served
    served.close()


def test_only_this_machine_is_answered_and_only_under_its_own_name(preview):
    page = Page(preview.port)
    assert preview.url.startswith("http://127.0.0.1:")
    assert preview._server.server_address[0] == "127.0.0.1"
    assert page.get("/", Host="elsewhere.example")[0] == 403
    assert page.get("/", Host=f"localhost:{preview.port}") == (200, b"page")


@pytest.mark.parametrize(
    "path", ["/paper.pdf", "/page/1", "/page/0", "/page/-r", "/../Makefile", "/%2e%2e/Makefile"]
)
def test_nothing_else_is_served(preview, path):
    assert Page(preview.port).get(path)[0] == 404


def test_a_taken_port_gives_way_to_a_free_one(preview):
    other = Preview(b"page", port=preview.port)
    assert other.port != preview.port
    other.close()


def test_without_a_program_that_draws_pages_the_browser_shows_the_pdf(
    preview, tmp_path, monkeypatch
):
    Figure().savefig(tmp_path / "paper.pdf")
    monkeypatch.setenv("PATH", "")
    preview.built(tmp_path / "paper.pdf", 1)
    state = Page(preview.port).until(is_built)
    assert state["pages"] == []


def test_a_pdf_that_cannot_be_read_is_a_failure(preview, tmp_path):
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.5 cut off")
    preview.built(tmp_path / "paper.pdf", 1)
    assert "paper.pdf cannot be shown" in Page(preview.port).until(bool)["failure"]
