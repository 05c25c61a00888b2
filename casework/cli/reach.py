"""How does a command reach the ledger: through the server that owns it, or by opening it itself?"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson

from casework.app import App
from casework.keeping import leftovers
from casework.people.permissions import Person, Role
from casework.workspace import Workspace
from data.errors import ConflictError, LedgerBusyError, SecondLookError

LOCAL = Person("local-admin", Role.ADMIN)
_LONG = httpx.Timeout(3600.0, connect=5.0)


class Reach:
    """The HTTP interface of a workspace, wherever it runs. Answers are parsed JSON; problems become our errors."""

    def __init__(self, token: str, *, url: str = "", app: App | None = None) -> None:
        self._headers = {"authorization": f"Bearer {token}"}
        self._url = url
        self.app = app
        self._api: Any = None

    def signed_in(self, user: str, password: str) -> Reach:
        """The same workspace, asked by a user of it. SecondLookError for a wrong name or password."""
        session = self.post("/v1/sessions", {"user": user, "password": password})
        return Reach(session["token"], url=self._url, app=self.app)

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._ask("POST", path, json=body)

    def delete(self, path: str, **query: Any) -> Any:
        return self._ask("DELETE", path, params=query)

    def download(self, path: str, body: Mapping[str, Any]) -> bytes:
        """What is answered as a file."""
        more: dict[str, Any] = {"json": body}
        if self.app is None:
            return _whole(self._answered(path, more)).content
        return _whole(asyncio.run(self._in_process("POST", path, more))).content

    def upload(self, path: str, file: Path) -> Any:
        with file.open("rb") as content:
            return self._ask("POST", path, files={"file": (file.name, content)})

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        if self.app is None:
            return self._over_http(method, path, more)
        return _parsed(asyncio.run(self._in_process(method, path, more)))

    def _over_http(self, method: str, path: str, more: Mapping[str, Any]) -> Any:
        return _parsed(self._answered(path, more, method))

    def _answered(self, path: str, more: Mapping[str, Any], method: str = "POST") -> httpx.Response:
        try:
            return httpx.request(method, self._url + path, headers=self._headers, timeout=_LONG, **more)
        except httpx.TransportError as error:
            raise SecondLookError(
                "the server of this workspace does not answer", where=self._url, hint="Is it still starting?"
            ) from error

    async def _in_process(self, method: str, path: str, more: Mapping[str, Any]) -> httpx.Response:
        if self._api is None:
            # Half a second that `--help` and the client of a running server save.
            from casework.http.api import create_api

            self._api = create_api(self.app)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(self._api)
        async with httpx.AsyncClient(transport=transport, base_url="http://workspace") as client:
            return await client.request(method, path, headers=self._headers, timeout=_LONG, **more)


def _parsed(answer: httpx.Response) -> Any:
    whole = _whole(answer)
    return orjson.loads(whole.content) if whole.content else None


def _whole(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    told = orjson.loads(answer.content) if "json" in answer.headers.get("content-type", "") else {}
    what = str(told.get("detail", f"the server answered {answer.status_code}")).rstrip(".")
    kind = ConflictError if answer.status_code == 409 else SecondLookError
    raise kind(what, hint=str(told.get("hint", "")))


@contextmanager
def reached(root: Path) -> Iterator[Reach]:
    """The workspace at `root`, through its server if one runs, else opened for the length of the block."""
    workspace = Workspace(root).opened()
    try:
        app = App.open(workspace)
    except LedgerBusyError:
        through = _server_of(workspace)
        if through is None:
            raise
        yield through
        return
    token = secrets.token_urlsafe(32)
    app.signin.admit(token, LOCAL, datetime.now(UTC) + timedelta(days=1))
    try:
        leftovers.sweep_imports(app)
        yield Reach(token, app=app)
    finally:
        app.close()


@contextmanager
def opened(root: Path) -> Iterator[App]:
    """The application of a workspace that no server owns; LedgerBusyError with its process id otherwise."""
    app = App.open(Workspace(root).opened())
    try:
        leftovers.sweep_imports(app)
        yield app
    finally:
        app.close()


def _server_of(workspace: Workspace) -> Reach | None:
    try:
        where = orjson.loads(workspace.server_file.read_bytes())
        token = workspace.token_file.read_text(encoding="ascii").strip()
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return Reach(token, url=str(where["url"]))
