"""Is this policy.yaml complete and sane, and if not, on which line?"""

from __future__ import annotations

import re
from typing import Any

from data.strict_yaml import load
from engine.decision import Outcome
from engine.fields import Fields
from engine.policy import (
    AUTONOMY,
    DEFAULT_SEGMENT,
    LABEL_SOURCES,
    LANES,
    Breaker,
    Capacity,
    Costs,
    Exploration,
    Labels,
    Policy,
    Promotion,
    Retrain,
    Reviewer,
    Sampling,
    Segment,
    Task,
    Thresholds,
    Watch,
)
from engine.policy_design import read_design
from engine.policy_retention import read_retention
from engine.policy_work import read_work

OUTCOMES = {outcome.word: outcome for outcome in Outcome}
_NO_LIMIT = "1000000"
_COSTS = ("missed_fraud_share", "good_declined", "review", "assumed_amount")


def read_policy(text: bytes, where: str) -> Policy:
    """See `engine.policy.load_policy`."""
    top = Fields(load(text, where))
    currency = _currency(top)
    costs = _costs(top.part("costs"), currency)
    policy = Policy(
        version=top.integer("version", low=1),
        currency=currency,
        costs=costs,
        thresholds=_thresholds(top.part("thresholds")),
        capacity=_capacity(top.part("capacity")),
        reviewer=_reviewer(top.part("reviewer")),
        segments=_segments(top.part("segments"), currency, costs),
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
        breaker=_breaker(top.fields("breaker", optional=True)),
        promotion=_promotion(top),
        watch=_watch(top),
        work=read_work(top, currency),
        retention=read_retention(top),
        design=read_design(top),
    )
    top.done()
    return policy


def _currency(top: Fields) -> str:
    currency = top.text("currency")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise top.error(f"'currency' is '{currency}'", "currency", allowed="a three-letter code such as EUR")
    return currency


def _costs(part: Fields, currency: str, usual: Costs | None = None) -> Costs:
    """`usual` are the policy's own, for what a segment leaves out."""
    said = {key: part.raw(key, None) is not None for key in _COSTS}
    costs = Costs(
        missed_fraud_share=usual.missed_fraud_share
        if usual and not said["missed_fraud_share"]
        else part.number("missed_fraud_share", high=10.0),
        good_declined_minor=usual.good_declined_minor
        if usual and not said["good_declined"]
        else part.money("good_declined", currency),
        review_minor=usual.review_minor if usual and not said["review"] else part.money("review", currency),
        assumed_amount_minor=usual.assumed_amount_minor
        if usual and not said["assumed_amount"]
        else part.money("assumed_amount", currency, "0"),
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


def _segments(part: Fields, currency: str, usual: Costs) -> dict[str, Segment]:
    """Segments in the order in which they are tried; what one leaves out is as in the default one."""
    default = _segment(part.part(DEFAULT_SEGMENT), currency, usual, None)
    segments = {
        name: _segment(part.part(name), currency, usual, default)
        for name in part.value
        if name != DEFAULT_SEGMENT
    }
    if list(part.value)[-1] != DEFAULT_SEGMENT:
        raise part.error(
            "a segment after 'default' would never be used",
            list(part.value)[-1],
            hint="Put 'default' last: segments are tried in order, and the first that holds wins.",
        )
    return {**segments, DEFAULT_SEGMENT: default}


def _segment(row: Fields, currency: str, usual: Costs, default: Segment | None) -> Segment:
    if default is None and "when" in row:
        raise row.error("'default' takes whatever fits no other segment, so it has no 'when'", "when")
    when = " ".join(row.text("when", longest=500).split()) if default else ""
    if default and not when:
        raise row.error("'when' is empty, so nothing would belong here", "when")
    costs, thresholds = (row.fields(name, optional=True) for name in ("costs", "thresholds"))
    segment = Segment(
        autonomy=row.choice("autonomy", AUTONOMY, default.autonomy if default else None),
        review_holds_payment=row.flag(
            "review_holds_payment", default.review_holds_payment if default else None
        ),
        deadline=row.duration("deadline") if default is None or "deadline" in row else default.deadline,
        on_timeout=OUTCOMES[
            row.choice("on_timeout", ("approve", "decline"), default.on_timeout.word if default else None)
        ],
        when=when,
        costs=_costs(costs, currency, usual) if costs else None,
        thresholds=_thresholds(thresholds) if thresholds else None,
        four_eyes_amount_minor=_limit(row, "four_eyes_amount", currency),
        high_amount_minor=_limit(row, "high_amount", currency),
    )
    row.done()
    return segment


def _limit(row: Fields, key: str, currency: str) -> int | None:
    return None if row.raw(key, None) is None else row.money(key, currency)


def _breaker(part: Fields | None) -> Breaker:
    if part is None:
        return Breaker()
    usual = Breaker()
    breaker = Breaker(
        days=part.integer("days", usual.days, high=365),
        decisions=part.integer("decisions", usual.decisions, high=10**7),
        tolerance=part.number("tolerance", usual.tolerance, low=1.0, high=100.0),
        ratio=part.number("ratio", usual.ratio, low=1.0, high=1000.0),
        false_alarms=part.number("false_alarms", usual.false_alarms, low=1e-12, high=0.1),
        unknown_rate=part.number("unknown_rate", usual.unknown_rate, low=1e-6, high=0.5),
    )
    if breaker.ratio <= breaker.tolerance:
        raise part.error("'ratio' is not above 'tolerance'", "ratio", allowed="ratio > tolerance")
    part.done()
    return breaker


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
        part.share("audit"),
        part.share("second_review"),
        part.share("blind_first"),
        exploration,
        part.share("third_review", 0.0),
    )
    part.done()
    return sampling


def _task(part: Fields) -> Task:
    task = Task(part.integer("lock_minutes", low=1, high=24 * 60))
    part.done()
    return task


def _labels(part: Fields) -> Labels:
    weights = part.part("weights")
    stands = part.fields("matures", optional=True)
    labels = Labels(
        maturity=part.duration("maturity"),
        weights={name: weights.share(name) for name in LABEL_SOURCES},
        precedence=_precedence(part),
        cap=part.share("cap", 1.0),
        matures={name: stands.duration(name) for name in stands.value} if stands else {},
    )
    wrong = sorted(set(labels.matures) - set(LABEL_SOURCES[:-1]))
    if stands and wrong:
        raise stands.error(
            f"'{wrong[0]}' is no source that matures by itself",
            wrong[0],
            allowed=", ".join(LABEL_SOURCES[:-1]),
        )
    weights.done()
    part.done()
    return labels


def _precedence(part: Fields) -> tuple[str, ...]:
    said = part.texts("precedence")
    if said and sorted(said) != sorted(LABEL_SOURCES):
        raise part.error(
            "'precedence' does not name every source of a label once",
            "precedence",
            allowed=", ".join(LABEL_SOURCES),
        )
    return said or LABEL_SOURCES


def _retrain(part: Fields) -> Retrain:
    retrain = Retrain(
        every=part.duration("every"),
        min_new_labels=part.integer("min_new_labels"),
        min_frauds=part.integer("min_frauds"),
        promote=part.choice("promote", ("automatic", "sign_off")),
        max_seconds=part.integer("max_seconds", low=1),
        judge=part.duration("judge", "14d"),
        embargo=part.duration("embargo", "7d"),
        **_retrain_watched(part),
    )
    part.done()
    return retrain


def _retrain_watched(part: Fields) -> dict[str, Any]:
    """Limits, triggers, what a signer must have seen, and the hold-out; all may be left out."""
    return {
        "max_memory_mb": part.integer("max_memory_mb", 4000, low=200),
        "new_labels": part.integer("new_labels", 0),
        "drift": part.flag("drift", False),
        "flips": part.integer("flips", 5, high=20),
        "holdout": part.number("holdout", 0.0, high=0.5),
        "holdout_by": part.text("holdout_by", ""),
    }


def _promotion(top: Fields) -> Promotion:
    part, usual = top.fields("promotion", optional=True), Promotion()
    if part is None:
        return usual
    wanted = Promotion(
        shadow_days=part.integer("shadow_days", usual.shadow_days),
        hits=part.integer("hits", usual.hits),
        known=part.integer("known", usual.known),
        precision=part.share("precision", usual.precision),
    )
    part.done()
    return wanted


def _watch(top: Fields) -> Watch:
    part, usual = top.fields("watch", optional=True), Watch()
    if part is None:
        return usual
    watch = Watch(
        recent=part.duration("recent", "7d"),
        reference=part.duration("reference", "28d"),
        widen=part.share("widen", usual.widen),
        lasts=part.duration("lasts", "7d"),
        most=part.share("most", usual.most),
    )
    part.done()
    return watch


def _model(top: Fields) -> dict[str, Any]:
    model = top.fields("model", optional=True)
    if model is None:
        return {}
    for key, value in model.value.items():
        if isinstance(value, bool | int | float | str):
            continue
        raise model.error(f"'{key}' must be a single number, text or flag", key)
    return dict(model.value)
