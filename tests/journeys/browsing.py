"""The console's own server over an API, and a browser for each person at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from casework.serving import ports
from tests.http.institution import PASSWORD

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
VIEW = {"width": 1280, "height": 900}
_PATIENCE_SECONDS = 90
"""How long one element may take to appear, on a machine that does much else."""
_VISIT_SECONDS = 240
"""How long somebody's whole visit to an address may take: some of Playwright's calls wait without an end."""
HERE: list[People] = []
"""Everybody who is at a console now, so that a journey that fails can say where each of them was."""


@dataclass
class People:
    """Who is at the console: `people["analyst-1"]` is a signed-in browser of that person's own."""

    browser: Browser
    console: str
    folder: Path
    _pages: dict[str, Page] = field(default_factory=dict)
    _patience: threading.Timer | None = None

    def __getitem__(self, user: str) -> Page:
        if user not in self._pages:
            context = self.browser.new_context(viewport=VIEW, base_url=self.console, accept_downloads=True)
            page = context.new_page()
            page.set_default_timeout(_PATIENCE_SECONDS * 1000)
            self._pages[user] = page
            _sign_in(page, user)
        return self._pages[user]

    def open(self, user: str, path: str) -> Page:
        """This person's browser at an address."""
        self.leave()
        self._patience = threading.Timer(_VISIT_SECONDS, _end_browser)
        self._patience.daemon = True
        self._patience.start()
        page = self[user]
        page.goto(path)
        return page

    def leave(self) -> None:
        """Nobody is waited for any more."""
        if self._patience is not None:
            self._patience.cancel()

    def seen(self) -> str:
        """Where everybody is, a sentence each, with a picture of the screen."""
        return "\n".join(self._seen(user, page) for user, page in self._pages.items())

    def _seen(self, user: str, page: Page) -> str:
        picture = self.folder / f"{user}.png"
        try:
            page.screenshot(path=picture, timeout=10_000)
        except Error as gone:
            return f"{user} was at {page.url}; no picture: {str(gone).splitlines()[0]}"
        return f"{user} was at {page.url}, and saw {picture}"


def _end_browser() -> None:
    """The last resort against waiting for ever: without its browser the call that waits fails."""
    for child in psutil.Process().children(recursive=True):
        if "chrom" in child.name():
            child.kill()


def _sign_in(page: Page, user: str) -> None:
    page.goto("/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=user)).to_be_visible()
    for _ in range(300):
        if any(cookie["name"] == "secondlook_session" for cookie in page.context.cookies()):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the sign-in was not kept")


def quiet(page: Page) -> Page:
    """The same page, once its script has run."""
    page.wait_for_timeout(300)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return page


@contextmanager
def at_the_console(api: str, folder: Path) -> Iterator[People]:
    """The console in a child process, as `secondlook serve` starts it, and one Chromium for everybody."""
    with ports.listen(0, "--port") as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboards" / "app.py"),
               "--server.address", "127.0.0.1", "--server.port", str(port)]  # fmt: skip
    with (folder / "console.log").open("wb") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "SECONDLOOK_API": api}, stdout=log, stderr=log
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(base)
            expect.set_options(timeout=_PATIENCE_SECONDS * 1000)
            with sync_playwright() as playwright:
                people = People(
                    playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS), base, folder
                )
                HERE.append(people)
                try:
                    yield people
                finally:
                    HERE.remove(people)
                    people.leave()
                    if people.browser.is_connected():
                        people.browser.close()
        finally:
            child.kill()  # it holds nothing; a console that is asked to end may wait for its sessions
            child.wait(20)


def _wait_until_up(base: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            if httpx.get(f"{base}/_stcore/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the console did not come up")
