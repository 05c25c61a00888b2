"""Have inputs, margins, answers, volumes or reported fraud moved away from the weeks before, and where?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import scipy

from casework.watching.stretches import Compared, Stretch, decided, last_moment
from data.canonical import rfc3339
from data.ledger import Ledger
from engine.features.feature_set import CATEGORY, FeatureSpec
from engine.measuring.two_samples import ALARMING, MISSING_MOVED, NOTICED, STABLE, UNLIKELY, Moved, compare
from engine.policy import Policy
from engine.units import percent

JSON = dict[str, Any]
LEAST_ROWS = 200
"""Decisions that each side of a comparison needs."""
GROWS = ("seconds_since_first",)
"""Measures that move by themselves, because the record grows older."""
MANY_TIMES, FEW_TIMES = 1.5, 1 / 1.5
"""A day's volume this much above or below the usual one is an alarm, where chance does not explain it."""
LEVELS = (STABLE, NOTICED, ALARMING)
NAMED = 5


@dataclass(frozen=True)
class _Sides:
    before: pa.Table
    now: pa.Table

    def within(self, segment: str) -> _Sides:
        return _Sides(*(side.filter(pc.equal(side["_segment"], segment)) for side in (self.before, self.now)))

    @property
    def enough(self) -> bool:
        return min(self.before.num_rows, self.now.num_rows) >= LEAST_ROWS

    @property
    def one_model(self) -> bool:
        used = {m for side in (self.before, self.now) for m in pc.unique(side["_model"]).to_pylist()}
        return len(used) == 1 and "" not in used


def examine(ledger: Ledger, features: Sequence[FeatureSpec], policy: Policy, at: datetime) -> JSON | None:
    """The recent stretch against the reference before it, as a report; None while there are too few decisions.

    `level` is stable, notice or alarm: that of the inputs, margins and answers of every segment, the volume, and the
    fraud reported at equal age. `segments` says where, each with a sentence.
    """
    until = last_moment(ledger, at)
    if until is None:
        return None
    stretch = Compared.ending(until, policy.watch)
    told = [spec for spec in features if spec.measure not in GROWS]
    sides = _Sides(decided(ledger, stretch.reference, told), decided(ledger, stretch.recent, told))
    if not sides.enough:
        return None
    found = _columns(sides, told)
    segments = _segments(sides, told, stretch.recent)
    volume, fraud = _volume(ledger, stretch), _reported(ledger, stretch, policy)
    level = max([*(s["level"] for s in segments), volume["level"], fraud["level"]], key=LEVELS.index)
    return {
        "since": rfc3339(stretch.recent.since),
        "until": rfc3339(stretch.recent.until),
        "reference_since": rfc3339(stretch.reference.since),
        "rows": {"reference": sides.before.num_rows, "recent": sides.now.num_rows},
        "level": level,
        "inputs": [_worded(each, told) for each in found],
        "left_out": [spec.name for spec in features if spec.measure in GROWS],
        "margin_compared": sides.one_model,
        "segments": segments,
        "volume": volume,
        "reported_fraud": fraud,
        "sentence": _sentence(level, segments, volume, fraud),
    }


def _columns(sides: _Sides, features: Sequence[FeatureSpec]) -> list[Moved]:
    """Inputs, the margin (where one model made both stretches) and the mix of answers."""
    names = [spec.name for spec in features] + ["_outcome"] + (["_margin"] if sides.one_model else [])
    categories = {spec.name for spec in features if spec.kind == CATEGORY} | {"_outcome"}
    return compare(sides.before, sides.now, names, categories)


def _worded(moved: Moved, features: Sequence[FeatureSpec]) -> JSON:
    return {**moved.as_json(), "phrase": _phrase(moved.name, features)}


def _phrase(name: str, features: Sequence[FeatureSpec]) -> str:
    own = {"_margin": "the model's margin", "_outcome": "the mix of answers"}
    return own.get(name) or next((spec.phrase or spec.name for spec in features if spec.name == name), name)


def _segments(sides: _Sides, features: Sequence[FeatureSpec], recent: Stretch) -> list[JSON]:
    rows = []
    for segment in sorted(set(pc.unique(sides.now["_segment"]).to_pylist())):
        here = sides.within(segment)
        row: JSON = {"segment": segment, "rows": here.now.num_rows, "before": here.before.num_rows}
        if not here.enough:
            rows.append({**row, "level": STABLE, "moved": [], "sentence": "Too few decisions to compare."})
            continue
        moved = [each for each in _columns(here, features) if each.level != STABLE]
        level = max((each.level for each in moved), key=LEVELS.index, default=STABLE)
        names = [each.name for each in moved if each.level == level] if level != STABLE else []
        inputs = any(each.level == ALARMING and each.name != "_outcome" for each in moved)
        sentence = _moved_sentence(segment, moved, level, features, recent)
        rows.append({**row, "level": level, "moved": names, "inputs_drifted": inputs, "sentence": sentence})
    return rows


def _moved_sentence(
    segment: str, moved: Sequence[Moved], level: str, features: Sequence[FeatureSpec], recent: Stretch
) -> str:
    worst = [each for each in moved if each.level == level]
    if not worst:
        return f"Nothing has moved in segment {segment}."
    told = [f"{_phrase(each.name, features)} ({_how(each)})" for each in worst[:NAMED]]
    more = f" and {len(worst) - NAMED} more" if len(worst) > NAMED else ""
    many = "has" if len(worst) == 1 else "have"
    return f"Since {recent.since:%d %B}, {', '.join(told)}{more} {many} moved in segment {segment}."


def _how(moved: Moved) -> str:
    if abs(moved.missing_now - moved.missing_before) >= MISSING_MOVED and moved.missing_q <= UNLIKELY:
        return f"missing in {percent(moved.missing_now)} instead of {percent(moved.missing_before)}"
    return f"PSI {moved.psi:.2f}"


_DAYS = """
SELECT CAST(floor(date_diff('second', decided_at, $until) / 86400) AS BIGINT) AS days_ago, count(*) AS n
FROM decisions WHERE decided_at >= $since AND decided_at < $until GROUP BY 1
"""


def _volume(ledger: Ledger, stretch: Compared) -> JSON:
    """Decisions a day, recent against before (Welch's t-test on whole days)."""
    span = {"since": stretch.reference.since, "until": stretch.recent.until}
    by_day = {row["days_ago"]: row["n"] for row in ledger.read(_DAYS, span)}
    turn = max(1, (stretch.recent.until - stretch.recent.since).days)
    oldest = max(by_day, default=0)  # the oldest day may be cut, so it is left out
    now = [by_day.get(day, 0) for day in range(turn)]
    before = [by_day.get(day, 0) for day in range(turn, oldest)]
    if len(before) < 3 or len(now) < 3 or not sum(before):
        return {"level": STABLE, "per_day_now": _mean(now), "per_day_before": _mean(before), "p_value": None}
    same = len(set(now)) == 1 and len(set(before)) == 1
    p_value = (
        float(now[0] == before[0])
        if same
        else float(scipy.stats.ttest_ind(now, before, equal_var=False).pvalue)
    )
    ratio = _mean(now) / _mean(before)
    moved = p_value <= UNLIKELY and not FEW_TIMES < ratio < MANY_TIMES
    level = ALARMING if moved else STABLE
    return {"level": level, "per_day_now": _mean(now), "per_day_before": _mean(before), "p_value": p_value}


def _mean(counts: Sequence[int]) -> float:
    return sum(counts) / len(counts) if counts else 0.0


_REPORTED = """
SELECT d.decided_at >= $turn AS recent, count(*) AS n, count(*) FILTER (o.transaction_seq IS NOT NULL) AS frauds
FROM decisions d LEFT JOIN (
    SELECT DISTINCT x.transaction_seq FROM outcomes x JOIN transactions t ON t.seq = x.transaction_seq
    WHERE x.is_fraud AND x.known_at <= t.occurred_at + to_microseconds($age_us)) o USING (transaction_seq)
WHERE d.decided_at >= $since AND d.decided_at < $until GROUP BY 1
"""


def _reported(ledger: Ledger, stretch: Compared, policy: Policy) -> JSON:
    """Fraud reported within the length of the recent stretch, of payments old enough for that, against those before:
    at equal age, so that young payments do not look good (Fisher's exact test)."""
    age = policy.watch.recent
    values = {
        "age_us": age.days * 86_400_000_000 + age.seconds * 1_000_000,
        "since": stretch.reference.since,
        "turn": stretch.recent.since - age,
        "until": stretch.recent.since,
    }
    counts = {row["recent"]: (row["frauds"], row["n"]) for row in ledger.read(_REPORTED, values)}
    (now_frauds, now), (before_frauds, before) = counts.get(True, (0, 0)), counts.get(False, (0, 0))
    told: JSON = {
        "age_days": age.days,
        "now": {"frauds": now_frauds, "payments": now},
        "before": {"frauds": before_frauds, "payments": before},
    }
    if min(now, before) < LEAST_ROWS:
        return {**told, "level": STABLE, "p_value": None}
    table = [[now_frauds, now - now_frauds], [before_frauds, before - before_frauds]]
    p_value = float(scipy.stats.fisher_exact(table).pvalue)
    return {**told, "level": ALARMING if p_value <= UNLIKELY else STABLE, "p_value": p_value}


def _sentence(level: str, segments: Sequence[JSON], volume: JSON, fraud: JSON) -> str:
    told = [s["sentence"] for s in segments if s["level"] != STABLE]
    if volume["level"] != STABLE:
        told.append(
            f"{volume['per_day_now']:,.0f} decisions a day instead of {volume['per_day_before']:,.0f}."
        )
    if fraud["level"] != STABLE:
        now, before = fraud["now"], fraud["before"]
        told.append(
            f"Within {fraud['age_days']} days {percent(now['frauds'] / now['payments'])} of payments were reported as "
            f"fraud instead of {percent(before['frauds'] / before['payments'])}."
        )
    return " ".join(told) if level != STABLE else "Nothing has moved beyond what chance explains."
