"""Is the server alive, and is it ready to decide?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.http.access import PUBLIC, the_app
from casework.http.answers import json_answer

router = APIRouter(tags=["health"])
_AGAIN = "2"


@router.get("/healthz", dependencies=[PUBLIC])
async def alive() -> Response:
    """Answers as long as the process runs."""
    return json_answer({"status": "alive"})


@router.get("/readyz", dependencies=[PUBLIC])
async def ready(request: Request) -> Response:
    """200 when decisions can be made; 503 before, while stopping, while what decides is built anew, and while the disk
    takes nothing. Asking has it built, so that waiting for readiness is enough. Told by the event loop itself: the
    threads that answer others may all be at work."""
    app = the_app(request)
    if app.is_ready:
        return json_answer({"status": "ready"})
    app.rebuild_soon()
    answer = json_answer({"status": "not ready"}, 503)
    answer.headers["retry-after"] = _AGAIN
    return answer
