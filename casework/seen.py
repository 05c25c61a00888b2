"""Which transaction ids have been seen, and at which place in the ledger?"""

from __future__ import annotations

import hashlib

import numpy as np

from data.ledger import Ledger


def _digest(transaction_id: str) -> int:
    # The same 64 bits as DuckDB's md5_number_lower, so that millions of ids load in one query.
    return int.from_bytes(hashlib.md5(transaction_id.encode(), usedforsecurity=False).digest()[8:], "little")


class SeenIds:
    """Ids in memory: 16 bytes each for those that were there at the start, a dictionary for those since.

    No unique index is kept in the ledger (it would double the cost of a commit), so this is where a second
    request for the same id is noticed. Not thread-safe: only the holder of the decision lock adds.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._recent: dict[str, int] = {}
        self.reload()

    def reload(self) -> None:
        """Read all ids again (after an import)."""
        found = self._ledger.read_arrow("SELECT md5_number_lower(transaction_id) AS digest, seq FROM transactions")
        digests = found["digest"].to_numpy()
        order = np.argsort(digests, kind="stable")
        self._digests = digests[order]
        self._seqs = found["seq"].to_numpy()[order]
        self._recent.clear()

    def seq(self, transaction_id: str) -> int | None:
        """The ledger's seq of this id, or None if it was never seen."""
        if (recent := self._recent.get(transaction_id)) is not None:
            return recent
        digest = np.uint64(_digest(transaction_id))
        at = int(np.searchsorted(self._digests, digest))
        while at < len(self._digests) and self._digests[at] == digest:
            seq = int(self._seqs[at])
            # Two ids in 2^64 may share a digest; the ledger has the word itself.
            if self._ledger.read("SELECT transaction_id FROM transactions WHERE seq = ?", [seq])[0][
                "transaction_id"
            ] == transaction_id:
                return seq
            at += 1
        return None

    def add(self, transaction_id: str, seq: int) -> None:
        self._recent[transaction_id] = seq
