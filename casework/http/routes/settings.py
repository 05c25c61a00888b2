"""Which rules and policy run, who approved them, and which files differ from them?"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.people.permissions import Permission, Person
from casework.settings import linting, rule_lock, shown
from casework.settings.drafts import drafts as drafts_of
from data import approved
from data.errors import NotFoundError
from engine.schemas import schemas

router = APIRouter(tags=["rules and policy"])


@router.get("/rules")
def rules(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """The rules that run, with how often each fired in the last thirty days of decisions."""
    app = the_app(request)
    return json_answer(
        {"set_id": app.live.set_id, "rules": shown.rule_rows(app.ledger, app.live.settings.rules)}
    )


@router.get("/rules/{rule_id}")
def rule(rule_id: str, request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """One rule: its file as approved, and what was read from it."""
    app = the_app(request)
    row = next((r for r in shown.rule_rows(app.ledger, app.live.settings.rules) if r["id"] == rule_id), None)
    if row is None:
        raise NotFoundError(f"no rule {rule_id[:100]!r} is approved", hint="GET /v1/rules lists them.")
    content = app.live.settings.files.get(f"catalogue/{rule_id}.yaml", b"")
    return json_answer({**row, "file": content.decode("utf-8", "replace")})


@router.get("/policy")
def policy(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """The policy that runs: as read (money in minor units), and the file as approved."""
    app = the_app(request)
    file = app.live.settings.files["policy.yaml"].decode("utf-8", "replace")
    return json_answer({"policy": shown.plain(app.live.settings.policy), "file": file})


@router.get("/approved-set")
def approved_set(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """The set that runs: who approved it, when, and the hash of each file."""
    app = the_app(request)
    row = shown.set_row(approved.current(app.ledger))
    return json_answer({**row, "rules": rule_lock.locked(app.settings().rules)})


@router.get("/drafts")
def drafts(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """Files of the workspace that differ from the approved set, with a unified diff and what is wrong with them."""
    app = the_app(request)
    return json_answer(drafts_of(app, now()))


@router.get("/findings")
def findings(request: Request, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """What the linter says of the workspace's files, held against the set that runs, and every check there is."""
    found = linting.lint_workspace(the_app(request), now())
    rows = [linting.finding_row(finding) for finding in found]
    return json_answer({"findings": rows, "checks": linting.check_rows()})


@router.get("/schemas/{name}")
def schema(name: str, person: Person = allowed(Permission.SETTINGS_READ)) -> Response:
    """The JSON Schema of rule, policy, features or lists files, for editors."""
    known = schemas()
    if name not in known:
        raise NotFoundError(f"there is no schema {name[:100]!r}", allowed=", ".join(known))
    return json_answer(known[name])
