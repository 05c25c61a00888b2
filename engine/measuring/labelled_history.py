"""What did the institution see in a stretch of time, and which labels did it know at which moment?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import InputError
from data.outcome_order import ORDER
from engine.features.batch import batch_features
from engine.features.facts import read_arrow
from engine.features.feature_set import FeatureSet
from engine.model.dataset import TrainingData, microseconds

NEVER = np.iinfo(np.int64).max
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`; both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InputError(
                "a window needs times with a zone", where=str(self.start), allowed="2026-01-31T00:00Z"
            )
        if self.start >= self.end:
            raise InputError(f"a window ends at {self.end} before it starts", where=str(self.start))

    @property
    def start_us(self) -> int:
        return as_microseconds(self.start)

    @property
    def end_us(self) -> int:
        return as_microseconds(self.end)


@dataclass(frozen=True)
class History:
    """Feature rows by rising seq, and every outcome reported about them, in the order in which they replace each
    other.

    `entity` holds codes of the entity whose compromise is tracked (-1 where it has no value), or is empty.
    `outcome_row` indexes the rows; `outcome_us` is when each outcome became known.
    """

    features: pa.Table
    seq: np.ndarray
    occurred_us: np.ndarray
    amount_minor: np.ndarray
    entity: np.ndarray
    outcome_row: np.ndarray
    outcome_fraud: np.ndarray
    outcome_us: np.ndarray
    fraud_entity: np.ndarray
    fraud_occurred_us: np.ndarray
    fraud_known_us: np.ndarray

    def __len__(self) -> int:
        return len(self.seq)

    def labels(self, known_by_us: int = NEVER) -> tuple[np.ndarray, np.ndarray]:
        """(y, reported): the label of each row as known by a moment, and whether an outcome said so. The latest
        outcome counts (data.outcome_order), so a reversal wins; a row about which nothing was reported is taken
        for legitimate."""
        y, reported = np.zeros(len(self), dtype=np.int8), np.zeros(len(self), dtype=bool)
        seen = self.outcome_us <= known_by_us
        rows = self.outcome_row[seen]
        y[rows] = self.outcome_fraud[seen]  # of several, numpy keeps the last, which replaces the others
        reported[rows] = True
        return y, reported

    def compromised_us(self, since_us: int, delay_us: int) -> np.ndarray:
        """When each row's entity was first known to be compromised by a fraud that occurred since a moment, `delay_us`
        after that fraud at the earliest; NEVER if it was not."""
        if not len(self.entity):
            return np.full(len(self), NEVER)
        earliest = np.full(
            int(max(self.entity.max(initial=-1), self.fraud_entity.max(initial=-1))) + 2, NEVER
        )
        counted = self.fraud_occurred_us >= since_us
        known = np.maximum(self.fraud_known_us, self.fraud_occurred_us + delay_us)
        np.minimum.at(earliest, self.fraud_entity[counted], known[counted])
        return earliest[self.entity]  # code -1 is the last place, which nothing ever sets

    def rows(self, window: Window) -> np.ndarray:
        """Positions of the rows that occurred within a window."""
        return np.flatnonzero((self.occurred_us >= window.start_us) & (self.occurred_us < window.end_us))

    def training(self, rows: np.ndarray, y: np.ndarray) -> TrainingData:
        """Those rows with these labels, each of weight 1."""
        return TrainingData(
            self.features.take(pa.array(rows)),
            y[rows],
            np.ones(len(rows)),
            self.seq[rows],
            self.occurred_us[rows],
        )


def load_history(
    source: Any, feature_set: FeatureSet, windows: Sequence[Window], *, entity: str = ""
) -> History:
    """Point-in-time features and outcomes of all transactions within any of the windows.

    `source` is a Ledger, or a DuckDB connection that has `transactions` and `outcomes`. Transactions
    outside the windows still count in features, as they did at the time. Raises InputError where a window
    holds nothing.
    """
    spans = merged(windows)
    parts = []
    for span in spans:
        first, last = _seq_range(source, span)
        parts.append(batch_features(source, feature_set, first_seq=first, last_seq=last))
    features = pa.concat_tables(parts)
    return join_history(features, *_facts(source, spans, entity))


def join_history(features: pa.Table, facts: pa.Table, outcomes: pa.Table, frauds: pa.Table) -> History:
    """Put features (seq, ...) beside facts (seq, occurred_at, amount_minor, entity or null), outcomes (seq and the
    columns of ORDER) and frauds (entity, occurred_at, known_at). Rows absent from either of the first two are left
    out."""
    fact_seq = facts["seq"].to_numpy()
    order = np.argsort(fact_seq)
    seq = features["seq"].to_numpy()
    _, in_features, in_facts = np.intersect1d(seq, fact_seq[order], return_indices=True)
    facts = facts.take(pa.array(order[in_facts]))
    features = features.take(pa.array(in_features))
    seq = seq[in_features]
    row, fraud, known = _outcomes(outcomes, seq)
    entity, fraud_entity = _codes(facts["entity"], frauds["entity"])
    return History(
        features=features,
        seq=seq,
        occurred_us=microseconds(facts["occurred_at"]),
        amount_minor=facts["amount_minor"].cast(pa.float64()).to_numpy(),
        entity=entity,
        outcome_row=row,
        outcome_fraud=fraud,
        outcome_us=known,
        fraud_entity=fraud_entity,
        fraud_occurred_us=microseconds(frauds["occurred_at"])[: len(fraud_entity)],
        fraud_known_us=microseconds(frauds["known_at"])[: len(fraud_entity)],
    )


def merged(windows: Sequence[Window]) -> list[Window]:
    """The same stretches of time without overlaps, in order."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda w: w.start):
        if found and window.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return found


def as_microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time, exact."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _outcomes(outcomes: pa.Table, seq: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    outcomes = outcomes.sort_by([(name, "ascending") for name in ORDER])
    about, known = outcomes["seq"].to_numpy(), microseconds(outcomes["known_at"])
    at = np.minimum(np.searchsorted(seq, about), max(0, len(seq) - 1))
    ours = seq[at] == about if len(seq) else np.zeros(len(about), dtype=bool)
    fraud = pc.cast(outcomes["is_fraud"], pa.int8()).to_numpy()
    return at[ours], fraud[ours], known[ours]


def _codes(values: pa.ChunkedArray, others: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Codes that mean the same value in both columns; -1 is missing. Where nothing has a value, no codes at all."""
    if values.null_count == len(values):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    known = pc.unique(values).drop_null()
    first, second = (pc.fill_null(pc.index_in(c, value_set=known), -1).to_numpy() for c in (values, others))
    return first.astype(np.int64), second.astype(np.int64)


def _seq_range(source: Any, window: Window) -> tuple[int, int]:
    found = read_arrow(
        source, f"SELECT min(seq) AS first, max(seq) AS last FROM transactions WHERE {_within([window])}"
    ).to_pylist()[0]
    if found["first"] is None:
        raise InputError(
            "there are no transactions in this window",
            where=f"{window.start.isoformat()} to {window.end.isoformat()}",
            allowed=_extent(source),
        )
    return int(found["first"]), int(found["last"])


def _extent(source: Any) -> str:
    sql = "SELECT min(occurred_at) AS a, max(occurred_at) AS b FROM transactions"
    found = read_arrow(source, sql).to_pylist()[0]
    return f"between {found['a']} and {found['b']} UTC" if found["a"] else "import transactions first"


def _facts(source: Any, windows: Sequence[Window], entity: str) -> tuple[pa.Table, pa.Table, pa.Table]:
    column = (
        "CAST(NULL AS VARCHAR)" if not entity else f"CAST(transactions.{_quoted(source, entity)} AS VARCHAR)"
    )
    about = "FROM outcomes o JOIN transactions ON transactions.seq = o.transaction_seq"
    span = [Window(windows[0].start, windows[-1].end)]
    facts = f"SELECT seq, occurred_at, amount_minor, {column} AS entity FROM transactions WHERE {_within(windows)}"
    named = read_arrow(source, "SELECT * FROM outcomes LIMIT 0").column_names
    recorded = "o.recorded_at" if "recorded_at" in named else "o.known_at AS recorded_at"
    columns = f"o.transaction_seq AS seq, o.is_fraud, o.known_at, o.reported_seq, {recorded}"
    outcomes = f"SELECT {columns} {about} WHERE {_within(windows)}"
    frauds = (
        f"SELECT {column} AS entity, occurred_at, o.known_at {about} WHERE o.is_fraud AND {_within(span)}"
    )
    return read_arrow(source, facts), read_arrow(source, outcomes), read_arrow(source, frauds)


def _quoted(source: Any, entity: str) -> str:
    columns = read_arrow(source, "SELECT * FROM transactions LIMIT 0").column_names
    if entity not in columns:
        raise InputError(
            f"transactions have no entity '{entity}'", where="entity", allowed=", ".join(columns)
        )
    return '"' + entity.replace('"', '""') + '"'


def _within(windows: Sequence[Window]) -> str:
    """A condition over whole microseconds, which no session time zone can shift."""
    return " OR ".join(
        f"(occurred_at >= make_timestamp({w.start_us}) AND occurred_at < make_timestamp({w.end_us}))"
        for w in windows
    )
