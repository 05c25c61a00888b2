"""How does the institution stand: what was decided, what waits, and who is treated how?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from casework.learning.registry import models
from casework.quality.subgroups import for_reviewers, subgroup_table
from casework.review.review_design import REVIEWER_ROLES
from casework.watching import digest
from data.ledger import Ledger

_DAY = timedelta(days=1)


def summary(
    ledger: Ledger, protected_attribute: str, at: datetime, *, role: str = "team_lead"
) -> dict[str, Any]:
    """Counts, what waits, money held, and the subgroup table; `at` is the end of "last day" and "last thirty".

    `estimates` are those of the last digest, None before the first. To reviewers it gives no live count of what people
    do: one that moves would tell the first reviewer of a payment what the second has just said.
    """
    counts: dict[str, Any] = {
        "transactions": ledger.next_transaction_seq - 1,
        "decisions": _decisions(ledger, None),
        "decisions_last_day": _decisions(ledger, at - _DAY),
        "decisions_last_30_days": _decisions(ledger, at - 30 * _DAY),
        "cases_by_reason": _counts(ledger, "SELECT reason AS name, count(*) AS n FROM cases GROUP BY reason"),
        "outcomes": _counts(
            ledger,
            "SELECT CASE WHEN is_fraud THEN 'fraud' ELSE 'legitimate' END AS name, count(*) AS n "
            "FROM outcomes GROUP BY name",
        ),
        "champion": models.champion_id(ledger) or None,
        "subgroups": subgroup_table(ledger, protected_attribute),
        "estimates": digest.estimates(ledger),
    }
    if role in REVIEWER_ROLES:
        return {**counts, "subgroups": for_reviewers(counts["subgroups"])}
    return {**counts, **_of_people(ledger, at)}


def _of_people(ledger: Ledger, at: datetime) -> dict[str, Any]:
    """What moves with every verdict."""
    return {
        "cases": _counts(ledger, "SELECT status AS name, count(*) AS n FROM cases GROUP BY status"),
        "tasks": _counts(ledger, "SELECT status AS name, count(*) AS n FROM tasks GROUP BY status"),
        "overdue_cases": _one(ledger, _OVERDUE, [at]),
        "verdicts": _counts(
            ledger, f"SELECT value AS name, count(*) AS n FROM verdicts WHERE {_STANDING} GROUP BY value"
        ),
        "dispositions": _counts(
            ledger, "SELECT value AS name, count(*) AS n FROM dispositions GROUP BY value"
        ),
        "share_confirmed_by_reviewers": _confirmed(ledger),
    }


_STANDING = "undone_at IS NULL AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)"
_OVERDUE = "SELECT count(*) AS n FROM cases WHERE status IN ('open', 'in_adjudication') AND deadline < ?"


def _decisions(ledger: Ledger, since: datetime | None) -> dict[str, int]:
    sql = (
        "SELECT outcome AS name, count(*) AS n FROM decisions "
        "WHERE decided_at >= coalesce(CAST(? AS TIMESTAMP), decided_at) GROUP BY outcome"
    )
    found = _counts(ledger, sql, [since])
    return {
        "total": sum(found.values()),
        **{word: found.get(word, 0) for word in ("approve", "review", "decline")},
    }


def _confirmed(ledger: Ledger) -> dict[str, Any]:
    """Not a fraud rate: what reviewers said of the payments they were shown, the last first verdict that stands."""
    row = ledger.read(
        "SELECT count(*) AS n, count(*) FILTER (value = 'confirmed_fraud') AS confirmed FROM ("
        "SELECT arg_max(value, (given_at, event_seq)) AS value FROM verdicts "
        f"WHERE {_STANDING} AND task_kind = 'primary' GROUP BY transaction_seq)"
    )[0]
    return {"n": row["n"], "value": row["confirmed"] / row["n"] if row["n"] else None}


def _counts(ledger: Ledger, sql: str, parameters: list[Any] | None = None) -> dict[str, int]:
    return {row["name"]: row["n"] for row in ledger.read(sql, parameters or [])}


def _one(ledger: Ledger, sql: str, parameters: list[Any]) -> int:
    return int(ledger.read(sql, parameters)[0]["n"])
