"""From which lane does the next task come, and which task of it is first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ADJUDICATION_LANE = "adjudication"
SECOND_LANE = "second"
GOLDEN_LANE, RE_SERVE_LANE, TRAINING_LANE = "golden", "re_serve", "training"
PILOT_LANE = "pilot"
"""Lane of payments that a team lead puts before everybody: they lie on each person's desk and come next."""
REPEATED_LANES = (GOLDEN_LANE, RE_SERVE_LANE)
"""Lanes of payments shown again: a share of the work, never all of it."""
RANDOM_LANES = ("audit", GOLDEN_LANE, RE_SERVE_LANE, SECOND_LANE, TRAINING_LANE, "campaign")
"""Lanes whose tasks were drawn at random. Ordering them by money would decide who is left unread, so they
follow the keyed task id instead."""
NOBODY = "-"
"""On whose desk a repeated task lies that its reviewer gave back: it is nobody else's, and waits for its deadline."""


def choose_lane(shares: Mapping[str, float], available: Sequence[str], uniform: float) -> str:
    """The lane that a uniform draw in [0, 1) falls on, among lanes that have something to offer.

    Shares of empty lanes go to the others in proportion. Where no available lane has a share they count
    alike, so that nothing waits for ever because a policy forgot it.
    """
    lanes = sorted(available)
    weights = [max(shares.get(lane, 0.0), 0.0) for lane in lanes]
    if sum(weights) == 0:
        weights = [1.0] * len(lanes)
    point = uniform * sum(weights)
    for lane, weight in zip(lanes, weights, strict=True):
        point -= weight
        if point < 0:
            return lane
    return max(zip(weights, lanes, strict=True))[1]


def chance_of(shares: Mapping[str, float], available: Sequence[str], lane: str) -> float:
    """The probability with which `choose_lane` falls on a lane."""
    weights = {name: max(shares.get(name, 0.0), 0.0) for name in available}
    total = sum(weights.values())
    return weights[lane] / total if total else 1.0 / len(weights)


def expected_money(probability: float | None, amount_minor: int | None) -> float:
    """What is at stake, in minor units: probability times amount; without a model half the amount.

    In 1,024ths, which doubles add and take away without error: what alerts raise a case by stands apart from its tasks'
    own part, and two that are worth the same must stay so however their parts were summed.
    """
    return round((0.5 if probability is None else probability) * float(amount_minor or 0) * 1024) / 1024
