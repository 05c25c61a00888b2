"""Which lines of an outcomes file tell something new, and what is wrong with the others?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data.incoming.import_record import SAME_REASON
from data.incoming.mapping_columns import OutcomeColumns
from data.incoming.raw_rows import raw_types, read_raw
from data.incoming.source_file import LINE, SourceFile
from data.incoming.typed_sql import Column, identifier, listed, outcome_columns
from data.storage.unfinished import working_folder

_UNIT = chr(31)
_AHEAD = timedelta(days=1)


class OutcomeStaging:
    """A database in memory (spilling to a folder beside the ledger) in which a file of outcomes is typed and checked.

    Tables: `raw` as read; `typed`; `refused` (line, field, reason), where a repeated line has the field ''; `told`
    with what counts.
    """

    def __init__(self, columns: OutcomeColumns, ledger: Path) -> None:
        self.columns = columns
        self._folder = working_folder(ledger)
        self.connection: Any = duckdb.connect(
            config={"temp_directory": self._folder.name, "python_enable_replacements": "false"}
        )
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self.connection.execute("CREATE TABLE refused (line BIGINT, field VARCHAR, reason VARCHAR)")

    def close(self) -> None:
        self.connection.close()
        self._folder.cleanup()

    def load(self, source: SourceFile) -> None:
        """Read and type the whole file. MappingError where it holds no rows, or is damaged."""
        read_raw(self.connection, source)
        self.connection.execute(_typed_query(outcome_columns(self.columns, raw_types(self.connection))))

    def ids(self) -> pa.Table:
        """The ids that the file speaks of."""
        return self._table("SELECT DISTINCT transaction_id FROM typed WHERE transaction_id IS NOT NULL")

    def check(self, known: pa.Table, at: datetime) -> None:
        """Find what cannot be used. `known` holds seq, transaction_id, occurred_at of the ledger's transactions."""
        self.connection.register("_known", known)
        latest = at.astimezone(UTC).replace(tzinfo=None) + _AHEAD
        self.connection.execute(
            "CREATE TABLE checked AS SELECT t.* EXCLUDE (problem), k.seq AS transaction_seq, coalesce(problem, CASE"
            f" WHEN k.seq IS NULL THEN 'outcomes.transaction_id{_UNIT}no transaction of that id was ever seen'"
            f" WHEN known_at < k.occurred_at THEN 'outcomes.known_at{_UNIT}before the transaction happened'"
            f" WHEN known_at > TIMESTAMP '{latest}' THEN 'outcomes.known_at{_UNIT}in the future' END) AS problem,"
            f" {self._meaning()} AS is_fraud_outcome FROM typed t LEFT JOIN _known k USING (transaction_id)"
        )
        self.connection.execute(
            f"INSERT INTO refused SELECT line, split_part(problem, '{_UNIT}', 1), split_part(problem, '{_UNIT}', 2)"
            " FROM checked WHERE problem IS NOT NULL"
        )
        # A transaction cannot become fraud and not fraud at one and the same moment.
        self.connection.execute(
            "INSERT INTO refused SELECT line, CASE WHEN value = first THEN '' ELSE 'outcomes.known_at' END,"
            " CASE WHEN value = first THEN 'duplicate' ELSE 'line ' || first_line"
            " || ' says otherwise of the same moment' END FROM (SELECT line, is_fraud_outcome AS value, reason_code,"
            " first_value(is_fraud_outcome) OVER w AS first, first_value(line) OVER w AS first_line,"
            " row_number() OVER (PARTITION BY transaction_seq, known_at, is_fraud_outcome, reason_code ORDER BY line)"
            " AS nth FROM checked WHERE problem IS NULL AND is_fraud_outcome IS NOT NULL"
            " WINDOW w AS (PARTITION BY transaction_seq, known_at ORDER BY line)) WHERE nth > 1 OR value <> first"
        )

    def told(self) -> pa.Table:
        """Line, transaction_seq, is_fraud, known_at, reason_code of the lines that count."""
        return self._table(
            "SELECT line, transaction_seq, is_fraud_outcome AS is_fraud, known_at, reason_code FROM checked"
            " ANTI JOIN refused USING (line) WHERE is_fraud_outcome IS NOT NULL ORDER BY line"
        )

    def quarantine(self) -> pa.Table:
        """Line, field, reason and the raw cells of the lines that cannot be used."""
        packed = ", ".join(
            f"{identifier(c)} := CAST(raw.{identifier(c)} AS VARCHAR)" for c in self.columns.columns
        )
        return self._table(
            f"SELECT r.line, r.field, r.reason, coalesce(left(CAST(to_json(struct_pack({packed})) AS VARCHAR), 4000),"
            f" '') AS raw FROM refused r LEFT JOIN raw ON raw.{LINE} = r.line WHERE r.field <> '' ORDER BY r.line"
        )

    def repeated(self) -> int:
        """How many lines repeat another of the file."""
        return self._rows("SELECT count(*) FROM refused WHERE field = ''")[0][0]

    def other_reason(self) -> int:
        """How many lines are in order but say nothing about fraud."""
        return self._rows("SELECT count(*) FROM checked WHERE problem IS NULL AND is_fraud_outcome IS NULL")[
            0
        ][0]

    def reasons(self) -> dict[str, int]:
        """Quarantined lines by 'field: reason'."""
        sql = (
            f"SELECT field || ': ' || {SAME_REASON}, count(*) FROM refused WHERE field <> ''"
            " GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return dict(self._rows(sql))

    def examples(self) -> list[tuple[Any, ...]]:
        """The first quarantined lines."""
        return self._rows("SELECT line, field, reason FROM refused WHERE field <> '' ORDER BY line LIMIT 10")

    def _meaning(self) -> str:
        """SQL: true for fraud, false for not (any more), null for a line that says nothing about it."""
        columns = self.columns
        frauds = f"lower(reason_code) IN ({listed(columns.fraud_codes)})" if columns.fraud_codes else "true"
        reversals = (
            f"lower(reason_code) IN ({listed(columns.reversal_codes)})" if columns.reversal_codes else "false"
        )
        if columns.flag is None:
            return f"CASE WHEN {frauds} THEN true WHEN {reversals} THEN false END"
        return f"CASE WHEN {reversals} OR NOT is_fraud THEN false WHEN is_fraud AND {frauds} THEN true END"

    def _table(self, sql: str) -> pa.Table:
        return self.connection.sql(sql).to_arrow_table()

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


def _typed_query(columns: list[Column]) -> str:
    names = {column.name for column in columns}
    values = [f"{column.value} AS {identifier(column.name)}" for column in columns]
    empties = [f"{column.raw} IS NULL AS {identifier('empty_' + column.name)}" for column in columns]
    cases = []
    for column in columns:
        empty, place = identifier(f"empty_{column.name}"), f"{column.place}{_UNIT}"
        if column.required:
            cases.append(f"WHEN {empty} THEN '{place}missing'")
        wrong = column.wrong.replace("'", "''")
        cases.append(
            f"WHEN NOT {empty} AND ({identifier(column.name)} IS NULL OR NOT {column.within}) THEN '{place}{wrong}'"
        )
    flag = "is_fraud" if "is_fraud" in names else "CAST(NULL AS BOOLEAN)"
    code = "coalesce(reason_code, '')" if "reason_code" in names else "''"
    return (
        f"CREATE TABLE typed AS SELECT line, transaction_id, known_at, {flag} AS is_fraud, {code} AS reason_code,"
        f" CASE {' '.join(cases)} END AS problem"
        f" FROM (SELECT {LINE} AS line, {', '.join([*values, *empties])} FROM raw)"
    )
