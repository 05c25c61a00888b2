"""How does a sign-in survive a reload without any script on the page being able to read it?

The console keeps the API's token in an HttpOnly cookie. Only an HTTP answer can set such a cookie, and Streamlit
talks over a web socket; so the page hands the browser a one-time ticket, the browser posts it to a route of the
same server, and that route answers with the cookie. The token itself never appears in the page.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

NAME = "secondlook_session"
KEEP_PATH, DROP_PATH = "/session/keep", "/session/drop"
_TICKET_SECONDS = 60
_LONGEST_TICKET = 100
_NOT_FROM_HERE = "Only the console's own pages may ask for this."


@dataclass(frozen=True, slots=True)
class _Pending:
    token: str
    seconds: int
    written_at: float


class Tickets:
    """One-time tickets, each good for one minute and one cookie."""

    def __init__(self) -> None:
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()

    def write(self, token: str, seconds: int) -> str:
        """A ticket that can be exchanged once for a cookie holding `token` for `seconds`."""
        ticket, now = secrets.token_urlsafe(24), time.monotonic()
        with self._lock:
            self._pending = {t: p for t, p in self._pending.items() if now - p.written_at < _TICKET_SECONDS}
            self._pending[ticket] = _Pending(token, seconds, now)
        return ticket

    def take(self, ticket: str) -> _Pending | None:
        with self._lock:
            pending = self._pending.pop(ticket, None)
        if pending is None or time.monotonic() - pending.written_at >= _TICKET_SECONDS:
            return None
        return pending


TICKETS = Tickets()


def _from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page sent this; without a word of it, it is no page."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


async def _keep(request: Request) -> Response:
    if _from_elsewhere(request):
        return PlainTextResponse(_NOT_FROM_HERE, status_code=403)
    ticket = (await request.body())[:_LONGEST_TICKET].decode("ascii", "replace")
    pending = TICKETS.take(ticket)
    if pending is None:
        return PlainTextResponse("This sign-in ticket is not valid any more. Sign in again.", status_code=403)
    answer = Response(status_code=204)
    answer.set_cookie(
        NAME,
        pending.token,
        max_age=pending.seconds,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


async def _drop(request: Request) -> Response:
    if _from_elsewhere(request):
        return PlainTextResponse(_NOT_FROM_HERE, status_code=403)
    answer = Response(status_code=204)
    answer.delete_cookie(NAME, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


def routes() -> list[Route]:
    """The two routes of the console's own server: keep a sign-in, drop it."""
    return [Route(KEEP_PATH, _keep, methods=["POST"]), Route(DROP_PATH, _drop, methods=["POST"])]


def keeping_script(token: str, seconds: int) -> str:
    """HTML that makes the browser exchange a fresh ticket for the cookie."""
    ticket = TICKETS.write(token, seconds)
    return f"<script>fetch('{KEEP_PATH}', {{method: 'POST', body: '{ticket}'}})</script>"


def dropping_script() -> str:
    """HTML that makes the browser forget the cookie."""
    return f"<script>fetch('{DROP_PATH}', {{method: 'POST'}})</script>"
