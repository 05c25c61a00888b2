"""Is anything answered ever lost, or half there, when the server is killed at a random moment under load?

    python -m benchmarks.kills [--rounds 200] [--minutes 30] [--workspace DIR]

Each round starts `secondlook serve`, has payments decided one by one and in batches while analysts answer tasks and
checkpoints are taken, and kills it (SIGKILL) at a random moment; some rounds kill it while it starts. Then the ledger
is opened and looked through. The next round is the restart. With --workspace a folder of earlier rounds is
gone on with: what was counted before counts on. Results go to docs/soak.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks import reviewers, soak_page
from benchmarks.going_on import Kept
from benchmarks.kill_load import Answered, Load
from casework.deciding import decisions
from casework.workspace import Workspace
from data.integrity import chain
from data.ledger import Ledger

COUNTED = "server-kills.json"
ANALYSTS = 2
LONGEST_SECONDS = 4.0
WHOLE_CHAIN_EVERY = 10
MOST_EVENTS = 40_000
"""A workspace with more is put aside for a new one, so that looking through it stays quick."""
_PATIENCE_SECONDS = 90.0
_DYING_SECONDS = 20.0


@dataclass
class Counts(Kept):
    """What was killed and answered, how long restarts took, and what was wrong."""

    rounds: int = 0
    answered: int = 0
    verdicts: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Server:
    """One start of the program, and what hangs on it."""

    def __init__(self, root: Path, *, console: bool) -> None:
        command = [str(Path(sys.executable).with_name("secondlook")), "serve", "--workspace", str(root)]
        command += ["--port", "0", "--console-port", "0"] if console else ["--port", "0", "--no-console"]
        self.root, self.url = root, ""
        self.began = time.perf_counter()
        with (root / "rounds.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait_until_ready(self) -> float:
        """Seconds from its start until it can decide. SystemExit if it never can."""
        file = self.root / "server.json"
        while time.perf_counter() - self.began < _PATIENCE_SECONDS:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended with {self.process.returncode}: {self.root}/rounds.log")
            with suppress(OSError, ValueError, httpx.TransportError):
                where = json.loads(file.read_bytes())
                if where["pid"] == self.process.pid and httpx.get(f"{where['url']}/readyz").is_success:
                    self.url = where["url"]
                    return time.perf_counter() - self.began
            time.sleep(0.02)
        raise SystemExit("the server did not come up")

    def kill(self) -> list[str]:
        """kill -9; what outlived it."""
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(children, _DYING_SECONDS)
        return [f"a child outlived the server: {child.name()}" for child in alive]


def kill_once(root: Path, counts: Counts, luck: random.Random, analysts: list[str]) -> list[str]:
    """One round: start, load, kill, look. What is wrong."""
    number, starting = counts.rounds + 1, luck.random() < 0.1
    server = Server(root, console=number % 10 == 0)
    if starting:
        time.sleep(luck.random() * 3)
        counts.moments["while starting"] += 1
        return server.kill() + looked_through(root, Answered(), counts, whole=False)
    try:
        counts.restarts.append(server.wait_until_ready())
        used = psutil.Process(server.process.pid).cpu_times()
        counts.processor.append(used.user + used.system)
        token = (root / "server.token").read_text().strip()
        unplanned = _without_a_next_run(server.url, token)
        load = Load(server.url, token, analysts, f"round-{number}-{luck.getrandbits(32):x}")
        load.wait_for_answers(_PATIENCE_SECONDS)
        time.sleep(luck.random() * LONGEST_SECONDS)
        counts.moments["under load"] += 1
        left = server.kill()
        got = load.end()
    finally:
        server.process.kill()
    whole = number % WHOLE_CHAIN_EVERY == 0
    return unplanned + left + got.complaints + looked_through(root, got, counts, whole=whole)


def _without_a_next_run(url: str, token: str) -> list[str]:
    """Jobs that the restart forgot."""
    answer = httpx.get(f"{url}/v1/jobs", headers={"authorization": f"Bearer {token}"}, timeout=30).json()
    return [f"the job {job['name']} has no next run" for job in answer["jobs"] if not job["next_run_at"]]


def looked_through(root: Path, got: Answered, counts: Counts, *, whole: bool) -> list[str]:
    """What is wrong in the ledger that a killed server left; opening it is what a restart does first."""
    with Ledger.open(Workspace(root).ledger_file) as ledger:
        wrong = [problem for each in got.decisions.values() for problem in _of_decision(ledger, each)]
        given = ledger.read("SELECT task_id, count(*) AS n FROM verdicts GROUP BY task_id")
        verdicts = {row["task_id"]: row["n"] for row in given}
        wrong += [f"the verdict on {task} is there {verdicts.get(task, 0)} times" for task in got.tasks
                  if verdicts.get(task) != 1]  # fmt: skip
        wrong += half_there(ledger)
        if whole:
            report = chain.verify(ledger)
            wrong += [] if report.ok else [f"the chain does not verify: {report.problem}"]
            wrong += reviewers.walk(ledger)["wrong"]
    counts.answered += len(got.decisions)
    counts.verdicts += len(got.tasks)
    return wrong


def _of_decision(ledger: Ledger, decision: dict[str, Any]) -> list[str]:
    name = decision["transaction_id"]
    if ledger.seq_of(name) != decision["seq"]:
        return [f"the answered decision {name} is not on record"]
    if decisions.stored(ledger, decision["seq"]) != decision:
        return [f"{name} was answered otherwise than it is on record"]
    return []


_HALF = {
    "transactions without one decision": (
        "SELECT count(*) AS n FROM (SELECT t.seq FROM transactions t LEFT JOIN decisions d "
        "ON d.transaction_seq = t.seq GROUP BY t.seq HAVING count(d.transaction_seq) <> 1)"
    ),
    "ids that are there twice": (
        "SELECT count(*) AS n FROM (SELECT transaction_id FROM transactions GROUP BY 1 HAVING count(*) > 1)"
    ),
    "decisions whose event is missing": (
        "SELECT count(*) AS n FROM decisions d LEFT JOIN events e ON e.seq = d.event_seq WHERE e.seq IS NULL"
    ),
    "reviews without a case": (
        "SELECT count(*) AS n FROM decisions d LEFT JOIN case_transactions c USING (transaction_seq) "
        "WHERE d.outcome = 'review' AND c.transaction_seq IS NULL"
    ),
    "cases without a task": (
        "SELECT count(*) AS n FROM cases c LEFT JOIN tasks t USING (case_id) WHERE t.case_id IS NULL"
    ),
    "done primary tasks without a verdict": (
        "SELECT count(*) AS n FROM tasks t LEFT JOIN verdicts v USING (task_id) "
        "WHERE t.status = 'done' AND v.task_id IS NULL"
    ),
}


def half_there(ledger: Ledger) -> list[str]:
    """Rows that only a part of their write can have left."""
    found = {what: ledger.read(sql)[0]["n"] for what, sql in _HALF.items()}
    return [f"{count} {what}" for what, count in found.items() if count]


def make(root: Path) -> None:
    """A small institution with analysts and some work for them."""
    reviewers.make(root, 200, ANALYSTS)


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        base = wanted.workspace or Path(folder)
        base.mkdir(parents=True, exist_ok=True)
        counts = Counts.load(base / COUNTED)
        luck = random.Random(f"{wanted.seed}:{counts.rounds}")
        until = datetime.now(UTC) + timedelta(minutes=wanted.minutes)
        while counts.rounds < wanted.rounds and datetime.now(UTC) < until:
            _stretch(base, counts, luck, wanted.rounds, until)
        lines = told(counts)
    print("\n".join(lines))
    if not wanted.no_page:
        soak_page.record("Kills", f"python -m benchmarks.kills --rounds {wanted.rounds}", lines)
    return 1 if counts.wrong or not counts.rounds else 0


def _stretch(base: Path, counts: Counts, luck: random.Random, rounds: int, until: datetime) -> None:
    """Rounds on one workspace, until it has grown long or the time is up; at its end all of it is verified."""
    root = base / f"bank-{counts.rounds}"
    make(root)
    analysts = reviewers.signed_in(root)
    grown = 0
    while counts.rounds < rounds and datetime.now(UTC) < until and grown < MOST_EVENTS:
        found = kill_once(root, counts, luck, analysts)
        counts.rounds += 1
        counts.wrong += [f"round {counts.rounds}: {each}" for each in found]
        counts.save(base / COUNTED)
        grown = _events(root)
        print(f"round {counts.rounds}: {counts.answered:,} answered, {len(counts.wrong)} wrong", flush=True)
    counts.wrong += looked_through(root, Answered(), counts, whole=True)
    counts.save(base / COUNTED)


def _events(root: Path) -> int:
    with Ledger.open(Workspace(root).ledger_file) as ledger:
        return ledger.last_event.seq


def told(counts: Counts) -> list[str]:
    """The results in words."""
    restarts = sorted(counts.restarts) or [0.0]
    median, worst = restarts[len(restarts) // 2], restarts[-1]
    used = statistics.median(counts.processor or [0.0])
    moments = ", ".join(f"{n} {what}" for what, n in sorted(counts.moments.items()))
    lines = [
        f"- {counts.rounds} kills ({moments}).",
        f"- {counts.answered:,} decisions were answered before a kill, and {counts.verdicts:,} verdicts were taken. "
        f"Wrong afterwards: {len(counts.wrong)}.",
        f"- Looked for: each answered decision on record once and as it was answered, verdicts likewise, nothing half "
        f"there, lock released, every job planned again, no child left; the whole record verified every "
        f"{WHOLE_CHAIN_EVERY} kills.",
        f"- From start to ready after a kill: median {median:.1f} s, worst {worst:.1f} s "
        f"({used:.1f} s of processor time).",
    ]
    return lines + [f"- WRONG: {each}" for each in counts.wrong[:20]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="stop then, however many rounds there were"
    )
    parser.add_argument("--seed", default="1")
    parser.add_argument("--workspace", type=Path, help="a folder to keep, or to go on with")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
