"""Who was put on a list at run time, from which case, until when, and what has that caught?

A list entry made here adds to the approved lists at once and always expires: what should stay belongs in lists.yaml.
Team leads, risk managers and admins put an entry in force by themselves, because a fraudster does not wait for a second
signature; analysts propose, and somebody else confirms. Every entry is an event and keeps counting what it caught.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casework.safety import effects
from casework.safety.naming import end_of, new_id, reason_of
from casework.safety.snoozes import state_of
from data.errors import ConflictError, InputError, NotFoundError, PermissionDenied
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.control import ListEntry

LONGEST = timedelta(days=180)
USUAL = timedelta(days=30)
MOST_IN_ONE_STEP = 50
EFFECTS = ("block", "review")
CONFIRMED = "confirmed_fraud"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An entry somebody asks for. `case_id` is '' where it comes from no case."""

    entity: str
    value: str
    effect: str
    reason: str
    expires: datetime
    case_id: str = ""


def from_case(source: Ledger | Writer, case_id: str, entity: str, transaction_id: str = "") -> str:
    """The value of this entity in a payment that was confirmed as fraud, of a case that was settled as such.

    A case of several payments closes as the worst that was found, so each is asked for its own verdict. Without
    `transaction_id` the confirmed payments must agree on the value. NotFoundError for no such case or payment in it,
    ConflictError if that was not confirmed, InputError if there is no such entity or more than one value.
    """
    rows = source.read(
        f'SELECT c.verdict AS settled, x.verdict, t.transaction_id, t."{entity}" AS value FROM cases c '
        "JOIN case_transactions x USING (case_id) JOIN transactions t ON t.seq = x.transaction_seq "
        "WHERE c.case_id = ? ORDER BY x.added_at, x.transaction_seq",
        [case_id],
    )
    if not rows:
        raise NotFoundError("there is no such case", where=case_id)
    if rows[0]["settled"] != CONFIRMED:
        raise ConflictError(
            "only a case that was confirmed as fraud puts somebody on a list in one step",
            where=case_id,
            hint="Give a value and a reason of your own instead.",
        )
    return _one_value(_confirmed(rows, case_id, transaction_id), entity)


def _confirmed(rows: list[dict[str, Any]], case_id: str, transaction_id: str) -> list[dict[str, Any]]:
    """The confirmed payments of a case, or the one that is asked for."""
    asked = [row for row in rows if transaction_id in ("", row["transaction_id"])]
    if not asked:
        raise NotFoundError("this case has no such payment", where=transaction_id)
    confirmed = [row for row in asked if row["verdict"] == CONFIRMED]
    if not confirmed:
        raise ConflictError(
            "this payment was not confirmed as fraud, although its case was",
            where=transaction_id or case_id,
            hint="Name a payment that was, or give a value and a reason of your own.",
        )
    return confirmed


def _one_value(confirmed: list[dict[str, Any]], entity: str) -> str:
    values = dict.fromkeys(str(row["value"]) for row in confirmed if row["value"])
    if not values:
        raise InputError(f"the payment of this case has no {entity}", where=entity)
    if len(values) > 1:
        raise InputError(
            f"the confirmed payments of this case have {len(values)} values of {entity}",
            where=entity,
            hint="Give the transaction_id of the payment that is meant.",
        )
    return next(iter(values))


def check_reach(ledger: Ledger, entity: str, value: str, at: datetime) -> None:
    """ConflictError if blocking this value would stop many payments: one click must not close a merchant."""
    rows = ledger.read(
        f'SELECT count(*) AS n FROM transactions WHERE "{entity}" = ? AND occurred_at >= ?',
        [value, at - USUAL],
    )
    if rows[0]["n"] > MOST_IN_ONE_STEP:
        raise ConflictError(
            f"{entity} {value} took part in {rows[0]['n']:,} payments in {USUAL.days} days",
            where=entity,
            allowed=f"up to {MOST_IN_ONE_STEP} to be blocked in one step",
            hint="List it for review, or block it by its value with a reason of your own.",
        )


def propose(w: Writer, wanted: Wanted, *, by: str, at: datetime, in_force: bool) -> str:
    """Put a value on a list, in force at once or waiting for somebody to confirm it; returns the entry's id.

    ConflictError if the value is on that list, or proposed for it, already. Whoever can only propose may not read the
    lists, so is not told: the proposal is recorded, and ConflictError means that the same person made it before.
    """
    if wanted.effect not in EFFECTS:
        raise InputError(
            f"{wanted.effect[:40]!r} is not an effect", where="effect", allowed=", ".join(EFFECTS)
        )
    key = (wanted.entity, wanted.value.strip(), wanted.effect)
    there = [
        row
        for row in _of_value(w, *key, at)
        # What became of an own proposal is not told either, so one that was turned down counts, too.
        if (row["ended_at"] is None if in_force else row["proposed_by"] == by)
    ]
    if there:
        said = "this is listed, or proposed, already" if in_force else "you have proposed this already"
        raise ConflictError(said, where=there[0]["entry_id"])
    row = {
        "entry_id": new_id("entry", *key, by, at.isoformat()),
        "entity": key[0],
        "value": key[1],
        "effect": wanted.effect,
        "reason": reason_of(wanted.reason, "a list entry"),
        "case_id": wanted.case_id,
        "proposed_by": by,
        "proposed_at": at,
        "in_force_at": at if in_force else None,
        "expires_at": end_of(wanted.expires, at, LONGEST, "the entry"),
    }
    kind = "list_entry.in_force" if in_force else "list_entry.proposed"
    w.event(EventDraft(by, kind, f"list_entry:{row['entry_id']}", row), at)
    w.insert(
        "list_entries",
        [{**row, "confirmed_by": by if in_force else "", "ended_by": "", "ended_reason": ""}],
    )
    return str(row["entry_id"])


def confirm(w: Writer, entry_id: str, *, by: str, at: datetime) -> None:
    """Put a proposed entry in force. PermissionDenied to whoever proposed it, ConflictError if nothing waits, or the
    value is on that list already."""
    row = _standing(w, entry_id, at)
    if row["in_force_at"] is not None:
        raise ConflictError("this entry is in force already", where=entry_id)
    if row["proposed_by"] == by:
        raise PermissionDenied("you proposed this entry, so someone else must confirm it", where=entry_id)
    same = _of_value(w, row["entity"], row["value"], row["effect"], at)
    for other in same:
        if other["ended_at"] is None and other["in_force_at"] is not None:
            raise ConflictError(
                "this is listed already",
                where=other["entry_id"],
                hint="Turn the proposal down, or end that entry first.",
            )
    w.event(EventDraft(by, "list_entry.in_force", f"list_entry:{entry_id}", {"entry_id": entry_id}), at)
    w.execute(
        "UPDATE list_entries SET in_force_at = ?, confirmed_by = ? WHERE entry_id = ?", [at, by, entry_id]
    )


def end(w: Writer, entry_id: str, *, by: str, reason: str, at: datetime) -> None:
    """Take a value off, or turn a proposal down. NotFoundError, ConflictError, InputError without a reason."""
    why = reason_of(reason, "ending an entry")
    _standing(w, entry_id, at)
    w.event(EventDraft(by, "list_entry.ended", f"list_entry:{entry_id}", {"reason": why}), at)
    w.execute(
        "UPDATE list_entries SET ended_at = ?, ended_by = ?, ended_reason = ? WHERE entry_id = ?",
        [at, by, why, entry_id],
    )


def in_force(source: Ledger | Writer) -> list[ListEntry]:
    """Entries in force; whether one has expired is seen at each decision, by its moment."""
    rows = source.read(
        "SELECT entry_id, entity, value, effect, reason, expires_at AS expires FROM list_entries "
        "WHERE ended_at IS NULL AND in_force_at IS NOT NULL ORDER BY in_force_at, entry_id"
    )
    return [ListEntry(**row) for row in rows]


# However many are newer: what stands can be ended only by somebody who sees it.
_LISTED = """
    SELECT * FROM list_entries WHERE (ended_at IS NULL AND expires_at > ?)
       OR entry_id IN (SELECT entry_id FROM list_entries ORDER BY proposed_at DESC, entry_id LIMIT 500)
    ORDER BY proposed_at DESC, entry_id
"""


def listed(ledger: Ledger, at: datetime) -> list[dict[str, Any]]:
    """Every entry that stands or is proposed and the newest others, newest first, with its state at `at` and what it
    caught."""
    counted = effects.counts(ledger, effects.LIST_ENTRY)
    rows = ledger.read(_LISTED, [at])
    return [
        {**row, "state": _state(row, at), "caught": counted.get(row["entry_id"], effects.NONE)}
        for row in rows
    ]


def _state(row: dict[str, Any], at: datetime) -> str:
    state = state_of(row, at)
    return "proposed" if state == "in_force" and row["in_force_at"] is None else state


def _of_value(w: Writer, entity: str, value: str, effect: str, at: datetime) -> list[dict[str, Any]]:
    """Entries and proposals of a value that have not expired, also those that were ended."""
    return w.read(
        "SELECT entry_id, proposed_by, in_force_at, ended_at FROM list_entries "
        "WHERE entity = ? AND value = ? AND effect = ? AND expires_at > ? ORDER BY proposed_at, entry_id",
        [entity, value, effect, at],
    )


def _standing(w: Writer, entry_id: str, at: datetime) -> Mapping[str, Any]:
    rows = w.read("SELECT * FROM list_entries WHERE entry_id = ?", [entry_id])
    if not rows:
        raise NotFoundError("there is no such entry", where=entry_id)
    if rows[0]["ended_at"] is not None or rows[0]["expires_at"] <= at:
        raise ConflictError("this entry has ended already", where=entry_id)
    return rows[0]
