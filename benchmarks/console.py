"""How fast is the console on a workspace of a million decisions and 100,000 cases?

python -m benchmarks.console FOLDER --decisions 1000000 --cases 100000 --open 2000    # made there if it is not yet
python -m benchmarks.console WORKSPACE                                                # any demo workspace, in place
python -m benchmarks.console                                                          # a small one, as in `make bench`

First what each page asks of the API and the processor time of it, then (unless --no-browser) what Chromium waits for.
Signing in, claims and what the schedule does are recorded in the workspace: give it a copy of what you care for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import console_browser
from benchmarks.console_calls import Visit, calls_by_name, in_process, visits
from benchmarks.grown_workspace import Size, made
from benchmarks.machine import machine
from casework.app import App
from casework.demo.people import PASSWORD
from casework.workspace import Workspace
from dashboards import role_pages

SMALL = Size(60_000, 3_000, 200)


def api_tables(root: Path, rounds: int, roles: dict[str, tuple[str, ...]]) -> None:
    """Processor time of the API, by page and by call."""
    app = App.open(Workspace(root))
    try:
        app.ledger.read("SELECT 1")
        _ = app.live
        with in_process(app) as recorder:
            found = list(visits(recorder, PASSWORD, rounds, roles))
    finally:
        app.close()
    print("\n| role | page | calls | API, CPU ms | the first time | dearest call | CPU ms |")
    print("|---|---|---|---|---|---|---|")
    for visit in found:
        name, spent = visit.worst
        figures = f"{visit.cpu_ms:,.0f} | {visit.first_cpu_ms:,.0f} | {name} | {spent:,.0f}"
        print(f"| {visit.role} | {visit.page} | {len(visit.rounds[0])} | {figures} |")
    _by_call(found)


def _by_call(found: list[Visit]) -> None:
    print("\n| call | times | CPU ms, median | worst | bytes |\n|---|---|---|---|---|")
    rows = [(name, [call.cpu_ms for call in calls], calls) for name, calls in calls_by_name(found).items()]
    for name, spent, calls in sorted(rows, key=lambda row: -median(row[1])):
        size = max(call.size for call in calls)
        print(f"| {name} | {len(spent)} | {median(spent):,.1f} | {max(spent):,.1f} | {size:,} |")
    for visit in found:
        for problem in visit.problems:
            print(f"\n{visit.role}, {visit.page}: {problem}")


def browser_table(root: Path, rounds: int, roles: dict[str, tuple[str, ...]]) -> None:
    """What somebody waits for."""
    print("\n| in Chromium, as | page or action | median s | worst s |\n|---|---|---|---|")
    with console_browser.served(root) as base:
        for seen in console_browser.watch(base, PASSWORD, roles, rounds):
            print(f"| {seen.role} | {seen.what} | {seen.usual:.2f} | {max(seen.seconds):.2f} |", flush=True)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--decisions", type=int)
    parser.add_argument("--cases", type=int, default=Size.cases)
    parser.add_argument("--open", type=int, default=Size.open)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", nargs="*", help="only these pages")
    parser.add_argument("--roles", nargs="*", help="only these roles")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--no-calls", action="store_true")
    asked = parser.parse_args(arguments)
    roles = {
        role: tuple(name for name in names if not asked.pages or name in asked.pages)
        for role, names in role_pages.ROLE_PAGES.items()
        if not asked.roles or role in asked.roles
    }
    with tempfile.TemporaryDirectory(prefix="console-") as temporary:
        if asked.folder is None:
            root = made(Path(temporary), SMALL)
        elif asked.decisions:
            root = made(asked.folder, Size(asked.decisions, asked.cases, asked.open))
        else:
            root = asked.folder
        print(machine())
        if not asked.no_calls:
            api_tables(root, asked.rounds, roles)
        if not asked.no_browser:
            browser_table(root, asked.rounds, roles)


if __name__ == "__main__":
    main(sys.argv[1:])
