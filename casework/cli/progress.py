"""How does somebody who waits see that work goes on?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]


@contextmanager
def steps(quiet: bool) -> Iterator[Report]:
    """A function `report(step, done, total)` that draws one bar per step on standard error, or writes lines where that
    is no terminal; silent if quiet."""
    if quiet:
        yield lambda step, done, total: None
        return
    if not sys.stderr.isatty():
        yield _lines()
        return
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        known: dict[str, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in known:
                for earlier in known.values():  # a step that never said it was done is, once the next begins
                    bars.update(earlier, completed=bars.tasks[earlier].total)
                known[step] = bars.add_task(step, total=max(total, 1))
            bars.update(known[step], completed=done, total=max(total, 1))

        yield report


def _lines() -> Report:
    """One line for each step that begins, and one for each quarter of it that is done."""
    began, told = monotonic(), set[tuple[str, int]]()

    def report(step: str, done: int, total: int) -> None:
        quarter = 4 * done // max(total, 1)
        if (step, quarter) not in told:
            told.add((step, quarter))
            print(f"{monotonic() - began:6.1f} s  {step}: {25 * quarter} %", file=sys.stderr, flush=True)

    return report
