"""What of the ledger is held in memory, and taken anew from the file when it is opened?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data.integrity import sealed
from data.integrity.keyring import Keyring
from data.integrity.sealing import Sealer
from data.storage import buffers, schema
from data.storage.appending import Tables
from data.storage.id_index import IdIndex
from data.storage.reads import Reads
from data.writer import Head

_ID_BATCH = 200_000


class Memory(Reads):
    """The chain's head, the ids, the next seq, the tables' shapes and sums, and the key that seals."""

    sealer: Sealer | None
    _keyring: Keyring
    _tables: Tables
    _fields: tuple[schema.Field, ...]
    _head: Head
    _next_transaction_seq: int
    _ids: IdIndex

    @property
    def keyring(self) -> Keyring:
        """Where the ledger's key is, and heads of its chain are noted."""
        return self._keyring

    @property
    def shapes(self) -> schema.Shapes:
        """Every table's columns."""
        return self._tables.shapes

    @property
    def fields(self) -> tuple[schema.Field, ...]:
        """The institution's entities, attributes and personal fields."""
        return self._fields

    @property
    def about(self) -> dict[str, str]:
        """What the workspace is about: institution, base_currency, time_zone, mapping_sha256."""
        return {row["name"]: row["value"] for row in self.read("SELECT name, value FROM about")}

    @property
    def next_transaction_seq(self) -> int:
        """The seq the next transaction will get."""
        return self._next_transaction_seq

    @property
    def last_event(self) -> Head:
        """Seq and hash of the last committed event."""
        return self._head

    def seq_of(self, transaction_id: str) -> int | None:
        """The seq of a committed transaction id, or None."""
        return self._ids.get(transaction_id)

    def _seal_tables(self, head: Head) -> None:
        if self._tables.sums is not None:
            self._tables.sums.write(head.seq, head.hash)

    def _reload_sums(self) -> None:
        if self._tables.sums is not None:
            self._tables.sums.load(*sealed.stored_head(self._connection))

    def _load_memory(self) -> None:
        sums = sealed.stored_sums(self._connection, self._keyring)
        self.sealer = sums.sealer if sums else None
        self._tables = Tables(self._connection, schema.arrow_schemas(self._connection), sums)
        self._fields = schema.stored_fields(self._connection)
        self._head = self._stored_head()
        last = self._stored_last_seq()
        self._next_transaction_seq = last + 1
        self._ids = IdIndex(self._id_of)
        self._ids.add_bulk(self._id_batches(1, last))

    def _let_go(self) -> None:
        """Of the ids and of the file's blocks, hold no more in memory than is of use."""
        self._ids.settled(self._stored_last_seq())
        buffers.give_back(self._connection)

    def _stored_last_seq(self) -> int:
        return int(
            self._connection.execute("SELECT coalesce(max(seq), 0) FROM transactions").fetchall()[0][0]
        )

    def _stored_head(self) -> Head:
        return Head(*sealed.stored_head(self._connection))

    def _id_of(self, seq: int) -> str | None:
        # Only ids that DuckDB has are looked up here; waiting for more could wait for a recording in this thread.
        rows = self.read_settled("SELECT transaction_id FROM transactions WHERE seq = ?", [seq])
        return rows[0]["transaction_id"] if rows else None

    def _id_batches(self, first: int, last: int) -> Iterator[tuple[list[str], np.ndarray]]:
        sql = "SELECT transaction_id, seq FROM transactions WHERE seq BETWEEN ? AND ?"
        for start in range(first, last + 1, _ID_BATCH):
            batch = self.read_arrow(sql, [start, min(start + _ID_BATCH - 1, last)])
            yield batch["transaction_id"].to_pylist(), batch["seq"].to_numpy()
