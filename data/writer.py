"""How does a change get into the ledger, events and rows in one commit, or not at all?"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from data.canonical import canonical_json
from data.errors import ConflictError, InputError, LedgerError
from data.events import EventDraft, event_hash, microseconds
from data.integrity.commitments import SaltSource, commit_personal, content_sha256, digest_of_rows
from data.integrity.sealing import Sealer
from data.storage.appending import CHANGES, Tables
from data.storage.id_index import IdIndex
from data.storage.rows import Parameters, bindable, fetch, fetch_arrow
from data.storage.schema import Field
from data.transactions import Transaction

_WORD = re.compile(r"\w+")
RECORDED = "transactions.recorded"
"""The kind of event that vouches for a run of transactions."""
_REMEMBERED = 1000
"""Of a write's own events, how many of the latest are at hand without asking DuckDB."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last event: its seq (0 and GENESIS before the first) and its hash."""

    seq: int
    hash: bytes


class Writer:
    """One open write. Rows and events are gathered, and appended together when it ends or before a read of theirs.

    One that `only_adds` has no transaction of DuckDB open, and refuses whatever would need one.

    Nothing of the ledger's memory (chain head, seq counter, ids) changes until the commit has succeeded, so a
    failed write leaves it exactly as it was.
    """

    def __init__(
        self,
        connection: Any,
        tables: Tables,
        fields: Sequence[Field],
        head: Head,
        next_transaction_seq: int,
        ids: IdIndex,
        salts: SaltSource,
        *,
        sealer: Sealer | None = None,
        only_adds: bool = False,
    ) -> None:
        self.head = head
        self.sealer = sealer
        self.pending: dict[str, list[Mapping[str, Any]]] = {}
        self.next_transaction_seq = next_transaction_seq
        self.new_ids: dict[str, int] = {}
        self.bulk_seqs: list[tuple[int, int]] = []
        self._connection = connection
        self._tables = tables
        self.fields = tuple(fields)
        self._names = frozenset(field.name for field in fields if field.in_transactions)
        self._ids = ids
        self._salts = salts
        self._only_adds = only_adds
        self._latest: deque[Mapping[str, Any]] = deque(maxlen=_REMEMBERED)

    @property
    def only_adds(self) -> bool:
        """Whether it can neither query nor update."""
        return self._only_adds

    def event(self, draft: EventDraft, at: datetime) -> int:
        """Record one change; returns its event seq."""
        personal_owner = f"event:{self.head.seq + 1}"
        commitments, personal_rows = commit_personal(personal_owner, draft.personal, self._salts)
        payload = _payload(draft)
        seq, previous = self.head.seq + 1, self.head.hash
        texts = (draft.actor.encode(), draft.kind.encode(), draft.subject.encode(), payload, commitments)
        hashed = event_hash(previous, seq, microseconds(at), texts)
        row = {
            "seq": seq, "recorded_at": at, "actor": draft.actor, "kind": draft.kind, "subject": draft.subject,
            "payload": payload, "commitments": commitments, "prev_hash": previous, "hash": hashed,
            "seal": self.sealer.of(hashed) if self.sealer else None,
        }  # fmt: skip
        self.pending.setdefault("events", []).append(row)
        self._latest.append(row)
        if personal_rows:
            self.insert("personal_values", personal_rows)
        self.head = Head(seq, hashed)
        return seq

    def events(self, drafts: Iterable[EventDraft], at: datetime) -> list[int]:
        """Record several changes in order; returns their event seqs."""
        return [self.event(draft, at) for draft in drafts]

    def events_after(self, head: Head) -> list[Mapping[str, Any]] | None:
        """The rows of `events` that this write has recorded after that event, without a query; None where it does not
        know: others came between, that event is no longer in the record, or it is too long ago."""
        after = [row for row in self._latest if row["seq"] > head.seq]
        if not after:
            return [] if head == self.head else None
        return after if after[0]["prev_hash"] == head.hash else None

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to a table; columns left out are null, times must be aware. LedgerError if not."""
        if table == "events":
            raise LedgerError(
                "no rows can be inserted into 'events'", hint="Events are recorded with `event`."
            )
        self._tables.check_names(table, rows)
        if rows:
            self.pending.setdefault(table, []).extend(rows)

    def change(self, table: str, key: str, column: str, values: Mapping[str, float]) -> None:
        """Set a column of numbers in the rows whose `key` is named, once all rows added so far are there.

        The one kind of change that a write which only adds can make, too: DuckDB is told of it with the rows.
        """
        told = [
            {"table": table, "key": key, "column": column, "of": of, "value": v} for of, v in values.items()
        ]
        if told:
            self.pending.setdefault(CHANGES, []).extend(told)

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run an UPDATE or DELETE of one table; `?` parameters may be aware times."""
        self._flush_for(sql)
        if self._tables.sums is None:
            self._connection.execute(sql, bindable(parameters))
        else:
            self._tables.sums.execute(sql, parameters)

    def read_arrow(self, sql: str, parameters: Parameters = (), **tables: pa.Table) -> pa.Table:
        """Query as Arrow, seeing what this write has done so far. `tables` can be named by the query."""
        self._flush_for(sql)
        return fetch_arrow(self._connection, sql, parameters, tables)

    def read(self, sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
        """Query, seeing what this write has done so far."""
        self._flush_for(sql)
        return fetch(self._connection, sql, parameters)

    def take_seqs(self, count: int) -> int:
        """Reserve `count` transaction seqs; returns the first."""
        first = self.next_transaction_seq
        self.next_transaction_seq += count
        return first

    def seq_of(self, transaction_id: str) -> int | None:
        """The seq of an id, this write's own transactions included."""
        return self.new_ids.get(transaction_id) or self._ids.get(transaction_id)

    def insert_transactions(self, rows: Sequence[Transaction], at: datetime, source: str) -> list[int]:
        """Append transactions with commitments and personal values, and one event that vouches for them.

        Rows must be in the order of the seqs taken for them; a row whose seq is 0 is given the next one.
        Returns the seqs. ConflictError for an id the ledger already has; InputError for an amount or number
        that cannot be stored, or a field the institution does not have.
        """
        if not rows:
            return []
        seqs: list[int] = []
        contents: list[tuple[str, str]] = []
        made: list[dict[str, Any]] = []
        for transaction in rows:
            seq = transaction.seq or self.take_seqs(1)
            self._check(transaction, seq, seqs[-1] if seqs else 0)
            owner = f"transaction:{seq}"
            commitments, personal_rows = commit_personal(owner, transaction.personal, self._salts)
            digest = content_sha256(transaction)
            shown = commitments.decode()
            made.append(_row(transaction, seq, at, source, digest, shown))
            if personal_rows:
                self.insert("personal_values", personal_rows)
            contents.append((digest, shown))
            seqs.append(seq)
            self.new_ids[transaction.transaction_id] = seq
        self.insert("transactions", made)
        self.event(recorded(seqs[0], seqs[-1], len(seqs), source, digest_of_rows(contents)), at)
        return seqs

    def salt(self) -> bytes:
        """32 fresh random bytes, from which a bulk load derives a salt for each value and then forgets them."""
        return self._salts(32)

    def append_arrow(self, table: str, rows: pa.Table) -> None:
        """Append Arrow rows by column name. For bulk loads, which need an event that vouches for them."""
        self._refuse_if_only_adding()
        self._tables.append_arrow(table, rows)

    def adopt_seqs(self, first: int, last: int) -> None:
        """Make the ids of transactions appended as Arrow known once this write is committed."""
        self.bulk_seqs.append((first, last))

    def flush(self) -> None:
        """Append what has been gathered, one append a table."""
        self._refuse_if_only_adding()
        pending, self.pending = self.pending, {}
        changes = pending.pop(CHANGES, ())
        for table, rows in pending.items():
            self._tables.append(table, rows)
        self._tables.change(changes)

    def _flush_for(self, sql: str) -> None:
        """Append what a statement could see: each append costs as much as a query, and few tables are in both."""
        self._refuse_if_only_adding()
        words = _words(sql)
        if CHANGES in self.pending or self.pending.keys() <= words:
            self.flush()
            return
        for table in [table for table in self.pending if table in words]:
            self._tables.append(table, self.pending.pop(table))

    def _refuse_if_only_adding(self) -> None:
        if self._only_adds:
            raise LedgerError(
                "a write that only adds cannot query or update", hint="Read before, or use `writing`."
            )

    def _check(self, transaction: Transaction, seq: int, previous: int) -> None:
        if not previous < seq < self.next_transaction_seq:
            raise LedgerError(
                f"the seq {seq} was not taken, or is out of order", where=transaction.transaction_id
            )
        if self.seq_of(transaction.transaction_id) is not None:
            raise ConflictError("the ledger already has this transaction", where=transaction.transaction_id)
        named, known = (transaction.entities, transaction.attributes), self._names
        if not (named[0].keys() <= known and named[1].keys() <= known):
            unknown = ", ".join(sorted({**named[0], **named[1]}.keys() - known))
            what = f"the institution has no field '{unknown}'"
            raise InputError(what, where=transaction.transaction_id, allowed=", ".join(sorted(known)))


def recorded(
    first_seq: int,
    last_seq: int,
    count: int,
    source: str,
    digest: str,
    labels: Mapping[str, Any] | None = None,
) -> EventDraft:
    """The event that vouches for the transactions first_seq to last_seq: their number and digest.

    `labels` does the same for the outcomes that came with them in a file: their count and digest.
    """
    payload: dict[str, Any] = {"first_seq": first_seq, "last_seq": last_seq, "count": count}
    payload |= {"source": source, "digest": digest}
    if labels:
        payload["labels"] = labels
    return EventDraft("ledger", RECORDED, f"transactions:{first_seq}-{last_seq}", payload)


@lru_cache(maxsize=1024)
def _words(sql: str) -> frozenset[str]:
    """Every word of a statement, the tables' names among them; there are no views that could hide one."""
    return frozenset(_WORD.findall(sql.lower()))


def _payload(draft: EventDraft) -> bytes:
    if isinstance(draft.payload, bytes):
        return draft.payload
    try:
        return canonical_json(draft.payload)
    except ValueError as problem:
        raise LedgerError(f"the event cannot be recorded ({problem})", where=draft.kind) from problem


def _row(
    transaction: Transaction, seq: int, at: datetime, source: str, digest: str, commitments: str
) -> dict[str, Any]:
    return {
        **transaction.entities,
        **transaction.attributes,
        "seq": seq,
        "transaction_id": transaction.transaction_id,
        "occurred_at": transaction.occurred_at,
        "recorded_at": at,
        "amount": transaction.amount,
        "currency": transaction.currency,
        "amount_minor": transaction.amount_minor,
        "content_sha256": digest,
        "commitments": commitments,
        "source": source,
    }
