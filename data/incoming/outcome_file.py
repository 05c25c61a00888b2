"""How does a file of outcomes (chargebacks, reversals, late labels) enter the ledger, with every line accounted for?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from data.errors import MappingError
from data.incoming.import_record import store_completed
from data.incoming.ingest import Refused
from data.incoming.mapping_columns import Mapping, OutcomeColumns
from data.incoming.outcome_staging import OutcomeStaging
from data.incoming.source_file import SourceFile, open_source
from data.ledger import Ledger
from data.outcome_rows import TOLD, import_id_of, store_news
from data.writer import Writer

_KNOWN = "SELECT seq, transaction_id, occurred_at FROM transactions SEMI JOIN _ids USING (transaction_id)"


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What became of every line of an outcomes file.

    `other_reason` counts lines whose reason says nothing about fraud, or whose flag is unknown: they are not
    outcomes, and nothing is wrong with them. `recorded` holds the new rows, for whoever keeps a memory of them.
    """

    import_id: str
    file_name: str
    accepted: int
    duplicate: int
    quarantined: int
    other_reason: int
    frauds: int
    reasons: dict[str, int] = field(default_factory=dict)
    examples: tuple[Refused, ...] = ()
    recorded: tuple[dict[str, Any], ...] = field(default=(), repr=False)


def import_outcomes(
    ledger: Ledger, mapping: Mapping, path: Path, *, at: datetime, actor: str
) -> OutcomeReport:
    """Import a CSV or Parquet file of outcomes in one commit, as the mapping's `outcomes` says.

    An outcome that the ledger has (transaction, value, moment, reason) is a duplicate; one of an unknown transaction,
    known before it happened or in the future, or contradicting another line of the same moment, is quarantined.
    MappingError for a file that does not fit, before anything is written.
    """
    columns = _declared(mapping)
    source = open_source(path, columns.columns)
    with closing(OutcomeStaging(columns, ledger.path)) as staging:
        staging.load(source)
        with ledger.writing() as writer:
            staging.check(writer.read_arrow(_KNOWN, _ids=staging.ids()), at)
            return _store(writer, staging, source, mapping, at, actor)


def _declared(mapping: Mapping) -> OutcomeColumns:
    if mapping.outcomes is None:
        raise MappingError(
            "the mapping does not say what an outcomes file looks like",
            where=mapping.where,
            allowed="outcomes: {transaction_id, known_at, is_fraud or reason_code with fraud_codes}",
            hint="Add an `outcomes` part to mapping.yaml in the workspace.",
        )
    return mapping.outcomes


def _store(
    writer: Writer, staging: OutcomeStaging, source: SourceFile, mapping: Mapping, at: datetime, actor: str
) -> OutcomeReport:
    import_id = import_id_of(source.sha256, writer.head.seq)
    told = staging.told().cast(TOLD)
    new = store_news(writer, told, source=f"outcomes:{import_id}", actor=actor, at=at)
    quarantine = staging.quarantine()
    for name, value in (("import_id", import_id), ("file_name", source.name)):
        quarantine = quarantine.append_column(
            name, pa.repeat(pa.scalar(value, pa.string()), quarantine.num_rows)
        )
    if quarantine.num_rows:
        writer.append_arrow("quarantine", quarantine)
    report = OutcomeReport(
        import_id=import_id,
        file_name=source.name,
        accepted=len(new),
        duplicate=staging.repeated() + told.num_rows - len(new),
        quarantined=quarantine.num_rows,
        other_reason=staging.other_reason(),
        frauds=sum(row["is_fraud"] for row in new),
        reasons=staging.reasons(),
        examples=tuple(Refused(*row) for row in staging.examples()),
        recorded=tuple(new),
    )
    held = {"holds": "outcomes", "other_reason": report.other_reason, "frauds": report.frauds}
    store_completed(writer, report, held, source, mapping, at, actor)
    return report
