"""What does a server write down about itself, so that nobody who reads it can hold up a decision or learn of a person?

Each line of `server.log` in the workspace is one JSON object. Exceptions are told by their types and the places they
came through, never by their texts: those quote values. Warnings go to standard error, too, which is never waited for.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

FILE = "server.log"
FACTS = "facts"
"""`log.info("decided", extra={FACTS: {...}})` puts what it holds into the line."""
_LONGEST_FILE, _KEPT_FILES = 10 * 1024 * 1024, 5
_LONGEST_TEXT = 400
# What a pipe takes at once if it takes anything at all (POSIX asks for 512, Linux has 4096).
_PIPE_TAKES = 4096 if sys.platform.startswith("linux") else 512
_Caught = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message, the facts given, and an exception's types and places."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST_TEXT],
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            line["error"] = told_error(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class PlainLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname}: {record.getMessage()[:_LONGEST_TEXT]}"
        return f"{line}\nTraceback: {told_error(record.exc_info)}" if record.exc_info else line


def told_error(caught: _Caught) -> str:
    """Types of an exception and its causes, and the last places it came through; of the system's errors their kind."""
    told: list[str] = []
    error = caught[1]
    while error is not None and len(told) < 4:
        kind = type(error).__name__
        if isinstance(error, OSError) and error.errno:
            kind += f" ({os.strerror(error.errno)})"
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)
        told.append(f"{kind} at {places}" if places else kind)
        error = error.__cause__ or error.__context__
    return " <- ".join(told)


class NeverWaiting(logging.Handler):
    """Writes to a file descriptor that takes something just now, and else drops the line: a pipe that nobody reads is
    full after 64 KB, and whoever writes on stands still."""

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__(logging.WARNING)
        self.dropped = 0
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record).encode("utf-8", "replace")[: _PIPE_TAKES - 1] + b"\n"
            if self._takes():
                os.write(self._descriptor, line)
            else:
                self.dropped += 1
        except (OSError, ValueError):  # nobody is there any more
            self.dropped += 1

    def _takes(self) -> bool:
        if sys.platform == "win32":  # select knows sockets only there
            return True
        return bool(select.select([], [self._descriptor], [], 0)[1])


class LogFile(RotatingFileHandler):
    """The workspace's log, the newest 60 MB of it. A disk that takes nothing must not stop the server for its log."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LONGEST_FILE, backupCount=_KEPT_FILES, encoding="utf-8", delay=True)
        self.dropped = 0

    def handleError(self, record: logging.LogRecord) -> None:
        self.dropped += 1


@contextmanager
def writing_log(folder: Path) -> Iterator[None]:
    """Everything logged for the length of the block goes to `server.log` in the folder, and warnings to stderr."""
    root = logging.getLogger()
    ours = logging.getLogger("secondlook")
    before, levels = list(root.handlers), (root.level, ours.level)
    file, people = LogFile(folder / FILE), NeverWaiting()
    file.setFormatter(JsonLines())
    people.setFormatter(PlainLines())
    root.handlers = [file, people]
    root.setLevel(logging.WARNING)
    ours.setLevel(logging.INFO)
    # A turn that is left out because the last one still runs is no news; a run missed by an hour is recorded.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers = before
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        file.close()
