"""Which decisions and finished pieces of work does a small workspace hold, ready to be told again at other times?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from data.canonical import rfc3339
from data.ledger import Ledger
from data.transactions import Transaction

Row = dict[str, Any]
_IDS = re.compile(rb"(case|task|dossier|verdict)_([0-9a-f]{10})[0-9a-f]{6}")
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_TABLES = ("case_transactions", "cases", "dispositions", "dossiers", "further_reviews", "tasks", "verdicts")
_TOLD = (
    "task.opened", "task.claimed", "task.expired", "verdict.given", "case.opened", "case.closed", "case.timed_out",
    "case.status_changed", "disposition.recorded", "adjudication.opened", "review.further",
)  # fmt: skip
_OVER = ("closed", "timed_out", "done", "expired")


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a piece: when, by whom, of what kind, about what, with which personal values."""

    seq: int
    at: datetime
    actor: str
    kind: str
    subject: str
    payload: bytes
    personal: Mapping[str, str]


@dataclass(slots=True)
class Piece:
    """One payment with its decision and all that people did about it."""

    payment: Row
    personal: Mapping[str, str]
    decided: Told
    decision: Row
    outcomes: list[Row] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    @property
    def seq(self) -> int:
        return int(self.payment["seq"])

    @property
    def is_over(self) -> bool:
        return all(row["status"] in _OVER for name in ("cases", "tasks") for row in self.rows[name])

    @property
    def can_be_told_again(self) -> bool:
        """Cases of several payments are left as they are; every row needs its event."""
        opened = {e.subject for e in self.events if e.kind in ("case.opened", "task.opened")}
        needed = {f"case:{row['case_id']}" for row in self.rows["cases"]}
        needed |= {f"task:{row['task_id']}" for row in self.rows["tasks"]}
        alone = len(self.rows["cases"]) == len(self.rows["case_transactions"]) <= 1
        return (
            alone and opened == needed and bool(self.rows["cases"]) == (self.decision["outcome"] == "review")
        )


@dataclass(frozen=True, slots=True)
class Retelling:
    """A piece at another time, under another seq. `moved` maps every moment; `copy` (24 bits) makes the ids others."""

    piece: Piece
    moved: Callable[[datetime], datetime]
    copy: int
    seq: int = 0

    def with_seq(self, seq: int) -> Retelling:
        return replace(self, seq=seq)

    @property
    def transaction_id(self) -> str:
        return f"tx_{self.seq:08d}"

    def transaction(self, names: tuple[tuple[str, ...], tuple[str, ...]]) -> Transaction:
        row, (entities, attributes) = self.piece.payment, names
        return Transaction(
            self.transaction_id,
            self.moved(row["occurred_at"]),
            row["amount_minor"],
            {name: row[name] for name in entities},
            {name: row[name] for name in attributes},
            row["amount"],
            row["currency"],
            self.piece.personal,
            self.seq,
        )

    def decision_payload(self) -> bytes:
        told, row = self.piece.decided.payload, self.piece.decision
        moved = self.moved(row["decided_at"])
        told = told.replace(rfc3339(row["decided_at"]).encode(), rfc3339(moved).encode())
        told = told.replace(b'"seq":%d,' % self.piece.seq, b'"seq":%d,' % self.seq)
        return told.replace(row["transaction_id"].encode(), self.transaction_id.encode())

    def text(self, told: bytes) -> bytes:
        """Any text of the piece: its times, ids, seq and transaction id."""
        told = _TIMES.sub(lambda m: rfc3339(self.moved(_parsed(m[0]))).encode(), told)
        told = self.named(told).replace(
            self.piece.payment["transaction_id"].encode(), self.transaction_id.encode()
        )
        old, new = b'"transaction_seq":%d' % self.piece.seq, b'"transaction_seq":%d' % self.seq
        return told.replace(old + b",", new + b",").replace(old + b"}", new + b"}")

    def named(self, told: bytes) -> bytes:
        """The ids of this copy in a text."""
        return _IDS.sub(lambda m: b"%b_%b%06x" % (m[1], m[2], self.copy), told)

    def row(self, row: Row) -> Row:
        """A row of any table, as this copy has it; what counts events is left for the caller."""
        return {name: self._value(name, value) for name, value in row.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.moved(value)
        if name == "transaction_seq":
            return self.seq
        if name == "transaction_id":
            return self.transaction_id
        if name.endswith("_id") and isinstance(value, str):
            return self.named(value.encode()).decode()
        return value


def _parsed(text: bytes) -> datetime:
    return datetime.fromisoformat(text[:-1].decode()).replace(tzinfo=UTC)


def faster(first: datetime, start: datetime, factor: float) -> Callable[[datetime], datetime]:
    """Moments from `first` on, told from `start` on at another pace (to the microsecond, the same for equal ones)."""

    def moved(at: datetime) -> datetime:
        return start + timedelta(microseconds=int(((at - first) // timedelta(microseconds=1)) * factor))

    return moved


def later(by: timedelta) -> Callable[[datetime], datetime]:
    return lambda at: at + by


def pieces(ledger: Ledger) -> list[Piece]:
    """Every live decision that can be told again, in the order of its seq."""
    found = _decided(ledger)
    personal = _personal(ledger)
    for piece in found.values():
        piece.personal = personal.get(f"transaction:{piece.seq}", {})
    for row in ledger.read("SELECT * FROM outcomes"):
        if row["transaction_seq"] in found:
            found[row["transaction_seq"]].outcomes.append(row)
    subjects: dict[str, int] = {f"transaction:{p.payment['transaction_id']}": seq for seq, p in found.items()}
    for table in _TABLES:
        for row in ledger.read(f"SELECT * FROM {table}"):
            _place(found, subjects, table, row)
    marks = ", ".join("?" for _ in _TOLD)
    for row in ledger.read(f"SELECT * FROM events WHERE kind IN ({marks}) ORDER BY seq", _TOLD):
        seq = subjects.get(row["subject"])
        if seq is not None:
            found[seq].events.append(_told(row, personal))
    return [piece for piece in found.values() if piece.can_be_told_again]


def _place(found: dict[int, Piece], subjects: dict[str, int], table: str, row: Row) -> None:
    seq = row["transaction_seq"]
    if seq not in found:
        return
    found[seq].rows[table].append(row)
    for kind in ("case", "task", "verdict"):
        if table == f"{kind}s":
            subjects[f"{kind}:{row[f'{kind}_id']}"] = seq


def _decided(ledger: Ledger) -> dict[int, Piece]:
    payments = {row["seq"]: row for row in ledger.read("SELECT * FROM transactions WHERE source = 'api'")}
    told = {row["seq"]: row for row in ledger.read("SELECT * FROM events WHERE kind = 'transaction.decided'")}
    rows = ledger.read("SELECT * FROM decisions ORDER BY transaction_seq")
    return {
        row["transaction_seq"]: Piece(
            payments[row["transaction_seq"]], {}, _told(told[row["event_seq"]], {}), row
        )
        for row in rows
        if row["transaction_seq"] in payments
    }


def _personal(ledger: Ledger) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in ledger.read("SELECT owner, field, value FROM personal_values"):
        found[row["owner"]][row["field"]] = row["value"]
    return found


def _told(row: Row, personal: Mapping[str, Mapping[str, str]]) -> Told:
    names = ("seq", "recorded_at", "actor", "kind", "subject", "payload")
    return Told(*(row[name] for name in names), personal.get(f"event:{row['seq']}", {}))
