"""Is a file read as what it is, line by line, or refused in a sentence?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import reading
from data.errors import MappingError
from data.incoming import source_file
from data.incoming.ingest import ImportReport, import_file
from data.ledger import Ledger
from tests.data.builders import AT, HEADER, MAPPING, csv_file, mapping, new_ledger, row


def load(ledger: Ledger, path: Path) -> ImportReport:
    return import_file(ledger, mapping(), path, at=AT, actor="admin-1")


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.accepted, report.duplicate, report.quarantined


def test_lines_are_physical_lines_and_malformed_ones_are_quarantined(tmp_path: Path) -> None:
    lines = [
        row("a", country='"two\nlines"'),
        "",
        "too,short",
        row("b", amount="x"),
        'c,"unclosed" quote,3',
        row("d"),
    ]
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, *lines))
        assert reading.one(ledger, "a").attributes["country"] == "two\nlines"
        assert ledger.seq_of("d") == 2
    assert [(bad.line, bad.field) for bad in report.examples] == [
        (5, "line"),
        (6, "transaction.amount"),
        (7, "line"),
    ]
    assert report.examples[0].reason == "2 cells where the header has 11"
    assert report.examples[2].reason.startswith("not CSV")


@pytest.mark.parametrize("country", ["NO", '"NO"', 'NO"'])
def test_a_quote_that_is_never_closed_takes_no_other_row_with_it(tmp_path: Path, country: str) -> None:
    lines = [row("a", device='"Pump'), row("b"), row("c", country=country), row("d")]
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, *lines))
        assert [ledger.seq_of(name) is not None for name in "abcd"] == [False, True, True, True]
    assert counts(report) == (3, 0, 1)
    assert (report.examples[0].line, report.examples[0].field) == (2, "line")


UNMAPPED = MAPPING.replace("  country: {column: country, type: category}\n", "")
ARRIVING = MAPPING.replace("occurred_at: time,", "occurred_at: time, arrival: time,")
TIME_TWICE = MAPPING.replace("  country:", "  moment: {column: time, type: category}\n  country:")
CASES = [("country", MAPPING), ("email", MAPPING), ("device", MAPPING), ("country", UNMAPPED)]


@pytest.mark.parametrize(("column", "text"), [*CASES, ("country", ARRIVING), ("country", TIME_TWICE)])
def test_rows_that_a_quote_runs_over_are_each_quarantined(tmp_path: Path, column: str, text: str) -> None:
    """The quote of row b ends in the same column of row d: by its quotes, that is one row of the right width."""
    opened, ended = row("b", **{column: '"Pump'}), row("d", **{column: 'Pump"'})
    path = csv_file(tmp_path, row("a"), opened, row("c"), ended, row("e"))
    with new_ledger(tmp_path, mapping(text)) as ledger:
        report = import_file(ledger, mapping(text), path, at=AT, actor="admin-1")
        assert [ledger.seq_of(name) is not None for name in "abcde"] == [True, False, False, False, True]
    assert counts(report) == (2, 0, 3)
    assert [(bad.line, bad.field) for bad in report.examples] == [(3, "line"), (4, "line"), (5, "line")]
    assert "ends on line 5" in report.examples[0].reason
    assert report.examples[1].reason == "within a quote from line 3 on"
    assert "line: within a quote" in report.reasons


@pytest.mark.parametrize("time", ["2026-03-01T11:00:00+00:00", "2026-03-01 11:00"])
def test_a_row_within_a_quote_is_seen_though_its_time_is_written_otherwise(tmp_path: Path, time: str) -> None:
    opened, ended = row("b", country='"Pump'), row("d", country='Pump"')
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, opened, row("c", time=time), ended))
    assert [bad.line for bad in report.examples] == [2, 3, 4]


def test_a_line_break_in_a_key_is_refused_with_its_line_and_one_in_free_text_is_kept(tmp_path: Path) -> None:
    words = "Hello,\nplease, see, 2026-03-01T11:00:00.123456Z, for more,\nthanks"
    lines = [row("a", country=f'"{words}"'), row("b", device='"d\n2"'), row("c", time='"2026-03-01\n"')]
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, csv_file(tmp_path, *lines, row("d")))
        assert reading.one(ledger, "a").attributes["country"] == words
    assert counts(report) == (2, 0, 2)
    assert [(bad.line, bad.reason) for bad in report.examples] == [
        (5, "a line break in 'device' (entities.device), whose quote ends on line 6"),
        (7, "a line break in 'time' (transaction.occurred_at), whose quote ends on line 8"),
    ]


def test_text_that_is_not_utf8_quarantines_its_line(tmp_path: Path) -> None:
    path = csv_file(tmp_path, row("a"), row("b", device="caf#"), row("c"))
    path.write_bytes(path.read_bytes().replace(b"caf#", b"caf\xe9"))
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, path)
    assert counts(report) == (2, 0, 1)
    assert (report.examples[0].line, report.examples[0].reason) == (3, "not UTF-8 text")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_and_a_byte_order_mark_are_understood(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "payments.csv"
    path.write_text("\n".join([HEADER, row("a")]).replace(",", delimiter), encoding="utf-8-sig")
    with new_ledger(tmp_path) as ledger:
        assert counts(load(ledger, path)) == (1, 0, 0)


def test_missing_columns_are_named_with_a_guess(tmp_path: Path) -> None:
    path = csv_file(tmp_path, row(), header=HEADER.replace("customer", "custommer"))
    with new_ledger(tmp_path) as ledger, pytest.raises(MappingError) as caught:
        load(ledger, path)
    assert str(caught.value) == (
        f"{path}: the mapping asks for 'customer' (entities.customer), which the file does not have (allowed:"
        f" {HEADER.replace('customer', 'custommer').replace(',', ', ')}). Did you mean 'custommer'?"
    )


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    files = {
        "none.csv": (None, "there is no such file"),
        "empty.csv": (b"", "the file is empty"),
        "header.csv": (HEADER.encode() + b"\n", "the file has a header but no rows"),
        "parquet.csv": (b"PAR1" + bytes(50), "the file is named .csv but holds Parquet data"),
        "binary.csv": (bytes(50), "the file is named .csv but holds binary data or UTF-16 text"),
        "zip.parquet": (b"PK\x03\x04" + bytes(50), "the file is named .parquet but holds a ZIP archive"),
        "text.parquet": (HEADER.encode(), "the file is named .parquet but holds something else"),
        "broken.parquet": (b"PAR1" + bytes(50), "the Parquet file is damaged"),
        "sheet.xlsx": (b"PK", "this kind of file cannot be imported (allowed: .csv, .csv.gz, .parquet)"),
    }
    with new_ledger(tmp_path) as ledger:
        head = ledger.last_event
        for name, (content, what) in files.items():
            path = tmp_path / name
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(MappingError) as caught:
                load(ledger, path)
            assert f"{name}: {what}" in str(caught.value)
        assert ledger.last_event == head


def test_a_first_line_that_can_be_no_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "x" * 200_000 + "\n")
    with new_ledger(tmp_path) as ledger, pytest.raises(MappingError, match="the first line has more than"):
        load(ledger, path)
    with pytest.raises(MappingError, match="the first line has more than"):
        source_file.column_names(path)


def test_parquet_types_are_taken_as_they_are(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 11, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array([1.0, 2.0, None]),
            "time": pa.array([moment] * 3, pa.timestamp("ns", tz="America/New_York")),
            "amount": pa.array([0.1 + 0.2, float("nan"), 1.0]),
            "currency": ["EUR"] * 3,
            "customer": pa.array([7, 8, 9], pa.int16()),
            "device": pa.array(["d"] * 3).dictionary_encode(),
            "country": ["NO"] * 3,
            "score": pa.array([1, 2, 3]),
            "trusted": [True, False, None],
            "email": [None] * 3,
            "fraud": [True, False, None],
        }
    )
    pq.write_table(table, tmp_path / "payments.parquet")
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, tmp_path / "payments.parquet")
        stored = reading.one(ledger, "1")
    assert (stored.occurred_at, stored.amount, stored.amount_minor) == (moment, Decimal("0.3000"), 30)
    assert (stored.entities["customer"], stored.attributes["score"]) == ("7", 1.0)
    assert [(bad.line, bad.field) for bad in report.examples] == [
        (2, "transaction.amount"),
        (3, "transaction.id"),
    ]


def test_days_as_whole_numbers_of_a_parquet_file_are_read_with_a_format(tmp_path: Path) -> None:
    chosen = mapping(MAPPING.replace("occurred_at: time", 'occurred_at: {column: time, format: "%Y%m%d"}'))
    cells = dict(zip(HEADER.split(","), row("a").split(","), strict=True))
    columns = {name: [cell] for name, cell in cells.items()} | {"time": pa.array([20260228])}
    pq.write_table(pa.table(columns), tmp_path / "payments.parquet")
    with new_ledger(tmp_path, chosen) as ledger:
        import_file(ledger, chosen, tmp_path / "payments.parquet", at=AT, actor="admin-1")
        assert reading.one(ledger, "a").occurred_at == datetime(2026, 2, 28, tzinfo=UTC)


def test_an_exact_amount_of_a_parquet_file_is_never_rounded(tmp_path: Path) -> None:
    cells = dict(zip(HEADER.split(","), row("a").split(","), strict=True))
    columns = {name: [cell] * 3 for name, cell in cells.items()} | {"id": ["a", "b", "c"]}
    amounts = [Decimal("12.340000"), Decimal("12.345678"), Decimal(10) ** 11]
    columns["amount"] = pa.array(amounts, pa.decimal128(38, 18))
    pq.write_table(pa.table(columns), tmp_path / "payments.parquet")
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, tmp_path / "payments.parquet")
    assert counts(report) == (2, 0, 1)
    assert report.examples[0].reason == "not an amount with at most 4 decimals"


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_an_amount_held_in_binary_is_rounded_by_no_more_than_its_noise(
    tmp_path: Path, kind: pa.DataType
) -> None:
    amounts = [12.34, 12.34565, 0.00001, 0.1 + 0.2, -0.0]
    ids = [f"t{n}" for n in range(len(amounts))]
    cells = dict(zip(HEADER.split(","), row("a").split(","), strict=True))
    columns = {name: [cell] * len(ids) for name, cell in cells.items()}
    pq.write_table(
        pa.table(columns | {"id": ids, "amount": pa.array(amounts, kind)}), tmp_path / "payments.parquet"
    )
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, tmp_path / "payments.parquet")
        stored = [each.amount for each in reading.transactions(ledger)]
    assert stored == [Decimal("12.3400"), Decimal("0.3000"), Decimal("0.0000")]
    assert [(bad.line, bad.reason) for bad in report.examples] == [
        (line, "not an amount with at most 4 decimals") for line in (2, 3)
    ]


def test_nested_columns_are_refused_and_damage_is_named(tmp_path: Path) -> None:
    columns = {name: pa.array([[1], [2]]) for name in HEADER.split(",")}
    nested, damaged = tmp_path / "nested.parquet", tmp_path / "damaged.parquet"
    pq.write_table(pa.table(columns), nested)
    texts = {name: pa.array([f"{name} {n}" for n in range(2000)]) for name in HEADER.split(",")}
    pq.write_table(pa.table(texts), damaged, compression="snappy", use_dictionary=False)
    content = bytearray(damaged.read_bytes())
    content[500:4000] = bytes(3500)
    damaged.write_bytes(content)
    with new_ledger(tmp_path) as ledger:
        with pytest.raises(MappingError, match=r"nested\.parquet: the column 'id' has the type list"):
            load(ledger, nested)
        with pytest.raises(MappingError, match=r"damaged\.parquet: the file is damaged"):
            load(ledger, damaged)
        assert ledger.last_event.seq == 1


WRAPPING = (2**64 + 1_772_362_800_000_384) // 1_000
"""Milliseconds that are a moment of 2026 where their microseconds wrap around in 64 bits."""


@pytest.mark.parametrize(
    ("kind", "odd", "usable"),
    [
        (pa.timestamp("ms"), WRAPPING, 1_772_362_800_000),
        (pa.timestamp("ms", tz="UTC"), -WRAPPING, 1_772_362_800_000),
        (pa.timestamp("us"), -(2**63) + 1, 1_772_362_800_000_000),
        (pa.date32(), 2**31 - 2, 20_512),
    ],
)
def test_a_moment_out_of_reach_is_quarantined_and_never_another_one(
    tmp_path: Path, kind: pa.DataType, odd: int, usable: int
) -> None:
    cells = dict(zip(HEADER.split(","), row("a").split(","), strict=True))
    columns = {name: [cell] * 2 for name, cell in cells.items()} | {"id": ["a", "b"]}
    times = pa.array([odd, usable], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    pq.write_table(pa.table(columns | {"time": times}), tmp_path / "payments.parquet")
    with new_ledger(tmp_path) as ledger:
        report = load(ledger, tmp_path / "payments.parquet")
    assert counts(report) == (1, 0, 1)
    assert report.examples[0].reason == "not an ISO 8601 time between 1970 and 2200"
