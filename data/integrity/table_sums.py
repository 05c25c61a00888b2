"""Do the tables still hold what the program itself put there, row for row?

Next to the rows lies one line under the ledger's key: the sum of every table as of the last event. Each commit works
out what it adds and takes away, and renews that line with it. Whoever changes a table without the key cannot make it
fit, and an older line with older rows does not fit the chain's head. Where the line that the program goes on from was
not its own, each line from then on says so, and so does verification, for good. `events` and `transactions` are left
out: the chain itself vouches for them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
import pyarrow as pa

from data.errors import LedgerError
from data.integrity.row_digests import Sum, of_rows, sum_sql
from data.integrity.sealing import Sealer
from data.storage.assignments import assigned
from data.storage.rows import Parameters, View, bindable

APART = frozenset(("events", "transactions", "state_seals", "schema_migrations"))
_UNSEALED = "(gone on from without a seal)"
"""Among the sums of a line: after which event the program last found one that was not its own. No table is called so,
and earlier versions, which take it for one, say that it is gone."""
_MOST_READ_AGAIN = 200
_LAST_LINE = (
    "SELECT event_seq, tables, mac FROM state_seals WHERE rowid = (SELECT max(rowid) FROM state_seals)"
)
_AT_PLACES = 'SELECT * FROM "{}" WHERE rowid IN (SELECT unnest(CAST(? AS BIGINT[])))'
_CHANGE = re.compile(r'\s*(?:UPDATE\s+"?(\w+)"?\s+SET|DELETE\s+FROM\s+"?(\w+)"?)\b', re.IGNORECASE)
_TEXT_OR_MARK = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\(|\)|\?|\bWHERE\b", re.IGNORECASE)

log = logging.getLogger("secondlook.ledger")


class TableSums:
    """The sums of all watched tables, kept up with what the one write transaction does."""

    def __init__(
        self,
        connection: Any,
        schemas: Mapping[str, pa.Schema],
        defaults: Mapping[tuple[str, str], str],
        sealer: Sealer,
    ) -> None:
        self.sealer = sealer
        self._connection = connection
        self._schemas = {table: schema for table, schema in schemas.items() if table not in APART}
        self._defaults = defaults
        self.was_sealed = True
        """Whether the line that was loaded carried the key's seal as of the last event."""
        self._sums: dict[str, Sum] = {}
        self._appender: Any = None

    def load(self, seq: int, head: bytes) -> None:
        """Go on from the stored line, as of the event `seq` with the hash `head`: rows and line are of one commit.

        What is gone on from without the seal is marked in every later line, so that no commit vouches for it.
        """
        rows = self._connection.execute(_LAST_LINE).fetchall()
        self._sums = _as_far_as_readable(rows[0][1]) if rows else {}
        self.was_sealed = bool(rows) and is_sealed(self.sealer, rows[0], seq, head)
        if not self.was_sealed:
            self._sums[_UNSEALED] = Sum(seq)
            log.warning(
                "the sums of the tables do not carry the ledger's seal: run `secondlook audit verify`"
            )

    def recount(self) -> None:
        """Take the rows as they are: when a ledger gets its key, or its tables another shape."""
        marked = {name: mark for name, mark in self._sums.items() if name == _UNSEALED}
        self._sums = {table: self._counted(table) for table in self._schemas} | marked

    def differing(self) -> list[str]:
        """The tables whose rows do not have the sum that was kept."""
        return [t for t in self._schemas if self._counted(t) != self._sums.get(t, Sum())]

    def write(self, seq: int, head: bytes) -> None:
        """Store the line, as of the event `seq` with the hash `head`, in the open transaction."""
        text = orjson.dumps(
            {table: [s.rows, str(s.first), str(s.second)] for table, s in self._sums.items() if s != Sum()},
            option=orjson.OPT_SORT_KEYS,
        )
        seal = self.sealer.of(sealed_content(seq, head, text))
        # Appending costs a third of replacing; `trim` takes the lines before away.
        appender = self._appender = self._appender or self._connection.appender("state_seals")
        appender.append_rows([(seq, text.decode(), seal)])
        appender.flush()

    def trim(self) -> None:
        """Take away all lines but the last."""
        self._connection.execute("DELETE FROM state_seals WHERE rowid < (SELECT max(rowid) FROM state_seals)")

    def added(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Rows, as tuples of the table's columns, were appended."""
        self._change(table, self._sum(table, rows))

    def added_arrow(self, table: str, name: str, columns: Iterable[str]) -> None:
        """All rows of the registered Arrow table `name` were appended by column name."""
        if table not in self._schemas:
            return
        there = set(columns)
        given = {
            column: f'"{column}"' if column in there else self._defaults.get((table, column), "NULL")
            for column in self._schemas[table].names
        }
        sql = sum_sql(self.sealer.row_secret, table, self._schemas[table], name, given)
        self._change(table, Sum(*self._connection.execute(sql).fetchall()[0]))

    def execute(self, sql: str, parameters: Parameters) -> None:
        """Run an UPDATE or DELETE of one table, and follow what it does to its sum."""
        table, deletes, condition, skip = changed_part(sql)
        if table not in self._schemas:
            raise LedgerError("this table is changed by nothing but events", where=table)
        if deletes:
            gone = self._connection.execute(f"{sql} RETURNING *", bindable(parameters)).fetchall()
            self._change(table, Sum() - self._sum(table, gone))
            return
        bound = _bound_after(parameters, condition, skip)
        before = self._connection.execute(f'SELECT rowid, * FROM "{table}" {condition}', bound).fetchall()
        if before:
            rows = [row[1:] for row in before]
            after = self._assigned(table, sql, parameters, rows) or self._updated(
                table, sql, parameters, [row[0] for row in before]
            )
            self._change(table, Sum() - self._sum(table, rows))
            self._change(table, self._sum(table, after))

    def set_numbers(
        self, table: str, key: str, sql: str, bound: list[Any], told: Mapping[str, Mapping[str, float]]
    ) -> None:
        """Run an UPDATE that sets numbers in the rows of these keys, and follow what it does to the table's sum. `told`
        has each key's numbers by column, as the columns hold them."""
        if table not in self._schemas:
            raise LedgerError("this table is changed by nothing but events", where=table)
        # By rowid, found from one column: asked at once for rows by key, DuckDB reads all columns of all rows.
        of_keys = f'SELECT rowid FROM "{table}" WHERE "{key}" IN (SELECT unnest(CAST(? AS VARCHAR[])))'
        found = self._connection.execute(f'SELECT * FROM "{table}" WHERE rowid IN ({of_keys})', [list(told)])
        rows, names = found.fetchall(), self._schemas[table].names
        after = []
        for row in rows:
            values = dict(zip(names, row, strict=True))
            after.append(tuple({**values, **told[values[key]]}.values()))
        if self._connection.execute(sql, bound).fetchall() != [(len(rows),)]:
            raise LedgerError("other rows were updated than were there", where=table)
        self._change(table, Sum() - self._sum(table, rows))
        self._change(table, self._sum(table, after))

    def _assigned(
        self, table: str, sql: str, parameters: Parameters, rows: Sequence[Sequence[Any]]
    ) -> list[Sequence[Any]] | None:
        """Run an UPDATE that sets these rows to plain values; the rows as they are then, without a query. None where
        it does anything else: then nothing was run."""
        told, bound = assigned(sql), bindable(parameters)
        after = told.after(self._schemas[table], rows, bound) if told and isinstance(bound, list) else None
        if after is not None and self._connection.execute(sql, bound).fetchall() != [(len(rows),)]:
            raise LedgerError("other rows were updated than were there", where=table)
        return after

    def _updated(
        self, table: str, sql: str, parameters: Parameters, places: Sequence[int]
    ) -> list[Sequence[Any]]:
        """Run an UPDATE of the rows at these places; the rows as they are then."""
        if len(places) > _MOST_READ_AGAIN or self._moves_rows(table):
            return list(self._connection.execute(f"{sql} RETURNING *", bindable(parameters)).fetchall())
        # Reading few rows again takes a fifth of the time of RETURNING.
        self._connection.execute(sql, bindable(parameters))
        # As a list, which DuckDB looks up; numbers written out it would hold against those of all rows.
        after = self._connection.execute(_AT_PLACES.format(table), [list(places)]).fetchall()
        if len(after) != len(places):
            raise LedgerError("rows changed their place while they were updated", where=table)
        return list(after)

    def _moves_rows(self, table: str) -> bool:
        """Whether DuckDB may take an updated row away and put it at the end: it does so for lists."""
        return any(pa.types.is_list(field.type) for field in self._schemas[table])

    def _sum(self, table: str, rows: Iterable[Sequence[Any]]) -> Sum:
        if table not in self._schemas:
            return Sum()
        return of_rows(self.sealer.row_secret, table, self._schemas[table], rows)

    def _change(self, table: str, by: Sum) -> None:
        if table in self._schemas:
            self._sums[table] = self._sums.get(table, Sum()) + by

    def _counted(self, table: str) -> Sum:
        # Most tables of a new ledger are empty, and planning such a sum takes ten times as long as a look.
        if not self._connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchall():
            return Sum()
        sql = sum_sql(self.sealer.row_secret, table, self._schemas[table], f'"{table}"')
        return Sum(*self._connection.execute(sql).fetchall()[0])


def parsed(text: str) -> dict[str, Sum]:
    """The sums of a stored line."""
    return {
        table: Sum(int(n), int(first), int(second))
        for table, (n, first, second) in orjson.loads(text).items()
    }


def _as_far_as_readable(text: Any) -> dict[str, Sum]:
    try:
        return parsed(text)
    except (ValueError, TypeError, AttributeError):  # somebody else wrote it: it carries no seal either
        return {}


def is_sealed(sealer: Sealer, line: Sequence[Any], seq: int, head: bytes) -> bool:
    """Whether a stored line (event_seq, tables, mac) carries the seal as of the event `seq` with the hash `head`."""
    line_seq, text, mac = line
    return (
        line_seq == seq
        and isinstance(text, str)
        and isinstance(mac, bytes)
        and sealer.fits(sealed_content(seq, head, text.encode()), mac)
    )


def sealed_content(seq: int, head: bytes, text: bytes) -> bytes:
    """What a stored line's seal is over."""
    return b"state" + seq.to_bytes(8, "big") + head + text


def found_problems(
    view: View, sealer: Sealer, schemas: Mapping[str, pa.Schema], head_seq: int, head: bytes
) -> Iterator[str]:
    """Sentences about tables that do not hold what the program put there; one query a table, bounded memory."""
    rows = view.read(_LAST_LINE)
    if not rows:
        yield "no sums of the tables are stored"
        return
    line = tuple(rows[0].values())
    if not is_sealed(sealer, line, head_seq, head):
        yield "the sums of the tables do not carry this ledger's seal as of its last event"
        return
    kept = parsed(line[1])
    if mark := kept.pop(_UNSEALED, None):
        yield (
            f"the sums of the tables did not carry this ledger's seal when it was opened after event {mark.rows}: "
            "rows may have been changed then, in any table"
        )
    for table, schema in schemas.items():
        if table in APART:
            continue
        there = Sum(**view.read(sum_sql(sealer.row_secret, table, schema, f'"{table}"'))[0])
        expected = kept.pop(table, Sum())
        if there != expected:
            yield _told(table, there, expected)
    for table in sorted(kept):
        yield f"the table {table} is gone"


def _told(table: str, there: Sum, expected: Sum) -> str:
    if there.rows != expected.rows:
        return f"the table {table} holds {there.rows} rows where the program left {expected.rows}"
    return f"rows of the table {table} were changed by something other than the program"


@lru_cache(maxsize=1024)
def changed_part(sql: str) -> tuple[str, bool, str, int]:
    """The table that a statement changes, whether it deletes, its WHERE clause, and how many `?` come before that."""
    match = _CHANGE.match(sql)
    if match is None:
        raise LedgerError("only an UPDATE or DELETE of one table can be run here", where=sql[:80])
    depth = marks = 0
    for found in _TEXT_OR_MARK.finditer(sql, match.end()):
        token = found[0]
        depth += {"(": 1, ")": -1}.get(token, 0)
        marks += token == "?"
        if depth == 0 and token.upper() == "WHERE":
            return match[1] or match[2], match[2] is not None, sql[found.start() :], marks
    return match[1] or match[2], match[2] is not None, "", marks


def _bound_after(parameters: Parameters, condition: str, skip: int) -> Any:
    bound = bindable(parameters)
    if isinstance(bound, Mapping):
        return {name: value for name, value in bound.items() if f"${name}" in condition}
    return bound[skip:]
