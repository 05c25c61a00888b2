"""How is a report answered that somebody else may just have asked for?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from starlette.responses import Response

from casework.http.access import now, the_app
from casework.http.answers import encoded
from casework.people.permissions import Person


def kept_answer(
    request: Request, person: Person, work_out: Callable[[datetime], Any], *, own: bool = False
) -> Response:
    """What `work_out` says at this moment, or said to somebody of the same role within the last minute, as long as
    nobody has acted since (`casework.kept_answers`). `own` keeps it for this person alone. How old it is, in seconds,
    stands in the header Age.
    """
    app, at = the_app(request), now()
    whom = person.user_id if own else ""
    asked = (request.url.path, tuple(sorted(request.query_params.multi_items())))
    key = (*asked, person.role, whom, app.live.set_id)
    found = app.kept_answers.once(key, at, lambda: encoded(work_out(at)))
    age = max(0, (at - found.at) // timedelta(seconds=1))
    return Response(found.body, media_type="application/json", headers={"age": str(age)})
