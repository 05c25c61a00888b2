"""How wide will the interval of a figure be after so many reviews, and how many does it take until there is one?

Closed forms: each gives the half width of a 95 % interval at the value expected. They are checked by simulation in the
tests. Nothing here reads the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, sqrt

from casework.quality.agreement.intervals import MIN_DISAGREEING_ITEMS, MIN_ITEMS, MIN_POSITIVE_ITEMS
from casework.quality.consensus.identification import MIN_GOLDEN

Z = 1.959963984540054
MIN_AUDITED_FRAUDS = 5
"""Expected frauds in the audited slice below which a fraud rate from it is called insufficient: with fewer, the upper
end of its interval is more than twice the rate."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What two reviewers do with one item: `positive` is the share of ratings that say fraud, `differ` the share of
    items on which they differ. So both say fraud on `positive - differ / 2` of the items."""

    positive: float
    differ: float

    @property
    def both(self) -> float:
        return max(self.positive - self.differ / 2, 0.0)


def agreement_half_width(pairs: Pairs, items: float, *, coefficient: str) -> float:
    """Half width of alpha or AC1 (`coefficient`) for two reviewers and two classes on so many items.

    The delta method (Agresti, Categorical Data Analysis, 3rd ed. 2013, section 16.1) on the multinomial of an item
    (both fraud, they differ, both not): with d the share that differs and q that of positive ratings,
    alpha = 1 - d / (2q(1 - q)) and AC1 = 1 - d / (1 - 2q(1 - q)) (Krippendorff 2019; Gwet 2008), var d = d(1 - d),
    var q = both + d/4 - q^2, cov(d, q) = d/2 - qd, each divided by the number of items.
    """
    q, d = pairs.positive, pairs.differ
    mixed = 2 * q * (1 - q)
    chance = mixed if coefficient == "alpha" else 1 - mixed
    if items <= 0 or chance <= 0:
        return inf
    by_d = -1 / chance
    by_q = (d / chance**2) * (2 - 4 * q) * (1 if coefficient == "alpha" else -1)
    var_d, var_q, cov = d * (1 - d), pairs.both + d / 4 - q**2, d / 2 - q * d
    variance = by_d**2 * var_d + by_q**2 * var_q + 2 * by_d * by_q * cov
    return Z * sqrt(max(variance, 0.0) / items)


def share_half_width(share: float, n: float) -> float:
    """Half width of Wilson's (1927) interval of a share; inf without observations."""
    if n <= 0:
        return inf
    z2 = Z**2
    return Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n**2))


def corrected_rate_half_width(
    rate: float, n: float, recall: float, frauds: float, false_positive_rate: float, honest: float
) -> float:
    """Half width of a fraud rate that is estimated from verdicts on `n` audited payments and corrected by what golden
    cases say of the reviewers: recall on `frauds` of them, false positive rate on `honest` ones.

    Rogan and Gladen (American Journal of Epidemiology 107, 1978), whose variance has three parts: of the share
    confirmed, of the recall and of the false positive rate. inf where verdicts say nothing (recall not above the
    false positive rate).
    """
    informed = recall - false_positive_rate
    if min(n, frauds, honest) <= 0 or informed <= 0:
        return inf
    confirmed = rate * recall + (1 - rate) * false_positive_rate
    variance = confirmed * (1 - confirmed) / n
    variance += rate**2 * recall * (1 - recall) / frauds
    variance += (1 - rate) ** 2 * false_positive_rate * (1 - false_positive_rate) / honest
    return Z * sqrt(variance) / informed


def weeks_until(needed: float, have: float, a_week: float) -> int | None:
    """Whole weeks until there are enough at this pace; 0 when there are, None when there never will be."""
    if have >= needed:
        return 0
    return ceil((needed - have) / a_week) if a_week > 0 else None


def agreement_needs(pairs: Pairs, *, positives: bool) -> float:
    """Items with two reviewers from which the project shows an interval of agreement: MIN_ITEMS, MIN_DISAGREEING_ITEMS,
    and MIN_POSITIVE_ITEMS with somebody saying fraud where the coefficient rests on these. The last rule to be met."""
    needs = [float(MIN_ITEMS), _items_for(MIN_DISAGREEING_ITEMS, pairs.differ)]
    if positives:
        needs.append(_items_for(MIN_POSITIVE_ITEMS, pairs.both + pairs.differ))
    return max(needs)


def golden_needs() -> int:
    """Golden cases of a class from which a person's error rate on it is shown."""
    return MIN_GOLDEN


def audit_needs(rate: float) -> float:
    """Audited payments from which a fraud rate is shown."""
    return max(float(MIN_ITEMS), _items_for(MIN_AUDITED_FRAUDS, rate))


def _items_for(count: int, share: float) -> float:
    return count / share if share > 0 else inf
