"""How do the console's tests reach it? One fake API over real HTTP for each test, and the app run by AppTest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from altair.utils.schemapi import SchemaBase
from fake_api import FakeApi
from fake_server import Running
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboards.pieces import drawing
from dashboards.task import verdict_bar

CONSOLE = Path(__file__).parents[2] / "dashboards" / "console.py"
Opened = Callable[..., AppTest]
# Each AppTest reads the metadata of every installed package for this, three quarters of what a test would take.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
# As dashboards/.streamlit/config.toml has it, which AppTest does not read: otherwise each test rewrites each page.
config.set_option("runner.magicEnabled", False)
drawing.HELD_TO_SCHEMA = True
_FOUND_VALID: set[tuple[type, str]] = set()
_validate = SchemaBase.validate.__func__


def _validate_once(cls: type[SchemaBase], instance: dict[str, Any], schema: Any = None) -> None:
    """Altair holds each part of a chart to the schema; the same part, in every run of a page, only once."""
    part = (cls, repr((instance, schema)))
    if part not in _FOUND_VALID:
        _validate(cls, instance, schema)
        _FOUND_VALID.add(part)


SchemaBase.validate = classmethod(_validate_once)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setattr(verdict_bar, "LEAST_SECONDS", 0.0)
    with Running(FakeApi.with_work()) as running:
        monkeypatch.setenv("SECONDLOOK_API", running.base)
        yield running.api
        st.cache_resource.clear()


@pytest.fixture
def opened(api: FakeApi) -> Opened:
    """`opened("analyst-1", "review", task="k_0001")`: the app as that person, on that page, after one run."""

    def run(user: str = "", page: str = "", **query: str) -> AppTest:
        app = AppTest.from_file(str(CONSOLE), default_timeout=20)
        if user:
            app.session_state["token"] = api.token_for(user)
        app.run()
        if page:
            app.switch_page(f"app_pages/{page}.py")
            app.query_params.update(query)
            app.run()
        return app

    return run
