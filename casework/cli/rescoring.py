"""What would today's rules and model have answered to the payments already on record?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer

from casework.app import App
from casework.cli.output import HERE, JsonOption, WorkspaceOption, answer, refuse_existing, whole_file
from casework.cli.reach import opened
from casework.live import Live
from data.errors import InputError
from engine.batch_scoring import WORDS, BatchEngine

_Day = typer.Option(formats=["%Y-%m-%d"])


def add_to(parent: typer.Typer) -> None:
    parent.command("rescore")(rescore)


def rescore(
    since: Annotated[datetime | None, _Day] = None,
    until: Annotated[datetime | None, _Day] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write one row a payment to a Parquet file.")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Answer the payments on record again with what decides now, in columns; nothing is recorded or changed.

    Days are UTC; the last day is not part of it. Imported history counts as well as what was decided here. Each
    payment is answered at the moment it occurred, from what was known by then; the first day begins without reviews.
    What people or the breaker have switched (kill switch, pauses, caps, snoozes, list entries made by hand, wider
    review after drift) counts as it stands now, for every payment. Left out are the share of payments that a rollout
    decides, what the breaker would have done on the way, and reasons and explanations.

    Example: secondlook rescore --since 2026-01-01 --until 2026-02-01 --out january.parquet --workspace bank
    """
    refuse_existing(out)
    told = _Told()
    with opened(workspace) as app, _written(out) as write:
        for table in _scored(app, since, until):
            told.count(table)
            write(table)
    counts = told.as_json()
    lines = [
        f"{told.payments:,} payments: "
        + ", ".join(f"{count:,} {word}" for word, count in counts["outcomes"].items())
        + f"; {told.explored:,} explored, {told.audited:,} drawn for audit."
    ]
    answer(counts, lines, as_json)


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[pa.Table], None]]:
    """What takes tables for a file, which is there when all were taken and not before; or for none."""
    if out is None:
        yield lambda table: None
        return
    writer: pq.ParquetWriter | None = None
    with whole_file(out) as part:

        def write(table: pa.Table) -> None:
            nonlocal writer
            writer = writer or pq.ParquetWriter(part, table.schema)
            writer.write_table(table)

        try:
            yield write
        finally:
            if writer is not None:
                writer.close()


def _scored(app: App, since: datetime | None, until: datetime | None) -> Iterator[pa.Table]:
    """The scores of the stretch, by seq, some at a time. InputError where it holds no payment."""
    start, end = (
        day.replace(tzinfo=UTC) if day else edge
        for day, edge in (
            (since, datetime.min.replace(tzinfo=UTC)),
            (until, datetime.max.replace(tzinfo=UTC)),
        )
    )
    span = app.ledger.read(
        "SELECT min(seq) AS first, max(seq) AS last FROM transactions WHERE occurred_at >= ? AND occurred_at < ?",
        (start, end),
    )[0]
    if span["first"] is None:
        raise InputError(
            "there is no payment in this stretch",
            where=f"{since} to {until}",
            hint="Import some, or ask for more.",
        )
    engine = _deciding(app.live)
    for table in engine.stretches(app.ledger, first_seq=span["first"], last_seq=span["last"]):
        within = pc.and_(
            pc.greater_equal(table["occurred_at"], pa.scalar(start, table["occurred_at"].type)),
            pc.less(table["occurred_at"], pa.scalar(end, table["occurred_at"].type)),
        )
        yield table.filter(within)  # late rows of other days lie between the first seq and the last


def _deciding(live: Live) -> BatchEngine:
    """What decides now, in columns: with the policy that stands in for one the breaker has paused, and all else that
    was switched."""
    engine = live.engine
    return BatchEngine(
        live.settings.features,
        live.settings.rules,
        engine.segments,
        live.model,
        engine.key,
        unlabelled=engine.unlabelled,
        control=live.guard.control,
        killed=engine.killed,
    )


@dataclass
class _Told:
    """What came of the payments so far."""

    payments: int = 0
    explored: int = 0
    audited: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def count(self, table: pa.Table) -> None:
        self.payments += table.num_rows
        self.explored += pc.sum(table["explored"].cast(pa.int64())).as_py() or 0
        self.audited += pc.sum(table["audited"].cast(pa.int64())).as_py() or 0
        for row in pc.value_counts(table["outcome"].cast(pa.string())).to_pylist():
            self.outcomes[row["values"]] += row["counts"]

    def as_json(self) -> dict[str, Any]:
        return {
            "payments": self.payments,
            "outcomes": {word: self.outcomes[word] for word in WORDS},
            "explored": self.explored,
            "audited": self.audited,
        }
