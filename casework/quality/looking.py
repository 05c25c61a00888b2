"""Whose figures may a person see, and who has looked at mine?

A person's own figures are for that person and his or her team lead. Each look by somebody else is an event, and the
person concerned can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from casework.people.permissions import Person, Role
from casework.review import reviewers
from casework.review.reviewers import Reviewer
from data.errors import NotFoundError
from data.events import EventDraft
from data.ledger import Ledger

FIGURES_READ = "figures.read"
_ANALYSTS = "SELECT user_id FROM users WHERE role = 'analyst' ORDER BY user_id"
_LOOKS = """
    SELECT recorded_at AS "at", actor AS seen_by, payload FROM events
    WHERE kind = ? AND subject = ? ORDER BY seq DESC LIMIT 50
"""


def led_by(ledger: Ledger, person: Person) -> list[str]:
    """The analysts whose figures this person may see: a team lead's own teams, and whoever is in none;
    everybody's where the lead is in none; for anybody else nobody."""
    if person.role is not Role.TEAM_LEAD:
        return []
    places = reviewers.all_reviewers(ledger)
    mine = set(places.get(person.user_id, Reviewer(person.user_id)).teams)
    found = [row["user_id"] for row in ledger.read(_ANALYSTS)]
    teams = {who: set(places.get(who, Reviewer(who)).teams) for who in found}
    return [who for who in found if not mine or not teams[who] or mine & teams[who]]


def look(ledger: Ledger, person: Person, reviewer: str, what: str, at: datetime) -> None:
    """Let a person see somebody's figures: nothing is recorded of one's own, everything of others'. NotFoundError for
    figures that are not for this person, whether or not there is such a reviewer."""
    if person.user_id == reviewer:
        return
    if reviewer not in led_by(ledger, person):
        raise NotFoundError(
            "there are no figures of such a person for you",
            where=reviewer,
            hint="A person's figures are for that person and his or her team lead.",
        )
    note(ledger, person.user_id, [reviewer], what, at)


def note(ledger: Ledger, seen_by: str, seen: Sequence[str], what: str, at: datetime) -> None:
    """Record that somebody is about to read the figures of these people."""
    with ledger.writing() as w:
        for reviewer in seen:
            told = {"what": what, "reviewer": reviewer}
            w.event(EventDraft(seen_by, FIGURES_READ, f"figures:{reviewer}", told), at)


def looks_at(ledger: Ledger, reviewer: str) -> list[dict[str, Any]]:
    """Who else has looked at a person's figures here, at what, and when; the newest first."""
    rows = ledger.read(_LOOKS, [FIGURES_READ, f"figures:{reviewer}"])
    return [
        {"at": row["at"], "seen_by": row["seen_by"], "what": orjson.loads(row["payload"]).get("what", "")}
        for row in rows
    ]
