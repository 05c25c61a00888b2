"""How does a child process read the ledger, which only one process may open? From immutable Parquet, by day."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.canonical import canonical_json, rfc3339, sha256_hex
from data.errors import ConflictError, InputError, NotFoundError
from data.ledger import Ledger
from data.reading import outcomes_arrow, transactions_arrow
from data.storage.disk import disk_errors
from data.storage.durable import force_names, make_folder


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a snapshot: path relative to the folder, its rows and the SHA-256 of its bytes."""

    path: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A manifest: the parts that were the ledger at one moment. `snapshot_id` names the manifest's content.

    Transaction parts are in the order of their days and each is ordered by seq; `outcomes` is one part.
    """

    snapshot_id: str
    folder: Path
    transactions: tuple[Part, ...]
    outcomes: Part
    last_seq: int
    last_event_hash: str

    @property
    def transaction_files(self) -> list[Path]:
        return [self.folder / part.path for part in self.transactions]

    @property
    def outcomes_file(self) -> Path:
        return self.folder / self.outcomes.path


def export_partitions(
    ledger: Ledger, folder: Path, *, until: datetime, since: datetime | None = None
) -> Snapshot:
    """Write what occurred in [since, until) as one Parquet file a day, with all outcomes known by `until`.

    A file's name holds its hash, so that days that have not changed since the last export are kept as they are and
    nothing is ever overwritten. The manifest is `<snapshot_id>.json` in the same folder. InputError where nothing
    occurred in that time, DiskError where the disk does not take it.
    """
    make_folder(folder)
    head, last_seq = ledger.last_event, ledger.next_transaction_seq - 1
    parts = tuple(
        _write_part(folder, f"transactions-{day}", table)
        for day, table in _days(ledger, since, until, last_seq)
    )
    if not parts:
        raise InputError("there are no transactions to export", where=f"before {rfc3339(until)}")
    outcomes = outcomes_arrow(ledger)
    known = pc.less(outcomes["known_at"], pa.scalar(until, pa.timestamp("us")))
    outcome_part = _write_part(folder, "outcomes", outcomes.filter(known))
    return _write_manifest(folder, parts, outcome_part, last_seq, head.hash.hex())


def load_snapshot(folder: Path, snapshot_id: str, *, check: bool = True) -> Snapshot:
    """Read a manifest and, unless told otherwise, check every part against its hash.

    NotFoundError for an unknown snapshot; ConflictError where a file is missing or was changed.
    """
    path = folder / f"{snapshot_id}.json"
    if not path.is_file():
        raise NotFoundError("there is no such snapshot", where=str(path))
    content = path.read_bytes()
    if _id_of(content) != snapshot_id:
        raise ConflictError("the manifest was changed after it was written", where=str(path))
    snapshot = _parsed(content, folder, snapshot_id)
    if check:
        for part in (*snapshot.transactions, snapshot.outcomes):
            _check(folder, part)
    return snapshot


def _days(
    ledger: Ledger, since: datetime | None, until: datetime, last_seq: int
) -> Iterator[tuple[date, pa.Table]]:
    sql = "SELECT DISTINCT CAST(occurred_at AS DATE) AS day FROM transactions WHERE occurred_at < ? ORDER BY day"
    for row in ledger.read(sql, [until]):
        start = datetime(row["day"].year, row["day"].month, row["day"].day, tzinfo=until.tzinfo)
        low, high = max(start, since or start), min(start + timedelta(days=1), until)
        if low < high:
            table = transactions_arrow(ledger, since=low, until=high, last_seq=last_seq)
            if table.num_rows:
                yield row["day"], table


def _write_part(folder: Path, name: str, table: pa.Table) -> Part:
    """Write through a temporary name: a part that exists is whole. The name holds the content's hash."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    content = buffer.getvalue()
    sha256 = sha256_hex(content)
    path = folder / f"{name}-{sha256[:12]}.parquet"
    if not path.exists():
        _write_whole(path, content)
    return Part(path.name, table.num_rows, sha256)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that is on disk by the time it has its name. DiskError, and nothing of it is left, if the disk does
    not take it."""
    unfinished = path.with_suffix(".unfinished")
    with disk_errors(Path(path.name)):  # which ends up on record, where this machine's folders have no place
        try:
            with unfinished.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):  # what must be heard is why it failed
                unfinished.unlink(missing_ok=True)
            raise


def _write_manifest(
    folder: Path, parts: tuple[Part, ...], outcomes: Part, last_seq: int, head: str
) -> Snapshot:
    content = canonical_json(
        {
            "version": 1,
            "transactions": [_as_dict(part) for part in parts],
            "outcomes": _as_dict(outcomes),
            "last_seq": last_seq,
            "last_event_hash": head,
        }
    )
    snapshot_id = _id_of(content)
    _write_whole(folder / f"{snapshot_id}.json", content)
    with disk_errors(Path(folder.name)):
        force_names(folder)  # of the parts, too
    return _parsed(content, folder, snapshot_id)


def _as_dict(part: Part) -> dict[str, Any]:
    return {"path": part.path, "rows": part.rows, "sha256": part.sha256}


def _parsed(content: bytes, folder: Path, snapshot_id: str) -> Snapshot:
    said = orjson.loads(content)
    return Snapshot(
        snapshot_id,
        folder,
        tuple(Part(**part) for part in said["transactions"]),
        Part(**said["outcomes"]),
        said["last_seq"],
        said["last_event_hash"],
    )


def _id_of(content: bytes) -> str:
    return f"snap_{sha256_hex(content)[:16]}"


def _check(folder: Path, part: Part) -> None:
    path = folder / part.path
    if not path.is_file():
        raise ConflictError("a file of the snapshot is missing", where=str(path), hint="Export it again.")
    if sha256_hex(path.read_bytes()) != part.sha256:
        raise ConflictError("a file of the snapshot was changed", where=str(path), hint="Export it again.")
