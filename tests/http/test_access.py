"""May exactly the right roles call each endpoint, and does every endpoint say which?"""

import re

import pytest
from fastapi.routing import APIRoute

from casework.http import health
from casework.http.access import permission_of
from casework.http.api import ROUTERS
from casework.people.permissions import ALLOWED, Permission, Role
from tests.http.institution import Institution

ROUTES: list[APIRoute] = [
    r for part in (*ROUTERS, health) for r in part.router.routes if isinstance(r, APIRoute)
]
PUBLIC = {"/sessions", "/healthz", "/readyz"}


def asked(route: APIRoute) -> tuple[str, str]:
    (method,) = route.methods
    prefix = "" if route.path in ("/healthz", "/readyz") else "/v1"
    return method, prefix + re.sub(r"\{[^}]+\}", "nothing-of-that-name", route.path)


def name(route: APIRoute) -> str:
    return " ".join(asked(route))


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_every_endpoint_names_one_permission_or_is_public_on_purpose(route: APIRoute) -> None:
    declared = permission_of(route)
    assert declared is not None
    assert (declared == "public") == (route.path in PUBLIC)


def test_every_permission_is_used_by_an_endpoint() -> None:
    assert {permission_of(route) for route in ROUTES} - {"public"} == set(Permission)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.path not in PUBLIC], ids=name)
def test_nobody_gets_in_without_a_token_and_only_allowed_roles_with_one(
    institution: Institution, route: APIRoute
) -> None:
    method, path = asked(route)
    permission = permission_of(route)
    assert isinstance(permission, Permission)
    assert institution.ask("", method, path, json={}).status_code == 401
    for role in Role:
        if path == "/v1/sessions/current" or (path == "/v1/retrains" and method == "POST"):
            continue  # would end the session, or train; the table above is what decides
        user = f"{role.replace('_', '-')}-1"
        answer = institution.ask(user, method, path, json={})
        if role not in ALLOWED[permission]:
            assert answer.status_code == 403, (role, answer.text)
        else:
            assert answer.status_code not in (401, 403), (role, answer.text)
