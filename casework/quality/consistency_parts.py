"""What do the ledger's verdicts say by slice, over time, of second looks, the display, disputes and pace?"""

from __future__ import annotations

from collections.abc import Mapping
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
from engine.policy import Policy


def _given(
    ledger: Ledger, policy: Policy, at: datetime, since: datetime | None, until: datetime | None
) -> list[Given]:
    return of_ledger.given(ledger, at, policy.labels.maturity, since=since, until=until)


def sliced(
    ledger: Ledger,
    fact: str,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Agreement from random overlap in the same arm for each value of one fact; InputError for an unknown fact."""
    if fact not in of_ledger.FACTS:
        raise InputError(f"agreement is not broken down by '{fact}'", allowed=", ".join(of_ledger.FACTS))
    placed = of_ledger.placed(_given(ledger, policy, at, since, until))
    return breakdown(placed, fact, positive=CONFIRMED_FRAUD, categories=RANKED, seed=seed)


def trend(
    ledger: Ledger,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Agreement by week as observed and at a fixed mix of cases, and what skew alone does to people as good as ours."""
    found = _given(ledger, policy, at, since, until)
    mixed = at_fixed_mix(of_ledger.placed(found), positive=CONFIRMED_FRAUD, categories=RANKED, seed=seed)
    measured = rates(of_ledger.judged(of_ledger.fresh(found)))
    recall, alarms = measured["recall"], measured["false_positive_rate"]
    enough = min(recall["n"], alarms["n"]) >= 30 and recall["value"] > alarms["value"]
    people = (
        (recall["value"], alarms["value"])
        if enough
        else (policy.reviewer.recall, policy.reviewer.false_positive_rate)
    )
    return {**(mixed or {"bands": [], "weeks": []}), "skew": skew(*people) | {"measured": enough}}


def second_looks(
    ledger: Ledger,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
    with_people: bool = False,
) -> dict[str, Any]:
    """Agreement of each person with himself or herself, from blind re-serves."""
    looks = of_ledger.looks(_given(ledger, policy, at, since, until))
    return steadiness(looks, positive=CONFIRMED_FRAUD, seed=seed, with_people=with_people)


def display(
    ledger: Ledger,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """The automation-bias report. The model's side is the one it would take if it raised as many alarms as people."""
    found = of_ledger.fresh(_given(ledger, policy, at, since, until))
    judged = of_ledger.judged(found)
    cut = equal_rate_threshold(judged)
    drawn = of_ledger.judged([one for one in found if one.arm_was_drawn])
    reveals = of_ledger.reveals(ledger, found, cut)
    report = display_report(judged, reveals, threshold=cut, screens=_SCREENS, drawn=drawn, seed=seed)
    return report | {"threshold_is": "as many alarms as people raised"}


# Score, rules and explanation are hidden and shown together.
_SCREENS = Screens(BLIND_FIRST, "", (SCORE_SHOWN,))
_FEATURES = """
    SELECT d.transaction_id AS item, e.payload FROM decisions d JOIN events e ON e.seq = d.event_seq
    WHERE d.transaction_id IN (SELECT unnest(?))
"""


def disputes(
    ledger: Ledger,
    policy: Policy,
    at: datetime,
    *,
    against: str = EACH_OTHER,
    phrases: Mapping[str, str] | None = None,
    since: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Where people differ from each other, from the model or from the outcome, with the tree over those cases.

    `phrases` are people's words for features. InputError for anything else to be against.
    """
    if against not in AGAINST:
        raise InputError(f"verdicts are not set against '{against}'", allowed=", ".join(AGAINST))
    found = of_ledger.fresh(_given(ledger, policy, at, since, None))
    asked = (
        [one for one in found if one.overlap and one.kind in COUNTED_KINDS]
        if against == EACH_OTHER
        else found
    )
    judged = of_ledger.judged(asked)
    cut = equal_rate_threshold(judged)
    tree = surrogate(
        differing(judged, against, _facts(ledger, asked, against), cut), phrases=phrases, seed=seed
    )
    return {
        "against": against,
        "tree": tree,
        "with_each_other": with_each_other(of_ledger.judged([one for one in found if one.overlap])),
        "with_the_model": with_the_model(
            of_ledger.judged(found), equal_rate_threshold(of_ledger.judged(found))
        ),
        "with_outcomes": with_outcomes(of_ledger.judged(found)),
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


def pace(
    ledger: Ledger,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Place in shift and trend of everybody together; no person is named."""
    return pace_report(of_ledger.worked(_given(ledger, policy, at, since, until)), seed=seed)


def pace_of(
    ledger: Ledger,
    reviewer: str,
    policy: Policy,
    at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """One person's pace, with suggestions for the work of this moment, which `until` does not concern."""
    worked = of_ledger.worked(_given(ledger, policy, at, since, None))
    told = [one for one in worked if until is None or one.given_at <= until]
    return {**person_pace(told, reviewer, seed=seed), "nudges": nudges(worked, reviewer, at, seed=seed)}
