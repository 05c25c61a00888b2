"""How does somebody who waits see that work goes on?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]


@contextmanager
def steps(quiet: bool) -> Iterator[Report]:
    """A function `report(step, done, total)` that draws one bar per step on standard error; silent if quiet."""
    if quiet:
        yield lambda step, done, total: None
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
