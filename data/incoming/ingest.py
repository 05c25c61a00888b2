"""How does a file of transactions enter the ledger, losing nothing and guessing nothing?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from data.errors import MappingError
from data.incoming.import_record import SAME_REASON, store_completed
from data.incoming.mapping_columns import Mapping
from data.incoming.source_file import SourceFile, open_source
from data.incoming.staging import Staging, chunks, label_known_at
from data.incoming.typed_sql import identifier
from data.integrity.commitments import DIGEST_SQL
from data.ledger import Ledger
from data.outcome_rows import import_id_of, store_news
from data.writer import Writer, recorded

CHUNK = 100_000
"""Transactions an event vouches for at most."""

FILE_LABEL = "file"
"""The source of outcomes that came with imported history."""

LABEL_DIGEST_SQL = (
    "sha256(string_agg(transaction_seq || ' ' || is_fraud || ' ' || epoch_us(known_at), chr(10)"
    " ORDER BY transaction_seq))"
)

Progress = Callable[[str, int, int], None]


class Reads(Protocol):
    """A ledger, or an open write of one."""

    def read(self, sql: str) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Refused:
    """One quarantined line: which field, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every row of a file. `reasons` counts quarantined rows by 'field: reason'; `examples` are the
    first quarantined lines; seqs are 0 where nothing was accepted. `beyond_memory` counts accepted rows further before
    the newest transaction than is remembered: no window of theirs holds anything.
    `taken_back` counts labels, of those that came later than their transaction, that say of a fraud that it is none."""

    import_id: str
    file_name: str
    accepted: int
    duplicate: int
    quarantined: int
    labels: int = 0
    first_seq: int = 0
    last_seq: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: tuple[Refused, ...] = ()
    beyond_memory: int = 0
    taken_back: int = 0


def import_file(
    ledger: Ledger,
    mapping: Mapping,
    path: Path,
    *,
    at: datetime,
    actor: str,
    progress: Progress | None = None,
    memory: timedelta | None = None,
) -> ImportReport:
    """Import a CSV or Parquet file in one commit. Rows that cannot be used are quarantined with line and reason.

    `ingest_steps` does the same in many short commits, for a workspace that decides meanwhile.

    A row with an id and content the ledger has is a duplicate, though a label that is news is recorded (and counted
    in `labels`); the same id with other content is quarantined. seq
    follows the mapping's arrival column, else occurred_at, then the line. `progress(stage, done, total)` is told
    how far it is; `memory` is how far before the newest transaction is remembered. MappingError for a file that does
    not fit the mapping, before anything is written.
    """
    tell = progress or silent
    check_fields(ledger, mapping)
    tell("read", 0, 1)
    source = open_source(path, mapping.columns)
    with closing(Staging(mapping, ledger.path)) as staging:
        staging.load(source)
        tell("check", 0, 1)
        staging.check(path.name, at)
        with ledger.writing() as writer:
            return _store(writer, staging, source, at, actor, tell, memory)


def silent(stage: str, done: int, total: int) -> None:
    """Nobody is listening."""


def check_fields(ledger: Ledger, mapping: Mapping) -> None:
    """MappingError where the mapping names fields that the ledger was made without."""
    present = {(f.name, f.role, f.type) for f in ledger.fields}
    missing = [f.name for f in mapping.fields if (f.name, f.role, f.type) not in present]
    if missing:
        raise MappingError(
            f"the ledger was made without {', '.join(missing)}",
            where=mapping.where,
            allowed=", ".join(f.name for f in ledger.fields),
            hint="Import with the mapping the workspace was made with, or make a new workspace.",
        )


def _store(
    writer: Writer,
    staging: Staging,
    source: SourceFile,
    at: datetime,
    actor: str,
    tell: Progress,
    memory: timedelta | None,
) -> ImportReport:
    import_id = import_id_of(source.sha256, writer.head.seq)
    late: list[dict[str, Any]] = []
    if writer.next_transaction_seq > 1:
        sql = "SELECT seq, transaction_id, content_sha256 FROM transactions SEMI JOIN _ids USING (transaction_id)"
        staging.exclude_known(writer.read_arrow(sql, _ids=staging.ids()))
        late = _store_late_labels(writer, staging, import_id, at, actor)
    first = writer.next_transaction_seq
    accepted = staging.number(first, writer.salt().hex())
    beyond = beyond_memory(staging, newest_of(writer), memory)
    writer.take_seqs(accepted)
    labels = len(late)
    for low, high in chunks(first, first + accepted - 1, CHUNK):
        labels += store_chunk(writer, staging, (low, high), import_id, at)
        tell("store", high - first + 1, accepted)
    if accepted:
        writer.adopt_seqs(first, first + accepted - 1)
    store_quarantine(writer, staging, import_id, source.name)
    report = report_of(
        staging,
        import_id,
        source.name,
        accepted,
        (first, first + accepted - 1),
        labels=labels,
        beyond_memory=beyond,
        taken_back=sum(row["takes_back"] for row in late),
    )
    store_import(writer, report, source, staging.mapping, at, actor)
    return report


def newest_of(ledger: Reads) -> datetime | None:
    """The latest moment of a transaction on record."""
    found: datetime | None = ledger.read("SELECT max(occurred_at) AS at FROM transactions")[0]["at"]
    return found


def beyond_memory(staging: Staging, newest: datetime | None, memory: timedelta | None) -> int:
    """How many of the numbered rows lie more than `memory` before the newest transaction, on record or among them,
    that comes before them."""
    if memory is None:
        return 0
    known = f"TIMESTAMP '{newest.astimezone(UTC).replace(tzinfo=None)}'" if newest else "NULL"
    before = "max(occurred_at) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    floor = f"greatest(before, {known}) - to_microseconds({memory // timedelta(microseconds=1)})"
    sql = f"SELECT count(*) FROM (SELECT occurred_at, {before} AS before FROM numbered) WHERE occurred_at < {floor}"
    return int(staging.rows(sql)[0][0])


def _store_late_labels(
    writer: Writer, staging: Staging, import_id: str, at: datetime, actor: str
) -> list[dict[str, Any]]:
    """Record what the file says of transactions the ledger has, where it is news; returns what was."""
    if staging.mapping.label is None:
        return []
    return store_news(writer, staging.take_late(), source=f"outcomes:{import_id}", actor=actor, at=at)


def store_chunk(
    writer: Writer,
    staging: Staging,
    seqs: tuple[int, int],
    import_id: str,
    at: datetime,
    table: str = "numbered",
) -> int:
    """Append one run of numbered rows with its event; returns how many had a label."""
    mapping = staging.mapping
    where = f"FROM {table} WHERE seq BETWEEN {seqs[0]} AND {seqs[1]}"
    fields = "".join(f", {identifier(f.name)}" for f in mapping.fields if f.in_transactions)
    rows = staging.table(
        "SELECT seq, transaction_id, occurred_at, amount, currency, amount_minor, content_sha256, commitments"
        f"{fields} {where} ORDER BY seq"
    )
    writer.append_arrow("transactions", _stamped(rows, at, source=import_id))
    for name in mapping.personal:
        writer.append_arrow(
            "personal_values",
            staging.table(
                f"SELECT 'transaction:' || seq AS owner, '{name}' AS field, salt_{name} AS salt,"
                f" personal_{name} AS value {where} AND personal_{name} IS NOT NULL ORDER BY seq"
            ),
        )
    labels = _store_labels(writer, staging, where, at)
    digest = staging.rows(f"SELECT {DIGEST_SQL} {where}")[0][0]
    writer.event(recorded(*seqs, seqs[1] - seqs[0] + 1, import_id, digest, labels), at)
    return labels["count"] if labels else 0


def _store_labels(writer: Writer, staging: Staging, where: str, at: datetime) -> dict[str, Any] | None:
    label = staging.mapping.label
    if label is None:
        return None
    known_at = label_known_at(staging.mapping)
    query = (
        f"SELECT seq AS transaction_seq, is_fraud, {known_at} AS known_at, CAST(0 AS BIGINT) AS reported_seq,"
        f" '' AS reason_code {where} AND is_fraud IS NOT NULL ORDER BY seq"
    )
    rows = staging.table(query)
    if not rows.num_rows:
        return None
    writer.append_arrow("outcomes", _stamped(rows, at, source=FILE_LABEL))
    return {"count": rows.num_rows, "digest": staging.rows(f"SELECT {LABEL_DIGEST_SQL} FROM ({query})")[0][0]}


def _stamped(rows: pa.Table, at: datetime, *, source: str) -> pa.Table:
    recorded_at = pa.repeat(pa.scalar(at, pa.timestamp("us")), rows.num_rows)
    return rows.append_column("recorded_at", recorded_at).append_column(
        "source", pa.repeat(pa.scalar(source, pa.string()), rows.num_rows)
    )


def store_quarantine(writer: Writer, staging: Staging, import_id: str, file_name: str) -> None:
    """Quarantined lines keep their non-personal cells as JSON, so that they can be repaired."""
    personal = set(staging.mapping.personal.values())
    shown = [column for column in staging.mapping.columns if column not in personal]
    packed = ", ".join(f"{identifier(c)} := CAST(raw.{identifier(c)} AS VARCHAR)" for c in shown)
    rows = staging.table(
        f"SELECT r.line, r.field, r.reason, coalesce(left(CAST(to_json(struct_pack({packed})) AS VARCHAR), 4000), '')"
        " AS raw FROM refused r LEFT JOIN raw ON raw.__line__ = r.line WHERE r.field <> '' ORDER BY r.line"
    )
    if rows.num_rows:
        for name, value in (("import_id", import_id), ("file_name", file_name)):
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        writer.append_arrow("quarantine", rows)


def report_of(
    staging: Staging,
    import_id: str,
    file_name: str,
    accepted: int,
    seqs: tuple[int, int],
    *,
    labels: int,
    beyond_memory: int,
    taken_back: int,
) -> ImportReport:
    """What became of the rows, `accepted` of which have seqs from the first to the last of `seqs`."""
    counted = staging.rows(
        f"SELECT field, {SAME_REASON} AS same, count(*) FROM refused GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    )
    grouped = {f"{place}: {reason}": count for place, reason, count in counted if place}
    examples = staging.rows(
        "SELECT line, field, reason FROM refused WHERE field <> '' ORDER BY line LIMIT 10"
    )
    return ImportReport(
        import_id=import_id,
        file_name=file_name,
        accepted=accepted,
        duplicate=sum(count for place, _, count in counted if not place),
        quarantined=sum(grouped.values()),
        labels=labels,
        first_seq=seqs[0] if accepted else 0,
        last_seq=seqs[1] if accepted else 0,
        reasons=grouped,
        examples=tuple(Refused(*row) for row in examples),
        beyond_memory=beyond_memory,
        taken_back=taken_back,
    )


def store_import(
    writer: Writer, report: ImportReport, source: SourceFile, mapping: Mapping, at: datetime, actor: str
) -> None:
    """Record that the import is complete, and what came of it."""
    names = ("labels", "first_seq", "last_seq", "beyond_memory", "taken_back")
    told = {name: getattr(report, name) for name in names}
    store_completed(writer, report, told, source, mapping, at, actor)
