"""Can evidence be taken away, and checked by somebody who has nothing but Python?"""

from __future__ import annotations

import io
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from casework.cli.main import cli
from casework.safety import actions, trials
from tests.http.institution import Institution, large_payment, make_workspace, served

FITS = (
    "Everything in this pack fits together. Somebody who made all of it anew would hear the same: only --key KEYFILE,"
    " or the ledger's own hashes of these events, shows that nobody did.\n"
)
EMAIL = "astrid.lindqvist@example.org"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make_workspace(tmp_path_factory.mktemp("evidence") / "bank")) as running:
        running.decide(
            large_payment(1, personal={"email": EMAIL}, entities={"merchant": "<script>alert(1)</script>"})
        )
        yield running


def unpacked(bank: Institution, folder: Path, **form: Any) -> Path:
    answer = bank.ask("auditor-1", "POST", "/v1/evidence", json={"ids": ["t1"], **form})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(folder)
    return folder


def checked(folder: Path, *more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "check_pack.py"), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_pack_checks_itself_and_carries_the_seal(bank: Institution, tmp_path: Path) -> None:
    folder = unpacked(bank, tmp_path)
    assert checked(folder) == (0, FITS)
    ledger = bank.app.ledger
    assert ledger.sealer is not None
    key = str(ledger.keyring.file(ledger.sealer.key.key_id))
    assert checked(folder, "--key", key) == (
        0,
        "Everything in this pack fits, and carries the ledger's seal.\n",
    )
    told = orjson.loads((folder / "evidence.json").read_bytes())
    kinds = {event["kind"] for event in told["events"]}
    assert {"transaction.decided", "case.opened", "task.opened", "set.approved"} <= kinds
    assert any(row["name"].endswith("policy.yaml") for row in told["contents"])


def test_a_pack_that_somebody_made_anew_fits_in_itself_but_not_the_key(
    bank: Institution, tmp_path: Path
) -> None:
    folder = unpacked(bank, tmp_path)
    event_hash = runpy.run_path(str(folder / "check_pack.py"))["event_hash"]
    evidence = orjson.loads((folder / "evidence.json").read_bytes())
    hashes: dict[int, str] = {}
    for event in evidence["events"]:
        event["actor"] = "nobody"
        event["prev_hash"] = hashes.get(event["seq"] - 1, event["prev_hash"])
        event["hash"] = hashes[event["seq"]] = event_hash(event)
    (folder / "evidence.json").write_bytes(orjson.dumps(evidence))
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["evidence.json"] = sha256((folder / "evidence.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))
    assert checked(folder) == (0, FITS)
    ledger = bank.app.ledger
    assert ledger.sealer is not None
    code, told = checked(folder, "--key", str(ledger.keyring.file(ledger.sealer.key.key_id)))
    assert code == 1
    assert "the list of files does not carry the ledger's seal" in told


CHANGES = {
    "declines instead": (
        b'\\"outcome\\":\\"review\\"',
        b'\\"outcome\\":\\"decline\\"',
        "does not have its hash",
    ),
    "another actor": (b'"actor": "engine"', b'"actor": "nobody"', "does not have its hash"),
    "another payment": (b"transaction_id=2:t1", b"transaction_id=2:t9", "the content of payment t1"),
    "another rule": (b"version:", b"Version:", "policy.yaml does not have its hash"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_changed_in_a_pack_is_named(bank: Institution, tmp_path: Path, change: str) -> None:
    folder = unpacked(bank, tmp_path)
    before, after, problem = CHANGES[change]
    file = folder / "evidence.json"
    text = file.read_bytes()
    assert before in text
    file.write_bytes(text.replace(before, after))
    code, told = checked(folder)
    assert code == 1
    assert "evidence.json is missing, or was changed" in told
    assert problem in told


def test_personal_values_leave_for_a_recorded_reason_only(bank: Institution, tmp_path: Path) -> None:
    assert EMAIL.encode() not in (unpacked(bank, tmp_path / "masked") / "evidence.json").read_bytes()
    form = {"ids": ["t1"], "unmask": True}
    assert bank.ask("auditor-1", "POST", "/v1/evidence", json=form).status_code == 422
    folder = unpacked(bank, tmp_path / "whole", unmask=True, reason="court order 12")
    assert EMAIL.encode() in (folder / "evidence.json").read_bytes()
    assert checked(folder)[0] == 0
    file = folder / "evidence.json"
    file.write_bytes(file.read_bytes().replace(EMAIL.encode(), b"someone.else@example.org"))
    assert "email of transaction:1 does not fit its commitment" in checked(folder)[1]
    last = bank.app.ledger.read(
        "SELECT actor, payload FROM events WHERE kind = 'evidence.exported' ORDER BY seq"
    )[-1]
    assert (last["actor"], orjson.loads(last["payload"])["reason"]) == ("auditor-1", "court order 12")


def test_the_page_holds_what_was_decided_and_runs_nothing(bank: Institution, tmp_path: Path) -> None:
    page = (unpacked(bank, tmp_path) / "evidence.html").read_text()
    assert "Transaction t1" in page
    assert "<script" not in page


def test_a_case_can_be_taken_away_by_its_id(bank: Institution, tmp_path: Path) -> None:
    case = bank.app.ledger.read("SELECT case_id FROM cases")[0]["case_id"]
    told = orjson.loads((unpacked(bank, tmp_path, ids=[case]) / "evidence.json").read_bytes())
    assert [row["transaction_id"] for row in told["transactions"]] == ["t1"]
    assert bank.ask("auditor-1", "POST", "/v1/evidence", json={"ids": ["nothing"]}).status_code == 404
    assert bank.ask("analyst-1", "POST", "/v1/evidence", json={"ids": ["t1"]}).status_code == 403


def test_the_command_line_backs_up_restores_erases_and_takes_evidence(tmp_path: Path) -> None:
    make_workspace(tmp_path / "shop")
    run = CliRunner().invoke
    here = ["--workspace", str(tmp_path / "shop"), "--json"]
    made = run(cli, ["backup", "--to", str(tmp_path / "kept"), *here])
    assert made.exit_code == 0, made.output
    name = orjson.loads(made.stdout)["backup"]
    done = run(
        cli,
        ["restore", str(tmp_path / "kept" / name), "--workspace", str(tmp_path / "again"), "--json"],
    )
    assert orjson.loads(done.stdout)["transactions"] == 0
    erased = run(cli, ["erase", "--entity", "customer", "--value", "c1", "--reason", "a request", *here])
    assert orjson.loads(erased.stdout)["payments"] == 0
    replayed = run(cli, ["replay", "--all", "--sample", "5", *here])
    assert (replayed.exit_code, orjson.loads(replayed.stdout)["replayed"]) == (0, 0)
    verified = run(cli, ["audit", "verify", "--workspace", str(tmp_path / "again")])
    assert "Sealed under the ledger's key" in verified.stdout


def test_a_pack_holds_the_earlier_payments_that_reviewers_saw(bank: Institution, tmp_path: Path) -> None:
    bank.decide(large_payment(6))
    folder = unpacked(bank, tmp_path, ids=["t6"])
    earlier = orjson.loads((folder / "evidence.json").read_bytes())["earlier"]
    assert [row["transaction_id"] for row in earlier] == ["t1"]
    assert checked(folder) == (0, FITS)


def test_a_pack_holds_the_rules_of_a_candidate_that_a_rollout_let_decide(
    bank: Institution, tmp_path: Path
) -> None:
    app, at = bank.app, bank.app.clock()
    files = dict(app.live.settings.files)
    files["policy.yaml"] += b"# tried\n"
    with app.ledger.writing() as w:
        tried = trials.keep_candidate(w, files, by="risk-manager-2", reason="try it", at=at)
    asked = {"set_id": tried, "model_id": "", "entity": "customer", "share": 1.0}
    trial = actions.start_rollout(app, **asked, by="risk-manager-1", reason="try it", at=at)
    made = bank.decide(large_payment(2))
    actions.stop_trial(app, trial, by="risk-manager-1", reason="tried", at=at)
    folder = unpacked(bank, tmp_path, ids=[made["transaction_id"]])
    told = orjson.loads((folder / "evidence.json").read_bytes())
    (policy,) = [each["content"] for each in told["contents"] if each["name"] == f"{tried} policy.yaml"]
    assert policy.encode() == files["policy.yaml"]
    assert checked(folder) == (0, FITS)
