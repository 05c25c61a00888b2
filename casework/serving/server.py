"""How does one process serve a workspace: the API, the schedule and the console, until it is told to stop?"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

import orjson
import scipy.stats  # noqa: F401  (modules load it when first used; here no decision may wait for that)
import uvicorn

from casework import children
from casework.app import App
from casework.http.api import create_api
from casework.http.lane import Lanes
from casework.people.permissions import Person, Role
from casework.serving import ports
from casework.serving.server_log import FACTS, writing_log
from casework.serving.standstill import StandstillWatch
from casework.workspace import Workspace, write_private

log = logging.getLogger("secondlook.server")
LOCAL = Person("local-admin", Role.ADMIN)
_TOKEN_LIFE = timedelta(days=365)
_GIVE_WAY_SECONDS = 0.001
_LOOK_AFTER_SECONDS = 5
CONSOLE = Path(__file__).resolve().parents[2] / "dashboards" / "app.py"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to listen; `console_port` is None when the console is not wanted."""

    port: int = 8000
    console_port: int | None = 8501

    def check(self) -> None:
        """InputError, before any long work, if a port is taken."""
        ports.free(self.port, "--port")
        if self.console_port is not None:
            ports.free(self.console_port, "--console-port")


@dataclass(frozen=True, slots=True)
class Serving:
    """What is up: the API's address, and the console's ('' without one)."""

    url: str
    console_url: str


def serve_workspace(workspace: Workspace, wanted: Addresses, say: Callable[[Serving], None]) -> None:
    """Serve until SIGINT or SIGTERM. LedgerBusyError if another process has the workspace, InputError for a port."""
    with ExitStack() as stack:
        stack.enter_context(writing_log(workspace.root))
        # The sentences about ports come before the seconds that loading takes.
        bound = stack.enter_context(ports.listen(wanted.port, "--port"))
        console_port = (
            None if wanted.console_port is None else ports.free(wanted.console_port, "--console-port")
        )
        app = App.open(workspace)
        stack.callback(app.close)
        app.start()
        up = Serving(f"http://{ports.HOST}:{bound.getsockname()[1]}", _console_url(console_port))
        console: children.Kept | None = None
        if console_port is not None:
            console = children.Kept(lambda: _start_console(workspace, console_port, up.url))
            stack.callback(console.stop)
        stack.enter_context(_local_door(app, up))
        stack.enter_context(StandstillWatch(lambda: app.loop.still_seconds).running())
        log.info("serving", extra={FACTS: {"pid": os.getpid(), "url": up.url, "set_id": app.live.set_id}})
        _run(app, bound, lambda: say(up), None if console is None else console.keep_up)
        log.info("stopping", extra={FACTS: {"waiting": app.loop.waiting}})
    if app.schedule.running:
        # A thread that only computes cannot be ended. The ledger is closed, and the job is due again at the next start.
        sys.stdout.flush()
        os._exit(0)


def _console_url(port: int | None) -> str:
    return "" if port is None else f"http://{ports.HOST}:{port}"


def _start_console(workspace: Workspace, port: int, url: str) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(CONSOLE)),
        *("--server.address", ports.HOST, "--server.port", str(port), "--server.headless", "true"),
        *("--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"),
    ]
    environment = {**os.environ, "SECONDLOOK_API": url}
    return children.start(command, environment, workspace.root / "console.log")


@contextmanager
def _local_door(app: App, up: Serving) -> Iterator[None]:
    """Let commands on this machine find the server and speak to it: only the owner of the files can."""
    token = secrets.token_urlsafe(32)
    app.signin.admit(token, LOCAL, datetime.now(UTC) + _TOKEN_LIFE)
    write_private(app.workspace.token_file, token)
    where = {"url": up.url, "console_url": up.console_url, "pid": os.getpid()}
    # Whoever looks for the server sees the whole file or none.
    written = app.workspace.server_file.with_suffix(".new")
    written.write_bytes(orjson.dumps(where))
    written.replace(app.workspace.server_file)
    try:
        yield
    finally:
        app.workspace.server_file.unlink(missing_ok=True)
        app.workspace.token_file.unlink(missing_ok=True)


def _settle_down() -> None:
    """Keep what answers from waiting for Python's own housekeeping."""
    # The memory of the past stays; walking all of it in search of garbage would stop every thread for that long.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    # A thread that computes (a report, a query's rows) gives way sooner to the one that answers.
    sys.setswitchinterval(_GIVE_WAY_SECONDS)


def _run(
    app: App, bound: socket, ready: Callable[[], None], keep_up: Callable[[], None] | None = None
) -> None:
    async def every_few_seconds() -> None:
        if keep_up is not None:
            keep_up()

    config = uvicorn.Config(
        create_api(app),
        http=Lanes(app),  # type: ignore[arg-type]  # called for each connection, as a class would be
        log_config=None,  # ours, which never waits for a reader
        log_level="warning",
        # In the main thread, to which Linux ties a child.
        callback_notify=every_few_seconds,
        timeout_notify=_LOOK_AFTER_SECONDS,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="off",
        proxy_headers=False,
    )
    _settle_down()
    ready()
    # uvicorn takes SIGINT and SIGTERM for itself, ends gracefully, then raises them again for us.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        uvicorn.Server(config).run(sockets=[bound])
    finally:
        gc.unfreeze()
        for number, handler in before.items():
            signal.signal(number, handler)
