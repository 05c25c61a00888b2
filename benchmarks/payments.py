"""Which payments does a load generator send, and as which bytes?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from casework.app import App
from casework.workspace import Workspace
from data import reading
from data.transactions import Transaction

TEMPLATES = 20_000


def templates(root: Path) -> list[Transaction]:
    """The latest transactions of the workspace, to be sent again under new ids."""
    app = App.open(Workspace(root))
    try:
        last = app.ledger.next_transaction_seq - 1
        return list(reading.transactions(app.ledger, first_seq=max(1, last - TEMPLATES + 1), last_seq=last))
    finally:
        app.close()


@dataclass(frozen=True, slots=True)
class People:
    """Who pays again: of `populations`, each with entities of its own, one in each round. Once all have paid, the next
    of so many `cycles` comes `apart` from the one before, so that nobody pays more often than in the past that is
    sent again; the last cycle ends now."""

    populations: int = 1
    cycles: int = 1
    apart: timedelta = timedelta(seconds=1)

    def suffix(self, again: int) -> str:
        return f"~{again % self.populations}" if self.populations > 1 else ""

    def later(self, again: int) -> timedelta:
        """By how much a round comes after the last cycle's, negative before it."""
        return (again // self.populations - (self.cycles - 1)) * self.apart


SAME = People()


def fresh(
    past: Sequence[Transaction], count: int, name: str, *, first: int = 0, people: People = SAME
) -> Iterator[Transaction]:
    """Those again, as far apart as they were, the last of them now: closer together they would look like an attack.
    `first` is the number to begin with."""
    shift = datetime.now(UTC) - max(transaction.occurred_at for transaction in past)
    for n in range(first, first + count):
        again, place = divmod(n, len(past))
        payment, whose = past[place], people.suffix(again)
        entities = {what: value and value + whose for what, value in payment.entities.items()}
        at = payment.occurred_at + shift + people.later(again)
        yield replace(
            payment, seq=0, transaction_id=f"{name}-{n}", occurred_at=at, entities=entities, personal={}
        )


def span(past: Sequence[Transaction]) -> timedelta:
    """Whole days within which these were made."""
    times = [transaction.occurred_at for transaction in past]
    return timedelta(days=(max(times) - min(times)) // timedelta(days=1) + 1)


def body_of(transaction: Transaction) -> dict[str, Any]:
    return {
        "transaction_id": transaction.transaction_id,
        "occurred_at": transaction.occurred_at.isoformat(),
        "amount": None if transaction.amount is None else str(transaction.amount),
        "currency": transaction.currency,
        "entities": dict(transaction.entities),
        "attributes": dict(transaction.attributes),
    }


def request_of(path: str, token: str, body: Any) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content
