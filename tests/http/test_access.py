"""May exactly the right roles call each endpoint, and does every endpoint say which?

The table in access_matrix.txt is what somebody wanted; the routes are the program's own. Each cell is asked over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from casework.http.access import permission_of
from casework.http.api import ROUTERS, create_api
from casework.http.routes import health, metrics
from casework.people.permissions import ALLOWED, Permission, Role
from tests.http.institution import Institution, large_payment

BESIDE = (health, metrics)  # without /v1
ROUTES: list[tuple[str, APIRoute]] = [
    ("" if part in BESIDE else "/v1", r)
    for part in (*ROUTERS, *BESIDE)
    for r in part.router.routes
    if isinstance(r, APIRoute)
]
MATRIX = Path(__file__).with_name("access_matrix.txt")
PUBLIC = {"POST /v1/sessions", "POST /v1/sessions/outside", "GET /healthz", "GET /readyz"}
# What an auditor may send besides GET: each only works something out, or ends the own session.
WORKS_OUT = {
    "DELETE /v1/sessions/current",
    "POST /v1/audit/verifications",
    "POST /v1/backtests",
    "POST /v1/evidence",
    "POST /v1/previews",
    "POST /v1/pseudonyms",
    "POST /v1/replays",
}
# What an admin may send without a reason: what systems send, what only works something out, what answers with words of
# its own, and what repeats or tries something that was given a reason when it was set up.
NEEDS_NO_REASON = {
    "DELETE /v1/sessions/current",
    "POST /v1/audit/verifications",
    "POST /v1/backtests",
    "POST /v1/decisions",
    "POST /v1/decisions/batch",
    "POST /v1/deliveries/{delivery_id}/resend",
    "POST /v1/erasures/preview",
    "POST /v1/evidence",
    "POST /v1/imports",
    "POST /v1/inbox/{flag_id}/answer",
    "POST /v1/jobs/{name}/run",
    "POST /v1/list-entries/{entry_id}/confirmation",
    "POST /v1/models/{model_id}/flips/{seq}",
    "POST /v1/outcome-imports",
    "POST /v1/outcomes",
    "POST /v1/previews",
    "POST /v1/pseudonyms",
    "POST /v1/replays",
    "POST /v1/rules/check",
    "POST /v1/webhooks/{webhook_id}/ping",
    "PUT /v1/me/unsent",
    "PUT /v1/reviewers/{user}",
}


# Would end the session, train, or walk the chain behind the answer's back.
GOES_ON = {"DELETE /v1/sessions/current", "POST /v1/retrains", "POST /v1/audit/verifications"}


def name(route: tuple[str, APIRoute]) -> str:
    (method,) = route[1].methods
    return f"{method} {route[0]}{route[1].path}"


NAMES = [name(route) for route in ROUTES]


def expected() -> dict[str, str]:
    rows = (line.split() for line in MATRIX.read_text().splitlines() if line and not line.startswith("#"))
    return {f"{method} {path}": who for who, method, path in rows}


def declared(route: APIRoute) -> str:
    permission = permission_of(route)
    if not isinstance(permission, Permission):
        return str(permission)
    return "".join("x" if role in ALLOWED[permission] else "-" for role in Role)


@pytest.fixture(scope="module")
def caller(institution: Institution) -> Iterator[httpx.Client]:
    with institution.client() as client:
        yield client


def ask(
    caller: httpx.Client, institution: Institution, user: str, route: tuple[str, APIRoute]
) -> httpx.Response:
    method, path = name(route).split(" ")
    headers = {"authorization": f"Bearer {institution.token(user)}"} if user else {}
    return caller.request(
        method, re.sub(r"\{[^}]+\}", "nothing-of-that-name", path), headers=headers, json={}
    )


def test_the_table_has_a_line_for_every_endpoint_and_for_no_other() -> None:
    table = expected()
    missing = [f"{declared(route[1])}  {name(route)}" for route in ROUTES if name(route) not in table]
    assert not missing, "not in access_matrix.txt: " + "\n".join(missing)
    assert not table.keys() - set(NAMES)


def test_the_endpoints_asked_here_are_those_of_the_served_interface(institution: Institution) -> None:
    paths = create_api(institution.app).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert served == {each.replace(":path}", "}") for each in NAMES}


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_every_endpoint_names_one_permission_or_is_public_on_purpose(route: tuple[str, APIRoute]) -> None:
    assert permission_of(route[1]) is not None
    assert (declared(route[1]) == "public") == (name(route) in PUBLIC)


def test_every_permission_is_used_by_an_endpoint() -> None:
    assert {permission_of(route) for _, route in ROUTES} - {"public"} == set(Permission)


@pytest.mark.parametrize("route", [r for r in ROUTES if name(r) not in PUBLIC], ids=name)
def test_the_roles_of_the_table_get_in_and_nobody_else(
    institution: Institution, caller: httpx.Client, route: tuple[str, APIRoute]
) -> None:
    wanted = expected()[name(route)]
    assert ask(caller, institution, "", route).status_code == 401
    assert declared(route[1]) == wanted
    for role, may in zip(Role, wanted, strict=True):
        if may == "x" and name(route) in GOES_ON:
            continue  # that the declared roles are the table's was checked above
        answer = ask(caller, institution, f"{role.replace('_', '-')}-1", route)
        if may == "-":
            assert answer.status_code == 403, (role, answer.text)
            assert "may not" in answer.json()["detail"]
        else:
            assert answer.status_code not in (401, 403) and answer.status_code < 500, (role, answer.text)


def test_an_auditor_is_refused_every_change() -> None:
    column = list(Role).index(Role.AUDITOR)
    may = {each for each, who in expected().items() if not each.startswith("GET") and who[column] == "x"}
    assert may <= WORKS_OUT


def test_what_an_auditor_may_send_leaves_everything_but_the_record_of_it_as_it_was(
    institution: Institution, caller: httpx.Client
) -> None:
    headers = {"authorization": f"Bearer {institution.token('auditor-1')}"}
    tables = [row["name"] for row in institution.app.ledger.read(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'main'")]  # fmt: skip
    kept = sorted(set(tables) - {"events", "job_runs", "state_seals"})

    def rows() -> dict[str, int]:
        return {t: institution.app.ledger.read(f'SELECT count(*) AS n FROM "{t}"')[0]["n"] for t in kept}

    before = rows()
    sent = {"POST /v1/replays": {"sample": 1}, "POST /v1/evidence": {"ids": ["nothing"], "reason": "a look"}}
    for each in sorted((WORKS_OUT & set(NAMES)) - GOES_ON):
        method, path = each.split(" ")
        assert caller.request(method, path, headers=headers, json=sent.get(each, {})).status_code < 500
    assert rows() == before


def test_an_admin_says_why_wherever_something_changes() -> None:
    column = list(Role).index(Role.ADMIN)
    for prefix, route in ROUTES:
        each = name((prefix, route))
        if each.startswith("GET") or expected()[each][column] != "x" or each in NEEDS_NO_REASON:
            continue
        in_query = {param.name: param.field_info.is_required() for param in route.dependant.query_params}
        body = getattr(route.body_field and route.body_field.field_info, "annotation", None)
        assert "reason" in getattr(body, "model_fields", {}) or in_query.get("reason"), each


def test_a_case_that_an_analyst_may_not_see_is_answered_like_one_that_is_not_there(
    institution: Institution,
) -> None:
    case_id = institution.decide(large_payment(44, transaction_id="unseen"))["case_id"]

    def told(of: str) -> dict[str, object]:
        form = {"case_id": of, "entity": "device"}
        answer = institution.ask("analyst-1", "POST", "/v1/list-entries", json=form)
        return {**answer.json(), "detail": answer.json()["detail"].replace(of, "")}

    assert told(case_id) == told("case_" + "0" * (len(case_id) - 5))
    assert told(case_id)["status"] == 404
