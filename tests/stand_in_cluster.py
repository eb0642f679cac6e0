"""A stand-in for a Kubernetes cluster: as much of its API as Snakemake calls, for tests.

A pod is a process of this machine, in an empty folder, with the environment that it is given and
no other. It has no image: it sees the files of this machine.
"""

import base64
import contextlib
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml


@dataclass
class Cluster:
    """What was asked of the cluster, and how it went.

    Args:
        folder: where pods get their folders.
        path: the PATH of the pods.
    """

    folder: Path
    path: str
    secrets: dict[str, dict] = field(default_factory=dict)
    jobs: dict[str, dict] = field(default_factory=dict)

    @property
    def commands(self) -> list[str]:
        """What each pod was to run."""
        return [_container(job)["args"][1] for job in self.jobs.values()]

    def run(self, name: str) -> None:
        """Run a job's pod to its end."""
        container = _container(self.jobs[name])
        folder = self.folder / name
        folder.mkdir(parents=True)
        pod = subprocess.run(
            [*container["command"], *container["args"]],
            cwd=folder,
            env={"PATH": self.path, **dict(self._environment(container))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(pod.stdout)
        self.jobs[name]["status"] = {"failed" if pod.returncode else "succeeded": 1}

    def _environment(self, container: dict) -> Iterator[tuple[str, str]]:
        for variable in container["env"]:
            secret = variable["valueFrom"]["secretKeyRef"]
            value = self.secrets[secret["name"]]["data"][secret["key"]]
            yield variable["name"], base64.b64decode(value).decode()


def _container(job: dict) -> dict:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return container


@contextlib.contextmanager
def serving(cluster: Cluster, config: Path) -> Iterator[None]:
    """Serve the API of a cluster, and write the ``config`` that kubectl would find it by."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 - the name that the server looks for
            asked = self._asked()
            name = asked["metadata"]["name"]
            if self.path.endswith("/secrets"):
                cluster.secrets[name] = asked
            else:
                cluster.jobs[name] = {**asked, "status": {}}
                threading.Thread(target=cluster.run, args=(name,)).start()
            self._answer(asked)

        def do_GET(self):  # noqa: N802
            job = re.search(r"/jobs/([\w-]+)/status", self.path)
            self._answer(cluster.jobs[job[1]] if job else {"kind": "PodList", "items": []})

        def do_DELETE(self):  # noqa: N802
            self._asked()
            self._answer({"kind": "Status", "status": "Success"})

        def log_message(self, *_):
            pass

        def _asked(self) -> dict:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "{}")

        def _answer(self, content: dict) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = "http://{}:{}".format(*server.server_address)
    threading.Thread(target=server.serve_forever).start()
    here = {"cluster": "here", "user": "me"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": here}],
        "clusters": [{"name": "here", "cluster": {"server": address}}],
        "users": [{"name": "me", "user": {"token": "token"}}],
    }
    config.write_text(yaml.safe_dump(content), encoding="utf-8")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
