"""What does a server that was told to stop wait for, and for how long?"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casework.app import App

log = logging.getLogger("secondlook.server")
JOBS_SECONDS = 5.0
"""How long jobs may go on before what they read is cut off. A job that was cut off is due again at the next start."""
LAST_SECONDS = 20.0
"""How long a job may then go on computing, or finish what it is writing, before it is left behind."""
SENDER_SECONDS = 3.0
"""How long receivers may take for messages under way. One that takes longer gets its message again, by the same id."""
_WORTH_SAYING, _LOOK_SECONDS = 1.0, 0.5


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say in the log what was waited for, where that took more than a moment."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took >= _WORTH_SAYING:
        log.warning("ending took %.1f s for %s", took, what)


def end_jobs(app: App) -> None:
    """End what runs by the schedule: of itself, or when nothing can be read any more."""
    if "schedule" in app.__dict__:
        app.schedule.stop()
    if "sender" in app.__dict__:
        with step("receivers of messages under way"):
            app.sender.stop(SENDER_SECONDS)
    if "retraining" in app.__dict__:
        with step("the child that trains"):
            app.retraining.stop()
    if "schedule" not in app.__dict__ or app.schedule.wait(JOBS_SECONDS):
        return
    log.warning("ending: the jobs %s go on; what they read is cut off", ", ".join(app.schedule.running))
    deadline = time.monotonic() + LAST_SECONDS
    while time.monotonic() < deadline:
        app.ledger.cut_off()  # again and again: what began a moment ago may not have heard the first one
        if app.schedule.wait(_LOOK_SECONDS):
            return
    log.error("ending without the jobs %s, which did not end", ", ".join(app.schedule.running))
