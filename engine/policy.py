"""What has the institution decided about costs, people and chance, in numbers the engine can use?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from engine.decision import Outcome

AUTONOMY = ("in_the_loop", "on_the_loop", "automatic")
LANES = ("money_at_risk", "uncertain", "audit", "golden", "re_serve", "second")
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
    """What people may do to a payment. `on_timeout` is the outcome when nobody reviewed it by `deadline`."""

    autonomy: str
    review_holds_payment: bool
    deadline: timedelta
    on_timeout: Outcome


@dataclass(frozen=True, slots=True)
class Exploration:
    """Would-be declines released on purpose: the share, and caps per day on their number and amounts."""

    share: float
    max_per_day: int
    max_amount_minor: int
    max_amount_per_day_minor: int


@dataclass(frozen=True, slots=True)
class Sampling:
    """Shares drawn at random: automatic decisions audited, cases reviewed twice, tasks shown without the score."""

    audit: float
    second_review: float
    blind_first: float
    exploration: Exploration


@dataclass(frozen=True, slots=True)
class Labels:
    """When silence counts as a legitimate label, and how much each source of a label weighs (0 to 1)."""

    maturity: timedelta
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Retrain:
    """When a challenger is trained, what it needs, and who promotes it (automatic or sign_off).

    `judge` is the length of the period it is judged on, `embargo` the gap before it in which nothing is learned.
    """

    every: timedelta
    min_new_labels: int
    min_frauds: int
    promote: str
    max_seconds: int
    judge: timedelta = timedelta(days=14)
    embargo: timedelta = timedelta(days=7)


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

    def segment(self, name: str = "default") -> Segment:
        """The segment of that name, or the default one."""
        return self.segments.get(name, self.segments["default"])


def load_policy(text: bytes, where: str = "rules/policy.yaml") -> Policy:
    """Read policy.yaml strictly; ConfigError with file:line:column on anything unknown, missing or out of range."""
    from engine.policy_file import read_policy

    return read_policy(text, where)
