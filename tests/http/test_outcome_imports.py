"""Do outcomes that come as a file reach the running server, once, and the next decision?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from casework.workspace import Admin, Workspace, create
from data.integrity import chain
from tests.http.institution import PASSWORD, RULES, START, Institution, payment, proposals, served
from tests.http.test_cli import Shell
from tests.http.test_cli import shell as shell  # a fixture

OUTCOMES = """
outcomes:
  transaction_id: arn
  known_at: reported
  reason_code: reason
  fraud_codes: ["10.4", "4837"]
"""
TOLD = (START + timedelta(hours=3)).isoformat()
FILE = "\n".join(
    ("arn,reported,reason", f"t1,{TOLD},10.4", f"t2,{TOLD},13.1", f"nobody,{TOLD},10.4", "t3,soon,4837")
)


def make(root: Path) -> Workspace:
    mapping = root.with_suffix(".yaml")
    mapping.write_text((RULES / "mapping.yaml").read_text() + OUTCOMES)
    return create(root, mapping, proposals(), Admin("admin-1", PASSWORD), at=START)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make(tmp_path_factory.mktemp("outcomes") / "bank")) as running:
        for number in range(1, 4):
            running.decide(payment(number))
        yield running


def test_a_file_of_outcomes_is_learned_by_the_next_decision(bank: Institution) -> None:
    before = bank.decide(payment(10, transaction_id="before"))
    answer = bank.ask(
        "integrator-1", "POST", "/v1/outcome-imports", files={"file": ("chargebacks.csv", FILE)}
    )
    assert answer.status_code == 201, answer.text
    report = answer.json()
    counts = [report[name] for name in ("accepted", "duplicate", "quarantined", "other_reason", "frauds")]
    assert counts == [1, 0, 2, 1, 1]
    assert [(bad["line"], bad["field"]) for bad in report["examples"]] == [
        (4, "outcomes.transaction_id"),
        (5, "outcomes.known_at"),
    ]
    after = bank.decide(payment(11, transaction_id="after", entities={"customer": "c1"}))
    learned = [name for name in after["features"] if "frauds_learned" in name and "merchant" in name]
    assert learned
    for name in learned:
        assert (before["features"][name], after["features"][name]) == (0, 1)
    assert chain.verify(bank.app.ledger).ok


def test_memory_that_learned_a_file_equals_memory_built_anew(bank: Institution) -> None:
    kept = bank.decide(payment(12, transaction_id="kept"))["features"]
    bank.app.forget()
    anew = bank.decide(payment(12, transaction_id="anew"))["features"]
    labels = [name for name in kept if "fraud" in name]
    assert labels
    assert {name: kept[name] for name in labels} == {name: anew[name] for name in labels}


def test_the_same_file_again_changes_nothing(bank: Institution) -> None:
    rows = bank.app.ledger.read("SELECT * FROM outcomes")
    answer = bank.ask(
        "integrator-1", "POST", "/v1/outcome-imports", files={"file": ("chargebacks.csv", FILE)}
    )
    assert (answer.json()["accepted"], answer.json()["duplicate"]) == (0, 1)
    assert bank.app.ledger.read("SELECT * FROM outcomes") == rows


def test_outcomes_come_in_by_command_too(shell: Shell, tmp_path: Path) -> None:
    workspace = make(tmp_path / "bank")
    (tmp_path / "chargebacks.csv").write_text(FILE)
    code, out, err = shell(
        "import", tmp_path / "chargebacks.csv", "--outcomes", "-w", workspace.root, "--json"
    )
    assert code == 1, err
    report = json.loads(out)["imports"][0]
    assert (report["accepted"], report["quarantined"], report["other_reason"]) == (0, 4, 0)
    code, out, _ = shell("import", tmp_path / "chargebacks.csv", "--outcomes", "-w", workspace.root)
    assert (code, "no transaction of that id was ever seen" in out) == (1, True)


def test_a_mapping_is_drafted_shown_and_used_by_command(shell: Shell, tmp_path: Path) -> None:
    rows = "id,time,amount,customer_id,fraud\n" + "".join(
        f"t{n},2026-01-0{n},{n}.50,c1,0\n" for n in range(1, 9)
    )
    (tmp_path / "rows.csv").write_text(rows)
    code, out, _ = shell("mapping", "suggest", tmp_path / "rows.csv", "--json")
    assert (code, {guess["role"] for guess in json.loads(out)["guesses"]} >= {"id", "clock", "amount"}) == (
        0,
        True,
    )
    made = tmp_path / "mapping.yaml"
    assert shell("mapping", "suggest", tmp_path / "rows.csv", "--out", made)[0] == 0
    assert shell("mapping", "suggest", tmp_path / "rows.csv", "--out", made)[0] == 2
    assert shell("init", tmp_path / "shop", "--mapping", made)[0] == 0
    assert shell("import", tmp_path / "rows.csv", "--workspace", tmp_path / "shop")[0] == 0
    code, out, _ = shell("mapping", "list")
    assert "paysim" in out
    code, out, _ = shell("mapping", "show", "paysim")
    assert (code, "isFraud" in out) == (0, True)
    assert shell("mapping", "show", "nothing")[0] == 2
