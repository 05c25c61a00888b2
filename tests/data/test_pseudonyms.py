"""Does the ledger know people by pseudonyms only, the same ones by every way in, and others in every other ledger?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casework.deciding.transactions import Sent, checked
from casework.settings.linting import lint_files
from data import reading
from data.errors import MappingError
from data.incoming.ingest import import_file
from data.incoming.mapping import Mapping
from data.incoming.mapping_suggest import suggest_mapping
from data.incoming.name_shapes import shape_of
from data.integrity import chain
from data.integrity.keyring import Keyring
from data.ledger import Ledger
from data.pseudonyms import Pseudonyms, is_pseudonym, keyed
from engine.rules.lint import Severity
from engine.templates import scaffold
from tests.data.builders import AT, HEADER, MAPPING, csv_file, mapping, new_ledger, row, transaction

ENTITIES = (
    "entities: {customer: {column: customer, pseudonym: true}, payee: {column: device, pseudonym: true}}"
)
DECLARED = mapping(MAPPING.replace("entities: {customer: customer, device: device}", ENTITIES))
MAIL = "ann.quux@example.org"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("pseudonyms")
    with Ledger.create(folder / "l.duckdb", DECLARED, at=AT, keyring=Keyring(folder / "keys")) as made:
        yield made


@pytest.fixture(scope="module")
def columns(ledger: Ledger) -> Mapping:
    return keyed(DECLARED, ledger)


def sent(**changes: Any) -> Sent:
    plain = transaction()
    values: dict[str, Any] = {name: getattr(plain, name) for name in Sent.__dataclass_fields__}
    return Sent(**(values | {"entities": {}} | changes))


def test_a_pseudonym_depends_on_value_entity_and_key_and_is_made_once() -> None:
    ours, theirs = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)
    made = ours.of("customer", MAIL)
    assert is_pseudonym("customer", made) and MAIL not in made
    assert made == ours.of("customer", f" {MAIL}\u2003") == ours.of("customer", made)
    others = {ours.of("payee", MAIL), ours.of("customer", MAIL.title()), theirs.of("customer", MAIL)}
    assert len({made, *others}) == 4
    assert ours.of("payee", made) != made  # of this form, but not of this entity
    assert ours.of("customer", " \t") == ""


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=30)


@settings(max_examples=10, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=12))
@example(["ann@x", " ann@x ", "\u2028", "", "\u00a0ann@x", 'O\'Neil "x",y', "7.0"])
def test_the_same_value_gives_the_same_pseudonym_in_a_file_and_over_http(
    columns: Mapping, values: list[str]
) -> None:
    """Under Hypothesis: each example in a ledger of its own, which needs no key once the mapping has one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = [f"i{n:02}" for n in range(len(values))]
        cells: dict[str, Any] = {
            column: [text] * len(ids)
            for column, text in zip(HEADER.split(","), row().split(","), strict=True)
        }
        file = folder / "p.parquet"
        pq.write_table(
            pa.table(cells | {"id": ids, "customer": values, "device": [values[0]] * len(ids)}), file
        )
        with new_ledger(folder, DECLARED) as target:
            report = import_file(target, columns, file, at=AT, actor="x")
            found = {each.transaction_id: each.entities for each in reading.transactions(target)}
    assert report.accepted == len(ids), report.reasons
    for each, value in zip(ids, values, strict=True):
        entities = {"customer": value, "payee": values[0]}
        assert found[each] == checked(sent(entities=entities), columns).entities


def test_a_file_leaves_pseudonyms_only_also_of_rows_that_are_refused(
    ledger: Ledger, columns: Mapping, tmp_path: Path
) -> None:
    shared = replace(columns, personal={"email": "customer"})  # kept apart, and erasable, as it is
    lines = [
        row("a", customer=MAIL, device=MAIL),
        row("b", customer="Bea\tQuux"),
        row("c", customer=MAIL, amount="a lot"),
        row("d", customer="q" * 129 + "uux"),
        row("e", customer="", device=""),
    ]
    report = import_file(ledger, shared, csv_file(tmp_path, *lines), at=AT, actor="x")
    assert (report.accepted, report.quarantined) == (2, 3)
    long = "entities.customer: longer than 128 characters, or with control characters"
    assert report.reasons == {long: 2, "transaction.amount: not an amount with at most 4 decimals": 1}
    kept = ledger.read("SELECT raw FROM quarantine ORDER BY line")
    assert "quux" not in str(kept).lower()
    assert columns.held("payee", "d1") in kept[1]["raw"]  # so that erasing finds it
    first, second = reading.transactions(ledger)
    assert first.entities == {name: columns.held(name, MAIL) for name in ("customer", "payee")}
    assert second.entities == {"customer": None, "payee": None}
    assert reading.personal_values(ledger, "transaction:1") == {"email": MAIL}
    assert chain.verify(ledger).ok


def test_an_id_made_from_a_row_is_made_without_the_name(columns: Mapping, tmp_path: Path) -> None:
    found = []
    for number, held in enumerate((columns, replace(columns, pseudonyms=Pseudonyms(b"b" * 32)))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with new_ledger(folder, DECLARED) as target:
            import_file(target, replace(held, transaction_id=""), csv_file(folder, row()), at=AT, actor="x")
            found.append(reading.one(target, 1).transaction_id)
    assert found[0] != found[1]  # under another key, so the key is in it and not the name


@pytest.mark.parametrize(
    "text", [MAPPING, MAPPING.replace("device: device", "device: {column: device, pseudonym: true}")]
)
def test_what_is_a_pseudonym_is_fixed_when_the_ledger_is_made(ledger: Ledger, text: str) -> None:
    with pytest.raises(MappingError, match="the same person would be two"):
        keyed(mapping(text), ledger)


def test_without_a_key_nothing_is_made_and_nothing_kept_in_clear(tmp_path: Path) -> None:
    with new_ledger(tmp_path, DECLARED) as without:
        with pytest.raises(MappingError, match="has no key to make them with"):
            keyed(DECLARED, without)
        with pytest.raises(MappingError, match="no ledger whose key could make it"):
            import_file(without, DECLARED, csv_file(tmp_path, row()), at=AT, actor="x")
    with pytest.raises(MappingError, match="no ledger whose key could make it"):
        checked(sent(entities={"customer": MAIL}), DECLARED)


def test_a_policy_that_names_somebody_is_refused_and_what_it_says_is_not_repeated(columns: Mapping) -> None:
    """Once approved the name could not be taken back; and it would match nobody."""
    made = scaffold(DECLARED)
    for value, objections in ((MAIL, 2), (columns.held("customer", MAIL), 0)):
        segment = f"segments:\n  known: {{when: \"customer = '{value}'\"}}\n"
        policy = made["policy.yaml"].decode().replace("segments:\n", segment, 1)
        policy += f"queues:\n  known: {{match: {{customer: ['{value}']}}}}\n"
        found = lint_files({**made, "policy.yaml": policy.encode()}, DECLARED, at=AT)
        errors = [each for each in found if each.severity is Severity.ERROR]
        assert [each.check for each in errors] == ["name_in_clear"] * objections, found
        assert all(each.where.startswith("rules/policy.yaml:") for each in errors)
        assert MAIL not in str(found)


@pytest.mark.parametrize(
    ("shape", "cells"),
    [
        ("e-mail addresses", ["ann@example.org", "b.c+d@mail.example.co"]),
        ("IBANs", ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"]),
        ("card numbers", ["4111111111111111", "5500-0055-5555-5559", "340000000000009"]),
        ("phone numbers", ["+49 30 123456", "+15551234567", "(030) 123 456", "0151 2345678"]),
        ("", ["4111111111111112", "DE89370400440532013001", "0012345678", "01-02-2026", "ann", "1234567"]),
    ],
)
def test_what_names_a_person_is_known_by_its_shape_and_check_digits(shape: str, cells: list[str]) -> None:
    assert [shape_of([cell]) for cell in cells] == [shape] * len(cells)
    assert shape_of([*cells, "c1", "c2", "c3"]) == ""


def test_a_draft_keeps_pseudonyms_of_entities_that_are_names_of_people(tmp_path: Path) -> None:
    lines = [
        f"{n},{datetime(2026, 1, 1 + n % 28).isoformat()},{n}.5,c{n % 20}@example.org,+49 30 12{n % 20:05},{n % 20:010}"
        for n in range(60)
    ]
    draft = suggest_mapping(
        csv_file(tmp_path, *lines, header="id,time,amount,customer_id,account,merchant_id")
    )
    found = mapping(draft.text)
    assert found.pseudonymous == {"customer", "account"}
    assert found.entities["merchant"] == "merchant_id"
    made = scaffold(found)
    assert b"# Of account, customer these are pseudonyms" in made["lists.yaml"]
    assert not [each for each in lint_files(made, found, at=AT) if each.severity is Severity.ERROR]
    assert "they are e-mail addresses, so only keyed pseudonyms are kept" in draft.text
