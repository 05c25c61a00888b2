"""Is the server alive, and is it ready to decide?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.http.access import PUBLIC, the_app
from casework.http.answers import json_answer

router = APIRouter(tags=["health"])


@router.get("/healthz", dependencies=[PUBLIC])
async def alive() -> Response:
    """Answers as long as the process runs."""
    return json_answer({"status": "alive"})


@router.get("/readyz", dependencies=[PUBLIC])
def ready(request: Request) -> Response:
    """200 when decisions can be made, 503 before and while stopping."""
    ready_now = the_app(request).loop.is_open
    return json_answer({"status": "ready" if ready_now else "not ready"}, 200 if ready_now else 503)
