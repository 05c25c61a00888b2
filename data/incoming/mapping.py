"""Does this mapping file say everything it must, and nothing it may not?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from data import strict_yaml
from data.canonical import sha256_hex
from data.errors import MappingError
from data.incoming.amount_form import AMOUNT_EXAMPLES, amount_form
from data.incoming.mapping_columns import FROM_ROW, AmountForm, Attribute, Label, Mapping, TimeColumn
from data.incoming.mapping_keys import Keys
from data.incoming.mapping_labels import label_of, outcomes_of
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
    "outcomes",
    "rates",
)
RESERVED = frozenset(
    (
        *(
            "everyone",
            "seq",
            "transaction_id",
            "occurred_at",
            "recorded_at",
            "amount",
            "currency",
            "amount_minor",
        ),
        *(
            "content_sha256",
            "commitments",
            "source",
            "line",
            "arrival",
            "label",
            "known_at",
            "is_fraud",
            "problem",
        ),
    )
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_WORD = re.compile(r"[a-z]{2,20}( [a-z]{2,20})?\Z")


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


class _Reader(Keys):
    """Reads one document into a Mapping."""

    def __init__(self, document: strict_yaml.Document, content: bytes) -> None:
        super().__init__(document)
        self.content = content

    def mapping(self) -> Mapping:
        self.document.refuse_unknown(self.top, TOP)
        if self.top.get("version") != 1:
            raise self.document.error("this program reads version 1", "version", allowed="version: 1")
        zone = self.zone("time_zone") if "time_zone" in self.top else "UTC"
        base = self.currency("base_currency")
        part = self.part("transaction", ("id", "occurred_at", "arrival", "amount", "currency", "called"))
        currency, constant = self._currency_of(part, base)
        amount, form = self._amount(part)
        entities, pseudonymous = self._entities()
        mapping = Mapping(
            institution=self.text("institution"),
            base_currency=base,
            time_zone=zone,
            transaction_id=self._id(),
            occurred_at=self.clock(zone, "transaction", "occurred_at"),
            arrival=self.time(zone, "transaction", "arrival") if "arrival" in part else None,
            amount=amount,
            amount_form=form,
            currency=currency,
            currency_constant=constant,
            entities=entities,
            attributes=self._attributes(),
            personal=self._columns("personal"),
            label=label_of(self, zone),
            outcomes=outcomes_of(self, zone),
            rates=self._rates(base),
            called=self._called(),
            pseudonymous=pseudonymous,
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
        for name in sorted(mapping.pseudonymous):
            self._refuse_in_clear(mapping, name)
        constant = mapping.currency_constant
        if constant and constant not in {mapping.base_currency, *(r.currency for r in mapping.rates.table)}:
            what = f"there is no rate from {constant} to {mapping.base_currency}"
            raise self.document.error(what, "transaction", "currency", hint="Add it to `rates`.")

    def _refuse_in_clear(self, mapping: Mapping, entity: str) -> None:
        """A column whose values are kept as pseudonyms is read by nothing that would keep them as they are.

        Personal fields may: they are apart, and erasable.
        """
        column = mapping.entities[entity]
        others = {n: c for n, c in mapping.entities.items() if n not in mapping.pseudonymous}
        place = replace(mapping, entities=others, personal={}).columns.get(column)
        if place:
            what = f"{place} would keep in clear what '{entity}' makes a pseudonym of"
            hint = "Leave one of them out. Only `personal` may name the column, too: it is kept apart."
            raise self.document.error(what, "entities", entity, "column", hint=hint)

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
            return self.text("transaction", "currency", "column"), ""
        return "", self.currency("transaction", "currency", "constant")

    def _id(self) -> str:
        """The column of ids, or FROM_ROW for `{from: row}`."""
        value = self.value("transaction", "id")
        if isinstance(value, dict):
            self.document.refuse_unknown(value, ("from",), "transaction", "id")
            self.word(("row",), "transaction", "id", "from")
            return FROM_ROW
        if value is None:
            raise self.document.error(
                "'transaction.id' is missing",
                "transaction",
                allowed="a column, or {from: row} where the files have no ids",
            )
        return self.text("transaction", "id")

    def _called(self) -> str:
        """What one transaction is called, in the singular; an s makes the plural."""
        if self.value("transaction", "called") is None:
            return "payment"
        word = self.text("transaction", "called")
        if not _WORD.match(word):
            what = f"'{word}' is not a word for one transaction"
            raise self.document.error(what, "transaction", "called", allowed="small letters: application")
        return word

    def _amount(self, part: dict[str, Any]) -> tuple[str, AmountForm]:
        value = part.get("amount")
        if not isinstance(value, dict):
            return (self.text("transaction", "amount") if "amount" in part else ""), AmountForm()
        path = ("transaction", "amount")
        self.document.refuse_unknown(value, ("column", "format", "negative"), *path)
        column = self.text(*path, "column")
        negative = "negative" in value and self.word(("keep", "quarantine"), *path, "negative") == "keep"
        if "format" not in value:
            return column, AmountForm(negative=negative)
        example = str(value["format"])
        form = amount_form(example, negative)
        if form is None:
            what = f"'{example}' does not show how amounts are written"
            raise self.document.error(what, *path, "format", allowed=AMOUNT_EXAMPLES)
        return column, form

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
        return {name: self.text(group, name) for name in self._named(group)}

    def _entities(self) -> tuple[dict[str, str], frozenset[str]]:
        """The column of each entity, and those of which only pseudonyms are kept."""
        found: dict[str, str] = {}
        pseudonymous = set()
        for name, value in self._named("entities").items():
            if not isinstance(value, dict):
                found[name] = self.text("entities", name)
                continue
            path = ("entities", name)
            self.document.refuse_unknown(value, ("column", "pseudonym"), *path)
            found[name] = self.text(*path, "column")
            said = value.get("pseudonym", False)
            if not isinstance(said, bool):
                what = f"'{said}' does not say whether pseudonyms are kept"
                raise self.document.error(what, *path, "pseudonym", allowed="true, false")
            if said:
                pseudonymous.add(name)
        return found, frozenset(pseudonymous)

    def _attributes(self) -> dict[str, Attribute]:
        found = {}
        for name, value in self._named("attributes").items():
            self.document.refuse_unknown(value, ("column", "type", "unit"), "attributes", name)
            kind = self.word(("number", "category", "flag"), "attributes", name, "type")
            unit = self.text("attributes", name, "unit") if "unit" in value else ""
            found[name] = Attribute(self.text("attributes", name, "column"), kind, unit)
        return found

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
