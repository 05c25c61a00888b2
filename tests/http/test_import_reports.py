"""Can it be read afterwards who imported which file, what became of its lines, and which were kept apart?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casework.deciding import import_reports
from casework.workspace import Admin, create
from tests.http.institution import PASSWORD, RULES, START, Institution, proposals, served
from tests.http.test_importing_beside import HEADER
from tests.http.test_outcome_imports import OUTCOMES, TOLD

ROW = "{id},{at},c1,k1,m1,d1,food,DE,DE,pos,{amount},EUR,30-39,A Name,a@example.org,{fraud}\n"


def row(number: int, amount: str = "12.50", at: str = "", fraud: str = "") -> str:
    at = at or START.isoformat()
    return ROW.format(id=f"h{number}", at=at, amount=amount, fraud=fraud)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    root: Path = tmp_path_factory.mktemp("imports") / "bank"
    mapping = root.with_suffix(".yaml")
    label = "\nlabel: {column: fraud, known_after: 1h}\n"
    reversals = "  reversal_codes: [won]\n"
    mapping.write_text((RULES / "mapping.yaml").read_text() + label + OUTCOMES + reversals)
    workspace = create(root, mapping, proposals(), Admin("admin-1", PASSWORD), at=START)
    with served(workspace) as running:
        yield running


def sent(bank: Institution, path: str, name: str, text: str, user: str = "integrator-1") -> dict[str, Any]:
    answer = bank.ask(user, "POST", path, files={"file": (name, text)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture(scope="module")
def history(bank: Institution) -> dict[str, Any]:
    """A file of which one row is years older than the rest, and three cannot be used."""
    rows = [row(1, fraud="1"), row(2), row(3, amount="=a lot"), row(4, amount="=a lot"), row(5)[:40] + "\n"]
    newer = sent(bank, "/v1/imports", "history.csv", HEADER + "".join(rows))
    assert (newer["accepted"], newer["quarantined"]) == (2, 3)
    return sent(
        bank, "/v1/imports", "old.csv", HEADER + row(9, at="2018-03-01T10:00:00Z") + row(1), "admin-1"
    )


def listed(bank: Institution) -> dict[str, dict[str, Any]]:
    answer = bank.ask("auditor-1", "GET", "/v1/imports").json()
    return {each["file_name"]: each for each in answer["imports"]}


def test_imports_are_listed_with_who_brought_them_what_they_hold_and_what_to_know(
    bank: Institution, history: dict[str, Any]
) -> None:
    told = sent(
        bank, "/v1/outcome-imports", "told.csv", f"arn,reported,reason\nh1,{TOLD},10.4\nh2,{TOLD},13.1\n"
    )
    found = listed(bank)
    assert list(found) == ["told.csv", "old.csv", "history.csv"]
    assert [each["imported_by"] for each in found.values()] == ["integrator-1", "admin-1", "integrator-1"]
    assert [each["holds"] for each in found.values()] == ["outcomes", "transactions", "transactions"]
    assert found["told.csv"]["import_id"] == told["import_id"]
    assert (found["told.csv"]["frauds"], found["told.csv"]["other_reason"]) == (1, 1)
    assert (found["history.csv"]["labels"], found["history.csv"]["quarantined"]) == (1, 3)
    assert (found["old.csv"]["beyond_memory"], found["old.csv"]["duplicate"]) == (1, 1)


def test_one_import_still_warns_of_what_it_warned_of_and_names_its_quarantined_lines(
    bank: Institution, history: dict[str, Any]
) -> None:
    old = bank.ask("risk-manager-1", "GET", f"/v1/imports/{history['import_id']}").json()
    assert "their windows are empty" in history["warnings"][0]
    assert "their windows are empty" in old["warnings"][0]
    assert (old["reasons"], old["lines"]) == ([], [])
    first = bank.ask("risk-manager-1", "GET", f"/v1/imports/{listed(bank)['history.csv']['import_id']}")
    told = first.json()
    assert told["warnings"] == []
    assert [line["line"] for line in told["lines"]] == [4, 5, 6]
    assert [reason["lines"] for reason in told["reasons"]] == [2, 1]
    assert told["reasons"][0]["field"] == "transaction.amount"


def test_quarantined_lines_are_given_out_without_their_cells_and_without_a_formula(
    bank: Institution, history: dict[str, Any]
) -> None:
    import_id = listed(bank)["history.csv"]["import_id"]
    answer = bank.ask("integrator-1", "GET", f"/v1/imports/{import_id}/quarantine.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    lines = list(csv.reader(answer.text.splitlines()))
    assert lines[0] == ["line", "field", "reason"]
    assert [line[0] for line in lines[1:]] == ["4", "5", "6"]
    assert not [cell for line in lines for cell in line if cell.startswith("=")]
    assert "a@example.org" not in answer.text


def test_lines_that_contradict_another_one_are_one_reason(bank: Institution, history: dict[str, Any]) -> None:
    both = "".join(f"h2,{TOLD},{reason}\nh1,{TOLD},{reason}\n" for reason in ("4837", "won"))
    told = sent(bank, "/v1/outcome-imports", "both.csv", "arn,reported,reason\n" + both)
    found = bank.ask("auditor-1", "GET", f"/v1/imports/{told['import_id']}").json()
    assert told["quarantined"] > 1
    (reason,) = found["reasons"]
    assert (reason["lines"], "another line" in reason["reason"]) == (told["quarantined"], True)


@pytest.mark.parametrize("path", ["/v1/imports/imp_none", "/v1/imports/imp_none/quarantine.csv"])
def test_an_import_that_is_not_on_record_is_not_found(bank: Institution, path: str) -> None:
    answer = bank.ask("auditor-1", "GET", path)
    assert (answer.status_code, answer.json()["hint"]) == (404, "GET /v1/imports lists them.")


def test_labels_that_take_a_fraud_back_are_warned_of_in_words() -> None:
    (sentence,) = import_reports.warnings(0, 3)
    assert sentence.startswith("3 labels of this file say of a transaction that it is no fraud")


@pytest.mark.parametrize("name", ["漢" * 96 + ".csv", "payments " * 27 + ".csv"], ids=["bytes", "length"])
def test_a_file_whose_name_is_as_long_as_names_may_be_comes_in(bank: Institution, name: str) -> None:
    told = sent(bank, "/v1/imports", name, HEADER + row(20))
    assert name.endswith(told["file"])
    assert listed(bank)[told["file_name"]]["import_id"] == told["import_id"]
