"""How do people stop the engine, see to alarms, snooze rules and put somebody on a list?"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from casework.cases import revealing
from casework.deciding.decider import Load
from casework.http.access import allowed, now, the_app
from casework.http.answers import json_answer
from casework.http.bodies import Body, Identifier, Moment, ShortText
from casework.people.permissions import Permission, Person, require
from casework.review import blindness
from casework.safety import actions, alarms, list_entries, overview, snoozes
from data.errors import NotFoundError

router = APIRouter(tags=["safety"])

Reason = Annotated[str, Field(min_length=3, max_length=2000)]
Id = Annotated[str, Field(max_length=64)]
Rate = Annotated[float, Field(gt=0, lt=1)] | None


class KillSwitchForm(Body):
    is_on: bool
    reason: Reason


class ReasonForm(Body):
    reason: Reason


class ResumeForm(Body):
    """`expected` is the share of decisions it may speak up in from now on; without it, the share it had."""

    reason: Reason
    expected: Rate = None


class SnoozeForm(Body):
    """`rule_id` is left out to snooze every rule that asks."""

    entity: Id
    value: Identifier
    rule_id: Id = ""
    expires_at: Moment
    reason: Reason


class ListEntryForm(Body):
    """Either a value, an expiry and a reason; or a confirmed case, whose confirmed payment has the value:
    `transaction_id` says which, where there are several."""

    entity: Id
    value: ShortText = ""
    case_id: ShortText = ""
    transaction_id: ShortText = ""
    effect: Literal["block", "review"] = "block"
    expires_at: Moment | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""


@router.get("/safety")
def standing(request: Request, person: Person = allowed(Permission.SAFETY_READ)) -> Response:
    """Kill switch, capacity and its price, alarms, what the breaker watches and did, and how often no model ran."""
    app, at = the_app(request), now()
    live, load = app.live, Load(app.ledger).at(at)
    return json_answer(overview.overview(app.ledger, live.guard, live.settings, load, at))


@router.get("/alarms")
def open_alarms(
    request: Request,
    state: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    person: Person = allowed(Permission.SIGNED_IN),
) -> Response:
    """Open alarms (or all), newest first, and whether the kill switch is on."""
    ledger = the_app(request).ledger
    told = overview.banner(ledger)
    if not person.may(Permission.SAFETY_READ):
        return json_answer({**told, "alarms": []})
    if state == "all":
        told["alarms"] = alarms.listed(ledger, only_open=False)
    return json_answer(told)


@router.post("/alarms/{alarm_id}/acknowledgement", status_code=204)
def acknowledge(
    alarm_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.SAFETY_STOP)
) -> Response:
    """Say that somebody has seen to an alarm; a cap of the breaker ends with it."""
    actions.acknowledge(the_app(request), alarm_id, by=person.user_id, reason=form.reason, at=now())
    return Response(status_code=204)


@router.get("/kill-switch")
def kill_switch(request: Request, person: Person = allowed(Permission.SIGNED_IN)) -> Response:
    """Whether the kill switch is on, who turned it last, when and why."""
    return json_answer(overview.banner(the_app(request).ledger)["kill_switch"])


@router.post("/kill-switch")
def turn_kill_switch(
    form: KillSwitchForm, request: Request, person: Person = allowed(Permission.SAFETY_STOP)
) -> Response:
    """On: no automatic declines and no model from the next decision on. Off again by somebody else."""
    if not form.is_on:
        require(person, Permission.SAFETY_START)
    stands = actions.turn_kill_switch(
        the_app(request), form.is_on, by=person.user_id, reason=form.reason, at=now()
    )
    return json_answer(stands.as_json())


@router.post("/breaker/{act_id}/end")
def resume(
    act_id: str, form: ResumeForm, request: Request, person: Person = allowed(Permission.SAFETY_START)
) -> Response:
    """Let what the breaker paused or capped go on, held against the stated rate from now on."""
    act = actions.resume(
        the_app(request), act_id, by=person.user_id, reason=form.reason, at=now(), expected=form.expected
    )
    return json_answer({"act_id": act_id, "kind": act["kind"], "subject": act["subject"]})


@router.get("/snoozes")
def list_snoozes(request: Request, person: Person = allowed(Permission.SAFETY_READ)) -> Response:
    """Snoozes, newest first, with what each silenced and what became known of it."""
    return json_answer({"snoozes": snoozes.listed(the_app(request).ledger, now())})


@router.post("/snoozes", status_code=201)
def snooze(form: SnoozeForm, request: Request, person: Person = allowed(Permission.CONTROLS_SET)) -> Response:
    """Keep one rule, or every rule that asks, quiet for one value of an entity until it expires."""
    made = actions.snooze(
        the_app(request),
        entity=form.entity,
        value=form.value,
        rule_id=form.rule_id,
        expires=form.expires_at,
        by=person.user_id,
        reason=form.reason,
        at=now(),
    )
    return json_answer({"snooze_id": made}, 201)


@router.post("/snoozes/{snooze_id}/end", status_code=204)
def end_snooze(
    snooze_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.CONTROLS_SET)
) -> Response:
    """Let the rule speak again."""
    actions.end_snooze(the_app(request), snooze_id, by=person.user_id, reason=form.reason, at=now())
    return Response(status_code=204)


@router.get("/list-entries")
def list_list_entries(request: Request, person: Person = allowed(Permission.SAFETY_READ)) -> Response:
    """List entries made at run time, newest first, with what each caught and what became known of it."""
    return json_answer({"entries": list_entries.listed(the_app(request).ledger, now())})


@router.post("/list-entries", status_code=201)
def add_list_entry(
    form: ListEntryForm, request: Request, person: Person = allowed(Permission.LISTS_PROPOSE)
) -> Response:
    """Put a value on the block or review list, in force at once; what an analyst asks for waits for a confirmation."""
    app, at = the_app(request), now()
    in_force = person.may(Permission.CONTROLS_SET)
    if form.case_id:
        _check_visible(request, form.case_id, person)
        made = actions.list_from_case(
            app,
            form.case_id,
            form.entity,
            effect=form.effect,
            expires=form.expires_at,
            reason=form.reason,
            by=person.user_id,
            at=at,
            in_force=in_force,
            transaction_id=form.transaction_id,
        )
    else:
        expires = form.expires_at or at + list_entries.USUAL
        wanted = list_entries.Wanted(form.entity, form.value, form.effect, form.reason, expires)
        made = actions.list_value(app, wanted, by=person.user_id, at=at, in_force=in_force)
    return json_answer({"entry_id": made, "in_force": in_force}, 201)


@router.post("/list-entries/{entry_id}/confirmation", status_code=204)
def confirm_entry(
    entry_id: str, request: Request, person: Person = allowed(Permission.CONTROLS_SET)
) -> Response:
    """Put a proposed entry in force; not by whoever proposed it."""
    actions.confirm_entry(the_app(request), entry_id, by=person.user_id, at=now())
    return Response(status_code=204)


@router.post("/list-entries/{entry_id}/end", status_code=204)
def end_entry(
    entry_id: str, form: ReasonForm, request: Request, person: Person = allowed(Permission.CONTROLS_SET)
) -> Response:
    """Take a value off the list, or turn a proposal down."""
    actions.end_entry(the_app(request), entry_id, by=person.user_id, reason=form.reason, at=now())
    return Response(status_code=204)


def _check_visible(request: Request, case_id: str, person: Person) -> None:
    """NotFoundError where there is no such case, or this person may not see its payments: nobody can tell which."""
    ledger = the_app(request).ledger
    rows = ledger.read("SELECT transaction_seq AS seq FROM case_transactions WHERE case_id = ?", [case_id])
    for row in rows:  # whether it was confirmed is told by whether the entry is taken
        revealing.note(ledger, person.user_id, person.role, row["seq"], now(), whole=True)
    if not rows or not all(
        blindness.visible_to(ledger, person.user_id, person.role, row["seq"]) for row in rows
    ):
        raise NotFoundError("there is no such case", where=case_id)
