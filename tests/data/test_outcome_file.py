"""Does a later file of outcomes enter the ledger once, with every line accounted for?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import MappingError
from data.incoming.ingest import import_file
from data.incoming.mapping import Mapping
from data.incoming.outcome_file import OutcomeReport, import_outcomes
from data.integrity import chain
from data.ledger import Ledger
from tests.data.builders import AT, MAPPING, csv_file, mapping, new_ledger, row

FLAGGED = MAPPING + "outcomes: {transaction_id: id, known_at: told, is_fraud: fraud}\n"
CODED = MAPPING + (
    "outcomes:\n  transaction_id: id\n  known_at: told\n  reason_code: reason\n"
    "  fraud_codes: ['10.4', '4837']\n  reversal_codes: [won]\n"
)
BOTH = CODED.replace("outcomes:\n", "outcomes:\n  is_fraud: {column: fraud, unknown_values: [open]}\n")
TOLD = "2026-03-01T11:30:00Z"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = new_ledger(tmp_path)
    import_file(made, mapping(), csv_file(tmp_path, row("a", fraud=""), row("b", fraud="")), at=AT, actor="x")
    return made


def told(folder: Path, *lines: str, header: str = "id,told,fraud") -> Path:
    return csv_file(folder, *lines, name="outcomes.csv", header=header)


def load(ledger: Ledger, path: Path, with_mapping: Mapping | None = None) -> OutcomeReport:
    return import_outcomes(ledger, with_mapping or mapping(FLAGGED), path, at=AT, actor="admin-1")


def counts(report: OutcomeReport) -> tuple[int, int, int, int]:
    return report.accepted, report.duplicate, report.quarantined, report.other_reason


def values(ledger: Ledger) -> list[tuple[int, bool, str]]:
    rows = ledger.read("SELECT * FROM outcomes ORDER BY transaction_seq, known_at")
    return [(row["transaction_seq"], row["is_fraud"], row["reason_code"]) for row in rows]


def test_outcomes_join_transactions_that_came_earlier(ledger: Ledger, tmp_path: Path) -> None:
    report = load(ledger, told(tmp_path, f"a,{TOLD},1", f"b,{TOLD},0"))
    assert (counts(report), report.frauds) == ((2, 0, 0, 0), 1)
    assert ledger.read("SELECT known_at, reported_seq, source FROM outcomes WHERE is_fraud") == [
        {
            "known_at": datetime(2026, 3, 1, 11, 30, tzinfo=UTC),
            "reported_seq": 0,
            "source": f"outcomes:{report.import_id}",
        }
    ]
    assert chain.verify(ledger).ok
    assert ledger.read("SELECT file_name, accepted FROM imports WHERE accepted = 2 ORDER BY 1")[0] == {
        "file_name": "outcomes.csv",
        "accepted": 2,
    }


def test_the_same_outcomes_twice_change_nothing(ledger: Ledger, tmp_path: Path) -> None:
    path = told(tmp_path, f"a,{TOLD},1", f"a,{TOLD},1", f"b,{TOLD},0")
    assert counts(load(ledger, path)) == (2, 1, 0, 0)
    before = values(ledger)
    assert counts(load(ledger, path)) == (0, 3, 0, 0)
    assert values(ledger) == before


def test_a_reversal_is_a_later_row(ledger: Ledger, tmp_path: Path) -> None:
    load(ledger, told(tmp_path, f"a,{TOLD},1"))
    assert counts(load(ledger, told(tmp_path, f"a,{TOLD},1", "a,2026-03-01T11:45:00Z,0"))) == (1, 1, 0, 0)
    assert values(ledger) == [(1, True, ""), (1, False, "")]


BAD_LINES = {
    f"zz,{TOLD},1": ("outcomes.transaction_id", "no transaction of that id was ever seen"),
    f",{TOLD},1": ("outcomes.transaction_id", "missing"),
    "a,,1": ("outcomes.known_at", "missing"),
    "a,soon,1": ("outcomes.known_at", "not an ISO 8601 time between 1970 and 2200"),
    "a,2026-03-01T10:59:00Z,1": ("outcomes.known_at", "before the transaction happened"),
    "a,2026-03-03T12:00:01Z,1": ("outcomes.known_at", "in the future"),
    f"a,{TOLD},2": ("outcomes.is_fraud", "neither 0 nor 1, and the mapping gives no fraud_values"),
    f"b,{TOLD},0": ("outcomes.known_at", "line 2 says otherwise of the same moment"),
    f"a,{TOLD}": ("line", "2 cells where the header has 3"),
    f"{'x' * 10_000},{TOLD},1": (
        "outcomes.transaction_id",
        "longer than 128 characters, or with control characters",
    ),
}


def test_a_line_that_cannot_be_used_is_quarantined_with_its_reason(ledger: Ledger, tmp_path: Path) -> None:
    report = load(ledger, told(tmp_path, f"b,{TOLD},1", *BAD_LINES))
    assert counts(report) == (1, 0, len(BAD_LINES), 0)
    assert [(bad.line, bad.field, bad.reason) for bad in report.examples] == [
        (line, *expected) for line, expected in enumerate(BAD_LINES.values(), start=3)
    ]
    assert report.reasons["outcomes.known_at: another line says otherwise of the same moment"] == 1
    assert '"id":"zz"' in ledger.read("SELECT raw FROM quarantine ORDER BY line")[0]["raw"]


def test_only_fraud_reason_codes_count(ledger: Ledger, tmp_path: Path) -> None:
    lines = [f"a,{TOLD},10.4", f"b,{TOLD},13.1", "a,2026-03-01T11:50:00Z,WON", f"b,{TOLD},"]
    report = load(ledger, told(tmp_path, *lines, header="id,told,reason"), mapping(CODED))
    assert counts(report) == (2, 0, 0, 2)
    assert values(ledger) == [(1, True, "10.4"), (1, False, "WON")]


def test_a_flag_and_a_reason_must_both_say_fraud(ledger: Ledger, tmp_path: Path) -> None:
    later = "2026-03-01T11:50:00Z"
    lines = [f"a,{TOLD},1,13.1", f"b,{TOLD},1,4837", f"a,{later},open,4837", f"b,{later},0,"]
    report = load(ledger, told(tmp_path, *lines, header="id,told,fraud,reason"), mapping(BOTH))
    assert counts(report) == (2, 0, 0, 2)
    assert values(ledger) == [(2, True, "4837"), (2, False, "")]


def test_parquet_works_as_well(ledger: Ledger, tmp_path: Path) -> None:
    rows = {"id": ["a", None], "told": [AT, AT], "fraud": [True, True]}
    pq.write_table(pa.table(rows), tmp_path / "outcomes.parquet")
    assert counts(load(ledger, tmp_path / "outcomes.parquet")) == (1, 0, 1, 0)


def test_a_mapping_without_outcomes_says_what_is_needed(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="does not say what an outcomes file looks like") as caught:
        load(ledger, told(tmp_path, f"a,{TOLD},1"), mapping())
    assert "fraud_codes" in str(caught.value)
    assert values(ledger) == []


MISTAKES = {
    "{transaction_id: id, known_at: t}": "say what was fraud",
    "{transaction_id: id, known_at: t, reason_code: r}": "say which codes mean fraud",
    "{transaction_id: id, known_at: t, is_fraud: f, fraud_codes: ['1']}": "codes need a column",
    "{transaction_id: id, is_fraud: f}": "names no clock",
    "{transaction_id: id, known_at: t, reason_code: r, fraud_codes: ['1'], reversal_codes: ['1']}": "both",
    "{transaction_id: id, known_at: t, is_fraud: {column: f, fraud_values: ['1'], unknown_values: ['1']}}": "two",
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.items())
def test_a_mapping_whose_outcomes_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        mapping(MAPPING + f"outcomes: {text}\n")


def test_a_label_for_a_transaction_the_ledger_has_is_recorded_once(ledger: Ledger, tmp_path: Path) -> None:
    again = csv_file(tmp_path, row("a", fraud="1"), row("b", fraud=""), row("b", fraud="1"))
    report = import_file(ledger, mapping(), again, at=AT + timedelta(minutes=1), actor="x")
    assert (report.accepted, report.duplicate, report.quarantined, report.labels) == (0, 2, 1, 1)
    assert report.examples[0].reason == "the file labels this otherwise on line 3"
    assert values(ledger) == [(1, True, "")]
    assert import_file(ledger, mapping(), again, at=AT + timedelta(minutes=2), actor="x").labels == 0
    assert values(ledger) == [(1, True, "")]
    assert chain.verify(ledger).ok


def test_a_label_that_takes_a_fraud_back_is_counted(ledger: Ledger, tmp_path: Path) -> None:
    """The file's labels are of seven days after the payment: chargebacks known later stay in force."""
    later = "2026-03-08T12:00:00Z"
    path = told(tmp_path, f"a,{TOLD},1", f"b,{later},1")
    import_outcomes(ledger, mapping(FLAGGED), path, at=AT + timedelta(days=9), actor="x")
    again = csv_file(tmp_path, row("a", fraud="0"), row("b", fraud="0"))
    report = import_file(ledger, mapping(), again, at=AT + timedelta(days=10), actor="x")
    assert (report.labels, report.taken_back) == (2, 1)
