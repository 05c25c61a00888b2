"""Does the console work in a real browser: cookie, keys, addresses, a note that survives a reload?"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fake_api import PASSWORD, FakeApi
from fake_server import Running
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 30_000
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with Running(FakeApi.with_work()) as served:
        yield served


@contextmanager
def serving(api: str, folder: Path) -> Iterator[str]:
    """The console's own server in a child process, as `secondlook serve` starts it; its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboards" / "app.py"),
               "--server.address", "127.0.0.1", "--server.port", str(port)]  # fmt: skip
    environment = {**os.environ, "SECONDLOOK_API": api}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_up(base)
            yield base
        finally:
            child.terminate()
            child.wait(20)


@pytest.fixture(scope="module")
def console(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(running.base, tmp_path_factory.mktemp("console")) as base:
        yield base


def wait_until_up(base: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/_stcore/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the console did not start")


@pytest.fixture(scope="module")
def page(console: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=console)
        opened.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield opened
        browser.close()


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("User name").fill("analyst-1")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()


def kept_cookie(page: Page) -> dict[str, object]:
    """The sign-in cookie; it arrives a moment after the page."""
    for _ in range(100):
        found = [dict(c) for c in page.context.cookies() if c["name"] == "secondlook_session"]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError("the sign-in was not kept")


def press(page: Page, key: str) -> None:
    """Press a key as a person does: after a look. The bar takes an earlier one for a key still held down."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(1000)
    page.keyboard.press(key)


def test_an_analyst_signs_in_reviews_by_keyboard_and_loses_nothing_by_a_reload(
    page: Page, running: Running
) -> None:
    sign_in(page)
    cookie = kept_cookie(page)
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")

    page.reload()
    expect(page.get_by_role("button", name="Take the next task")).to_be_visible()

    press(page, "n")
    expect(page.get_by_role("heading", name="Did this customer make this payment?")).to_be_visible()
    page.get_by_label("Note").press_sequentially("fuzzy device")
    expect(page.get_by_text("Draft saved")).to_be_visible()

    page.reload()
    expect(page.get_by_label("Note")).to_have_value("fuzzy device")
    assert page.url.endswith("/review?task=k_0001")

    press(page, "f")
    expect(page.get_by_text("You decide first on this one.")).to_be_visible()
    assert page.url.endswith("/review?task=k_0002")
    assert (running.api.verdicts[0]["value"], running.api.verdicts[0]["note"]) == (
        "confirmed_fraud",
        "fuzzy device",
    )

    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    press(page, "z")
    expect(page.get_by_text("Probability of fraud")).to_be_visible()
    assert running.api.undone == ["v_1"]
    assert page.url.endswith("/review?task=k_0001")

    page.get_by_role("button", name="analyst-1").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    page.wait_for_timeout(1000)
    page.reload()
    expect(page.get_by_label("User name")).to_be_visible()
    assert not [c for c in page.context.cookies() if c["name"] == "secondlook_session"]


def tab_to(page: Page, target: Locator) -> None:
    """Move the focus to something by the Tab key alone."""
    for _ in range(80):
        if target.evaluate(
            "found => found === document.activeElement || found.contains(document.activeElement)"
        ):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not lead to {target}")


def test_a_task_is_worked_from_sign_in_to_the_next_one_by_the_keyboard_alone(
    other: Page, running: Running
) -> None:
    page = other
    page.goto("/")
    for label, typed in (("User name", "analyst-1"), ("Password", PASSWORD)):
        page.get_by_label(label, exact=True).wait_for()
        tab_to(page, page.get_by_label(label, exact=True))
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    kept_cookie(page)
    before = len(running.api.verdicts)

    press(page, "n")
    expect(page.get_by_text("What would have changed the outcome")).to_be_visible()
    task = page.url.rpartition("task=")[2]
    tab_to(page, page.get_by_role("tab", name="Why this score"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("shared a payment with what this one names")).to_be_visible()
    tab_to(page, page.get_by_label("Note"))
    page.keyboard.type("two people, one device")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Dismiss"))
    press(page, "Enter")
    expect(page.get_by_text("You decide first on this one.")).to_be_visible()
    given = running.api.verdicts[before]
    assert (given["task_id"], given["value"], given["note"]) == (task, "legitimate", "two people, one device")


def test_a_note_survives_the_end_of_the_session_while_it_is_typed(other: Page, running: Running) -> None:
    enter(other, "analyst-1", "/review?next=1")
    expect(other.get_by_label("Note")).to_be_visible()
    other.get_by_label("Note").press_sequentially("called the")
    expect(other.get_by_text("Draft saved")).to_be_visible()
    running.api.tokens.clear()
    other.get_by_label("Note").press_sequentially(" customer")
    expect(other.get_by_label("User name")).to_be_visible()
    other.get_by_label("User name").fill("analyst-1")
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("button", name="analyst-1")).to_be_visible()
    other.get_by_role("link", name="Review").click()
    expect(other.get_by_label("Note")).to_have_value("called the customer")


def test_a_rule_half_written_survives_a_reload_without_leaving_the_text(
    other: Page, running: Running
) -> None:
    enter(other, "risk-manager-2", "/rules?edit=new")
    text = other.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_have_value(re.compile("id: my_rule"))
    text.press("Control+Home")
    text.press_sequentially("# two in the morning")
    expect(other.get_by_role("button", name="Start over")).to_be_visible()
    other.reload()
    expect(other.get_by_role("textbox", name="Text", exact=True)).to_have_value(
        re.compile("^# two in the morning")
    )
    expect(other.get_by_text("This is what you had typed and not proposed.")).to_be_visible()


@pytest.fixture
def other(page: Page, console: str) -> Iterator[Page]:
    """A second person's browser."""
    assert page.context.browser is not None
    context = page.context.browser.new_context(viewport={"width": 1280, "height": 900}, base_url=console)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def enter(page: Page, user: str, path: str) -> None:
    """Sign in and go to an address."""
    page.goto("/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=user)).to_be_visible()
    kept_cookie(page)
    page.goto(path)


def test_a_rule_change_is_proposed_by_one_person_and_approved_by_another(
    page: Page, other: Page, running: Running
) -> None:
    enter(page, "risk-manager-1", "/rules?edit=catalogue/shared_device_burst.yaml")
    text = page.get_by_role("textbox", name="Text", exact=True)
    expect(text).to_have_value(re.compile("device_customer_distinct_7d >= 3"))
    text.fill(text.input_value().replace(">= 3", ">= 4"))
    text.press("Control+Enter")
    expect(page.get_by_text("No errors, nothing unpinned.")).to_be_visible()
    page.get_by_label("Reason").fill("four customers from now on")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("You wrote this.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)

    enter(other, "risk-manager-2", "/proposals?proposal=p_0001")
    expect(other.get_by_text("four customers from now on")).to_be_visible()
    expect(other.locator(".sl-added")).to_have_count(1)
    expect(other.get_by_text("68 of 15,703 payments would have been answered otherwise")).to_be_visible()
    other.get_by_label("Reason").fill("looked at the largest")
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_text("decides from the next transaction on")).to_be_visible()
    (approval,) = running.api.approvals
    assert (approval["proposal_id"], approval["reason"]) == ("p_0001", "looked at the largest")
    assert running.api.proposals["p_0001"]["settled_by"] == "risk-manager-2"
