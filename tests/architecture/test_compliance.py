"""Is everything that the compliance page names really there?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from fastapi.routing import APIRoute

from casework.cli.main import cli
from casework.http.api import ROUTERS
from dashboards.role_pages import PAGES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8")
ENDPOINTS = {
    f"{method} /v1{route.path_format}"
    for part in ROUTERS
    for route in part.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
}
LAWS = (
    "Article 12",
    "Article 13",
    "Article 14",
    "Article 26",
    "Annex III 4(b)",
    "GDPR Article 22",
    "SR 26-2",
)


def named(pattern: str) -> list[str]:
    found = sorted(set(re.findall(pattern, PAGE)))
    assert found, pattern
    return found


@pytest.mark.parametrize("endpoint", named(r"`((?:GET|POST|PUT|DELETE) /[^`? ]+)"))
def test_an_endpoint_that_is_named_exists(endpoint: str) -> None:
    assert endpoint in ENDPOINTS


def test_commands_pages_tests_and_documents_that_are_named_exist() -> None:
    program = typer.main.get_group(cli).commands
    for command in named(r"`secondlook ([a-z -]+?)`"):
        first, *rest = command.split()
        assert first in program and (not rest or rest[0] in program[first].commands), command  # type: ignore[attr-defined]
    titles = {title for title, _ in PAGES.values()}
    assert set(named(r"page \*([^*]+)\*")) <= titles
    for path in named(r"`(tests/[^`]+)`"):
        assert (ROOT / path).exists(), path
    for link in named(r"\]\((?!https)([^)]+)\)"):
        assert (ROOT / "docs" / link).exists(), link


def test_every_law_has_a_table_that_says_what_is_left_to_the_deployer() -> None:
    parts = re.split(r"^##+ ", PAGE, flags=re.M)
    for law in LAWS:
        part = next(part for part in parts if part.startswith(law))
        assert "| left to you |" in part, law
