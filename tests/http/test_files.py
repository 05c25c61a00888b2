"""Are files what they say, kept under their hash, shown to nobody too early, and gone when their time is over?"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from casework.cases import attachments
from casework.serving.jobs import retain
from data.canonical import sha256_hex
from data.errors import DiskError
from data.events import EventDraft
from data.ledger import Head
from tests.data.test_faults import no_file_may_grow_beyond
from tests.http.institution import START, Institution, large_payment

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
HTML = b"<html><script>alert(1)</script></html>"


@pytest.fixture
def case(institution: Institution, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A case that two people must look at (its amount needs four eyes)."""
    return institution.decide(large_payment(1, transaction_id=f"file-{request.node.name}"[:100]))


def upload(institution: Institution, user: str, path: str, name: str, content: bytes) -> httpx.Response:
    return institution.ask(user, "POST", f"/v1{path}/files", files={"file": (name, content)})


def held(institution: Institution, user: str, case: dict[str, Any]) -> str:
    """A task on this case, held by the user."""
    page = institution.ask(user, "POST", "/v1/tasks/next").json()
    while page["transaction"]["transaction_id"] != case["transaction_id"]:
        institution.ask(user, "POST", f"/v1/tasks/{page['task_id']}/release", json={"reason": "another"})
        page = institution.ask(user, "POST", "/v1/tasks/next").json()
    return str(page["task_id"])


def test_a_file_is_kept_under_its_hash_and_comes_back_as_a_harmless_download(
    institution: Institution, case: dict[str, Any]
) -> None:
    path = f"/tasks/{held(institution, 'analyst-1', case)}"
    made = upload(institution, "analyst-1", path, "../../etc/pass<wd>.html", PNG)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["name"], told["media_type"], told["sha256"]) == ("pass_wd.png", "image/png", sha256_hex(PNG))
    kept = institution.app.workspace.files / told["sha256"][:2] / told["sha256"]
    assert kept.read_bytes() == PNG
    answer = institution.ask("analyst-1", "GET", f"/v1/files/{told['file_id']}")
    assert answer.content == PNG
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''pass_wd.png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    event = institution.app.ledger.read(
        "SELECT payload FROM events WHERE kind = 'file.kept' ORDER BY seq DESC"
    )[0]
    assert told["sha256"].encode() in event["payload"]
    assert b"pass_wd" not in event["payload"]  # a name may be personal: the chain has a commitment
    page = institution.ask("analyst-1", "GET", f"/v1{path}").json()
    assert [file["file_id"] for file in page["files"]] == [told["file_id"]]


def test_bytes_whose_record_failed_go_again_unless_another_file_needs_them(
    institution: Institution, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(head: Head) -> None:
        raise DiskError("no room")

    path = f"/cases/{case['case_id']}"
    needed, fresh = PNG + b"needed", PNG + b"fresh"
    assert upload(institution, "team-lead-1", path, "a.png", needed).status_code == 201
    institution.app.ledger.settle()
    with monkeypatch.context() as disk:
        disk.setattr(institution.app.ledger, "_seal_tables", full)
        for content in (needed, fresh):
            assert upload(institution, "team-lead-1", path, "b.png", content).status_code == 503
    kept = {file.name for file in institution.app.workspace.files.glob("*/*")}
    assert sha256_hex(needed) in kept
    assert sha256_hex(fresh) not in kept


def test_a_web_page_is_kept_as_plain_text_only(institution: Institution, case: dict[str, Any]) -> None:
    path = f"/cases/{case['case_id']}"
    told = upload(institution, "team-lead-1", path, "x.html", HTML).json()
    assert (told["name"], told["media_type"]) == ("x.txt", "text/plain")
    answer = institution.ask("team-lead-1", "GET", f"/v1/files/{told['file_id']}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "content", [b"", b"MZ\x90\x00\x03", b"PK\x03\x04\x00", b"\xff\xfe\x00x", b"x" * 2_000_001],
    ids=["empty", "program", "archive", "not UTF-8", "too large"],
)  # fmt: skip
def test_other_files_are_refused(institution: Institution, case: dict[str, Any], content: bytes) -> None:
    answer = upload(institution, "team-lead-1", f"/cases/{case['case_id']}", "x.png", content)
    assert answer.status_code == 422, answer.text


def test_what_one_reviewer_adds_the_other_sees_only_when_the_case_is_settled(
    institution: Institution, case: dict[str, Any]
) -> None:
    first = held(institution, "analyst-1", case)
    file_id = upload(institution, "analyst-1", f"/tasks/{first}", "a.png", PNG).json()["file_id"]
    second = held(institution, "analyst-2", case)
    assert institution.ask("analyst-2", "GET", f"/v1/tasks/{second}").json()["files"] == []
    assert institution.ask("analyst-2", "GET", f"/v1/files/{file_id}").status_code == 404
    for user, task in (("analyst-1", first), ("analyst-2", second)):
        body = {"value": "legitimate"}
        assert institution.ask(user, "POST", f"/v1/tasks/{task}/verdict", json=body).status_code == 201
    assert institution.ask("analyst-2", "GET", f"/v1/files/{file_id}").status_code == 200
    note = {"text": "Called the customer: all is well."}
    path = f"/v1/cases/{case['case_id']}"
    assert institution.ask("analyst-2", "POST", f"{path}/notes", json=note).status_code == 201
    page = institution.ask("analyst-1", "GET", path).json()
    kinds = {entry["kind"] for entry in page["timeline"]}
    assert {"decision", "case", "verdict", "file", "note", "disposition"} <= kinds
    assert note["text"] in str(page["timeline"])


def test_files_go_when_their_time_is_over_and_their_hash_stays(
    institution: Institution, case: dict[str, Any]
) -> None:
    app, path = institution.app, f"/cases/{case['case_id']}"
    content = PNG + b"only here"
    told = upload(institution, "team-lead-1", path, "a.png", content).json()
    kept = app.workspace.files / told["sha256"][:2] / told["sha256"]
    for user in ("analyst-1", "analyst-2"):
        task = held(institution, user, case)
        institution.ask(user, "POST", f"/v1/tasks/{task}/verdict", json={"value": "legitimate"})
    before = app.clock
    app.clock = lambda: before() + timedelta(days=364)
    retain(app)
    assert kept.exists()
    app.clock = lambda: before() + timedelta(days=366)
    retain(app)
    app.clock = before
    assert not kept.exists()
    gone = institution.ask("team-lead-1", "GET", f"/v1/files/{told['file_id']}")
    assert (gone.status_code, "removed when its time was over" in gone.json()["detail"]) == (404, True)
    assert app.ledger.read("SELECT sha256 FROM files WHERE file_id = ?", [told["file_id"]]) == [
        {"sha256": told["sha256"]}
    ]


def test_bytes_that_were_changed_on_disk_are_not_given_out(
    institution: Institution, case: dict[str, Any]
) -> None:
    told = upload(institution, "team-lead-1", f"/cases/{case['case_id']}", "a.png", PNG + b"true").json()
    kept = institution.app.workspace.files / told["sha256"][:2] / told["sha256"]
    kept.write_bytes(PNG + b"false")
    answer = institution.ask("team-lead-1", "GET", f"/v1/files/{told['file_id']}")
    assert (answer.status_code, "not what the record says" in answer.json()["detail"]) == (500, True)


def test_a_full_disk_refuses_a_file_whole_leaves_nothing_of_it_and_takes_it_later(
    institution: Institution, case: dict[str, Any]
) -> None:
    app, path = institution.app, f"/cases/{case['case_id']}"
    institution.token("team-lead-1")
    app.ledger.settle()
    before = set(app.workspace.files.rglob("*.*")), app.ledger.last_event
    with no_file_may_grow_beyond(20):
        refused = upload(institution, "team-lead-1", path, "a.png", PNG + b"no room")
    assert (refused.status_code, refused.json()["title"]) == (503, "The disk takes nothing")
    assert "retry-after" in refused.headers
    assert str(app.workspace.root) not in refused.text
    assert (set(app.workspace.files.rglob("*.*")), app.ledger.last_event) == before
    assert not list(app.workspace.files.rglob(sha256_hex(PNG + b"no room")))
    assert upload(institution, "team-lead-1", path, "a.png", PNG + b"no room").status_code == 201


def test_an_import_for_which_the_disk_has_no_room_is_refused_and_its_file_goes_again(
    institution: Institution,
) -> None:
    institution.token("integrator-1")
    form = {"file": ("rows.csv", b"transaction_id,occurred_at,amount\n")}
    with no_file_may_grow_beyond(20):
        refused = institution.ask("integrator-1", "POST", "/v1/imports", files=form)
    assert (refused.status_code, refused.json()["title"]) == (503, "The disk takes nothing"), refused.text
    assert "File too large" in refused.json()["detail"]
    assert list(institution.app.workspace.root.glob("import-*")) == []


def test_how_many_files_a_payment_has_from_others_or_from_before_cannot_be_found_out(
    institution: Institution, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_EACH", 1)
    paths = {user: f"/tasks/{held(institution, user, case)}" for user in ("analyst-1", "analyst-2")}
    for user, path in paths.items():
        told = [upload(institution, user, path, "a.png", PNG).status_code for _ in range(2)]
        assert told == [201, 409]
    with institution.app.ledger.writing() as w:
        w.execute('UPDATE files SET "at" = "at" - to_microseconds(86400000000)', [])
        w.event(EventDraft("test", "test.older", "files"), START)
    assert upload(institution, "analyst-1", paths["analyst-1"], "a.png", PNG).status_code == 201
