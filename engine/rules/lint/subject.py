"""What is looked at when rules are linted, and what does a finding say?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from data.errors import ConfigError, InputError
from data.strict_yaml import Document, load
from engine.features.feature_set import FeatureSet
from engine.rules.conditions import Node
from engine.rules.lists import Lists
from engine.rules.loader import FOLDER, load_rule
from engine.rules.rule import Rule


class Severity(StrEnum):
    """An error keeps a set from being approved; a warning should have an answer; info is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection: which check, how grave, where (file:line:column where that is known), what, and what to do."""

    check: str
    severity: Severity
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.severity}: {self.what}. {self.hint}".rstrip()
        return f"{text} [{self.check}]"


@dataclass(frozen=True)
class Source:
    """One rule file: its document if it is YAML, its rule if it could be read whole, else what stopped that."""

    where: str
    document: Document | None
    rule: Rule | None
    problem: InputError | None = None

    @property
    def value(self) -> Mapping[str, Any]:
        """The file's keys and values; empty if it is no YAML."""
        return self.document.value if self.document else {}

    def at(self, *path: str | int) -> str:
        """file:line:column of a key, or the file where there is no document."""
        return self.document.at(*path) if self.document else self.where

    def each(self, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The mappings in the list under `key`, with their index; whatever else stands there is left out."""
        rows = self.value.get(key)
        for index, row in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(row, dict):
                yield index, row

    def lines(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The one-line conditions under `when`, each with its key path."""
        yield from _lines(self.value.get("when"), ("when",))


@dataclass(frozen=True)
class Subject:
    """Everything the checks may look at. `locked` holds, by rule id, the version and sha256 last agreed on (from the
    lock file or the approved set); `at` (UTC) decides what has expired; of the entities in `pseudonymous` payments hold
    pseudonyms only. Of the policy there are the conditions of its `segments`, and what its queues' `matches` ask of
    a field, each with its place."""

    sources: tuple[Source, ...]
    features: FeatureSet
    lists: Lists
    at: datetime
    lists_document: Document | None = None
    locked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pseudonymous: frozenset[str] = frozenset()
    segments: tuple[tuple[str, Node], ...] = ()
    matches: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def read(self) -> Iterator[tuple[Source, Rule]]:
        """The files that could be read whole."""
        for source in self.sources:
            if source.rule is not None:
                yield source, source.rule


Objection = tuple[str, str, str]
"""where, what, hint."""


@dataclass(frozen=True, slots=True)
class Check:
    """A named check: what it objects to, and how gravely."""

    name: str
    severity: Severity
    about: str
    find: Callable[[Subject], Iterable[Objection]]


def lint(subject: Subject, checks: Iterable[Check]) -> list[Finding]:
    """All findings of all checks, by place. What stops a file from being read is told once: by the check that knows
    more about it, if there is one, since the checks are asked in order."""
    found: dict[tuple[str, str], Finding] = {}
    for check in checks:
        for where, what, hint in check.find(subject):
            if check.name == "unreadable" and any(place == where for place, _ in found):
                continue
            found.setdefault((where, what), Finding(check.name, check.severity, where, what, hint))
    return sorted(found.values(), key=lambda f: (_place(f.where), f.check))


def sources_of(
    files: Mapping[str, bytes], features: FeatureSet, lists: Lists, *, currency: str
) -> tuple[Source, ...]:
    """Every rule file of a set, read as far as it goes; nothing is raised."""
    return tuple(
        _source(path, files[path], features, lists, currency)
        for path in sorted(files)
        if PurePosixPath(path).parent.name == FOLDER and path.endswith((".yaml", ".yml"))
    )


def _source(where: str, text: bytes, features: FeatureSet, lists: Lists, currency: str) -> Source:
    try:
        document = load(text, where)
    except ConfigError as problem:
        return Source(where, None, None, problem)
    try:
        return Source(where, document, load_rule(text, where, features, lists, currency=currency))
    except ConfigError as problem:
        return Source(where, document, None, problem)


def _lines(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    if isinstance(value, str):
        yield value, path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _lines(inner, (*path, index))


def _place(where: str) -> tuple[str, int, int]:
    """File, line and column as numbers, so that line 9 comes before line 10."""
    file, *numbers = where.rsplit(":", 2)
    line, column = (int(n) if n.isdecimal() else 0 for n in (*numbers, "0", "0")[:2])
    return file, line, column
