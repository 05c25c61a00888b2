"""Builders: made-up payments in which fraud depends on amount, device age and channel."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from engine.model import NamedFeatures, TrainingData

AT = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = NamedFeatures(("amount_minor", "device_seconds", "night", "channel"), ("channel",))
QUICK = {"rounds": 40}
HOUR_US = 3_600_000_000


def payments(rows: int, seed: int = 1) -> tuple[pa.Table, np.ndarray]:
    """(feature table with seq and occurred_at, fraud 0/1), about 4 % of it fraud."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(8, 1, rows).astype(np.int64)
    device = np.where(rng.random(rows) < 0.2, np.nan, rng.exponential(1e6, rows))
    night = rng.random(rows) < 0.2
    channel = rng.choice(["ecom", "pos", "app", "rare"], rows, p=[0.5, 0.3, 0.199, 0.001])
    risk = -6 + 1.2 * (amount > 8000) + 2.0 * np.isnan(device) + 1.0 * night + 1.5 * (channel == "ecom")
    fraud = (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(np.int8)
    start = int(AT.timestamp()) * 1_000_000
    table = pa.table(
        {
            "seq": np.arange(1, rows + 1),
            "occurred_at": pa.array(start + np.arange(rows) * HOUR_US, pa.timestamp("us", "UTC")),
            "amount_minor": amount,
            "device_seconds": pa.array(device, from_pandas=True),
            "night": night,
            "channel": channel,
        }
    )
    return table, fraud


def labelled(table: pa.Table, fraud: np.ndarray, weight: np.ndarray | None = None) -> TrainingData:
    weight = np.ones(len(fraud)) if weight is None else weight
    return TrainingData.join(table, pa.table({"seq": table["seq"], "value": fraud, "weight": weight}))
