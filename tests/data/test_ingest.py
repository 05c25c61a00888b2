"""Does every row of a file end up accepted, duplicate or quarantined, with line and reason?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data import reading
from data.errors import MappingError
from data.incoming.ingest import ImportReport, import_file
from data.incoming.mapping import Mapping, load_mapping
from data.integrity import chain
from data.ledger import Ledger
from tests.data.builders import (
    AT,
    HANDBOOK,
    HEADER,
    MAPPING,
    csv_file,
    mapping,
    new_ledger,
    row,
    shared_file,
    transaction,
)


def load(ledger: Ledger, path: Path, with_mapping: Mapping | None = None) -> ImportReport:
    return import_file(ledger, with_mapping or mapping(), path, at=AT, actor="admin-1")


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.accepted, report.duplicate, report.quarantined


def test_rows_become_transactions_with_labels_and_personal_values(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, row("a", fraud="1"), row("b", fraud="", email="")))
        assert counts(report) == (2, 0, 0)
        assert (report.labels, report.first_seq, report.last_seq) == (1, 1, 2)
        assert reading.one(ledger, "a") == transaction("a", occurred_at=transaction().occurred_at, seq=1)
        assert ledger.read(
            "SELECT transaction_seq, is_fraud, known_at, reported_seq, source FROM outcomes"
        ) == [
            {
                "transaction_seq": 1,
                "is_fraud": True,
                "known_at": datetime(2026, 3, 8, 11, 0, 0, 123456, tzinfo=UTC),
                "reported_seq": 0,
                "source": "file",
            }
        ]
        assert reading.personal_values(ledger, "transaction:1") == {"email": "c1@example.org"}
        assert reading.personal_values(ledger, "transaction:2") == {}
        assert chain.verify(ledger).ok


def test_the_country_no_stays_text(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        load(
            ledger,
            csv_file(tmp_path, row("a", country="NO"), row("b", country="false"), row("c", country="")),
        )
        countries = [one.attributes["country"] for one in reading.transactions(ledger)]
    assert countries == ["NO", "false", None]


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    path = csv_file(tmp_path, row("a"), row("b"))
    with new_ledger(tmp_path) as ledger:
        load(ledger, path)
        before = ledger.read("SELECT * FROM transactions ORDER BY seq"), ledger.read("SELECT * FROM outcomes")
        assert counts(load(ledger, path)) == (0, 2, 0)
        assert (
            ledger.read("SELECT * FROM transactions ORDER BY seq"),
            ledger.read("SELECT * FROM outcomes"),
        ) == before
        assert [r["duplicate"] for r in ledger.read("SELECT duplicate FROM imports ORDER BY accepted")] == [
            2,
            0,
        ]
        assert chain.verify(ledger).ok


def test_a_grown_file_adds_only_what_is_new(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        load(ledger, csv_file(tmp_path, row("a")))
        assert counts(load(ledger, csv_file(tmp_path, row("a"), row("b")))) == (1, 1, 0)
        assert (ledger.seq_of("b"), ledger.next_transaction_seq) == (2, 3)


def test_an_id_with_other_content_is_quarantined(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        load(ledger, csv_file(tmp_path, row("a")))
        report = load(
            ledger, csv_file(tmp_path, row("a", amount="99"), row("b"), row("b"), row("b", amount="1"))
        )
    assert counts(report) == (1, 1, 2)
    assert report.reasons == {
        "transaction.id: the file has this id with other content": 1,
        "transaction.id: the ledger has this id with other content": 1,
    }
    assert [(bad.line, bad.reason) for bad in report.examples] == [
        (2, "the ledger has this id with other content"),
        (5, "the file has this id with other content on line 3"),
    ]


BAD_CELLS = {
    ("id", ""): ("transaction.id", "missing"),
    ("time", ""): ("transaction.occurred_at", "missing"),
    ("time", "2026-13-01T00:00:00Z"): (
        "transaction.occurred_at",
        "not an ISO 8601 time between 1970 and 2200",
    ),
    ("time", "01/02/2026"): ("transaction.occurred_at", "not an ISO 8601 time between 1970 and 2200"),
    ("time", "infinity"): ("transaction.occurred_at", "not an ISO 8601 time between 1970 and 2200"),
    ("time", "0026-03-01T11:00:00Z"): (
        "transaction.occurred_at",
        "not an ISO 8601 time between 1970 and 2200",
    ),
    ("amount", "NaN"): ("transaction.amount", "not an amount with at most 4 decimals"),
    ("amount", "inf"): ("transaction.amount", "not an amount with at most 4 decimals"),
    ("amount", "1.23456"): ("transaction.amount", "not an amount with at most 4 decimals"),
    ("amount", "1_000"): ("transaction.amount", "not an amount with at most 4 decimals"),
    ("amount", "10000000000000"): ("transaction.amount", "not an amount with at most 4 decimals"),
    ("currency", ""): ("transaction.currency", "missing"),
    ("currency", "euro"): ("transaction.currency", "not a currency code"),
    ("score", "nan"): ("attributes.score", "not a finite number"),
    ("score", "1e999"): ("attributes.score", "not a finite number"),
    ("score", "high"): ("attributes.score", "not a finite number"),
    ("trusted", "maybe"): ("attributes.trusted", "neither true nor false"),
    ("fraud", "perhaps"): ("label.column", "neither 0 nor 1, and the mapping gives no fraud_values"),
}


def test_a_bad_cell_quarantines_its_line_and_nothing_else(tmp_path: Path) -> None:
    lines = [row("good")]
    for number, (name, value) in enumerate(BAD_CELLS):
        lines.append(row(**({"transaction_id": f"t{number}"} if name != "id" else {"transaction_id": ""}) | (
            {} if name == "id" else {name: value}
        )))  # fmt: skip
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, *lines))
        stored = ledger.read("SELECT line, field, reason FROM quarantine ORDER BY line")
    assert counts(report) == (1, 0, len(BAD_CELLS))
    assert [(bad["field"], bad["reason"]) for bad in stored] == list(BAD_CELLS.values())
    assert [bad["line"] for bad in stored] == list(range(3, len(BAD_CELLS) + 3))


def test_quarantine_keeps_cells_but_no_personal_ones(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        load(ledger, csv_file(tmp_path, row("a", amount="x", email="secret@example.org")))
        raw = ledger.read("SELECT raw FROM quarantine")[0]["raw"]
    assert '"amount":"x"' in raw
    assert "secret" not in raw


def test_seq_follows_occurred_at_or_the_arrival_column(tmp_path: Path) -> None:
    late = row("late", time="2026-01-01 10:00:00")
    early = row("early", time="2026-01-01 09:00:00")
    with new_ledger(tmp_path) as ledger:
        load(ledger, csv_file(tmp_path, late, early))
        assert [one.transaction_id for one in reading.transactions(ledger)] == ["early", "late"]
    arrival = mapping(MAPPING.replace("amount: amount,", "amount: amount, arrival: arrived,"))
    other = tmp_path / "other"
    other.mkdir()
    path = csv_file(other, f"{late},2026-01-02", f"{early},2026-01-03", header=f"{HEADER},arrived")
    with new_ledger(other, arrival) as ledger:
        load(ledger, path, arrival)
        assert [one.transaction_id for one in reading.transactions(ledger)] == ["late", "early"]


def test_times_without_an_offset_are_in_the_mappings_time_zone(tmp_path: Path) -> None:
    berlin = mapping(MAPPING.replace("time_zone: UTC", "time_zone: Europe/Berlin"))
    times = {
        "a": "2025-07-01 12:00:00",
        "b": "2025-01-01T12:00",
        "c": "2025-07-01T12:00:00+05:30",
        "d": "2025-07-02",
    }
    with new_ledger(tmp_path, berlin) as ledger:
        load(ledger, csv_file(tmp_path, *(row(name, time=time) for name, time in times.items())), berlin)
        found = {one.transaction_id: one.occurred_at for one in reading.transactions(ledger)}
    assert found == {
        "a": datetime(2025, 7, 1, 10, tzinfo=UTC),
        "b": datetime(2025, 1, 1, 11, tzinfo=UTC),
        "c": datetime(2025, 7, 1, 6, 30, tzinfo=UTC),
        "d": datetime(2025, 7, 1, 22, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("form", "value"), [("epoch_ms", "1772362800000"), ("%d.%m.%Y %H:%M", "01.03.2026 11:00")]
)
def test_declared_time_formats_are_read(tmp_path: Path, form: str, value: str) -> None:
    chosen = mapping(MAPPING.replace("occurred_at: time", f"occurred_at: {{column: time, format: '{form}'}}"))
    with new_ledger(tmp_path, chosen) as ledger:
        report = load(ledger, csv_file(tmp_path, row("a", time=value), row("b", time="soon")), chosen)
        assert reading.one(ledger, "a").occurred_at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert report.examples[0].reason == f"not a time in the format {form} between 1970 and 2200"


def test_mixed_currencies_without_rates_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        head = ledger.last_event
        with pytest.raises(MappingError) as caught:
            load(ledger, csv_file(tmp_path, row("a"), row("b", currency="USD"), row("c", currency="GBP")))
        assert ledger.last_event == head
    assert str(caught.value) == (
        "payments.csv: there are amounts in GBP, USD, but the mapping has no rates into EUR. Add `rates` to the"
        " mapping, or give `transaction.currency` a constant."
    )


def test_dated_rates_turn_amounts_into_the_base_currency(tmp_path: Path) -> None:
    rates = "rates:\n- {currency: USD, from: 2026-01-01, rate: 0.9}\n- {currency: USD, from: 2026-02-01, rate: 0.5}\n"
    rated = mapping(MAPPING + rates)
    lines = [
        row("jan", currency="USD", amount="10.01", time="2026-01-31 23:59:59"),
        row("feb", currency="USD", amount="10.01", time="2026-02-01"),
        row("old", currency="USD", time="2025-12-31"),
        row("gbp", currency="GBP"),
        row("eur"),
    ]
    with new_ledger(tmp_path, rated) as ledger:
        report = load(ledger, csv_file(tmp_path, *lines), rated)
        minor = {one.transaction_id: one.amount_minor for one in reading.transactions(ledger)}
    assert minor == {"jan": 901, "feb": 501, "eur": 1234}
    assert minor["feb"] == rated.minor(Decimal("10.01"), "USD", datetime(2026, 2, 1).date())
    assert report.reasons == {
        "transaction.currency: no rate for GBP on that day": 1,
        "transaction.currency: no rate for USD on that day": 1,
    }


def test_a_mapping_with_other_fields_than_the_ledgers_is_refused(tmp_path: Path) -> None:
    other = mapping(MAPPING.replace("device: device}", "device: device, merchant: device}"))
    with (
        new_ledger(tmp_path) as ledger,
        pytest.raises(MappingError, match="the ledger was made without merchant"),
    ):
        load(ledger, csv_file(tmp_path, row()), other)


def test_an_import_is_recorded_with_its_counts_and_hashes(tmp_path: Path) -> None:
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, row("a"), row("b", amount="x")))
        event = next(e for e in chain.events(ledger) if e.kind == "import.completed")
    assert (event.actor, event.subject) == ("admin-1", f"import:{report.import_id}")
    assert (event.data["accepted"], event.data["quarantined"]) == (1, 1)
    assert event.data["mapping_sha256"] == mapping().sha256


AWS = b"""\
version: 1
institution: coldstart
base_currency: USD
transaction: {id: EVENT_ID, occurred_at: EVENT_TIMESTAMP, amount: order_price, currency: {constant: USD}}
entities: {customer: ENTITY_ID, ip: ip_address, merchant: merchant}
attributes:
  category: {column: product_category, type: category}
  billing_country: {column: billing_country, type: category}
  latitude: {column: billing_latitude, type: number}
personal: {name: customer_name, email: customer_email, phone: billing_phone}
label: {column: EVENT_LABEL, known_at: LABEL_TIMESTAMP}
"""


def test_a_file_with_half_its_labels_and_personal_fields_imports(tmp_path: Path) -> None:
    path = shared_file("aws_coldstart_2k.csv")
    chosen = load_mapping(AWS)
    with new_ledger(tmp_path, chosen) as ledger:
        report = load(ledger, path, chosen)
        assert report.accepted + report.duplicate + report.quarantined == 1611
        assert report.quarantined == 0
        assert 0.4 < report.labels / report.accepted < 0.6
        assert chain.verify(ledger).ok
        assert set(reading.personal_values(ledger, "transaction:1")) == {"name", "email", "phone"}
        assert counts(load(ledger, path, chosen)) == (0, 1611, 0)


def test_a_week_of_the_handbook_imports_in_order(tmp_path: Path) -> None:
    source = pq.read_table(shared_file("handbook_transactions.parquet")).slice(0, 60_000)
    pq.write_table(source, tmp_path / "week.parquet")
    chosen = load_mapping(HANDBOOK)
    with new_ledger(tmp_path, chosen) as ledger:
        report = load(ledger, tmp_path / "week.parquet", chosen)
        assert (report.accepted, report.labels) == (60_000, 60_000)
        first = reading.one(ledger, 1)
        assert (first.transaction_id, first.amount_minor, first.entities["customer"]) == ("0", 5716, "596")
        assert chain.verify(ledger).ok
