"""What would past decisions have been under other rules and another policy?

Nothing is decided in a second way: every payment that could be anything but approved goes through `triage` itself, in
the order in which it was decided, with the day's load as it would have grown. Only payments that every load would
approve are passed over, because no rule asks and the probability lies below the lowest cut-off there can be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import numpy as np

from engine.control import NOTHING, Applied
from engine.costs import CapacityState, cut_offs, without_reviews
from engine.decision import Draws, Outcome, RuleResult, Strangeness, TriageReason
from engine.policy import DEFAULT_SEGMENT, Policy
from engine.segments import Segments
from engine.triage import Triaged, triage

Asking = Mapping[int, Sequence[RuleResult]]
"""Results of live rules that ask for something, by the row's place."""


@dataclass(frozen=True)
class Past:
    """Decisions in the order they were made, as columns of equal length. Amounts are in minor units, None where
    unknown; `audit` and `explore` are the draws, in [0, 1). `start` is what the first day held before them, `days` what
    other days did (rows may be late). `strange` says in what a row is unlike the others, for rows
    that are novel where no model decides; without it nothing says that enough was seen of a kind."""

    decided_at: Sequence[datetime]
    probability: Sequence[float | None]
    amount_minor: Sequence[int | None]
    novelty: Sequence[float | None]
    audit: Sequence[float]
    explore: Sequence[float]
    killed: Sequence[bool]
    start: CapacityState
    controls: Mapping[int, Applied] = field(default_factory=dict)
    strange: Callable[[int], Strangeness] | None = None
    days: Mapping[date, CapacityState] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.decided_at)

    def strangeness(self, row: int, policy: Policy) -> Strangeness | None:
        """In what a row is strange, where that may bring it before a person."""
        novelty = self.novelty[row]
        if self.strange is None or novelty is None or novelty < policy.novelty_at:
            return None
        return self.strange(row)


@dataclass(frozen=True)
class Segmented:
    """The policy's segments, and the name of each row's, None where all rows are in the default one."""

    segments: Segments
    names: Sequence[str] | None = None

    def of(self, row: int) -> tuple[str, Policy]:
        name = DEFAULT_SEGMENT if self.names is None else self.names[row]
        return name, self.segments.policy(name)

    @property
    def policies(self) -> list[Policy]:
        return [self.segments.policy(name) for name in self.segments.names]


class Loads:
    """What each day held before each row; only the rows that added something are kept."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._days: dict[date, tuple[list[int], list[CapacityState]]] = {}
        self._first = past.decided_at[0].date() if len(past) else None

    def __getitem__(self, row: int) -> CapacityState:
        day = self._past.decided_at[row].date()
        rows, states = self._days.get(day, ([], []))
        place = bisect_left(rows, row)
        if place:
            return states[place - 1]
        return self._past.days.get(day, self._past.start if day == self._first else CapacityState())

    def ends(self) -> dict[date, CapacityState]:
        """What each day held in the end, as `Past.days` for the rows that follow."""
        return {**self._past.days, **{day: states[-1] for day, (_, states) in self._days.items()}}

    def add(self, row: int, load: CapacityState) -> None:
        """The load once this row was decided; rows come in order."""
        rows, states = self._days.setdefault(self._past.decided_at[row].date(), ([], []))
        rows.append(row)
        states.append(load)


@dataclass(frozen=True)
class Redecided:
    """One answer per row: outcome (0, 1, 2 as in Outcome), explored, audited beside another outcome than review, and
    the load it was made under."""

    outcome: np.ndarray
    explored: np.ndarray
    audited: np.ndarray
    loads: Loads


def redecide(past: Past, asking: Asking, policy: Policy, segmented: Segmented | None = None) -> Redecided:
    """Decide all rows again. The first day starts with the load it really had, every later one with none."""
    segmented = segmented or Segmented(Segments(policy, {}))
    outcome, explored = np.zeros(len(past), np.uint8), np.zeros(len(past), bool)
    audited = np.asarray(past.audit) < policy.sampling.audit
    worth_a_look = _worth_a_look(past, asking, segmented)
    loads, review = Loads(past), int(Outcome.REVIEW)
    for row in np.flatnonzero(worth_a_look | audited).tolist():
        load, reason = loads[row], TriageReason.NONE
        if worth_a_look[row]:
            answer = decide_row(past, row, asking.get(row, ()), policy, load, segmented)
            outcome[row], explored[row], reason = answer.outcome, answer.explored, answer.triage.reason
        looked_at = bool(outcome[row] == review or audited[row])
        if looked_at or explored[row]:
            load = _after(load, past.amount_minor[row], looked_at, bool(explored[row]))
            loads.add(row, _counted(load, past, row, segmented, reason))
    return Redecided(outcome, explored, audited & (outcome != review), loads)


def decide_row(
    past: Past,
    row: int,
    results: Sequence[RuleResult],
    policy: Policy,
    load: CapacityState,
    segmented: Segmented | None = None,
) -> Triaged:
    """One past decision anew, under the given rule results, policy and load."""
    sampling, applied = policy.sampling, past.controls.get(row, NOTHING)
    name, own = segmented.of(row) if segmented else (DEFAULT_SEGMENT, policy)
    return triage(
        past.probability[row],
        past.amount_minor[row],
        applied.on(results) if applied else results,
        own,
        load=load,
        draws=Draws(past.audit[row], sampling.audit, past.explore[row], sampling.exploration.share),
        novelty=past.novelty[row],
        segment=name,
        killed=past.killed[row],
        capped=applied.model_capped,
        strange=past.strangeness(row, own),
        widening=applied.widening(name, past.decided_at[row]),
    )


def _worth_a_look(past: Past, asking: Asking, segmented: Segmented) -> np.ndarray:
    """Rows that some load could answer otherwise than with plain approval."""
    policies = segmented.policies
    lowest = {amount: _lowest_cut_off(amount, policies) for amount in set(past.amount_minor)}
    cut = np.array([lowest[amount] for amount in past.amount_minor], np.float64)
    probability = np.array(past.probability, np.float64)  # None becomes NaN
    amount = np.array(past.amount_minor, np.float64)
    found = ~(probability < cut) | (amount >= min(p.high_amount_minor for p in policies))
    found |= np.asarray(past.killed, bool)
    found |= np.array(past.novelty, np.float64) >= min(p.novelty_at for p in policies)
    found[[*asking, *(place for place, applied in past.controls.items() if applied.may_stop)]] = True
    return found


def _lowest_cut_off(amount: int | None, policies: Sequence[Policy]) -> float:
    # A price on reviews only moves the cut-off up, to where declining starts, so without a price it is lowest.
    return min(min(cut_offs(amount, p).review_at, without_reviews(amount, p).review_at) for p in policies)


def _after(load: CapacityState, amount_minor: int | None, looked_at: bool, explored: bool) -> CapacityState:
    if looked_at:
        load = replace(load, reviews_today=load.reviews_today + 1)
    if explored:
        load = replace(
            load,
            explored_today=load.explored_today + 1,
            explored_amount_today_minor=load.explored_amount_today_minor + (amount_minor or 0),
        )
    return load


def _counted(
    load: CapacityState, past: Past, row: int, segmented: Segmented, reason: TriageReason
) -> CapacityState:
    """The load with what is counted apart: reviews of what is strange in one way, and those that drift has added."""
    if reason is TriageReason.DRIFT:
        return replace(load, drift_today=load.drift_today + 1)
    strange = past.strangeness(row, segmented.of(row)[1]) if reason is TriageReason.NOVEL else None
    if strange is None:
        return load
    held = load.novel_today
    return replace(load, novel_today={**held, strange.kind: held.get(strange.kind, 0) + 1})
