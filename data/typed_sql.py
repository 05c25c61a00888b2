"""Which SQL turns a raw cell into a typed value, and says what is wrong with it otherwise?"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass

from data.commitments import AMOUNT_LIMIT
from data.mapping_columns import Label, Mapping, TimeColumn

ISO_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?"
WITH_OFFSET = r":\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$"
DECIMAL_TEXT = r"[-+]?\d{1,16}(\.\d{1,4}0*)?"
NUMBER_TEXT = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
EARLIEST, LATEST = "1970-01-01", "2200-01-01"
_EPOCH_US = {"epoch_s": 1_000_000, "epoch_ms": 1000, "epoch_us": 1}
_FLOATS = ("FLOAT", "DOUBLE")


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column: `value` is its SQL over the raw table; a raw cell without a value is `wrong`.

    `place` is where the mapping asks for it; `raw` is the SQL of the cell with emptiness as null. `within`, when
    given, is a condition on the typed value (by its name) that must hold too.
    """

    name: str
    place: str
    raw: str
    value: str
    wrong: str
    required: bool = False
    within: str = "true"


def columns(mapping: Mapping, types: AbstractMapping[str, str]) -> list[Column]:
    """The typed columns of a file whose raw columns have these DuckDB types."""
    return list(_columns(_Cells(types), mapping))


def _columns(cells: _Cells, mapping: Mapping) -> Iterator[Column]:
    raw = cells.raw(mapping.transaction_id)
    yield Column("transaction_id", "transaction.id", raw, cells.text(mapping.transaction_id), "no text", True)
    yield cells.time("occurred_at", "transaction.occurred_at", mapping.occurred_at, True)
    if mapping.arrival:
        yield cells.time("arrival", "transaction.arrival", mapping.arrival, True)
    if mapping.amount:
        yield cells.amount(mapping.amount)
    if mapping.currency:
        yield cells.currency(mapping.currency)
    for name, column in mapping.entities.items():
        yield Column(name, f"entities.{name}", cells.raw(column), cells.text(column), "no text")
    for name, attribute in mapping.attributes.items():
        yield cells.attribute(name, attribute.column, attribute.type)
    for name, column in mapping.personal.items():
        yield Column(f"personal_{name}", f"personal.{name}", cells.raw(column), cells.text(column), "no text")
    if mapping.label:
        yield from _label(cells, mapping.label)


def _label(cells: _Cells, label: Label) -> Iterator[Column]:
    text = f"lower({cells.text(label.column)})"
    if label.fraud_values:
        listed = ", ".join(_quoted(value.lower()) for value in label.fraud_values)
        value, wrong = f"({text} IN ({listed}))", "no label"
    else:
        value = f"CASE WHEN {text} IN ('1', 'true') THEN true WHEN {text} IN ('0', 'false') THEN false END"
        wrong = "neither 0 nor 1, and the mapping gives no fraud_values"
    yield Column("is_fraud", "label.column", cells.raw(label.column), value, wrong)
    if label.known_at:
        yield cells.time("known_at", "label.known_at", label.known_at, False)


class _Cells:
    """SQL for cells of the raw table, by the type they have there."""

    def __init__(self, types: AbstractMapping[str, str]) -> None:
        self._types = types

    def raw(self, column: str) -> str:
        name = identifier(column)
        return f"nullif(trim({name}), '')" if self._types[column] == "VARCHAR" else name

    def text(self, column: str) -> str:
        raw = self.raw(column)
        if self._types[column] in _FLOATS:
            # Identifiers that passed through a float column on their way: 12.0 is 12.
            return f"CASE WHEN {raw} = trunc({raw}) THEN CAST(TRY_CAST({raw} AS HUGEINT) AS VARCHAR) END"
        return raw if self._types[column] == "VARCHAR" else f"CAST({raw} AS VARCHAR)"

    def time(self, name: str, place: str, time: TimeColumn, required: bool) -> Column:
        raw, kind = self.raw(time.column), self._types[time.column]
        if time.format in _EPOCH_US:
            value = f"make_timestamp(TRY_CAST({raw} AS BIGINT) * {_EPOCH_US[time.format]})"
        elif kind == "VARCHAR":
            value = _parsed_time(raw, time)
        elif kind == "TIMESTAMP WITH TIME ZONE":
            value = f"timezone('UTC', {raw})"
        elif kind.startswith("TIMESTAMP") or kind == "DATE":
            value = _in_zone(f"CAST({raw} AS TIMESTAMP)", time.time_zone)
        else:
            value = "CAST(NULL AS TIMESTAMP)"
        within = f"({name} >= TIMESTAMP '{EARLIEST}' AND {name} < TIMESTAMP '{LATEST}')"
        said = f"not a time in the format {time.format}" if time.format else "not an ISO 8601 time"
        wrong = f"{said} between {EARLIEST[:4]} and {LATEST[:4]}"
        return Column(name, place, raw, value, wrong, required, within)

    def amount(self, column: str) -> Column:
        raw, kind = self.raw(column), self._types[column]
        value = f"TRY_CAST({raw} AS DECIMAL(20, 4))"
        if kind == "VARCHAR":
            value = f"CASE WHEN regexp_full_match({raw}, '{DECIMAL_TEXT}') THEN {value} END"
        elif kind == "BOOLEAN":
            value = "CAST(NULL AS DECIMAL(20, 4))"
        within = f"abs(amount) < {AMOUNT_LIMIT:f}"
        wrong = "not an amount with at most 4 decimals"
        return Column("amount", "transaction.amount", raw, value, wrong, within=within)

    def currency(self, column: str) -> Column:
        value = f"CASE WHEN regexp_full_match({self.raw(column)}, '[A-Z]{{3}}') THEN {self.raw(column)} END"
        if self._types[column] != "VARCHAR":
            value = "CAST(NULL AS VARCHAR)"
        return Column(
            "currency", "transaction.currency", self.raw(column), value, "not a currency code", True
        )

    def attribute(self, name: str, column: str, kind: str) -> Column:
        place, raw = f"attributes.{name}", self.raw(column)
        if kind == "number":
            wrong = "not a finite number"
            return Column(
                name, place, raw, self._number(column), wrong, within=f"isfinite({identifier(name)})"
            )
        if kind == "flag":
            text = f"lower({self.text(column)})"
            value = (
                f"CASE WHEN {text} IN ('true', '1', 'yes', 't', 'y') THEN true"
                f" WHEN {text} IN ('false', '0', 'no', 'f', 'n') THEN false END"
            )
            return Column(name, place, raw, value, "neither true nor false")
        return Column(name, place, raw, self.text(column), "no text")

    def _number(self, column: str) -> str:
        raw = self.raw(column)
        value = f"TRY_CAST({raw} AS DOUBLE)"
        if self._types[column] == "VARCHAR":
            value = f"CASE WHEN regexp_full_match({raw}, '{NUMBER_TEXT}') THEN {value} END"
        return value


def _parsed_time(raw: str, time: TimeColumn) -> str:
    if time.format:
        parsed = f"try_strptime({raw}, {_quoted(time.format)})"
        return f"timezone('UTC', {parsed})" if "%z" in time.format else _in_zone(parsed, time.time_zone)
    local = _in_zone(f"TRY_CAST({raw} AS TIMESTAMP)", time.time_zone)
    absolute = f"timezone('UTC', TRY_CAST({raw} AS TIMESTAMP WITH TIME ZONE))"
    return (
        f"CASE WHEN regexp_full_match({raw}, '{ISO_TIME}') THEN"
        f" CASE WHEN regexp_matches({raw}, '{WITH_OFFSET}') THEN {absolute} ELSE {local} END END"
    )


def _in_zone(value: str, zone: str) -> str:
    return value if zone == "UTC" else f"timezone('UTC', timezone({_quoted(zone)}, {value}))"


def identifier(name: str) -> str:
    """A column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
