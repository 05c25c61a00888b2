"""Which payments does the demo institution see, day by day, and what is learned about them later?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from casework.deciding.outcomes import Told
from casework.deciding.transactions import Sent, checked
from data.incoming.mapping import Mapping as Columns
from data.simulator.chargebacks import is_fraud_reason
from data.simulator.config import InstitutionConfig
from data.simulator.institution import Simulated, simulate
from data.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the demo is. The first `history_days` are imported as a file, the rest is decided live."""

    days: int = 154
    history_days: int = 84
    transactions: int = 77_000
    customers: int = 2_500
    merchants: int = 500
    fraud_rate: float = 0.012
    seed: int = 7

    def config(self, until: datetime) -> InstitutionConfig:
        """A simulation whose last day is that of `until`."""
        return InstitutionConfig(
            seed=self.seed,
            start=(until - timedelta(days=self.days - 1)).date(),
            days=self.days,
            transactions=self.transactions,
            customers=self.customers,
            merchants=self.merchants,
            fraud_rate=self.fraud_rate,
        )


class World:
    """A simulated institution, cut into history and live days. The truth is for judging and for the analysts'
    simulators only; it never enters the ledger."""

    def __init__(self, scale: Scale, until: datetime) -> None:
        config = scale.config(until)
        self.simulated_seed = scale.seed
        self.simulated: Simulated = simulate(config)
        self.start = datetime.combine(config.start, datetime.min.time(), UTC)
        self.live_from = self.start + timedelta(days=scale.history_days)
        self.end = until
        truth = self.simulated.truth
        self.fraud: dict[str, str] = {
            row["transaction_id"]: row["typology"] for row in truth.to_pylist() if row["is_fraud"]
        }

    def history_file(self, folder: Path) -> Path:
        """A Parquet file of everything before the live days."""
        table = self.simulated.transactions
        path = folder / "history.parquet"
        pq.write_table(table.filter(_before(table, self.live_from)), path)
        return path

    def live_payments(self, columns: Columns) -> list[Transaction]:
        """What happens in the live days, in order, as an integrator would send it."""
        table = self.simulated.transactions
        later = table.filter(pc.and_(pc.invert(_before(table, self.live_from)), _before(table, self.end)))
        return [_transaction(row, columns) for row in later.to_pylist()]

    def outcomes_by_day(self) -> Mapping[datetime, list[Told]]:
        """Chargebacks by the UTC day on which they become known, up to the end; the first entry holds all that was
        known when the live days begin."""
        found: dict[datetime, list[Told]] = defaultdict(list)
        for row in self.simulated.chargebacks.to_pylist():
            known = row["known_at"].astimezone(UTC)
            day = known.replace(hour=0, minute=0, second=0, microsecond=0)
            if known < self.end:
                found[max(day, self.live_from - timedelta(days=1))].append(
                    Told(
                        row["transaction_id"], is_fraud_reason(row["reason_code"]), known, row["reason_code"]
                    )
                )
        return found


def slices(
    payments: list[Transaction], length: timedelta, start: datetime
) -> Iterator[tuple[datetime, list[Transaction]]]:
    """Payments cut into spans of time: (end of the span, payments in it), empty spans included."""
    end, part = start + length, list[Transaction]()
    for payment in payments:
        while payment.occurred_at >= end:
            yield end, part
            end, part = end + length, []
        part.append(payment)
    yield end, part


def _before(table: pa.Table, moment: datetime) -> Any:
    at = pc.cast(table["occurred_at"], pa.timestamp("us", "UTC"))
    return pc.less(at, pa.scalar(moment))


def _transaction(row: Mapping[str, Any], columns: Columns) -> Transaction:
    sent = Sent(
        transaction_id=row["transaction_id"],
        occurred_at=row["occurred_at"].astimezone(UTC),
        amount=Decimal(row["amount"]),
        currency=row["currency"],
        entities={name: row[name] for name in columns.entities},
        attributes={name: row[name] for name in columns.attributes},
        personal={name: row[name] for name in columns.personal},
    )
    return checked(sent, columns)
