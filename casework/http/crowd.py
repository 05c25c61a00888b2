"""How many requests other than decisions may be under way at once, and what becomes of one more?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from casework.http.problems import problem

MOST_AT_ONCE = 200
_AGAIN_SECONDS = 2
_ALWAYS = ("/healthz", "/readyz", "/metrics")


class Crowd:
    """ASGI middleware: 429 with Retry-After for the request that is one too many.

    Its JSON is there already, so that nobody holds a place with a body that comes slowly; what bodies take together has
    a bound of its own (casework.http.bounds). So have decisions (casework.deciding.loop); health is always told.
    """

    def __init__(self, app: ASGIApp, refused: Callable[[str, int], None], most: int = MOST_AT_ONCE) -> None:
        self._app, self._refused, self._most = app, refused, most
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            self._refused("crowd", 0)
            what = f"{self._most} requests are under way already."
            answer = problem(429, "Too much at once", what, f"Send it again in {_AGAIN_SECONDS} s or later.")
            answer.headers["retry-after"] = str(_AGAIN_SECONDS)
            await answer(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
