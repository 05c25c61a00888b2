"""What does a team lead see of a pilot: who answered, how far apart people are, and what the guideline changed?"""

from __future__ import annotations

from typing import Any

from casework.quality.agreement.table import Rating
from casework.quality.consistency import RANKED
from casework.quality.pilots import batches
from casework.quality.pilots.comparison import batch_report, change, guideline_change
from casework.review.verdicts import CONFIRMED_FRAUD
from data.ledger import Ledger

_SAID = """
    SELECT t.transaction_id AS item, v.reviewer, v.value AS verdict
    FROM pilot_tasks x JOIN verdicts v ON v.task_id = x.task_id JOIN transactions t ON t.seq = x.transaction_seq
    WHERE x.pilot_id = ? AND v.undone_at IS NULL AND v.verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts)
    ORDER BY v.given_at, v.event_seq
"""
_PEOPLE = "SELECT DISTINCT reviewer FROM pilot_tasks WHERE pilot_id = ? ORDER BY reviewer"


def said(ledger: Ledger, pilot_id: str) -> list[Rating]:
    """What everybody said of the batch's cases."""
    return [Rating(**row) for row in ledger.read(_SAID, [pilot_id])]


def people(ledger: Ledger, pilot_id: str) -> list[str]:
    """Whom the pilot was put before."""
    return [row["reviewer"] for row in ledger.read(_PEOPLE, [pilot_id])]


def page(ledger: Ledger, pilot_id: str, *, seed: int = 0) -> dict[str, Any]:
    """The pilot with its report; where it follows another, that one's figures, the change, and the guideline's diff.
    NotFoundError if there is none of that id."""
    row = batches.find(ledger, pilot_id)
    about = next(one for one in batches.listed(ledger) if one["pilot_id"] == pilot_id)
    options: dict[str, Any] = {"categories": RANKED, "seed": seed}
    ratings = said(ledger, pilot_id)
    found = {**about, "report": batch_report(ratings, positive=CONFIRMED_FRAUD, **options), "before": None}
    if not row["follows"]:
        return found
    earlier, before = batches.find(ledger, row["follows"]), said(ledger, row["follows"])
    return found | {
        "before": batch_report(before, positive=CONFIRMED_FRAUD, **options),
        "change": change(before, ratings, **options),
        "guideline_change": guideline_change(earlier["guideline"], row["guideline"]),
        "days_between": (row["opened_at"] - earlier["opened_at"]).days,
    }
