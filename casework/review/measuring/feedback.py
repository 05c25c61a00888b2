"""What is a reviewer told afterwards of a case whose truth is known?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from casework.cases.revealing import UNDO_WITHIN
from casework.review.tasks import Task
from data.ledger import Ledger
from data.outcome_order import LATEST
from engine.policy import Policy

# What was said, what was true, and what an adjudicator wrote. Only once the verdict can no longer be taken back.
_GOLDEN = """
    SELECT v.verdict_id, v.task_id, t.transaction_id, v.value, v.confidence, v.given_at, v.arm, g.is_fraud,
           g.basis, g.reason, a.typology, a.note AS adjudicated_note
    FROM verdicts v JOIN transactions t ON t.seq = v.transaction_seq
    JOIN (SELECT transaction_seq, arg_max(is_fraud, added_at) AS is_fraud, arg_max(basis, added_at) AS basis,
                 arg_max(reason, added_at) AS reason FROM golden_cases GROUP BY transaction_seq) g
      ON g.transaction_seq = v.transaction_seq
    LEFT JOIN (SELECT transaction_seq, arg_max(typology, given_at) AS typology, arg_max(note, given_at) AS note
               FROM verdicts WHERE task_kind = 'adjudication' AND undone_at IS NULL GROUP BY transaction_seq) a
      ON a.transaction_seq = v.transaction_seq
    WHERE v.reviewer = ? AND v.task_kind = 'golden' AND v.undone_at IS NULL AND v.given_at <= ?
      AND (? OR v.value <> CASE WHEN g.is_fraud THEN 'confirmed_fraud' ELSE 'legitimate' END)
    ORDER BY v.given_at DESC, v.verdict_id LIMIT ?
"""
_TRUTH = f"""
    SELECT arg_max(is_fraud, {LATEST}) AS is_fraud, arg_max(reason_code, {LATEST}) AS reason_code
    FROM outcomes WHERE transaction_seq = ?
"""
_ADJUDICATED = """
    SELECT value, typology, note FROM verdicts
    WHERE transaction_seq = ? AND task_kind = 'adjudication' AND undone_at IS NULL ORDER BY event_seq DESC LIMIT 1
"""


def golden_feedback(
    ledger: Ledger, reviewer: str, policy: Policy, at: datetime, *, limit: int = 50
) -> list[dict[str, Any]]:
    """A person's own golden cases, the newest first: what was said and what was true.

    Those that were missed, all, or none, as the policy says; never before the verdict can no longer be taken back.
    Inconclusive counts as missed.
    """
    told = policy.design.golden.feedback
    if told == "never":
        return []
    return ledger.read(_GOLDEN, [reviewer, at - UNDO_WITHIN, told == "all", limit])


def of_training(ledger: Ledger, task: Task) -> dict[str, Any]:
    """What is right about a training case that was answered: {said, is_fraud, right, reason_code, adjudicated} with
    what an adjudicator said of it (None where there was none)."""
    said = ledger.read(
        "SELECT value FROM verdicts WHERE task_id = ? AND undone_at IS NULL ORDER BY event_seq DESC LIMIT 1",
        [task.task_id],
    )
    truth = ledger.read(_TRUTH, [task.transaction_seq])[0]
    is_fraud = bool(truth["is_fraud"])
    adjudicated = ledger.read(_ADJUDICATED, [task.transaction_seq])
    value = said[0]["value"] if said else ""
    return {
        "said": value,
        "is_fraud": is_fraud,
        "right": value == ("confirmed_fraud" if is_fraud else "legitimate"),
        "reason_code": truth["reason_code"] or "",
        "adjudicated": adjudicated[0] if adjudicated else None,
    }
