"""Which payments did this entity make before, as a reviewer sees them beside the payment, and which were fraud?

A case opens while a payment waits for its answer, and rows of a long history take DuckDB milliseconds to find. So the
seqs of each value's latest payments are kept in memory, a dossier names them, and their rows, which never change, are
read when somebody opens it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from casework.cases.earlier import Earlier
from data.incoming.mapping import Mapping as Columns
from data.ledger import Ledger
from data.outcome_order import LATEST
from data.storage.rows import aware
from data.transactions import Transaction
from engine.decision import Decision

LONGEST_HISTORY = 20


class PastPayments:
    """The latest payments of each value of the mapping's first entity. Not thread-safe: the deciding thread has it.

    At 8 bytes a payment, at most 20 for each value, and 16 bytes a value, for those known at the start.
    """

    def __init__(self, ledger: Ledger, columns: Columns) -> None:
        self._ledger = ledger
        self._entity, self._attributes = next(iter(columns.entities), ""), tuple(columns.attributes)
        self._fresh: dict[str, array[int]] = {}
        self._long: set[str] = set()
        self._frauds: dict[int, datetime] = {}
        # Outcomes behind the latest seq, as they replace each other. A file's own label has 0: none is behind it.
        self._behind, self._order = 1, dict[int, tuple[int, datetime, datetime, bool]]()
        self._hashes: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._load()

    def _load(self) -> None:
        if not self._entity:
            return
        # The entity's name is one of the mapping's, checked there.
        found = self._ledger.read_arrow(
            f'SELECT "{self._entity}" AS value, max(seq, {LONGEST_HISTORY}) AS seqs FROM transactions '
            f'WHERE "{self._entity}" IS NOT NULL GROUP BY ALL'
        ).combine_chunks()
        values, lists = found["value"].to_pylist(), found["seqs"].combine_chunks()
        hashes = np.fromiter(map(hash, values), np.int64, len(values))
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        self._starts = lists.offsets.to_numpy()[:-1][order]
        self._ends = lists.offsets.to_numpy()[1:][order]
        self._seqs = lists.values.to_numpy(zero_copy_only=False)
        for row in self._ledger.read(
            f"SELECT transaction_seq AS seq, arg_max(known_at, {LATEST}) AS known_at "
            f"FROM outcomes GROUP BY seq HAVING arg_max(is_fraud, {LATEST})"
        ):
            self._frauds[row["seq"]] = row["known_at"]

    def add(self, made: Iterable[Transaction]) -> None:
        """Remember payments, in the order of their seqs."""
        if not self._entity:
            return
        # Only now: of those added last, the first may have been asked for what was before it.
        for long in self._long:
            del self._fresh[long][:-LONGEST_HISTORY]
        self._long.clear()
        for transaction in made:
            value = transaction.entities.get(self._entity)
            if value is None:
                continue
            seqs = self._fresh.get(value)
            if seqs is None:
                seqs = self._fresh[value] = array("q")
            seqs.append(transaction.seq)
            if len(seqs) >= 2 * LONGEST_HISTORY:
                self._long.add(value)

    def learn(
        self, seq: int, is_fraud: bool, known_at: datetime, *, reported_seq: int, recorded_at: datetime
    ) -> None:
        """An outcome was reported; of those behind one seq that is in force which `data.outcome_order` says, whichever
        is learned first. One behind a later seq stands in place of all before."""
        mine = (reported_seq, aware(known_at), aware(recorded_at), is_fraud)
        if reported_seq > self._behind:
            self._behind = reported_seq
            self._order.clear()
        if mine < self._order.get(seq, mine):
            return
        if reported_seq == self._behind:
            self._order[seq] = mine
        if is_fraud:
            self._frauds[seq] = aware(known_at)
        else:
            self._frauds.pop(seq, None)

    def before(self, transaction: Transaction, at: datetime) -> Earlier:
        """Earlier payments of a fresh payment's first entity, newest first; `at` says which frauds were known."""
        return self._told(self._latest(transaction), at)

    def before_old(self, decision: Decision, at: datetime) -> Earlier:
        """The same for a decision that others have followed since; reads the history."""
        transaction = decision.transaction
        value = transaction.entities.get(self._entity)
        if value is None:
            return Earlier()
        rows = self._ledger.read(
            f'SELECT seq FROM transactions WHERE "{self._entity}" = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
            [value, transaction.seq, LONGEST_HISTORY],
        )
        return self._told([row["seq"] for row in rows], at)

    def _told(self, seqs: Sequence[int], at: datetime) -> Earlier:
        frauds = [seq for seq in seqs if seq in self._frauds and self._frauds[seq] <= at]
        return Earlier(self._entity, seqs, frauds, self._attributes)

    def _latest(self, transaction: Transaction) -> list[int]:
        """Seqs before this transaction's, newest first."""
        value = transaction.entities.get(self._entity)
        if value is None:
            return []
        found = [seq for seq in self._fresh.get(value, ()) if seq < transaction.seq]
        wanted = hash(value)
        place = int(np.searchsorted(self._hashes, wanted))
        while place < len(self._hashes) and self._hashes[place] == wanted:
            found += self._seqs[self._starts[place] : self._ends[place]].tolist()
            place += 1
        # Should two values have one hash, the other's payments are left out where their rows are read.
        return sorted(found, reverse=True)[:LONGEST_HISTORY]
