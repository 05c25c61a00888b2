"""Do words, colours, charts, client and sign-in cookie keep their promises one by one?"""

from __future__ import annotations

import asyncio
import tomllib
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_tasks import history, task_page
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from dashboards.access import sign_in_cookie
from dashboards.calls.client import ApiError, Client
from dashboards.pieces import charts, palette, waterfall, words
from dashboards.pieces.palette import DARK, LIGHT, Palette
from dashboards.task.task_view import what_decided
from data.money import decimals

CONFIG = Path(__file__).parents[2] / "dashboards" / ".streamlit" / "config.toml"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_console_and_ledger_agree_on_the_decimals_of_every_currency() -> None:
    """What a reviewer types as the amount at loss is scaled by the console, and read by everybody else."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = ["".join(three) for three in product(letters, repeat=3)]
    assert {c: words.minor_digits(c) for c in codes} == {c: decimals(c) for c in codes}


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (123456, "EUR", "1,234.56 EUR"),
        (-50, "EUR", "−0.50 EUR"),
        (1200, "JPY", "1,200 JPY"),
        (1500, "KWD", "1.500 KWD"),
        (None, "EUR", "–"),
    ],
)
def test_money_is_written_with_its_currency_and_minor_digits(
    minor: float | None, currency: str, said: str
) -> None:
    assert words.money(minor, currency) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.67, "67 %"),
        (0.0042, "0.42 %"),
        (0.034, "3.4 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.996, "99.6 %"),
        (None, "–"),
    ],
)
def test_a_small_share_keeps_its_digits(share: float | None, said: str) -> None:
    assert words.percent(share) == said


def test_times_are_in_the_readers_zone() -> None:
    assert words.when("2026-03-01T12:00:00Z", "Europe/Berlin") == "Sun 1 Mar 2026, 13:00"
    assert words.when(None) == words.ABSENT


@pytest.mark.parametrize(
    ("length", "said"),
    [(40, "40 s"), (720, "12 min"), (7980, "2 h 13 min"), (273600, "3 d 4 h"), (0, "0 s"), (86400, "1 d")],
)
def test_spans_use_at_most_two_units(length: int, said: str) -> None:
    assert words.span(timedelta(seconds=length)) == said


def test_a_deadline_that_is_over_says_so() -> None:
    assert words.due("2026-03-01T11:50:00Z", NOW) == "10 min over"
    assert words.due("2026-03-01T14:11:00Z", NOW) == "in 2 h 11 min"


def test_an_unknown_code_is_shown_as_words_rather_than_hidden() -> None:
    assert words.badge("brand_new", words.OUTCOMES) == ":gray-badge[• Brand new]"


@given(st.text(max_size=60))
def test_text_from_data_can_carry_no_markdown(text: str) -> None:
    shown = words.plain(text)
    for mark in "*_[]`<$":
        assert shown.replace("\\" + mark, "").count(mark) == 0


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_coloured_text_of_the_theme_has_aa_contrast(name: str) -> None:
    theme: dict[str, Any] = tomllib.loads(CONFIG.read_text())["theme"][name]
    paper = theme["backgroundColor"]
    assert contrast(theme["textColor"], paper) >= 7
    assert contrast(theme["textColor"], theme["secondaryBackgroundColor"]) >= 7
    for hue in ("green", "orange", "red", "blue", "violet", "gray"):
        text = theme[f"{hue}TextColor"]
        assert contrast(text, theme[f"{hue}BackgroundColor"]) >= 4.5, (name, hue)
        assert contrast(text, paper) >= 4.5, (name, hue)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_every_colour_of_a_chart_stands_out_from_its_paper(colours: Palette) -> None:
    assert contrast(colours.ink, colours.paper) >= 7
    assert contrast(colours.quiet, colours.paper) >= 4.5
    for colour in (colours.approve, colours.review, colours.decline, colours.accent, colours.rule):
        assert contrast(colour, colours.paper) >= 4.5


def test_charts_and_widgets_share_their_paper_and_ink() -> None:
    themes = tomllib.loads(CONFIG.read_text())["theme"]
    for name, colours in (("light", LIGHT), ("dark", DARK)):
        assert (themes[name]["backgroundColor"], themes[name]["textColor"]) == (colours.paper, colours.ink)


def test_the_waterfall_starts_at_the_base_and_ends_at_the_margin() -> None:
    explanation = task_page(1)["explanation"]
    rows = waterfall.steps(explanation)
    assert rows[0].end == explanation["base"]
    assert rows[-2].end == pytest.approx(explanation["margin"])
    assert rows[-1].text == "-0.72 → 67 % calibrated"
    for before, after in pairwise(rows[:-1]):
        assert after.start == before.end


def test_the_waterfall_puts_the_strongest_first_and_the_small_ones_together() -> None:
    rows = waterfall.steps(task_page(1)["explanation"])
    sizes = [abs(row.end - row.start) for row in rows[1:-2]]
    assert sizes == sorted(sizes, reverse=True)
    assert rows[-2].label == "2 smaller influences, together"


def test_rules_stand_on_the_same_picture_as_the_score() -> None:
    page = task_page(1)
    drawn = waterfall.picture(page["explanation"], page["rules"], LIGHT).to_json()
    assert "Rule: One device, many customers" in drawn
    assert "Rule: Merchant with recent fraud" not in drawn


def test_a_spending_finding_needs_earlier_payments() -> None:
    assert charts.spending_finding([], 100) == "There are no earlier payments to compare with"
    assert charts.spending_finding(history(), 5000).endswith("8 as large")


@pytest.mark.parametrize(
    ("probability", "floor", "said"),
    [
        (0.05, "review", "The score alone would approve; a rule asks for review."),
        (0.5, "review", "The score alone asks for review, and so does a rule."),
        (0.95, "review", "The score alone asks for decline."),
        (0.05, None, "The score alone asks for approve."),
    ],
)
def test_it_is_said_whether_score_or_rule_decided(probability: float, floor: str | None, said: str) -> None:
    rules = [{"state": "hit", "floor": floor}] if floor else []
    assert what_decided(probability, {"review_at": 0.18, "decline_at": 0.86}, rules) == said


def post(path: str, content: str = "") -> httpx.Response:
    """What the console's own server answers a browser that posts `content`."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=sign_in_cookie.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            return await client.post(path, content=content)

    return asyncio.run(ask())


def ticket_in(script: str) -> str:
    return script.split("body: '")[1].split("'")[0]


def test_a_ticket_buys_one_cookie_that_no_script_can_read() -> None:
    ticket = ticket_in(sign_in_cookie.keeping_script("secret-token", 60))
    cookie = post(sign_in_cookie.KEEP_PATH, ticket).headers["set-cookie"]
    assert "secondlook_session=secret-token" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Max-Age=60" in cookie
    assert post(sign_in_cookie.KEEP_PATH, ticket).status_code == 403


def test_a_ticket_that_nobody_wrote_buys_nothing() -> None:
    answer = post(sign_in_cookie.KEEP_PATH, "guess")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_dropping_the_cookie_ends_it_at_once() -> None:
    assert "Max-Age=0" in post(sign_in_cookie.DROP_PATH).headers["set-cookie"]


def refusing(answer: httpx.Response) -> Client:
    return Client(httpx.Client(base_url="http://api", transport=httpx.MockTransport(lambda _: answer)))


def test_a_problem_becomes_one_error_with_its_hint() -> None:
    body = {"title": "Not possible now", "detail": "The lock expired.", "hint": "Claim it again."}
    with pytest.raises(ApiError) as caught:
        refusing(httpx.Response(409, json=body)).queue()
    assert str(caught.value) == "Not possible now The lock expired. Claim it again."
    assert caught.value.status == 409


def test_an_answer_that_is_no_problem_json_still_becomes_an_error() -> None:
    with pytest.raises(ApiError, match="Bad Gateway"):
        refusing(httpx.Response(502, text="<html>")).queue()


def test_no_content_is_none() -> None:
    assert refusing(httpx.Response(204)).next_task() is None


def test_pictures_of_a_model_card_stand_on_the_paper_of_the_readers_theme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for colours, turned in ((LIGHT, False), (DARK, True)):
        monkeypatch.setattr(palette, "palette", lambda found=colours: found)
        assert ("st-key-drawn_" in palette.style(), "filter: invert" in palette.style()) == (True, turned)
