"""How long did each stage of building the demo take, on the clock and on the processors?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any


@dataclass(slots=True)
class Spent:
    """What a stage has taken so far: seconds waited, processor seconds of this process and its ended children."""

    times: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Stages:
    """Adds up the time of named stages, in the order in which they first came. One that is entered within another
    takes its time away from the outer one, so that the times add up."""

    def __init__(self) -> None:
        self._spent: dict[str, Spent] = {}
        self._within: list[str] = []
        self._since = _now()

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count what happens within as that stage."""
        self._settle()
        self._within.append(name)
        self._spent.setdefault(name, Spent()).times += 1
        try:
            yield
        finally:
            self._settle()
            self._within.pop()

    def to_json(self) -> list[dict[str, Any]]:
        """One row per stage: `stage`, `times` entered, `seconds` and `cpu_seconds`, rounded."""
        return [
            {
                "stage": name,
                "times": spent.times,
                "seconds": round(spent.seconds, 2),
                "cpu_seconds": round(spent.cpu_seconds, 2),
            }
            for name, spent in self._spent.items()
        ]

    def _settle(self) -> None:
        """Give the time since the last look to the innermost stage."""
        now, (clock, cpu) = _now(), self._since
        if self._within:
            spent = self._spent[self._within[-1]]
            spent.seconds += now[0] - clock
            spent.cpu_seconds += now[1] - cpu
        self._since = now


def _now() -> tuple[float, float]:
    used = os.times()
    return perf_counter(), used.user + used.system + used.children_user + used.children_system
