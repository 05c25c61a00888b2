"""Which column of an unknown file is the clock, the amount, the label, the id, and why does one think so?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from data.errors import MappingError
from data.incoming.amount_form import amount_form, amount_pattern
from data.incoming.column_profile import ColumnProfile

_CLOCK_WORDS = (
    *("time", "timestamp", "datetime", "date", "occurred", "created", "at", "dt", "ts"),
    *("datum", "zeit", "zeitpunkt", "buchungsdatum", "fecha", "hora", "heure", "data", "ora"),
)
_LATER_WORDS = ("label", "known", "report", "reported", "chargeback", "birth", "dob", "updated", "settled")
_FORMATS = (
    *(
        "%d.%m.%Y %H:%M:%S",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y",
        "%Y/%m/%d %H:%M:%S",
        "%Y/%m/%d %H:%M",
        "%Y/%m/%d",
        "%Y%m%d%H%M%S",
        "%Y%m%d%H%M",
        "%Y%m%d",
    ),
    *("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y"),
    *(
        "%m/%d/%Y %I:%M:%S %p",
        "%d-%m-%Y %H:%M:%S",
        "%d-%m-%Y %H:%M",
        "%d-%m-%Y",
        "%m-%d-%Y",
        "%d %b %Y",
        "%a %b %d %H:%M:%S %Y",
    ),
)
_SINCE = {"seconds", "minutes", "hours", "days"}
_UNITS = {"month": "months", "step": "hours", "hour": "hours", "day": "days"}
_EPOCHS = (("epoch_s", 3e8, 4.2e9), ("epoch_ms", 3e11, 4.2e12), ("epoch_us", 3e14, 4.2e15))
_AMOUNT_WORDS = ("amount", "amt", "betrag", "montant", "importe", "price", "total", "value")
_NO_AMOUNT = ("limit", "balance", "balcon", "count", "days", "mean", "avg", "max", "old", "new", "id")
_LABEL_WORDS = (
    "fraud",
    "class",
    "label",
    "chargeback",
    "target",
    "isfraud",
    "fraudulent",
    "betrug",
    "fraude",
    "frode",
)
_FRAUD = (
    "1",
    "true",
    "fraud",
    "fraudulent",
    "yes",
    "y",
    "t",
    "f1",
    "bad",
    "chargeback",
    "confirmed_fraud",
    "ja",
    "si",
    "oui",
)
_LEGITIMATE = (
    "0",
    "false",
    "legit",
    "legitimate",
    "genuine",
    "no",
    "n",
    "ok",
    "good",
    "normal",
    "nonfraud",
    "nein",
    "non",
)
_UNKNOWN = ("unknown", "-1", "pending", "open", "n/a", "na", "none", "null", "?", "unlabeled", "inconclusive")
_SAMPLED = 500
_THOUSANDS = "; if the point groups thousands, as 1.500 may mean, say format: '1.234,56'"


@dataclass(frozen=True, slots=True)
class Guess:
    """What one column was taken for: `role` is a part of the mapping ("" where it is left out), `name` its name
    there, `value` the YAML of its entry, `why` a sentence."""

    column: str
    role: str
    name: str
    value: str
    why: str


def quoted(text: str) -> str:
    """A YAML scalar that is certainly text."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) and text.lower() not in ("null", "true", "false")
    if plain:
        return text
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'


def clock(columns: Sequence[ColumnProfile], path: Path) -> Guess:
    """When it happened. MappingError that says what is needed where nothing can be a clock."""
    found = _moment(columns) or _written_moment(columns) or _epoch(columns) or _relative(columns)
    if found is None:
        raise MappingError(
            "no column can be used as a clock",
            where=str(path),
            allowed="a column of times, of seconds since 1970, or counting seconds, hours, days or months since a"
            " beginning, named so (time, date, step, month)",
            hint="Add when each transaction happened: nothing can be learned without knowing what came first.",
        )
    return found


def _moment(columns: Sequence[ColumnProfile]) -> Guess | None:
    times = [c for c in columns if c.is_time and not c.has(*_LATER_WORDS)]
    best = max(times, key=lambda c: (c.has(*_CLOCK_WORDS), len(c.cells) == c.rows), default=None)
    if best is None:
        return None
    why = "holds times" + ("" if len(times) == 1 else f"; {len(times)} columns do, this is the likeliest")
    return Guess(best.name, "clock", "occurred_at", quoted(best.name), why)


def _written_moment(columns: Sequence[ColumnProfile]) -> Guess | None:
    for column in columns:
        if (
            not column.cells
            or column.has(*_LATER_WORDS)
            or (column.is_number and not column.has(*_CLOCK_WORDS))
        ):
            continue
        fitting = [form for form in _FORMATS if all(_reads(cell, form) for cell in column.cells[:_SAMPLED])]
        if fitting:
            value = f'{{column: {quoted(column.name)}, format: "{fitting[0]}"}}'
            doubt = " (days and months could be the other way round)" if len(fitting) > 1 else ""
            return Guess(column.name, "clock", "occurred_at", value, f"reads as {fitting[0]}{doubt}")
    return None


def _reads(cell: str, form: str) -> bool:
    try:
        moment = datetime.strptime(cell, form)
    except ValueError:
        return False
    # Digits alone can be cut in more than one way: 202311231530 would pass for a moment with seconds.
    return 1970 <= moment.year < 2200 and (not cell.isdigit() or moment.strftime(form) == cell)


def _epoch(columns: Sequence[ColumnProfile]) -> Guess | None:
    for column in columns:
        for form, low, high in _EPOCHS:
            if not (column.is_whole and column.has(*_CLOCK_WORDS)):
                continue
            if low < min(column.numbers) <= max(column.numbers) < high:
                value = f"{{column: {quoted(column.name)}, format: {form}}}"
                return Guess(column.name, "clock", "occurred_at", value, "looks like a count since 1970")
    return None


def _relative(columns: Sequence[ColumnProfile]) -> Guess | None:
    for column in columns:
        ends = column.words[-1] if column.words else ""
        named = len(column.words) <= 2 and ends in (*_UNITS, "time", "dt", "ts", "seconds")
        if named and column.is_number and min(column.numbers) >= 0:
            unit = _UNITS.get(ends, "seconds")
            value = f"{{column: {quoted(column.name)}, unit: {unit}, origin: 2025-01-01}}"
            why = f"counts, by its name {unit}; the origin is made up, and decides what is night and weekend"
            return Guess(column.name, "clock", "occurred_at", value, why)
    for column in columns:
        unit = next((word for word in column.words if word in _SINCE), "")
        if unit and column.has("since", "elapsed") and column.is_number and column.never_falls:
            value = f"{{column: {quoted(column.name)}, unit: {unit}, origin: 2025-01-01}}"
            why = (
                f"counts {unit} and never falls; the origin is made up, and decides what is night and weekend"
            )
            return Guess(column.name, "clock", "occurred_at", value, why)
    return None


def label(columns: Sequence[ColumnProfile]) -> Guess | None:
    """What was fraud."""
    named = [c for c in columns if c.has(*_LABEL_WORDS)]
    fitting = [
        c for c in named if c.counts and {v.lower() for v in c.counts} <= {*_FRAUD, *_LEGITIMATE, *_UNKNOWN}
    ]
    best = min(fitting, key=lambda c: (len(c.words), not c.has("fraud")), default=None)
    if best is None:
        return None
    values = {value.lower() for value in best.counts}
    value = f"column: {quoted(best.name)}"
    opposite = "-1" in values and values.isdisjoint(_LEGITIMATE) and not values.isdisjoint(_FRAUD)
    unknown = {*_UNKNOWN} - ({"-1"} if opposite else set())
    groups = (("fraud_values", _FRAUD), ("legitimate_values", _LEGITIMATE), ("unknown_values", unknown))
    plain = values - unknown <= {"0", "1", "true", "false"}
    for name, known in groups[2:] if plain else groups:
        listed = sorted(v for v in values if v in known) or (["fraud"] if name == "fraud_values" else [])
        if listed:
            value += f", {name}: [{', '.join(quoted(v) for v in listed)}]"
    missing = best.rows - len(best.cells)
    why = f"speaks of fraud and holds {', '.join(sorted(quoted(v) for v in values))}"
    why += f"; {missing} of {best.rows} rows have none" if missing else ""
    why += '; "-1" is taken for not fraud, as nothing else is' if opposite else ""
    return Guess(best.name, "label", "label", value, why)


def known_at(columns: Sequence[ColumnProfile]) -> Guess | None:
    """When the label became known, if a column says so."""
    for column in columns:
        if column.is_time and column.has("label", "known", "report", "reported", "chargeback"):
            return Guess(
                column.name, "known_at", "known_at", quoted(column.name), "says when the label became known"
            )
    return None


def transaction_id(columns: Sequence[ColumnProfile]) -> Guess | None:
    """What names a transaction: filled and different in every row."""
    own = ("transaction", "tx", "trans", "event", "order", "payment", "application", "row", "uuid", "txn")
    others = ("customer", "client", "user", "card", "account", "merchant", "terminal", "device")
    fitting = [
        c for c in columns
        if c.is_unique and c.words and (c.words[-1] in ("id", "uuid", "num", "no", "ref", "reference", "key"))
        and not c.has(*others)
    ]  # fmt: skip
    best = max(fitting, key=lambda c: c.has(*own), default=None)
    if best is None:
        return None
    return Guess(best.name, "id", "id", quoted(best.name), f"is different in each of {best.rows} rows")


def amount(columns: Sequence[ColumnProfile]) -> Guess | None:
    """How much it was about."""
    named = [c for c in columns if c.has(*_AMOUNT_WORDS) and not c.has(*_NO_AMOUNT) and c.distinct > 2]
    ranked = sorted(named, key=lambda c: min(_AMOUNT_WORDS.index(w) for w in c.words if w in _AMOUNT_WORDS))
    return next((found for c in ranked if (found := _amount_in(c))), None)


def amount_doubts(columns: Sequence[ColumnProfile]) -> list[str]:
    """Why columns that are called an amount were not taken for one."""
    return [
        f"{quoted(c.name)} is called an amount, but {_why_no_amount(c)}."
        for c in columns
        if c.has(*_AMOUNT_WORDS) and not c.has(*_NO_AMOUNT) and c.distinct > 2 and _amount_in(c) is None
    ]


def _why_no_amount(column: ColumnProfile) -> str:
    if not column.is_number:
        return f"is written in no way that is known, such as {quoted(column.cells[0][:30])}: rewrite it as 1234.56"
    if any(round(number, 4) != number for number in column.numbers):
        return "has more than 4 decimals: round it to the currency's own, or say that it is a plain number"
    return (
        "most of it is negative: turn the sign around if that is how spending is written, or say"
        " amount: {column, negative: keep}"
    )


def _amount_in(column: ColumnProfile) -> Guess | None:
    name = quoted(column.name)
    if column.is_number:
        negative = sum(number < 0 for number in column.numbers)
        fine = sum(round(number, 4) != number for number in column.numbers)
        if negative * 2 > len(column.cells) or fine:
            return None
        if negative:
            why = f"an amount by its name; {negative} are negative and kept as refunds"
            return Guess(column.name, "amount", "amount", f"{{column: {name}, negative: keep}}", why)
        why = "an amount by its name, and a number" + (_THOUSANDS if _may_be_thousands(column) else "")
        return Guess(column.name, "amount", "amount", name, why)
    cells = column.cells[:_SAMPLED]
    signs = {"".join(re.findall(r"[^\d\s.,'+-]", cell)) for cell in cells}
    sign = max(signs, key=len, default="")
    for example in ("1,234.56", "1.234,56", "1 234,56", "1'234.56"):
        form = amount_form(sign + example)
        if form and all(re.fullmatch(amount_pattern(form), cell) for cell in cells):
            value = f"{{column: {name}, format: {quoted(sign + example)}}}"
            return Guess(
                column.name, "amount", "amount", value, f"an amount by its name, written like {sign}{example}"
            )
    return None


def _may_be_thousands(column: ColumnProfile) -> bool:
    """Whether every point has just three digits behind it and at most three before it, as in 1.500 and 800."""
    pointed = [cell for cell in column.cells if "." in cell]
    return bool(pointed) and all(re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", cell) for cell in pointed)
