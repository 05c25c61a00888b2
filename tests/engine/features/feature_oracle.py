"""The contract of docs/feature-contract.md written down as slowly and plainly as possible, to check others by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from engine.features.spec import FeatureSet, FeatureSpec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Payment:
    seq: int
    us: int
    entities: dict[str, str | None]
    amount: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """An outcome row."""

    seq: int
    fraud: bool
    known_us: int
    reported_seq: int
    recorded_us: int


def moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def features(x: Payment, payments: list[Payment], reports: list[Report], fs: FeatureSet) -> dict[str, Any]:
    row: dict[str, Any] = {}
    before = [y for y in payments if y.seq < x.seq]
    newest = max((y.us for y in before), default=x.us)
    remembered = [y for y in before if y.us >= newest - fs.memory_us]
    for f in fs.features:
        row[f.name] = value(f, x, remembered, reports, fs, row)
    return row


def value(
    f: FeatureSpec,
    x: Payment,
    before: list[Payment],
    reports: list[Report],
    fs: FeatureSet,
    row: dict[str, Any],
) -> Any:
    local = moment(x.us).astimezone(ZoneInfo(fs.time_zone))
    if f.measure == "derived":
        return derived(f.expression.text, row)
    if f.measure in ("attribute", "value"):
        return named(x, f.of)
    if f.measure == "local_hour":
        return local.hour
    if f.measure == "local_night":
        return local.hour <= 6
    if f.measure == "local_weekend":
        return local.strftime("%a") in ("Sat", "Sun")
    shared = [e for e in f.entity if e != "everyone"]
    if any(x.entities[e] is None for e in shared):
        return None
    mine = [y for y in before if all(y.entities[e] == x.entities[e] for e in shared)]
    if f.is_label:
        return label_value(f, x, mine, reports, fs)
    return history_value(f, x, [y for y in mine if x.us - f.window_us <= y.us < x.us])


def named(x: Payment, name: str) -> Any:
    return x.amount if name == "amount" else {**x.attributes, **x.entities}[name]


def history_value(f: FeatureSpec, x: Payment, window: list[Payment]) -> Any:
    amounts = [y.amount for y in window if y.amount is not None]
    values = [v for y in window if f.of and (v := named(y, f.of)) is not None]
    match f.measure:
        case "count":
            return len(window)
        case "sum":
            return sum(amounts)
        case "mean":
            return float(Fraction(sum(amounts), len(amounts))) if amounts else None
        case "std":
            return deviation(amounts)
        case "max":
            return max(values, default=None)
        case "distinct":
            return len(set(values))
        case "seconds_since_last":
            return float(Fraction(x.us - max(y.us for y in window), 10**6)) if window else None
        case "seconds_since_first":
            return float(Fraction(x.us - min(y.us for y in window), 10**6)) if window else None
    raise AssertionError(f.measure)


def deviation(amounts: list[int]) -> float | None:
    if len(amounts) < 2:
        return None
    mean = Fraction(sum(amounts), len(amounts))
    variance = sum((a - mean) ** 2 for a in amounts) / (len(amounts) - 1)
    with localcontext() as context:
        context.prec = 50
        return float((Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt())


def label_value(
    f: FeatureSpec, x: Payment, mine: list[Payment], reports: list[Report], fs: FeatureSet
) -> Any:
    known = []
    told: dict[int, list[Report]] = {}
    for report in reports:
        told.setdefault(report.seq, []).append(report)
    for y in mine:
        rows = [
            (r.reported_seq, max(r.known_us, y.us), r.recorded_us, r.fraud)
            for r in told.get(y.seq, [])
            if r.reported_seq < x.seq and max(r.known_us, y.us) <= x.us
        ]
        if rows:
            _, known_us, _, fraud = max(rows)
            known.append((y.us, known_us, fraud))
    if f.measure == "frauds_learned":
        recent = [k for k in known if x.us - fs.horizon_us <= k[0]]
        return sum(fraud for _, known_us, fraud in recent if x.us - f.window_us <= known_us < x.us)
    until = x.us - fs.label_delay_us
    frauds = [fraud for us, _, fraud in known if until - f.window_us <= us < until]
    if f.measure == "fraud_count":
        return sum(frauds)
    return float(Fraction(sum(frauds), len(frauds))) if frauds else None


def derived(text: str, row: dict[str, Any]) -> float | None:
    """Python's own arithmetic on doubles, where every trouble is a missing value."""
    names = {n: None if v is None or isinstance(v, str) else float(v) for n, v in row.items()}
    try:
        result = eval(text, {"__builtins__": {}}, names)  # our own test expressions only
    except (TypeError, ZeroDivisionError):
        return None
    return result if abs(result) < float("inf") else None
