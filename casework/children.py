"""How does a child process start so that it never outlives its parent?"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

log = logging.getLogger("secondlook.server")
_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 5.0
_MOST_DOUBLINGS = 7


def _die_with_parent() -> Callable[[], object] | None:
    """What the child calls before it becomes the new program; only Linux has it, elsewhere `stop` must do."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork, where loading is not safe
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prepared(niceness: int) -> Callable[[], object] | None:
    """The same, with a low priority from its first moment on: importing what it needs is work already."""
    tied = _die_with_parent()
    if not niceness or not hasattr(os, "nice"):  # Windows has no niceness
        return tied
    return lambda: (os.nice(niceness), tied() if tied else None)


def start(
    command: Sequence[str], environment: Mapping[str, str], log: Path, niceness: int = 0
) -> subprocess.Popen[bytes]:
    """Start a child whose output goes to `log`. Call from the main thread: Linux ties the child to the thread."""
    with log.open("ab") as out:
        return subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=_prepared(niceness),
        )


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a child: asked first, made to after five seconds."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class Kept:
    """A child that is started again when it has ended by itself, later each time, so that one that cannot live does
    not take the machine with it. Call from the main thread."""

    def __init__(self, begin: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._begin, self._failures, self._skip = begin, 0, 0
        self.child = begin()

    def keep_up(self) -> None:
        """Look after the child: of the turns after its n-th end, 2^n - 1 pass before it is started again."""
        if self.child.poll() is None:
            return
        if self._skip > 0:
            self._skip -= 1
            return
        log.error("a child ended by itself with %s and is started again", self.child.returncode)
        self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
        self._skip = 2**self._failures - 1
        try:
            self.child = self._begin()
        except OSError:  # a disk that takes no log, or no process to be had: the caller goes on without it
            log.exception("a child cannot be started; it is tried again")

    def stop(self) -> None:
        stop(self.child)
