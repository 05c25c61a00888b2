"""How is the fake API reached? Over real HTTP, on a port of this machine.

python tests/dashboards/fake_server.py 8700    serves it by hand; every user of USERS has the password "look"
"""

from __future__ import annotations

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fake_api import FakeApi


def uploaded(body: bytes) -> dict[str, Any]:
    """Name and text of the one file in a multipart body."""
    head, _, rest = body.partition(b"\r\n\r\n")
    name = re.search(rb'filename="([^"]*)"', head)
    assert name is not None
    return {"name": name[1].decode(), "content": rest.rpartition(b"\r\n--")[0].decode()}


class _Server(ThreadingHTTPServer):
    # Join the handler threads on close, so that no socket outlives a test.
    daemon_threads = False
    api: FakeApi


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        is_file = self.headers.get("Content-Type", "").startswith("multipart/form-data")
        body = uploaded(raw) if is_file else json.loads(raw or b"{}")
        query = {k: v[0] for k, v in parse_qs(split.query).items()}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, answer = self.server.api.answer(
            self.command, split.path.removeprefix("/v1"), query, body, token
        )
        content = (
            answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the tests look at answers, not at logs."""


class Running:
    """The fake API on a port of this machine; `with Running(api) as running: running.base`."""

    def __init__(self, api: FakeApi, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = api
        self.api, self.base = api, f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


if __name__ == "__main__":
    with Running(FakeApi.with_work(), int(sys.argv[1])) as running:
        print(running.base, flush=True)
        threading.Event().wait()
