"""How has the institution decided to measure its reviewers: golden cases, re-serves, training of newcomers?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from engine.fields import Fields

FEEDBACK = ("missed", "all", "never")


@dataclass(frozen=True, slots=True)
class GoldenDesign:
    """Until a reviewer has answered `start_with` golden cases, they come with a share of `start_share` of the tasks;
    after that with the share of their lane. `fraud_share` of them are fraud. At most `pool` cases are in use, each
    retired after `retire_after` answers. `feedback`: what a reviewer is told afterwards (missed, all, never)."""

    start_with: int = 8
    start_share: float = 0.15
    fraud_share: float = 0.5
    retire_after: int = 12
    pool: int = 60
    feedback: str = "missed"


@dataclass(frozen=True, slots=True)
class ReServeDesign:
    """The share of verdicts whose payment the same reviewer gets again, no sooner than `wash_out` later."""

    share: float = 0.1
    wash_out: timedelta = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class TrainingDesign:
    """When a newcomer may be signed as qualified: after `tasks` past cases, of which `fraud_share` are fraud, with a
    recall of at least `recall` and a false positive rate of at most `false_positive_rate`."""

    tasks: int = 40
    fraud_share: float = 0.5
    recall: float = 0.4
    false_positive_rate: float = 0.3


@dataclass(frozen=True, slots=True)
class FurtherDesign:
    """Reviews asked for because the verdicts so far leave doubt: at most `per_day`, for payments whose verdicts of the
    last `within` have a posterior under `below`. No payment waits for them; labels do."""

    per_day: int = 3
    below: float = 0.8
    within: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class ScorecardDesign:
    """A scorecard is issued `every` so often; others may read it once its reviewer has, or `lead_after` later."""

    every: timedelta = timedelta(days=28)
    lead_after: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ReviewDesign:
    """Everything by which reviewers are measured and trained."""

    golden: GoldenDesign = field(default_factory=GoldenDesign)
    re_serve: ReServeDesign = field(default_factory=ReServeDesign)
    training: TrainingDesign = field(default_factory=TrainingDesign)
    further: FurtherDesign = field(default_factory=FurtherDesign)
    scorecards: ScorecardDesign = field(default_factory=ScorecardDesign)


def read_design(top: Fields) -> ReviewDesign:
    """The optional key `review_design` of policy.yaml; what is left out is as in the defaults."""
    part = top.fields("review_design", optional=True)
    if part is None:
        return ReviewDesign()
    design = ReviewDesign(
        _golden(part.fields("golden", optional=True)),
        _re_serve(part.fields("re_serve", optional=True)),
        _training(part.fields("training", optional=True)),
        _further(part.fields("further", optional=True)),
        _scorecards(part.fields("scorecards", optional=True)),
    )
    part.done()
    return design


def _golden(part: Fields | None) -> GoldenDesign:
    usual = GoldenDesign()
    if part is None:
        return usual
    golden = GoldenDesign(
        start_with=part.integer("start_with", usual.start_with, high=1000),
        start_share=part.share("start_share", usual.start_share),
        fraud_share=part.share("fraud_share", usual.fraud_share),
        retire_after=part.integer("retire_after", usual.retire_after, low=1, high=10_000),
        pool=part.integer("pool", usual.pool, high=10_000),
        feedback=part.choice("feedback", FEEDBACK, usual.feedback),
    )
    part.done()
    return golden


def _re_serve(part: Fields | None) -> ReServeDesign:
    usual = ReServeDesign()
    if part is None:
        return usual
    again = ReServeDesign(part.share("share", usual.share), part.duration("wash_out", "28d"))
    part.done()
    return again


def _training(part: Fields | None) -> TrainingDesign:
    usual = TrainingDesign()
    if part is None:
        return usual
    training = TrainingDesign(
        tasks=part.integer("tasks", usual.tasks, low=1, high=10_000),
        fraud_share=part.share("fraud_share", usual.fraud_share),
        recall=part.share("recall", usual.recall),
        false_positive_rate=part.share("false_positive_rate", usual.false_positive_rate),
    )
    part.done()
    return training


def _further(part: Fields | None) -> FurtherDesign:
    usual = FurtherDesign()
    if part is None:
        return usual
    further = FurtherDesign(
        per_day=part.integer("per_day", usual.per_day, high=10_000),
        below=part.number("below", usual.below, low=0.5, high=1.0),
        within=part.duration("within", "14d"),
    )
    part.done()
    return further


def _scorecards(part: Fields | None) -> ScorecardDesign:
    if part is None:
        return ScorecardDesign()
    cards = ScorecardDesign(part.duration("every", "28d"), part.duration("lead_after", "7d"))
    part.done()
    return cards
