"""Is a person's data gone once it was erased, and what goes by itself, with the record whole?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from casework.app import App
from casework.cases import attachments
from casework.keeping import retention
from casework.serving import jobs
from casework.workspace import Workspace
from data.events import EventDraft
from data.integrity import chain
from engine.policy_retention import Retention
from tests.http.institution import START, Institution, large_payment, make_workspace, payment, served

EMAIL, NAME = "astrid.lindqvist@example.org", "Astrid Lindqvist"
SUBJECT = "c-erase"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    """Payments of somebody to be forgotten, one with a case, a note and a file, beside those of others."""
    with served(make_workspace(tmp_path_factory.mktemp("keeping") / "bank")) as running:
        mine = {"entities": {"customer": SUBJECT}, "personal": {"email": EMAIL, "customer_name": NAME}}
        running.decide(payment(1, **mine))
        running.decide(large_payment(2, **mine))
        running.decide(payment(3, personal={"email": "other@example.org"}))
        yield running


def good(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def bytes_of(root: Path) -> bytes:
    """Everything the workspace's own text files and journal hold."""
    return b"".join(f.read_bytes() for f in root.rglob("*") if f.is_file() and f.suffix != ".duckdb")


def noted(bank: Institution) -> None:
    """A note that names the person, as a colleague would write it."""
    seq = bank.app.ledger.seq_of("t2")
    row = {"note_id": "note_1", "case_id": "", "transaction_seq": seq, "author": "analyst-1", "at": START}
    with bank.app.ledger.writing() as w:
        w.insert("notes", [{**row, "content": f"{NAME} called"}])
        payload = {"case_id": "", "transaction_seq": seq}
        w.event(
            EventDraft("analyst-1", "note.written", "note:note_1", payload, {"text": f"{NAME} called"}), START
        )


def test_erasing_a_person_leaves_nothing_of_them_and_the_chain_whole(bank: Institution) -> None:
    app = bank.app
    noted(bank)
    with app.ledger.writing() as w:
        row = {"import_id": "imp_x", "file_name": "f", "line": 1, "field": "time", "reason": "no time"}
        raw = orjson.dumps({"id": "t9", app.mapping.entities["customer"]: SUBJECT, "time": EMAIL}).decode()
        w.insert("quarantine", [{**row, "raw": raw}])
        w.event(EventDraft("admin-1", "import.completed", "import:imp_x", {}), START)
    form = {"reason": "request 4711", "entity": "customer", "value": SUBJECT}
    scope = {"entity": "customer", "value": f" {SUBJECT}\u00a0"}  # blanks say nothing, as of what is sent
    assert bank.ask("auditor-1", "POST", "/v1/erasures/preview", json=scope).status_code == 403
    seen = good(bank.ask("admin-1", "POST", "/v1/erasures/preview", json=scope))
    done = good(bank.ask("admin-1", "POST", "/v1/erasures", json=form))
    assert seen == {name: done[name] for name in ("payments", "erased", "backups")}
    assert done["payments"] == 2
    assert done["erased"].pop("dossiers") > 0
    assert done["erased"] == {"values": 4, "written_words": 1, "quarantined_rows": 1}
    left = app.ledger.read("SELECT owner, value FROM personal_values")
    assert [row["value"] for row in left] == ["other@example.org"]
    assert app.ledger.read("SELECT content FROM notes") == [{"content": "(erased)"}]
    dossier = app.ledger.read("SELECT content FROM dossiers WHERE transaction_seq = 2")[0]["content"]
    assert b"***" not in dossier
    assert EMAIL.encode() not in bytes_of(app.workspace.root)
    report = chain.verify(app.ledger)
    assert report.ok, report.problem
    assert (
        "astrid"
        not in app.ledger.read("SELECT string_agg(decode(payload)) AS all FROM events")[0]["all"].lower()
    )
    again = good(bank.ask("admin-1", "POST", "/v1/erasures", json=form))
    assert (
        again["erased"]
        == good(bank.ask("admin-1", "POST", "/v1/erasures/preview", json=scope))["erased"]
        == {}
    )
    told = good(bank.ask("auditor-1", "GET", "/v1/erasures"))["erasures"]
    assert {row["reason"] for row in told} == {"request 4711"}
    assert SUBJECT not in str(told)


def test_an_erasure_names_every_backup_that_is_still_there_and_none_that_is_gone(
    bank: Institution, tmp_path: Path
) -> None:
    names = [f"secondlook-{number:03}Z" for number in range(60)]
    with bank.app.ledger.writing() as w:
        for name in names:
            (tmp_path / name).mkdir()
            made = {"backup": name, "folder": str(tmp_path)}
            w.event(EventDraft("scheduler", "backup.made", f"backup:{name}", made), START)
    (tmp_path / names[7]).rmdir()
    scope = {"entity": "customer", "value": "nobody"}
    told = good(bank.ask("admin-1", "POST", "/v1/erasures", json={**scope, "reason": "request 4713"}))[
        "backups"
    ]
    assert [name for name in told if name in names] == [name for name in reversed(names) if name != names[7]]
    assert good(bank.ask("admin-1", "POST", "/v1/erasures/preview", json=scope))["backups"] == told


@contextmanager
def an_older_read(bank: Institution) -> Iterator[None]:
    """Something is read for so long that a change is committed meanwhile: DuckDB then refuses a checkpoint."""
    with bank.app.ledger.view() as view:
        view.read("SELECT count(*) FROM events")
        with bank.app.ledger.writing() as w:
            w.execute("UPDATE about SET value = value || '.' WHERE name = 'institution'")
            w.event(EventDraft("admin-1", "ledger.renamed", "ledger", {}), START)
        yield


def test_an_erasure_beside_a_long_query_takes_place_and_the_next_checkpoint_scrubs_the_log_also_after_a_kill(
    bank: Institution, tmp_path: Path
) -> None:
    email = "bo.ek@example.org"
    bank.decide(payment(5, entities={"customer": "c-5"}, personal={"email": email}))
    form = {"reason": "request 4712", "entity": "customer", "value": "c-5"}
    with an_older_read(bank):
        done = good(bank.ask("admin-1", "POST", "/v1/erasures", json=form))
        assert (done["payments"], done["in_log"]) == (1, True)
        assert jobs.checkpoint_due(bank.app)
        assert "at the next turn" in jobs.checkpoint(bank.app)
        shutil.copytree(bank.app.workspace.root, tmp_path / "killed")
    killed = App.open(Workspace(tmp_path / "killed"), bank.app.clock)
    try:
        assert email.encode() in bytes_of(killed.workspace.root)
        assert jobs.checkpoint_due(killed)
        jobs.checkpoint(killed)
        assert email.encode() not in bytes_of(killed.workspace.root)
    finally:
        killed.close()
    assert email.encode() in bytes_of(bank.app.workspace.root)
    jobs.checkpoint(bank.app)
    assert email.encode() not in bytes_of(bank.app.workspace.root)
    assert not jobs.checkpoint_due(bank.app)


def test_who_may_erase_and_what_has_to_be_said(bank: Institution) -> None:
    form = {"reason": "because", "entity": "customer", "value": "c1"}
    assert bank.ask("auditor-1", "POST", "/v1/erasures", json=form).status_code == 403
    for wrong in (
        {"reason": "x"},
        {"entity": "shoe"},
        {"recorded_before": "2026-01-01T00:00:00Z"},
        {"value": ""},
    ):
        answer = bank.ask("admin-1", "POST", "/v1/erasures", json={**form, **wrong})
        assert answer.status_code in (400, 422), wrong


def test_handling_times_go_earlier_and_the_verdict_stays(bank: Institution) -> None:
    app = bank.app
    task = good(bank.ask("analyst-1", "POST", "/v1/tasks/next", json={}))["task_id"]
    body = {"value": "legitimate", "reason_code": "customer_confirmed", "confidence": "high"}
    answer = bank.ask("analyst-1", "POST", f"/v1/tasks/{task}/verdict", json=body)
    assert answer.status_code < 300, answer.text
    at = app.clock()
    assert (
        b"seconds"
        not in app.ledger.read("SELECT payload FROM events WHERE kind = 'verdict.given'")[0]["payload"]
    )
    retention.forget_telemetry(app.ledger, at, at)
    left = app.ledger.read("SELECT value, isnan(seconds) AS gone FROM verdicts")
    assert left == [{"value": "legitimate", "gone": True}]
    assert app.ledger.read("SELECT 1 FROM personal_values WHERE field = 'seconds'") == []
    assert chain.verify(app.ledger).ok


def test_replaying_a_sample_counts_what_came_out_the_same(bank: Institution) -> None:
    made = good(bank.ask("auditor-1", "POST", "/v1/replays", json={"sample": 2, "seed": "s"}))
    assert (made["replayed"], made["same"], made["different"], made["unread_count"]) == (2, 2, 0, 0)
    all_of_them = good(bank.ask("auditor-1", "POST", "/v1/replays", json={"sample": 0}))
    assert all_of_them["replayed"] == all_of_them["decisions"]
    assert good(bank.ask("auditor-1", "GET", "/v1/replays"))["replays"][1]["seed"] == "s"


def test_what_is_older_than_the_policy_keeps_goes_by_itself_with_files_and_drafts(bank: Institution) -> None:
    app, policy = bank.app, bank.app.live.settings.policy
    decided = bank.decide(large_payment(40, personal={"email": EMAIL}))
    task = app.ledger.read("SELECT task_id FROM tasks WHERE transaction_seq = ?", [decided["seq"]])[0]
    kept: dict[str, Any] = {"case_id": decided["case_id"], "author": "analyst-1", "policy": policy}
    kept |= {"transaction_seq": decided["seq"], "at": app.clock()}
    with app.ledger.writing() as w:
        attachments.keep(w, app.workspace.files, name="letter.txt", content=NAME.encode(), **kept)
        draft = {"reviewer": "analyst-1", "content": f"{NAME} says", "saved_at": app.clock(), **task}
        w.insert("drafts", [draft])
    keep = Retention(personal=timedelta(days=183), telemetry=timedelta(days=365))
    young, old = app.clock() + timedelta(days=182), app.clock() + timedelta(days=184)
    retention.apply(app, keep, young)
    assert EMAIL in [row["value"] for row in app.ledger.read("SELECT value FROM personal_values")]
    assert "Personal values of" in retention.apply(app, keep, old)
    owners = app.ledger.read("SELECT 1 FROM personal_values WHERE starts_with(owner, 'transaction:')")
    assert (owners, app.ledger.read("SELECT * FROM drafts")) == ([], [])
    assert app.ledger.read("SELECT DISTINCT name FROM files") == [{"name": "(erased)"}]
    assert [file for file in app.workspace.files.rglob("*") if file.is_file()] == []
    assert NAME.encode() not in bytes_of(app.workspace.root)
    report = chain.verify(app.ledger)
    assert report.ok, report.problem
    assert "No personal value is old enough" in retention.apply(app, keep, old)  # not again every day


def test_rows_kept_apart_go_when_they_are_old_though_no_payment_has_anything_left(bank: Institution) -> None:
    app = bank.app
    keep = Retention(personal=timedelta(days=183), telemetry=timedelta(days=365))
    old = app.clock() + timedelta(days=184)
    retention.apply(app, keep, old)
    counts = {"accepted": 0, "duplicate": 0, "quarantined": 1, "imported_at": app.clock()}
    shas = {"file_sha256": "", "mapping_sha256": ""}
    row = {"import_id": "imp_old", "file_name": "f", "line": 1, "field": "time", "reason": "no time"}
    with app.ledger.writing() as w:
        w.insert("imports", [{"import_id": "imp_old", "file_name": "f", **shas, **counts}])
        w.insert("quarantine", [{**row, "raw": EMAIL}])
        w.event(EventDraft("admin-1", "import.completed", "import:imp_old", {}), START)
    asked = "SELECT raw FROM quarantine WHERE import_id = 'imp_old'"
    retention.apply(app, keep, app.clock() + timedelta(days=182))
    assert app.ledger.read(asked) == [{"raw": EMAIL}]
    assert "0 payments and 1 rows kept apart" in retention.apply(app, keep, old)
    assert app.ledger.read(asked) == [{"raw": "(erased)"}]
    assert "No personal value is old enough" in retention.apply(app, keep, old)
    assert chain.verify(app.ledger).ok
