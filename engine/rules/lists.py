"""Which values are on which list, since when, until when and why?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data.strict_yaml import load
from engine.fields import Fields

MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One value on a list; in force from `added` (always, if None) until before `expires` (for ever, if None)."""

    value: str
    reason: str
    added_by: str
    added: datetime | None = None
    expires: datetime | None = None

    def in_force(self, at: datetime) -> bool:
        return (self.added is None or at >= self.added) and (self.expires is None or at < self.expires)


@dataclass(frozen=True)
class ValueList:
    """A named list, split so that a look-up stays one hash: values that always hold, and those with dates."""

    name: str
    description: str
    entries: tuple[Entry, ...]
    always: frozenset[str] = field(init=False)
    dated: Mapping[str, tuple[Entry, ...]] = field(init=False)

    def __post_init__(self) -> None:
        dated: dict[str, tuple[Entry, ...]] = {}
        for entry in self.entries:
            if entry.added or entry.expires:
                dated[entry.value] = (*dated.get(entry.value, ()), entry)
        always = frozenset(e.value for e in self.entries if not (e.added or e.expires))
        object.__setattr__(self, "always", always)
        object.__setattr__(self, "dated", dated)

    def holds(self, value: str, at: datetime) -> bool:
        """Whether `value` is on the list at `at` (UTC, with zone)."""
        return value in self.always or any(e.in_force(at) for e in self.dated.get(value, ()))


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists of the institution by name."""

    lists: Mapping[str, ValueList] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ValueList:
        return self.lists[name]

    def __contains__(self, name: object) -> bool:
        return name in self.lists

    def __iter__(self) -> Iterator[str]:
        return iter(self.lists)

    def __len__(self) -> int:
        return len(self.lists)


def load_lists(text: bytes, where: str = "rules/lists.yaml") -> Lists:
    """Read lists.yaml strictly; an absent file (no text) holds no lists. ConfigError with file:line:column."""
    if not text.strip():
        return Lists()
    top = Fields(load(text, where))
    top.integer("version", low=1)
    every = top.part("lists")
    top.done()
    return Lists({name: _value_list(every.part(name), name) for name in every.value})


def _value_list(part: Fields, name: str) -> ValueList:
    description = part.text("description")
    rows = list(part.each("entries"))
    part.done()
    if len(rows) > MOST_ENTRIES:
        raise part.error(
            f"the list '{name}' has {len(rows)} entries", "entries", allowed=f"up to {MOST_ENTRIES}"
        )
    return ValueList(name, description, tuple(_entry(row) for row in rows))


def _entry(row: Fields) -> Entry:
    entry = Entry(
        value=row.text("value", longest=200),
        reason=row.text("reason"),
        added_by=row.text("added_by"),
        added=row.moment("added", optional=True),
        expires=row.moment("expires", optional=True),
    )
    row.done()
    if entry.added and entry.expires and entry.added >= entry.expires:
        raise row.error("the entry expires before it was added", "expires")
    return entry
