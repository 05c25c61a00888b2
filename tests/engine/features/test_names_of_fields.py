"""May an institution call its fields whatever its mapping allows, the words that our own SQL uses among them?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from feature_sameness import assert_same

from data.incoming.mapping import RESERVED
from data.transactions import Transaction
from engine.features.batch import batch_features
from engine.features.online import OnlineState
from engine.features.spec import load_features
from engine.measuring.labelled_history import Window, load_history

ENTITIES = ("t", "packed", "reason_code", "v_t", "bucket", "x", "y", "base", "select", "transactions")
NUMBERS = ("square", "newest", "c", "entity", "rows", "transaction_seq", "reported_seq", "known", "fraud")
START = datetime(2026, 3, 1, tzinfo=UTC)
MAPPING: Any = SimpleNamespace(
    entities=dict.fromkeys(ENTITIES, "x"),
    attributes={name: SimpleNamespace(type="number") for name in NUMBERS},
    time_zone="UTC",
)
DECLARED = (
    *(f"{{name: {n}, entity: {n}, measure: std, window: 1h}}" for n in ENTITIES),
    *(f"{{name: {n}_share, entity: {n}, measure: fraud_share, window: 1h}}" for n in ENTITIES),
    *(f"{{name: {n}_others, entity: {n}, measure: distinct, of: t, window: 1h}}" for n in ENTITIES),
    *(f"{{name: {n}, measure: value, of: {n}}}" for n in NUMBERS),
    *(f"{{name: t_{n}_max, entity: t, measure: max, of: {n}, window: 1h}}" for n in NUMBERS),
    "{name: asked, derived: t / packed}",
    "{name: seconds, entity: t, measure: seconds_since_last, window: 1h}",
    "{name: local_hour, measure: local_hour}",
)
FEATURES = load_features(
    "version: 1\nlabel_delay: 0d\nfeatures:\n" + "".join(f"  - {each}\n" for each in DECLARED),
    "features.yaml",
    MAPPING,
)


def payments() -> list[Transaction]:
    """Forty in order of time but for every ninth, which came late; two values of every entity."""
    return [
        Transaction(
            str(seq),
            START + timedelta(minutes=seq - (5 if seq % 9 == 0 else 0)),
            seq * 100,
            {name: "ab"[(seq + place) % 2] for place, name in enumerate(ENTITIES)},
            {name: float(seq + place) for place, name in enumerate(NUMBERS)},
            seq=seq,
        )
        for seq in range(1, 41)
    ]


def ledger_of(made: list[Transaction]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    rows = [
        {
            "seq": p.seq,
            "transaction_id": p.transaction_id,
            "occurred_at": p.occurred_at.replace(tzinfo=None),
            "amount_minor": p.amount_minor,
            "amount": 1.0,
            **p.entities,
            **p.attributes,
        }
        for p in made
    ]
    told = [
        {
            "transaction_seq": p.seq,
            "is_fraud": p.seq % 3 == 0,
            "known_at": p.occurred_at.replace(tzinfo=None),
            "reported_seq": 0,
            "reason_code": "a",
        }
        for p in made
    ]
    connection.register("_rows", pa.Table.from_pylist(rows))
    connection.register("_told", pa.Table.from_pylist(told))
    connection.execute("CREATE TABLE transactions AS FROM _rows")
    connection.execute("CREATE TABLE outcomes AS FROM _told")
    return connection


@pytest.mark.parametrize("join_up_to", [-1, 1_000], ids=["by windows", "by join"])
def test_fields_named_as_our_own_working_columns_have_the_same_features_both_ways(join_up_to: int) -> None:
    assert not RESERVED & {*ENTITIES, *NUMBERS}
    made, state = payments(), OnlineState(FEATURES)
    with ledger_of(made) as connection:
        batch = batch_features(connection, FEATURES, join_up_to=join_up_to).select(list(FEATURES.names))
    for payment, theirs in zip(made, batch.to_pylist(), strict=True):
        ours = state.features(payment)
        state.add(payment)
        state.observe_outcome(
            payment, payment.seq % 3 == 0, known_at=payment.occurred_at, reported_seq=0, recorded_at=START
        )
        assert_same(FEATURES, ours, theirs, payment.seq)
    assert ours["t_others"] == 1 and ours["t_share"] > 0 and ours["t_square_max"] > 0


def test_a_history_may_track_an_entity_that_outcomes_have_a_column_of() -> None:
    with ledger_of(payments()) as connection:
        window = Window(START, START + timedelta(days=1))
        history = load_history(connection, FEATURES, [window], entity="reason_code")
    assert set(history.entity.tolist()) == {0, 1}
    assert len(history.fraud_entity) == 13
