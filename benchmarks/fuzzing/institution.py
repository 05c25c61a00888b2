"""Who sends the fuzzed requests, to which institution, and what came of them?"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from fastapi.routing import APIRoute

from benchmarks.fuzzing.asking import Given, ask, complaint
from benchmarks.fuzzing.drawing import Drawing, Drawn
from benchmarks.fuzzing.values import Seen
from casework.app import App
from casework.http import routes
from casework.http.access import permission_of
from casework.http.api import create_api
from casework.people.guessing import TooManyAttempts
from casework.people.permissions import ALLOWED, Permission, Role
from data import approved


@dataclass
class Found:
    """What so many requests showed: answers by status, complaints with their requests, the dearest operations."""

    examples: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: set[tuple[str, str]] = field(default_factory=set)
    succeeded: set[tuple[str, str]] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def count(self, drawn: Drawn, given: Given, wrong: str) -> None:
        """Add one answer."""
        name = drawn.place
        self.examples += 1
        self.statuses[given.status] += 1
        self.reached.add(name)
        if given.status < 300:
            self.succeeded.add(name)
        if wrong:
            self.complaints.append(f"{wrong}\n    {drawn.told()}")
        told = " ".join(name)
        self.seconds[told] = max(self.seconds.get(told, 0.0), given.seconds)


class Fuzzed:
    """One opened institution and its people, asked in this process."""

    def __init__(self, app: App, people: dict[str, str], seed: str) -> None:
        """`people`: a password by user id; whoever is not there is left out."""
        self.app, self.api = app, create_api(app)
        files = {name: content.decode() for name, content in approved.current(app.ledger).files.items()}
        document = self.api.openapi()
        self._allowed = _permissions(document["paths"])
        self.operations = set(self._allowed)
        self._roles = {
            row["user_id"]: Role(row["role"]) for row in app.ledger.read("SELECT user_id, role FROM users")
        }
        people = {user: password for user, password in people.items() if user in self._roles}
        self._people, self._tokens = people, dict[str, str]()
        may = {place: [who for who in people if self._may(who, place)] for place in self.operations}
        self.drawing = Drawing(document, list(people), Seen(), files, seed, may)

    def run(self, numbers: range) -> Found:
        """Send these requests, one after another."""
        return asyncio.run(self._run(numbers))

    async def _run(self, numbers: range) -> Found:
        found = Found()
        for number in numbers:
            drawn = self.drawing.draw(number)
            given = await ask(self.api, drawn, await self._token(drawn.who))
            found.count(drawn, given, complaint(drawn, given, self._may(drawn.who, drawn.place)))
            self._learn(drawn.who, given)
            if given.status == 401 or drawn.operation.path == "/v1/sessions/current":
                self._tokens.pop(drawn.who, None)
        return found

    async def _token(self, who: str) -> str:
        while who and who not in self._tokens:
            try:
                session = self.app.signin.sign_in(who, self._people[who], datetime.now(UTC))
            except TooManyAttempts as refusal:  # some of the requests guessed at this person's password
                await asyncio.sleep(refusal.wait_seconds)
            else:
                self._tokens[who] = session.token
        return self._tokens.get(who, "")

    def _may(self, who: str, place: tuple[str, str]) -> bool:
        wanted = self._allowed[place]
        return wanted == "public" or (bool(who) and self._roles[who] in ALLOWED[Permission(wanted)])

    def _learn(self, who: str, given: Given) -> None:
        if (
            given.body
            and given.status < 300
            and given.headers.get("content-type", "").startswith("application/json")
        ):
            self.drawing.learn(who, json.loads(given.body))


def _permissions(paths: Iterable[str]) -> dict[tuple[str, str], Any]:
    """The permission of every operation, as the routers of the package declare it."""
    modules = [import_module(f"{routes.__name__}.{each.name}") for each in iter_modules(routes.__path__)]
    declared = [route for module in modules if hasattr(module, "router") for route in module.router.routes]
    by_path = {path: path.removeprefix("/v1") for path in paths}
    return {
        (method, path): permission_of(route)
        for path, bare in by_path.items()
        for route in declared
        if isinstance(route, APIRoute) and route.path_format == bare
        for method in route.methods
    }


@contextmanager
def opened(app: App, people: dict[str, str], seed: str) -> Iterator[Fuzzed]:
    """The institution, closed at the end."""
    try:
        yield Fuzzed(app, people, seed)
    finally:
        app.close()
