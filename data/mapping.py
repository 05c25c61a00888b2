"""Does this mapping file say everything it must, and nothing it may not?"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data import strict_yaml
from data.canonical import sha256_hex
from data.errors import MappingError, did_you_mean
from data.mapping_columns import Attribute, Label, Mapping, TimeColumn
from data.money import CURRENCY, Rate, Rates, duplicates

__all__ = ["Attribute", "Label", "Mapping", "TimeColumn", "load_mapping"]

TOP = (
    "version",
    "institution",
    "base_currency",
    "time_zone",
    "transaction",
    "entities",
    "attributes",
    "personal",
    "label",
    "rates",
)
RESERVED = frozenset(
    (
        *("seq", "transaction_id", "occurred_at", "recorded_at", "amount", "currency", "amount_minor"),
        *("content_sha256", "commitments", "source", "line", "arrival", "label", "known_at"),
    )
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_DURATION = re.compile(r"([0-9]{1,6})(s|m|h|d)\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def load_mapping(source: Path | bytes, where: str = "") -> Mapping:
    """Read a mapping file, or its bytes, strictly.

    MappingError with file:line:column for a key that is missing, unknown or given twice, and for any value that
    cannot be meant. `where` names the file in errors.
    """
    if isinstance(source, Path):
        document = strict_yaml.load_file(source, where=where, error_class=MappingError)
        return _Reader(document, source.read_bytes()).mapping()
    document = strict_yaml.load(source, where or "mapping.yaml", error_class=MappingError)
    return _Reader(document, source).mapping()


class _Reader:
    """Reads one document; every refusal points at the key that caused it."""

    def __init__(self, document: strict_yaml.Document, content: bytes) -> None:
        self.document = document
        self.top = document.value
        self.content = content

    def mapping(self) -> Mapping:
        self.document.refuse_unknown(self.top, TOP)
        if self.top.get("version") != 1:
            raise self.document.error("this program reads version 1", "version", allowed="version: 1")
        zone = self._zone("time_zone") if "time_zone" in self.top else "UTC"
        base = self._currency("base_currency")
        part = self._part("transaction", ("id", "occurred_at", "arrival", "amount", "currency"))
        currency, constant = self._currency_of(part, base)
        mapping = Mapping(
            institution=self._text("institution"),
            base_currency=base,
            time_zone=zone,
            transaction_id=self._text("transaction", "id"),
            occurred_at=self._time(zone, "transaction", "occurred_at"),
            arrival=self._time(zone, "transaction", "arrival") if "arrival" in part else None,
            amount=self._text("transaction", "amount") if "amount" in part else "",
            currency=currency,
            currency_constant=constant,
            entities=self._columns("entities"),
            attributes=self._attributes(),
            personal=self._columns("personal"),
            label=self._label(zone),
            rates=self._rates(base),
            sha256=sha256_hex(self.content),
            where=self.document.where,
        )
        self._check(mapping)
        return mapping

    def _check(self, mapping: Mapping) -> None:
        seen: dict[str, str] = {}
        for group in ("entities", "attributes", "personal"):
            for name in getattr(mapping, group):
                if name in seen:
                    raise self.document.error(f"'{name}' is already one of the {seen[name]}", group, name)
                seen[name] = group
        constant = mapping.currency_constant
        if constant and constant not in {mapping.base_currency, *(r.currency for r in mapping.rates.table)}:
            what = f"there is no rate from {constant} to {mapping.base_currency}"
            raise self.document.error(what, "transaction", "currency", hint="Add it to `rates`.")

    def _part(self, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        part = self.top.get(name)
        if part is None:
            raise self.document.error(f"'{name}' is missing", allowed=", ".join(allowed))
        self.document.refuse_unknown(part, allowed, name)
        return part

    def _value(self, *path: str) -> Any:
        value: Any = self.top
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def _text(self, *path: str) -> str:
        value = self._value(*path)
        if not isinstance(value, str) or not value.strip():
            what = f"'{'.'.join(path)}' is missing" if value is None else f"'{path[-1]}' must be text"
            raise self.document.error(what, *path, hint="Give the name, in quotes if it looks like a number.")
        return value

    def _currency(self, *path: str) -> str:
        code = self._text(*path)
        if not CURRENCY.match(code):
            raise self.document.error(
                f"'{code}' is not a currency code", *path, allowed="three capitals: EUR"
            )
        return code

    def _currency_of(self, part: dict[str, Any], base: str) -> tuple[str, str]:
        value = part.get("currency")
        if value is None:
            return "", base
        if isinstance(value, str):
            return value, ""
        self.document.refuse_unknown(value, ("constant", "column"), "transaction", "currency")
        if len(value) != 1:
            raise self.document.error("give either a column or a constant", "transaction", "currency")
        if "column" in value:
            return self._text("transaction", "currency", "column"), ""
        return "", self._currency("transaction", "currency", "constant")

    def _zone(self, *path: str) -> str:
        name = self._text(*path)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as problem:
            what = f"'{name}' is not a time zone"
            raise self.document.error(what, *path, allowed="names such as Europe/Berlin, or UTC") from problem
        return name

    def _time(self, zone: str, *path: str) -> TimeColumn:
        value = self._value(*path)
        if not isinstance(value, dict):
            return TimeColumn(self._text(*path), "", zone)
        self.document.refuse_unknown(value, ("column", "format", "time_zone"), *path)
        form = self._text(*path, "format") if "format" in value else ""
        own_zone = self._zone(*path, "time_zone") if "time_zone" in value else zone
        return TimeColumn(self._text(*path, "column"), form, own_zone)

    def _named(self, group: str) -> dict[str, Any]:
        part = self.top.get(group)
        if part is None:
            return {}
        if not isinstance(part, dict):
            raise self.document.error(f"'{group}' must map names to columns", group)
        for name in part:
            if not _NAME.match(name) or name in RESERVED:
                what = f"'{name}' cannot be the name of a field"
                allowed = "small letters, digits and _; not one of the ledger's own columns"
                raise self.document.error(what, group, name, allowed=allowed)
        return part

    def _columns(self, group: str) -> dict[str, str]:
        return {name: self._text(group, name) for name in self._named(group)}

    def _attributes(self) -> dict[str, Attribute]:
        found = {}
        for name, value in self._named("attributes").items():
            self.document.refuse_unknown(value, ("column", "type", "unit"), "attributes", name)
            kind = self._text("attributes", name, "type")
            if kind not in ("number", "category", "flag"):
                hint = did_you_mean(kind, ("number", "category", "flag"))
                what = f"unknown type '{kind}'"
                allowed = "number, category, flag"
                raise self.document.error(what, "attributes", name, "type", allowed=allowed, hint=hint)
            unit = self._text("attributes", name, "unit") if "unit" in value else ""
            found[name] = Attribute(self._text("attributes", name, "column"), kind, unit)
        return found

    def _label(self, zone: str) -> Label | None:
        if "label" not in self.top:
            return None
        part = self._part("label", ("column", "known_after", "known_at", "fraud_values"))
        if ("known_after" in part) == ("known_at" in part):
            raise self.document.error("say when labels become known: give known_after or known_at", "label")
        after = self._duration("label", "known_after") if "known_after" in part else None
        at = self._time(zone, "label", "known_at") if "known_at" in part else None
        return Label(self._text("label", "column"), after, at, self._fraud_values(part))

    def _fraud_values(self, part: dict[str, Any]) -> tuple[str, ...]:
        values = part.get("fraud_values", [])
        if not isinstance(values, list) or any(
            isinstance(v, dict | list | float) or v is None for v in values
        ):
            raise self.document.error(
                "a list of values was expected", "label", "fraud_values", allowed="[1, fraud]"
            )
        return tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in values)

    def _duration(self, *path: str) -> timedelta:
        match = _DURATION.match(str(self._value(*path)))
        if not match:
            what = f"'{self._value(*path)}' is not a length of time"
            raise self.document.error(what, *path, allowed="a whole number and s, m, h or d: 7d")
        return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])

    def _rates(self, base: str) -> Rates:
        entries = self.top.get("rates", [])
        if not isinstance(entries, list):
            raise self.document.error(
                "'rates' must be a list", "rates", allowed="{currency, from, rate} entries"
            )
        table = tuple(self._rate(index, entry, base) for index, entry in enumerate(entries))
        for currency, since in duplicates(table):
            raise self.document.error(f"two rates for {currency} from {since}", "rates")
        return Rates(base, table)

    def _rate(self, index: int, entry: Any, base: str) -> Rate:
        self.document.refuse_unknown(entry, ("currency", "from", "rate"), "rates", index)
        currency = entry.get("currency")
        if not isinstance(currency, str) or not CURRENCY.match(currency) or currency == base:
            what = f"'{currency}' is not a currency to convert into {base}"
            raise self.document.error(what, "rates", index, "currency", allowed="three capitals: USD")
        try:
            since, rate = date.fromisoformat(str(entry.get("from"))), Decimal(str(entry.get("rate")))
        except (ValueError, InvalidOperation) as problem:
            what = "a rate needs a date and a number"
            allowed = "{currency: USD, from: 2026-01-01, rate: 0.92}"
            raise self.document.error(what, "rates", index, allowed=allowed) from problem
        if not rate.is_finite() or not 0 < rate < 100_000:
            raise self.document.error(
                f"the rate {rate} is out of range", "rates", index, "rate", allowed="above 0"
            )
        return Rate(currency, since, rate)
