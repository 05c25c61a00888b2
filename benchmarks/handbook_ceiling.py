"""How good could somebody be on the Handbook's data who knew its scenarios, but had to wait for labels as all do?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from data.errors import InputError
from engine.measuring import metrics
from engine.measuring.backtest import Backtest

DAY_US = 86_400_000_000
DELAY_DAYS, COMPROMISED_DAYS = 7, 28
LARGE, TERMINAL, CUSTOMER = 1, 2, 3  # the book's numbers for its scenarios


class Ceiling:
    """A seer who recognises every payment over 220 (scenario 1) and every payment of a robbed customer (scenario 3) at
    once, and a compromised terminal (scenario 2) as soon as one fraud of it is known, until its four weeks are over.

    Nobody can know of a terminal in its first week; what the seer does not know is ranked as the model ranks it. This
    is more than any model can reach: large amounts of a robbed customer and of a generous one look the same.
    """

    def __init__(self, path: Path) -> None:
        table = pq.read_table(path).sort_by([("TX_DATETIME", "ascending"), ("TRANSACTION_ID", "ascending")])
        self._y = table["TX_FRAUD"].to_numpy()
        self._scenario = table["TX_FRAUD_SCENARIO"].to_numpy()
        self._terminal = table["TERMINAL_ID"].to_numpy().astype(np.int64)
        self._us = table["TX_DATETIME"].cast("timestamp[us]").cast("int64").to_numpy()
        self._frauds = self._frauds_by_terminal()

    def _frauds_by_terminal(self) -> dict[int, np.ndarray]:
        rows = np.flatnonzero(self._scenario == TERMINAL)
        rows = rows[np.argsort(self._terminal[rows], kind="stable")]
        names, starts = np.unique(self._terminal[rows], return_index=True)
        return dict(zip(names.tolist(), np.split(self._us[rows], starts[1:]), strict=True))

    def figures(self, folds: Sequence[Backtest]) -> tuple[float, float, float]:
        """(AUC, average precision, card precision at 100), means over the test rows of the folds."""
        return tuple(np.mean([self._of(fold) for fold in folds], axis=0).tolist())  # type: ignore[return-value]

    def unknowable(self, folds: Sequence[Backtest]) -> float:
        """Mean share of frauds that are of a terminal nobody can know of yet."""
        return float(np.mean([self._blind(fold) for fold in folds]))

    def _of(self, fold: Backtest) -> tuple[float, float, float]:
        s = fold.scores
        score = np.empty(len(s.y))
        score[np.lexsort((s.margin, self._seen(fold)))] = np.arange(len(s.y))
        cards = metrics.card_precision_at_k(s.day, s.entity, s.y, score, fold.protocol.cards)
        return metrics.auc(s.y, score), metrics.average_precision(s.y, score), cards

    def _blind(self, fold: Backtest) -> float:
        return float(np.mean(self._seen(fold)[fold.scores.y == 1] < 1))

    def _seen(self, fold: Backtest) -> np.ndarray:
        rows = fold.scores.seq - 1
        if not np.array_equal(self._y[rows], fold.scores.y):
            raise InputError("the file is not the one that was imported", where="handbook transactions")
        at_once = np.isin(self._scenario[rows], (LARGE, CUSTOMER))
        return np.where(at_once, 2.0, [float(self._known(row)) for row in rows])

    def _known(self, row: int) -> bool:
        """Is the first fraud of a compromise known, and was that less than four weeks ago?"""
        frauds = self._frauds.get(int(self._terminal[row]))
        if frauds is None:
            return False
        now = self._us[row]
        days = frauds[frauds <= now - DELAY_DAYS * DAY_US] // DAY_US
        over = now // DAY_US - COMPROMISED_DAYS
        before = (days <= over) & (days > over - COMPROMISED_DAYS)
        return bool((days > over).any() and not before.any())
