"""Does a payment system get in with its key, for what the key is for, as often as it may, and no longer?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from casework.http.bounds import LARGEST_BODY
from casework.people.keys import SCOPES, Meter, TooManyRequests
from casework.people.permissions import ALLOWED, Role
from casework.people.signin import SignIn
from data.integrity.chain import verify
from tests.http.institution import Institution, payment

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
_count = iter(range(10_000))


def pay(number: int) -> dict[str, Any]:
    return payment(10, transaction_id=f"t{number}")


def make(institution: Institution, **changes: Any) -> dict[str, Any]:
    """A key as its admin gets it."""
    form = {
        "user": "integrator-1",
        "name": f"key {next(_count)}",
        "scopes": ["decide"],
        "reason": "a new system",
    }
    answer = institution.ask("admin-1", "POST", "/v1/api-keys", json={**form, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(institution: Institution, key: dict[str, Any], method: str, path: str, **more: Any) -> httpx.Response:
    """As the system that holds the key."""
    return institution.ask("", method, path, headers={"authorization": f"Bearer {key['secret']}"}, **more)


def revoke(institution: Institution, key: dict[str, Any]) -> None:
    path = f"/v1/api-keys/{key['key_id']}"
    assert institution.ask("admin-1", "DELETE", path, params={"reason": "over"}).status_code == 204


def test_a_key_asks_for_decisions_alone_and_in_batches(institution: Institution) -> None:
    key = make(institution)
    assert ask(institution, key, "POST", "/v1/decisions", json=pay(9001)).status_code == 200
    batch = {"transactions": [pay(9002), pay(9003)]}
    assert ask(institution, key, "POST", "/v1/decisions/batch", json=batch).status_code == 200
    assert ask(institution, key, "GET", "/v1/me").json() == {"user": "integrator-1", "role": "integrator"}


def test_a_key_sends_large_files_of_what_it_is_for_alone(institution: Institution) -> None:
    large = {"file": ("large.csv", b"a,b\n" * (LARGEST_BODY // 4 + 1))}
    told = {}
    for scope in ("outcomes", "import"):
        key = make(institution, scopes=[scope])
        for path in ("/v1/outcome-imports", "/v1/imports"):
            told[scope, path] = ask(institution, key, "POST", path, files=large).status_code
    assert told["outcomes", "/v1/imports"] == told["import", "/v1/outcome-imports"] == 413
    assert (
        told["outcomes", "/v1/outcome-imports"] == told["import", "/v1/imports"] == 422
    )  # read, and no table


def test_a_key_does_what_its_scopes_say_and_nothing_else(institution: Institution) -> None:
    reads = make(institution, scopes=["read"])
    assert ask(institution, reads, "GET", "/v1/dispositions").status_code == 200
    refused = ask(institution, reads, "POST", "/v1/decisions", json=pay(9004))
    assert refused.status_code == 403
    assert refused.json()["detail"].startswith(f"{reads['key_id']}: this key may not request decisions")
    decides = make(institution)
    assert ask(institution, decides, "GET", "/v1/dispositions").status_code == 403


def test_scopes_together_are_what_an_integrator_may_do_and_no_more() -> None:
    role = {permission for permission, roles in ALLOWED.items() if Role.INTEGRATOR in roles}
    assert role - frozenset().union(*SCOPES.values()) == {"be signed in"}
    assert frozenset().union(*SCOPES.values()) <= role


def test_a_revoked_key_is_out_at_once_and_after_a_restart(institution: Institution) -> None:
    key = make(institution)
    revoke(institution, key)
    assert ask(institution, key, "POST", "/v1/decisions", json=pay(9005)).status_code == 401
    with pytest.raises(Exception, match="not valid"):
        SignIn(institution.app.ledger).person(key["secret"], datetime.now(UTC))
    again = institution.ask("admin-1", "DELETE", f"/v1/api-keys/{key['key_id']}", params={"reason": "over"})
    assert again.status_code == 404


def test_a_key_survives_a_restart_with_its_scopes_and_ends_with_its_time(institution: Institution) -> None:
    key = make(institution, scopes=["read"], days=1)
    door, now = SignIn(institution.app.ledger), datetime.now(UTC)
    assert door.person(key["secret"], now).scope == SCOPES["read"] | {"be signed in"}
    with pytest.raises(Exception, match="has expired"):
        door.person(key["secret"], now + timedelta(days=1))


def test_a_key_that_asks_too_often_is_told_when_to_come_back(institution: Institution) -> None:
    key = make(institution, per_second=1)
    batch = {"transactions": [pay(n) for n in range(9100, 9130)]}
    assert ask(institution, key, "POST", "/v1/decisions/batch", json=batch).status_code == 200
    refused = ask(institution, key, "POST", "/v1/decisions", json=pay(9131))
    assert (refused.status_code, refused.json()["title"]) == (429, "Too many requests")
    assert int(refused.headers["retry-after"]) > 10
    assert ask(institution, key, "GET", "/v1/me").status_code == 429
    assert institution.app.ledger.seq_of("t9131") is None


def test_a_meter_lets_a_second_s_worth_through_and_then_as_many_as_time_passes() -> None:
    meter = Meter("key_1", 3)
    for _ in range(3):
        meter.take(1, NOW)
    with pytest.raises(TooManyRequests) as refusal:
        meter.take(1, NOW)
    assert refusal.value.wait_seconds == 1
    meter.take(1, NOW + timedelta(seconds=0.34))
    with pytest.raises(TooManyRequests):
        meter.take(1, NOW + timedelta(seconds=0.35))
    later = NOW + timedelta(hours=1)
    for _ in range(3):
        meter.take(1, later)
    with pytest.raises(TooManyRequests):
        meter.take(1, later)


def test_a_clock_that_jumps_back_gives_no_requests_away() -> None:
    meter = Meter("key_1", 1)
    meter.take(1, NOW)
    with pytest.raises(TooManyRequests):
        meter.take(1, NOW - timedelta(hours=1))
    meter.take(1, NOW + timedelta(hours=-1, seconds=1))


def test_the_secret_is_written_nowhere_and_the_record_stays_whole(institution: Institution) -> None:
    key = make(institution)
    revoke(institution, make(institution))
    tables = ("api_keys", "events", "tokens")
    assert key["secret"] not in str([institution.app.ledger.read(f"SELECT * FROM {t}") for t in tables])
    listed = institution.ask("auditor-1", "GET", "/v1/api-keys")
    assert key["secret"] not in listed.text and "sha256" not in listed.text
    assert key["key_id"] in listed.text
    assert verify(institution.app.ledger).ok


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"user": "analyst-1"}, 404),
        ({"user": "nobody"}, 404),
        ({"scopes": ["everything"]}, 422),
        ({"scopes": []}, 422),
        ({"per_second": 0}, 422),
        ({"days": 731}, 422),
        ({"reason": ""}, 422),
        ({"reason": "  "}, 422),
        ({"name": ""}, 422),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    institution: Institution, changes: dict[str, Any], status: int
) -> None:
    form = {"user": "integrator-1", "name": "odd", "scopes": ["decide"], "reason": "a new system", **changes}
    answer = institution.ask("admin-1", "POST", "/v1/api-keys", json=form)
    assert answer.status_code == status, answer.text


def test_a_name_is_used_once_while_its_key_lives(institution: Institution) -> None:
    key = make(institution, name="twice")
    form = {"user": "integrator-1", "name": "twice", "scopes": ["read"], "reason": "again"}
    assert institution.ask("admin-1", "POST", "/v1/api-keys", json=form).status_code == 409
    revoke(institution, key)
    assert institution.ask("admin-1", "POST", "/v1/api-keys", json=form).status_code == 201


def test_a_key_goes_with_the_user_it_stands_for(institution: Institution) -> None:
    form = {"user": "shop-1", "role": "integrator", "password": "long enough", "reason": "a shop"}
    assert institution.ask("admin-1", "POST", "/v1/users", json=form).status_code == 201
    key = make(institution, user="shop-1")
    assert ask(institution, key, "GET", "/v1/me").status_code == 200
    left = institution.ask("admin-1", "DELETE", "/v1/users/shop-1", params={"reason": "closed"})
    assert left.status_code == 204
    assert ask(institution, key, "GET", "/v1/me").status_code == 401


def test_a_key_neither_signs_out_nor_makes_keys(institution: Institution) -> None:
    key = make(institution, scopes=list(SCOPES))
    assert ask(institution, key, "DELETE", "/v1/sessions/current").status_code == 409
    assert ask(institution, key, "POST", "/v1/api-keys", json={}).status_code == 403
    assert ask(institution, key, "GET", "/v1/me").status_code == 200
