"""What would past decisions have been under other rules and another policy?

Nothing is decided in a second way: every payment that could be anything but approved goes through `triage` itself, in
the order in which it was decided, with the day's load as it would have grown. Only payments that every load would
approve are passed over, because no rule asks and the probability lies below the lowest cut-off there can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from engine.costs import CapacityState, cut_offs
from engine.decision import Draws, Outcome, RuleResult
from engine.policy import Policy
from engine.triage import Triaged, triage

Asking = Mapping[int, Sequence[RuleResult]]
"""Results of live rules that ask for something, by the row's place."""


@dataclass(frozen=True)
class Past:
    """Decisions in the order they were made, as columns of equal length. Amounts are in minor units, None where
    unknown; `audit` and `explore` are the draws, in [0, 1)."""

    decided_at: Sequence[datetime]
    probability: Sequence[float | None]
    amount_minor: Sequence[int | None]
    novelty: Sequence[float | None]
    audit: Sequence[float]
    explore: Sequence[float]
    killed: Sequence[bool]
    start: CapacityState

    def __len__(self) -> int:
        return len(self.decided_at)


@dataclass(frozen=True)
class Redecided:
    """One answer per row: outcome (0, 1, 2 as in Outcome), explored, audited beside another outcome than review, and
    the load it was made under."""

    outcome: np.ndarray
    explored: np.ndarray
    audited: np.ndarray
    loads: Sequence[CapacityState]


def redecide(past: Past, asking: Asking, policy: Policy) -> Redecided:
    """Decide all rows again. The first day starts with the load it really had, every later one with none."""
    rows = len(past)
    outcome, explored = np.zeros(rows, np.uint8), np.zeros(rows, bool)
    audited = np.asarray(past.audit) < policy.sampling.audit
    worth_a_look = _worth_a_look(past, asking, policy)
    days: dict[date, CapacityState] = {}
    loads: list[CapacityState] = []
    for row in range(rows):
        day = past.decided_at[row].date()
        load = days.get(day) or (CapacityState() if days else past.start)
        loads.append(load)
        if worth_a_look[row]:
            answer = decide_row(past, row, asking.get(row, ()), policy, load)
            outcome[row], explored[row] = answer.outcome, answer.explored
        days[day] = _after(
            load,
            past.amount_minor[row],
            bool(outcome[row] == Outcome.REVIEW or audited[row]),
            bool(explored[row]),
        )
    return Redecided(outcome, explored, audited & (outcome != Outcome.REVIEW), loads)


def decide_row(
    past: Past, row: int, results: Sequence[RuleResult], policy: Policy, load: CapacityState
) -> Triaged:
    """One past decision anew, under the given rule results, policy and load."""
    sampling = policy.sampling
    return triage(
        past.probability[row],
        past.amount_minor[row],
        results,
        policy,
        load=load,
        draws=Draws(past.audit[row], sampling.audit, past.explore[row], sampling.exploration.share),
        novelty=past.novelty[row],
        killed=past.killed[row],
    )


def _worth_a_look(past: Past, asking: Asking, policy: Policy) -> np.ndarray:
    """Rows that some load could answer otherwise than with plain approval."""
    lowest: dict[
        int | None, float
    ] = {}  # a price on reviews only moves the cut-off up, to where declining starts
    found = np.zeros(len(past), bool)
    for row, (probability, amount, novelty) in enumerate(
        zip(past.probability, past.amount_minor, past.novelty, strict=True)
    ):
        if amount not in lowest:
            lowest[amount] = cut_offs(amount, policy).review_at
        found[row] = (
            probability is None
            or probability >= lowest[amount]
            or past.killed[row]
            or row in asking
            or (amount is not None and amount >= policy.high_amount_minor)
            or (novelty is not None and novelty >= policy.novelty_at)
        )
    return found


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
