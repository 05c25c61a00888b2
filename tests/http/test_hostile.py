"""Does whatever somebody writes into an id, a filter or a field stay text: no SQL, no path, no header, no origin?

Generated over the program's own routes, so that a new endpoint is tried too.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Union, get_args, get_origin

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from casework.http.access import permission_of
from casework.http.security import HEADERS
from casework.people.permissions import ALLOWED, Permission, Role
from tests.http.institution import Institution, payment
from tests.http.test_access import GOES_ON, NAMES, PUBLIC, ROUTES, name

# Each breaks out of both kinds of quotes and out of brackets.
SQL = ("x'\") OR 1=1; DROP TABLE users; --", "x' UNION SELECT password_hash FROM users --")
PATHS = ("..%2f..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd%00.json", "%2e%2e%2fsecondlook.duckdb")
LEAKS = re.compile(
    r"Parser Error|Binder Error|Catalog Error|Conversion Error|\$argon2|root:x:0|Traceback|DUCK"
)
# Would train, walk the chain, copy the whole ledger, or end the session that asks.
NOT_TRIED = GOES_ON | {"POST /v1/backups"}
TRIED = [r for r in ROUTES if name(r) not in NOT_TRIED | PUBLIC]


def role_for(route: APIRoute) -> str:
    """Somebody who gets in: an admin where one may, so that the id is looked at and not only the role."""
    permission = permission_of(route)
    assert isinstance(permission, Permission)
    roles = ALLOWED[permission]
    role = Role.ADMIN if Role.ADMIN in roles else sorted(roles)[0]
    return f"{role.replace('_', '-')}-1"


def sample(kind: Any, text: str) -> Any:
    """A value of this kind with `text` wherever text goes."""
    origin, inner = get_origin(kind), [a for a in get_args(kind) if a is not type(None)]
    if kind is str:
        return text
    if kind is bool:
        return True
    if kind in (int, float):
        return 1
    if kind is datetime:
        return "2026-01-01T00:00:00Z"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return body_of(kind, text)
    if origin in (list, tuple, set):
        return [sample(inner[0], text)]
    if origin is dict:
        return {text: sample(inner[1], text)}
    if origin in (Union, types.UnionType) or hasattr(kind, "__metadata__"):
        return sample(inner[0], text)
    return text


def body_of(model: type[BaseModel], text: str) -> dict[str, Any]:
    return {field: sample(info.annotation, text) for field, info in model.model_fields.items()}


def body_model(route: APIRoute) -> type[BaseModel] | None:
    kind = getattr(route.body_field and route.body_field.field_info, "annotation", None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


@pytest.fixture(scope="module")
def caller(institution: Institution) -> Iterator[httpx.Client]:
    with institution.client() as client:
        yield client


def send(
    institution: Institution, caller: httpx.Client, route: tuple[str, APIRoute], path_text: str, text: str
) -> httpx.Response:
    """The route with `path_text` for each part of its path, and `text` for each filter and field."""
    method, path = name(route).split(" ")
    model = body_model(route[1])
    return caller.request(
        method,
        re.sub(r"\{[^}]+\}", lambda _: path_text, path),
        params={parameter.alias: text for parameter in route[1].dependant.query_params},
        headers={"authorization": f"Bearer {institution.token(role_for(route[1]))}"},
        json=body_of(model, text) if model else None,
    )


def people(institution: Institution) -> list[dict[str, Any]]:
    return institution.app.ledger.read("SELECT user_id, role, disabled_at FROM users ORDER BY user_id")


@pytest.mark.parametrize("route", TRIED, ids=name)
def test_sql_in_ids_filters_and_fields_stays_text(
    institution: Institution, caller: httpx.Client, route: tuple[str, APIRoute]
) -> None:
    before = people(institution)
    for text in SQL:
        answer = send(institution, caller, route, text.replace("/", "%2f"), text)
        assert answer.status_code < 500, answer.text
        assert not LEAKS.search(answer.text), answer.text
    assert people(institution) == before


def of_files(route: tuple[str, APIRoute]) -> bool:
    """Whether an id in the path may become part of a file's name."""
    return any(
        part in route[1].path for part in ("{name}", "{file_id}", "{model_id}", "{rule_id}", "{upload_id}")
    )


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(
            route, marks=() if of_files(route) and name(route).startswith("GET") else pytest.mark.soak
        )
        for route in TRIED
        if "{" in route[1].path
    ],
    ids=name,
)
def test_a_path_in_an_id_leads_nowhere(
    institution: Institution, caller: httpx.Client, route: tuple[str, APIRoute]
) -> None:
    for text in PATHS:
        answer = send(institution, caller, route, text, "x")
        assert 400 <= answer.status_code < 500 or answer.json() == {"found": []}, (text, answer.text[:200])
        assert not LEAKS.search(answer.text)


@pytest.mark.soak
def test_one_filter_at_a_time_too(institution: Institution, caller: httpx.Client) -> None:
    """A bad value of one filter must not hide what another lets through."""
    for route in TRIED:
        method, path = name(route).split(" ")
        if method != "GET":
            continue
        headers = {"authorization": f"Bearer {institution.token(role_for(route[1]))}"}
        for parameter in route[1].dependant.query_params:
            where = re.sub(r"\{[^}]+\}", "nothing", path)
            answer = caller.get(where, params={parameter.alias: SQL[0]}, headers=headers)
            assert answer.status_code < 500, (name(route), parameter.alias, answer.text)
            assert not LEAKS.search(answer.text), (name(route), parameter.alias)


@pytest.mark.parametrize("each", NAMES)
def test_no_other_site_is_let_in_and_every_answer_carries_the_headers(
    institution: Institution, caller: httpx.Client, each: str
) -> None:
    method, path = each.split(" ")
    where = re.sub(r"\{[^}]+\}", "nothing", path)
    origin = {"origin": "https://elsewhere.example", "access-control-request-method": method}
    for answer in (
        caller.options(where, headers=origin),
        caller.request(method, where, headers={"origin": "https://elsewhere.example"}, json={}),
    ):
        assert not [header for header in answer.headers if header.startswith("access-control-")]
        assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_token_in_a_cookie_or_an_address_opens_nothing(institution: Institution) -> None:
    """What a browser sends by itself is no proof of anything, so another site's page cannot act for its visitor."""
    token = institution.token("admin-1")
    with httpx.Client(base_url=institution.url, cookies={"secondlook_session": token}) as visitor:
        assert visitor.get("/v1/me").status_code == 401
        assert visitor.get("/v1/me", params={"token": token, "access_token": token}).status_code == 401
        assert visitor.post("/v1/kill-switch", data={"is_on": "true"}).status_code in (401, 415)


def test_a_line_break_in_a_header_or_an_id_makes_no_second_header(institution: Institution) -> None:
    answer = institution.ask("auditor-1", "GET", "/v1/decisions/x%0d%0aset-cookie:%20a=b")
    assert answer.status_code in (404, 422)
    assert "set-cookie" not in answer.headers


def test_the_lane_of_decisions_carries_the_same_headers(institution: Institution) -> None:
    answer = institution.ask(
        "integrator-1", "POST", "/v1/decisions", json=payment(3, transaction_id="headers")
    )
    assert answer.status_code == 200
    assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS
