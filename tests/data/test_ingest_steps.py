"""Does an import in steps end up as one commit would, whatever others record or whoever dies meanwhile?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data import reading
from data.incoming import ingest_steps
from data.incoming.ingest import ImportReport, import_file
from data.incoming.ingest_steps import import_in_steps
from data.integrity import chain
from data.ledger import Ledger
from tests.data.builders import AT, csv_file, mapping, new_ledger, row, transaction

IDS = ("a", "b", "c", "d", "e")


class Others:
    """Somebody who remembers what is stored, and acts between the steps."""

    def __init__(self, acts: Callable[[int], None] = lambda step: None) -> None:
        self.seqs: list[int] = []
        self.outcomes: list[dict[str, Any]] = []
        self._acts, self._steps, self._within = acts, 0, False

    @contextmanager
    def alone(self) -> Iterator[None]:
        self._within = True
        yield
        self._within = False

    def stored(self, first_seq: int, last_seq: int) -> None:
        assert self._within
        self.seqs += range(first_seq, last_seq + 1)

    def told(self, outcomes: list[dict[str, Any]]) -> None:
        assert self._within
        self.outcomes += outcomes

    def pause(self) -> None:
        assert not self._within
        self._steps += 1
        self._acts(self._steps)


@pytest.fixture(autouse=True)
def steps_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_steps, "STEP", 2)


def in_steps(ledger: Ledger, path: Path, others: Others | None = None) -> ImportReport:
    return import_in_steps(ledger, mapping(), path, others or Others(), at=AT, actor="admin-1")


def file_of(folder: Path, **changed: Any) -> Path:
    return csv_file(folder, *(row(name, fraud="1" if name == "b" else "0", **changed) for name in IDS))


def stored(ledger: Ledger) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    rows = ledger.read("SELECT * EXCLUDE (commitments, source) FROM transactions ORDER BY seq")
    values = ledger.read("SELECT owner, field, value FROM personal_values ORDER BY ALL")
    return rows, ledger.read("SELECT * FROM outcomes ORDER BY transaction_seq"), values


def test_a_label_that_takes_a_fraud_back_is_counted_in_steps_as_well(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        import_file(ledger, mapping(), file_of(tmp_path), at=AT, actor="x")
        taken = in_steps(ledger, csv_file(tmp_path, *(row(name, fraud="0") for name in IDS)))
        assert (taken.labels, taken.taken_back) == (1, 0)  # a tie goes to fraud


def record(ledger: Ledger, name: str, amount_minor: int | None = None) -> None:
    made = replace(transaction(name), seq=0)
    if amount_minor is not None:
        made = replace(made, amount_minor=amount_minor)
    with ledger.writing() as writer:
        writer.insert_transactions([made], AT, "api")


def test_steps_and_one_commit_store_the_same(tmp_path: Path) -> None:
    path = file_of(tmp_path)
    (tmp_path / "whole").mkdir()
    with new_ledger(tmp_path) as ledger, new_ledger(tmp_path / "whole") as whole:
        others = Others()
        report, expected = (
            in_steps(ledger, path, others),
            import_file(whole, mapping(), path, at=AT, actor="x"),
        )
        assert replace(report, import_id="") == replace(expected, import_id="")
        assert stored(ledger) == stored(whole)
        assert others.seqs == [1, 2, 3, 4, 5]
        assert len(ledger.read("SELECT 1 FROM events WHERE kind = 'transactions.recorded'")) == 3
        assert (ledger.seq_of("a"), ledger.seq_of("e")) == (1, 5)
        assert chain.verify(ledger).ok


def test_what_others_record_between_steps_keeps_its_place(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        others = Others(lambda step: record(ledger, f"other-{step}"))
        report = in_steps(ledger, file_of(tmp_path), others)
        names = [one.transaction_id for one in reading.transactions(ledger)]
        assert names == ["a", "b", "other-1", "c", "d", "other-2", "e", "other-3"]
        assert (report.accepted, report.first_seq, report.last_seq) == (5, 1, 7)
        assert others.seqs == [1, 2, 4, 5, 7]
        assert chain.verify(ledger).ok


def test_an_id_that_came_meanwhile_is_a_duplicate_or_quarantined(tmp_path: Path) -> None:
    def acts(step: int) -> None:
        if step == 1:
            record(ledger, "c")
            record(ledger, "d", amount_minor=7)

    with new_ledger(tmp_path) as ledger:
        others = Others(acts)
        report = in_steps(ledger, file_of(tmp_path), others)
        assert (report.accepted, report.duplicate, report.quarantined) == (3, 1, 1)
        assert report.reasons == {"transaction.id: the ledger has this id with other content": 1}
        assert [row["transaction_seq"] for row in others.outcomes] == [3]  # of c, which had no label
        assert others.seqs == [1, 2, 5]
        assert chain.verify(ledger).ok


def test_an_import_that_died_is_completed_by_the_same_file(tmp_path: Path) -> None:
    def dies(step: int) -> None:
        raise KeyboardInterrupt

    path = file_of(tmp_path)
    (tmp_path / "whole").mkdir()
    with new_ledger(tmp_path) as ledger, new_ledger(tmp_path / "whole") as whole:
        with pytest.raises(KeyboardInterrupt):
            in_steps(ledger, path, Others(dies))
        assert (ledger.next_transaction_seq, ledger.read("SELECT * FROM imports")) == (3, [])
        assert chain.verify(ledger).ok
        report = in_steps(ledger, path)
        assert (report.accepted, report.duplicate, report.quarantined) == (3, 2, 0)
        import_file(whole, mapping(), path, at=AT, actor="x")
        assert stored(ledger) == stored(whole)
        assert in_steps(ledger, path).duplicate == 5
        assert stored(ledger) == stored(whole)
        assert chain.verify(ledger).ok


def test_labels_that_are_news_come_in_steps_too(tmp_path: Path) -> None:
    unlabelled = csv_file(tmp_path, *(row(name, fraud="") for name in IDS))
    with new_ledger(tmp_path) as ledger:
        in_steps(ledger, unlabelled)
        others = Others()
        report = in_steps(ledger, file_of(tmp_path), others)
        assert (report.accepted, report.duplicate, report.labels) == (0, 5, 5)
        assert [row["transaction_seq"] for row in others.outcomes] == [1, 2, 3, 4, 5]
        assert in_steps(ledger, file_of(tmp_path)).labels == 0
