"""Do the files hold what was simulated, in a form that strict readers take?"""

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data.incoming.mapping import load_mapping
from data.simulator import InstitutionConfig, Simulated, simulate, write_csv, write_parquet


@pytest.fixture(scope="module")
def small() -> Simulated:
    return simulate(InstitutionConfig(customers=50, days=10, transactions=600, fraud_rate=0.05))


def test_parquet_gives_back_the_same_tables(small: Simulated, tmp_path: Path) -> None:
    paths = write_parquet(small, tmp_path / "made" / "up")
    assert sorted(paths) == ["chargebacks", "transactions", "truth"]
    for name, path in paths.items():
        assert pq.read_table(path).equals(getattr(small, name))


def test_csv_has_a_line_for_each_payment_with_exact_amounts(small: Simulated, tmp_path: Path) -> None:
    with write_csv(small, tmp_path)["transactions"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["amount"] for row in rows] == [str(a) for a in small.transactions["amount"].to_pylist()]
    assert [row["device"] for row in rows] == [d or "" for d in small.transactions["device"].to_pylist()]


def test_csv_times_are_rfc_3339_in_utc(small: Simulated, tmp_path: Path) -> None:
    paths = write_csv(small, tmp_path)
    for name, column in (("transactions", "occurred_at"), ("chargebacks", "known_at")):
        with paths[name].open(newline="") as file:
            times = [row[column] for row in csv.DictReader(file)]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)


def test_the_demo_mapping_reads_columns_that_are_there_and_no_label(small: Simulated) -> None:
    mapping = load_mapping(Path(__file__).resolve().parents[3] / "rules" / "mapping.yaml")
    attributes = {attribute.column for attribute in mapping.attributes.values()}
    read = {mapping.transaction_id, mapping.amount, mapping.currency, *mapping.entities.values(), *attributes}
    assert read | set(mapping.personal.values()) <= set(small.transactions.column_names)
    assert mapping.label is None
