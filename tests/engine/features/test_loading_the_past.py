"""Does a memory that was loaded in columns answer as one that saw every payment, whatever the entities look like?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from data.transactions import Transaction
from engine.features import bulk
from engine.features.loaded import LoadedHistories
from engine.features.online import OnlineState, columns_read
from engine.features.spec import load_features

MAPPING: Any = SimpleNamespace(
    entities={"customer": "c", "device": "d", "merchant": "m"},
    attributes={"country": SimpleNamespace(type="category")},
    time_zone="UTC",
)
START = datetime(2026, 3, 1, tzinfo=UTC)
FEATURES = load_features(
    """
version: 1
features:
  - {name: amounts, entity: customer, measure: std, window: 3d}
  - {name: largest, entity: customer, measure: max, of: amount, window: 3d}
  - {name: devices, entity: customer, measure: distinct, of: device, window: 7d}
  - {name: countries, entity: merchant, measure: distinct, of: country, window: 7d}
  - {name: pair, entity: [customer, device], measure: count, window: 7d}
  - {name: triple_count, entity: [customer, device, merchant], measure: count, window: 7d}
  - {name: triple_first, entity: [customer, device, merchant], measure: seconds_since_first}
""",
    "features.yaml",
    MAPPING,
)
EVERYONES = load_features(
    """
version: 1
features:
  - {name: usual, entity: everyone, measure: std, window: 3d}
  - {name: devices, entity: everyone, measure: distinct, of: device, window: 3d}
  - {name: largest, entity: everyone, measure: max, window: 3d}
""",
    "features.yaml",
    MAPPING,
)


def payments(count: int, seed: int) -> list[Transaction]:
    """Few customers, devices and merchants, some missing; every tenth payment comes late."""
    chance = random.Random(seed)

    def one_of(name: str, many: int) -> str | None:
        return None if chance.random() < 0.1 else f"{name}{chance.randrange(many)}"

    made = []
    for seq in range(1, count + 1):
        late = timedelta(hours=chance.randrange(48)) if chance.random() < 0.1 else timedelta()
        made.append(
            Transaction(
                transaction_id=str(seq),
                occurred_at=START + timedelta(minutes=10 * seq) - late,
                amount_minor=None if chance.random() < 0.1 else chance.randrange(1, 10**6),
                entities={"customer": one_of("c", 4), "device": one_of("d", 3), "merchant": one_of("m", 3)},
                attributes={"country": one_of("", 3)},
                seq=seq,
            )
        )
    return made


def table(made: list[Transaction]) -> pa.Table:
    rows: list[Mapping[str, Any]] = [
        {
            "seq": t.seq,
            "occurred_at": t.occurred_at,
            "amount_minor": t.amount_minor,
            **t.entities,
            **t.attributes,
        }
        for t in made
    ]
    return pa.Table.from_pylist(rows).select(list(columns_read(FEATURES)))


# With few bits, pairs of entity values do not fit beside their place in time and are numbered first.
@pytest.mark.parametrize("bits", [63, 8])
@pytest.mark.parametrize("chunks", [1, 7])
def test_a_loaded_memory_goes_on_as_one_that_saw_every_payment(
    monkeypatch: pytest.MonkeyPatch, bits: int, chunks: int
) -> None:
    monkeypatch.setattr(bulk, "_BITS", bits)
    made = payments(900, seed=bits + chunks)
    past, next_ones = made[:600], made[600:]
    saw, loaded = OnlineState(FEATURES), OnlineState(FEATURES)
    for payment in past:
        saw.add(payment)
    size = -(-len(past) // chunks)
    loaded.bulk_load(pa.concat_tables([table(past[i : i + size]) for i in range(0, len(past), size)]))
    assert loaded.remembered == saw.remembered
    for payment in next_ones:
        assert loaded.features(payment) == saw.features(payment)
        saw.add(payment)
        loaded.add(payment)
    assert loaded.remembered == saw.remembered


def test_the_past_that_many_payments_share_is_opened_while_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no first decision waits for it, however large the amounts are."""
    monkeypatch.setattr(bulk, "_SHARED_ROWS", 100)
    made = [replace(p, amount_minor=p.amount_minor and p.amount_minor * 10**9) for p in payments(600, seed=9)]
    past, next_ones = made[:400], made[400:]
    saw, loaded = OnlineState(EVERYONES), OnlineState(EVERYONES)
    for payment in past:
        saw.add(payment)
    loaded.bulk_load(table(past))
    assert loaded.remembered == saw.remembered

    def refuse(*rows: object) -> None:
        raise AssertionError("the past is cut out while somebody waits")

    monkeypatch.setattr(LoadedHistories, "take", refuse)
    for payment in next_ones:
        assert loaded.features(payment) == saw.features(payment)
        saw.add(payment)
        loaded.add(payment)


def test_looking_at_an_entity_again_does_not_load_its_past_a_second_time() -> None:
    past = payments(300, seed=3)
    state = OnlineState(FEATURES)
    state.bulk_load(table(past))
    held = state.remembered
    newest = past[-1]
    assert state.features(newest) == state.features(newest)
    assert state.remembered == held


def test_what_was_loaded_is_forgotten_once_nothing_can_reach_it() -> None:
    state = OnlineState(FEATURES)
    state.bulk_load(table(payments(300, seed=5)))
    far = payments(1, seed=6)[0]
    later = Transaction(
        "later", far.occurred_at + timedelta(days=800), 100, far.entities, far.attributes, seq=301
    )
    state.add(later)
    state.trim()
    assert state.remembered <= len(FEATURES.entities)
