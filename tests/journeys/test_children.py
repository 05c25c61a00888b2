"""Does the console come up with the server, and never outlive it?"""

import socket
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from casework.serving import ports
from tests.http.institution import make_workspace
from tests.journeys.running import Running, serving

_PATIENCE_SECONDS = 60.0


def test_the_console_starts_with_the_server_and_dies_with_it_even_by_kill_9(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child of its parent's sudden death")
    port = ports.free(0, "--console-port")
    with serving(make_workspace(tmp_path / "bank"), "--console-port", str(port)) as running:
        (console,) = psutil.Process(running.process.pid).children()
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"))
        running.kill()
        wait_for(lambda: not console.is_running() or console.status() == psutil.STATUS_ZOMBIE)


def test_a_server_that_is_told_to_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving(make_workspace(tmp_path / "bank")) as running:
        token = running.workspace.token_file
        assert token.stat().st_mode & 0o777 == 0o600
        running.process.terminate()
        assert running.process.wait(_PATIENCE_SECONDS) in (0, -15)
        assert not token.exists()
        assert not running.workspace.server_file.exists()
        assert port_is_free(running)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def wait_for(condition: object) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


def port_is_free(running: Running) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", int(running.url.rsplit(":", 1)[1]))) != 0
