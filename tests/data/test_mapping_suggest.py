"""Does a drafted mapping load, find what is what, say why, and import the file it was drafted from?"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.errors import MappingError
from data.incoming.ingest import ImportReport, import_file
from data.incoming.mapping import Mapping, load_mapping
from data.incoming.mapping_suggest import suggest_mapping
from data.ledger import Ledger
from tests.data.builders import AT, shared_file
from tests.data.shapes import SHAPES, write_shape


def drafted(path: Path) -> Mapping:
    draft = suggest_mapping(path)
    for line in draft.text.splitlines():
        explained = line.startswith(("#", "version", "institution")) or line.endswith(":") or "#" in line
        assert explained or "{from: row}" in line or "constant" in line or line.startswith("label"), line
    return load_mapping(draft.text.encode())


def imported(path: Path, mapping: Mapping) -> ImportReport:
    with Ledger.create(path.with_suffix(".duckdb"), mapping, at=AT) as ledger:
        return import_file(ledger, mapping, path, at=AT, actor="x")


def written(folder: Path, *lines: str) -> Path:
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_a_draft_for_a_known_shape_loads_and_imports_every_row(tmp_path: Path, shape: str) -> None:
    path = write_shape(tmp_path / f"{shape}.csv", shape)
    mapping = drafted(path)
    report = imported(path, mapping)
    assert (report.accepted, report.quarantined, report.labels) == (1000, 0, 1000), report.reasons
    expected = {
        "handbook": ("TRANSACTION_ID", "TX_AMOUNT", "TX_FRAUD", {"customer": "CUSTOMER_ID", "terminal": "TERMINAL_ID"}),
        "ulb": ("", "Amount", "Class", {}),
        "ieee-cis": ("TransactionID", "TransactionAmt", "isFraud", {n: n for n in ("card1", "card2", "addr1")}),
        "paysim": ("", "amount", "isFraud", {"name_orig": "nameOrig", "name_dest": "nameDest"}),
        "baf": ("", "", "fraud_bool", {}),
    }[shape]  # fmt: skip
    assert mapping.label is not None
    found = (mapping.transaction_id, mapping.amount, mapping.label.column, dict(mapping.entities))
    assert found == expected
    assert not mapping.personal


def test_what_would_give_the_label_away_is_left_out(tmp_path: Path) -> None:
    for shape, column in (("handbook", "TX_FRAUD_SCENARIO"), ("paysim", "isFlaggedFraud")):
        draft = suggest_mapping(write_shape(tmp_path / f"{shape}.csv", shape))
        assert column not in load_mapping(draft.text.encode()).columns
        assert f"#   {column}: " in draft.text


SHOP = (
    "order no;created;total;buyer_email;full name;fraud;device id;store",
    'A-1;03.01.2026 10:00;"€1.234,50";a@example.org;Ann Example;legit;d1;s1',
    'A-2;04.01.2026 10:00;"€12,30";b@example.org;Bob Example;fraud;d1;s1',
    'A-3;25.01.2026 10:00;"€0,99";c@example.org;Cid Example;unknown;d2;s1',
)


def test_written_amounts_times_and_a_third_label_are_drafted(tmp_path: Path) -> None:
    path = written(tmp_path, *SHOP)
    mapping = drafted(path)
    assert mapping.amount_form.example == "€1.234,56"
    assert mapping.occurred_at.format == "%d.%m.%Y %H:%M"
    assert mapping.label is not None
    assert mapping.label.flag.unknown == ("unknown",)
    assert mapping.personal == {"buyer_email": "buyer_email", "full_name": "full name"}
    assert mapping.entities["device"] == "device id"
    report = imported(path, mapping)
    assert (report.accepted, report.labels) == (3, 2), report.reasons


def test_a_file_without_a_clock_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    path = written(tmp_path, "id,amount,fraud", "1,2.50,0", "2,3.50,1")
    with pytest.raises(MappingError) as caught:
        suggest_mapping(path)
    assert "no column can be used as a clock" in str(caught.value)
    assert "Add when each transaction happened" in str(caught.value)


GERMAN = (
    "Buchungsdatum;Kunde;Betrag;Währung;Betrug",
    *(f"{n % 28 + 1:02}.03.2025;K{n % 40};{n},50;EUR;{'ja' if n % 9 == 0 else 'nein'}" for n in range(80)),
)
BRITISH = (
    "txn_ref,date,customer_no,value",
    *(f"T{n},{n % 28 + 1}/12/2025 10:00,{n % 30},£{n}.25" for n in range(60)),
)
COUNTING = ("seconds_since_start,amount,class", *(f"{n},{n}.1,{int(n % 7 == 0)}" for n in range(50)))
DASHES = ("date,amount", *(f"{n % 28 + 1:02}-12-2025,{n}" for n in range(50)))
ODD = {
    "german": (GERMAN, {"clock": "%d.%m.%Y", "amount": "1.234,56", "entities": "Kunde", "label": "Betrug"}),
    "british": (BRITISH, {"clock": "%d/%m/%Y %H:%M", "amount": "£1,234.56", "entities": "customer_no"}),
    "counting": (COUNTING, {"clock": "unit: seconds", "amount": "amount", "label": "class"}),
    "dashes": (DASHES, {"clock": "%d-%m-%Y", "amount": "amount"}),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_files_as_people_have_them_are_drafted_and_imported(tmp_path: Path, name: str, packed: bool) -> None:
    lines, wanted = ODD[name]
    content = "\n".join((*lines, "")).encode()
    path = tmp_path / (f"{name}.csv.gz" if packed else f"{name}.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    found = {guess.role: guess.value for guess in suggest_mapping(path).guesses}
    for role, value in wanted.items():
        assert value in found[role], found
    report = imported(path, drafted(path))
    assert (report.accepted, report.quarantined) == (len(lines) - 1, 0), report.reasons


def test_an_amount_that_cannot_be_read_is_pointed_out_with_its_cell(tmp_path: Path) -> None:
    def notes(*cells: str) -> str:
        return " ".join(
            suggest_mapping(written(tmp_path, "date,amt", *(f"2025-01-01,{c}" for c in cells))).notes
        )

    assert 'amt is called an amount, but is written in no way that is known, such as "(5.00)"' in notes(
        "(5.00)", "(6.00)", "7.00"
    )
    assert "has more than 4 decimals" in notes("1.234567", "2.5", "3")
    assert "most of it is negative" in notes("-1", "-2", "3")


def test_a_header_that_is_no_utf_8_and_a_damaged_archive_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("zeit;händler\n2025-01-01;x\n".encode("latin-1"))
    with pytest.raises(MappingError, match="the first line is not UTF-8 text"):
        suggest_mapping(path)
    whole = gzip.compress("\n".join(f"2025-01-01,{n}" for n in range(90_000)).encode())
    for content, said in ((b"time,amount", "cannot be unpacked"), (whole[: len(whole) // 2], "damaged")):
        packed = tmp_path / f"{said.split()[0]}.csv.gz"
        packed.write_bytes(content)
        mapping = load_mapping(
            b"version: 1\ninstitution: x\nbase_currency: EUR\ntransaction: {id: {from: row}, occurred_at: 2025-01-01}"
        )
        with pytest.raises(MappingError, match=said):
            imported(packed, mapping)


def test_columns_with_awkward_names_and_cells_still_load(tmp_path: Path) -> None:
    header = 'time,"a: {b}",amount,"amount ","#hash","Größe","seq","1st","true"'
    path = written(tmp_path, header, *(f"2026-01-0{n},{n},1,{n},{n},x{n},{n},{n},z{n}" for n in (1, 2, 3)))
    assert imported(path, drafted(path)).accepted == 3


@pytest.mark.parametrize("name", ["aws_coldstart_2k.csv", "handbook_transactions.parquet"])
def test_drafts_for_the_shared_files_load(tmp_path: Path, name: str) -> None:
    source = shared_file(name)
    mapping = drafted(source)
    assert mapping.label is not None
    if name.endswith(".parquet"):
        pq.write_table(pq.read_table(source).slice(0, 2000), tmp_path / "some.parquet")
        assert imported(tmp_path / "some.parquet", mapping).accepted == 2000
        assert list(mapping.entities) == ["customer", "terminal"]
    else:
        assert mapping.label.known_at is not None
        assert {"customer_name", "customer_email", "billing_phone"} <= set(mapping.personal)
        assert {"entity", "ip_address", "merchant"} <= set(mapping.entities)


def test_a_drafted_origin_lies_in_the_past() -> None:
    assert datetime(2025, 1, 1, tzinfo=UTC) < AT


def test_what_digits_and_signs_may_mean_otherwise_is_not_guessed_away(tmp_path: Path) -> None:
    rows = [
        f"t{n},2025112315{n},{amount},{label}" for n, amount, label in ((10, "1.500", 1), (59, "800", -1))
    ]
    path = written(tmp_path, "tx_id,datetime,amount,label", *rows, "t3,202511231600,2.250,-1")
    mapping, text = drafted(path), suggest_mapping(path).text
    assert mapping.occurred_at.format == "%Y%m%d%H%M"
    assert "if the point groups thousands" in text
    assert '"-1" is taken for not fraud' in text
    report = imported(path, mapping)
    assert (report.accepted, report.labels) == (3, 3)
