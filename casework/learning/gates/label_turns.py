"""Do the labels of some week contradict what the champion learned before, as if fraud and legitimate were swapped?

The champion is held against labels that came after what it learned from, apart for each week and kind of source. A new
kind of fraud lowers its area under the curve; only labels that say the opposite push it below one half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import pyarrow as pa
import scipy

from casework.learning.gates.gates import LabelTurn
from engine.intervals import Interval

FEWEST = 5
"""Frauds and legitimate payments of a week and source below which nothing is said."""
VERDICTS, OUTCOMES = "verdicts of reviewers", "outcomes and silence"
OF_PEOPLE = ("adjudicated", "consensus", "single_verdict", "blind_first")
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Scored:
    """Labelled rows that the champion did not learn from: its margins, the labels, where they come from, and when the
    payments occurred (microseconds since 1970 UTC)."""

    margin: np.ndarray
    fraud: np.ndarray
    source: np.ndarray
    occurred_us: np.ndarray


def turned(rows: Scored) -> tuple[LabelTurn, ...]:
    """The weeks and sources whose labels contradict the champion beyond chance, over all that are looked at."""
    parts = list(_parts(rows))
    if not parts:
        return ()
    z = NormalDist().inv_cdf(1 - 0.025 / len(parts))
    found = []
    for week, source, margin, fraud in parts:
        area = area_with_interval(margin[fraud], margin[~fraud], z)
        if area.high < 0.5:
            found.append(LabelTurn(str(week), source, int(fraud.sum()), int((~fraud).sum()), area))
    return tuple(found)


def area_with_interval(positive: np.ndarray, negative: np.ndarray, z: float = 1.96) -> Interval:
    """Area under the ROC curve with the normal interval of DeLong (1988), from scores of the two classes."""
    m, n = len(positive), len(negative)
    ranks = scipy.stats.rankdata(np.concatenate([positive, negative]))
    # How many negatives each positive stands above, ties half, and the other way round.
    above = (ranks[:m] - scipy.stats.rankdata(positive)) / n
    below = 1.0 - (ranks[m:] - scipy.stats.rankdata(negative)) / m
    area = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n))
    return Interval(area, max(0.0, area - z * error), min(1.0, area + z * error))


def changed(before: pa.Table, now: pa.Table) -> dict[str, int]:
    """Of the payments that had a label in both snapshots: how many there are, and how many turned which way."""
    then = dict(zip(before["seq"].to_pylist(), before["value"].to_pylist(), strict=True))
    both = [
        (then[seq], value)
        for seq, value in zip(now["seq"].to_pylist(), now["value"].to_pylist(), strict=True)
        if seq in then
    ]
    return {
        "both": len(both),
        "to_fraud": sum(value and not was for was, value in both),
        "to_legitimate": sum(was and not value for was, value in both),
    }


def _parts(rows: Scored) -> Iterator[tuple[date, str, np.ndarray, np.ndarray]]:
    """(Monday, kind of source, margins, labels) of every part with enough of both kinds of label."""
    days = rows.occurred_us // _DAY_US
    monday = days - (days + 3) % 7  # 1970-01-01 was a Thursday
    people = np.isin(rows.source, OF_PEOPLE)
    for week in np.unique(monday):
        first = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(week))).date()
        for name, of_kind in ((VERDICTS, people), (OUTCOMES, ~people)):
            inside = (monday == week) & of_kind
            fraud = rows.fraud[inside].astype(bool)
            if fraud.sum() >= FEWEST and (~fraud).sum() >= FEWEST:
                yield first, name, rows.margin[inside], fraud
