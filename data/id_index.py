"""Which seq does a transaction id have, without an index in the file and without every id in memory?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt


class IdIndex:
    """Ids to seqs at 16 bytes an id for those known at the start, and a dict for those that came since.

    The bulk is kept as sorted 64-bit hashes (Python's own, keyed per process) beside their seqs. A hash that
    is found is confirmed by `id_of`, which reads the id of a seq, so that a collision cannot lie.
    """

    def __init__(self, id_of: Callable[[int], str | None]) -> None:
        self._id_of = id_of
        self._hashes: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._seqs: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._recent: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._seqs) + len(self._recent)

    def add_bulk(self, batches: Iterable[tuple[Sequence[str], npt.NDArray[np.int64]]]) -> None:
        """Add many (ids, seqs) batches at once."""
        hashes, seqs = [self._hashes], [self._seqs]
        for ids, batch_seqs in batches:
            hashes.append(np.fromiter(map(hash, ids), np.int64, len(ids)))
            seqs.append(batch_seqs)
        all_hashes, all_seqs = np.concatenate(hashes), np.concatenate(seqs)
        order = np.argsort(all_hashes, kind="stable")
        self._hashes, self._seqs = all_hashes[order], all_seqs[order]

    def add(self, entries: Mapping[str, int]) -> None:
        """Add a few ids."""
        self._recent.update(entries)

    def get(self, transaction_id: str) -> int | None:
        """The seq of an id, or None."""
        found = self._recent.get(transaction_id)
        if found is not None or not len(self._hashes):
            return found
        wanted = hash(transaction_id)
        place = int(np.searchsorted(self._hashes, wanted))
        while place < len(self._hashes) and self._hashes[place] == wanted:
            seq = int(self._seqs[place])
            if self._id_of(seq) == transaction_id:
                return seq
            place += 1
        return None
