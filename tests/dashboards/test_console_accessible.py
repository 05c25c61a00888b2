"""Does axe-core find anything serious on any page of any role, in light and in dark?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fake_api import PASSWORD, USERS, FakeApi
from fake_server import Running
from playwright.sync_api import Browser, Page, sync_playwright
from test_console_browser import CHROMIUM, FLAGS, PATIENCE, kept_cookie, serving

from dashboards import role_pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]
SERIOUS = ("serious", "critical")
BY_STREAMLIT: dict[str, str] = {}
"""Rules that Streamlit itself breaks and we cannot mend, each with the selector it breaks them in. None is known."""
PEOPLE = {role: user for user, role in USERS.items()}
AUDIT = (
    "audit?section=decision&id=t_90002",
    "audit?section=day",
    "audit?section=chain",
    "audit?section=evidence",
)
IMPORTS = ("imports?id=imp_1", "imports?id=imp_2")
FURTHER = {"auditor": (*AUDIT, *IMPORTS), "integrator": IMPORTS}
"""Views within a page that have an address of their own, by the role that looks at them."""
EVERY = [
    (PEOPLE[role], path)
    for role in role_pages.ROLE_PAGES
    for path in (*role_pages.names(role), *FURTHER.get(role, ()))
]
MAIN = [
    ("analyst-1", "review?task=k_0001"),
    ("risk-manager-1", "summary"),
    ("auditor-1", AUDIT[0]),
    ("integrator-1", "imports"),
    ("integrator-1", IMPORTS[0]),
]


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Running(FakeApi.with_work()) as served, serving(served.base, tmp_path_factory.mktemp("axe")) as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def visit(browser: Browser, console: str, user: str, theme: str) -> Page:
    """Signed in, on a tablet's width in dark and a laptop's in light."""
    size = {"width": 1280, "height": 800} if theme == "light" else {"width": 820, "height": 1180}
    page = browser.new_context(viewport=size, color_scheme=theme, base_url=console).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    page.goto("/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=user).wait_for()
    kept_cookie(page)
    return page


def faults(page: Page, path: str) -> list[str]:
    """What axe-core calls serious or critical on the page at this address, and a table too wide for the screen."""
    page.goto(f"/{path}")
    page.get_by_test_id("stMain").get_by_test_id("stElementContainer").nth(1).wait_for(state="attached")
    return faults_shown(page)


def faults_shown(page: Page) -> list[str]:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(800)
    told: list[dict[str, Any]] = Axe().run(page).response["violations"]
    found = [
        f"{each['id']}: {node['html'][:160]}"
        for each in told
        if each["impact"] in SERIOUS and each["id"] not in BY_STREAMLIT
        for node in each["nodes"][:3]
    ]
    wide = page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth")
    return [*found, *([f"{wide} px too wide"] if wide > 0 else [])]


def test_axe_sees_a_picture_without_words(browser: Browser, console: str) -> None:
    page = browser.new_context(base_url=console).new_page()
    page.goto("/")
    page.get_by_label("User name").wait_for()
    page.evaluate(
        "document.querySelector('[data-testid=stMain]').innerHTML += '<h1>x</h1><img src=\"x.png\">'"
    )
    told = Axe().run(page).response["violations"]
    assert "image-alt" in {each["id"] for each in told}
    page.context.close()


@pytest.mark.parametrize(("user", "path"), MAIN, ids=lambda value: str(value).split("?")[0])
def test_the_main_pages_have_no_serious_fault(browser: Browser, console: str, user: str, path: str) -> None:
    page = visit(browser, console, user, "light")
    assert faults(page, path) == []
    page.context.close()


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_that_is_chosen_and_what_came_of_it_have_no_serious_fault(
    browser: Browser, console: str, theme: str
) -> None:
    page = visit(browser, console, "integrator-1", theme)
    page.goto("/imports")
    page.locator('input[type="file"]').set_input_files(
        {"name": "a file.csv", "mimeType": "text/csv", "buffer": b"id,amount\n1,2\n"}
    )
    page.get_by_text("a file.csv").wait_for()
    assert faults_shown(page) == []
    page.get_by_role("button", name="Import it").click()
    page.get_by_text("Quarantined lines").wait_for()
    assert faults_shown(page) == []
    page.context.close()


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("user", dict.fromkeys(user for user, _ in EVERY))
def test_no_page_of_any_role_has_a_serious_fault(
    browser: Browser, console: str, user: str, theme: str
) -> None:
    page = visit(browser, console, user, theme)
    found = {path: faults(page, path) for who, path in EVERY if who == user}
    page.context.close()
    assert {path: bad for path, bad in found.items() if bad} == {}
