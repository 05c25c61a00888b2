"""When is a scorecard issued, who has read it, and what does its reviewer say to it?

A scorecard is issued to its reviewer, as figures that no longer change. Nobody else reads it before the reviewer has
opened it, or the policy's time has passed; every look by somebody else is on record, and the reviewer sees it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.quality.consensus.of_ledger import latest
from casework.quality.scorecards.reviews import by_reviewer, reviews
from casework.quality.scorecards.scorecard import LEAST, LOOKS_BACK, scorecard
from casework.quality.scorecards.signals import standings
from casework.review.review_design import REVIEWER_ROLES
from data.canonical import canonical_json, sha256_hex
from data.errors import ConflictError, InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

LONGEST_COMMENT = 2000
_COLUMNS = "scorecard_id, reviewer, since, issued_at, flagged, content, opened_at"


def figures(ledger: Ledger, policy: Policy, until: datetime) -> dict[str, dict[str, Any]]:
    """Everybody's figures as they stand at `until`, by reviewer."""
    since = until - LOOKS_BACK
    given = reviews(ledger, since, until, policy.labels.maturity)
    found, fit = standings(given), latest(ledger, until)
    return {
        who: scorecard(who, rows, found.get(who), fit, since, until)
        for who, rows in by_reviewer(given).items()
    }


def issue_due(ledger: Ledger, policy: Policy, at: datetime) -> int:
    """Issue a scorecard to every reviewer whose last one is as old as the policy says, and who has given LEAST verdicts
    in the time it looks back on; how many."""
    due = _due(ledger, policy, at)
    if not due:
        return 0
    cards = {who: card for who, card in figures(ledger, policy, at).items() if who in due}
    made = [card for card in cards.values() if card["reviews"] >= LEAST]
    if made:
        with ledger.writing() as w:
            for card in made:
                _issue(w, card, at)
    return len(made)


def _due(ledger: Ledger, policy: Policy, at: datetime) -> set[str]:
    people = ledger.read(
        "SELECT user_id FROM users WHERE disabled_at IS NULL AND list_contains(?, role)",
        [list(REVIEWER_ROLES)],
    )
    recent = ledger.read(
        "SELECT DISTINCT reviewer FROM scorecards WHERE issued_at > ?", [at - policy.design.scorecards.every]
    )
    return {row["user_id"] for row in people} - {row["reviewer"] for row in recent}


def _issue(w: Writer, card: dict[str, Any], at: datetime) -> None:
    content = canonical_json(card)
    name = sha256_hex(f"{card['reviewer']}:{at.isoformat()}".encode())[:16]
    flagged = bool(card["signals"]["flags"])
    row = {"scorecard_id": f"scorecard_{name}", "reviewer": card["reviewer"], "since": card["since"]}
    w.insert("scorecards", [{**row, "issued_at": at, "flagged": flagged, "content": content.decode()}])
    # Whoever may read events learns that it was issued, and not what it says.
    payload = {"reviewer": card["reviewer"], "content_sha256": sha256_hex(content)}
    w.event(EventDraft("policy", "scorecard.issued", f"scorecard:{row['scorecard_id']}", payload), at)


def of_reviewer(ledger: Ledger, reviewer: str) -> list[dict[str, Any]]:
    """A person's own scorecards, newest first, without their figures, with comments and who has looked."""
    rows = ledger.read(
        f"SELECT {_COLUMNS} FROM scorecards WHERE reviewer = ? ORDER BY issued_at DESC, scorecard_id",
        [reviewer],
    )
    ids = [row["scorecard_id"] for row in rows]
    return [{**_brief(row), **_around(ledger, row["scorecard_id"])} for row in rows] if ids else []


def open_own(ledger: Ledger, scorecard_id: str, reviewer: str, at: datetime) -> dict[str, Any]:
    """A person's own scorecard with its figures; that it was opened first now is an event."""
    with ledger.writing() as w:
        row = _find(w, scorecard_id)
        if row["reviewer"] != reviewer:
            raise NotFoundError("there is no such scorecard of yours", where=scorecard_id)
        if row["opened_at"] is None:
            w.execute("UPDATE scorecards SET opened_at = ? WHERE scorecard_id = ?", [at, scorecard_id])
            w.event(EventDraft(reviewer, "scorecard.opened", f"scorecard:{scorecard_id}", {}), at)
            row["opened_at"] = at
    return {**_brief(row), "figures": json.loads(row["content"]), **_around(ledger, scorecard_id)}


def comment(ledger: Ledger, scorecard_id: str, reviewer: str, text: str, at: datetime) -> None:
    """Say something to one's own scorecard; whoever may read it reads that too. The words are in the chain as a
    commitment, so that they can be erased."""
    if not 0 < len(text.strip()) <= LONGEST_COMMENT:
        raise InputError(
            "a comment needs words", where="comment", allowed=f"1 to {LONGEST_COMMENT} characters"
        )
    with ledger.writing() as w:
        if _find(w, scorecard_id)["reviewer"] != reviewer:
            raise NotFoundError("there is no such scorecard of yours", where=scorecard_id)
        name = sha256_hex(f"{scorecard_id}:{at.isoformat()}:{text}".encode())[:16]
        row = {"comment_id": f"comment_{name}", "scorecard_id": scorecard_id, "reviewer": reviewer}
        w.insert("scorecard_comments", [{**row, "content": text.strip(), "at": at}])
        draft = EventDraft(
            reviewer, "scorecard.commented", f"scorecard:{scorecard_id}", {}, {"comment": text.strip()}
        )
        w.event(draft, at)


def for_others(ledger: Ledger, policy: Policy, asked_by: str, at: datetime) -> list[dict[str, Any]]:
    """Everybody's latest scorecard by name, without figures: whether it may be read by others yet, and if so whether it
    asks for a talk. That it was asked for is an event."""
    rows = ledger.read(
        f"SELECT {_COLUMNS} FROM scorecards QUALIFY row_number() OVER "
        "(PARTITION BY reviewer ORDER BY issued_at DESC, scorecard_id) = 1 ORDER BY reviewer"
    )
    with ledger.writing() as w:
        w.event(
            EventDraft(asked_by, "figures.read", "figures:scorecards", {"what": "list of scorecards"}), at
        )
    shown = []
    for row in rows:
        readable = _released(row, policy, at)
        brief = _brief(row)
        shown.append({**brief, "readable": readable, "flagged": brief["flagged"] if readable else None})
    return shown


def look_at(ledger: Ledger, policy: Policy, scorecard_id: str, asked_by: str, at: datetime) -> dict[str, Any]:
    """Somebody else's scorecard with its figures and comments; the look is an event, and its reviewer sees it.

    ConflictError while the reviewer has not opened it and the policy's time has not passed.
    """
    with ledger.writing() as w:
        row = _find(w, scorecard_id)
        if not _released(row, policy, at):
            raise ConflictError(
                "its reviewer has not opened this scorecard yet",
                where=scorecard_id,
                allowed=f"from {row['issued_at'] + policy.design.scorecards.lead_after:%Y-%m-%d %H:%M} UTC on",
                hint="Ask him or her to open it.",
            )
        w.insert(
            "scorecard_looks",
            [{"scorecard_id": scorecard_id, "reviewer": row["reviewer"], "seen_by": asked_by, "at": at}],
        )
        payload = {"what": "scorecard", "reviewer": row["reviewer"]}
        w.event(EventDraft(asked_by, "figures.read", f"scorecard:{scorecard_id}", payload), at)
    return {**_brief(row), "figures": json.loads(row["content"]), **_around(ledger, scorecard_id)}


def _released(row: dict[str, Any], policy: Policy, at: datetime) -> bool:
    return row["opened_at"] is not None or at >= row["issued_at"] + policy.design.scorecards.lead_after


def _find(w: Writer, scorecard_id: str) -> dict[str, Any]:
    rows: Sequence[dict[str, Any]] = w.read(
        f"SELECT {_COLUMNS} FROM scorecards WHERE scorecard_id = ?", [scorecard_id]
    )
    if not rows:
        raise NotFoundError("there is no such scorecard", where=scorecard_id)
    return dict(rows[0])


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "content"}


def _around(ledger: Ledger, scorecard_id: str) -> dict[str, Any]:
    """Comments in order, and who else has looked."""
    said = ledger.read(
        'SELECT comment_id, content, "at" FROM scorecard_comments WHERE scorecard_id = ? ORDER BY "at", comment_id',
        [scorecard_id],
    )
    looks = ledger.read(
        'SELECT seen_by, "at" FROM scorecard_looks WHERE scorecard_id = ? ORDER BY "at" DESC LIMIT 50',
        [scorecard_id],
    )
    return {"comments": said, "looks": looks}
