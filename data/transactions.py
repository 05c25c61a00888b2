"""What is a transaction, once its words have been checked and its money counted?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

AttributeValue = float | str | bool | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction in ledger terms.

    `seq` is its place in the ledger (0 until the ledger gave it one). `occurred_at` is UTC with zone.
    `amount` is as sent, in `currency`; `amount_minor` is the same in minor units of the institution's base
    currency, or None where there is no amount. `entities` maps an entity name (customer, card, ...) to its
    value or None; `attributes` holds numbers, categories and flags; `personal` holds fields that are stored
    apart and never logged.
    """

    transaction_id: str
    occurred_at: datetime
    amount_minor: int | None
    entities: Mapping[str, str | None]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    amount: Decimal | None = None
    currency: str = ""
    personal: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0

    @property
    def occurred_us(self) -> int:
        """Microseconds since 1970 in UTC, exact (a float timestamp would lose the last digit)."""
        whole = int(self.occurred_at.replace(microsecond=0).timestamp())
        return whole * 1_000_000 + self.occurred_at.microsecond

    def placed(self, seq: int) -> Transaction:
        """The transaction at its place in the ledger; `replace` takes twice the time for the same."""
        return Transaction(
            self.transaction_id,
            self.occurred_at,
            self.amount_minor,
            self.entities,
            self.attributes,
            self.amount,
            self.currency,
            self.personal,
            seq,
        )
