"""How well do reviewers agree, as a retrain is gated by it?"""

from __future__ import annotations

from dataclasses import dataclass

from casework.quality.consistency import consistency_report
from data.ledger import Ledger
from engine.measuring.intervals import Interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """The headline alpha among reviewers, None while there are too few double reviews."""

    alpha: Interval | None = None
    items: int = 0


def headline(ledger: Ledger) -> Agreement:
    """What all second reviews of the ledger say."""
    report = consistency_report(ledger, with_people=False)
    alpha = report["alpha"]
    if alpha["value"] is None or alpha["low"] is None:
        return Agreement(None, report["n_items"])
    return Agreement(Interval(alpha["value"], alpha["low"], alpha["high"]), report["n_items"])
