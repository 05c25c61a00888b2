"""Has every page of every role a state for nothing, for an API that fails, and for a role that may not?

Which pages there are comes from the page table, so that a page added there is held to all of this. What is empty is a
real institution on its first day, served by the real API; what fails is the made-up one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import streamlit as st
from conftest import CONSOLE
from fake_api import USERS, FakeApi
from fake_asking import Json, Refused
from fake_server import Running
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards import role_pages
from tests.http.institution import Institution, make_workspace, served

EVERY = [(role, page) for role, pages in role_pages.ROLE_PAGES.items() for page in pages]
ONCE = [(next(role for role, name in EVERY if name == page), page) for page in role_pages.PAGES]
WORKING = "This goes on by itself"
# Page -> what it says before anything has happened: each names what would put something there.
FIRST_DAY = {
    "queue": "New tasks come when a payment is worth a person's look",
    "review": "Take the next one; if none is waiting",
    "my_work": "A summary of what you answer since your last long pause will be here",
    "training": "A team lead can put somebody in training",
    "cases": "A case opens when a payment is worth a person's look",
    "team": "Too few days on record for a forecast",
    "scorecards": "They come by a daily job, once somebody has answered ten tasks",
    "review_design": "None yet. They come from past cases",
    "decisions": "A payment is decided when it is imported or sent",
    "consistency": "A random share of cases goes to a second person",
    "summary": "Not estimated yet",
    "watch": "The job 'digest' writes one a week",
    "rules": "Select a rule to read it",
    "proposals": "Edit a rule on the Rules page, or a file in the workspace, and propose it",
    "thresholds": "Import history with `secondlook import`",
    "rule_report": "Import history with `secondlook import`",
    "effect": "Import history with `secondlook import`",
    "safety": "a missing model or a failing rule would raise one",
    "lists": "A team lead snoozes a rule for one customer, card or device",
    "models": "The first comes from a retrain on matured labels",
    "jobs": "has not run yet",
    "audit": "Every change of anything is an event",
    "imports": "An integrator or an admin imports one",
    "integration": "Sending an id again returns the stored decision",
}
BUSY = Refused(503, "The ledger is busy", "Another process holds it.", "Try again in a minute.")
FORBIDDEN = Refused(403, "Not allowed", "This role may not read that.", "Ask an admin.")
AT_THE_DOOR = ("/me", "/sessions")
HEADS = {"effect": "Effect of a change"}
REMEMBERED = ("policy", "typologies")
# What stands beside the work and may be missing without a word: the page without it is whole.
UNSAID = ("GET /alarms",)


@dataclass
class RefusingApi(FakeApi):
    """The made-up institution: it notes what it is asked, and refuses what `refuses` says."""

    refuses: Callable[[str], Refused | None] = lambda _: None
    asked: list[str] = field(default_factory=list)

    def answer(
        self, method: str, path: str, query: dict[str, str], body: Json, token: str
    ) -> tuple[int, object]:
        if path not in AT_THE_DOOR:
            self.asked.append(f"{method} {path}")
            if refused := self.refuses(f"{method} {path}"):
                return refused.status, refused.body
        return super().answer(method, path, query, body, token)


def app_of(token: str, page: str) -> AppTest:
    app = AppTest.from_file(str(CONSOLE), default_timeout=30)
    app.session_state["token"] = token
    app.run()
    return app.switch_page(f"app_pages/{page}.py").run()


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make_workspace(tmp_path_factory.mktemp("states") / "bank")) as running:
        yield running


@pytest.fixture(scope="module")
def first_day_apps(first_day: Institution) -> dict[str, AppTest]:
    """One running console a role, so that pages are also entered from one another, as people do."""
    return {}


@pytest.fixture(scope="module")
def served_refusals() -> Iterator[Running]:
    with Running(RefusingApi.with_work()) as running:
        yield running
        st.cache_resource.clear()  # closes the connections, for whose ends the server would wait


@pytest.fixture
def refusing(served_refusals: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[RefusingApi]:
    api = served_refusals.api
    assert isinstance(api, RefusingApi)
    monkeypatch.setenv("SECONDLOOK_API", served_refusals.base)
    yield api
    api.refuses, api.asked = (lambda _: None), []


def test_every_page_has_its_words_for_the_first_day() -> None:
    assert set(FIRST_DAY) == set(role_pages.PAGES)


@pytest.mark.parametrize(("role", "page"), EVERY)
def test_a_page_with_nothing_on_it_says_what_would_fill_it(
    role: str,
    page: str,
    first_day: Institution,
    first_day_apps: dict[str, AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECONDLOOK_API", first_day.url)
    if role not in first_day_apps:
        first_day_apps[role] = app_of(first_day.token(f"{role.replace('_', '-')}-1"), page)
    app = first_day_apps[role].switch_page(f"app_pages/{page}.py").run()
    for _ in range(100):  # a page that works on something asks again by itself, which here nobody does for it
        if WORKING not in seen(app):
            break
        app.run()
    assert not app.exception
    assert not app.error
    assert FIRST_DAY[page] in seen(app)


def opened_as(api: FakeApi, role: str, page: str) -> AppTest:
    return app_of(api.token_for(next(user for user, held in USERS.items() if held == role)), page)


@pytest.mark.parametrize(("role", "page"), ONCE)
@pytest.mark.parametrize("refused", [BUSY, FORBIDDEN], ids=["busy", "forbidden"])
def test_a_page_whose_api_refuses_all_keeps_its_head_and_says_what_to_do_next(
    role: str, page: str, refused: Refused, refusing: RefusingApi
) -> None:
    refusing.refuses = lambda _: refused
    app = opened_as(refusing, role, page)
    assert not app.exception
    assert refusing.asked
    text = seen(app)
    # The head is drawn before the API is asked: it is also what there is to read while an answer takes its time.
    assert app.title[0].value.startswith(HEADS.get(page, role_pages.PAGES[page][0]))
    assert refused.body["hint"] in text
    assert app.warning if refused is FORBIDDEN else app.error


@pytest.mark.soak
@pytest.mark.parametrize(("role", "page"), ONCE)
def test_a_page_survives_each_of_its_questions_failing_alone(
    role: str, page: str, refusing: RefusingApi
) -> None:
    app = opened_as(refusing, role, page)
    for route in sorted(set(asked_again(app, refusing))):
        refusing.refuses = lambda asked, route=route: BUSY if asked == route else None
        assert route in asked_again(app, refusing)
        assert not app.exception, route
        assert BUSY.body["hint"] in seen(app) or route in UNSAID, route


@pytest.mark.soak
@pytest.mark.parametrize("role", role_pages.ROLE_PAGES)
def test_every_page_of_a_role_with_work_on_it_opens(role: str, refusing: RefusingApi) -> None:
    first, *others = role_pages.names(role)
    app = opened_as(refusing, role, first)
    for page in (first, *others):
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, page
        assert not app.error, page


def asked_again(app: AppTest, refusing: RefusingApi) -> list[str]:
    """What the page alone asks when nothing is remembered from before."""
    for name in REMEMBERED:
        if name in app.session_state:
            del app.session_state[name]
    refusing.asked = []
    app.run()
    return refusing.asked
