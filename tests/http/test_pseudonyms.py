"""Is a customer known by a pseudonym alone, whichever way payments, lists, searches and erasures name him?"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.cli.learning import _as_sent
from casework.deciding.transactions import Sent, checked
from casework.http.payments import TransactionForm
from casework.http.plain import reader
from casework.keeping import backups
from casework.workspace import Admin, Workspace, create, write_private
from data.errors import InputError, MappingError
from data.incoming.mapping import load_mapping
from data.pseudonyms import is_pseudonym
from data.transactions import Transaction
from tests.http.institution import (
    PASSWORD,
    RULES,
    START,
    Institution,
    large_payment,
    payment,
    proposals,
    served,
)
from tests.http.test_answers import HEADER
from tests.http.test_cli import run
from tests.http.test_personal import planted
from tests.ledgers import new_workspace

MAIL = "zebedee.quuxmarker@example.org"
OTHER = "zebedee@quuxmarker.example"
MAPPING = (
    (RULES / "mapping.yaml")
    .read_text()
    .replace("  customer: customer\n", "  customer: {column: customer, pseudonym: true}\n", 1)
)
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """Everything anybody of ours logs, down to the last detail."""
    told, ours = io.StringIO(), logging.getLogger("secondlook")
    handler, before = logging.StreamHandler(told), ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield told
    ours.removeHandler(handler)
    ours.setLevel(before)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, log: io.StringIO) -> Iterator[Institution]:
    """Payments of one customer: imported, and decided one by one and together, plainly and by the form."""
    folder = tmp_path_factory.mktemp("pseudonyms")
    root, file = folder / "bank", folder / "mapping.yaml"
    file.write_text(MAPPING)
    admin = Admin("admin-1", PASSWORD)
    new_workspace(root, "pseudonyms", lambda first: create(first, file, proposals(), admin, at=START))
    with served(Workspace(root)) as bank:
        row = f"{{}},2026-01-05T10:00:00Z,{MAIL},k1,m1,d1,food,DE,DE,pos,{{}},EUR,30-39,,"
        rows = [row.format("i1", "12.50"), row.format("i2", "much")]
        sent = {"file": ("people.csv", "\n".join([HEADER.strip(), *rows]) + "\n")}
        report = bank.ask("integrator-1", "POST", "/v1/imports", files=sent).json()
        assert (report["accepted"], report["quarantined"]) == (1, 1), report
        bank.decide(of_mail(large_payment(1)))
        by_form = of_mail(payment(3, amount="00012.50"))  # in no way the plain reader knows
        bank.ask(
            "integrator-1",
            "POST",
            "/v1/decisions/batch",
            json={"transactions": [of_mail(payment(2)), by_form]},
        )
        yield bank


def of_mail(body: dict[str, Any], value: str = MAIL) -> dict[str, Any]:
    return {**body, "entities": {**body["entities"], "customer": value}}


def found(bank: Institution, value: str) -> list[str]:
    answer = bank.ask("auditor-1", "GET", "/v1/decisions", params={"entity": "customer", "value": value})
    return sorted(row["transaction_id"] for row in answer.json()["decisions"])


def by_the_form(bank: Institution, value: str) -> Transaction:
    form = TransactionForm.model_validate(of_mail(payment(9), value))
    sent = Sent(**{name: getattr(form, name) for name in Sent.__dataclass_fields__})
    return checked(sent, bank.app.mapping)


def test_a_payment_read_plainly_is_the_one_the_form_reads(bank: Institution) -> None:
    plainly = reader(bank.app.mapping)(of_mail(payment(9)), NOW)
    assert plainly == by_the_form(bank, MAIL) == by_the_form(bank, f" {MAIL} ")
    assert is_pseudonym("customer", plainly.entities["customer"] or "")
    assert by_the_form(bank, " ").entities["customer"] is None


def test_every_way_in_gives_one_customer_who_is_found_by_name_and_by_pseudonym(bank: Institution) -> None:
    (row,) = bank.app.ledger.read("SELECT DISTINCT customer FROM transactions")
    assert is_pseudonym("customer", row["customer"])
    assert found(bank, MAIL) == found(bank, row["customer"]) == ["t1", "t2", "t3"]
    assert found(bank, OTHER) == []
    page = bank.ask("auditor-1", "GET", "/v1/decisions/t1").json()
    assert page["entities"]["customer"] == row["customer"]
    again = bank.ask("integrator-1", "POST", "/v1/decisions", json=of_mail(large_payment(1), row["customer"]))
    assert again.status_code == 200  # the same content, so the stored decision
    other = bank.ask("integrator-1", "POST", "/v1/decisions", json=of_mail(large_payment(1), OTHER))
    assert other.status_code == 409 and not planted(other.text)


def test_who_is_listed_or_snoozed_by_name_is_caught_by_pseudonym(bank: Institution) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    form = {"entity": "customer", "value": OTHER, "reason": "named by the police", "expires_at": until}
    made = bank.ask("team-lead-1", "POST", "/v1/list-entries", json=form)
    assert made.status_code == 201, made.text
    pseudonym = bank.app.mapping.held("customer", OTHER)
    twice = bank.ask("team-lead-1", "POST", "/v1/list-entries", json={**form, "value": pseudonym})
    assert twice.status_code == 409
    assert bank.decide(of_mail(payment(4), OTHER))["outcome"] == "decline"
    snoozed = bank.ask("risk-manager-1", "POST", "/v1/snoozes", json=form)
    assert snoozed.status_code == 201, snoozed.text
    shown = (
        bank.ask("team-lead-1", "GET", "/v1/list-entries").text
        + bank.ask("team-lead-1", "GET", "/v1/snoozes").text
    )
    assert shown.count(pseudonym) == 2 and not planted(shown)


def test_an_erasure_by_name_finds_the_payments_and_the_rows_kept_apart(bank: Institution) -> None:
    asked = [
        bank.ask(
            "admin-1", "POST", "/v1/erasures/preview", json={"entity": "customer", "value": value}
        ).json()
        for value in (MAIL, bank.app.mapping.held("customer", MAIL), OTHER)
    ]
    assert asked[0] == asked[1] != asked[2]
    assert asked[0]["erased"]["quarantined_rows"] == 1
    blank = bank.ask("admin-1", "POST", "/v1/erasures/preview", json={"entity": "customer", "value": " "})
    assert blank.status_code == 422


def test_a_change_that_names_somebody_is_not_even_kept_as_a_proposal(bank: Institution) -> None:
    policy = proposals()["policy.yaml"].decode()
    for value, status in ((MAIL, 422), (bank.app.mapping.held("customer", OTHER), 201)):
        segment = f"segments:\n  known: {{when: \"customer = '{value}'\"}}\n"
        form = {"reason": "a test", "files": {"policy.yaml": policy.replace("segments:\n", segment, 1)}}
        answer = bank.ask("risk-manager-1", "POST", "/v1/proposals", json=form)
        assert answer.status_code == status, answer.text
        assert not planted(answer.text)
    assert not planted(str(bank.app.ledger.read("SELECT content FROM artefacts")))


def test_the_name_is_in_no_file_of_the_workspace_no_table_and_no_log(
    bank: Institution, log: io.StringIO
) -> None:
    bank.decide(of_mail(payment(5)))
    pseudonym = bank.app.mapping.held("customer", MAIL).encode()
    root, ledger = bank.app.workspace.root, bank.app.ledger
    while_open = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert [file for file, content in while_open.items() if pseudonym in content]  # so it could be seen
    ledger.checkpoint()
    settled = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert not [
        file for files in (while_open, settled) for file, content in files.items() if planted(content)
    ]
    tables = ledger.read("SELECT table_name AS name FROM duckdb_tables() WHERE NOT temporary")
    assert not [row["name"] for row in tables if planted(str(ledger.read(f'SELECT * FROM "{row["name"]}"')))]
    assert not planted(log.getvalue())


def test_a_command_says_which_pseudonym_to_write_into_a_list_and_has_the_name_in_no_address(
    bank: Institution,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "httpx")  # which tells of every address that is asked
    write_private(bank.app.workspace.token_file, bank.token("admin-1"))
    bank.app.workspace.server_file.write_text(orjson.dumps({"url": bank.url}).decode())
    asked = ("mapping", "pseudonym", "customer", MAIL, "--workspace", bank.app.workspace.root)
    assert run(capsys, monkeypatch, *asked)[1] == bank.app.mapping.held("customer", MAIL) + "\n"
    assert f"POST {bank.url}/v1/pseudonyms" in caplog.text and not planted(caplog.text)
    # Not as a word of the command, which a shell keeps, but when it is asked for.
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{MAIL}\n"))
    code, said, aside = run(capsys, monkeypatch, *(word for word in asked if word != MAIL), "--json")
    assert (code, orjson.loads(said)["value"]) == (0, bank.app.mapping.held("customer", MAIL))
    assert "Value" in aside
    unknown = {"entity": "person", "value": MAIL}
    refused = bank.ask("admin-1", "POST", "/v1/pseudonyms", json=unknown)
    assert (refused.status_code, planted(refused.text)) == (422, False)
    assert "'person' is not an entity" in refused.json()["detail"]


def test_a_workspace_put_back_from_a_backup_knows_people_by_the_same_pseudonyms(
    bank: Institution, tmp_path: Path
) -> None:
    made = backups.make(bank.app, tmp_path / "kept", "admin-1", "a test")
    backups.restore(tmp_path / "kept" / made["backup"], tmp_path / "back", by="admin-1", at=NOW)
    back = App.open(Workspace(tmp_path / "back"))
    try:
        assert back.mapping.held("customer", MAIL) == bank.app.mapping.held("customer", MAIL)
    finally:
        back.close()


def test_a_file_is_scored_as_sent_and_refused_where_an_id_would_tell_of_the_name(
    bank: Institution, tmp_path: Path
) -> None:
    assert _as_sent(bank.app.mapping).held("customer", MAIL) == MAIL
    file = tmp_path / "mapping.yaml"
    file.write_text(MAPPING.replace("id: transaction_id", "id: {from: row}"))
    with pytest.raises(InputError, match="cannot be scored where entities are pseudonyms"):
        _as_sent(load_mapping(file))


def test_a_workspace_whose_mapping_no_longer_says_so_is_not_opened(tmp_path: Path, bank: Institution) -> None:
    root = tmp_path / "bank"
    new_workspace(root, "pseudonyms", lambda first: None)
    (root / "mapping.yaml").write_text((RULES / "mapping.yaml").read_text())
    with pytest.raises(MappingError, match="the same person would be two"):
        App.open(Workspace(root))
