"""Is this policy.yaml complete and sane, and if not, on which line?"""

from __future__ import annotations

import re
from typing import Any

from data.strict_yaml import load
from engine.decision import Outcome
from engine.fields import Fields
from engine.policy import (
    AUTONOMY,
    LABEL_SOURCES,
    LANES,
    Capacity,
    Costs,
    Exploration,
    Labels,
    Policy,
    Retrain,
    Reviewer,
    Sampling,
    Segment,
    Task,
    Thresholds,
)

OUTCOMES = {outcome.word: outcome for outcome in Outcome}
_NO_LIMIT = "1000000"


def read_policy(text: bytes, where: str) -> Policy:
    """See `engine.policy.load_policy`."""
    top = Fields(load(text, where))
    currency = _currency(top)
    policy = Policy(
        version=top.integer("version", low=1),
        currency=currency,
        costs=_costs(top.part("costs"), currency),
        thresholds=_thresholds(top.part("thresholds")),
        capacity=_capacity(top.part("capacity")),
        reviewer=_reviewer(top.part("reviewer")),
        segments=_segments(top.part("segments")),
        lanes=_lanes(top.part("lanes")),
        money_at_risk_from_minor=top.money("money_at_risk_from", currency, "0"),
        sampling=_sampling(top.part("sampling"), currency),
        task=_task(top.part("task")),
        four_eyes_amount_minor=top.money("four_eyes_amount", currency),
        high_amount_minor=top.money("high_amount", currency),
        disagree_below=top.share("disagree_below", 0.25),
        novelty_at=top.share("novelty_at", 1.0),
        fail_safe=OUTCOMES[top.choice("fail_safe", OUTCOMES)],
        labels=_labels(top.part("labels")),
        retrain=_retrain(top.part("retrain")),
        protected_attribute=top.text("protected_attribute", ""),
        model=_model(top),
    )
    top.done()
    return policy


def _currency(top: Fields) -> str:
    currency = top.text("currency")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise top.error(f"'currency' is '{currency}'", "currency", allowed="a three-letter code such as EUR")
    return currency


def _costs(part: Fields, currency: str) -> Costs:
    costs = Costs(
        missed_fraud_share=part.number("missed_fraud_share", high=10.0),
        good_declined_minor=part.money("good_declined", currency),
        review_minor=part.money("review", currency),
        assumed_amount_minor=part.money("assumed_amount", currency, "0"),
    )
    if costs.good_declined_minor == 0:
        raise part.error(
            "'good_declined' is 0, so declining everybody would be free",
            "good_declined",
            hint="Write what turning away a good customer costs.",
        )
    part.done()
    return costs


def _thresholds(part: Fields) -> Thresholds:
    if "solve" in part:
        part.choice("solve", ("expected_cost",))
        part.done()
        return Thresholds(solve=True)
    fixed = Thresholds(False, part.share("review_at"), part.share("decline_at"))
    if fixed.review_at > fixed.decline_at:
        raise part.error("'review_at' is above 'decline_at'", "review_at", allowed="review_at <= decline_at")
    part.done()
    return fixed


def _capacity(part: Fields) -> Capacity:
    capacity = Capacity(part.integer("reviews_per_day"), part.share("price_from", 0.6))
    part.done()
    return capacity


def _reviewer(part: Fields) -> Reviewer:
    reviewer = Reviewer(part.share("recall"), part.share("false_positive_rate"))
    if reviewer.recall <= reviewer.false_positive_rate:
        raise part.error(
            "'recall' is not above 'false_positive_rate', so a review would be worth nothing",
            "recall",
            hint="Use figures measured on golden tasks.",
        )
    part.done()
    return reviewer


def _segments(part: Fields) -> dict[str, Segment]:
    segments = {}
    part.part("default")
    for name in part.value:
        row = part.part(name)
        segments[name] = Segment(
            autonomy=row.choice("autonomy", AUTONOMY),
            review_holds_payment=row.flag("review_holds_payment"),
            deadline=row.duration("deadline"),
            on_timeout=OUTCOMES[row.choice("on_timeout", ("approve", "decline"))],
        )
        row.done()
    return segments


def _lanes(part: Fields) -> dict[str, float]:
    lanes = {name: part.share(name, 0.0) for name in LANES}
    part.done()
    if not 0.999 <= sum(lanes.values()) <= 1.001:
        raise part.error(f"the shares of the lanes add up to {sum(lanes.values()):g}", allowed="a sum of 1")
    return lanes


def _sampling(part: Fields, currency: str) -> Sampling:
    row = part.part("exploration")
    exploration = Exploration(
        share=row.share("share"),
        max_per_day=row.integer("max_per_day"),
        max_amount_minor=row.money("max_amount", currency),
        max_amount_per_day_minor=row.money("max_amount_per_day", currency, _NO_LIMIT),
    )
    row.done()
    sampling = Sampling(
        part.share("audit"), part.share("second_review"), part.share("blind_first"), exploration
    )
    part.done()
    return sampling


def _task(part: Fields) -> Task:
    task = Task(part.integer("lock_minutes", low=1, high=24 * 60))
    part.done()
    return task


def _labels(part: Fields) -> Labels:
    weights = part.part("weights")
    labels = Labels(part.duration("maturity"), {name: weights.share(name) for name in LABEL_SOURCES})
    weights.done()
    part.done()
    return labels


def _retrain(part: Fields) -> Retrain:
    retrain = Retrain(
        every=part.duration("every"),
        min_new_labels=part.integer("min_new_labels"),
        min_frauds=part.integer("min_frauds"),
        promote=part.choice("promote", ("automatic", "sign_off")),
        max_seconds=part.integer("max_seconds", low=1),
        judge=part.duration("judge", "14d"),
        embargo=part.duration("embargo", "7d"),
    )
    part.done()
    return retrain


def _model(top: Fields) -> dict[str, Any]:
    model = top.fields("model", optional=True)
    if model is None:
        return {}
    for key, value in model.value.items():
        if isinstance(value, bool | int | float | str):
            continue
        raise model.error(f"'{key}' must be a single number, text or flag", key)
    return dict(model.value)
