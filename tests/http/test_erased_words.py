"""Is what people wrote about somebody's payments gone once it was erased, and only that?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pytest

from casework.keeping import erasing
from casework.keeping.erasing import Scope
from casework.review import verdicts
from data.events import EventDraft
from data.integrity import chain
from tests.http.institution import START, Institution, large_payment, make_workspace, served

NAME = "Astrid Lindqvist"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make_workspace(tmp_path_factory.mktemp("words") / "bank")) as running:
        yield running


def good(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def decided_task(bank: Institution, number: int, customer: str) -> str:
    """The id of the task on a payment of this customer."""
    seq = bank.decide(large_payment(number, entities={"customer": customer}))["seq"]
    found = bank.app.ledger.read("SELECT task_id FROM tasks WHERE transaction_seq = ?", [seq])
    return str(found[0]["task_id"])


def erased(bank: Institution, customer: str) -> dict[str, int]:
    """What an erasure took away, which is what its preview had counted."""
    scope = {"entity": "customer", "value": customer}
    seen = good(bank.ask("admin-1", "POST", "/v1/erasures/preview", json=scope))["erased"]
    done = bank.ask("admin-1", "POST", "/v1/erasures", json={"reason": "a request", **scope})
    assert good(done)["erased"] == seen
    return dict(seen)


def test_the_words_of_corrections_and_of_every_escalation_go_and_are_in_no_event(bank: Institution) -> None:
    app, whose = bank.app, "c-words"
    tasks = [decided_task(bank, number, whose) for number in (50, 51)]
    with app.ledger.writing() as w:  # a past payment shown again
        w.execute("UPDATE tasks SET kind = 'golden', assignee = 'analyst-2' WHERE task_id = ?", [tasks[1]])
    app.__dict__.pop("desk", None)
    body = {"value": "legitimate", "corrections": {"country": f"{NAME} lives in SE"}}
    said = {tasks[0]: ("verdict", body), tasks[1]: ("escalate", {"note": f"I know {NAME}"})}
    for task, (what, form) in said.items():
        good(bank.ask("analyst-2", "POST", f"/v1/tasks/{task}/claim"))
        answer = bank.ask("analyst-2", "POST", f"/v1/tasks/{task}/{what}", json=form)
        assert answer.status_code < 300, answer.text
    with app.ledger.writing() as w:
        w.execute("UPDATE tasks SET kind = 'primary' WHERE task_id = ?", [tasks[1]])  # as its event says
    kept = "SELECT corrections FROM verdicts WHERE task_id = ?"
    assert NAME in app.ledger.read(kept, [tasks[0]])[0]["corrections"]
    erased(bank, whose)
    assert app.ledger.read(kept, [tasks[0]]) == [{"corrections": "{}"}]
    assert app.ledger.read("SELECT field FROM personal_values WHERE contains(value, ?)", [NAME]) == []
    assert app.ledger.read("SELECT kind FROM events WHERE contains(decode(payload), ?)", [NAME]) == []
    report = chain.verify(app.ledger)
    assert report.ok, report.problem


def test_an_escalation_recorded_without_its_payment_is_erased_by_its_task(bank: Institution) -> None:
    """As a version before this one recorded them."""
    app = bank.app
    task = decided_task(bank, 52, "c-older")
    with app.ledger.writing() as w:
        w.event(EventDraft("analyst-1", "task.escalated", f"task:{task}", {}, {"note": "older words"}), START)
    assert erased(bank, "c-older")["written_words"] == 1
    assert app.ledger.read("SELECT 1 FROM personal_values WHERE value = 'older words'") == []


def test_a_verdict_recorded_with_its_corrections_in_clear_still_verifies(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a version before this one recorded them; what is in the chain stays, what is beside it goes."""
    app, words = bank.app, "came from AT"
    task = decided_task(bank, 53, "c-before")
    good(bank.ask("analyst-2", "POST", f"/v1/tasks/{task}/claim"))
    monkeypatch.setattr(verdicts, "_ERASABLE", tuple(n for n in verdicts._ERASABLE if n != "corrections"))
    body = {"value": "legitimate", "corrections": {"country": words}}
    assert bank.ask("analyst-2", "POST", f"/v1/tasks/{task}/verdict", json=body).status_code == 201
    erased(bank, "c-before")
    assert app.ledger.read("SELECT 1 FROM verdicts WHERE contains(corrections, ?)", [words]) == []
    in_clear = app.ledger.read("SELECT kind FROM events WHERE contains(decode(payload), ?)", [words])
    assert in_clear == [{"kind": "verdict.given"}]
    report = chain.verify(app.ledger)
    assert report.ok, report.problem


def test_erasing_a_short_value_leaves_rows_of_others_in_quarantine(bank: Institution) -> None:
    app = bank.app
    column = app.mapping.entities["customer"]
    rows = {
        1: orjson.dumps({column: " 7 ", "amount": "x"}),
        2: orjson.dumps({column: "70", "amount": "7"}),
        3: orjson.dumps({"of_an_older_mapping": "7"}),
        4: orjson.dumps({"of_an_older_mapping": "17"}),
        5: orjson.dumps({column: "7", "note": "cut off at its 4,000th character"})[:-9],
        7: orjson.dumps({column: None, "amount": "7"}),
        6: orjson.dumps({column: "77", "amount": "7 or so"})[:-2],
    }
    with app.ledger.writing() as w:
        each = {"import_id": "imp_7", "file_name": "f", "field": "amount", "reason": "no number"}
        w.insert("quarantine", [{**each, "line": line, "raw": raw.decode()} for line, raw in rows.items()])
        w.event(EventDraft("admin-1", "import.completed", "import:imp_7", {}), START)
    assert erased(bank, "7") == {"quarantined_rows": 3}
    gone = "SELECT line FROM quarantine WHERE import_id = 'imp_7' AND raw = '(erased)' ORDER BY line"
    assert [row["line"] for row in app.ledger.read(gone)] == [1, 3, 5]


class _Counted:
    """A ledger of so many payments that have something to erase, and how often it was asked for some."""

    def __init__(self, payments: int) -> None:
        self._payments, self.asked = payments, 0

    def read(self, sql: str, parameters: Sequence[int]) -> list[dict[str, int]]:
        self.asked += 1
        last, most = parameters
        return [{"seq": seq} for seq in range(last + 1, min(last + most, self._payments) + 1)]


def test_what_is_to_be_erased_is_asked_for_once_for_many_writes() -> None:
    ledger = _Counted(90_001)
    parts = list(erasing.stretches(ledger, Scope("true", (), {})))  # type: ignore[arg-type]
    assert [len(part) for part in parts] == [20_000] * 4 + [10_001]
    assert sorted(seq for part in parts for seq in part) == list(range(1, 90_002))
    assert ledger.asked == 2
