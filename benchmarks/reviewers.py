"""Do fifty people at one queue ever get in each other's way? Simulated reviewers over HTTP, and what the record says.

    python -m benchmarks.reviewers [--tasks 5000] [--reviewers 50] [--minutes 30] [--workspace DIR]

A small institution is made, with enough cases for so many tasks, and served by a process of its own. Every reviewer is
a thread with connections of its own who takes the next task and answers it; some give it back, ask twice at once,
answer twice, claim what others hold, or leave and come back. Afterwards the record is walked: nobody may have held a
task while somebody else did, none may be lost, none answered twice.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson

from benchmarks import soak_page
from benchmarks.going_on import kept_folder
from casework.app import App
from casework.deciding.transactions import Sent, checked
from casework.people.signin import add_user
from casework.workspace import Admin, Workspace, create
from data import approved
from data.integrity import chain
from data.ledger import Ledger

RULES = Path(__file__).parents[1] / "rules"
PASSWORD = "fifty people at one queue"
VALUES = ("legitimate", "legitimate", "legitimate", "confirmed_fraud", "inconclusive")
CASES_A_TASK = 0.8
"""A fourth of all cases is drawn for a second review, so four cases make about five tasks."""
_BATCH = 250
_POLICY = (
    ("reviews_per_day: 60", "reviews_per_day: 1000000"),
    ("price_from: 0.6", "price_from: 1.0"),
    ("audit: 0.01", "audit: 0.0"),
)


@dataclass
class Told:
    """What the reviewers saw: seconds of each answer by kind of question, statuses, and complaints."""

    took: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, seconds: float, status: int) -> None:
        with self.lock:
            self.took.setdefault(what, []).append(seconds)
            self.statuses[f"{what} {status}"] += 1

    def complain(self, what: str) -> None:
        with self.lock:
            self.complaints.append(what)


class Reviewer:
    """One simulated person. `luck` decides who does what out of the ordinary."""

    def __init__(self, url: str, token: str, luck: random.Random, told: Told) -> None:
        self._headers, self._luck, self._told = {"authorization": f"Bearer {token}"}, luck, told
        self._http = httpx.Client(base_url=url, headers=self._headers, timeout=120)

    def work(self, until: float) -> int:
        """Take and answer tasks until nothing is left, or the time is up; how many were answered."""
        done, idle = 0, 0
        while time.monotonic() < until and idle < 2:
            task_id = self._take()
            if not task_id:
                idle += 1
                time.sleep(0.2)
                continue
            idle = 0
            done += self._deal_with(task_id)
        self._http.close()
        return done

    def _ask(self, what: str, method: str, path: str, body: Any = None) -> httpx.Response:
        began = time.perf_counter()
        answer = self._http.request(method, path, json=body)
        self._told.note(what, time.perf_counter() - began, answer.status_code)
        return answer

    def _take(self) -> str:
        if self._luck.random() < 0.03:
            return self._take_twice_at_once()
        answer = self._ask("next", "POST", "/v1/tasks/next")
        return str(answer.json()["task_id"]) if answer.status_code == 200 else ""

    def _take_twice_at_once(self) -> str:
        """Two clicks in two windows: both must show the same task."""
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda _: self._ask("next", "POST", "/v1/tasks/next"), range(2)))
        taken = {answer.json()["task_id"] for answer in answers if answer.status_code == 200}
        if len(taken) > 1:
            self._told.complain(f"one person was given {len(taken)} tasks at once")
        return str(taken.pop()) if taken else ""

    def _deal_with(self, task_id: str) -> int:
        odd = self._luck.random()
        path = f"/v1/tasks/{task_id}"
        if odd < 0.02:
            self._ask("release", "POST", f"{path}/release", {"reason": "I know this customer"})
            return 0
        if odd < 0.04:
            self._ask("draft", "PUT", f"{path}/draft", {"note": "thinking"})
        if odd > 0.98:  # the browser is closed and opened again: the same task must be there
            again = self._take()
            if again != task_id:
                self._told.complain(f"{task_id} was gone after a restart: {again or 'nothing'}")
                return 0
        body = {"value": self._luck.choice(VALUES), "confidence": "medium"}
        given = self._ask("verdict", "POST", f"{path}/verdict", body)
        if given.status_code != 201:
            self._told.complain(f"{task_id} could not be answered: {given.text[:200]}")
            return 0
        if 0.94 < odd < 0.96 and self._ask("again", "POST", f"{path}/verdict", body).status_code != 409:
            self._told.complain(f"{task_id} could be answered twice")
        return 1


def make(root: Path, tasks: int, reviewers: int) -> list[str]:
    """A workspace with about so many review tasks and so many analysts; their tokens."""
    files = approved.read_folder(RULES)
    policy = files["policy.yaml"].decode()
    for before, after in _POLICY:
        policy = policy.replace(before, after)
    files["policy.yaml"] = policy.encode()
    del files["mapping.yaml"]
    start = datetime.now(UTC) - timedelta(hours=1)
    create(root, RULES / "mapping.yaml", files, Admin("admin-1", PASSWORD), at=start)
    app = App.open(Workspace(root))
    try:
        names = [f"analyst-{n + 1}" for n in range(reviewers)]
        with app.ledger.writing() as w:
            for name in names:
                add_user(w, name, "analyst", PASSWORD, by="admin-1", at=start)
        _decide(app, round(tasks * CASES_A_TASK), start)
        return [app.signin.sign_in(name, PASSWORD, datetime.now(UTC)).token for name in names]
    finally:
        app.close()


def signed_in(root: Path) -> list[str]:
    """Fresh tokens of the analysts of a workspace that `make` made."""
    app = App.open(Workspace(root))
    try:
        rows = app.ledger.read("SELECT user_id FROM users WHERE role = 'analyst' ORDER BY user_id")
        at = datetime.now(UTC)
        return [app.signin.sign_in(row["user_id"], PASSWORD, at).token for row in rows]
    finally:
        app.close()


def _decide(app: App, cases: int, start: datetime) -> None:
    for first in range(0, cases, _BATCH):
        sent = [_payment(n, start) for n in range(first, min(first + _BATCH, cases))]
        app.decide([checked(each, app.mapping) for each in sent], datetime.now(UTC))


def _payment(n: int, start: datetime) -> Sent:
    return Sent(
        transaction_id=f"payment-{n}",
        occurred_at=start + timedelta(milliseconds=n),
        amount=Decimal(1600 + n % 700),
        currency="EUR",
        entities={"customer": f"c{n}", "card": f"k{n}", "merchant": f"m{n % 40}", "device": f"d{n}"},
        attributes={"merchant_category": "groceries", "merchant_country": "DE", "country": "DE",
                    "channel": "pos", "age_band": "30-39"},
        personal={},
    )  # fmt: skip


def run(url: str, tokens: Sequence[str], seconds: float, seed: int = 1) -> tuple[Told, int, float]:
    """Everybody works at once; what was seen, how many answers were given, and in how many seconds."""
    told, began = Told(), time.monotonic()
    people = [Reviewer(url, token, random.Random(f"{seed}:{n}"), told) for n, token in enumerate(tokens)]
    with ThreadPoolExecutor(len(people)) as pool:
        done = sum(pool.map(lambda person: person.work(began + seconds), people))
    return told, done, time.monotonic() - began


def walk(ledger: Ledger) -> dict[str, Any]:
    """What the record says of every task: how many were opened, answered, given back, are open; and what is wrong:
    held by two, answered by one who did not hold it, answered twice, or lost."""
    holders: dict[str, str] = {}
    answered: Counter[str] = Counter()
    opened: dict[str, str] = {}
    wrong: list[str] = []
    for event in ledger.read("SELECT kind, subject, actor, payload FROM events ORDER BY seq"):
        task_id, payload = str(event["subject"]).removeprefix("task:"), orjson.loads(event["payload"])
        if event["kind"] == "task.opened":
            opened[task_id] = payload["lane"]
        elif event["kind"] == "task.claimed":
            if holders.get(task_id):
                wrong.append(f"{task_id} was given to {event['actor']} while {holders[task_id]} held it")
            holders[task_id] = event["actor"]
        elif event["kind"] in ("task.released", "task.lock_expired", "task.withdrawn", "task.expired"):
            holders.pop(task_id, None)
        elif event["kind"] == "verdict.given":
            task_id = payload["task_id"]
            if holders.pop(task_id, "") != event["actor"]:
                wrong.append(f"{task_id} was answered by {event['actor']}, who did not hold it")
            answered[task_id] += 1
    wrong += [f"{task_id} was answered {n} times" for task_id, n in answered.items() if n > 1]
    states = {row["task_id"]: row["status"] for row in ledger.read("SELECT task_id, status FROM tasks")}
    wrong += [f"{task_id} is lost" for task_id in opened if task_id not in states]
    wrong += [
        f"{task_id} is {states[task_id]}, but was answered"
        for task_id in answered
        if states[task_id] != "done"
    ]
    for_analysts = [task_id for task_id, lane in opened.items() if lane != "adjudication"]
    left = [task_id for task_id in for_analysts if states.get(task_id) in ("open", "claimed")]
    return {"opened": len(for_analysts), "answered": len(answered), "left": len(left), "held": len(holders),
            "adjudications": len(opened) - len(for_analysts), "wrong": wrong}  # fmt: skip


def main() -> int:
    wanted = _arguments()
    with kept_folder(wanted.workspace, "reviewers-") as root:
        began = time.monotonic()
        tokens = signed_in(root) if root.exists() else make(root, wanted.tasks, wanted.reviewers)
        print(f"made in {time.monotonic() - began:.0f} s; {wanted.reviewers} reviewers begin", flush=True)
        with _served(root) as (port, _, server):
            told, done, seconds = run(f"http://127.0.0.1:{port}", tokens, 60 * wanted.minutes)
            used = server.cpu_times()
        with Ledger.open(Workspace(root).ledger_file) as ledger:
            found, verified = walk(ledger), chain.verify(ledger)
    good = not found["wrong"] and not told.complaints and not found["left"] and verified.ok
    lines = _lines(told, found, done, seconds, used.user + used.system)
    lines += ["", f"The record of {verified.events:,} events {'verifies' if verified.ok else 'DOES NOT VERIFY'}. "
              + ("None held by two, none lost, none answered twice." if good else "NOT AS IT SHOULD BE.")]  # fmt: skip
    lines += [f"- WRONG: {line}" for line in [*found["wrong"], *told.complaints][:20]]
    print("\n".join(lines))
    if not wanted.no_page:
        soak_page.record(
            "Many reviewers",
            f"python -m benchmarks.reviewers --tasks {wanted.tasks} --reviewers {wanted.reviewers}",
            [f"{wanted.reviewers} reviewers at one queue, as fast as they are answered.", "", *lines],
        )
    return 0 if good else 1


def _lines(told: Told, found: dict[str, Any], done: int, seconds: float, processor: float) -> list[str]:
    """What was counted, in words and a table."""
    answers = ", ".join(f"{n:,} x {what}" for what, n in sorted(told.statuses.items()))
    lines = [
        f"{found['opened']:,} tasks opened, {found['answered']:,} answered, {found['left']} left, "
        f"{found['adjudications']:,} adjudications opened for team leads. {done:,} answers in {seconds:.0f} s: "
        f"{done / seconds:.0f} a second; {1000 * processor / max(done, 1):.0f} ms of the server's processor each. "
        f"Statuses: {answers}.",
        "",
        "| question | asked | p50 ms | p95 ms | max ms |",
        "|---|--:|--:|--:|--:|",
    ]
    for what, took in sorted(told.took.items()):
        ordered = sorted(took)
        at = [1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in (0.5, 0.95, 1.0)]
        lines.append(f"| {what} | {len(ordered):,} | {at[0]:.0f} | {at[1]:.0f} | {at[2]:.0f} |")
    return lines


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--reviewers", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=30.0, help="stop then, whatever is left")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md as it is")
    parser.add_argument(
        "--workspace", type=Path, help="a folder to keep, or to go on with; default: a temporary one"
    )
    return parser.parse_args()


def _served(root: Path) -> Any:
    from benchmarks.serving import _served as served

    return served(root)


if __name__ == "__main__":
    raise SystemExit(main())
