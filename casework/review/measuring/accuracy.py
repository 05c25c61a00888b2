"""How many frauds do reviewers find, and how many honest payments do they accuse: measured, or as the policy says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casework.quality.scorecards.reviews import Review, reviews
from casework.quality.scorecards.scorecard import LOOKS_BACK
from casework.quality.subgroups import wilson
from casework.review.verdicts import CONFIRMED_FRAUD
from data.ledger import Ledger
from engine.policy import Policy

LEAST_KNOWN = 30
"""Known payments of a class below which the policy's figure stands: their interval would be wider than any guess."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of known payments called fraud, with its 95 % interval (Wilson) over `n` of them; `low` and `high` are
    None where it is the policy's because too few are known."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None

    @property
    def is_measured(self) -> bool:
        return self.low is not None

    def sentence(self, name: str, of: str) -> str:
        """What it is and what it rests on, for people."""
        if self.low is None or self.high is None:
            return f"{name} of a review: the policy's, {self.value:.0%} (only {self.n} {of} known)"
        return f"{name} {self.value:.0%} [{self.low:.0%}, {self.high:.0%}], measured on {self.n} {of}"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How everybody's reviews together fare where the truth is known as on scorecards: golden cases, and audited
    payments whose time to be disputed is over."""

    recall: Rate
    false_positive_rate: Rate

    @property
    def measured(self) -> tuple[str, ...]:
        return tuple(said for rate, said in self._told() if rate.is_measured)

    @property
    def assumed(self) -> tuple[str, ...]:
        return tuple(said for rate, said in self._told() if not rate.is_measured)

    def _told(self) -> list[tuple[Rate, str]]:
        known = "golden cases and audited payments"
        return [
            (self.recall, self.recall.sentence("recall", f"frauds among {known}")),
            (
                self.false_positive_rate,
                self.false_positive_rate.sentence("false positive rate", f"honest ones among {known}"),
            ),
        ]


def accuracy(ledger: Ledger, policy: Policy, at: datetime) -> Accuracy:
    """Over the time that scorecards look back on, up to `at`; the policy's `reviewer` where fewer than LEAST_KNOWN
    payments of a class are known."""
    known = [each for each in reviews(ledger, at - LOOKS_BACK, at, policy.labels.maturity) if each.known_from]
    return Accuracy(
        _rate([each for each in known if each.fraud], policy.reviewer.recall),
        _rate([each for each in known if not each.fraud], policy.reviewer.false_positive_rate),
    )


def _rate(rows: Sequence[Review], otherwise: float) -> Rate:
    if len(rows) < LEAST_KNOWN:
        return Rate(otherwise, len(rows))
    found = wilson(sum(each.value == CONFIRMED_FRAUD for each in rows), len(rows))
    return Rate(found["value"], len(rows), found["low"], found["high"])
