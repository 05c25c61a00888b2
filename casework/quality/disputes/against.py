"""Which cases did people judge unlike each other, unlike the model, and unlike what turned out?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from casework.quality.agreement.against_truth import Judged, rates
from casework.quality.subgroups import wilson

Fact = float | str | None
EACH_OTHER, MODEL, OUTCOME = "each_other", "model", "outcome"
AGAINST = (EACH_OTHER, MODEL, OUTCOME)


@dataclass(frozen=True, slots=True)
class Case:
    """An item as something to learn from: whether it was in dispute, and its facts by name (numbers or words)."""

    item: str
    disputed: bool
    facts: Mapping[str, Fact] = field(default_factory=dict)


def differing(
    judged: Sequence[Judged], against: str, facts: Mapping[str, Mapping[str, Fact]], threshold: float | None
) -> list[Case]:
    """Items with whether they were disputed: people among themselves (two or more in one arm), or anybody against the
    model (fraud from `threshold`) or against the outcome. Items of which that cannot be said are left out."""
    groups: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        groups.setdefault((one.item, one.arm if against == EACH_OTHER else ""), []).append(one)
    found: dict[str, bool] = {}
    for (item, _), said in groups.items():
        disputed = _disputed(said, against, threshold)
        if disputed is not None:
            found[item] = found.get(item, False) or disputed
    return [Case(item, disputed, facts.get(item, {})) for item, disputed in found.items()]


def _disputed(said: Sequence[Judged], against: str, threshold: float | None) -> bool | None:
    if against == EACH_OTHER:
        return len({one.flagged for one in said}) > 1 if len(said) > 1 else None
    if against == OUTCOME:
        known = [one for one in said if one.fraud is not None]
        return any(one.flagged != one.fraud for one in known) if known else None
    scored = [] if threshold is None else [one for one in said if not isnan(one.score)]
    return any(one.flagged != (one.score >= (threshold or 0.0)) for one in scored) if scored else None


def with_the_model(judged: Sequence[Judged], threshold: float | None) -> dict[str, Any]:
    """Verdicts against the model's side of the threshold, as a two by two table, and the share that is the same; where
    the outcome is known also who was right when they differed."""
    rows = [] if threshold is None else [one for one in judged if not isnan(one.score)]
    cut = threshold or 0.0
    same = sum(one.flagged == (one.score >= cut) for one in rows)
    known = [one for one in rows if one.fraud is not None and one.flagged != (one.score >= cut)]
    return {
        "threshold": threshold,
        "both_fraud": sum(one.flagged and one.score >= cut for one in rows),
        "only_person": sum(one.flagged and one.score < cut for one in rows),
        "only_model": sum(not one.flagged and one.score >= cut for one in rows),
        "neither": sum(not one.flagged and one.score < cut for one in rows),
        "same": wilson(same, len(rows)),
        "person_right_when_they_differ": wilson(sum(one.flagged == one.fraud for one in known), len(known)),
    }


def with_each_other(judged: Sequence[Judged]) -> dict[str, Any]:
    """The share of items on which two or more people who saw the same did not all say the same (Wilson)."""
    cases = differing(judged, EACH_OTHER, {}, None)
    return wilson(sum(case.disputed for case in cases), len(cases))


def with_outcomes(judged: Sequence[Judged]) -> dict[str, Any]:
    """Recall, precision and false positive rate of all verdicts whose outcome is known."""
    return rates(judged)
