"""Does the API ever answer what it may not, whatever is sent to it and by whomever?

python -m benchmarks.fuzz [--examples 10000] [--seed 1] [--workspace DIR] [--minutes 60] [--no-page]

Requests are drawn from the OpenAPI document, for every endpoint and as every role, and sent in this process. No answer
may be a 5xx, every refusal must be problem+json with a hint, nobody succeeds without permission, and the record
must verify afterwards. The workspace is made small and new, or a copy of DIR is used (a demo, say), which is left as it
is. Each turn of a thousand requests is kept in a file of --state, so that a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.copies import copied
from benchmarks.fuzzing.institution import Fuzzed, opened
from benchmarks.institutions import RULES
from benchmarks.soak_page import record
from casework.app import App
from casework.demo.people import ADMIN, PASSWORD, PEOPLE, add_people
from casework.workspace import Workspace, create
from data import approved
from data.integrity.chain import verify

TURN = 1_000
COMMAND = "python -m benchmarks.fuzz --examples 10000"


def workspace_of(folder: Path, source: Path | None) -> Workspace:
    """A new small workspace with the demo's people, or a copy of one that is there."""
    root = folder / "bank"
    if source:
        copied(source, root)
        return Workspace(root)
    made_at = datetime.now(UTC) - timedelta(days=2)
    made = create(root, RULES / "mapping.yaml", approved.read_folder(RULES), ADMIN, at=made_at)
    app = App.open(made)
    try:
        with app.ledger.writing() as w:
            add_people(w, made_at)
    finally:
        app.close()
    return made


def run(fuzzed: Fuzzed, given: argparse.Namespace, state: dict[str, Any]) -> None:
    """Turn after turn, until all examples are done or the time is up; `state` is kept as it goes."""
    until = time.monotonic() + given.minutes * 60
    while state["examples"] < given.examples and time.monotonic() < until:
        first = state["examples"]
        found = fuzzed.run(range(first, min(first + TURN, given.examples)))
        state["examples"] += found.examples
        state["complaints"] += found.complaints
        for status, count in found.statuses.items():
            state["statuses"][str(status)] = state["statuses"].get(str(status), 0) + count
        reached = {*state["succeeded"], *(" ".join(place) for place in found.succeeded)}
        state["succeeded"] = sorted(reached)
        state["dearest"] = sorted(
            {**dict(state["dearest"]), **found.seconds}.items(), key=lambda each: -each[1]
        )[:3]
        if given.state:
            given.state.write_text(json.dumps(state), encoding="utf-8")
        print(f"{state['examples']} requests, {len(state['complaints'])} complaints", flush=True)


def lines(state: dict[str, Any], operations: int, verifies: bool) -> list[str]:
    """What the page says of it."""
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(state["statuses"].items()))
    dearest = ", ".join(f"`{name}` {seconds:.2f} s" for name, seconds in state["dearest"])
    return [
        f"{state['examples']:,} requests drawn from the OpenAPI document, to {operations} operations as every role: "
        f"**{len(state['complaints'])}** with an answer that may not be (a 5xx, a refusal that is no problem+json "
        f"with a hint, success without permission). {len(state['succeeded'])} operations succeeded at least once.",
        "",
        f"Answers: {statuses}. The record {'verifies' if verifies else 'DOES NOT VERIFY'} afterwards. "
        f"Most processor time of one request: {dearest}.",
    ]


def main() -> int:
    """Exit status 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--state", type=Path, help="a file to go on from")
    parser.add_argument("--no-page", action="store_true", help="leave docs/soak.md as it is")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    state: dict[str, Any] = {
        "examples": 0,
        "complaints": [],
        "statuses": {},
        "succeeded": [],
        "dearest": [],
    }
    if given.state and given.state.exists():
        state = json.loads(given.state.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        if given.workspace is None:
            os.environ["SECONDLOOK_KEYS"] = str(Path(folder) / "keys")
        people = dict.fromkeys((*PEOPLE, ADMIN.user_id), PASSWORD)
        workspace = workspace_of(Path(folder), given.workspace)
        with opened(App.open(workspace), people, given.seed) as fuzzed:
            run(fuzzed, given, state)
            report = verify(fuzzed.app.ledger)
            told = lines(state, len(fuzzed.operations), report.ok)
            if not report.ok:
                state["complaints"].append(
                    f"event {report.first_bad_seq}: {report.problem}; {report.problems}"
                )
    print("\n".join(told))
    print("\n".join(state["complaints"]), file=sys.stderr)
    if not given.no_page:
        record("Requests from the OpenAPI description", COMMAND, told)
    return 1 if state["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main())
