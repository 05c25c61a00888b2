"""Are the personal values of payments that are sent again found whole, without a walk over all there are?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

from data import reading
from data.ledger import Ledger
from tests.data.builders import new_ledger

OWNERS = 240_000
"""So many that they lie in two of the stretches that DuckDB reads or leaves as one."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    names = [f"transaction:{n}" for n in range(1, OWNERS + 1)]
    columns = {"owner": names, "field": ["email"] * OWNERS, "salt": [b"s"] * OWNERS, "value": names}
    with new_ledger(tmp_path_factory.mktemp("personal")) as made:
        with made.writing() as w:
            w.append_arrow("personal_values", pa.table(columns))
        yield made


class Counting:
    """A reader that counts the rows DuckDB goes through."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self.rows = ledger, 0

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        (told,) = self._ledger.read(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        self.rows += json.loads(list(told.values())[-1])["query"]["total_rows_scanned"]
        return self._ledger.read(sql, parameters)


def test_values_recorded_lately_are_found_without_a_walk_over_all(ledger: Ledger) -> None:
    source, owner = Counting(ledger), f"transaction:{OWNERS}"
    assert reading.personal_values_of(source, {owner: {"email"}}) == {owner: {"email": owner}}
    assert 0 < source.rows < OWNERS


def test_values_recorded_long_ago_are_found_beside_new_ones_and_erased_ones_are_not(ledger: Ledger) -> None:
    wanted = {f"transaction:{n}": {"email"} for n in (1, OWNERS, OWNERS + 1)}
    found = reading.personal_values_of(ledger, wanted)
    assert found == {owner: {"email": owner} for owner in list(wanted)[:2]}


def test_nothing_is_read_for_those_of_whom_nothing_is_wanted(ledger: Ledger) -> None:
    source = Counting(ledger)
    assert reading.personal_values_of(source, {"transaction:1": set()}) == {}
    assert source.rows == 0
