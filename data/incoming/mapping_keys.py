"""Which value stands at this key of a mapping file, and where in the file is it wrong?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data import strict_yaml
from data.errors import did_you_mean
from data.incoming.mapping_columns import EPOCHS, UNITS, TimeColumn
from data.money import CURRENCY

_DURATION = re.compile(r"([0-9]{1,6})(s|m|h|d)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PATTERN = re.compile(r"([^%]|%(-?[djmyHIMS]|[abcfghnpuwxzABGTUVWXYZ%]))+\Z")
"""What DuckDB can read: any other letter after a % would end an import."""
_PATTERNS = f"such as %d.%m.%Y %H:%M:%S (with %z where an offset stands), or {', '.join(EPOCHS)}"
_CLOCKS = (
    "a column of times, {column, format}, or {column, unit, origin} for seconds or steps since a beginning"
)


class Keys:
    """One document's values by their path of keys; every refusal points at the key that caused it."""

    def __init__(self, document: strict_yaml.Document) -> None:
        self.document = document
        self.top = document.value

    def part(self, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        part = self.top.get(name)
        if part is None:
            raise self.document.error(f"'{name}' is missing", allowed=", ".join(allowed))
        self.document.refuse_unknown(part, allowed, name)
        return part

    def value(self, *path: str) -> Any:
        value: Any = self.top
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, *path: str) -> str:
        value = self.value(*path)
        if not isinstance(value, str) or not value.strip():
            what = f"'{'.'.join(path)}' is missing" if value is None else f"'{path[-1]}' must be text"
            raise self.document.error(what, *path, hint="Give the name, in quotes if it looks like a number.")
        return value

    def word(self, allowed: tuple[str, ...], *path: str) -> str:
        """A text that must be one of `allowed`."""
        word = self.text(*path)
        if word not in allowed:
            what = f"unknown {path[-1]} '{word}'"
            hint = did_you_mean(word, allowed)
            raise self.document.error(what, *path, allowed=", ".join(allowed), hint=hint)
        return word

    def texts(self, *path: str) -> tuple[str, ...]:
        """A list of plain values as texts; empty where there is none."""
        values = self.value(*path)
        if values is None:
            return ()
        if not isinstance(values, list) or any(
            isinstance(v, dict | list | float) or v is None for v in values
        ):
            hint = "Quote a code that looks like a number with a point: '10.4'."
            raise self.document.error("a list of values was expected", *path, allowed="[1, fraud]", hint=hint)
        return tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in values)

    def currency(self, *path: str) -> str:
        code = self.text(*path)
        if not CURRENCY.match(code):
            raise self.document.error(
                f"'{code}' is not a currency code", *path, allowed="three capitals: EUR"
            )
        return code

    def zone(self, *path: str) -> str:
        name = self.text(*path)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as problem:
            what = f"'{name}' is not a time zone"
            raise self.document.error(what, *path, allowed="names such as Europe/Berlin, or UTC") from problem
        return name

    def clock(self, zone: str, *path: str) -> TimeColumn:
        """As `time`; where it is missing, the error says why nothing goes without it."""
        if self.value(*path) is None:
            raise self.document.error(
                "the mapping names no clock, and without one nobody can say what was known before what",
                *path,
                allowed=_CLOCKS,
                hint="Every transaction needs a moment: take the column that says when it happened.",
            )
        return self.time(zone, *path)

    def time(self, zone: str, *path: str) -> TimeColumn:
        value = self.value(*path)
        if not isinstance(value, dict):
            return TimeColumn(self.text(*path), "", zone)
        self.document.refuse_unknown(value, ("column", "format", "time_zone", "unit", "origin"), *path)
        own_zone = self.zone(*path, "time_zone") if "time_zone" in value else zone
        column = self.text(*path, "column")
        if "unit" in value or "origin" in value:
            if "format" in value:
                raise self.document.error("give either a format, or unit and origin", *path, "format")
            unit = self.word(tuple(UNITS), *path, "unit")
            return TimeColumn(column, "", own_zone, unit, self._origin(own_zone, *path, "origin"))
        return TimeColumn(column, self._format(*path, "format") if "format" in value else "", own_zone)

    def _format(self, *path: str) -> str:
        """A pattern of times, or the name of a count since 1970."""
        text = self.text(*path)
        if text in EPOCHS or ("%" in text and _PATTERN.match(text)):
            return text
        what = f"'{text}' is no pattern of times"
        raise self.document.error(what, *path, allowed=_PATTERNS)

    def _origin(self, zone: str, *path: str) -> datetime:
        text = self.value(*path)
        try:
            origin = datetime.fromisoformat(str(text))
        except ValueError as problem:
            what = f"'{text}' is no moment from which to count" if text else "the origin is missing"
            allowed = "a day or moment such as 2026-01-01; any will do, but it decides hours and weekends"
            raise self.document.error(what, *path, allowed=allowed) from problem
        if not 1970 <= origin.year < 2200:
            raise self.document.error(f"'{text}' is out of range", *path, allowed="1970 to 2199")
        aware = origin if origin.tzinfo else origin.replace(tzinfo=ZoneInfo(zone))
        return aware.astimezone(UTC)

    def duration(self, *path: str) -> timedelta:
        match = _DURATION.match(str(self.value(*path)))
        if not match:
            what = f"'{self.value(*path)}' is not a length of time"
            raise self.document.error(what, *path, allowed="a whole number and s, m, h or d: 7d")
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
