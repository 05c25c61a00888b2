"""What more does a verdict log tell where it has the columns: slices, second looks, the display, disputes, pace?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casework.quality.agreement import log_facts
from casework.quality.agreement.against_truth import Judged, rates
from casework.quality.agreement.breakdown import breakdown, facts_of
from casework.quality.agreement.fixed_mix import at_fixed_mix
from casework.quality.agreement.log_facts import Line
from casework.quality.agreement.skew import USUAL_FALSE_POSITIVE_RATE, USUAL_RECALL, skew
from casework.quality.agreement.steadiness import steadiness
from casework.quality.display.report import display_report
from casework.quality.disputes.against import (
    EACH_OTHER,
    MODEL,
    OUTCOME,
    Fact,
    differing,
    with_each_other,
    with_the_model,
)
from casework.quality.disputes.surrogate import surrogate
from casework.quality.pace.report import pace_report, person_pace


def deeper(
    lines: Sequence[Line],
    positive: str,
    meant: Sequence[str],
    *,
    slices: Sequence[str],
    cut: float | None,
    baseline: str,
    score: str,
    known: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """The parts that a log's further columns allow; those it has no columns for are left out.

    `meant` are the words of the file that mean `positive`, `slices` the columns to break agreement down by, `cut` the
    score from which the model says fraud (None without scores), `score` its column, `known` columns that are no
    facts of the case.
    """
    judged = [line.judged for line in lines if line.judged]
    placed = log_facts.placed(lines, slices)
    found: dict[str, Any] = {"skew": _skew(judged)}
    if placed and facts_of(placed):
        found["by"] = {
            name: breakdown(placed, name, positive=positive, seed=seed) for name in facts_of(placed)
        }
        trend = at_fixed_mix(placed, positive=positive, seed=seed)
        found |= {"fixed_mix": trend} if trend else {}
    if looks := log_facts.looks(lines):
        found["second_looks"] = steadiness(looks, positive=positive, seed=seed)
    reveals = log_facts.reveals(lines, meant, cut)
    if len({one.arm for one in judged}) > 1 or reveals:
        found["display"] = display_report(judged, reveals, threshold=cut, baseline=baseline, seed=seed)
    facts = log_facts.case_facts(lines, known)
    found["disputes"] = _disputes(judged, facts, cut, score, seed)
    grown = any(tree["state"] != "insufficient data" for tree in found["disputes"]["trees"].values())
    found["facts_of_cases"] = sorted({name for of in facts.values() for name in of}) if grown else []
    if worked := log_facts.worked(lines):
        people = sorted({one.reviewer for one in worked})
        each = [person_pace(worked, who, seed=seed) for who in people]
        found["pace"] = pace_report(worked, seed=seed) | {"by_reviewer": each}
    return found


def _skew(judged: Sequence[Judged]) -> dict[str, Any]:
    """The picture of skew for people as good as these where the truth is known, else as good as people usually are."""
    of = rates(judged)
    recall, alarms = of["recall"]["value"], of["false_positive_rate"]["value"]
    if recall is None or alarms is None or recall <= alarms:
        return skew(USUAL_RECALL, USUAL_FALSE_POSITIVE_RATE) | {"measured": False}
    return skew(recall, alarms) | {"measured": True}


def _disputes(
    judged: Sequence[Judged],
    facts: Mapping[str, Mapping[str, Fact]],
    cut: float | None,
    score: str,
    seed: int,
) -> dict[str, Any]:
    """Disputes with each other, the model and the outcome, each with its tree."""
    against = [EACH_OTHER, *([MODEL] if cut is not None else []), *([OUTCOME] if _known(judged) else [])]
    trees = {
        name: surrogate(differing(judged, name, _but_score(facts, name, score), cut), seed=seed)
        for name in against
    }
    model = {"with_the_model": with_the_model(judged, cut)} if cut is not None else {}
    return {"with_each_other": with_each_other(judged), **model, "trees": trees}


def _but_score(
    facts: Mapping[str, Mapping[str, Fact]], against: str, score: str
) -> Mapping[str, Mapping[str, Fact]]:
    """Against the model the score is left out: it decides the model's side, so a tree would only find the cut again."""
    if against != MODEL:
        return facts
    return {item: {name: fact for name, fact in of.items() if name != score} for item, of in facts.items()}


def _known(judged: Sequence[Judged]) -> bool:
    return any(one.fraud is not None for one in judged)
