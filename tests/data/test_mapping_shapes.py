"""Are counting clocks, written amounts, refunds, unknown labels and rows without ids read as the mapping says?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from string import ascii_letters

import duckdb
import pytest

from data import reading
from data.errors import InputError, MappingError
from data.incoming.amount_form import amount_form
from data.incoming.ingest import ImportReport, import_file
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from data.mappings import names, text
from data.transactions import Transaction
from tests.data.builders import AT
from tests.ledgers import new_ledger

HEAD = "version: 1\ninstitution: test\nbase_currency: EUR\n"


def read(
    folder: Path, mapping: str, header: str, *lines: str
) -> tuple[ImportReport, list[Transaction], list[dict]]:
    """What a file becomes under a mapping: report, transactions, outcomes."""
    path = folder / "rows.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    chosen = load_mapping((HEAD + mapping).encode())
    with new_ledger(folder / "l.duckdb", chosen, AT) as ledger:
        report = import_file(ledger, chosen, path, at=AT, actor="x")
        outcomes = ledger.read("SELECT transaction_seq, is_fraud FROM outcomes ORDER BY 1")
        return report, list(reading.transactions(ledger)), outcomes


CLOCKS = {
    ("seconds", "1e+05"): datetime(2025, 1, 2, 3, 46, 40, tzinfo=UTC),
    ("seconds", "0.5"): datetime(2025, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC),
    ("minutes", "90"): datetime(2025, 1, 1, 1, 30, tzinfo=UTC),
    ("hours", "743"): datetime(2025, 1, 31, 23, tzinfo=UTC),
    ("days", "31"): datetime(2025, 2, 1, tzinfo=UTC),
    ("months", "7"): datetime(2025, 8, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(("unit", "cell"), CLOCKS)
def test_a_count_since_an_origin_is_a_clock(tmp_path: Path, unit: str, cell: str) -> None:
    mapping = f"transaction: {{id: id, occurred_at: {{column: t, unit: {unit}, origin: 2025-01-01}}}}\n"
    report, found, _ = read(tmp_path, mapping, "id,t", f"a,{cell}", "b,soon", "c,1e15", "d,nan", "e,1e999")
    assert [one.occurred_at for one in found] == [CLOCKS[unit, cell]]
    assert report.reasons == {f"transaction.occurred_at: not a number of {unit} between 1970 and 2200": 4}


def test_an_origin_is_in_its_time_zone(tmp_path: Path) -> None:
    clock = "{column: t, unit: hours, origin: 2025-07-01, time_zone: Europe/Berlin}"
    _, found, _ = read(tmp_path, f"transaction: {{id: id, occurred_at: {clock}}}\n", "id,t", "a,1")
    assert found[0].occurred_at == datetime(2025, 6, 30, 23, tzinfo=UTC)


def test_numbers_without_an_origin_are_refused_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as caught:
        read(tmp_path, "transaction: {id: id, occurred_at: t}\n", "id,t", "a,0", "b,17.5")
    assert str(caught.value) == (
        "rows.csv: no row has a usable clock: the column 't' holds plain numbers such as 0 (allowed: {column, unit,"
        " origin} for a count since a beginning, {column, format: epoch_s} for one since 1970). Say in"
        " transaction.occurred_at what the numbers count, or name a column of times."
    )


def test_a_mapping_without_a_clock_is_refused_with_what_is_needed() -> None:
    with pytest.raises(MappingError, match="names no clock, and without one nobody can say"):
        load_mapping((HEAD + "transaction: {id: id, amount: a}\n").encode())


CLOCK_MISTAKES = (
    "{column: t, unit: fortnights, origin: 2025-01-01}",
    "{column: t, unit: hours}",
    "{column: t, origin: 2025-01-01}",
    "{column: t, unit: hours, origin: yesterday}",
    "{column: t, unit: hours, origin: 1066-10-14}",
    "{column: t, unit: hours, origin: 2025-01-01, format: epoch_s}",
    '{column: t, format: "%F %T"}',
    '{column: t, format: "%d.%m.%Y %"}',
    "{column: t, format: dd.mm.yyyy}",
    "{column: t, format: epoch_ns}",
)


@pytest.mark.parametrize("clock", CLOCK_MISTAKES)
def test_a_clock_that_cannot_be_meant_is_refused(clock: str) -> None:
    with pytest.raises(MappingError, match=r"mapping\.yaml:4:"):
        load_mapping((HEAD + f"transaction: {{id: id, occurred_at: {clock}}}\n").encode())


def test_every_pattern_that_is_taken_can_be_read() -> None:
    with duckdb.connect() as connection:
        for letter in ascii_letters + "%":
            clock = f'{{column: t, format: "%Y %{letter}"}}'
            try:
                load_mapping((HEAD + f"transaction: {{id: id, occurred_at: {clock}}}\n").encode())
            except MappingError:
                continue
            connection.execute("SELECT try_strptime('soon', ?)", [f"%Y %{letter}"])


@pytest.mark.parametrize(
    ("form", "cell"), [("epoch_s", "1772362800123456"), ("epoch_ms", "1772362800123456789")]
)
def test_a_count_in_another_unit_is_quarantined_and_the_other_rows_come_in(
    tmp_path: Path, form: str, cell: str
) -> None:
    clock = f"{{column: t, format: {form}}}"
    lines = ("id,t", f"a,{cell}", "b,1772362800000" if form == "epoch_ms" else "b,1772362800")
    report, found, _ = read(tmp_path, f"transaction: {{id: id, occurred_at: {clock}}}\n", *lines)
    assert (report.examples[0].line, report.examples[0].field) == (2, "transaction.occurred_at")
    assert found[0].occurred_at == datetime(2026, 3, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "cell"),
    [("epoch_s", "1772362800.123457"), ("epoch_ms", "1772362800123.457"), ("epoch_us", "1772362800123457")],
)
def test_a_count_since_1970_keeps_its_microseconds(tmp_path: Path, form: str, cell: str) -> None:
    clock = f"{{column: t, format: {form}}}"
    _, found, _ = read(tmp_path, f"transaction: {{id: id, occurred_at: {clock}}}\n", "id,t", f"a,{cell}")
    assert found[0].occurred_at == datetime(2026, 3, 1, 11, 0, 0, 123457, tzinfo=UTC)


def test_the_name_of_a_zone_goes_before_the_zone_of_the_mapping(tmp_path: Path) -> None:
    clock = '{column: t, format: "%Y-%m-%d %H:%M %Z", time_zone: Europe/Berlin}'
    _, found, _ = read(
        tmp_path, f"transaction: {{id: id, occurred_at: {clock}}}\n", "id,t", "a,2026-03-01 12:00 UTC"
    )
    assert found[0].occurred_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


AMOUNTS = {
    ("$1,234.56", "$12.30"): "12.30",
    ("$1,234.56", "-$1,012.30"): "-1012.30",
    ("$1,234.56", "1234567"): "1234567",
    ("1.234,56", "1.234,56"): "1234.56",
    ("1.234,56 €", "12 €"): "12",
    ("1 234,56", "1\u202f234,5"): "1234.5",
    ("1'234.56", "9'999.00"): "9999",
    ("1234,56", "7,5"): "7.5",
}
NO_AMOUNTS = (
    *(("$1,234.56", cell) for cell in ("€12.30", "1,23", "12,30", "$", "1,2345.00", "(12.30)", "1e3")),
    *(("1.234,56", cell) for cell in ("12.30", "1,234.56", "1.23", "NaN")),
)


@pytest.mark.parametrize(("example", "cell"), AMOUNTS)
def test_an_amount_is_read_as_the_example_shows(tmp_path: Path, example: str, cell: str) -> None:
    mapping = f'transaction: {{id: id, occurred_at: t, amount: {{column: m, format: "{example}", negative: keep}}}}\n'
    _, found, _ = read(tmp_path, mapping, "id;t;m", f"a;2025-01-01;{cell}")
    assert found[0].amount == Decimal(AMOUNTS[example, cell])


@pytest.mark.parametrize(("example", "cell"), NO_AMOUNTS)
def test_an_amount_written_otherwise_is_not_guessed(tmp_path: Path, example: str, cell: str) -> None:
    mapping = f'transaction: {{id: id, occurred_at: t, amount: {{column: m, format: "{example}"}}}}\n'
    report, _, _ = read(tmp_path, mapping, "id;t;m", f"a;2025-01-01;{cell}")
    assert report.reasons == {f"transaction.amount: not an amount written like {example}": 1}


@pytest.mark.parametrize("example", ["", "amount", "1,234,56", "1.234.56", "$1 €", "0x10"])
def test_an_example_that_shows_nothing_is_refused(example: str) -> None:
    assert amount_form(example) is None
    mapping = f'transaction: {{id: id, occurred_at: t, amount: {{column: m, format: "{example}"}}}}\n'
    with pytest.raises(MappingError, match="does not show how amounts are written"):
        load_mapping((HEAD + mapping).encode())


def test_refunds_are_kept_only_where_the_mapping_expects_them(tmp_path: Path) -> None:
    mapping = "transaction: {id: id, occurred_at: t, amount: m}\n"
    report, found, _ = read(
        tmp_path, mapping, "id,t,m", "a,2025-01-01,-5.00", "b,2025-01-01,0", "c,2025-01-01,"
    )
    assert report.reasons == {
        "transaction.amount: negative, and the mapping does not say amount: {column, negative: keep}": 1
    }
    assert [(one.transaction_id, one.amount_minor) for one in found] == [("b", 0), ("c", None)]


def test_times_in_the_future_and_endless_ids_are_quarantined(tmp_path: Path) -> None:
    mapping = "transaction: {id: id, occurred_at: t}\nentities: {customer: c}\n"
    lines = (
        "a,2026-03-03,x",
        f"{'i' * 10_000},2025-01-01,x",
        f"b,2025-01-01,{'c' * 129}",
        "d,2025-01-01,é\u007f",
    )
    report, _, _ = read(tmp_path, mapping, "id,t,c", *lines)
    endless = "longer than 128 characters, or with control characters"
    assert report.reasons == {
        f"entities.customer: {endless}": 2,
        "transaction.occurred_at: in the future": 1,
        f"transaction.id: {endless}": 1,
    }


def test_what_a_transaction_is_called_is_a_word(tmp_path: Path) -> None:
    part = "transaction: {{id: id, occurred_at: t, called: {}}}\n"
    assert load_mapping((HEAD + part.format("loan application")).encode()).called == "loan application"
    assert load_mapping((HEAD + "transaction: {id: id, occurred_at: t}\n").encode()).called == "payment"
    for word in ("Application", '"{x}"', '"a: b"', "7"):
        with pytest.raises(MappingError, match=r"mapping\.yaml:4:39"):
            load_mapping((HEAD + part.format(word)).encode())


RATES = """\
transaction: {id: id, occurred_at: t, amount: {column: m, negative: keep}, currency: c}
rates: [{currency: BTC, from: 2020-01-01, rate: 99999}]
"""


@pytest.mark.parametrize("sign", ["", "-"])
def test_an_amount_too_large_once_converted_is_quarantined_and_never_left_out(
    tmp_path: Path, sign: str
) -> None:
    """Twice it would not even fit into 8 bytes, and must not come out as no amount."""
    lines = (
        f"a,2025-01-01,{sign}999999999999,BTC",
        f"b,2025-01-01,{sign}200000000,BTC",
        "c,2025-01-01,1,BTC",
    )
    report, found, _ = read(tmp_path, RATES, "id,t,m,c", *lines, f"d,2025-01-01,{sign}100000000,BTC")
    assert report.reasons == {"transaction.amount: too large in the base currency": 2}
    assert [one.transaction_id for one in found] == ["c", "d"]
    assert abs(found[1].amount_minor or 0) == 999_990_000_000_000
    rates = load_mapping((HEAD + RATES).encode()).rates
    with pytest.raises(
        InputError, match=r"too large once it is in EUR \(allowed: up to 10,000,000,000,000 EUR"
    ):
        rates.minor(Decimal(200_000_000), "BTC", date(2025, 1, 1))


LABEL = "transaction: {id: id, occurred_at: t}\nlabel: {column: f, known_after: 1d, "


def test_labels_may_be_missing_or_unknown(tmp_path: Path) -> None:
    lines = [f"{n},2025-01-01,{cell}" for n, cell in enumerate(("1", "0", "", "Unknown", "-1", "2"))]
    report, _, outcomes = read(tmp_path, LABEL + "unknown_values: [unknown, -1]}\n", "id,t,f", *lines)
    assert [row["is_fraud"] for row in outcomes] == [True, False]
    assert (report.accepted, report.quarantined) == (5, 1)


def test_with_legitimate_values_anything_else_is_quarantined(tmp_path: Path) -> None:
    values = "fraud_values: [bad], legitimate_values: [good], unknown_values: [open]}\n"
    lines = [f"{n},2025-01-01,{cell}" for n, cell in enumerate(("bad", "GOOD", "open", "", "odd"))]
    report, _, outcomes = read(tmp_path, LABEL + values, "id,t,f", *lines)
    assert [row["is_fraud"] for row in outcomes] == [True, False]
    assert report.reasons == {
        "label.column: neither among fraud_values nor legitimate_values nor unknown_values": 1
    }


def test_a_row_without_an_id_is_known_by_its_content(tmp_path: Path) -> None:
    mapping = (
        "transaction: {id: {from: row}, occurred_at: t, amount: m}\nlabel: {column: f, known_after: 1d}\n"
    )
    lines = ("2025-01-01,5,0", "2025-01-01,5,0", "2025-01-02,5,")
    report, found, _ = read(tmp_path, mapping, "t,m,f", *lines)
    ids = [one.transaction_id for one in found]
    assert (report.accepted, len(set(ids))) == (3, 3)
    assert ids[1] == f"{ids[0]}-2"
    chosen, path = load_mapping((HEAD + mapping).encode()), tmp_path / "rows.csv"
    path.write_text("t,m,f\n" + "\n".join((*lines[:2], "2025-01-02,5,1", "2025-01-03,5,1")) + "\n")
    with Ledger.open(tmp_path / "l.duckdb") as ledger:
        again = import_file(ledger, chosen, path, at=AT, actor="x")
    assert (again.accepted, again.duplicate, again.labels) == (1, 3, 2)


@pytest.mark.parametrize("name", names())
def test_a_ready_mapping_loads(name: str) -> None:
    assert load_mapping(text(name).encode(), name).institution == name


def test_an_unknown_ready_mapping_is_named_with_what_there_is() -> None:
    with pytest.raises(MappingError, match="Did you mean 'paysim'"):
        text("paysimm")


def test_the_examples_of_the_reference_load() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in page.split("```yaml\n")[1:]]
    whole, clock, amounts, rates, pseudonyms, label, outcomes = blocks
    assert load_mapping((whole + rates + outcomes).encode()).outcomes is not None
    assert load_mapping((whole[: whole.index("label:")] + label).encode()).label is not None
    told = load_mapping((HEAD + "transaction: {id: i, occurred_at: t, amount: a}\n" + pseudonyms).encode())
    assert told.pseudonymous == {"customer"}
    lines = ["occurred_at: t", *(line for line in amounts.splitlines()), clock.strip()]
    for line in lines[1:]:
        time = line if line.startswith("occurred_at") else "occurred_at: t"
        amount = line if line.startswith("amount") else "amount: a"
        load_mapping((HEAD + f"transaction:\n  id: i\n  {time}\n  {amount}\n").encode())


def test_a_code_that_reads_as_a_number_is_refused_with_how_to_write_it() -> None:
    outcomes = "outcomes: {transaction_id: id, known_at: k, reason_code: r, fraud_codes: [10.4]}\n"
    with pytest.raises(MappingError, match=r"Quote a code that looks like a number with a point: '10\.4'"):
        load_mapping((HEAD + "transaction: {id: id, occurred_at: t}\n" + outcomes).encode())
