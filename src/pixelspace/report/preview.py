"""A page that shows a PDF as it is now, or why there is no newer one, to this machine alone."""

import http.server
import io
import json
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import PdfReadError

HOST = "127.0.0.1"
PORT = 8671
"""Where the page is if nothing else is there: one that is open finds the next watcher."""

DPI = 110
SIDE_BY_SIDE = 2
"""Pages that are drawn at a time; browsers ask for more."""

BEAT = 5
"""Seconds after which a silent connection is tried, so that those that are closed end."""


@dataclass(frozen=True)
class State:
    """What the page shows: the PDF's version and the sizes of its pages, and how a build goes.

    Without a program that draws pages, there are no sizes, and the browser shows the PDF.
    """

    version: str = ""
    pages: tuple[tuple[float, float], ...] = ()
    building: bool = False
    seconds: int = 0
    failure: str = ""


class Preview:
    """A server for a page. Close it to end all that it has begun."""

    def __init__(self, page: bytes, port: int = PORT):
        self._page = page
        self._pdf = b""
        self._state = State()
        self._ended = False
        self._changed = threading.Condition()
        self._drawing = threading.Semaphore(SIDE_BY_SIDE)
        self._picture = lru_cache(maxsize=100)(self._draw)
        handler = type("Bound", (_Handler,), {"preview": self})
        try:
            self._server = http.server.ThreadingHTTPServer((HOST, port), handler)
        except OSError:
            self._server = http.server.ThreadingHTTPServer((HOST, 0), handler)
        self.port: int = self._server.server_port
        self.url = f"http://{HOST}:{self.port}/"
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def building(self) -> None:
        """Say that a build has begun."""
        self._set(building=True)

    def failed(self, log: str) -> None:
        """Say that a build failed, and show the end of its log; the PDF stays."""
        self._set(building=False, failure=log)

    def built(self, pdf: Path, seconds: float) -> None:
        """Show a PDF. One that cannot be read is a failure."""
        try:
            content = pdf.read_bytes()
            sizes = tuple(
                (float(page.mediabox.width), float(page.mediabox.height))
                for page in PdfReader(io.BytesIO(content)).pages
            )
        except (OSError, PdfReadError) as error:
            self.failed(f"{pdf.name} cannot be shown: {error}")
            return
        self._pdf = content
        self._set(
            building=False,
            failure="",
            seconds=round(seconds),
            version=sha256(content).hexdigest()[:12],
            pages=sizes if shutil.which("pdftoppm") else (),
        )

    def close(self) -> None:
        """End the server and its connections."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def _set(self, **changes) -> None:
        with self._changed:
            self._state = replace(self._state, **changes)
            self._changed.notify_all()

    def next_state(self, known: State | None) -> State | None:
        """Return the state once it is not the known one, or after a while; `None` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._state != known, BEAT)
            return None if self._ended else self._state

    def content(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and the bytes of what is at a path: nothing here is a file's name."""
        if path == "/":
            return "text/html; charset=utf-8", self._page
        if path == "/paper.pdf" and self._pdf:
            return "application/pdf", self._pdf
        folder, _, number = path.rpartition("/")
        count = len(self._state.pages)
        # Not `isdecimal`, which takes digits of all scripts, of any length.
        if folder == "/page" and number in map(str, range(1, count + 1)):
            return "image/png", self._picture(self._state.version, int(number))
        return None

    def _draw(self, version: str, number: int) -> bytes:
        page = f"{number}"
        command = ["pdftoppm", "-png", "-r", f"{DPI}", "-f", page, "-l", page, "-"]
        with self._drawing:
            return subprocess.run(command, input=self._pdf, capture_output=True).stdout


class _Handler(http.server.BaseHTTPRequestHandler):
    preview: Preview

    def do_GET(self) -> None:  # noqa: N802
        # A site whose name leads here would otherwise read the paper through its visitor's browser.
        if self.headers.get("Host") not in self._own_names():
            self.send_error(403)
            return
        path = self.path.partition("?")[0]
        if path == "/events":
            self._tell()
            return
        found = self.preview.content(path)
        if found is None:
            self.send_error(404)
            return
        kind, content = found
        self._begin(kind, {"Content-Length": f"{len(content)}"})
        self.wfile.write(content)

    def _own_names(self) -> set[str]:
        return {f"{name}:{self.preview.port}" for name in (HOST, "localhost")}

    def _begin(self, kind: str, headers: Mapping[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _tell(self) -> None:
        """Send the state whenever it changes, until the page is closed or the server ends."""
        self._begin("text/event-stream", {})
        known = None
        try:
            while (state := self.preview.next_state(known)) is not None:
                text = f"data: {json.dumps(asdict(state))}\n\n" if state != known else ": alive\n\n"
                self.wfile.write(text.encode())
                self.wfile.flush()
                known = state
        except ConnectionError:
            return

    def log_message(self, *arguments) -> None:
        """Say nothing of requests: the terminal is the build's."""
