"""Does a retrain that is killed anywhere leave one valid champion and no half-written model?

    python -m benchmarks.retrain_kills [--kills 50] [--minutes 15] [--workspace DIR]

The process that owns the ledger trains in a child, as the server does; one of the two is killed (SIGKILL) at a random
moment of the run, then the workspace is looked through. With --workspace the same workspace is gone on with, and what
was counted before counts on. Results go to docs/soak.md.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from benchmarks import soak_page
from benchmarks.going_on import Kept, kept_folder
from benchmarks.institutions import RULES
from casework import workspace
from casework.app import App
from casework.deciding import importing, outcomes
from casework.deciding.outcomes import Told
from casework.demo.people import ADMIN
from casework.learning.registry import models
from casework.learning.retraining import progress, runs
from casework.workspace import Workspace
from data import approved
from data.errors import SecondLookError
from data.integrity import chain
from data.ledger import Ledger
from data.simulator.chargebacks import is_fraud_reason
from data.simulator.config import InstitutionConfig
from data.simulator.institution import simulate
from engine.model import registry

NOW = datetime(2026, 3, 2, tzinfo=UTC)
COUNTED = "kills.json"
OUTLIVED = "a child outlived its parent"
LONGEST_SECONDS = 2.0
"""A kill comes at most so long after the stage that was drawn for it began; stages are drawn evenly."""
_PATIENCE_SECONDS = 120.0


@dataclass
class Counts(Kept):
    """What was killed, at which stage, and what was wrong afterwards."""

    killed: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def make(root: Path, payments: int = 4_000) -> None:
    """A workspace with four months of history and a first champion."""
    old = simulate(
        InstitutionConfig(
            seed=3, start=date(2025, 9, 1), days=120, transactions=payments, customers=200, merchants=60,
            fraud_rate=0.06,
        )
    )  # fmt: skip
    files = {
        name: text for name, text in approved.read_folder(RULES).items() if name != workspace.MAPPING_FILE
    }
    policy = files["policy.yaml"].decode().replace("min_new_labels: 1000", "min_new_labels: 200")
    files["policy.yaml"] = policy.replace("min_frauds: 20 ", "min_frauds: 5 ").encode()
    workspace.create(root, RULES / "mapping.yaml", files, ADMIN, at=NOW - timedelta(days=1))
    app = App.open(Workspace(root), lambda: NOW)
    try:
        with tempfile.TemporaryDirectory(prefix="history-") as folder:
            path = Path(folder) / "history.parquet"
            pq.write_table(old.transactions, path)
            importing.import_file(app, path, path.name, actor=ADMIN.user_id, at=NOW)
        told = [
            Told(r["transaction_id"], is_fraud_reason(r["reason_code"]), r["known_at"], r["reason_code"])
            for r in old.chargebacks.to_pylist()
            if r["known_at"] <= (NOW if r["known_at"].tzinfo else NOW.replace(tzinfo=None))
        ]
        outcomes.report(app, told, by="integrator-1", at=NOW)
        row = app.retrain("person", "risk-manager-1", "the first model")
        if row["result"] != runs.PROMOTED:
            raise SystemExit(f"the first model was not promoted: {row['sentence']}")
    finally:
        app.close()


def work(root: Path, number: int) -> None:
    """What the server does for one run, in this process: settle what was cut off, hear of an outcome, train."""
    app = App.open(Workspace(root), lambda: NOW)
    try:
        app.retraining.settle_interrupted()
        app.adopt()
        _hear_of_one(app, number)
        run_id = app.start_retrain("person", "risk-manager-1", f"round {number}")
        print(run_id, flush=True)
        app.retraining.wait()
    finally:
        app.close()


def _hear_of_one(app: App, number: int) -> None:
    """An early payment turns out to be fraud, so that each round learns from other labels."""
    found = app.ledger.read(
        "SELECT transaction_id, occurred_at FROM transactions WHERE seq NOT IN "
        "(SELECT transaction_seq FROM outcomes) ORDER BY hash(transaction_id, ?::BIGINT) LIMIT 5",
        [number],
    )
    told = [
        Told(row["transaction_id"], True, row["occurred_at"] + timedelta(days=20), "10.4") for row in found
    ]
    outcomes.report(app, told, by="integrator-1", at=NOW)


def kill_once(root: Path, number: int, *, what: str, stage: str, after: float) -> tuple[str, str]:
    """Start a round and kill the owner of the ledger or its training child so many seconds after a stage began.

    Returns the stage at that moment and how the round ended (killed, or over before).
    """
    command = [
        sys.executable,
        "-m",
        "benchmarks.retrain_kills",
        "--work",
        str(number),
        "--workspace",
        str(root),
    ]
    with (root / "rounds.log").open("ab") as log:
        owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    assert owner.stdout is not None
    run_id = owner.stdout.readline().decode().strip()
    if not run_id:
        owner.communicate()
        raise SystemExit(f"round {number} did not begin; see {root / 'rounds.log'}")
    process, folder = psutil.Process(owner.pid), Workspace(root).snapshots / run_id
    children: list[psutil.Process] = []
    while owner.poll() is None and progress.told(folder)["share"] < progress.STAGES[stage]:
        time.sleep(0.02)
    began = time.monotonic()
    while owner.poll() is None and (time.monotonic() - began < after or (what == "child" and not children)):
        children = _children(process) or children
        time.sleep(0.02)
    reached = str(progress.told(folder)["stage"])
    ended = "over before"
    targets = children if what == "child" else [process]
    for target in targets:
        if target.is_running() and owner.poll() is None:
            target.kill()
            ended = "killed"
    owner.wait(_PATIENCE_SECONDS)
    owner.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=20)
    return reached, OUTLIVED if alive else ended


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def looked_through(root: Path) -> list[str]:
    """What is wrong in the workspace: not exactly one champion, a model that does not load, a chain that breaks."""
    place, wrong = Workspace(root), []
    with Ledger.open(place.ledger_file) as ledger:
        rows = models.table(ledger)
        champions = [row for row in rows if row["status"] == models.CHAMPION]
        if len(champions) != 1:
            wrong.append(f"there are {len(champions)} champions")
        for row in rows:
            wrong += _not_loading(place.model_folder(row["model_id"]), row["files_sha256"])
        if not chain.verify(ledger).ok:
            wrong.append("the chain does not verify")
        if len(runs.unfinished(ledger)) > 1:
            wrong.append("more than one run is on record as running")
    known = {row["model_id"] for row in rows}
    for folder in place.models.iterdir():
        if folder.name not in known:  # trained and moved, but the process died before the record was written
            wrong += _not_loading(folder, "")
    return wrong


def _not_loading(folder: Path, digest: str) -> list[str]:
    try:
        registry.load(folder, manifest_sha256=digest)
    except SecondLookError as error:
        return [str(error)]
    return [f"{part} is half written" for part in folder.glob("*.part")]


def run(root: Path, kills: int, minutes: float, seed: int) -> Counts:
    """Kill until there were so many kills or the time is up; what was counted, also before."""
    file = root / COUNTED
    told, luck = Counts.load(file), random.Random(f"{seed}:{time.time_ns()}")
    until, stages = time.monotonic() + 60 * minutes, [s for s in progress.STAGES if s != "search"]
    while sum(told.killed.values()) < kills and time.monotonic() < until:
        number = sum(told.killed.values()) + told.ended["over before"] + 1
        what = luck.choice(("server", "child"))
        stage, ended = kill_once(
            root, number, what=what, stage=luck.choice(stages), after=luck.uniform(0.0, LONGEST_SECONDS)
        )
        told.ended[ended] += 1
        if ended == "killed":
            told.killed[what] += 1
            told.stages[stage] += 1
        told.wrong += [f"round {number}: {each}" for each in looked_through(root)]
        told.save(file)
        print(f"{sum(told.killed.values()):3}  {what:6}  {stage:10}  {ended}", flush=True)
    return told


def main() -> int:
    given = _arguments()
    if given.work:
        work(given.workspace, given.work)
        return 0
    with kept_folder(given.workspace, "retrain-kills-") as root:
        if not Workspace(root).exists:
            make(root)
        told = run(root, given.kills, given.minutes, given.seed)
    lines = _lines(told)
    print("\n" + "\n".join(lines))
    if not given.no_page:
        soak_page.record(
            "Kills of a retrain", f"python -m benchmarks.retrain_kills --kills {given.kills}", lines
        )
    return 1 if told.wrong or told.ended[OUTLIVED] else 0


def _lines(told: Counts) -> list[str]:
    """What was counted, as a list for people."""
    kills, over = sum(told.killed.values()), told.ended["over before"]
    stages = ", ".join(f"{stage} {n}" for stage, n in sorted(told.stages.items()))
    wrong = len(told.wrong) + told.ended[OUTLIVED]
    return [
        f"- {kills} kills: {told.killed['server']} of the process that owns the ledger, {told.killed['child']} of the "
        f"training child; {over} rounds were over before.",
        f"- Stage at the kill: {stages}.",
        f"- Looked for after each: one champion, every model on record and every folder whole, the chain, at most one "
        f"run on record as running, no child left. Wrong: {wrong}.",
        *(f"- WRONG: {each}" for each in told.wrong),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=15.0, help="stop then, however many there were")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workspace", type=Path, help="a folder to keep, or to go on with")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md alone")
    parser.add_argument("--work", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
