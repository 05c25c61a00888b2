"""How often does a person find fraud, wrongly accuse, and miss money, where the truth is known without their help?

Only golden cases and audited payments count: both were drawn without regard to what anybody thinks of them, and what
became of them does not depend on the verdict. The figures advise the person; they rank nobody, and differ between
people by chance and by the cases they met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from casework.quality.consensus.of_ledger import StoredFit
from casework.quality.scorecards.reviews import GOLDEN, OUTCOME, Review
from casework.quality.scorecards.signals import LEVEL, WINDOW, Standing
from casework.quality.subgroups import wilson
from casework.review.verdicts import CONFIRMED_FRAUD
from engine.measuring.intervals import bootstrap

LOOKS_BACK = timedelta(days=180)
LEAST = 10
"""Known frauds, or known honest payments, below which no share is given."""
ENOUGH, INSUFFICIENT = "enough", "insufficient data"


def scorecard(
    reviewer: str,
    given: Sequence[Review],
    standing: Standing | None,
    fit: StoredFit | None,
    since: datetime,
    until: datetime,
) -> dict[str, Any]:
    """One person's figures over `given`, all of that person's reviews of a period, as JSON-ready values.

    `known` has the figures over all known payments and, beside them, over golden cases and audits alone. Money is in
    minor units of the base currency.
    """
    known = [each for each in given if each.fraud is not None]
    parts = {"all": known} | {
        source: [each for each in known if each.known_from == source] for source in (GOLDEN, OUTCOME)
    }
    return {
        "reviewer": reviewer,
        "since": since,
        "until": until,
        "reviews": len(given),
        "least": LEAST,
        "known": {name: _rates(rows) for name, rows in parts.items()},
        "money": missed_money(known),
        "weight": _weight(reviewer, fit),
        "signals": _signals(standing),
        "sentence": _sentence(parts["all"], standing),
    }


def _rates(known: Sequence[Review]) -> dict[str, Any]:
    frauds = [each for each in known if each.fraud]
    honest = [each for each in known if not each.fraud]
    return {"recall": share_said_fraud(frauds), "false_positive_rate": share_said_fraud(honest)}


def share_said_fraud(rows: Sequence[Review]) -> dict[str, Any]:
    """The share called fraud, with a Wilson interval; no share where there are fewer than LEAST, but both counts."""
    said = sum(each.value == CONFIRMED_FRAUD for each in rows)
    found = wilson(said, len(rows))
    if len(rows) < LEAST:
        found |= {"value": None, "low": None, "high": None}
    return {**found, "said": said, "state": ENOUGH if len(rows) >= LEAST else INSUFFICIENT}


def missed_money(known: Sequence[Review], seed: int = 0) -> dict[str, Any]:
    """Of the money in frauds that this person judged, what was not called fraud: minor units, and the share with a
    bootstrap interval over frauds."""
    frauds = [each for each in known if each.fraud]
    amount = np.array([float(each.amount_minor) for each in frauds])
    missed = np.array([float(each.amount_minor) * (each.value != CONFIRMED_FRAUD) for each in frauds])
    found: dict[str, Any] = {
        "n": len(frauds),
        "missed_minor": int(missed.sum()),
        "fraud_minor": int(amount.sum()),
        "share": {"value": None, "low": None, "high": None},
        "state": INSUFFICIENT,
    }
    if len(frauds) >= LEAST and amount.sum() > 0:
        interval = bootstrap(
            lambda w: (w @ missed) / np.maximum(w @ amount, 1e-9), np.ones(len(frauds)), seed
        )
        found |= {"share": interval.to_json(), "state": ENOUGH}
    return found


def _weight(reviewer: str, fit: StoredFit | None) -> dict[str, Any]:
    """How labels take this person's word: by estimated error rates, or as the policy says while there are none."""
    if fit is None or not fit.measures.identified:
        why = fit.measures.sentence if fit is not None else "Nothing has been estimated yet."
        return {"measured": False, "sentence": f"Your word weighs in labels what the policy says. {why}"}
    recall, wrongly = fit.measures.rates(reviewer)
    confirmed = fit.measures.force([(reviewer, "confirmed_fraud")])
    dismissed = -fit.measures.force([(reviewer, "legitimate")])
    return {
        "measured": True,
        "fit_id": fit.fit_id,
        "recall": recall,
        "false_positive_rate": wrongly,
        "confirmed": max(confirmed, 0.0),
        "dismissed": max(dismissed, 0.0),
        "doubted": reviewer in fit.measures.doubted,
        "sentence": "What labels take your word for, from 0 (says nothing) to 1 (settles it), before the policy's cap; "
        "estimated from everybody's verdicts, golden cases and outcomes, and pulled towards everybody's.",
    }


def _signals(standing: Standing | None) -> dict[str, Any]:
    if standing is None:
        return {"n": 0, "window": WINDOW, "level": LEVEL, "looked_at": [], "flags": []}
    flags: list[Mapping[str, Any]] = [
        {
            "name": signal.name,
            "sentence": signal.sentence,
            "n": signal.n,
            "value": signal.value,
            "expected": signal.expected,
            "p": signal.p,
        }
        for signal in standing.flags
    ]
    looked = list(standing.looked_at)
    return {"n": standing.n, "window": WINDOW, "level": LEVEL, "looked_at": looked, "flags": flags}


def _sentence(known: Sequence[Review], standing: Standing | None) -> str:
    """What stands out, or that nothing does, or that nothing can be said yet."""
    frauds = [each for each in known if each.fraud]
    if standing is not None and standing.flagged:
        return "Some of this is unlike colleagues' work: worth a talk, which may well show that the guideline is wrong."
    if len(frauds) < LEAST or len(known) - len(frauds) < LEAST:
        seen = f"{len(frauds)} frauds and {len(known) - len(frauds)} honest payments"
        return f"Too little is known yet: {seen}, {LEAST} of each are needed."
    found = share_said_fraud(frauds)
    return f"Of {len(frauds)} known frauds {found['said']} were found."
