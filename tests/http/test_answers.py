"""Do all answers look alike: problems with a hint, headers, documentation, and files that come in?"""

import json
from pathlib import Path
from typing import Any

import pytest

from casework.failures import detail_of
from casework.http.api import create_api
from casework.http.problems import of_error
from data.errors import DiskError, InputError
from tests.http.institution import Institution, payment

COLUMNS = (
    "transaction_id,occurred_at,customer,card,merchant,device,merchant_category,merchant_country,country,"
)
HEADER = COLUMNS + "channel,amount,currency,age_band,customer_name,email\n"


def row(name: str, amount: str = "12.50", at: str = "2026-01-05T10:00:00Z") -> str:
    return f"{name},{at},c1,k1,m1,d1,food,DE,DE,pos,{amount},EUR,30-39,Customer 1,c1@example.org\n"


def send(institution: Institution, content: str | bytes, name: str = "file.csv"):
    return institution.ask("integrator-1", "POST", "/v1/imports", files={"file": (name, content)})


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/tasks/", "/v1"])
def test_a_path_that_does_not_exist_is_a_problem_with_a_hint(institution: Institution, path: str) -> None:
    answer = institution.ask("admin-1", "GET", path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"] == "The endpoints are listed at /docs."


def test_a_wrong_method_is_a_problem_too(institution: Institution) -> None:
    assert institution.ask("admin-1", "PATCH", "/v1/decisions").status_code == 405


def test_every_answer_forbids_sniffing_framing_and_keeping(institution: Institution) -> None:
    for path in ("/healthz", "/v1/me", "/v1/nothing"):
        headers = institution.ask("", "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers or "uvicorn" in headers["server"]


def test_a_refused_sign_in_says_how_and_a_wrong_token_asks_for_one(institution: Institution) -> None:
    body = {"user": "analyst-1", "password": "wrong"}
    answer = institution.ask("", "POST", "/v1/sessions", json=body)
    assert (answer.status_code, answer.json()["detail"]) == (401, "the user name or the password is wrong.")
    unsigned = institution.ask("", "GET", "/v1/me")
    assert unsigned.headers["www-authenticate"] == "Bearer"
    assert "POST /v1/sessions" in unsigned.json()["hint"]


def test_guessing_passwords_is_slowed_with_a_time_to_wait(institution: Institution) -> None:
    body = {"user": "guessed", "password": "wrong"}
    codes = [institution.ask("", "POST", "/v1/sessions", json=body) for _ in range(5)]
    assert [answer.status_code for answer in codes] == [401, 401, 401, 401, 429]
    assert int(codes[-1].headers["retry-after"]) >= 1


def test_signing_in_out_and_who_am_i(institution: Institution) -> None:
    form = {"user": "new-1", "role": "auditor", "password": "long enough", "reason": "audits from now on"}
    made = institution.ask("admin-1", "POST", "/v1/users", json=form)
    assert made.status_code == 201
    session = institution.ask(
        "", "POST", "/v1/sessions", json={"user": "new-1", "password": "long enough"}
    ).json()
    headers = {"authorization": f"Bearer {session['token']}"}
    assert institution.ask("", "GET", "/v1/me", headers=headers).json() == {
        "user": "new-1",
        "role": "auditor",
    }
    assert institution.ask("", "DELETE", "/v1/sessions/current", headers=headers).status_code == 204
    assert institution.ask("", "GET", "/v1/me", headers=headers).status_code == 401


def test_the_documentation_names_every_endpoint_with_a_sentence(institution: Institution) -> None:
    paths = create_api(institution.app).openapi()["paths"]
    assert len(paths) > 40
    for path, methods in paths.items():
        for method, about in methods.items():
            assert about.get("description"), f"{method} {path} has no sentence"


def test_a_file_comes_in_and_the_same_file_again_changes_nothing(institution: Institution) -> None:
    content = HEADER + row("f1") + row("f2") + row("f3", amount="a lot")
    first = send(institution, content).json()
    assert (first["accepted"], first["duplicate"], first["quarantined"]) == (2, 0, 1)
    assert first["file"] == "file.csv"
    assert first["examples"][0]["line"] == 4
    again = send(institution, content).json()
    assert (again["accepted"], again["duplicate"]) == (0, 2)
    listed = institution.ask("auditor-1", "GET", "/v1/imports").json()["imports"]
    assert {i["file_name"] for i in listed} == {"file.csv"}


def test_a_decision_right_after_an_import_counts_what_came_in(institution: Institution) -> None:
    body = payment(1, entities={"customer": "imported"})
    rows = row("g1", at=body["occurred_at"].replace(":30:00", ":10:00")).replace(",c1,", ",imported,", 1)
    assert send(institution, HEADER + rows).json()["accepted"] == 1
    assert institution.decide(body)["features"]["customer_txn_count_1d"] == 1


def test_an_imported_transaction_was_not_decided_and_says_so(institution: Institution) -> None:
    send(institution, HEADER + row("h1"))
    assert institution.ask("auditor-1", "GET", "/v1/decisions/h1").status_code == 404


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("", "empty.csv"),
        (HEADER, "no_rows.csv"),
        ("a,b,c\n1,2,3\n", "other_columns.csv"),
        (b"\x00\x01\x02 not text", "binary.csv"),
        ("transaction_id,occurred_at\n", "not_parquet.parquet"),
        (HEADER, "letter.docx"),
        (HEADER, "../../escape"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    institution: Institution, content: str | bytes, name: str
) -> None:
    before = institution.app.ledger.last_event
    answer = send(institution, content, name)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"].endswith(".")
    assert str(institution.app.workspace.root) not in answer.text
    assert institution.app.ledger.last_event == before
    assert not list(Path(institution.app.workspace.root).glob("import-*"))


@pytest.mark.parametrize("folder", ["/srv/bank", "/srv/a bank/of ours"])
def test_a_failing_disk_is_told_without_the_servers_folders_and_logged_with_them(
    folder: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = f'IO Error: Could not write file "{folder}/ledger.duckdb.wal": No space left'
    answer = of_error(DiskError(f"the disk does not take it ({said})", where=f"{folder}/ledger.duckdb"))
    detail = json.loads(answer.body)["detail"]
    assert (answer.status_code, "srv" in detail, "bank" in detail) == (503, False, False)
    assert detail.startswith("ledger.duckdb: the disk") and '"ledger.duckdb.wal": No space' in detail
    assert f"DiskError at {folder}/ledger.duckdb" in caplog.text


def test_endpoints_and_addresses_in_a_refusal_stay_whole() -> None:
    told = "ask GET /v1/rules/x or https://hooks.example.com/a/b, line 3/4, rules/a.yaml"
    assert detail_of(InputError(told)) == f"{told}."


def test_events_can_be_read_page_by_page_and_carry_their_hashes(institution: Institution) -> None:
    first = institution.ask("auditor-1", "GET", "/v1/events", params={"limit": 3}).json()["events"]
    rest = institution.ask("auditor-1", "GET", "/v1/events", params={"after": first[-1]["seq"]}).json()[
        "events"
    ]
    assert rest[0]["prev_hash"] == first[-1]["hash"]


def test_events_can_be_read_newest_first_page_by_page(institution: Institution) -> None:
    institution.token("auditor-1")  # signing in is an event too
    newest = institution.app.ledger.last_event.seq
    query: dict[str, Any] = {"order": "desc", "limit": 3}
    first = institution.ask("auditor-1", "GET", "/v1/events", params=query).json()["events"]
    assert [event["seq"] for event in first] == [newest, newest - 1, newest - 2]
    query["before"] = first[-1]["seq"]
    older = institution.ask("auditor-1", "GET", "/v1/events", params=query).json()["events"]
    assert [event["seq"] for event in older] == [newest - 3, newest - 4, newest - 5]
    assert institution.ask("auditor-1", "GET", "/v1/events", params={"order": "random"}).status_code == 422
