"""How does an auditor check the record, read it, and see a decision made again?"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from casework.auditing import as_of, finding, replay_runs, story
from casework.deciding import decisions, replay_samples, replaying
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer, seq_of
from casework.http.bodies import Body, Moment, ShortText
from casework.people.permissions import Permission, Person
from data import said
from data.storage.stretches import newest, oldest

router = APIRouter(tags=["audit"])
_LOOK_SECONDS = 0.02


@router.get("/audit/verification")
async def verification(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """Walk the whole chain of events. Takes about a second per 100,000 events; who asks meanwhile shares the walk."""
    app = the_app(request)
    walk = await run_in_threadpool(app.walks.begin, app, person.user_id)
    while not walk.wait(0):  # so that nobody who waits takes a thread from others
        await asyncio.sleep(_LOOK_SECONDS)
    return json_answer(walk.found())


@router.post("/audit/verifications", status_code=202)
def begin_verification(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """The same walk, begun and not waited for; who asks while one is under way shares it. It changes nothing."""
    return json_answer(the_app(request).walks.begin(the_app(request), person.user_id).told(), status=202)


@router.get("/audit/verifications/last")
def last_verification(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """How far the walk under way is (`checked` of `total` events), or what the last one of this server found."""
    walk = the_app(request).walks.last
    return json_answer(walk.told() if walk else {"running": False, "report": None})


@router.get("/audit/ids/{wanted}")
def find(wanted: str, request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """What an id names: a decision, case, task, verdict, model, set, proposal or person; nothing is an empty list."""
    return json_answer({"found": finding.found(the_app(request).ledger, wanted)})


@router.get("/audit/decisions/{transaction_id}")
def decision_story(
    transaction_id: str, request: Request, person: Person = allowed(Permission.AUDIT_READ)
) -> Response:
    """One decision's whole story: what went in, which rules and model answered and who let them, what each reviewer was
    shown and said, what became of the payment, what is believed of it, and which models learned from it."""
    app = the_app(request)
    return json_answer(story.story(app, seq_of(app, transaction_id), transaction_id, person, now()))


@router.get("/audit/displays/{task_id}")
def display(task_id: str, request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """What a task's page showed before the verdict, and each part that was opened, from what was stored then."""
    return json_answer(story.display(the_app(request), task_id))


@router.get("/audit/as-of")
def as_of_moment(
    request: Request,
    at: Annotated[Moment | None, Query(description="a moment, with its offset; default now")] = None,
    person: Person = allowed(Permission.AUDIT_READ),
) -> Response:
    """Rules, policy, model, people, kill switch and snoozes as they were at a moment."""
    return json_answer(as_of.as_of(the_app(request), at or now()))


@router.get("/events")
def events(
    request: Request,
    subject: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    before: Annotated[int, Query(ge=0, le=2**62)] = 2**62,
    actor: Annotated[str, Query(max_length=64)] = "",
    since: Moment | None = None,
    until: Moment | None = None,
    order: Literal["asc", "desc"] = "asc",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    person: Person = allowed(Permission.AUDIT_READ),
) -> Response:
    """Events after `after` and before `before`, by subject (case:..., transaction:...), kind, actor or time if given.

    `order=asc` starts with the oldest (page on by `after`), `order=desc` with the newest (page on by `before`).
    """
    ledger = the_app(request).ledger
    asked = {"subject": subject, "kind": kind, "actor": actor, "since": since, "until": until}
    sql = f"{_EVENTS} ORDER BY seq {order} LIMIT $limit"

    def ask(low: int, high: int, most: int) -> list[dict[str, Any]]:
        return ledger.read(sql, {**asked, "low": low, "high": high, "limit": most})

    end = min(before, ledger.last_event.seq + 1)
    first = after + 1
    rows = oldest(ask, first, end, limit) if order == "asc" else newest(ask, end, limit, first=first)
    why = said.reasons(ledger, rows)
    return json_answer(
        {"events": [_event(row) | {"reasons": words} for row, words in zip(rows, why, strict=True)]}
    )


_EVENTS = """
    SELECT * FROM events WHERE seq >= $low AND seq < $high AND ($subject = '' OR subject = $subject)
      AND ($kind = '' OR kind = $kind) AND ($actor = '' OR actor = $actor)
      AND ($since IS NULL OR recorded_at >= $since) AND ($until IS NULL OR recorded_at < $until)
"""


def _event(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": row["seq"],
        "recorded_at": row["recorded_at"],
        "actor": row["actor"],
        "kind": row["kind"],
        "subject": row["subject"],
        # The hash is over these bytes, so the text is given as it is stored beside its parsed form.
        "payload": orjson.loads(row["payload"]),
        "payload_text": bytes(row["payload"]).decode(),
        "commitments": bytes(row["commitments"]).decode(),
        "prev_hash": bytes(row["prev_hash"]).hex(),
        "hash": bytes(row["hash"]).hex(),
        "seal": bytes(row["seal"]).hex() if row["seal"] is not None else "",
    }


class ReplayForm(Body):
    """How many decisions to draw (0 for all), and the seed of the draw: the same seed draws the same ones. More than a
    thousand are replayed beside the request, which is told how far that is."""

    sample: Annotated[int, Field(ge=0, le=replay_samples.MOST)] = 100
    seed: ShortText = ""


@router.post("/replays")
def replay_many(
    form: ReplayForm, request: Request, person: Person = allowed(Permission.AUDIT_READ)
) -> Response:
    """Make decisions drawn at random again, from what was stored and from the ledger; counts, and named differences.

    What came of it is kept as an event. Takes about a second per 100 decisions. More than a thousand are not waited
    for: 202, and `last` of GET /v1/replays says how far they are, and what came of them. One such replay at a time.
    """
    app, whole = the_app(request), form.sample == 0
    seed = form.seed or ("all" if whole else secrets.token_hex(4))
    if replay_samples.size(app.ledger, form.sample) > replay_runs.AT_ONCE:
        run = app.replays.begin_replay(app, form.sample, seed, person.user_id)
        return json_answer(run.told(), status=202)
    return json_answer(replay_samples.replay_sample(app, form.sample, seed, person.user_id))


@router.get("/replays")
def replays(request: Request, person: Person = allowed(Permission.AUDIT_READ)) -> Response:
    """What replays of many decisions found, the newest first; and `last`, the latest of this server that was not waited
    for: how far it is, and its report."""
    app = the_app(request)
    last = app.replays.last
    told = last.told() if last else None
    return json_answer({"replays": replay_samples.past_replays(app.ledger), "last": told})


@router.get("/replays/{transaction_id}")
def replay(
    transaction_id: str, request: Request, person: Person = allowed(Permission.AUDIT_READ)
) -> Response:
    """Decide a past transaction again, from the stored features and from the ledger; every difference is named."""
    app = the_app(request)
    then = decisions.required(app.ledger, seq_of(app, transaction_id), transaction_id)
    return json_answer(replaying.replay(app, then))
