"""Which rows of a file can enter the ledger, in which order, and what is wrong with the others?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data.errors import MappingError
from data.incoming import typed_sql
from data.incoming.mapping_columns import Mapping
from data.incoming.pseudonym_cells import with_pseudonyms
from data.incoming.raw_rows import raw_types, read_raw
from data.incoming.source_file import LINE, SourceFile
from data.incoming.typed_sql import Column, identifier
from data.integrity.commitments import content_sql
from data.money import MINOR_LIMIT
from data.storage.unfinished import working_folder

_UNIT = chr(31)
_SHARE_MB, _FEWEST_SHARES = 128, 8
"""Memory that one thread may need, and how many such shares a file has room for at least; the rest goes to disk."""

FURTHEST_AHEAD = timedelta(days=1)
"""How far beyond the moment of import a time may lie before it is a mistake."""

NEGATIVE = "negative, and the mapping does not say amount: {column, negative: keep}"
"""Why a refund is refused where nobody said that refunds are expected."""


class Staging:
    """A database in memory (spilling to a folder beside the ledger) in which a file is typed, checked and put in order.

    Tables: `raw` as read; `typed` with a `problem` where a row cannot be used; `checked` with content digests;
    `refused` (line, field, reason), where a duplicate has the field ''; `late` with what is said of the fraud of
    transactions that the ledger has; `numbered` with the final seq.
    """

    def __init__(self, mapping: Mapping, ledger: Path, threads: int | None = None) -> None:
        """`ledger` is the file beside which there is room; `threads` is how many may work at once, as many as there are
        cores where nobody waits for them."""
        self.mapping = mapping
        self._folder = working_folder(ledger)
        self.connection: Any = duckdb.connect(
            config={"temp_directory": self._folder.name, "python_enable_replacements": "false"}
        )
        room = max(threads or os.cpu_count() or 1, _FEWEST_SHARES) * _SHARE_MB
        self.connection.execute(f"SET GLOBAL memory_limit = '{room}MB'")
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if threads:
            self.connection.execute(f"SET threads = {threads}")
        self.connection.execute("CREATE TABLE refused (line BIGINT, field VARCHAR, reason VARCHAR)")
        self.connection.execute(
            "CREATE TABLE late (line BIGINT, seq BIGINT, is_fraud BOOLEAN, known_at TIMESTAMP)"
        )

    def close(self) -> None:
        self.connection.close()
        self._folder.cleanup()

    def load(self, source: SourceFile) -> None:
        """Read the whole file. MappingError where it holds no rows at all, or is damaged.

        Of pseudonymous entities only pseudonyms are left from here on; `mapping` names the columns they are in.
        """
        read_raw(self.connection, source)
        self.mapping = with_pseudonyms(self.connection, self.mapping)

    def check(self, where: str, at: datetime) -> None:
        """Type every cell and find repeated ids. `at` is the moment that nothing may lie a day beyond.

        MappingError where currencies are mixed without rates, or the clock is a count since nobody knows when.
        """
        columns = typed_sql.columns(self.mapping, raw_types(self.connection))
        self.connection.execute(_typed_query(columns, self.mapping, at))
        self._refuse_counting_clock(where)
        self._refuse_mixed_currencies(where)
        self.connection.execute(self._priced_query())
        self.connection.execute(
            f"INSERT INTO refused SELECT line, split_part(problem, '{_UNIT}', 1), split_part(problem, '{_UNIT}', 2)"
            " FROM priced WHERE problem IS NOT NULL"
        )
        sha = content_sql(self.mapping.fields)
        self.connection.execute(
            f"CREATE TABLE checked AS SELECT * EXCLUDE (problem), {sha} AS content_sha256"
            " FROM priced WHERE problem IS NULL"
        )
        self.connection.execute("DROP TABLE priced; DROP TABLE typed")
        self._refuse_repeated()

    def ids(self) -> pa.Table:
        """The ids that may enter, for comparing with those the ledger has."""
        return self.connection.sql("SELECT transaction_id FROM checked").to_arrow_table()

    def exclude_known(self, known: pa.Table, table: str = "checked") -> None:
        """Refuse what the ledger has: `known` holds seq, transaction_id and content_sha256.

        What the file says of its fraud is kept for `take_late`: the label may be news.
        """
        self._register("_known", known)
        if self.mapping.label:
            self.connection.execute(
                f"INSERT INTO late SELECT line, k.seq, is_fraud, {label_known_at(self.mapping)} AS known_at"
                f" FROM {table} c JOIN _known k USING (transaction_id, content_sha256)"
                " WHERE is_fraud IS NOT NULL AND line NOT IN (SELECT line FROM refused)"
            )
        self.connection.execute(
            "INSERT INTO refused"
            " SELECT line, CASE WHEN c.content_sha256 = k.content_sha256 THEN '' ELSE 'transaction.id' END,"
            " CASE WHEN c.content_sha256 = k.content_sha256 THEN 'duplicate'"
            " ELSE 'the ledger has this id with other content' END"
            f" FROM {table} c JOIN _known k USING (transaction_id) WHERE line NOT IN (SELECT line FROM refused)"
        )
        self.connection.unregister("_known")

    def take_late(self) -> pa.Table:
        """What the file says of transactions the ledger has (line, transaction_seq, is_fraud, known_at, reason_code),
        by line; each is given once."""
        told = self.table(
            "SELECT line, seq AS transaction_seq, is_fraud, known_at, '' AS reason_code FROM late ORDER BY line"
        )
        self.connection.execute("DELETE FROM late")
        return told

    def number(self, first_seq: int, salt_key: str) -> int:
        """Put the accepted rows in order with seqs from `first_seq`; returns how many there are."""
        order = "coalesce(arrival, occurred_at)" if self.mapping.arrival else "occurred_at"
        personal = sorted(self.mapping.personal)
        salts = "".join(
            f", unhex(left(sha256('{salt_key}:' || seq || ':{name}'), 32)) AS salt_{name}"
            for name in personal
        )
        self.connection.execute(
            f"CREATE TABLE numbered AS SELECT *, {_commitments(personal)} AS commitments FROM (SELECT *{salts} FROM"
            f" (SELECT *, {first_seq} - 1 + row_number() OVER (ORDER BY {order}, line) AS seq FROM checked"
            " ANTI JOIN refused USING (line))) ORDER BY seq"
        )
        self.connection.execute("DROP TABLE checked")
        return self.rows("SELECT count(*) FROM numbered")[0][0]

    def cut_step(self, low: int, high: int, first_seq: int) -> int:
        """Make `step` of the rows numbered low to high that are not refused, with seqs from `first_seq`; returns
        how many there are."""
        self.connection.execute(
            f"CREATE OR REPLACE TABLE step AS SELECT * REPLACE ({first_seq} - 1 + row_number() OVER (ORDER BY seq)"
            f" AS seq) FROM numbered ANTI JOIN refused USING (line) WHERE seq BETWEEN {low} AND {high} ORDER BY seq"
        )
        return self.rows("SELECT count(*) FROM step")[0][0]

    def table(self, sql: str) -> pa.Table:
        """A query's result as Arrow."""
        return self.connection.sql(sql).to_arrow_table()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A query's result as tuples."""
        return self.connection.execute(sql).fetchall()

    def _refuse_counting_clock(self, where: str) -> None:
        """Plain numbers in place of times are a count of something since some moment; the file cannot say which."""
        time = self.mapping.occurred_at
        if (
            time.origin
            or time.format
            or self.rows("SELECT 1 FROM typed WHERE occurred_at IS NOT NULL LIMIT 1")
        ):
            return
        cell = identifier(time.column)
        numbers = self.rows(
            f"SELECT any_value({cell}), count(*) = count(TRY_CAST(CAST({cell} AS VARCHAR) AS DOUBLE)) FROM raw"
            f" WHERE {cell} IS NOT NULL AND CAST({cell} AS VARCHAR) <> ''"
        )[0]
        if numbers[1] and numbers[0] is not None:
            raise MappingError(
                f"no row has a usable clock: the column '{time.column}' holds plain numbers such as {numbers[0]}",
                where=where,
                allowed="{column, unit, origin} for a count since a beginning, {column, format: epoch_s} for one"
                " since 1970",
                hint="Say in transaction.occurred_at what the numbers count, or name a column of times.",
            )

    def _refuse_mixed_currencies(self, where: str) -> None:
        mapping = self.mapping
        if not mapping.amount or mapping.rates.table:
            return
        base = mapping.base_currency
        sql = "SELECT DISTINCT currency FROM typed WHERE problem IS NULL AND currency <> ? ORDER BY 1 LIMIT 5"
        others = [row[0] for row in self.connection.execute(sql, [base]).fetchall()]
        if others:
            raise MappingError(
                f"there are amounts in {', '.join(others)}, but the mapping has no rates into {base}",
                where=where,
                hint="Add `rates` to the mapping, or give `transaction.currency` a constant.",
            )

    def _priced_query(self) -> str:
        """Adds amount_minor, and the problem of amounts that have no rate."""
        rates = self.mapping.rates
        if not self.mapping.amount:
            return "CREATE TABLE priced AS SELECT *, CAST(NULL AS BIGINT) AS amount_minor FROM typed"
        if not rates.table:
            scale = f"CAST({rates.minor_scale} AS DECIMAL(18, 8))"
            return _priced(f"SELECT *, {_minor(scale)} AS amount_minor FROM typed")
        self._register("_rates", _rates_table(self.mapping))
        self.connection.execute("CREATE TABLE rates AS SELECT * FROM _rates")
        no_rate = f"'transaction.currency{_UNIT}no rate for ' || t.currency || ' on that day'"
        return _priced(
            f"SELECT t.* EXCLUDE (problem), {_minor('r.rate')} AS amount_minor,"
            f" coalesce(t.problem, CASE WHEN t.amount IS NOT NULL AND r.rate IS NULL THEN {no_rate} END) AS problem"
            " FROM typed t LEFT JOIN rates r ON r.currency = t.currency"
            " AND CAST(t.occurred_at AS DATE) >= r.since AND CAST(t.occurred_at AS DATE) < r.before"
        )

    def _refuse_repeated(self) -> None:
        """Of rows with one id the first stays; equal ones are duplicates, others are quarantined, and so are those
        that differ in nothing but a label of their own."""
        agreed = "true"
        if self.mapping.label:
            agreed = "(is_fraud IS NULL OR is_fraud IS NOT DISTINCT FROM first_value(is_fraud) OVER w)"
        self.connection.execute(
            "CREATE TABLE repeated AS SELECT transaction_id FROM checked GROUP BY 1 HAVING count(*) > 1"
        )
        self.connection.execute(
            "INSERT INTO refused SELECT line, CASE WHEN NOT same THEN 'transaction.id' WHEN agreed THEN ''"
            " ELSE 'label.column' END, CASE WHEN NOT same THEN 'the file has this id with other content on line '"
            " || first WHEN agreed THEN 'duplicate' ELSE 'the file labels this otherwise on line ' || first END"
            " FROM (SELECT line, first_value(line) OVER w AS first, content_sha256 = first_value(content_sha256)"
            f" OVER w AS same, {agreed} AS agreed FROM checked SEMI JOIN repeated USING (transaction_id)"
            " WINDOW w AS (PARTITION BY transaction_id ORDER BY line)) WHERE line <> first"
        )

    def _register(self, name: str, rows: Any) -> None:
        self.connection.register(name, rows)


def chunks(first: int, last: int, size: int) -> Iterator[tuple[int, int]]:
    """(first, last) of each run of at most `size` seqs."""
    for start in range(first, last + 1, size):
        yield start, min(start + size - 1, last)


def label_known_at(mapping: Mapping) -> str:
    """SQL for the moment at which a label of the file became known."""
    label = mapping.label
    if label is None or label.known_at:
        return "known_at"
    microseconds = (label.known_after or timedelta()) // timedelta(microseconds=1)
    return f"occurred_at + to_microseconds({microseconds})"


def _typed_query(columns: list[Column], mapping: Mapping, at: datetime) -> str:
    names = {column.name for column in columns}
    values = [f"{column.value} AS {identifier(column.name)}" for column in columns]
    raws = [f"{column.raw} IS NULL AS {identifier('empty_' + column.name)}" for column in columns]
    if "amount" not in names:
        values.append("CAST(NULL AS DECIMAL(20, 4)) AS amount")
    if "currency" not in names:
        values.append(f"'{mapping.currency_constant}' AS currency")
    empties = ", ".join(identifier("empty_" + column.name) for column in columns)
    return (
        f"CREATE TABLE typed AS SELECT * EXCLUDE ({empties}), {_problem(columns, mapping, at)} AS problem FROM"
        f" (SELECT {LINE} AS line, {', '.join([*values, *raws])} FROM raw)"
    )


def _problem(columns: list[Column], mapping: Mapping, at: datetime) -> str:
    cases = []
    for column in columns:
        empty, place = identifier("empty_" + column.name), f"{column.place}{_UNIT}"
        if column.required:
            cases.append(f"WHEN {empty} THEN '{place}missing'")
        wrong = column.wrong.replace("'", "''")
        unusable = f"({identifier(column.name)} IS NULL OR NOT {column.within})"
        cases.append(f"WHEN NOT {empty} AND {unusable} THEN '{place}{wrong}'")
    latest = at.astimezone(UTC).replace(tzinfo=None) + FURTHEST_AHEAD
    cases.append(
        f"WHEN occurred_at > TIMESTAMP '{latest}' THEN 'transaction.occurred_at{_UNIT}in the future'"
    )
    if mapping.amount and not mapping.amount_form.negative:
        cases.append(f"WHEN amount < 0 THEN 'transaction.amount{_UNIT}{NEGATIVE}'")
    if any(column.name == "known_at" for column in columns):
        cases.append(f"WHEN is_fraud IS NOT NULL AND known_at IS NULL THEN 'label.known_at{_UNIT}missing'")
    return f"CASE {' '.join(cases)} END"


def _priced(rows: str) -> str:
    """The table of rows with their minor units, where an amount that has too many is a problem."""
    large = f"'transaction.amount{_UNIT}too large in the base currency'"
    usable = f"amount IS NULL OR coalesce(abs(amount_minor) <= {MINOR_LIMIT}, false)"
    return (
        "CREATE TABLE priced AS SELECT * REPLACE (coalesce(problem,"
        f" CASE WHEN NOT ({usable}) THEN {large} END) AS problem) FROM ({rows})"
    )


def _minor(rate: str) -> str:
    return f"TRY_CAST(round(amount * {rate}) AS BIGINT)"


def _rates_table(mapping: Mapping) -> pa.Table:
    currencies, since, before, rates = zip(*mapping.rates.spans(), strict=True)
    arrays = {
        "currency": pa.array(currencies, pa.string()),
        "since": pa.array(since, pa.date32()),
        "before": pa.array(before, pa.date32()),
        "rate": pa.array(rates, pa.decimal128(18, 8)),
    }
    return pa.table(arrays)


def _commitments(personal: list[str]) -> str:
    if not personal:
        return "'{}'"
    parts = ", ".join(
        f"""'"{name}":"' || sha256(salt_{name} || encode(personal_{name})) || '"'""" for name in personal
    )
    return f"'{{' || concat_ws(',', {parts}) || '}}'"
