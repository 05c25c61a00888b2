"""What has the institution decided about costs, people and chance, in numbers the engine can use?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.decision import Outcome
from engine.policy_design import ReviewDesign
from engine.policy_retention import Retention
from engine.policy_work import Work

AUTONOMY = ("in_the_loop", "on_the_loop", "automatic")
LANES = ("money_at_risk", "uncertain", "audit", "golden", "re_serve", "second", "campaign")
DEFAULT_SEGMENT = "default"
LABEL_SOURCES = ("outcome", "golden", "adjudicated", "consensus", "single_verdict", "matured_silence")


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs in minor units of the base currency. `missed_fraud_share` is the part of the amount an undetected
    fraud loses; `assumed_amount_minor` stands in where a transaction has no amount."""

    missed_fraud_share: float
    good_declined_minor: int
    review_minor: int
    assumed_amount_minor: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probability cut-offs. `solve` means they follow from the expected cost at each transaction's amount;
    otherwise `review_at <= decline_at` are fixed."""

    solve: bool
    review_at: float = 1.0
    decline_at: float = 1.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many reviews a day people can do, and from which share of that a review starts to cost more."""

    reviews_per_day: int
    price_from: float


@dataclass(frozen=True, slots=True)
class Reviewer:
    """How well a review finds fraud (recall) and how often it accuses a good customer (false positive rate)."""

    recall: float
    false_positive_rate: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What people may do to a payment. `on_timeout` is the outcome when nobody reviewed it by `deadline`.

    `when` is the condition of the closed grammar by which a payment belongs here, '' for the default segment. What
    is None is as in the policy at large.
    """

    autonomy: str
    review_holds_payment: bool
    deadline: timedelta
    on_timeout: Outcome
    when: str = ""
    costs: Costs | None = None
    thresholds: Thresholds | None = None
    four_eyes_amount_minor: int | None = None
    high_amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """Would-be declines released on purpose: the share, and caps per day on their number and amounts."""

    share: float
    max_per_day: int
    max_amount_minor: int
    max_amount_per_day_minor: int


@dataclass(frozen=True, slots=True)
class Sampling:
    """Shares drawn at random: automatic decisions audited, cases reviewed twice, tasks shown without the score, and of
    those reviewed twice the ones that a third person reviews too."""

    audit: float
    second_review: float
    blind_first: float
    exploration: Exploration
    third_review: float = 0.0


@dataclass(frozen=True, slots=True)
class Labels:
    """When silence counts as a legitimate label, and how much each source of a label weighs (0 to 1).

    `precedence` names every source from strongest to weakest: of several only the strongest speaks. `cap` is the most
    any label weighs. `matures` says how long a source's word must have stood before it counts; nothing: at once.
    """

    maturity: timedelta
    weights: Mapping[str, float]
    precedence: tuple[str, ...] = LABEL_SOURCES
    cap: float = 1.0
    matures: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retrain:
    """When a challenger is trained, what it needs, and who promotes it (automatic or sign_off).

    `judge` is the length of the period it is judged on, `embargo` the gap before it in which nothing is learned.
    `new_labels` and `drift` are triggers besides the schedule: so many labels that became known since the last run (0:
    never), and whether a drift report may ask. `flips` is how many payments that would be decided differently a signer
    must have opened. `holdout` is the share never trained on, drawn by `holdout_by`, an entity ('': each payment).
    """

    every: timedelta
    min_new_labels: int
    min_frauds: int
    promote: str
    max_seconds: int
    judge: timedelta = timedelta(days=14)
    embargo: timedelta = timedelta(days=7)
    max_memory_mb: int = 4000
    new_labels: int = 0
    drift: bool = False
    flips: int = 5
    holdout: float = 0.0
    holdout_by: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What a rule must have shown in shadow before it may go live: days, hits, hits whose truth is known, and the
    lower end of the interval of its precision."""

    shadow_days: int = 14
    hits: int = 20
    known: int = 10
    precision: float = 0.02


@dataclass(frozen=True, slots=True)
class Breaker:
    """When the breaker acts (see engine.breaker): a rule, model or policy counts as new for `days` and until it has
    had `decisions`; it is paused when its rate is above `ratio` times what was expected, with a chance of at most
    `false_alarms` that one at or below `tolerance` times that ever is. `unknown_rate` is what is expected where
    nothing is known."""

    days: int = 7
    decisions: int = 5000
    tolerance: float = 2.0
    ratio: float = 6.0
    false_alarms: float = 0.0001
    unknown_rate: float = 0.05


@dataclass(frozen=True, slots=True)
class Watch:
    """How what comes in is held against what came before: the `recent` stretch against the `reference` before it.

    Where inputs have drifted, a review is worth it from `widen` times the usual cut-off on, for as long as `lasts`, in
    the segment concerned, for at most `most` of a day's reviews.
    """

    recent: timedelta = timedelta(days=7)
    reference: timedelta = timedelta(days=28)
    widen: float = 0.5
    lasts: timedelta = timedelta(days=7)
    most: float = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """How long a claim holds a task."""

    lock_minutes: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy file. Money is in minor units of `currency`; shares and probabilities are in [0, 1].

    `disagree_below`: a rule that asks for review while the probability is below this share of the review
    threshold counts as disagreement. `novelty_at`: novelty from which a transaction is unlike anything seen.
    `money_at_risk_from_minor`: expected cost of the best automatic outcome from which the case is in that lane.
    """

    version: int
    currency: str
    costs: Costs
    thresholds: Thresholds
    capacity: Capacity
    reviewer: Reviewer
    segments: Mapping[str, Segment]
    lanes: Mapping[str, float]
    money_at_risk_from_minor: int
    sampling: Sampling
    task: Task
    four_eyes_amount_minor: int
    high_amount_minor: int
    disagree_below: float
    novelty_at: float
    fail_safe: Outcome
    labels: Labels
    retrain: Retrain
    protected_attribute: str
    model: Mapping[str, Any]
    work: Work = field(default_factory=Work)
    retention: Retention = field(default_factory=Retention)
    design: ReviewDesign = field(default_factory=ReviewDesign)
    promotion: Promotion = Promotion()
    breaker: Breaker = Breaker()
    watch: Watch = Watch()

    def segment(self, name: str = DEFAULT_SEGMENT) -> Segment:
        """The segment of that name, or the default one."""
        return self.segments.get(name, self.segments[DEFAULT_SEGMENT])

    @property
    def review_holds_somewhere(self) -> bool:
        """Whether a review may hold a payment back in any segment, so that its silence says nothing."""
        return any(segment.review_holds_payment for segment in self.segments.values())


def load_policy(text: bytes, where: str = "rules/policy.yaml") -> Policy:
    """Read policy.yaml strictly; ConfigError with file:line:column on anything unknown, missing or out of range."""
    from engine.policy_file import read_policy

    return read_policy(text, where)
