"""Which seq does a transaction id have, without an index in the file and without every id in memory?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_FOLDED = 16_384
"""So many ids at once leave the dict: some milliseconds of work, and a place more to look at."""
_LONGEST_MERGED = 1_000_000
"""Runs that long stay apart: to merge them would hold decisions up."""


class _Run(NamedTuple):
    """Hashes in order, and the seq of each."""

    hashes: Integers
    seqs: Integers


class IdIndex:
    """Ids to seqs at 16 bytes an id, and a dict for the latest.

    Most are kept as runs of sorted 64-bit hashes (Python's own, keyed per process) beside their seqs. A hash that
    is found is confirmed by `id_of`, which reads the id of a seq, so that a collision cannot lie. It reads what DuckDB
    has, so an id stays in the dict until then (`settled`).
    """

    def __init__(self, id_of: Callable[[int], str | None]) -> None:
        self._id_of = id_of
        self._runs: tuple[_Run, ...] = ()
        self._recent: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(len(run.seqs) for run in self._runs) + len(self._recent)

    @property
    def recent(self) -> int:
        """How many ids are held as text."""
        return len(self._recent)

    def add_bulk(self, batches: Iterable[tuple[Sequence[str], Integers]]) -> None:
        """Add many (ids, seqs) batches at once."""
        hashes, seqs = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for ids, batch_seqs in batches:
            hashes.append(np.fromiter(map(hash, ids), np.int64, len(ids)))
            seqs.append(batch_seqs)
        self._take(_sorted(np.concatenate(hashes), np.concatenate(seqs)))

    def add(self, entries: Mapping[str, int]) -> None:
        """Add a few ids."""
        self._recent.update(entries)

    def settled(self, seq: int) -> None:
        """DuckDB has the transactions up to `seq`: where those ids are many, they need not be held as text."""
        if len(self._recent) < _FOLDED:
            return
        entries = [(name, at) for name, at in self._recent.copy().items() if at <= seq]
        if len(entries) < _FOLDED:
            return
        hashes = np.fromiter((hash(name) for name, _ in entries), np.int64, len(entries))
        self._take(_sorted(hashes, np.array([at for _, at in entries], np.int64)))
        for name, _ in entries:  # only now, so that whoever looks meanwhile finds them in one place at least
            del self._recent[name]

    def get(self, transaction_id: str) -> int | None:
        """The seq of an id, or None."""
        found = self._recent.get(transaction_id)
        if found is not None or not self._runs:
            return found
        wanted = hash(transaction_id)
        for hashes, seqs in self._runs:
            place = int(hashes.searchsorted(wanted))
            while place < len(hashes) and hashes[place] == wanted:
                seq = int(seqs[place])
                if self._id_of(seq) == transaction_id:
                    return seq
                place += 1
        return None

    def _take(self, run: _Run) -> None:
        """Keep a run, merged with those before that are no longer than it, so that there are never many."""
        runs = list(self._runs)
        while runs and len(runs[-1].seqs) <= len(run.seqs) and len(run.seqs) < _LONGEST_MERGED:
            last = runs.pop()
            run = _sorted(np.concatenate([last.hashes, run.hashes]), np.concatenate([last.seqs, run.seqs]))
        if len(run.seqs):
            runs.append(run)
        self._runs = tuple(runs)


def _sorted(hashes: Integers, seqs: Integers) -> _Run:
    order = np.argsort(hashes, kind="stable")
    return _Run(hashes[order], seqs[order])
