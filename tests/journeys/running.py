"""The real program in a process of its own, on a real workspace, reached over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from casework.workspace import Workspace
from tests.http.institution import PASSWORD

COMMAND = Path(sys.executable).with_name("secondlook")
_PATIENCE_SECONDS = 60.0


def secondlook(*words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; the exit code is checked here."""
    done = subprocess.run(
        [str(COMMAND), *map(str, words)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass
class Running:
    """A served workspace."""

    workspace: Workspace
    process: subprocess.Popen[bytes]
    url: str
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, user: str = "", password: str = PASSWORD) -> httpx.Client:
        """A client signed in over HTTP as this user (nobody without a name); closed with the server."""
        client = httpx.Client(base_url=self.url, timeout=120)
        self.clients.append(client)
        if user:
            session = client.post("/v1/sessions", json={"user": user, "password": password})
            assert session.status_code == 201, session.text
            client.headers["authorization"] = f"Bearer {session.json()['token']}"
        return client

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def serving(workspace: Workspace, *words: str) -> Iterator[Running]:
    """`secondlook serve` on free ports until the block ends."""
    command = [
        str(COMMAND),
        "serve",
        "--workspace",
        str(workspace.root),
        "--port",
        "0",
        *(words or ["--no-console"]),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    running = Running(workspace, process, "")
    try:
        running.url = _address(workspace, process)["url"]
        yield running
    finally:
        for client in running.clients:
            client.close()
        if process.poll() is None:
            process.terminate()
        _, said = process.communicate(timeout=_PATIENCE_SECONDS)
        assert b"Traceback" not in said, said.decode()


def _address(workspace: Workspace, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        if workspace.server_file.is_file():
            where = json.loads(workspace.server_file.read_bytes())
            if where["pid"] == process.pid and _alive(where["url"]):
                return dict(where)
        time.sleep(0.05)
    raise AssertionError("the server did not come up")


def console_url(running: Running) -> str:
    """Where the console is, once it answers."""
    url = str(json.loads(running.workspace.server_file.read_bytes())["console_url"])
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/_stcore/health").is_success:
                return url
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the console did not come up")


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False
