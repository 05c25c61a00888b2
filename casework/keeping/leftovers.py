"""What did a process that was killed leave behind that an erasure would not reach, and who takes it away?"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from casework.cases import attachments
from casework.keeping import backups
from data.storage import unfinished

if TYPE_CHECKING:
    from casework.app import App

_HALF_WRITTEN = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{8}(\.part)?")  # without it in an earlier version
log = logging.getLogger("secondlook.server")


def sweep(app: App) -> None:
    """Remove them. To be called before anything is begun: the ledger's lock says that nobody else is at work here.

    What cannot be removed is named in the log, and left to the next start.
    """
    _remove(_found(app))


def sweep_imports(app: App) -> None:
    """The same of imports alone, which is quick: for a command that owns the ledger for a moment."""
    _remove(unfinished.left_beside(app.workspace.ledger_file))


def _remove(found: Iterable[Path]) -> None:
    for left in found:
        try:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        except OSError as problem:
            log.warning(
                "%s was left by a process that died, and cannot be removed: %s", left, problem.strerror
            )
        else:
            log.info("%s was left by a process that died, and is removed", left.name)


def _found(app: App) -> Iterator[Path]:
    """Folders of imports and of commands, copies for backups, and attachments that were not whole yet or are on
    record nowhere."""
    yield from unfinished.left_beside(app.workspace.ledger_file)
    yield from unfinished.left_by_commands()
    yield from backups.half_made(app)
    files = app.workspace.files.glob("??/*")
    yield from (file for file in files if _HALF_WRITTEN.fullmatch(file.name))
    yield from attachments.not_on_record(app.ledger, app.workspace.files)
