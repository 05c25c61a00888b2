"""What do the ledger's verdicts say by slice, over time, of second looks, the display, disputes and pace?

`found` is what `ledger_verdicts.given` reads, for the stretch of time that is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from casework.quality import ledger_verdicts as of_ledger
from casework.quality.agreement.against_truth import rates
from casework.quality.agreement.breakdown import breakdown
from casework.quality.agreement.fixed_mix import at_fixed_mix
from casework.quality.agreement.skew import skew
from casework.quality.agreement.steadiness import steadiness
from casework.quality.consistency import RANKED
from casework.quality.display.report import display_report, equal_rate_threshold
from casework.quality.display.screens import Screens
from casework.quality.disputes.against import (
    AGAINST,
    EACH_OTHER,
    MODEL,
    Fact,
    differing,
    with_each_other,
    with_outcomes,
    with_the_model,
)
from casework.quality.disputes.surrogate import surrogate
from casework.quality.ledger_verdicts import Given
from casework.quality.pace.nudges import nudges
from casework.quality.pace.report import pace_report, person_pace
from casework.review.review_design import BLIND_FIRST, COUNTED_KINDS, SCORE_SHOWN
from casework.review.verdicts import CONFIRMED_FRAUD
from data.errors import InputError
from data.ledger import Ledger
from engine.policy import Reviewer

_SEED = 0  # the same verdicts always give the same report


def sliced(found: Sequence[Given], fact: str) -> dict[str, Any]:
    """Agreement from random overlap in the same arm for each value of one fact; InputError for an unknown fact."""
    if fact not in of_ledger.FACTS:
        raise InputError(f"agreement is not broken down by '{fact}'", allowed=", ".join(of_ledger.FACTS))
    placed = of_ledger.placed(found)
    return breakdown(placed, fact, positive=CONFIRMED_FRAUD, categories=RANKED, seed=_SEED)


def trend(found: Sequence[Given], reviewer: Reviewer) -> dict[str, Any]:
    """Agreement by week as observed and at a fixed mix of cases, and what skew alone does to people as good as ours,
    or as `reviewer` says where too little is measured."""
    mixed = at_fixed_mix(of_ledger.placed(found), positive=CONFIRMED_FRAUD, categories=RANKED, seed=_SEED)
    measured = rates(of_ledger.judged(of_ledger.fresh(found)))
    recall, alarms = measured["recall"], measured["false_positive_rate"]
    enough = min(recall["n"], alarms["n"]) >= 30 and recall["value"] > alarms["value"]
    people = (recall["value"], alarms["value"]) if enough else (reviewer.recall, reviewer.false_positive_rate)
    return {**(mixed or {"bands": [], "weeks": []}), "skew": skew(*people) | {"measured": enough}}


def second_looks(found: Sequence[Given], *, with_people: bool = False) -> dict[str, Any]:
    """Agreement of each person with himself or herself, from blind re-serves."""
    looks = of_ledger.looks(found)
    return steadiness(looks, positive=CONFIRMED_FRAUD, seed=_SEED, with_people=with_people)


def display(ledger: Ledger, found: Sequence[Given]) -> dict[str, Any]:
    """The automation-bias report. The model's side is the one it would take if it raised as many alarms as people."""
    fresh = of_ledger.fresh(found)
    judged = of_ledger.judged(fresh)
    cut = equal_rate_threshold(judged)
    drawn = of_ledger.judged([one for one in fresh if one.arm_was_drawn])
    reveals = of_ledger.reveals(ledger, fresh, cut)
    report = display_report(judged, reveals, threshold=cut, screens=_SCREENS, drawn=drawn, seed=_SEED)
    return report | {"threshold_is": "as many alarms as people raised"}


# Score, rules and explanation are hidden and shown together.
_SCREENS = Screens(BLIND_FIRST, "", (SCORE_SHOWN,))
_FEATURES = """
    SELECT d.transaction_id AS item, e.payload FROM decisions d JOIN events e ON e.seq = d.event_seq
    WHERE d.transaction_id IN (SELECT unnest(?))
"""


def disputes(
    ledger: Ledger,
    found: Sequence[Given],
    *,
    against: str = EACH_OTHER,
    phrases: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Where people differ from each other, from the model or from the outcome, with the tree over those cases.

    `phrases` are people's words for features. InputError for anything else to be against.
    """
    if against not in AGAINST:
        raise InputError(f"verdicts are not set against '{against}'", allowed=", ".join(AGAINST))
    fresh = of_ledger.fresh(found)
    asked = (
        [one for one in fresh if one.overlap and one.kind in COUNTED_KINDS]
        if against == EACH_OTHER
        else fresh
    )
    judged = of_ledger.judged(asked)
    cut = equal_rate_threshold(judged)
    tree = surrogate(
        differing(judged, against, _facts(ledger, asked, against), cut), phrases=phrases, seed=_SEED
    )
    return {
        "against": against,
        "tree": tree,
        "with_each_other": with_each_other(of_ledger.judged([one for one in fresh if one.overlap])),
        "with_the_model": with_the_model(
            of_ledger.judged(fresh), equal_rate_threshold(of_ledger.judged(fresh))
        ),
        "with_outcomes": with_outcomes(of_ledger.judged(fresh)),
    }


def _facts(ledger: Ledger, found: list[Given], against: str) -> dict[str, dict[str, Fact]]:
    """By payment what was known of it when it was decided: features, score, why it was reviewed."""
    items = sorted({one.item for one in found})
    features = {
        row["item"]: orjson.loads(row["payload"]).get("features", {})
        for row in ledger.read(_FEATURES, [items])
    }
    facts: dict[str, dict[str, Fact]] = {}
    for one in found:
        own = {name: _fact(value) for name, value in features.get(one.item, {}).items()}
        # The score decides the model's side: a tree against the model would only find the cut again.
        score = None if one.score != one.score or against == MODEL else one.score
        facts[one.item] = {**own, "score": score, "reason for review": one.reason, "queue": one.queue}
    return facts


def _fact(value: object) -> Fact:
    if isinstance(value, bool):
        return float(value)
    return value if isinstance(value, int | float | str) else None


def pace(found: Sequence[Given]) -> dict[str, Any]:
    """Place in shift and trend of everybody together; no person is named."""
    return pace_report(of_ledger.worked(found), seed=_SEED)


def pace_of(
    found: Sequence[Given], reviewer: str, at: datetime, *, until: datetime | None = None
) -> dict[str, Any]:
    """One person's pace, with suggestions for the work of this moment, which `until` does not concern."""
    worked = of_ledger.worked(found)
    told = [one for one in worked if until is None or one.given_at <= until]
    return {**person_pace(told, reviewer, seed=_SEED), "nudges": nudges(worked, reviewer, at, seed=_SEED)}
