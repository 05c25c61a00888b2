"""Which past payments does the threshold tuner price, with which probability, floor and truth?"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from casework.app import App
from casework.live import Settings
from casework.settings import past_decisions as past_of
from casework.settings import past_truth
from casework.settings.past_decisions import Period
from casework.settings.past_truth import UNKNOWN
from data.errors import InputError
from engine.decision import Outcome
from engine.policy import DEFAULT_SEGMENT, Policy
from engine.rules.rule_set import RuleSet
from engine.rules.sql import microseconds_of
from engine.segments import Segments
from engine.what_if.tuner import History

MOST_SEGMENTS = 12
FRESH = timedelta(seconds=60)
"""How long an answer may be behind the ledger, so that moving a slider does not read a million decisions anew."""
SEGMENT = "segment"
"""What `by` is called for the policy's own segments."""
_TOLD = "coalesce(json_extract_string(decode(e.payload), '$.context.segment'), 'default')"
_EVENT = "JOIN events e ON e.seq = d.event_seq"

_DAYS = timedelta(days=90)

_SET = "SELECT set_id FROM approved_sets ORDER BY event_seq DESC LIMIT 1"
_COLUMNS = """
SELECT d.probability, coalesce(d.amount_minor, $assumed) AS amount, epoch_us(d.decided_at) // 86400000000 AS day,
       CASE WHEN list_has_any(d.rules_hit, $declining) THEN 2 WHEN list_has_any(d.rules_hit, $asking) THEN 1 ELSE 0 END
       AS floor, CASE d.outcome WHEN 'approve' THEN 0 WHEN 'review' THEN 1 ELSE 2 END AS outcome,
       {segment} AS segment, {own} AS own, {truth}
FROM decisions d {joins} {join} {own_join}
WHERE d.decided_at >= $since AND d.decided_at < $until
"""


@dataclass(frozen=True)
class PastPayments:
    """The decisions of a period that have a probability, as the ledger knew them at `as_of`.

    `outcome` is what was answered (0, 1, 2), `segments` the place in `segment_names` of each payment's, `settled` marks
    those that went through and have matured, so that their truth is known whatever it is. `left_out` counts those
    without a probability, and `elsewhere` those in segments with other autonomy, costs or cut-offs than the default
    one, by segment: what is priced does not decide there. `reviewed_elsewhere` is how many cases a day those take of
    the same capacity.
    """

    when: Period
    as_of: datetime
    history: History
    outcome: np.ndarray
    segments: np.ndarray
    segment_names: Sequence[str]
    settled: np.ndarray
    left_out: int
    elsewhere: Mapping[str, int]
    reviewed_elsewhere: float

    @cached_property
    def parts(self) -> list[tuple[str, History, np.ndarray]]:
        """The largest segments: name, payments, and which they are."""
        counts = np.bincount(self.segments, minlength=len(self.segment_names))
        found = []
        for place in np.argsort(-counts, kind="stable")[:MOST_SEGMENTS].tolist():
            chosen = self.segments == place
            if counts[place]:
                found.append((self.segment_names[place], self.history.where(chosen), chosen))
        return found


@dataclass
class _Held:
    """The histories read last for one application, newest last; two suffice for one person's page."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: dict[tuple[object, ...], PastPayments] = field(default_factory=dict)


_held: WeakKeyDictionary[App, _Held] = WeakKeyDictionary()


def past_payments(
    app: App,
    settings: Settings,
    since: datetime | None,
    until: datetime | None,
    by: str,
    at: datetime,
    *,
    with_rules: bool,
) -> PastPayments:
    """The payments of a period, without bounds the last ninety days; read anew at most once a minute.

    InputError for an attribute that is none, or a period in which nothing was decided.
    """
    held = _held.setdefault(app, _Held())
    key = (since, until, by, with_rules, *app.ledger.read(_SET)[0].values())
    with held.lock:
        known = held.found.get(key)
        if known is None or not timedelta(0) <= at - known.as_of < FRESH:
            held.found.pop(key, None)
            when = past_of.period(app.ledger, since, until, length=_DAYS)
            known = _read(app, settings, when, by, at, with_rules)
            held.found[key] = known
            while len(held.found) > 2:
                held.found.pop(next(iter(held.found)))
        return known


def _read(
    app: App, settings: Settings, when: Period, by: str, at: datetime, with_rules: bool
) -> PastPayments:
    policy = settings.segments.policy(DEFAULT_SEGMENT)
    known = [f.name for f in app.ledger.fields if f.in_transactions]
    if by not in ("", SEGMENT, *known):
        raise InputError(
            f"there is no attribute {by[:80]!r}", where="by", allowed=", ".join((SEGMENT, *known))
        )
    asked = {"assumed": policy.costs.assumed_amount_minor, **_floors(settings.rules, with_rules)}
    parts = {**_segment(by), **_own(settings.segments, {*known, "amount_minor"}, by)}
    sql = _COLUMNS.format(truth=past_truth.COLUMNS, joins=past_truth.JOINS, **parts)
    table = app.ledger.read_arrow(sql, {**past_truth.truth_values(when, policy, at), **asked})
    words = ("own", "segment")  # read as places in a short list of words
    column = {
        name: table.column(name).to_numpy(zero_copy_only=False)
        for name in table.column_names
        if name not in words
    }
    (own, names), (segment, segment_names) = (_places(table, name) for name in words)
    probability = column["probability"].astype(np.float64)
    theirs = with_own_settings(policy)
    apart = np.isin(own, [place for place, name in enumerate(names) if name in theirs])
    scored = ~np.isnan(probability)
    counts = np.bincount(own[apart], minlength=len(names))
    whole = History(
        probability,
        column["amount"].astype(np.int64),
        column["fraud"],
        column["day"],
        column["floor"].astype(np.uint8),
    )
    settled = column["through"] & column["matured"] & (column["fraud"] != UNKNOWN)
    chosen = scored & ~apart
    return PastPayments(
        when,
        at,
        whole.where(chosen),
        column["outcome"][chosen],
        segment[chosen],
        segment_names,
        settled[chosen],
        int((~scored & ~apart).sum()),
        {name: n for name, n in zip(names, counts.tolist(), strict=True) if n},
        float((apart & (column["outcome"] == Outcome.REVIEW)).sum()) / max(whole.days[0], 1),
    )


def _places(table: pa.Table, name: str) -> tuple[np.ndarray, list[str]]:
    """A column of words as places in the list of its distinct words."""
    found = table.column(name).combine_chunks().dictionary_encode()
    return found.indices.to_numpy(), found.dictionary.to_pylist()


def with_own_settings(policy: Policy) -> list[str]:
    """The segments in which others than the default segment's cut-offs and costs decide, or people may do other things.

    A segment without its own has those of the policy at large, which are not the default segment's where that has some.
    """
    default = policy.segment()
    return [
        name
        for name, segment in policy.segments.items()
        if name != DEFAULT_SEGMENT
        and (
            segment.autonomy != default.autonomy
            or segment.costs
            or segment.thresholds
            or default.costs
            or default.thresholds
        )
    ]


def _segment(by: str) -> dict[str, str]:
    if not by:
        return {"segment": "''", "join": ""}
    if by == SEGMENT:
        return {"segment": _TOLD, "join": _EVENT}
    return {
        "segment": f"coalesce(CAST(t.\"{by}\" AS VARCHAR), 'not known')",
        "join": "JOIN transactions t ON t.seq = d.transaction_seq",
    }


def _own(segments: Segments, columns: set[str], by: str) -> dict[str, str]:
    """SQL for the policy's segment of each payment: worked out from the payment where that is enough, since reading it
    from the record means reading the whole of every decision."""
    if len(segments.names) == 1:
        return {"own": "'default'", "own_join": ""}
    if set(segments.features) <= columns:
        told = (
            f"SELECT seq AS own_seq, {segments.sql(microseconds_of('occurred_at'))} AS own FROM transactions"
        )
        return {"own": "g.own", "own_join": f"JOIN ({told}) g ON g.own_seq = d.transaction_seq"}
    return {"own": _TOLD, "own_join": "" if by == SEGMENT else _EVENT}


def _floors(rules: RuleSet, with_rules: bool) -> dict[str, list[str]]:
    """The live rules whose hits decline, and those whose hits ask for a review."""
    live = [rule for rule in rules if with_rules and rule.status == "live" and rule.then.effect != "allow"]
    return {
        "declining": [rule.id for rule in live if rule.then.floor is Outcome.DECLINE],
        "asking": [rule.id for rule in live if rule.then.floor is Outcome.REVIEW],
    }
