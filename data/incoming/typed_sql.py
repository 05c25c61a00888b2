"""Which SQL turns a raw cell into a typed value, and says what is wrong with it otherwise?"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass

from data.incoming.amount_form import amount_sql
from data.incoming.mapping_columns import (
    EPOCHS,
    UNITS,
    AmountForm,
    FraudFlag,
    Label,
    Mapping,
    OutcomeColumns,
    TimeColumn,
)
from data.incoming.source_file import LINE
from data.integrity.commitments import AMOUNT_LIMIT

ISO_TIME = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?"
WITH_OFFSET = r":\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$"
DECIMAL_TEXT = r"[-+]?\d{1,16}(\.\d{1,4}0*)?"
NUMBER_TEXT = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
EARLIEST, LATEST = "1970-01-01", "2200-01-01"
LONGEST_KEY, LONGEST_TEXT = 128, 1024
"""Characters of ids and entities, and of other texts: what the HTTP interface takes too."""

PRINTABLE = r"[^\x00-\x1f\x7f]*"
_FLOATS = ("FLOAT", "DOUBLE")
_NOISE = {"FLOAT": 1e-7, "DOUBLE": 1e-12}
"""How far from what was meant, in parts of it, a number may lie that is held or was added up in binary."""


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
    if mapping.transaction_id:
        yield cells.key("transaction_id", "transaction.id", mapping.transaction_id, required=True)
    else:
        yield cells.row_id(mapping)
    yield cells.time("occurred_at", "transaction.occurred_at", mapping.occurred_at, True)
    if mapping.arrival:
        yield cells.time("arrival", "transaction.arrival", mapping.arrival, True)
    if mapping.amount:
        yield cells.amount(mapping.amount, mapping.amount_form)
    if mapping.currency:
        yield cells.currency(mapping.currency)
    for name, column in mapping.entities.items():
        yield cells.key(name, f"entities.{name}", column)
    for name, attribute in mapping.attributes.items():
        yield cells.attribute(name, attribute.column, attribute.type)
    for name, column in mapping.personal.items():
        yield cells.words(f"personal_{name}", f"personal.{name}", column)
    if mapping.label:
        yield from _label(cells, mapping.label)


def _label(cells: _Cells, label: Label) -> Iterator[Column]:
    yield cells.fraud("label.column", label.flag)
    if label.known_at:
        yield cells.time("known_at", "label.known_at", label.known_at, False)


def outcome_columns(outcomes: OutcomeColumns, types: AbstractMapping[str, str]) -> list[Column]:
    """The typed columns of a file of outcomes: transaction_id, known_at, and is_fraud, reason_code where given."""
    cells = _Cells(types)
    found = [
        cells.key("transaction_id", "outcomes.transaction_id", outcomes.transaction_id, required=True),
        cells.time("known_at", "outcomes.known_at", outcomes.known_at, True),
    ]
    if outcomes.flag:
        found.append(cells.fraud("outcomes.is_fraud", outcomes.flag))
    if outcomes.reason:
        found.append(cells.key("reason_code", "outcomes.reason_code", outcomes.reason))
    return found


def cell_text(column: str, types: AbstractMapping[str, str]) -> str:
    """SQL for a cell of the raw table as the text that an identifier is read from; null where there is none."""
    return _Cells(types).text(column)


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

    def key(self, name: str, place: str, column: str, *, required: bool = False) -> Column:
        """An identifier: short, and without control characters, so that it can be asked for by name."""
        within, wrong = "true", "no text"
        if self._types[column] == "VARCHAR":
            short = f"length({identifier(name)}) <= {LONGEST_KEY}"
            within = f"({short} AND regexp_full_match({identifier(name)}, '{PRINTABLE}'))"
            wrong = f"longer than {LONGEST_KEY} characters, or with control characters"
        return Column(name, place, self.raw(column), self.text(column), wrong, required, within)

    def words(self, name: str, place: str, column: str) -> Column:
        """Any text that is not endless."""
        within = f"length({identifier(name)}) <= {LONGEST_TEXT}"
        wrong = f"longer than {LONGEST_TEXT} characters" if self._types[column] == "VARCHAR" else "no text"
        return Column(name, place, self.raw(column), self.text(column), wrong, within=within)

    def row_id(self, mapping: Mapping) -> Column:
        """An id made of what the row says, labels and personal cells apart: the same row has the same id in every
        file, and the second of two equal rows of one file another."""
        apart = {*mapping.personal.values()}
        if mapping.label:
            apart |= {mapping.label.column, mapping.label.known_at.column if mapping.label.known_at else ""}
        cells = [
            f"coalesce(CAST({self.raw(c)} AS VARCHAR), '')" for c in sorted(mapping.columns) if c not in apart
        ]
        digest = f"left(sha256(concat_ws(chr(31), {', '.join(cells)})), 24)"
        nth = f"row_number() OVER (PARTITION BY {digest} ORDER BY {LINE})"
        value = f"'row-' || {digest} || CASE WHEN {nth} = 1 THEN '' ELSE '-' || {nth} END"
        return Column("transaction_id", "transaction.id", "true", value, "no text", True)

    def fraud(self, place: str, flag: FraudFlag) -> Column:
        """The column is_fraud; a value that means unknown is as good as an empty cell."""
        text, raw = f"lower({self.text(flag.column)})", self.raw(flag.column)
        if flag.unknown:
            raw = f"CASE WHEN {text} NOT IN ({listed(flag.unknown)}) THEN {raw} END"
        wrong = "neither 0 nor 1, and the mapping gives no fraud_values"
        value = f"CASE WHEN {text} IN ('1', 'true') THEN true WHEN {text} IN ('0', 'false') THEN false END"
        if flag.fraud:
            value, wrong = f"({text} IN ({listed(flag.fraud)}))", "no label"
        if flag.legitimate:
            wrong = "neither among fraud_values nor legitimate_values nor unknown_values"
            value = (
                f"CASE WHEN {text} IN ({listed(flag.fraud)}) THEN true"
                f" WHEN {text} IN ({listed(flag.legitimate)}) THEN false END"
            )
        return Column("is_fraud", place, raw, f"CASE WHEN {raw} IS NOT NULL THEN {value} END", wrong)

    def time(self, name: str, place: str, time: TimeColumn, required: bool) -> Column:
        raw, kind = self.raw(time.column), self._types[time.column]
        if time.origin:
            value = _since_origin(raw, time)
        elif time.format in EPOCHS:
            # A count in another unit than the mapping says may not fit into the clock at all: then it is no time.
            micros = f"round(TRY_CAST({raw} AS DECIMAL(24, 6)) * {EPOCHS[time.format]})"
            value = f"TRY(make_timestamp(CAST({micros} AS BIGINT)))"
        elif kind == "VARCHAR" or (time.format and "INT" in kind):  # 20260301 is a day, also as a number
            value = _parsed_time(f"CAST({raw} AS VARCHAR)", time)
        elif kind == "TIMESTAMP WITH TIME ZONE":
            value = f"timezone('UTC', {raw})"
        elif kind.startswith("TIMESTAMP") or kind == "DATE":
            value = _in_zone(f"TRY_CAST({raw} AS TIMESTAMP)", time.time_zone)
        else:
            value = "CAST(NULL AS TIMESTAMP)"
        within = f"({name} >= TIMESTAMP '{EARLIEST}' AND {name} < TIMESTAMP '{LATEST}')"
        said = f"not a time in the format {time.format}" if time.format else "not an ISO 8601 time"
        said = f"not a number of {time.unit}" if time.unit else said
        wrong = f"{said} between {EARLIEST[:4]} and {LATEST[:4]}"
        return Column(name, place, raw, value, wrong, required, within)

    def amount(self, column: str, form: AmountForm) -> Column:
        raw, kind = self.raw(column), self._types[column]
        value = f"TRY_CAST({raw} AS DECIMAL(20, 4))"
        if kind == "VARCHAR" and form.example:
            value = f"TRY_CAST({amount_sql(raw, form)} AS DECIMAL(20, 4))"
        elif kind == "VARCHAR":
            value = f"CASE WHEN regexp_full_match({raw}, '{DECIMAL_TEXT}') THEN {value} END"
        elif kind == "BOOLEAN":
            value = "CAST(NULL AS DECIMAL(20, 4))"
        elif kind.startswith("DECIMAL"):  # exact, so what would be rounded away was meant
            value = f"CASE WHEN {raw} = round({raw}, 4) THEN {value} END"
        elif kind in _NOISE:
            exact = f"CAST({raw} AS DOUBLE)"
            near = f"abs({exact} - round({exact}, 4)) <= {_NOISE[kind]} * abs({exact})"
            value = f"CASE WHEN {near} THEN {value} END"
        within = f"abs(amount) < {AMOUNT_LIMIT:f}"
        wrong = "not an amount with at most 4 decimals"
        if kind == "VARCHAR" and form.example:
            wrong = f"not an amount written like {form.example}"
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
        return self.words(name, place, column)

    def _number(self, column: str) -> str:
        raw = self.raw(column)
        value = f"TRY_CAST({raw} AS DOUBLE)"
        if self._types[column] == "VARCHAR":
            value = f"CASE WHEN regexp_full_match({raw}, '{NUMBER_TEXT}') THEN {value} END"
        return value


def _parsed_time(raw: str, time: TimeColumn) -> str:
    if time.format:
        parsed = f"try_strptime({raw}, {_quoted(time.format)})"
        return (
            f"timezone('UTC', {parsed})" if "%z" in time.format.lower() else _in_zone(parsed, time.time_zone)
        )
    local = _in_zone(f"TRY_CAST({raw} AS TIMESTAMP)", time.time_zone)
    absolute = f"timezone('UTC', TRY_CAST({raw} AS TIMESTAMP WITH TIME ZONE))"
    return (
        f"CASE WHEN regexp_full_match({raw}, '{ISO_TIME}') THEN"
        f" CASE WHEN regexp_matches({raw}, '{WITH_OFFSET}') THEN {absolute} ELSE {local} END END"
    )


def _since_origin(raw: str, time: TimeColumn) -> str:
    origin = f"TIMESTAMP '{time.origin:%Y-%m-%d %H:%M:%S.%f}'"
    if time.unit == "months":
        # 1000 years are out of range anyway; more would overflow the calendar. Half a month is no moment.
        whole = f"TRY_CAST({raw} AS DOUBLE)"
        usable = f"abs({whole}) < 12000 AND {whole} = trunc({whole})"
        return f"CASE WHEN {usable} THEN {origin} + to_months(CAST({whole} AS INTEGER)) END"
    steps = f"TRY_CAST({raw} AS DECIMAL(20, 6))"
    micros = f"CAST(round({steps} * {UNITS[time.unit] * 1_000_000}) AS BIGINT)"
    # Beyond 10^10 seconds (317 years) microseconds could overflow, and the year is out of range anyway.
    return f"CASE WHEN abs({steps}) * {UNITS[time.unit]} < 10000000000 THEN {origin} + to_microseconds({micros}) END"


def _in_zone(value: str, zone: str) -> str:
    return value if zone == "UTC" else f"timezone('UTC', timezone({_quoted(zone)}, {value}))"


def identifier(name: str) -> str:
    """A column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def listed(values: tuple[str, ...]) -> str:
    """Values in small letters, quoted for SQL."""
    return ", ".join(_quoted(value.lower()) for value in values)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
