"""What does a team lead need to know of the queues and the people, without ranking anybody?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from casework.quality.subgroups import wilson
from casework.review import forecast, reviewers
from casework.review.review_design import ADJUDICATION
from casework.review.verdicts import STANDING
from data.events import EventDraft
from data.ledger import Ledger
from engine.policy import Policy

LEAST_OVERTURNED = 10
"""Adjudicated verdicts below which nothing is said of one person."""
_QUEUES = """
    SELECT queue, count(*) FILTER (status = 'open') AS open, count(*) FILTER (status = 'claimed') AS claimed,
           count(*) FILTER (deadline <= ?) AS due_in_a_day, min(deadline) AS nearest_deadline,
           CAST(sum(amount_minor) AS BIGINT) AS amount_minor
    FROM tasks WHERE status IN ('open', 'claimed') AND kind NOT IN ('adjudication', 'training')
    GROUP BY queue ORDER BY queue
"""
_PEOPLE = """
    SELECT u.user_id, u.role,
           (SELECT count(*) FROM tasks t WHERE t.claimed_by = u.user_id AND t.status = 'claimed') AS held,
           (SELECT count(*) FROM tasks t WHERE t.assignee = u.user_id AND t.status = 'open'
            AND t.snoozed_until IS NOT NULL) AS set_aside
    FROM users u WHERE u.disabled_at IS NULL AND u.role IN ('analyst', 'team_lead') ORDER BY u.user_id
"""
_SKIPS = """
    SELECT reason, count(*) AS n, count(DISTINCT reviewer) AS people FROM skips WHERE skipped_at >= ?
    GROUP BY reason ORDER BY n DESC, reason LIMIT 20
"""
_DESERVED = f"""
    SELECT d.triage_reason AS reason, count(*) AS asked, count(*) FILTER (v.deserved = 'no') AS no
    FROM {STANDING} v JOIN decisions d ON d.transaction_seq = v.transaction_seq
    WHERE v.deserved <> '' AND v.task_kind IN ('primary', 'second', 'audit')
      AND v.given_at >= ? GROUP BY reason ORDER BY asked DESC, reason
"""
# A reviewer's verdict against that of the adjudicator of the same payment.
_OVERTURNED = f"""
    SELECT v.reviewer, c.reason, count(*) AS n, count(*) FILTER (v.value <> a.value) AS overturned,
           count(*) FILTER (v.value = 'legitimate' AND a.value = 'confirmed_fraud') AS missed,
           count(*) FILTER (v.value = 'confirmed_fraud' AND a.value = 'legitimate') AS accused
    FROM {STANDING} v
    JOIN {STANDING} a ON a.transaction_seq = v.transaction_seq AND a.case_id = v.case_id
         AND a.task_kind = 'adjudication'
    JOIN cases c ON c.case_id = v.case_id
    WHERE v.task_kind IN ('primary', 'second', 'audit') AND v.value <> 'inconclusive'
    GROUP BY v.reviewer, c.reason
"""


def team_page(ledger: Ledger, policy: Policy, at: datetime, seed: int = 1) -> dict[str, Any]:
    """Queues, adjudications, people at work, why tasks came back, whether alerts deserved a look, and the forecast."""
    month = at - timedelta(days=28)
    known = {queue.name: queue for queue in policy.work.queues}
    places = reviewers.all_reviewers(ledger)
    people = [_person(row, places, at) for row in ledger.read(_PEOPLE)]
    here = [p for p in people if p["role"] == "analyst" and not p["away_until"]]
    queues = [
        {**row, "served_by": _serving(row["queue"], here, policy, places)}
        for row in ledger.read(_QUEUES, [at + timedelta(days=1)])
    ]
    empty = {"open": 0, "claimed": 0, "due_in_a_day": 0, "nearest_deadline": None, "amount_minor": 0}
    for name in sorted(set(known) - {row["queue"] for row in queues}):
        queues.append({"queue": name, **empty, "served_by": _serving(name, here, policy, places)})
    before = forecast.past(ledger, at)
    return {
        "queues": queues,
        "adjudications": _adjudications(ledger),
        "people": people,
        "skips": ledger.read(_SKIPS, [month]),
        "deserved": [_rate(row, "no", "asked") for row in ledger.read(_DESERVED, [month])],
        "forecast": forecast.forecast(
            before, forecast.due_in_days(ledger, at), policy.capacity.reviews_per_day, seed
        ),
    }


def training_needs(ledger: Ledger, asked_by: str, at: datetime) -> list[dict[str, Any]]:
    """For each reviewer, by name: on which kinds of case an adjudicator decided otherwise, with 95 % intervals, where
    there are LEAST_OVERTURNED or more. It says where training may help and ranks nobody; that it was read is an event.
    """
    with ledger.writing() as w:
        w.event(EventDraft(asked_by, "figures.read", "figures:training", {"what": "training needs"}), at)
    rows = [row for row in ledger.read(_OVERTURNED) if row["n"] >= LEAST_OVERTURNED]
    rows.sort(key=lambda row: (row["reviewer"], row["reason"]))
    return [_rate(row, "overturned", "n") for row in rows]


def _adjudications(ledger: Ledger) -> list[dict[str, Any]]:
    """Open adjudications, the nearest deadline first, with whether somebody escalated them."""
    return ledger.read(
        "SELECT t.task_id, t.case_id, t.amount_minor, t.deadline, t.created_at, t.claimed_by, "
        "EXISTS (FROM escalations e WHERE e.adjudication_id = t.task_id) AS escalated "
        "FROM tasks t WHERE t.status IN ('open', 'claimed') AND t.kind = ? ORDER BY t.deadline, t.task_id LIMIT 100",
        [ADJUDICATION],
    )


def _person(row: dict[str, Any], places: dict[str, reviewers.Reviewer], at: datetime) -> dict[str, Any]:
    place = places.get(row["user_id"], reviewers.Reviewer(row["user_id"]))
    return {
        **row,
        "teams": list(place.teams),
        "languages": list(place.languages),
        "held_limit": place.held_limit,
        "away_until": place.away_until if place.is_away(at) else None,
    }


def _serving(
    queue: str, here: list[dict[str, Any]], policy: Policy, places: dict[str, reviewers.Reviewer]
) -> int:
    """How many analysts who are not away take from a queue."""
    asked = policy.work.queue(queue)
    return sum(places.get(p["user_id"], reviewers.Reviewer(p["user_id"])).serves(asked) for p in here)


def _rate(row: dict[str, Any], part: str, whole: str) -> dict[str, Any]:
    return {**row, "share": wilson(row[part], row[whole])}
