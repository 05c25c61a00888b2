"""What has the breaker paused or capped, does it still hold, and who ended it?"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from casework.safety.naming import new_id, reason_of
from data.errors import ConflictError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.breaker import ON_TRIAL, PAUSE, Acted

_WORDS = {PAUSE: "paused"}


def record(w: Writer, acted: Acted, at: datetime) -> str:
    """Write down what the breaker did; returns the act's id."""
    act_id = new_id("act", acted.action, acted.kind, acted.subject, acted.version, at.isoformat())
    row = {
        "act_id": act_id,
        "action": acted.action,
        "kind": acted.kind,
        "subject": acted.subject,
        "version": acted.version,
        "sentence": acted.sentence,
        "seen": acted.seen,
        "alarms": acted.alarms,
        "expected": acted.expected.rate,
        "acted_at": at,
    }
    kind = f"breaker.{_WORDS.get(acted.action, 'capped')}"
    w.event(EventDraft("breaker", kind, f"{acted.kind}:{acted.subject}", row), at)
    w.insert("breaker_acts", [{**row, "ended_by": "", "ended_reason": ""}])
    return act_id


def in_force(source: Ledger | Writer) -> list[dict[str, Any]]:
    """Acts that nobody has ended, oldest first, but for those on rollouts that were stopped since; whether what else
    they are about still runs is for the caller to see."""
    return source.read(
        "SELECT * FROM breaker_acts WHERE ended_at IS NULL AND (NOT list_contains(?, kind) OR version IN "
        "(SELECT trial_id FROM trials WHERE stopped_at IS NULL)) ORDER BY acted_at, act_id",
        [list(ON_TRIAL)],
    )


def listed(source: Ledger | Writer, standing: Collection[str] = (), limit: int = 100) -> list[dict[str, Any]]:
    """The newest acts and those `standing`, newest first: what stands can be ended only by somebody who sees it."""
    return source.read(
        "SELECT * FROM breaker_acts WHERE list_contains(CAST(? AS VARCHAR[]), act_id) OR act_id IN "
        "(SELECT act_id FROM breaker_acts ORDER BY acted_at DESC, act_id LIMIT ?) ORDER BY acted_at DESC, act_id",
        [sorted(standing), limit],
    )


def stated_rates(source: Ledger | Writer) -> dict[tuple[str, str, str], float]:
    """The rates that people stated when they ended an act, by kind, subject and version; the latest each."""
    rows = source.read(
        "SELECT kind, subject, version, arg_max(stated_rate, ended_at) AS rate FROM breaker_acts "
        "WHERE stated_rate IS NOT NULL GROUP BY ALL"
    )
    return {(row["kind"], row["subject"], row["version"]): row["rate"] for row in rows}


def end(
    w: Writer, act_id: str, *, by: str, reason: str, at: datetime, expected: float | None = None
) -> dict[str, Any]:
    """Let what was paused or capped go on; returns the act. `expected` is the rate it is held against from now on;
    without one, the rate it had when the breaker acted is taken as accepted.

    NotFoundError, ConflictError if it was ended before, InputError without a reason.
    """
    why = reason_of(reason, "going on")
    rows = w.read("SELECT * FROM breaker_acts WHERE act_id = ?", [act_id])
    if not rows:
        raise NotFoundError("the breaker did no such thing", where=act_id)
    act = rows[0]
    if act["ended_at"] is not None:
        raise ConflictError("this was ended before", where=act["ended_by"])
    rate = act["alarms"] / act["seen"] if expected is None else expected
    payload = {"act_id": act_id, "reason": why, "expected": rate}
    w.event(EventDraft(by, "breaker.ended", f"{act['kind']}:{act['subject']}", payload), at)
    w.execute(
        "UPDATE breaker_acts SET ended_at = ?, ended_by = ?, ended_reason = ?, stated_rate = ? WHERE act_id = ?",
        [at, by, why, rate, act_id],
    )
    return act
