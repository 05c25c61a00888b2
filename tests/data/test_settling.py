"""Is every record in DuckDB once, and the chain whole, when not even the file can be asked how a write ended?"""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.errors import DiskError, MemoryShortError
from data.integrity import chain
from data.ledger import Head, Ledger
from tests.data.builders import AT, new_ledger, transaction
from tests.data.test_faults import record, write


class Trying(Ledger):
    """A ledger of which some commits fail, before or after they came through, with no memory left to look at the file
    for as long as `blind`."""

    blind = False
    fails = ""

    def _stored_head(self) -> Head:
        if self.blind:
            raise duckdb.OutOfMemoryException("no room")
        return super()._stored_head()

    def _seal_tables(self, head: Head) -> None:
        super()._seal_tables(head)
        if self.fails:
            self.blind, fails, self.fails = True, self.fails, ""
            if fails == "after the commit":
                self._connection.execute("COMMIT")
            raise duckdb.OutOfMemoryException("no room")


@pytest.fixture
def trying(tmp_path: Path) -> Any:
    new_ledger(tmp_path).close()
    with Trying.open(tmp_path / "secondlook.duckdb") as ledger:
        write(ledger, "first", 2)
        yield ledger


def names(ledger: Ledger) -> list[str]:
    return [
        row["transaction_id"] for row in ledger.read("SELECT transaction_id FROM transactions ORDER BY seq")
    ]


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_recorded_payments_are_settled_once(trying: Trying, when: str) -> None:
    record(trying, "recorded")
    trying.fails = when
    with pytest.raises(MemoryShortError):
        trying.settle()
    record(trying, "meanwhile")
    trying.blind = False
    assert names(trying) == ["first-0", "first-1", "recorded", "meanwhile"]
    assert trying.waiting == 0
    assert chain.verify(trying).problem == ""


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_nothing_is_recorded_while_nobody_knows_after_which_event(trying: Trying, when: str) -> None:
    trying.fails = when
    with pytest.raises(MemoryShortError):
        write(trying, "unknown", 1)
    assert not trying.can_record
    with pytest.raises(MemoryShortError):
        record(trying, "refused")
    trying.blind = False
    record(trying, "next")
    stays = ["unknown-0"] if when == "after the commit" else []
    assert names(trying) == ["first-0", "first-1", *stays, "next"]
    assert trying.seq_of("unknown-0") == (3 if stays else None)
    assert chain.verify(trying).problem == ""


def test_a_recording_that_was_already_waiting_its_turn_is_refused_as_well(trying: Trying) -> None:
    trying._unknown = trying._writer()
    with pytest.raises(DiskError, match="cannot be seen whether the write before came through"):
        trying._refuse_unless_known()
    trying._unknown = None


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_what_waited_at_the_end_is_there_once_after_the_next_start(tmp_path: Path, when: str) -> None:
    new_ledger(tmp_path).close()
    place = tmp_path / "secondlook.duckdb"
    ledger = Trying.open(place)
    record(ledger, "recorded")
    ledger.fails = when
    with pytest.raises(MemoryShortError):
        ledger.close()
    with Ledger.open(place) as again:
        assert names(again) == ["recorded"]
        with again.writing() as w:
            w.insert_transactions([transaction("after")], AT, "api")
        assert chain.verify(again).problem == ""
