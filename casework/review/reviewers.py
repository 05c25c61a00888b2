"""What may a person be given: which queues, how many tasks at once, and is he or she here?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from data.errors import InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy
from engine.policy_work import Queue

MOST_HELD = 100
QUALIFIED, IN_TRAINING = "qualified", "training"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person's place at work. `held_limit` 0 takes the policy's. `status` says whether verdicts count (qualified) or
    past cases are worked to learn (training), and `status_since` since when; None: always."""

    user_id: str
    teams: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    held_limit: int = 0
    away_until: datetime | None = None
    status: str = QUALIFIED
    status_since: datetime | None = None

    @property
    def in_training(self) -> bool:
        return self.status == IN_TRAINING

    def serves(self, queue: Queue) -> bool:
        """Whether this person takes from a queue: a member of one of its teams who speaks one of its languages."""
        in_team = not queue.teams or bool(set(queue.teams) & set(self.teams))
        return in_team and (not queue.languages or bool(set(queue.languages) & set(self.languages)))

    def is_away(self, at: datetime) -> bool:
        return self.away_until is not None and at < self.away_until

    def limit(self, policy: Policy) -> int:
        return self.held_limit or policy.work.held_at_once


def all_reviewers(source: Ledger | Writer) -> dict[str, Reviewer]:
    """Everybody whose place was ever written down, by user id."""
    rows = source.read(
        "SELECT user_id, teams, languages, held_limit, away_until, status, status_since FROM reviewers"
    )
    return {
        row["user_id"]: Reviewer(
            **{**row, "teams": tuple(row["teams"]), "languages": tuple(row["languages"])}
        )
        for row in rows
    }


def find(source: Ledger | Writer, user_id: str) -> Reviewer:
    """A person's place; the usual one where nothing was written down."""
    return all_reviewers(source).get(user_id, Reviewer(user_id))


def place(
    w: Writer,
    user_id: str,
    *,
    teams: Sequence[str],
    languages: Sequence[str],
    held_limit: int,
    by: str,
    at: datetime,
) -> Reviewer:
    """Say what a person may be given. NotFoundError for somebody without a sign-in, InputError for a bad limit."""
    if not 0 <= held_limit <= MOST_HELD:
        raise InputError(
            "this is not a limit", where="held_limit", allowed=f"0 (the policy's) to {MOST_HELD}"
        )
    made = replace(find(w, user_id), teams=_names(teams), languages=_names(languages), held_limit=held_limit)
    return write(w, made, by, at)


def write(w: Writer, reviewer: Reviewer, by: str, at: datetime) -> Reviewer:
    """Replace a person's row, with its event."""
    if not w.read("SELECT 1 AS ok FROM users WHERE user_id = ? AND disabled_at IS NULL", [reviewer.user_id]):
        raise NotFoundError("there is no such person", where=reviewer.user_id[:80])
    w.execute("DELETE FROM reviewers WHERE user_id = ?", [reviewer.user_id])
    row: dict[str, Any] = asdict(reviewer)
    w.insert("reviewers", [row])
    payload = {**row, "teams": list(reviewer.teams), "languages": list(reviewer.languages)}
    w.event(EventDraft(by, "reviewer.changed", f"user:{reviewer.user_id}", payload), at)
    return reviewer


def _names(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in given if name.strip()))
