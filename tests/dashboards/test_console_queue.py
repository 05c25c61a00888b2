"""Does the queue say what is mine, what is next and how urgent it is, and keep its filters in the address?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import streamlit as st
from fake_api import FakeApi
from page_text import seen
from streamlit.testing.v1 import AppTest

Opened = Callable[..., AppTest]


def test_filters_are_asked_of_the_api_and_stay_in_the_address(opened: Opened, api: FakeApi) -> None:
    app = opened("analyst-1", "queue")
    app.session_state["order"], app.session_state["due"] = "deadline", "day"
    app.run()
    assert api.listed[-1] == {"status": "open", "order": "deadline", "due_within_hours": "24", "limit": "50"}
    assert (app.query_params["order"], app.query_params["due"]) == ("deadline", "day")


def test_a_filter_that_leaves_nothing_says_how_to_see_more(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /tasks"] = {"tasks": []}
    text = seen(opened("analyst-1", "queue", due="hours"))
    assert "No such task waits" in text
    assert "widen the filters" in text


def test_what_i_hold_says_why_it_is_here(opened: Opened, api: FakeApi) -> None:
    api.tasks["k_0001"]["claimed_by"] = "analyst-1"
    text = seen(opened("analyst-1", "queue"))
    assert "A rule asks for a person" in text
    assert "decision due in 2 h" in text


def test_an_analysts_list_tells_neither_lane_nor_reason(opened: Opened) -> None:
    table = opened("analyst-1", "queue").dataframe[-1].value
    assert "Lane" not in table.columns
    assert "Why" not in table.columns


def test_the_head_of_the_queue_is_drawn_from_what_the_api_says_at_that_moment(
    opened: Opened, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = count(70)

    def later(draw: Callable[..., None], **options: Any) -> Callable[..., None]:
        """A part that is drawn again by itself, half a minute after the page around it was."""

        def drawn(*given: Any) -> None:
            if options.get("run_every") == 30:
                api.answers["GET /queue"] = {
                    "lanes": [],
                    "mine": [],
                    "open_total": next(waiting),
                    "done_today": 0,
                }
            draw(*given)

        return drawn

    monkeypatch.setattr(st, "fragment", later)
    text = seen(opened("analyst-1", "queue"))
    assert f"Waiting: {next(waiting) - 1}" in text
