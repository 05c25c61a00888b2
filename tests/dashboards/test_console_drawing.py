"""Is a chart worked out once, and anew as soon as anything in it is another?"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import streamlit as st
from altair.utils.schemapi import SchemaValidationError
from streamlit.testing.v1 import AppTest

from dashboards.pieces import charts, drawing
from dashboards.pieces.palette import DARK, LIGHT, Palette

CONSOLE = Path(drawing.__file__).parents[1]
ROWS = [{"name": "one", "count": 3}, {"name": "two", "count": 1}]


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was worked out, in order; nothing is kept from other tests, and nothing goes onto a page."""
    drawing._drawn.clear()
    monkeypatch.setattr(st, "vega_lite_chart", lambda *args, **named: None)
    return []


def maker(worked_out: list[tuple[Any, ...]], name: str = "shares") -> Any:
    """A way of making charts that is called so."""

    def make(rows: list[dict[str, Any]], colours: Palette, **named: Any) -> charts.Picture:
        worked_out.append((len(rows), colours.paper, named))
        return charts.shares(rows, colours)

    make.__qualname__ = name
    return make


def test_the_same_chart_is_worked_out_once(worked_out: list[tuple[Any, ...]]) -> None:
    make = maker(worked_out)
    for _ in range(3):
        drawing.show_chart(make, [dict(row) for row in ROWS], LIGHT, told="shares", key="shares")
    assert len(worked_out) == 1


def test_another_value_theme_setting_or_kind_of_chart_is_worked_out_anew(
    worked_out: list[tuple[Any, ...]],
) -> None:
    make = maker(worked_out)
    drawing.show_chart(make, ROWS, LIGHT, told="shares", key="shares")
    drawing.show_chart(make, [{**ROWS[0], "count": 4}, ROWS[1]], LIGHT, told="shares", key="shares")
    drawing.show_chart(make, ROWS, DARK, told="shares", key="shares")
    drawing.show_chart(make, ROWS, LIGHT, told="shares", key="shares", most=2)
    drawing.show_chart(maker(worked_out, "others"), ROWS, LIGHT, told="shares", key="shares")
    assert len(worked_out) == 5


def _page() -> None:
    from dashboards.pieces import charts, drawing
    from dashboards.pieces.palette import LIGHT

    drawing.show_chart(charts.shares, [{"name": "one", "count": 3}], LIGHT, told="three of one", key="shares")


def _page_as_streamlit_would() -> None:
    import streamlit as st

    from dashboards.pieces import charts
    from dashboards.pieces.palette import LIGHT

    st.altair_chart(
        charts.shares([{"name": "one", "count": 3}], LIGHT), theme=None, alt="three of one", key="shares"
    )


def test_the_page_gets_what_streamlit_would_have_made_of_the_chart() -> None:
    """Twice, since a page may change what it is given."""
    drawing._drawn.clear()
    kept = [AppTest.from_function(_page).run().get("vega_lite_chart")[0].proto for _ in range(2)]
    other = AppTest.from_function(_page_as_streamlit_would).run().get("vega_lite_chart")[0].proto
    for each in kept:
        assert json.loads(each.spec) == json.loads(other.spec)
        assert [d.data.data for d in each.datasets] == [d.data.data for d in other.datasets]
        assert each.datasets, "the rows are beside the chart"
        assert each.theme == other.theme
    assert alt.theme.active == "none"


def test_every_chart_of_the_console_is_made_by_a_module_that_has_a_name_of_its_own() -> None:
    """A page is executed as `__main__`, so that functions of two pages could pass for one."""
    calls = [
        (file.name, call)
        for file in CONSOLE.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "show_chart"
    ]
    assert len(calls) > 10
    assert [file for file, call in calls if not isinstance(call.args[0], ast.Attribute)] == []


def test_no_page_goes_round_it() -> None:
    direct = [
        file.name
        for file in CONSOLE.rglob("*.py")
        if "altair_chart(" in file.read_text() or "vega_lite_chart(" in file.read_text()
    ]
    assert direct == ["drawing.py"]


def test_a_chart_that_vega_lite_would_not_take_fails_where_it_is_tested(
    worked_out: list[tuple[Any, ...]],
) -> None:
    def spoiled(rows: list[dict[str, Any]], colours: Palette) -> charts.Picture:
        chart = charts.shares(rows, colours)
        chart.layer[0].mark = "no such mark"
        return chart

    with pytest.raises(SchemaValidationError, match="no such mark"):
        drawing.show_chart(spoiled, ROWS, LIGHT, told="shares", key="shares")
