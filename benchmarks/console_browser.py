"""How long does a page take in a real browser: until it shows its figures, and after each of the main actions?

The server and its console run as a child, as `secondlook serve` starts them; Chromium waits until the page's script has
ended and its heading is there. Signing in and the first visit of a page (which compiles it) are not counted.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks.console_calls import PEOPLE

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
]
_PATIENCE_MS = 120_000
_DONE = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1, h2, h3')
        && !document.querySelector('[data-testid="stSkeleton"]');
}"""
_ANSWERED = f"() => ({_DONE})() && !document.querySelector('[data-testid=\"stProgress\"]')"


@dataclass(slots=True)
class Seen:
    """How long one page or action took, in seconds, each time."""

    role: str
    what: str
    seconds: list[float] = field(default_factory=list)

    @property
    def usual(self) -> float:
        return median(self.seconds)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The workspace's console, until the block ends; its address."""
    ports = [_free_port(), _free_port()]
    command = [str(Path(sys.executable).with_name("secondlook")), "serve", "--workspace", str(root),
               "--port", str(ports[0]), "--console-port", str(ports[1])]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ)
    try:
        base = f"http://127.0.0.1:{ports[1]}"
        _wait_until_up(base)
        yield base
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(600)  # what the schedule has begun is ended first


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(base: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/_stcore/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the console did not start")


def watch(
    base: str, password: str, roles: Mapping[str, tuple[str, ...]], rounds: int, limit: int = 0
) -> Iterator[Seen]:
    """Each page of each role, `rounds` times after a first visit, and then that role's actions."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for role, names in roles.items():
            page = browser.new_page(viewport={"width": 1280, "height": 800}, base_url=base)
            page.set_default_timeout(_PATIENCE_MS)
            _sign_in(page, PEOPLE[role], password)
            for name in names:
                seen = Seen(role, name)
                for _ in range(rounds + 1):
                    seen.seconds.append(_timed(page, lambda page=page, name=name: page.goto(f"/{name}")))
                yield Seen(role, name, seen.seconds[1:])
            for what, action in ACTIONS.get(role, {}).items():
                yield Seen(role, what, action(page))
            page.close()
        browser.close()


def _sign_in(page: Page, user: str, password: str) -> None:
    page.goto("/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=user).wait_for()
    page.wait_for_timeout(1000)  # the cookie arrives a moment after the page


def _timed(page: Page, act: Callable[[], object], until: str = _DONE) -> float:
    began = time.perf_counter()
    act()
    page.wait_for_function(until)
    return time.perf_counter() - began


def _next_page(path: str) -> Callable[[Page], list[float]]:
    def act(page: Page) -> list[float]:
        _timed(page, lambda: page.goto(path))
        return [_clicked(page, "Older") for _ in range(3)]

    return act


def _clicked(page: Page, label: str) -> float:
    """A button pressed, until the script it set off has ended."""
    button = page.get_by_role("button", name=label)
    return _timed(page, lambda: (button.first.click(), page.wait_for_timeout(50)))


def _search(page: Page) -> list[float]:
    address = "/decisions?outcome={}"
    return [_timed(page, lambda o=o: page.goto(address.format(o))) for o in ("review", "decline", "approve")]


def _take_and_answer(page: Page) -> list[float]:
    _timed(page, lambda: page.goto("/queue"))
    fresh = page.get_by_role("button", name="Take the next task")
    held = page.get_by_role("button", name="Go on with my task")
    took = _timed(
        page,
        lambda: (fresh.or_(held).first.click(), page.get_by_role("button", name="Confirm fraud").wait_for()),
    )
    return [took]


def _effects(page: Page) -> list[float]:
    """From opening the page until the figures are there, progress included: twice the month, then the quarter."""
    periods = ("30", "30", "90")
    return [_timed(page, lambda p=p: page.goto(f"/effect?period={p}"), _ANSWERED) for p in periods]


ACTIONS: Mapping[str, Mapping[str, Callable[[Page], list[float]]]] = {
    "analyst": {"take the next task": _take_and_answer},
    "team_lead": {"next page of cases": _next_page("/cases")},
    "risk_manager": {"effect, until its figures are there": _effects},
    "auditor": {"decisions by outcome": _search, "next page of decisions": _next_page("/decisions")},
}
