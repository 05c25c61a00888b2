"""What does one fuzzed request look like: which operation, whose token, which path, query and body?"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from benchmarks.fuzzing.values import ENTITIES, Seen, Values

JSON = Any
# Whoever is taken out of the institution is one of these, never one of those who send the other requests.
DOOMED = ("doomed-1", "doomed-2", "doomed-3")
_ROLES_OF_DOOMED = ("analyst", "team_lead", "risk_manager", "auditor", "integrator", "", "root")
# What a day is made of is asked for more often, so that there is something to trip over.
_DAILY = ("/v1/decisions", "/v1/tasks", "/v1/cases", "/v1/verdicts", "/v1/proposals")
_OWN_PATHS = {("DELETE", "/v1/users/{user}"), ("POST", "/v1/users")}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path of the OpenAPI document."""

    method: str
    path: str
    parameters: Sequence[Mapping[str, JSON]]
    body: Mapping[str, JSON] | None
    kind: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One request, ready to be sent: `target` is path and query as they travel."""

    number: int
    operation: Operation
    who: str
    target: str
    kind: str
    body: bytes

    @property
    def place(self) -> tuple[str, str]:
        """Method and path of the operation."""
        return self.operation.method, self.operation.path

    def told(self) -> str:
        """The request as one line, for a person who wants to send it again."""
        sent = f" {self.kind} {self.body[:600]!r}" if self.body else ""
        return f"#{self.number} as {self.who or 'nobody'}: {self.operation.method} {self.target[:400]}{sent}"


def operations(document: Mapping[str, JSON]) -> list[Operation]:
    """Every operation of an OpenAPI document."""
    found = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            kinds = about.get("requestBody", {}).get("content", {})
            kind = next(iter(kinds), "")
            body = kinds[kind]["schema"] if kind else None
            found.append(Operation(method.upper(), path, about.get("parameters", ()), body, kind))
    return found


class Drawing:
    """Draws request number n of a seed. The same n after the same answers is the same request."""

    def __init__(
        self,
        document: Mapping[str, JSON],
        people: Sequence[str],
        seen: Seen,
        files: Mapping[str, str],
        seed: str,
        allowed: Mapping[tuple[str, str], Sequence[str]],
    ):
        """`allowed`: who of the people may call an operation, by method and path; most requests are theirs."""
        self._all, self._people, self._allowed = operations(document), ("", *people), allowed
        self._schemas, self._seen, self._files = document["components"]["schemas"], seen, files
        self._seed = seed
        self._daily = [each for each in self._all if each.path.startswith(_DAILY)]
        for path in files:
            seen.add("path", path)
            seen.add("rule_id", path.rsplit("/", 1)[-1].removesuffix(".yaml"))
        for entity in ENTITIES:
            seen.add("entity", entity)
        self._own: dict[str, Seen] = {}

    def learn(self, who: str, answer: JSON) -> None:
        """Remember what an answer told this person, and so everybody."""
        self._seen.read(answer)
        self._own.setdefault(who, Seen()).read(answer)

    def draw(self, number: int) -> Drawn:
        """The requests go round all operations, in another order each time."""
        source = random.Random(f"{self._seed}:{number}")
        turn, place = divmod(number, len(self._all))
        order = random.Random(f"{self._seed}:turn:{turn}").sample(range(len(self._all)), len(self._all))
        operation = self._all[order[place]]
        if source.random() < 0.3:
            operation = source.choice(self._daily)
        may = self._allowed.get((operation.method, operation.path)) or self._people
        who = source.choice(may if source.random() < 0.85 else self._people)
        own = self._own.get(who) or Seen()
        values = Values(source, self._schemas, self._seen, own, self._files)
        target = _path(operation, values) + _query(operation, values)
        kind, body = _body(operation, values)
        return Drawn(number, operation, who, target, kind, body)


def _path(operation: Operation, values: Values) -> str:
    path = operation.path
    for each in operation.parameters:
        if each["in"] != "path":
            continue
        value = values.right(each["schema"], each["name"])
        if values.source.random() < 0.12:
            value = values.odd_text()
        if (operation.method, operation.path) in _OWN_PATHS:
            value = values.source.choice(DOOMED)
        path = path.replace("{" + each["name"] + "}", quote(str(value), safe=""))
    return path


def _query(operation: Operation, values: Values) -> str:
    given = []
    for each in operation.parameters:
        if each["in"] != "query" or (not each.get("required") and values.source.random() < 0.45):
            continue
        value = values.right(each["schema"], each["name"])
        if values.source.random() < 0.2:
            value = values.wrong()
        given.append((each["name"], value if isinstance(value, str) else json.dumps(value)))
    return "?" + urlencode(given) if given else ""


def _body(operation: Operation, values: Values) -> tuple[str, bytes]:
    if operation.body is None:
        return "", b""
    if operation.kind == "multipart/form-data":
        return _file(values)
    body = values.right(operation.body)
    how = values.source.random()
    if how < 0.35:
        _damage(body, values)
    if (operation.method, operation.path) in _OWN_PATHS and isinstance(body, dict):
        body |= {"user": values.source.choice(DOOMED), "role": values.source.choice(_ROLES_OF_DOOMED)}
    sent = json.dumps(body).encode()
    if how > 0.95:
        at = values.source.randrange(len(sent))
        sent = (
            sent[:at]
            + values.source.choice((b"", b"\xff", b"\\ud800", b"NaN", b"[" * 2_000))
            + sent[at + 1 :]
        )
    return operation.kind, sent


def _damage(body: JSON, values: Values) -> None:
    """One value somewhere becomes another, goes, or comes twice under another name."""
    if not isinstance(body, dict) or not body:
        return
    key = values.source.choice(sorted(body))
    inner = body[key]
    if isinstance(inner, dict) and inner and values.source.random() < 0.6:
        _damage(inner, values)
    elif isinstance(inner, list) and inner and values.source.random() < 0.6:
        inner[values.source.randrange(len(inner))] = values.wrong()
    elif values.source.random() < 0.2:
        del body[key]
    elif values.source.random() < 0.2:
        body[key + "x"] = inner
    else:
        body[key] = values.wrong()


_CONTENTS = (
    b"",
    b"a,b\n1,2\n",
    b"\xff\xfe\x00",
    b"PAR1xxxxPAR1",
    b"%PDF-1.4\n",
    b"\x89PNG\r\n\x1a\n",
    b"transaction_id,is_fraud,known_at\nt1,true,2026-01-01T00:00:00Z\n",
    b"transaction_id,is_fraud,known_at\nt1,perhaps,9999-12-31T23:59:59-14:00\n\x00,,\n",
)
_NAMES = ("a.csv", "a.parquet", "a.pdf", "a.png", "../../a.csv", "", "a", "x" * 300 + ".csv", "é\u202e.csv")


def _file(values: Values) -> tuple[str, bytes]:
    content, name = values.source.choice(_CONTENTS), values.source.choice(_NAMES)
    field = values.source.choice(("file", "file", "file", "other"))
    head = f'--frontier\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    whole = head.encode() + content + b"\r\n--frontier--\r\n"
    return "multipart/form-data; boundary=frontier", whole[
        : values.source.choice((len(whole), len(whole), 40))
    ]
