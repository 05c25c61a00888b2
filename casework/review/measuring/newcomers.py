"""May somebody who is learning be called qualified yet, and who says so?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from casework.quality.subgroups import wilson
from casework.review import moves, reviewers, tasks
from casework.review.reviewers import IN_TRAINING, QUALIFIED, Reviewer
from data.errors import ConflictError, InputError
from data.events import EventDraft
from data.ledger import Ledger
from data.outcome_order import in_force
from data.writer import Writer
from engine.policy import Policy

# What a newcomer said of past cases since the training began, beside what the truth was when the task was drawn.
_ANSWERS = f"""
    WITH outcome AS (
        {in_force()}
    )
    SELECT v.task_id, v.value, v.given_at, v.seconds, coalesce(o.is_fraud, false) AS is_fraud
    FROM verdicts v LEFT JOIN outcome o USING (transaction_seq)
    WHERE v.reviewer = ? AND v.task_kind = 'training' AND v.given_at >= coalesce(CAST(? AS TIMESTAMP), v.given_at)
    ORDER BY v.event_seq
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a newcomer has come. `recall` and `false_positive_rate` are shares with 95 % Wilson intervals; an
    inconclusive answer counts as not confirmed. `lacking` says in words what is still missing; '' when the rule of the
    policy is met and a team lead may sign."""

    user_id: str
    status: str
    since: datetime | None
    done: int
    needed: int
    recall: dict[str, Any]
    false_positive_rate: dict[str, Any]
    least_recall: float
    most_false_positive_rate: float
    lacking: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def begin(w: Writer, user_id: str, reason: str, by: str, at: datetime) -> Reviewer:
    """Have somebody work past cases only, from now on; what he or she holds goes to others. InputError for somebody
    who is not an analyst, or without a reason; ConflictError for somebody in training already."""
    _check_reason(reason)
    if not w.read(
        "SELECT 1 FROM users WHERE user_id = ? AND role = 'analyst' AND disabled_at IS NULL", [user_id]
    ):
        raise InputError("there is no such analyst", where=user_id[:80])
    who = reviewers.find(w, user_id)
    if who.in_training:
        raise ConflictError("this person is in training already", where=user_id)
    for task in _on_desk(w, user_id):
        moves.hand_back(w, task, "in training", by, at)
    made = reviewers.write(w, replace(who, status=IN_TRAINING, status_since=at), by, at)
    w.event(EventDraft(by, "training.begun", f"user:{user_id}", {"reason": reason}), at)
    return made


def qualify(w: Writer, user_id: str, reason: str, policy: Policy, by: str, at: datetime) -> Reviewer:
    """Sign that a newcomer's verdicts count from now on. ConflictError while the rule of the policy is not met."""
    _check_reason(reason)
    found = progress(w, user_id, policy)
    if found.status != IN_TRAINING:
        raise ConflictError("this person is not in training", where=user_id[:80])
    if found.lacking:
        raise ConflictError("the rule for qualifying is not met yet", where=user_id, allowed=found.lacking)
    for task in _on_desk(w, user_id):
        tasks.finish(w, task, tasks.WITHDRAWN, "policy", "the training is over", at)
    made = reviewers.write(w, replace(reviewers.find(w, user_id), status=QUALIFIED, status_since=at), by, at)
    payload = {"reason": reason, "tasks": found.done, "recall": found.recall["value"]}
    payload["false_positive_rate"] = found.false_positive_rate["value"]
    w.event(EventDraft(by, "training.signed", f"user:{user_id}", payload), at)
    return made


def progress(source: Ledger | Writer, user_id: str, policy: Policy) -> Progress:
    """How far somebody has come in the training that is going on; zeros for somebody who is in none."""
    who, rule = reviewers.find(source, user_id), policy.design.training
    answers = source.read(_ANSWERS, [user_id, who.status_since]) if who.in_training else []
    fraud = [row["value"] for row in answers if row["is_fraud"]]
    honest = [row["value"] for row in answers if not row["is_fraud"]]
    recall = wilson(fraud.count("confirmed_fraud"), len(fraud))
    accused = wilson(honest.count("confirmed_fraud"), len(honest))
    lacking = _lacking(len(answers), recall, accused, policy)
    return Progress(
        user_id, who.status, who.status_since, len(answers), rule.tasks, recall, accused, rule.recall,
        rule.false_positive_rate, lacking,
    )  # fmt: skip


def answers(source: Ledger | Writer, found: Progress) -> list[dict[str, Any]]:
    """What was said of each past case of the training that is going on, the newest first, with whether it was right."""
    rows = source.read(_ANSWERS, [found.user_id, found.since]) if found.status == IN_TRAINING else []
    return [
        {**row, "right": row["value"] == ("confirmed_fraud" if row["is_fraud"] else "legitimate")}
        for row in reversed(rows)
    ]


def everybody(ledger: Ledger, policy: Policy, asked_by: str, at: datetime) -> list[dict[str, Any]]:
    """The progress of all who are in training, by name; that it was read is an event."""
    rows = ledger.read("SELECT user_id FROM reviewers WHERE status = ? ORDER BY user_id", [IN_TRAINING])
    if rows:
        with ledger.writing() as w:
            w.event(EventDraft(asked_by, "figures.read", "figures:newcomers", {"what": "training"}), at)
    return [progress(ledger, row["user_id"], policy).as_json() for row in rows]


def _lacking(done: int, recall: dict[str, Any], accused: dict[str, Any], policy: Policy) -> str:
    rule = policy.design.training
    if done < rule.tasks:
        return f"{rule.tasks - done} more past cases"
    if recall["value"] is None or accused["value"] is None:
        return "cases of both kinds, fraud and honest"
    if recall["value"] < rule.recall:
        return f"a recall of {rule.recall:.0%}; it is {recall['value']:.0%}"
    if accused["value"] > rule.false_positive_rate:
        most = rule.false_positive_rate
        return f"at most {most:.0%} of honest payments confirmed as fraud; it is {accused['value']:.0%}"
    return ""


def _on_desk(w: Writer, user_id: str) -> list[tasks.Task]:
    return tasks.where(
        w,
        "(t.status = 'claimed' AND t.claimed_by = ?) OR (t.status = 'open' AND t.assignee = ?)",
        [user_id, user_id],
    )


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("this needs a reason", where="reason", hint="Say why in a few words.")
