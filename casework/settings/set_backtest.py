"""How would a set of files have done over a past period, week by week, beside what was really decided?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from casework.app import App
from casework.live import read_settings
from casework.quality.subgroups import wilson
from casework.settings import past_decisions as past_of
from casework.settings.alarms_of_change import alarms
from casework.settings.evidence_of_fraud import Evidence, group, maturity, read_evidence
from casework.settings.flips import Side
from casework.settings.past_decisions import PastDecisions
from casework.settings.past_truth import FRAUD
from casework.settings.previews import blocking_rules, side_of, with_new_features
from data import approved
from engine.decision import Outcome

JSON = dict[str, Any]
_WORDS = tuple(outcome.word for outcome in Outcome)
CAVEAT = (
    "Known fraud is what was reported by now: declined payments seldom have an outcome, and recent weeks hold mostly "
    "the frauds that were reported early. Compare the two columns of one week, not one week with another."
)


def set_backtest(
    app: App, files: Mapping[str, bytes], since: datetime | None, until: datetime | None, *, at: datetime
) -> JSON:
    """Decide a period anew under `files`, in order, from what was known at each payment, and set the answers beside
    those really given then, under whichever sets and load those were.

    ConfigError for files that cannot be read; InputError for an empty period or features that cannot be had.
    """
    now, then = app.settings(), read_settings(files, app.mapping)
    when = past_of.period(app.ledger, since, until)
    past = past_of.read_past(app.ledger, when, now.features, now.policy, at)
    side = side_of(app, with_new_features(app, past, now, then), then)
    evidence = read_evidence(app.ledger, when, now.policy, at, blocking_rules(now.rules))
    decided = np.array([_WORDS.index(word) for word in past.table.column("_outcome").to_pylist()], np.uint8)
    sides = {"decided": decided, "candidate": side.decided.outcome}
    return {
        "since": when.since,
        "until": when.until,
        "decisions": len(past),
        "set_id": approved.set_id_of(files),
        "currency": now.policy.currency,
        "maturity": maturity(evidence),
        "totals": {name: _totals(evidence, outcome) for name, outcome in sides.items()},
        "weeks": _weeks(past, side, evidence, sides),
        "alarms": alarms(_as_preview(side, decided)),
        "caveat": CAVEAT,
    }


def _totals(evidence: Evidence, outcome: np.ndarray) -> JSON:
    return {
        **{word: group(evidence, outcome == place) for place, word in enumerate(_WORDS)},
        **_caught(evidence, outcome, np.ones(len(outcome), bool)),
    }


def _caught(evidence: Evidence, outcome: np.ndarray, chosen: np.ndarray) -> JSON:
    """How much of the known fraud was not approved: by count (95 % Wilson interval), and by amount (value detection
    rate; None where nothing was lost)."""
    fraud = chosen & (evidence.fraud == FRAUD)
    caught = fraud & (outcome > Outcome.APPROVE)
    lost, stopped = (int(evidence.amount_minor[part].sum()) for part in (fraud, caught))
    return {
        "known_fraud": int(fraud.sum()),
        "known_fraud_minor": lost,
        "caught": wilson(int(caught.sum()), int(fraud.sum())),
        "caught_minor": stopped,
        "value_detection_rate": stopped / lost if lost else None,
    }


def _weeks(
    past: PastDecisions, side: Side, evidence: Evidence, sides: Mapping[str, np.ndarray]
) -> list[JSON]:
    """One row a week (Monday to Sunday, UTC): both sides beside each other."""
    days = np.array([moment.date().toordinal() for moment in past.columns.decided_at])
    weeks = days - (days - 1) % 7  # ordinal 1 is a Monday
    audited = side.decided.audited
    rows = []
    for week in np.unique(weeks).tolist():
        chosen = weeks == week
        open_days = len(np.unique(days[chosen]))
        row: JSON = {
            "week": date.fromordinal(week),
            "until": date.fromordinal(week) + timedelta(days=7),
            "days": open_days,
            "decisions": int(chosen.sum()),
            "matured": float(evidence.truth.matured[chosen].mean()),
        }
        for name, outcome in sides.items():
            counts = np.bincount(outcome[chosen], minlength=3)
            looked_at = int((chosen & ((outcome == Outcome.REVIEW) | audited)).sum())
            row[name] = {
                **dict(zip(_WORDS, counts.tolist(), strict=True)),
                "cases_a_day": looked_at / open_days,
                **_caught(evidence, outcome, chosen),
            }
        rows.append(row)
    return rows


def _as_preview(side: Side, decided: np.ndarray) -> JSON:
    """What `alarms` looks at, with the answers really given as the side before."""
    days = np.array([moment.date().toordinal() for moment in side.past.columns.decided_at])
    _, places = np.unique(days, return_inverse=True)
    capacity = side.settings.policy.capacity.reviews_per_day
    work, outcomes = {}, {}
    for name, outcome in (("before", decided), ("after", side.decided.outcome)):
        daily = np.bincount(places, weights=(outcome == Outcome.REVIEW) | side.decided.audited)
        work[name] = {
            "total": int(daily.sum()),
            "a_day": float(daily.mean()),
            "days": len(daily),
            "days_at_capacity": int((daily >= capacity).sum()),
            "capacity": capacity,
        }
        outcomes[name] = {"decline": {"count": int((outcome == Outcome.DECLINE).sum())}}
    flipped = int((decided != side.decided.outcome).sum())
    return {
        "cases": work,
        "outcomes": outcomes,
        "rules": [],
        "flipped": flipped,
        "decisions": len(decided),
    }
