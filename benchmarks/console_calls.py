"""Which calls does each page of the console make, and what does the API spend on each?

The real pages run in this process (Streamlit's AppTest) against the real API in this process; the processor time of a
call is that of all threads while it lasts, the database's included, the page's own work left out.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import streamlit as st
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from casework.app import App
from casework.http.api import create_api
from dashboards import role_pages
from dashboards.access import signin

CONSOLE = Path(role_pages.__file__).with_name("console.py")
PEOPLE = {
    "analyst": "analyst-2",
    "team_lead": "team-lead-1",
    "risk_manager": "risk-manager-1",
    "auditor": "auditor-1",
    "admin": "admin-1",
    "integrator": "integrator-1",
}
_IDS = re.compile(r"\b(tx|case|task|verdict|model|m|dossier|prop|proposal|set|trial)_[0-9A-Za-z_]+")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: method and path (ids left out), status, bytes answered, processor and clock milliseconds."""

    name: str
    status: int
    size: int
    cpu_ms: float
    ms: float


class Recorder(TestClient):
    """An in-process connection to the API that notes what every request takes."""

    def __init__(self, app: App) -> None:
        super().__init__(create_api(app), base_url="http://127.0.0.1", raise_server_exceptions=False)
        self.calls: list[Call] = []

    def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        options.pop("timeout", None)  # the console's own patience: nothing is waited for here
        began, cpu = time.perf_counter(), time.process_time()
        answer = super().request(method, url, **options)
        spent, took = time.process_time() - cpu, time.perf_counter() - began
        name = f"{method} {_IDS.sub('{id}', str(url).removeprefix('/v1'))}"
        self.calls.append(Call(name, answer.status_code, len(answer.content), spent * 1000, took * 1000))
        return answer

    def token(self, user: str, password: str) -> str:
        answer = self.post("/v1/sessions", json={"user": user, "password": password})
        return str(answer.json()["token"])


@dataclass(slots=True)
class Visit:
    """What one page asked in each of its runs, and what it could not show."""

    role: str
    page: str
    rounds: list[list[Call]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        return median(sum(call.cpu_ms for call in calls) for calls in self.rounds)

    @property
    def first_cpu_ms(self) -> float:
        return sum(call.cpu_ms for call in self.rounds[0])

    @property
    def worst(self) -> tuple[str, float]:
        by_name = calls_by_name([self])
        return max(((n, median(c.cpu_ms for c in some)) for n, some in by_name.items()), key=lambda x: x[1])


def calls_by_name(visits: list[Visit]) -> dict[str, list[Call]]:
    """All calls of some visits by what they ask."""
    found: dict[str, list[Call]] = defaultdict(list)
    for visit in visits:
        for calls in visit.rounds:
            for call in calls:
                found[call.name].append(call)
    return found


@contextmanager
def in_process(app: App) -> Iterator[Recorder]:
    """The console's connection pool is the recorder for the length of the block."""
    with Recorder(app) as recorder:
        was = signin.open_pool
        st.cache_resource.clear()
        signin.open_pool = lambda base: recorder
        try:
            yield recorder
        finally:
            signin.open_pool = was
            st.cache_resource.clear()


def visits(
    recorder: Recorder, password: str, rounds: int, roles: Mapping[str, tuple[str, ...]]
) -> Iterator[Visit]:
    """Every page of every role, opened `rounds` times by somebody who has just come in."""
    for role, names in roles.items():
        token = recorder.token(PEOPLE[role], password)
        for name in names:
            visit = Visit(role, name)
            for _ in range(rounds):
                visit.rounds.append(_opened(recorder, token, name, visit.problems))
            yield visit


def _opened(recorder: Recorder, token: str, name: str, problems: list[str]) -> list[Call]:
    console = AppTest.from_file(str(CONSOLE), default_timeout=600)
    console.session_state["token"] = token
    console.run()
    recorder.calls.clear()
    console.switch_page(f"app_pages/{name}.py")
    console.run()
    while name == "effect" and console.get("progress"):  # asked for again, until it is there
        time.sleep(0.2)
        console.run()
    problems += [str(each.value) for each in console.exception]
    return list(recorder.calls)
