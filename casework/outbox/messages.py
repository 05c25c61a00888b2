"""Which messages wait to be sent, which arrived, and which were given up?

A message is written in the same commit as the disposition it tells of, one row for each webhook, so that none is lost
and none tells of what did not happen. Its id is that of the event: whoever has seen the id has seen the message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import orjson

from casework.outbox import endpoints
from data.canonical import canonical_json, rfc3339
from data.errors import ConflictError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

WAITING, SENT, DEAD = "waiting", "sent", "dead"
STATUSES = (WAITING, SENT, DEAD)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=6)
MOST_ATTEMPTS = 16
"""With pauses that double from five seconds up to six hours, a message is given up after about two days."""
KEPT = timedelta(days=30)


def disposition_recorded(w: Writer, event_seq: int, made: dict[str, Any], at: datetime) -> None:
    """Put what happened to a payment into the outbox, once for each webhook."""
    hooks = endpoints.active(w)
    if not hooks:
        return
    message_id = f"event_{event_seq}"
    data = {**made, "at": rfc3339(made["at"])}
    body = canonical_json({"type": "disposition.recorded", "timestamp": rfc3339(at), "data": data}).decode()
    w.insert("deliveries", [_row(hook["webhook_id"], message_id, body, at) for hook in hooks])


def tell(
    w: Writer,
    kind: str,
    message_id: str,
    data: dict[str, Any],
    at: datetime,
    hosts: Collection[str] | None = None,
) -> int:
    """Put any other news into the outbox, once for each webhook, or for each on one of `hosts`; how many.

    `data` may hold moments.
    """
    hooks = [h for h in endpoints.active(w) if hosts is None or endpoints.host_of(h["url"]) in hosts]
    if hooks:
        body = canonical_json({"type": kind, "timestamp": rfc3339(at), "data": _plain(data)}).decode()
        w.insert("deliveries", [_row(hook["webhook_id"], message_id, body, at) for hook in hooks])
    return len(hooks)


_UNTOLD = """
SELECT a.alarm_id, a.kind, a.subject, a.sentence, a.raised_at, h.webhook_id FROM alarms a
JOIN webhooks h ON h.removed_at IS NULL AND h.created_at <= a.raised_at
WHERE a.raised_at > ? AND NOT EXISTS (
    SELECT 1 FROM deliveries d WHERE d.webhook_id = h.webhook_id AND d.message_id = a.alarm_id)
"""
LATE = timedelta(days=1)
"""An alarm older than this is no news any more."""


def tell_alarms(w: Writer, at: datetime) -> int:
    """Put alarms raised since a webhook was added, and not told there yet, into the outbox; how many messages. Alarms
    are raised beside decisions, in writes that must not read, so they are gathered up here."""
    made = []
    for row in untold(w, at):
        data = _plain({name: row[name] for name in ("alarm_id", "kind", "subject", "sentence", "raised_at")})
        body = canonical_json({"type": "alarm.raised", "timestamp": rfc3339(at), "data": data}).decode()
        made.append(_row(row["webhook_id"], row["alarm_id"], body, at))
    if made:
        w.insert("deliveries", made)
    return len(made)


def untold(source: Ledger | Writer, at: datetime) -> list[dict[str, Any]]:
    """Alarms that some webhook has not been told of, one row for each of both."""
    return source.read(_UNTOLD, [at - LATE])


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {name: rfc3339(value) if isinstance(value, datetime) else value for name, value in data.items()}


def ping(w: Writer, webhook_id: str, by: str, at: datetime) -> str:
    """Put a message that says nothing into the outbox, to try an address; its id."""
    if not any(hook["webhook_id"] == webhook_id for hook in endpoints.active(w)):
        raise NotFoundError("there is no such webhook", where=webhook_id[:80])
    seq = w.event(EventDraft(by, "webhook.pinged", f"webhook:{webhook_id}", {}), at)
    body = canonical_json({"type": "ping", "timestamp": rfc3339(at), "data": {}}).decode()
    w.insert("deliveries", [_row(webhook_id, f"event_{seq}", body, at)])
    return f"event_{seq}"


def due(ledger: Ledger, at: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """Messages to send now, the oldest first, at most `limit` for each webhook, with the address of each: one whose
    receiver is away for long keeps no other waiting."""
    # Messages are never only in the journal, so this costs those who decide no settling.
    return ledger.read_settled(
        "SELECT d.delivery_id, d.webhook_id, d.message_id, d.body, d.attempts, h.url FROM deliveries d "
        "JOIN webhooks h USING (webhook_id) WHERE d.status = 'waiting' AND d.due_at <= ? AND h.removed_at IS NULL "
        "QUALIFY row_number() OVER (PARTITION BY d.webhook_id ORDER BY d.created_at, d.delivery_id) <= ? "
        "ORDER BY d.created_at, d.delivery_id",
        [at, limit],
    )


def arrived(w: Writer, delivery: dict[str, Any], answer: str, at: datetime) -> None:
    """Note that the receiver took a message."""
    _update(w, delivery, SENT, delivery["attempts"] + 1, at, at, answer)


def failed(w: Writer, delivery: dict[str, Any], answer: str, at: datetime) -> str:
    """Note that it did not; returns whether the message still waits, or is dead, which is an event."""
    attempts = delivery["attempts"] + 1
    pause = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    status = DEAD if attempts >= MOST_ATTEMPTS else WAITING
    _update(w, delivery, status, attempts, at + pause, at, answer)
    if status == DEAD:
        payload = {"message_id": delivery["message_id"], "attempts": attempts, "last_answer": answer}
        w.event(EventDraft("outbox", "delivery.given_up", f"webhook:{delivery['webhook_id']}", payload), at)
    return status


def resend(w: Writer, delivery_id: str, by: str, at: datetime) -> None:
    """Have a message sent again from the first attempt, also one that arrived. NotFoundError for no such message;
    ConflictError if its webhook is gone."""
    rows = w.read("SELECT webhook_id, message_id FROM deliveries WHERE delivery_id = ?", [delivery_id])
    if not rows:
        raise NotFoundError("there is no such delivery", where=delivery_id[:80])
    if not any(hook["webhook_id"] == rows[0]["webhook_id"] for hook in endpoints.active(w)):
        raise ConflictError("its webhook was removed", where=delivery_id)
    w.execute(
        "UPDATE deliveries SET status = 'waiting', attempts = 0, due_at = ?, answered_at = NULL WHERE delivery_id = ?",
        [at, delivery_id],
    )
    payload = {"message_id": rows[0]["message_id"]}
    w.event(EventDraft(by, "delivery.resent", f"webhook:{rows[0]['webhook_id']}", payload), at)


def listed(ledger: Ledger, status: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Messages, the newest first: {delivery_id, webhook_id, url, message_id, status, attempts, created_at, due_at,
    answered_at, last_answer, body}."""
    rows = ledger.read(
        "SELECT d.*, h.url FROM deliveries d JOIN webhooks h USING (webhook_id) WHERE ? IN ('', d.status) "
        "ORDER BY d.created_at DESC, d.delivery_id LIMIT ?",
        [status, limit],
    )
    return [{**row, "body": orjson.loads(row["body"])} for row in rows]


def counts(ledger: Ledger) -> dict[str, int]:
    """How many messages have which status."""
    rows = ledger.read("SELECT status, count(*) AS n FROM deliveries GROUP BY status")
    return {status: next((r["n"] for r in rows if r["status"] == status), 0) for status in STATUSES}


def forget_sent(w: Writer, at: datetime) -> int:
    """Drop messages that arrived long ago; the dispositions they told of stay. How many."""
    old = [at - KEPT]
    n = w.read("SELECT count(*) AS n FROM deliveries WHERE status = 'sent' AND answered_at < ?", old)[0]["n"]
    if n:
        w.execute("DELETE FROM deliveries WHERE status = 'sent' AND answered_at < ?", old)
    return int(n)


def _row(webhook_id: str, message_id: str, body: str, at: datetime) -> dict[str, Any]:
    name = hashlib.sha256(f"{webhook_id}:{message_id}".encode()).hexdigest()[:16]
    return {
        "delivery_id": f"delivery_{name}",
        "webhook_id": webhook_id,
        "message_id": message_id,
        "body": body,
        "status": WAITING,
        "attempts": 0,
        "created_at": at,
        "due_at": at,
        "answered_at": None,
        "last_answer": "",
    }


def _update(
    w: Writer,
    delivery: dict[str, Any],
    status: str,
    attempts: int,
    due_at: datetime,
    at: datetime,
    answer: str,
) -> None:
    w.execute(
        "UPDATE deliveries SET status = ?, attempts = ?, due_at = ?, answered_at = ?, last_answer = ? "
        "WHERE delivery_id = ?",
        [status, attempts, due_at, at, answer[:300], delivery["delivery_id"]],
    )
