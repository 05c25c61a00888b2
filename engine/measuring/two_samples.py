"""Which inputs are no longer spread as they were, once it is taken into account how many were looked at?

The population stability index over stated bins says how far a column has moved; a two-sample test says whether chance
could have moved it: Kolmogorov and Smirnov's for numbers, the chi-squared test of homogeneity for categories, both on
the values that are there. Shares of missing values are compared by themselves. The tests of all columns are corrected
together (Benjamini and Hochberg 1995), so that a hundred quiet columns do not raise an alarm a day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy

from engine.measuring.drift import ALARM, NOTICE, drift, profile

STABLE, NOTICED, ALARMING = "stable", "notice", "alarm"
UNLIKELY = 0.001
"""The corrected p-value from which on chance does not explain a difference."""
MISSING_MOVED = 0.05
"""By how much the share of missing values must have moved to be noticed; an alarm is twice that."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One column in both samples. `expected` and `actual` are the shares in the bins named by `labels`; `test` names
    the two-sample test with its p-value and that corrected for all columns; `missing_q` is that of missing values."""

    name: str
    psi: float
    level: str
    test: str
    p_value: float
    q_value: float
    missing_before: float
    missing_now: float
    missing_q: float
    labels: tuple[str, ...]
    expected: tuple[float, ...]
    actual: tuple[float, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def compare(
    before: pa.Table, now: pa.Table, names: Sequence[str], categorical: Collection[str]
) -> list[Moved]:
    """Every named column of two samples, the furthest moved first. Columns that hold nothing in either are left out.

    InputError (from `engine.measuring.drift`) where a sample is empty or a column absent.
    """
    told = [
        name for name in names if before[name].null_count < len(before) or now[name].null_count < len(now)
    ]
    if not told:
        return []
    moved = {each.name: each for each in drift(profile(before, told, categorical), now)}
    tests = [_test(before[name], now[name], name in categorical) for name in told]
    missing = [_missing(before[name], now[name]) for name in told]
    q_values = corrected([p for _, p in tests] + [m[2] for m in missing])
    found = []
    for n, name in enumerate(told):
        index, (test, p_value), (was, has, _) = moved[name], tests[n], missing[n]
        q_value, missing_q = q_values[n], q_values[len(told) + n]
        level = max(_level(index.psi, q_value), _missing_level(was, has, missing_q), key=_RANK.index)
        found.append(
            Moved(
                name,
                index.psi,
                level,
                test,
                p_value,
                q_value,
                was,
                has,
                missing_q,
                index.labels,
                index.expected,
                index.actual,
            )
        )
    return sorted(found, key=lambda each: (-_RANK.index(each.level), -each.psi, each.name))


_RANK = (STABLE, NOTICED, ALARMING)


def corrected(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for their number (Benjamini and Hochberg 1995); the expected share of false alarms among those
    below q is at most q."""
    return list(map(float, scipy.stats.false_discovery_control(np.asarray(p_values)))) if p_values else []


def _level(psi: float, q_value: float) -> str:
    if psi < NOTICE or q_value > UNLIKELY:
        return STABLE
    return ALARMING if psi >= ALARM else NOTICED


def _missing_level(was: float, has: float, q_value: float) -> str:
    if abs(has - was) < MISSING_MOVED or q_value > UNLIKELY:
        return STABLE
    return ALARMING if abs(has - was) >= 2 * MISSING_MOVED else NOTICED


def _test(before: pa.ChunkedArray, now: pa.ChunkedArray, is_category: bool) -> tuple[str, float]:
    """The test's name and p-value, on the values that are there; 1 where one side has none."""
    a, b = before.drop_null(), now.drop_null()
    if not len(a) or not len(b):
        return "none", 1.0
    if is_category:
        return "chi-squared", _homogeneity(a, b)
    x, y = (part.cast(pa.float64(), safe=False).to_numpy() for part in (a, b))
    return "Kolmogorov-Smirnov", float(scipy.stats.ks_2samp(x, y, method="asymp").pvalue)


def _homogeneity(a: pa.ChunkedArray, b: pa.ChunkedArray) -> float:
    counts = [
        {row["values"]: row["counts"] for row in pc.value_counts(part.cast(pa.string())).to_pylist()}
        for part in (a, b)
    ]
    levels = sorted(set(counts[0]) | set(counts[1]))
    table = np.array([[of.get(level, 0) for level in levels] for of in counts], np.float64)
    rare = table.sum(axis=0) < 10  # too few for the approximation: taken together
    if rare.any():
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    return 1.0 if table.shape[1] < 2 else float(scipy.stats.chi2_contingency(table).pvalue)


def _missing(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[float, float, float]:
    """Both shares of missing values, and the p-value of their difference (Fisher's exact test)."""
    gone = (before.null_count, now.null_count)
    table = [[gone[0], len(before) - gone[0]], [gone[1], len(now) - gone[1]]]
    return gone[0] / len(before), gone[1] / len(now), float(scipy.stats.fisher_exact(table).pvalue)
