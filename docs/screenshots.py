"""What does the console look like today? Signs in to a running demo as each role and writes docs/screenshots/*.png.

secondlook demo                                  in one terminal
make screenshots                                 in another
python docs/screenshots.py --url http://127.0.0.1:8501 --only task
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Error, Page, StorageState, TimeoutError, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 60_000
COLUMNS = (
    "transaction_id,occurred_at,amount,currency,customer,card,merchant,device,merchant_category,merchant_country,"
    "country,channel,age_band,customer_name,email\n"
)
REST = ",EUR,cust_000906,card_000210,merch_000255,dev_000906,groceries,DE,DE,pos,30-39,A Customer,a@example.org\n"
"""What each row of the small file ends with."""
MOST_TRIES = 12
"""How many tasks are looked at for one that shows its score."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks, at which address, and what to do first."""

    name: str
    user: str
    path: str
    first: Callable[[Page], None] | None = None
    theme: Literal["light", "dark"] = "light"
    height: int = 800
    width: int = 1280
    leads_to: str = ""
    """The page that is seen in the end, where that is not the one of the address."""

    @property
    def page(self) -> str:
        """Which of the console's pages is on the picture; "" for the sign-in."""
        return self.leads_to or self.path.partition("?")[0]


def take_next(page: Page) -> None:
    fresh, held = (
        page.get_by_role("button", name=name) for name in ("Take the next task", "Go on with my task")
    )
    fresh.or_(held).click()
    page.get_by_role("button", name="Confirm fraud").wait_for()


def take_with_score(page: Page) -> None:
    """Take tasks until one shows its score, giving the others back."""
    take_next(page)
    for _ in range(MOST_TRIES):
        settle(page)
        if page.get_by_test_id("stVegaLiteChart").count() >= 3:  # strip, waterfall, spending
            return
        page.get_by_role("button", name="Put back").click()
        page.get_by_role("button", name="Put it back").click()
        page.get_by_role("heading", name="Queue").wait_for()
        settle(page)
        take_next(page)
    raise TimeoutError(f"None of {MOST_TRIES} tasks shows its score.")


def train(page: Page) -> None:
    """Answer a past case, so that what was right is told."""
    begin, held = (
        page.get_by_role("button", name=name) for name in ("Take the next past case", "Go on with")
    )
    begin.or_(held).first.click()
    page.get_by_role("button", name="Dismiss").wait_for()
    settle(page)
    page.wait_for_timeout(1000)  # an earlier answer counts as a key still held down
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_text("You said Legitimate").wait_for()


def see_effect(page: Page) -> None:
    """Wait until the past has been decided again."""
    page.get_by_text("answered otherwise").first.wait_for(timeout=4 * PATIENCE)


def open_tab(name: str) -> Callable[[Page], None]:
    """A task that shows its score, with one of its tabs open."""

    def opened(page: Page) -> None:
        take_with_score(page)
        page.get_by_role("tab", name=name).click()
        settle(page)

    return opened


def open_first_row(page: Page) -> None:
    """Select the first row of the page's table (drawn on a canvas, so by its place)."""
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for()
    table.click(position={"x": 17, "y": 50})
    settle(page)


def open_proposal(page: Page) -> None:
    """Look at the newest open proposal, once the past has been decided again under it."""
    open_first_row(page)
    page.get_by_text("answered otherwise").first.wait_for(timeout=4 * PATIENCE)


def mistype(page: Page) -> None:
    """Type two noughts too many into a threshold."""
    text = page.get_by_label("Text")
    text.fill(text.input_value().replace("amount_minor <= 1500", "amount_minor <= 150000"))
    text.press("Control+Enter")
    page.get_by_text("tests fail").wait_for()


def send_file(page: Page) -> None:
    """Import a small file of which two lines cannot be used."""
    at = datetime.now(UTC) - timedelta(days=2)
    amounts = ("12.50", "8.90", "thirty", "41.00", "1.234,00", "19.95")
    rows = [
        f"late_{at:%m%d%H}_{n},{at:%Y-%m-%dT%H:00:00Z},{amount}{REST}" for n, amount in enumerate(amounts)
    ]
    content = "".join([COLUMNS, *rows]).encode()
    page.locator('input[type="file"]').set_input_files(
        {"name": "late-terminals.csv", "mimeType": "text/csv", "buffer": content}
    )
    settle(page)
    page.get_by_role("button", name="Import it").click()
    page.get_by_text("Quarantined lines").wait_for()


def read_scorecard(page: Page) -> None:
    """Look at the first scorecard that may be read."""
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("These figures advise").wait_for()


def verify(page: Page) -> None:
    page.get_by_role("button", name="Verify the whole chain").click()
    page.get_by_text("nothing was altered").wait_for(timeout=4 * PATIENCE)


def tell_story(page: Page) -> None:
    """From a decision to everything that is on record about it."""
    open_first_row(page)
    page.get_by_role("link", name=re.compile("story", re.IGNORECASE)).first.click()
    page.get_by_role("heading", name="Audit").wait_for()
    settle(page)


SHOTS = (
    Shot("sign-in", "", ""),
    Shot("queue", "analyst-1", "queue"),
    Shot("task", "analyst-2", "queue", take_with_score, leads_to="review"),
    Shot("task-links", "analyst-2", "queue", open_tab("Linked entities"), height=1100, leads_to="review"),
    Shot("task-similar", "analyst-2", "queue", open_tab("Similar cases"), leads_to="review"),
    Shot("task-dark", "analyst-2", "queue", take_with_score, theme="dark", leads_to="review"),
    Shot("task-tablet", "analyst-2", "queue", take_with_score, width=820, height=1180, leads_to="review"),
    Shot("training", "analyst-5", "training", train),
    Shot("adjudication", "team-lead-1", "queue", take_next, leads_to="review"),
    Shot("cases", "team-lead-1", "cases"),
    Shot("team", "team-lead-1", "team", height=1100),
    Shot("case", "team-lead-1", "cases?status=closed", open_first_row),
    Shot("my-work", "analyst-2", "my_work", height=1100),
    Shot("scorecards", "team-lead-1", "scorecards", read_scorecard, height=1200),
    Shot("consistency", "team-lead-1", "consistency", height=1100),
    Shot("summary", "risk-manager-1", "summary", height=1000),
    Shot("rules", "risk-manager-1", "rules", open_first_row),
    Shot("proposal", "risk-manager-1", "proposals", open_proposal, height=1000),
    Shot("editor", "risk-manager-1", "rules?edit=catalogue/card_testing_burst.yaml", mistype, height=900),
    Shot("safety", "risk-manager-1", "safety"),
    Shot("breaker", "risk-manager-1", "safety?section=breaker", height=1100),
    Shot("trials", "risk-manager-1", "safety?section=trials"),
    Shot("lists", "team-lead-1", "lists?section=entries"),
    Shot("thresholds", "risk-manager-1", "thresholds", height=1000),
    Shot("effect", "risk-manager-1", "effect", see_effect, height=1000),
    Shot("imports", "integrator-1", "imports", send_file),
    Shot("integration", "integrator-1", "integration"),
    Shot("rule-report", "risk-manager-1", "rule_report"),
    Shot("rule-review", "risk-manager-1", "rule_report?section=review&period=90"),
    Shot("models", "risk-manager-1", "models"),
    Shot("jobs", "risk-manager-1", "jobs"),
    Shot("decisions", "auditor-1", "decisions?outcome=review"),
    Shot("decision", "auditor-1", "decisions?outcome=review", open_first_row),
    Shot("audit", "auditor-1", "audit?section=chain", verify),
    Shot("audit-story", "auditor-1", "decisions?outcome=review", tell_story, height=1100, leads_to="audit"),
    Shot("review-design", "team-lead-1", "review_design", height=1100),
    Shot("watch", "risk-manager-1", "watch", height=1100),
)


def settle(page: Page) -> None:
    """Wait until the page's script has run and its charts are drawn."""
    page.wait_for_timeout(400)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=PATIENCE)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=PATIENCE)
    page.wait_for_timeout(900)


def sign_in(page: Page, base: str, user: str, password: str) -> None:
    page.goto(base)
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=user).wait_for()
    # The cookie arrives a moment after the page; without it the next address would ask for a sign-in.
    page.wait_for_timeout(700)


@dataclass(frozen=True, slots=True)
class Studio:
    """A browser at a console, the folder for its pictures, and the cookies of everybody who has signed in."""

    browser: Browser
    base: str
    password: str
    folder: Path
    signed_in: dict[str, StorageState] = field(default_factory=dict)


@contextmanager
def visitor(studio: Studio, shot: Shot) -> Iterator[Page]:
    """A page of the picture's size, of somebody who is signed in; each signs in once."""
    context = studio.browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.theme,
        timezone_id="Europe/Berlin", storage_state=studio.signed_in.get(shot.user),
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    try:
        if shot.user and shot.user not in studio.signed_in:
            sign_in(page, studio.base, shot.user, studio.password)
            studio.signed_in[shot.user] = context.storage_state()
        yield page
    finally:
        context.close()


def take(studio: Studio, shot: Shot) -> Path:
    """One picture, written to the studio's folder."""
    with visitor(studio, shot) as page:
        page.goto(f"{studio.base}/{shot.path}")
        settle(page)
        if shot.first:
            shot.first(page)
            settle(page)
        page.mouse.move(2, 2)
        target = studio.folder / f"{shot.name}.png"
        page.screenshot(path=target)
        return target


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="the console of a running demo")
    parser.add_argument("--password", default=os.environ.get("SECONDLOOK_DEMO_PASSWORD", "second-look"))
    parser.add_argument("--only", action="append", choices=[shot.name for shot in SHOTS], metavar="NAME",
                        help="a picture's name; may be repeated")  # fmt: skip
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("This needs Chromium: apt-get install chromium", file=sys.stderr)
        return 2
    wanted = [shot for shot in SHOTS if not asked.only or shot.name in asked.only]
    asked.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        studio = Studio(browser, asked.url.rstrip("/"), asked.password, asked.folder)
        missing = [shot.name for shot in wanted if not taken(studio, shot)]
        browser.close()
    print(f"{len(wanted) - len(missing)} of {len(wanted)} pictures taken")
    return 1 if missing else 0


def taken(studio: Studio, shot: Shot) -> bool:
    """Whether the picture could be taken; the demo may, for example, hold no disagreement to adjudicate just now."""
    try:
        print(take(studio, shot).name, flush=True)
    except (TimeoutError, Error) as late:
        print(f"{shot.name}: not taken. {str(late).splitlines()[0]}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
