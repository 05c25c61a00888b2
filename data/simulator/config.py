"""Which institution is to be made up, and how does it change on the way?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from data.errors import InputError

TYPOLOGIES = (
    "card_testing",
    "account_takeover",
    "merchant_compromise",
    "shared_devices",
    "first_party_abuse",
    "scam_payment",
)
"""Every typology the simulator knows; `scam_payment` appears only where shares or a drift ask for it."""

DEFAULT_SHARES: Mapping[str, float] = {
    "card_testing": 0.20,
    "account_takeover": 0.28,
    "merchant_compromise": 0.22,
    "shared_devices": 0.19,
    "first_party_abuse": 0.11,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What is different from day `day` on (counted from 0, the first day).

    `new_typology` then makes up `new_share` of the frauds; `amount_factor` multiplies what honest customers
    spend; `online_shift` is the share of shop payments that move online.
    """

    day: int
    new_typology: str | None = "scam_payment"
    new_share: float = 0.4
    amount_factor: float = 1.0
    online_shift: float = 0.0

    def __post_init__(self) -> None:
        _require(self.day >= 0, "drift.day", self.day, "0 or more")
        _require(
            self.new_typology is None or self.new_typology in TYPOLOGIES,
            "drift.new_typology",
            self.new_typology,
            ", ".join(TYPOLOGIES),
        )
        _require(0 <= self.new_share <= 1, "drift.new_share", self.new_share, "0 to 1")
        _require(self.amount_factor > 0, "drift.amount_factor", self.amount_factor, "above 0")
        _require(0 <= self.online_shift <= 1, "drift.online_shift", self.online_shift, "0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionConfig:
    """Everything that decides what is simulated: the same config gives the same tables, byte for byte.

    `transactions` counts honest and fraudulent payments together; `fraud_rate` is the fraudulent share of
    them, split by `typology_shares` (weights, any sum). `start` is the first day; times lie in the `days`
    days from its midnight UTC. Raises InputError for a size that cannot be simulated.
    """

    seed: int = 7
    start: date = date(2026, 1, 5)
    days: int = 120
    transactions: int = 200_000
    customers: int = 5_000
    merchants: int = 1_200
    fraud_rate: float = 0.01
    currency: str = "EUR"
    typology_shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    drift: Drift | None = None

    def __post_init__(self) -> None:
        _require(self.days >= 2, "days", self.days, "2 or more")
        _require(self.transactions >= 1, "transactions", self.transactions, "1 or more")
        _require(self.customers >= 10, "customers", self.customers, "10 or more")
        _require(self.merchants >= 20, "merchants", self.merchants, "20 or more")
        _require(0 <= self.fraud_rate <= 0.5, "fraud_rate", self.fraud_rate, "0 to 0.5")
        unknown = sorted(set(self.typology_shares) - set(TYPOLOGIES))
        _require(not unknown, "typology_shares", ", ".join(unknown), ", ".join(TYPOLOGIES))
        weights = self.typology_shares.values()
        usable = all(weight >= 0 for weight in weights) and sum(weights) > 0
        _require(usable, "typology_shares", dict(self.typology_shares), "weights of 0 or more, not all 0")
        if self.drift is not None:
            _require(self.drift.day < self.days, "drift.day", self.drift.day, f"below days ({self.days})")

    @property
    def seconds(self) -> float:
        """Length of the simulated time in seconds."""
        return self.days * 86_400.0


def _require(holds: bool, setting: str, value: object, allowed: str) -> None:
    if not holds:
        raise InputError(f"{setting} cannot be {value}", where="simulator settings", allowed=allowed)
