"""Do the labels of some week contradict what the champion learned before, as if fraud and legitimate were swapped?

The champion is held against labels that came after what it learned from, apart for each week and kind of source. A new
kind of fraud lowers its area under the curve; only labels that say the opposite push it below one half. That holds
among payments that came before people for the same reason: a rule that finds a fraud of low scores beside uncertain
payments of higher scores, most of them good, puts the area of all together below one half although every label is
right.
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
from engine.measuring.intervals import Interval

FEWEST = 5
"""Frauds and legitimate payments of a week and source below which nothing is said."""
VERDICTS, OUTCOMES = "verdicts of reviewers", "outcomes and silence"
OF_PEOPLE = ("adjudicated", "consensus", "single_verdict", "blind_first")
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Scored:
    """Labelled rows that the champion did not learn from: its margins, the labels, where they come from, and when the
    payments occurred (microseconds since 1970 UTC). `reason` says why each came before a person, as any text; rows are
    compared with those of the same reason only."""

    margin: np.ndarray
    fraud: np.ndarray
    source: np.ndarray
    occurred_us: np.ndarray
    reason: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one week and kind of source; `reason` numbers, below `reasons`, why each came."""

    margin: np.ndarray
    fraud: np.ndarray
    reason: np.ndarray
    reasons: int


def turned(rows: Scored) -> tuple[LabelTurn, ...]:
    """The weeks and sources whose labels contradict the champion beyond chance, over all that are looked at."""
    parts = list(_parts(rows))
    if not parts:
        return ()
    z = NormalDist().inv_cdf(1 - 0.025 / len(parts))
    found = []
    for week, source, part in parts:
        area, below = below_chance(part, z)
        if below:
            fraud = int(part.fraud.sum())
            found.append(LabelTurn(str(week), source, fraud, len(part.fraud) - fraud, area, part.reasons > 1))
    return tuple(found)


def below_chance(part: Part, z: float) -> tuple[Interval, bool]:
    """The area and whether it lies below one half beyond chance: by its interval and by the rank test, since of few
    labels DeLong's interval is too sure and the rank test is not."""
    area, by_chance = area_within(part, z)
    return area, area.high < 0.5 and area.value < 0.5 - z * by_chance


def area_within(part: Part, z: float) -> tuple[Interval, float]:
    """Area under the ROC curve over pairs of the same reason, with its interval, and its standard error where labels
    say nothing (Mann and Whitney 1947, by stratum as van Elteren 1960)."""
    areas, variances, chance, pairs = [], [], [], []
    for place in range(part.reasons):
        margin, fraud = part.margin[part.reason == place], part.fraud[part.reason == place]
        m, n = int(fraud.sum()), int((~fraud).sum())
        area, variance = _area(margin[fraud], margin[~fraud])
        areas.append(area)
        variances.append(variance)
        chance.append((m + n + 1) / (12 * m * n))
        pairs.append(m * n)
    share = np.array(pairs) / sum(pairs)
    value = float(share @ areas)
    error, by_chance = (float(np.sqrt(share**2 @ each)) for each in (variances, chance))
    return Interval(value, max(0.0, value - z * error), min(1.0, value + z * error)), by_chance


def area_with_interval(positive: np.ndarray, negative: np.ndarray, z: float = 1.96) -> Interval:
    """Area under the ROC curve with the normal interval of DeLong (1988), from scores of the two classes."""
    area, variance = _area(positive, negative)
    error = float(np.sqrt(variance))
    return Interval(area, max(0.0, area - z * error), min(1.0, area + z * error))


def _area(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float]:
    """The area and DeLong's variance of it."""
    m, n = len(positive), len(negative)
    ranks = scipy.stats.rankdata(np.concatenate([positive, negative]))
    # How many negatives each positive stands above, ties half, and the other way round.
    above = (ranks[:m] - scipy.stats.rankdata(positive)) / n
    below = 1.0 - (ranks[m:] - scipy.stats.rankdata(negative)) / m
    return float(above.mean()), float(above.var(ddof=1) / m + below.var(ddof=1) / n)


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


def _parts(rows: Scored) -> Iterator[tuple[date, str, Part]]:
    """(Monday, kind of source, rows) of every part with enough of both kinds of label."""
    days = rows.occurred_us // _DAY_US
    monday = days - (days + 3) % 7  # 1970-01-01 was a Thursday
    people = np.isin(rows.source, OF_PEOPLE)
    for week in np.unique(monday):
        first = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(week))).date()
        for name, of_kind in ((VERDICTS, people), (OUTCOMES, ~people)):
            part = comparable(rows.margin, rows.fraud, rows.reason, (monday == week) & of_kind)
            fraud = int(part.fraud.sum())
            if min(fraud, len(part.fraud) - fraud) >= FEWEST:
                yield first, name, part


def comparable(margin: np.ndarray, fraud: np.ndarray, reason: np.ndarray | None, inside: np.ndarray) -> Part:
    """Those of the rows inside whose reason has at least two of both kinds of label: fewer have no spread."""
    margin, fraud = margin[inside], fraud[inside].astype(bool)
    if reason is None:
        code = np.zeros(len(fraud), dtype=np.int64)
    else:
        code = np.unique(reason[inside].astype(str), return_inverse=True)[1]
    enough = (
        np.minimum(
            np.bincount(code[fraud], minlength=1 + code.max(initial=0)),
            np.bincount(code[~fraud], minlength=1 + code.max(initial=0)),
        )
        >= 2
    )
    kept = enough[code]
    place = np.cumsum(enough) - 1
    return Part(margin[kept], fraud[kept], place[code[kept]], int(enough.sum()))
