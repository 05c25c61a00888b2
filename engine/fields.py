"""How is one checked value read out of a strict YAML file, with an error that points at its line?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from data.errors import InputError, did_you_mean
from data.money import decimals
from data.strict_yaml import Document, KeyPath

_DURATION = re.compile(r"([1-9][0-9]{0,6})(s|m|h|d|w)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MAX_MINOR = 10**15


class Fields:
    """One mapping inside a Document. Every getter raises the document's error class at the value's line.

    Asking for a key marks it as known; `done` then refuses whatever was not asked for.
    """

    def __init__(self, document: Document, *path: str | int) -> None:
        self.document, self.path = document, path
        value = _walk(document.value, path)
        if not isinstance(value, dict):
            raise document.error("a mapping of keys to values was expected here", *path)
        self.value: Mapping[str, Any] = value
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def error(self, what: str, key: str = "", *, allowed: str = "", hint: str = "") -> InputError:
        path: KeyPath = (*self.path, key) if key else self.path
        return self.document.error(what, *path, allowed=allowed, hint=hint)

    def done(self) -> None:
        """Refuse keys nobody asked for, with the nearest known name."""
        self.document.refuse_unknown(self.value, self._asked, *self.path)

    def raw(self, key: str, default: Any = ...) -> Any:
        """The value as parsed; without a default the key is required and may not be empty."""
        self._asked.append(key)
        if self.value.get(key) is not None:
            return self.value[key]
        if default is ...:
            known = list(self.value)
            raise self.error(f"'{key}' is missing", key, hint=did_you_mean(key, known))
        return default

    def fields(self, key: str, *, optional: bool = False) -> Fields | None:
        """The mapping under `key`; None where it is optional and absent."""
        if self.raw(key, None if optional else ...) is None:
            return None
        return Fields(self.document, *self.path, key)

    def part(self, key: str) -> Fields:
        """The required mapping under `key`."""
        self.raw(key)
        return Fields(self.document, *self.path, key)

    def each(self, key: str) -> Iterator[Fields]:
        """The mappings of the list under `key` (none where it is absent)."""
        rows = self.raw(key, [])
        if not isinstance(rows, list):
            raise self.error(f"'{key}' must be a list", key)
        for index in range(len(rows)):
            yield Fields(self.document, *self.path, key, index)

    def text(self, key: str, default: str | None = None, *, longest: int = 4000) -> str:
        value = self.raw(key, ... if default is None else default)
        if not isinstance(value, str):
            raise self.error(f"'{key}' must be text, not {value!r}", key, hint="Put it in quotes.")
        if len(value) > longest:
            raise self.error(f"'{key}' is longer than {longest} characters", key)
        return value.strip()

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        known, value = list(allowed), self.text(key, default)
        if value not in known:
            raise self.error(
                f"'{key}' is '{value}'", key, allowed=", ".join(known), hint=did_you_mean(value, known)
            )
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        value = self.raw(key, ... if default is None else default)
        if not isinstance(value, bool):
            raise self.error(f"'{key}' must be true or false, not {value!r}", key)
        return value

    def integer(self, key: str, default: int | None = None, *, low: int = 0, high: int = 10**9) -> int:
        value = self.raw(key, ... if default is None else default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(f"'{key}' is {value!r}", key, allowed=f"a whole number from {low} to {high}")
        return value

    def number(
        self, key: str, default: float | None = None, *, low: float = 0.0, high: float = 1e12
    ) -> float:
        value = self.raw(key, ... if default is None else default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.error(f"'{key}' is {value!r}", key, allowed=f"a number from {low:g} to {high:g}")
        return float(value)

    def share(self, key: str, default: float | None = None) -> float:
        return self.number(key, default, low=0.0, high=1.0)

    def money(self, key: str, currency: str, default: str | None = None) -> int:
        """Written in major units (12.50), returned in minor units (1250)."""
        value = self.raw(key, ... if default is None else default)
        allowed = f"an amount in {currency} with at most {decimals(currency)} decimals, from 0"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.error(f"'{key}' is {value!r}", key, allowed=allowed)
        try:
            minor = Decimal(str(value)).scaleb(decimals(currency))
        except ArithmeticError as problem:
            raise self.error(f"'{key}' is {value!r}", key, allowed=allowed) from problem
        if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor <= _MAX_MINOR:
            raise self.error(f"'{key}' is {value!r}", key, allowed=allowed)
        return int(minor)

    def duration(self, key: str, default: str | None = None) -> timedelta:
        """`30s`, `10m`, `4h`, `7d` or `2w`."""
        value = self.raw(key, ... if default is None else default)
        match = _DURATION.match(value) if isinstance(value, str) else None
        if match is None:
            raise self.error(f"'{key}' is {value!r}", key, allowed="a duration such as 30s, 10m, 4h, 7d, 2w")
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])

    def moment(self, key: str, *, optional: bool = False) -> datetime | None:
        """A date (its first instant in UTC) or an RFC 3339 date and time with its zone."""
        value = self.raw(key, None if optional else ...)
        if value is None:
            return None
        try:
            text = str(value)
            if len(text) == 10:
                return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            moment = datetime.fromisoformat(text)
            # With no zone it is refused below; at the ends of the calendar its UTC form may not exist.
            in_utc = moment.astimezone(UTC) if moment.tzinfo else None
        except (ValueError, OverflowError) as problem:
            raise self.error(
                f"'{key}' is {value!r}", key, allowed="2026-11-21 or 2026-11-21T09:00:00Z"
            ) from problem
        if in_utc is None:
            raise self.error(f"'{key}' has no time zone", key, hint="Add Z for UTC.")
        return in_utc

    def texts(self, key: str, *, optional: bool = True) -> tuple[str, ...]:
        values = self.raw(key, [] if optional else ...)
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise self.error(f"'{key}' must be a list of texts", key)
        return tuple(v.strip() for v in values)


def _walk(value: Any, path: KeyPath) -> Any:
    for key in path:
        value = value[key]
    return value
