"""Who gets in, what does each role see, and what happens when a session ends or the API is away?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_api import PASSWORD, FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards import role_pages

Opened = Callable[..., AppTest]


def sign_in(app: AppTest, user: str, password: str) -> AppTest:
    app.text_input[0].input(user)
    app.text_input[1].input(password)
    return app.button[0].click().run()


def test_signed_out_there_is_only_the_sign_in(opened: Opened) -> None:
    app = opened()
    assert app.title[0].value == "Second Look"
    assert [box.label for box in app.text_input] == ["User name", "Password"]


def test_the_right_password_leads_to_the_landing_page(opened: Opened) -> None:
    app = sign_in(opened(), "analyst-1", PASSWORD)
    assert app.title[0].value == "Queue"


def test_signing_in_hands_the_browser_a_ticket_and_never_the_token(opened: Opened, api: FakeApi) -> None:
    app = sign_in(opened(), "analyst-1", PASSWORD)
    scripts = [html.proto.body for html in app.get("html") if "script" in html.proto.body]
    assert len(scripts) == 1
    assert not any(token in scripts[0] for token in api.tokens)
    assert not [html for html in app.run().get("html") if "<script" in html.proto.body]


def test_a_wrong_password_says_what_to_do(opened: Opened) -> None:
    text = seen(sign_in(opened(), "analyst-1", "wrong"))
    assert "The user name or the password is wrong" in text
    assert "Check both and try again" in text


def test_an_empty_form_is_not_sent(opened: Opened) -> None:
    app = opened()
    app.button[0].click().run()
    assert "Type your user name and your password" in seen(app)


def test_a_token_that_is_still_good_leads_straight_to_the_landing_page(opened: Opened) -> None:
    assert opened("auditor-1").title[0].value == "Decisions"


def test_a_stale_token_leads_to_the_sign_in(opened: Opened, api: FakeApi) -> None:
    app = opened()
    app.session_state["token"] = "long gone"
    assert app.run().title[0].value == "Second Look"


def test_signing_out_revokes_the_token(opened: Opened, api: FakeApi) -> None:
    app = opened("analyst-1")
    app.button(key="sign_out").click().run()
    assert app.title[0].value == "Second Look"
    assert api.tokens == {}


def test_a_session_that_ends_at_work_goes_to_the_sign_in_and_says_so(opened: Opened, api: FakeApi) -> None:
    app = opened("analyst-1")
    api.tokens.clear()
    app.run()
    assert "Your session has ended" in seen(app)


@pytest.mark.parametrize(
    ("user", "landing", "pages"),
    [
        ("analyst-1", "Queue", ["queue", "review", "my_work", "decisions", "consistency"]),
        (
            "team-lead-1",
            "Queue",
            ["queue", "cases", "decisions", "consistency", "summary", "rules", "proposals", "models", "jobs"],
        ),
        (
            "risk-manager-1",
            "Summary",
            ["summary", "rules", "proposals", "models", "jobs", "cases", "decisions", "consistency", "audit"],
        ),
        (
            "auditor-1",
            "Decisions",
            ["decisions", "audit", "cases", "rules", "proposals", "models", "consistency", "summary"],
        ),
        (
            "admin",
            "Summary",
            ["summary", "jobs", "models", "rules", "proposals", "cases", "decisions", "consistency", "audit"],
        ),
        ("integrator-1", "Integration", ["integration", "imports", "decisions"]),
    ],
)
def test_every_page_of_a_role_opens_without_an_error(
    opened: Opened, user: str, landing: str, pages: list[str]
) -> None:
    app = opened(user)
    assert app.title[0].value == landing
    for page in pages:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, (user, page, app.exception)
        assert not app.error, (user, page, app.error[0].value)


def test_a_role_has_no_way_to_a_page_that_is_not_its_own(opened: Opened) -> None:
    with pytest.raises(ValueError, match="registered"):
        opened("analyst-1").switch_page("app_pages/audit.py")


def test_what_the_role_may_not_do_is_said_as_such(opened: Opened, api: FakeApi) -> None:
    api.fail["GET /queue"] = Refused(
        403, "Not allowed", "The role auditor may not read the queue.", "Ask a team lead."
    )
    text = seen(opened("analyst-1"))
    assert "Your role does not allow this" in text
    assert "Ask a team lead" in text


def test_an_api_that_is_away_is_said_with_its_address_and_a_way_to_try_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened("analyst-1")
    monkeypatch.setenv("SECONDLOOK_API", "http://127.0.0.1:1")
    app.run()
    assert "The API does not answer" in seen(app)
    assert app.button(key="try_again").proto.shortcut == "a"


@pytest.mark.parametrize("role", role_pages.ROLE_PAGES)
def test_every_page_of_a_role_has_one_place_in_its_menus(role: str) -> None:
    placed = [name for names in role_pages.SECTIONS.values() for name in names]
    assert len(placed) == len(set(placed))
    assert set(role_pages.names(role)) <= set(placed)
