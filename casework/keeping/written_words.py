"""What have people written about somebody's payments, where does it stand, and how is it taken out?

Words that events commit to lie in `personal_values`, and most stand a second time in the row that the page is made
from. Both go; what an event of an earlier version says in clear stays in it, and in a row that is compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from casework.review.flags import WITHDRAWN
from data.canonical import canonical_json
from data.said import ERASED, REASONS
from data.writer import Writer

_ABOUT = "transaction_seq IN (SELECT unnest(CAST(? AS BIGINT[])))"
_WORDS = (
    ("notes", "content", ERASED, ""),
    ("verdicts", "note", ERASED, ""),
    ("verdicts", "corrections", "{}", ""),
    ("revisions", "note", ERASED, ""),
    ("escalations", "note", ERASED, ""),
    ("skips", "reason", ERASED, "escalated"),
    ("flags", "detail", ERASED, ""),
    ("flags", "answer", ERASED, WITHDRAWN),
)
"""Where people's words about a payment stand, what stands there afterwards, and what the program writes there."""
WRITTEN = (
    "(SELECT e.seq, p.field, unnest(coalesce(CAST(e.j->'about' AS BIGINT[]),"
    " [coalesce(CAST(e.j->>'transaction_seq' AS BIGINT), k.transaction_seq)])) AS about"
    " FROM personal_values p JOIN (SELECT seq, kind, subject, CAST(decode(payload) AS JSON) AS j FROM events"
    " WHERE commitments <> '{}'::BLOB) e ON p.owner = 'event:' || e.seq"
    " LEFT JOIN tasks k ON e.kind = 'task.escalated' AND e.subject = 'task:' || k.task_id)"
)
"""Words that events commit to ({seq, field}), once for each payment they are about: what is said of several names
them as `about`, and earlier versions named only the task escalated."""
AMONG_WRITTEN = "about IN (SELECT unnest(CAST({} AS BIGINT[])))"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the words of an event's field stand a second time: the rows whose `key` is what the event calls `told`, or
    the event's subject."""

    field: str
    table: str
    column: str
    key: str
    told: str = ""


_PLACES = {
    "disposition.recorded": (
        _Place("reason", "dispositions", "reason", "disposition_seq", "disposition_seq"),
    ),
    "case.opened": (
        _Place("reason_detail", "cases", "reason_detail", "case_id"),
        _Place("reason_detail", "case_transactions", "reason", "transaction_seq", "transaction_seq"),
    ),
    "case.split": (_Place("reason", "cases", "reason_detail", "case_id", "into"),),
    "verdict.given": (
        _Place("typology", "verdicts", "typology", "verdict_id"),
        _Place("reason_code", "verdicts", "reason_code", "verdict_id"),
    ),
    "golden.added": (_Place("reason", "golden_cases", "reason", "golden_id"),),
    "golden.retired": (_Place("reason", "golden_cases", "retired_because", "golden_id"),),
}
_OPENED = "Opened by hand: "
"""How the sentence begins that says why somebody opened a case (casework.cases.cases)."""
SHOWN_WORDS = (
    f"contains(CAST(decode(content) AS JSON)->>'$.why.sentence', '{_OPENED}') AND NOT"
    f" contains(CAST(decode(content) AS JSON)->>'$.why.sentence', '{_OPENED}{ERASED}')"
)
"""Dossiers that tell reviewers in somebody's words why they are asked."""


def erase(w: Writer, seqs: Sequence[int]) -> int:
    """Erase what was written about these payments; how many words that events commit to."""
    rows = w.read(
        f"SELECT DISTINCT seq, field FROM {WRITTEN} WHERE {AMONG_WRITTEN.format('?')}", [list(seqs)]
    )
    fields: dict[int, set[str]] = {}
    for row in rows:
        fields.setdefault(row["seq"], set()).add(row["field"])
    if fields:
        w.execute(
            "DELETE FROM personal_values WHERE owner IN (SELECT unnest(CAST(? AS VARCHAR[])))",
            [[f"event:{seq}" for seq in fields]],
        )
    for table, column, blank, our_own in _WORDS:
        w.execute(
            f"UPDATE {table} SET {column} = ? WHERE {_ABOUT} AND {column} NOT IN ('', ?, ?)",
            [blank, list(seqs), blank, our_own],
        )
    _second_copies(w, fields)
    return len(rows)


def without_words(shown: dict[str, Any]) -> bool:
    """Take somebody's words out of the sentence by which a dossier says why it is there; whether there were any."""
    why = shown.get("why") or {}
    before, mark, words = str(why.get("sentence", "")).partition(_OPENED)
    if not mark or words == ERASED:
        return False
    shown["why"] = {**why, "sentence": f"{before}{mark}{ERASED}"}
    return True


def _second_copies(w: Writer, fields: Mapping[int, set[str]]) -> None:
    """Blank the reasons of these events ({seq: fields}) in the rows that follow from them."""
    events = w.read(
        "SELECT seq, kind, subject, payload FROM events WHERE seq IN (SELECT unnest(CAST(? AS BIGINT[])))",
        [[seq for seq, erased in fields.items() if erased & REASONS]],
    )
    keys: dict[_Place, list[str]] = {}
    for event in events:
        told, name = orjson.loads(event["payload"]), event["subject"].partition(":")[2]
        for place in _PLACES.get(event["kind"], ()):
            if place.field in fields[event["seq"]]:
                keys.setdefault(place, []).append(str(told[place.told]) if place.told else name)
        if event["kind"] == "case.linked":
            pair = sorted((name, told["other"]))
            w.execute("UPDATE case_links SET reason = ? WHERE case_id = ? AND other_id = ?", [ERASED, *pair])
    for place, of in keys.items():
        among = f"CAST({place.key} AS VARCHAR) IN (SELECT unnest(CAST(? AS VARCHAR[])))"
        w.execute(f"UPDATE {place.table} SET {place.column} = ? WHERE {among}", [ERASED, of])
    _messages(w, [f"event_{each['seq']}" for each in events if each["kind"] == "disposition.recorded"])


def _messages(w: Writer, message_ids: Sequence[str]) -> None:
    """Blank the reason in what was, or will be, sent about dispositions."""
    rows = w.read(
        "SELECT delivery_id, body FROM deliveries WHERE message_id IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [list(message_ids)],
    )
    for row in rows:
        body = orjson.loads(row["body"])
        body["data"]["reason"] = ERASED
        told = canonical_json(body).decode()
        w.execute("UPDATE deliveries SET body = ? WHERE delivery_id = ?", [told, row["delivery_id"]])
