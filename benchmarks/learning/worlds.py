"""What did the institution see, week by week, with labels a week or a month late, and one kind of fraud withheld?

Payments are those of the Fraud Detection Handbook; they go through the product's mapping, import and features once, and
are kept as Parquet in a folder, so that a hundred runs share one import.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.handbook import AT, FILES
from data.incoming.ingest import import_file
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from engine.features.batch import batch_features
from engine.features.spec import load_features
from engine.model.dataset import NamedFeatures, TrainingData

FIRST_DAY = datetime(2018, 4, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
EVERYTHING = (0, 26)


@dataclass(frozen=True)
class Story:
    """Which past to tell: labels `delay_days` late; the frauds of `withheld` (a scenario, 0 for none) take place only
    from week `until` on; weeks `first` up to, not including, `last` of the data are kept."""

    delay_days: int = 7
    withheld: int = 0
    until: int = 0
    first: int = EVERYTHING[0]
    last: int = EVERYTHING[1]

    @property
    def name(self) -> str:
        withheld = f"-scenario-{self.withheld}-from-{self.until}" if self.withheld else ""
        return f"delay-{self.delay_days}{withheld}-weeks-{self.first}-{self.last}"


@dataclass(frozen=True)
class World:
    """Payments in order: `matrix` (rows, inputs) float32 as the model reads it, `fraud` and `scenario` (0: honest) as
    nobody at the time knows them, `amount_minor`, `day` since the data begin, `customer`."""

    names: tuple[str, ...]
    matrix: np.ndarray
    fraud: np.ndarray
    scenario: np.ndarray
    amount_minor: np.ndarray
    occurred_us: np.ndarray
    customer: np.ndarray

    @cached_property
    def day(self) -> np.ndarray:
        return (self.occurred_us - int(FIRST_DAY.timestamp() * 1e6)) // DAY_US

    @cached_property
    def features(self) -> NamedFeatures:
        return NamedFeatures(self.names)

    def days(self, first: int, last: int) -> np.ndarray:
        """Positions of the payments of the days first .. last - 1."""
        low, high = np.searchsorted(self.day, [first, last])
        return np.arange(low, high)

    def week(self, number: int) -> np.ndarray:
        return self.days(7 * number, 7 * number + 7)

    def only(self, kept: np.ndarray) -> World:
        """The marked payments alone."""
        return World(
            self.names, self.matrix[kept], self.fraud[kept], self.scenario[kept], self.amount_minor[kept],
            self.occurred_us[kept], self.customer[kept],
        )  # fmt: skip

    def training(self, rows: np.ndarray, y: np.ndarray, weight: np.ndarray) -> TrainingData:
        """What the product's training takes, in order of the payments."""
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        columns = {name: self.matrix[rows, i] for i, name in enumerate(self.names)}
        return TrainingData(
            pa.table(columns), y[order].astype(np.int8), weight[order].astype(float), rows.astype(np.int64),
            self.occurred_us[rows],
        )  # fmt: skip


def world(story: Story, transactions: Path, folder: Path) -> World:
    """The payments of a story, from the folder if they were worked out before."""
    kept = folder / f"{story.name}.parquet"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        table = _worked_out(story, transactions)
        part = kept.with_suffix(".part")
        pq.write_table(table, part, compression="zstd")
        part.replace(kept)
    return _read(pq.read_table(kept))


def _worked_out(story: Story, transactions: Path) -> pa.Table:
    """Import, features, and the truth beside them."""
    raw = pq.read_table(transactions)
    if story.withheld:
        starts = pa.scalar(FIRST_DAY.replace(tzinfo=None), pa.timestamp("us"))
        day = pc.days_between(starts, raw["TX_DATETIME"])
        early = pc.and_(pc.equal(raw["TX_FRAUD_SCENARIO"], story.withheld), pc.less(day, 7 * story.until))
        raw = raw.filter(pc.invert(early))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "transactions.parquet"
        pq.write_table(raw, path)
        features = _features(story, path, Path(place))
    truth = raw.select(["TX_FRAUD", "TX_FRAUD_SCENARIO", "CUSTOMER_ID"])
    ids = raw["TRANSACTION_ID"].cast(pa.string())
    at = pc.index_in(features["transaction_id"], value_set=ids.combine_chunks())
    return pa.table(
        {
            **{n: features[n] for n in features.column_names},
            **{n: truth[n].take(at) for n in truth.column_names},
        }
    )


def _features(story: Story, path: Path, place: Path) -> pa.Table:
    text = (
        (FILES / "mapping.yaml").read_text().replace("known_after: 7d", f"known_after: {story.delay_days}d")
    )
    (place / "mapping.yaml").write_text(text)
    mapping = load_mapping(place / "mapping.yaml")
    written = (
        (FILES / "features.yaml").read_text().replace("label_delay: 7d", f"label_delay: {story.delay_days}d")
    )
    features = load_features(written.encode(), "features.yaml", mapping)
    ledger = Ledger.create(place / "handbook.duckdb", mapping, at=AT)
    try:
        import_file(ledger, mapping, path, at=AT, actor="benchmark")
        table = batch_features(ledger, features)
    finally:
        ledger.close()
    start = int(FIRST_DAY.timestamp() * 1e6)
    us = pc.cast(table["occurred_at"], pa.int64()).to_numpy()
    inside = (us >= start + 7 * story.first * DAY_US) & (us < start + 7 * story.last * DAY_US)
    kept = table.filter(pa.array(inside)).select(["transaction_id", "occurred_at", *features.model_names])
    return kept.append_column("amount", table.filter(pa.array(inside))["amount_minor"])


def _read(table: pa.Table) -> World:
    own = {"transaction_id", "occurred_at", "amount", "TX_FRAUD", "TX_FRAUD_SCENARIO", "CUSTOMER_ID"}
    names = tuple(n for n in table.column_names if n not in own)
    matrix = np.empty((table.num_rows, len(names)), dtype=np.float32)
    for i, name in enumerate(names):
        matrix[:, i] = table[name].cast(pa.float32(), safe=False).to_numpy()
    return World(
        names=names,
        matrix=matrix,
        fraud=table["TX_FRAUD"].to_numpy().astype(bool),
        scenario=table["TX_FRAUD_SCENARIO"].to_numpy(),
        amount_minor=table["amount"].cast(pa.float64()).to_numpy(),
        occurred_us=pc.cast(table["occurred_at"], pa.int64()).to_numpy(),
        customer=table["CUSTOMER_ID"].to_numpy(),
    )
