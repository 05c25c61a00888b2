"""What did this entity do before, as a reviewer sees it beside the payment?

A case opens while a payment waits for its answer, and asking DuckDB for an entity's payments reads the whole history.
So the seqs of each value's latest payments are kept in memory, and only rows whose seqs are known are read; the latest
payments of all are at hand as columns, because planning that read takes longer than deciding ten payments.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.ledger import Ledger
from data.mapping import Mapping as Columns
from data.outcome_order import LATEST
from data.rows import aware
from data.transactions import Transaction
from engine.decision import Decision

LONGEST_HISTORY = 20
_REMEMBERED = 10_000
"""Payments kept whole: more than ever wait for DuckDB, so that the rest can be read there."""
_AT_HAND = 100_000
"""Payments whose columns are kept as they were at the start: some 150 bytes each."""

Row = dict[str, Any]


class PastPayments:
    """The latest payments of each value of the mapping's first entity. Not thread-safe: the deciding thread has it.

    At 8 bytes a payment, at most 20 for each value, and 16 bytes a value, for those known at the start. Payments that
    were shown or decided lately are kept whole, since what was shown once is often shown again soon.
    """

    def __init__(self, ledger: Ledger, columns: Columns) -> None:
        self._ledger, self._columns = ledger, columns
        self._entity = next(iter(columns.entities), "")
        self._fresh: dict[str, array[int]] = {}
        self._long: set[str] = set()
        self._whole: OrderedDict[int, Transaction] = OrderedDict()
        self._read: OrderedDict[int, Row] = OrderedDict()
        self._frauds: dict[int, datetime] = {}
        self._hashes: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._at_hand: pa.Table | None = None
        self._seqs_at_hand: npt.NDArray[np.int64] = np.empty(0, np.int64)
        fields = "".join(f', "{name}"' for name in (*columns.entities, *columns.attributes))
        self._select = (
            f"SELECT seq, transaction_id, occurred_at, amount_minor, currency{fields} FROM transactions"
        )
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
        first = self._ledger.next_transaction_seq - _AT_HAND
        self._at_hand = self._ledger.read_arrow(
            f"{self._select} WHERE seq >= ? ORDER BY seq", [first]
        ).combine_chunks()
        self._seqs_at_hand = self._at_hand["seq"].to_numpy()
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
            self._whole[transaction.seq] = transaction
        _forget_oldest(self._whole)

    def learn(self, seq: int, is_fraud: bool, known_at: datetime) -> None:
        """An outcome was reported; it stands in place of those reported before."""
        if is_fraud:
            self._frauds[seq] = aware(known_at)
        else:
            self._frauds.pop(seq, None)

    def before(self, decisions: Sequence[Decision], at: datetime) -> dict[int, list[Row]]:
        """Earlier payments of each fresh decision's first entity, newest first, by the decision's seq."""
        return self._shown([(d.transaction, self._latest(d.transaction)) for d in decisions], at)

    def before_old(self, decision: Decision, at: datetime) -> list[Row]:
        """The same for a decision that others have followed since; reads the history."""
        transaction = decision.transaction
        value = transaction.entities.get(self._entity)
        if value is None:
            return []
        rows = self._ledger.read(
            f'SELECT seq FROM transactions WHERE "{self._entity}" = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
            [value, transaction.seq, LONGEST_HISTORY],
        )
        return self._shown([(transaction, [row["seq"] for row in rows])], at)[transaction.seq]

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
        # Should two values have one hash, the other's payments are left out once their rows are seen.
        return sorted(found, reverse=True)[:LONGEST_HISTORY]

    def _shown(
        self, wanted: Sequence[tuple[Transaction, Sequence[int]]], at: datetime
    ) -> dict[int, list[Row]]:
        rows, name = self._rows({seq for _, earlier in wanted for seq in earlier}), self._entity
        return {
            of.seq: [
                {**rows[seq], "known_fraud": seq in self._frauds and self._frauds[seq] <= at}
                for seq in earlier
                if seq in rows and rows[seq]["entities"][name] == of.entities[name]
            ]
            for of, earlier in wanted
        }

    def _rows(self, seqs: Iterable[int]) -> dict[int, Row]:
        rows = {seq: self._read[seq] for seq in seqs if seq in self._read}
        rows |= {seq: self._of_transaction(self._whole[seq]) for seq in seqs if seq in self._whole}
        rows |= self._rows_at_hand([seq for seq in seqs if seq not in rows])
        rest = sorted(seq for seq in seqs if seq not in rows)
        if rest:
            # As a list of constants, all rows would be joined with it and then chosen from.
            chosen = "WHERE seq IN (SELECT unnest(CAST(? AS BIGINT[])))"
            found = self._ledger.read_settled(f"{self._select} {chosen}", [rest])
            read = {row["seq"]: self._of_row(row) for row in found}
            self._read |= read
            _forget_oldest(self._read)
            rows |= read
        return rows

    def _rows_at_hand(self, seqs: Sequence[int]) -> dict[int, Row]:
        if self._at_hand is None or not seqs:
            return {}
        places = np.searchsorted(self._seqs_at_hand, seqs)
        places = places[places < len(self._seqs_at_hand)]
        places = places[np.isin(self._seqs_at_hand[places], seqs)]
        found = self._at_hand.take(pa.array(places)).to_pylist()
        return {row["seq"]: self._of_row({**row, "occurred_at": aware(row["occurred_at"])}) for row in found}

    def _of_row(self, row: Mapping[str, Any]) -> Row:
        return {
            **{
                name: row[name]
                for name in ("seq", "transaction_id", "occurred_at", "amount_minor", "currency")
            },
            "entities": {name: row[name] for name in self._columns.entities},
            "attributes": {name: row[name] for name in self._columns.attributes},
        }

    def _of_transaction(self, transaction: Transaction) -> Row:
        return {
            "seq": transaction.seq,
            "transaction_id": transaction.transaction_id,
            "occurred_at": transaction.occurred_at,
            "amount_minor": transaction.amount_minor,
            "currency": transaction.currency,
            "entities": {name: transaction.entities.get(name) for name in self._columns.entities},
            "attributes": {name: transaction.attributes.get(name) for name in self._columns.attributes},
        }


def _forget_oldest(kept: OrderedDict[int, Any]) -> None:
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)  # a dict would pass over all that went before, each time
