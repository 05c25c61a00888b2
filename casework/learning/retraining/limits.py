"""How much time and memory may a training child take, and who stops it?

The parent watches and stops it with a sentence. The limits that the operating system holds are there for when the
parent cannot: they lie somewhat higher.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

MEGABYTE = 1_000_000
_HEADROOM_MB = 1_000
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """Wall-clock seconds and megabytes of resident memory that a run may take."""

    seconds: int
    memory_mb: int


def hold(limits: Limits) -> None:
    """Have the operating system hold this process to its limits, where it can (not on Windows)."""
    if sys.platform == "win32":
        return
    import resource

    memory = (limits.memory_mb + _HEADROOM_MB) * MEGABYTE
    processor = 2 * limits.seconds + 60
    for what, wanted in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, processor)):
        hard = resource.getrlimit(what)[1]
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (allowed, hard))


def watch(child: subprocess.Popen[bytes], limits: Limits, stopped: Callable[[], bool]) -> str:
    """Wait for the child to end. The sentence that says which limit it passed, '' if it ended by itself or `stopped`
    says that somebody wants it to; the caller ends it."""
    deadline = time.monotonic() + limits.seconds
    while not stopped():
        try:
            child.wait(_LOOK_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                return (
                    f"training took longer than the {limits.seconds:,} s that were allowed "
                    "(retrain.max_seconds), and was stopped"
                )
            if _resident(child.pid) > limits.memory_mb * MEGABYTE:
                return (
                    f"training needed more than the {limits.memory_mb:,} MB of memory that were allowed "
                    "(retrain.max_memory_mb), and was stopped"
                )
    return ""


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # it ended between the two looks
