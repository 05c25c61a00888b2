"""What changes on the day of the drift, and by how much?"""

from __future__ import annotations

import numpy as np

from data.simulator.config import Drift, InstitutionConfig
from data.simulator.streams import Flags, Floats, Ints


def honest_amount_factor(drift: Drift | None, day: Ints) -> Floats:
    """What each payment's amount is multiplied by."""
    factor = drift.amount_factor if drift else 1.0
    return np.where(_after(drift, day), factor, 1.0)


def moves_online(drift: Drift | None, day: Ints, rng: np.random.Generator) -> Flags:
    """Which payments happen online only because of the drift."""
    shift = drift.online_shift if drift else 0.0
    return _after(drift, day) & (rng.random(len(day)) < shift)


def fraud_plan(config: InstitutionConfig) -> list[tuple[str, int, int]]:
    """(typology, payments, first day) for every typology at work; the payments sum to the planned frauds."""
    total = round(config.transactions * config.fraud_rate)
    plan: list[tuple[str, int, int]] = []
    drift = config.drift
    if drift is not None and drift.new_typology is not None:
        fresh = round(total * drift.new_share * (config.days - drift.day) / config.days)
        plan.append((drift.new_typology, fresh, drift.day))
        total -= fresh
    names = sorted(config.typology_shares)
    weights = np.array([config.typology_shares[name] for name in names])
    edges = np.rint(np.cumsum(weights) / weights.sum() * total).astype(int)
    counts = np.diff(edges, prepend=0)
    plan += [(name, int(count), 0) for name, count in zip(names, counts, strict=True)]
    return [(name, count, first) for name, count, first in plan if count > 0]


def _after(drift: Drift | None, day: Ints) -> Flags:
    return day >= (drift.day if drift else np.iinfo(np.int64).max)
