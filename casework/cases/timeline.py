"""What happened to a case, as one story: decisions, alerts, tasks, verdicts, notes, files and the payments?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any

import orjson

from casework.cases.cases import IN_ADJUDICATION, Case
from casework.review.review_design import REVIEWER_ROLES
from data import said
from data.ledger import Ledger

Row = dict[str, Any]
Entry = dict[str, Any]
# The steps of tasks and cases that nothing else in the story tells of.
_STEPS = (
    *("task.claimed", "task.released", "task.lock_expired", "task.snoozed", "task.escalated", "task.moved"),
    *("dossier.extended", "personal.unmasked"),
    *("case.merged", "case.split", "case.linked"),
)
_PARTS = {
    "links": "the linked entities",
    "what_if": "what would have changed the outcome",
    "similar": "the similar cases",
    "behind_rules": "the payments behind the rules",
}
_EVENTS = """
    SELECT seq, recorded_at AS "at", actor, kind, payload, commitments FROM events
    WHERE recorded_at >= ? AND list_contains(?, kind) AND list_contains(?, subject) ORDER BY seq
"""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a person may see of a case; `moves` are steps of its tasks and of the case itself."""

    payments: Sequence[Row]
    verdicts: Sequence[Row]
    dispositions: Sequence[Row]
    tasks: Sequence[Row]
    notes: Sequence[Row]
    files: Sequence[Row]
    moves: Sequence[Row]


def steps_of(ledger: Ledger, case_id: str, tasks: Sequence[Row]) -> list[Row]:
    """What was done with the tasks of a case and the case itself: {at, actor, kind, told}, `told` what the event says
    and the reason that was given for it."""
    since = min((task["created_at"] for task in tasks), default=None)
    if since is None:
        return []
    subjects = [f"case:{case_id}", *(f"task:{task['task_id']}" for task in tasks)]
    rows = ledger.read(_EVENTS, [since, list(_STEPS), subjects])
    why = said.reasons(ledger, rows)
    return [
        {**row, "told": {**orjson.loads(row["payload"]), **words}}
        for row, words in zip(rows, why, strict=True)
    ]


def timeline(case: Case, parts: Parts, role: str) -> list[Entry]:
    """The story, the oldest first: {at, kind, actor, text}."""
    story = [
        *_payments(case, parts),
        *_tasks(parts.moves),
        *_verdicts(parts),
        *_adjudication(case, parts, role),
        *(entry(note["at"], "note", note["author"], f"Note: {note['content']}") for note in parts.notes),
        *_files(parts.files),
        *_dispositions(parts),
        *_end(case),
    ]
    return sorted(story, key=lambda each: each["at"])


def entry(at: datetime, kind: str, actor: str, text: str) -> Entry:
    return {"at": at, "kind": kind, "actor": actor, "text": text}


def _payments(case: Case, parts: Parts) -> Iterator[Entry]:
    for row in parts.payments:
        first = row["transaction_seq"] == case.transaction_seq
        if row["decided_at"]:
            of = "" if first else f" of {row['transaction_id']}"
            yield entry(row["decided_at"], "decision", "engine", f"The engine answered {row['outcome']}{of}.")
        if not first:
            joined = f"A new alert joined, {row['transaction_id']}. {row['reason']}"
            yield entry(row["added_at"], "alert", "engine", joined.strip())
    yield entry(case.opened_at, "case", case.opened_by, f"Case opened. {case.reason_detail}".strip())


def _tasks(moves: Sequence[Row]) -> Iterator[Entry]:
    for move in moves:
        yield entry(move["at"], "task", move["actor"], _told(move["kind"], move["told"]))


def _told(kind: str, payload: Mapping[str, Any]) -> str:
    reason = str(payload.get("reason") or "").rstrip(".")
    to = payload.get("assignee") or payload.get("queue") or "whoever is next"
    seen = _PARTS.get(str(payload.get("part", "")), "a part of the dossier")
    return {
        "dossier.extended": f"Opened {seen}.",
        "personal.unmasked": f"Read the masked field {payload.get('field', '')}: {reason}.",
        "task.claimed": "Took the task.",
        "task.released": f"Gave the task back: {reason}.",
        "task.lock_expired": f"The claim of {payload.get('held_by', '')} ran out.",
        "task.snoozed": f"Set the task aside until {str(payload.get('until', ''))[:16]}: {reason}.",
        "task.escalated": "Escalated the task to a team lead.",
        "task.moved": f"Moved the task to {to}: {reason}.",
        "case.merged": f"Merged {payload.get('other', 'another case')} into this case: {reason}.",
        "case.split": f"Split payments off into {payload.get('into', 'another case')}: {reason}.",
        "case.linked": f"Linked with {payload.get('other', 'another case')}: {reason}.",
    }[kind]


def _verdicts(parts: Parts) -> Iterator[Entry]:
    several = len(parts.payments) > 1
    names = {row["transaction_seq"]: row["transaction_id"] for row in parts.payments}
    for verdict in parts.verdicts:
        undone = " (undone)" if verdict["undone_at"] else ""
        of = f" on {names.get(verdict['transaction_seq'], '')}" if several else ""
        # When the time is forgotten nothing is said of it: see keeping.retention.
        took = "" if isnan(verdict["seconds"]) else f" after {verdict['seconds']:.0f} s"
        how = " applied with others" if verdict["applied_from"] else took
        words = f"Verdict {verdict['value']}{of}{undone}{how}. {verdict['note']}"
        yield entry(verdict["given_at"], "verdict", verdict["reviewer"], words.strip())


def _adjudication(case: Case, parts: Parts, role: str) -> Iterator[Entry]:
    if case.status == IN_ADJUDICATION and role not in REVIEWER_ROLES:
        latest = max((verdict["given_at"] for verdict in parts.verdicts), default=case.opened_at)
        yield entry(latest, "adjudication", "policy", "The verdicts do not settle it: a team lead decides.")


def _files(files: Sequence[Row]) -> Iterator[Entry]:
    for file in files:
        size = f"{max(1, round(file['bytes'] / 1000)):,} kB"
        yield entry(file["at"], "file", file["author"], f"File {file['name']} ({size}).")
        if file["removed_at"]:
            yield entry(
                file["removed_at"], "file", "policy", f"File {file['name']} removed: its time was over."
            )


def _dispositions(parts: Parts) -> Iterator[Entry]:
    several = len(parts.payments) > 1
    for step in parts.dispositions:
        of = f" {step['transaction_id']}" if several else ""
        yield entry(
            step["at"], "disposition", step["actor"], f"Payment{of} {step['value']}: {step['reason']}"
        )


def _end(case: Case) -> Iterator[Entry]:
    if case.closed_at:
        how = f"settled as {case.verdict}" if case.verdict else case.status.replace("_", " ")
        yield entry(case.closed_at, "case", "policy", f"Case {how}.")
