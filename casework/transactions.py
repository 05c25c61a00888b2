"""Does a transaction that was sent fit the workspace's mapping, and what is it in the ledger's terms?"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from data.errors import InputError
from data.mapping import Mapping
from data.transactions import AttributeValue, Transaction


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction as sent. Names are the mapping's; what is left out is missing."""

    transaction_id: str
    occurred_at: datetime
    amount: Decimal | None
    currency: str
    entities: Map[str, str | None]
    attributes: Map[str, AttributeValue]
    personal: Map[str, str]
