"""Do personal values stay where they belong: out of logs, errors, events, lists, exports and others' screens?

One run with planted markers: what is sent, refused, quarantined, reviewed and exported carries them as personal values.
"""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.http.access import permission_of
from casework.people.permissions import ALLOWED, Permission, Role
from tests.http.institution import PASSWORD, Institution, large_payment, make_workspace, payment, served
from tests.http.test_access import ROUTES, name
from tests.http.test_answers import HEADER

NAME, MAIL = "Zebedee Quuxmarker", "zebedee.quuxmarker@example.org"
MARKERS = ("quuxmarker", "zebedee")


def planted(text: str | bytes) -> bool:
    """Whether a marker is in it, in any case, also if the text is an archive's bytes."""
    whole = text if isinstance(text, bytes) else text.encode()
    return any(marker.encode() in whole.lower() for marker in MARKERS)


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    """Everything anybody logs, down to the last detail."""
    told, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(told), root.level
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield told
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, log: io.StringIO) -> Iterator[Institution]:
    """Payments of one person, decided, reviewed, refused and quarantined."""
    root: Path = tmp_path_factory.mktemp("personal") / "bank"
    with served(make_workspace(root)) as bank:
        personal = {"customer_name": NAME, "email": MAIL}
        bank.decide(payment(1, personal=personal))
        bank.decide(large_payment(2, personal=personal))
        yield bank


def refusals(bank: Institution) -> list[str]:
    """Answers to requests that carry personal values where they do not fit."""
    odd = [
        payment(5, personal={"customer_name": NAME, "shoe_size": MAIL}),
        payment(5, personal={"customer_name": [NAME]}),
        payment(5, personal=NAME),
        payment(5, amount=NAME),
        payment(5, occurred_at=MAIL),
        payment(5, currency=NAME),
        payment(5, entities={"customer": {"name": NAME}}),
        payment(5, attributes={"channel": {"mail": MAIL}}),
        {
            **payment(1),
            "amount": "99.00",
            "personal": {"customer_name": NAME},
        },  # another content under a known id
    ]
    found = [bank.ask("integrator-1", "POST", "/v1/decisions", json=body) for body in odd]
    assert all(400 <= answer.status_code < 500 for answer in found), [a.text for a in found]
    form = {"user": MAIL, "password": NAME}
    found.append(bank.ask("", "POST", "/v1/sessions", json=form))
    found.append(bank.ask("", "POST", "/v1/sessions", json={"user": "analyst-1", "password": NAME}))
    return [answer.text for answer in found]


def test_no_refusal_says_back_what_was_personal(bank: Institution) -> None:
    assert not [text for text in refusals(bank) if planted(text)]


def test_a_file_with_bad_rows_names_places_and_not_people(bank: Institution) -> None:
    good = f"p1,2026-01-05T10:00:00Z,c1,k1,m1,d1,food,DE,DE,pos,12.50,EUR,30-39,{NAME},{MAIL}\n"
    bad = good.replace("12.50", "a lot").replace("p1", "p2")
    file = {"file": ("people.csv", HEADER + good + bad)}
    answer = bank.ask("integrator-1", "POST", "/v1/imports", files=file)
    assert answer.json()["quarantined"] == 1
    assert not planted(answer.text)


def test_no_list_or_page_shows_a_personal_value_to_anybody(bank: Institution) -> None:
    """Every GET that needs no id, as every role that may; and the pages of the payment, its case and task."""
    page = bank.ask("analyst-1", "POST", "/v1/tasks/next")
    task, case = page.json()["task_id"], page.json().get("case_id") or "none"
    ids = [f"/v1/tasks/{task}", f"/v1/cases/{case}", "/v1/decisions/t1", "/v1/decisions/t2", "/v1/replays/t1"]
    answers = {"POST /v1/tasks/next": page.text}
    for each in [r for r in ROUTES if name(r).startswith("GET") and "{" not in r[1].path]:
        permission = permission_of(each[1])
        roles = ALLOWED[permission] if isinstance(permission, Permission) else frozenset({Role.ADMIN})
        role = sorted(roles)[0]
        path = name(each).split(" ")[1]
        answers[f"{role} {path}"] = bank.ask(f"{role.replace('_', '-')}-1", "GET", path).text
    for path in ids:
        for role in Role:
            who = f"{role.replace('_', '-')}-1"
            answers[f"{role} {path}"] = bank.ask(who, "GET", path).text
    assert not [where for where, text in answers.items() if planted(text)]


def test_unmasking_one_field_shows_that_field_and_leaves_its_value_out_of_the_record(
    bank: Institution,
) -> None:
    task = bank.ask("analyst-1", "POST", "/v1/tasks/next").json()["task_id"]
    body = {"field": "email", "reason": "to call back"}
    answer = bank.ask("analyst-1", "POST", f"/v1/tasks/{task}/unmasked", json=body)
    assert MAIL in answer.text and NAME not in answer.text
    assert bank.ask("auditor-1", "POST", f"/v1/tasks/{task}/unmasked", json=body).status_code == 403


def test_evidence_is_handed_out_masked(bank: Institution) -> None:
    pack = bank.ask("auditor-1", "POST", "/v1/evidence", json={"ids": ["t1", "t2"], "reason": "a request"})
    assert pack.status_code == 200, pack.text
    with zipfile.ZipFile(io.BytesIO(pack.content)) as files:
        assert files.namelist()
        assert not [each for each in files.namelist() if planted(files.read(each))]


def test_neither_events_nor_any_table_but_the_erasable_ones_hold_a_personal_value(bank: Institution) -> None:
    tables = bank.app.ledger.read(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'main'"
    )
    held = {
        row["name"]
        for row in tables
        if planted(b" ".join(_bytes(value) for each in bank.app.ledger.read(f'SELECT * FROM "{row["name"]}"')
                             for value in each.values()))
    }  # fmt: skip
    assert held <= {"personal_values", "quarantine"}
    assert "personal_values" in held


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_logs_hold_no_personal_value_no_password_and_no_token(bank: Institution, log: io.StringIO) -> None:
    refusals(bank)
    told = log.getvalue()
    assert told
    assert not planted(told)
    assert PASSWORD not in told
    assert not [token for token in (bank.token("analyst-1"), bank.token("admin-1")) if token in told]
