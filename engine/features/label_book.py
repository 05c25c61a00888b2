"""Which outcome rows does a transaction already have?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.features.known_labels import LabelRow

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class LabelBook:
    """Outcome rows by transaction seq: loaded ones in sorted columns (33 bytes a row), live ones in lists."""

    def __init__(self) -> None:
        nothing = np.empty(0, np.int64)
        self.seqs, self._reported, self._known, self._recorded = (nothing,) * 4
        self._fraud: Flags = np.empty(0, np.bool_)
        self._live: dict[int, list[LabelRow]] = {}

    def load(
        self, seqs: Integers, reported: Integers, known: Integers, recorded: Integers, fraud: Flags
    ) -> None:
        """Take columns that are sorted by seq."""
        self.seqs, self._reported, self._known, self._recorded = seqs, reported, known, recorded
        self._fraud = fraud

    def rows(self, seq: int) -> list[LabelRow]:
        low, high = np.searchsorted(self.seqs, seq), np.searchsorted(self.seqs, seq, side="right")
        loaded = [self.loaded_row(place) for place in range(int(low), int(high))]
        return loaded + self._live.get(seq, [])

    def loaded_row(self, place: int) -> LabelRow:
        return LabelRow(
            int(self._reported[place]),
            int(self._known[place]),
            int(self._recorded[place]),
            bool(self._fraud[place]),
        )

    def add(self, seq: int, row: LabelRow) -> None:
        self._live.setdefault(seq, []).append(row)

    def __len__(self) -> int:
        return len(self.seqs) + sum(len(rows) for rows in self._live.values())

    def forget_before(self, known_us: int) -> None:
        """Drop rows known before a moment: their transactions are older still.

        Rows of older transactions that became known since stay until then; nobody asks for them any more.
        """
        kept = self._known >= known_us
        if not kept.all():
            numbers = (self.seqs, self._reported, self._known, self._recorded)
            self.seqs, self._reported, self._known, self._recorded = (column[kept] for column in numbers)
            self._fraud = self._fraud[kept]
        for seq in [seq for seq, rows in self._live.items() if max(row.known_us for row in rows) < known_us]:
            del self._live[seq]
