"""What has a person done of late, at what pace, and which settled disagreements are there to learn from?

Nothing blind is given away: a payment is left out while anybody has a task on it, while the own verdict on it could
still be taken back, and while it is drawn to be shown to this person once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any

from casework.cases.revealing import UNDO_WITHIN
from casework.quality.agreement.against_truth import Judged
from casework.quality.agreement.pace import seconds_by_arm
from casework.review.measuring.feedback import golden_feedback
from casework.review.review_design import RE_SERVE
from data.ledger import Ledger
from engine.draws import draw
from engine.policy import Policy

PACE_OVER = timedelta(days=28)
SESSION_GAP = timedelta(hours=3)
"""A pause from which on a new session of work begins."""
_STILL_ASKED = timedelta(days=60)
"""As long as review.measuring.serving still asks a second time after the wash-out."""
# No seconds where they are forgotten: see keeping.retention.
_GIVEN = """
    SELECT v.value, v.arm, v.given_at,
           CASE WHEN NOT isnan(v.seconds) THEN greatest(v.seconds - coalesce(v.idle_seconds, 0), 0) END AS seconds,
           coalesce(t.amount_minor, 0) AS amount_minor, v.undone_at IS NOT NULL AS undone, v.task_id
    FROM verdicts v JOIN transactions t ON t.seq = v.transaction_seq
    WHERE v.reviewer = ? AND v.given_at > ? AND v.given_at <= ? ORDER BY v.given_at, v.event_seq
"""
# Own verdicts that others settled otherwise: by an adjudicator, by agreement, or by what became of the payment.
_OTHERWISE = """
    SELECT v.verdict_id, v.task_id, v.transaction_seq, t.transaction_id, t.amount_minor, v.value, v.confidence,
           v.typology, v.note, v.given_at, x.verdict AS settled_as, x.settled_at, a.typology AS settled_typology,
           a.reason_code AS settled_reason, a.note AS settled_note
    FROM verdicts v
    JOIN transactions t ON t.seq = v.transaction_seq
    JOIN case_transactions x ON x.transaction_seq = v.transaction_seq AND x.case_id = v.case_id
    JOIN cases c ON c.case_id = v.case_id
    LEFT JOIN (
        SELECT transaction_seq, arg_max(typology, event_seq) AS typology, arg_max(reason_code, event_seq) AS
               reason_code, arg_max(note, event_seq) AS note
        FROM verdicts WHERE task_kind = 'adjudication' AND undone_at IS NULL GROUP BY transaction_seq
    ) a ON a.transaction_seq = v.transaction_seq
    WHERE v.reviewer = ? AND v.undone_at IS NULL AND v.given_at <= ? AND v.task_kind IN ('primary', 'second')
      AND c.status IN ('closed', 'timed_out') AND x.settled_at IS NOT NULL
      AND x.verdict IN ('confirmed_fraud', 'legitimate') AND v.value <> x.verdict AND v.value <> 'inconclusive'
    ORDER BY x.settled_at DESC, v.verdict_id
"""
# Somebody is at it, or its own last verdict, perhaps on the payment shown again, could still be taken back.
_AT_WORK = """
    SELECT transaction_seq FROM tasks WHERE status IN ('open', 'claimed')
    UNION SELECT transaction_seq FROM verdicts WHERE reviewer = ? AND undone_at IS NULL AND given_at > ?
"""
_ASKED_AGAIN = (
    "SELECT DISTINCT transaction_seq FROM verdicts WHERE reviewer = ? AND task_kind = 're_serve' "
    "AND undone_at IS NULL"
)


def session(ledger: Ledger, reviewer: str, at: datetime) -> dict[str, Any]:
    """What was done in the last session, up to a pause of SESSION_GAP before it: answers by kind, money looked at,
    working time, what was taken back. `current` says whether that session goes on; n is 0 after PACE_OVER without any.
    """
    given = ledger.read(_GIVEN, [reviewer, at - PACE_OVER, at])
    until = given[-1]["given_at"] if given else at
    since = _since_gap([row["given_at"] for row in given], until)
    now = [row for row in given if since is not None and row["given_at"] >= since]
    counted = [row for row in now if not row["undone"]]
    seconds = [row["seconds"] for row in counted if row["seconds"] is not None]
    return {
        "since": since,
        "current": at - until <= SESSION_GAP,
        "n": len(counted),
        "by_value": {value: sum(row["value"] == value for row in counted) for value in _VALUES},
        "amount_minor": sum(row["amount_minor"] for row in counted),
        "working_seconds": sum(seconds),
        "median_seconds": median(seconds) if seconds else None,
        "taken_back": len(now) - len(counted),
    }


_VALUES = ("confirmed_fraud", "legitimate", "inconclusive")


def _since_gap(moments: Sequence[datetime], at: datetime) -> datetime | None:
    """When the session that ended at `at` began: going back, before the first long pause."""
    began, later = None, at
    for moment in reversed(moments):
        if later - moment > SESSION_GAP:
            break
        began = later = moment
    return began


def pace(ledger: Ledger, reviewer: str, at: datetime) -> dict[str, Any]:
    """Answers and median seconds by day and by display arm over PACE_OVER, idle time left out."""
    rows = [
        row
        for row in ledger.read(_GIVEN, [reviewer, at - PACE_OVER, at])
        if not row["undone"] and row["seconds"]
    ]
    by_day: dict[str, list[float]] = {}
    for row in rows:
        by_day.setdefault(row["given_at"].date().isoformat(), []).append(row["seconds"])
    judged = [
        Judged(row["task_id"], reviewer, row["arm"], row["value"] == _VALUES[0], seconds=row["seconds"])
        for row in rows
    ]
    return {
        "days": PACE_OVER.days,
        "n": len(rows),
        "by_day": [
            {"day": day, "n": len(seconds), "median_seconds": median(seconds)}
            for day, seconds in by_day.items()
        ],
        "by_arm": seconds_by_arm(judged) if judged else {},
    }


def disagreements(
    ledger: Ledger, reviewer: str, policy: Policy, key: bytes, at: datetime, *, limit: int = 20
) -> list[dict[str, Any]]:
    """Own verdicts that were settled otherwise, the newest first, with what an adjudicator wrote, and not who."""
    rows = ledger.read(_OTHERWISE, [reviewer, at - UNDO_WITHIN])
    busy = {row["transaction_seq"] for row in ledger.read(_AT_WORK, [reviewer, at - UNDO_WITHIN])}
    again = {row["transaction_seq"] for row in ledger.read(_ASKED_AGAIN, [reviewer])}
    shown = (
        row
        for row in rows
        if row["transaction_seq"] not in busy
        and (row["transaction_seq"] in again or not _to_be_asked_again(row, reviewer, policy, key, at))
    )
    newest = islice(shown, limit)  # of years of work only these are looked at
    return [{name: value for name, value in row.items() if name != "transaction_seq"} for row in newest]


def golden(
    ledger: Ledger, reviewer: str, policy: Policy, at: datetime, *, limit: int = 20
) -> list[dict[str, Any]]:
    """What the policy lets a person know of his or her golden cases, but for payments somebody is at work on."""
    told = golden_feedback(ledger, reviewer, policy, at, limit=limit)
    busy = {row["transaction_id"] for row in ledger.read(_BUSY_IDS)} if told else set()
    return [row for row in told if row["transaction_id"] not in busy]


_BUSY_IDS = (
    "SELECT DISTINCT x.transaction_id FROM tasks t JOIN transactions x ON x.seq = t.transaction_seq "
    "WHERE t.status IN ('open', 'claimed') AND t.kind <> 'golden'"
)


def _to_be_asked_again(row: dict[str, Any], reviewer: str, policy: Policy, key: bytes, at: datetime) -> bool:
    """Whether chance has drawn this verdict for a second look that may still come."""
    again = policy.design.re_serve
    if at - row["given_at"] > again.wash_out + _STILL_ASKED:
        return False
    return draw(key, RE_SERVE, f"{row['transaction_id']}:{reviewer}") < again.share
