"""How is a change safe on disk after one small write, before DuckDB has been given it?

A commit costs DuckDB the same few milliseconds whether it holds one decision or a thousand, because it works column
by column. So the rows of a decision go to this file first, as one checked record that is forced to disk; DuckDB gets
many records together soon after, and always before anything is read. What it had not got when the process died is
given to it at the next start: each record carries its events, so the chain says where DuckDB left off.

A file is written over from its start once DuckDB has what it held. What is left of earlier rounds is told apart by
its place in the chain and its checksum. A record also carries the ledger's seal over that checksum: recovery vouches
for what it takes, so whoever has the file and not the key must not be able to add to it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from data.errors import LedgerError
from data.integrity.sealing import Sealer
from data.storage.durable import force_names

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by table. What comes back from a file is JSON, to be made the columns' values again."""

_HEAD = struct.Struct("<8sQ32s32s")
"""Mark and form, the body's length and SHA-256, and the seal over that (zeros where the ledger has no key)."""
_MARK = b"2ndLOOK\x03"
# Room made beforehand: forcing a write into existing room spares the file system a change of the file's length.
_ROOM = 8 * 1024 * 1024
_force = getattr(os, "fdatasync", os.fsync)
_LONG_SECONDS = 0.5
log = logging.getLogger("secondlook.ledger")


class Journal:
    """Two files beside the ledger, written in turn: while DuckDB is given what one holds, records go to the other.

    Not thread-safe: the lock that guards the order of records guards it.
    """

    def __init__(self, path: Path) -> None:
        self._parts = (_Part(path), _Part(path.with_suffix(path.suffix + "2")))
        self._now = 0
        self.told: Callable[[float], None] = lambda seconds: None
        """Hears how long the disk took to take each record. No decision is answered sooner."""

    def append(self, rows: Rows, sealer: Sealer | None = None) -> None:
        """Put one record on disk; when this returns, a kill or a power cut cannot take it back."""
        body = orjson.dumps(rows, default=_plain)
        digest = hashlib.sha256(body).digest()
        seal = sealer.of(_sealed_content(digest)) if sealer else bytes(len(digest))
        record = _HEAD.pack(_MARK, len(body), digest, seal) + body
        since = time.perf_counter()
        self._parts[self._now].append(record)
        self._tell(time.perf_counter() - since)

    def _tell(self, seconds: float) -> None:
        self.told(seconds)
        if seconds >= _LONG_SECONDS:
            log.info("the disk took %.1f s to take a record of decisions", seconds)

    def turn(self) -> None:
        """Have later records go to the other file, if that holds nothing that is still needed."""
        if not self._parts[1 - self._now].end:
            self._now = 1 - self._now

    def prepare(self) -> None:
        """Make room in the file that is not written to, so that no record waits for it."""
        if self._parts[self._now].end:
            self._parts[1 - self._now].opened()

    def forget_turned(self) -> None:
        """Write over what was on disk before the last `turn`: DuckDB has it."""
        self._parts[1 - self._now].end = 0

    def scrub(self) -> None:
        """Overwrite what earlier rounds left in the files, unless something in one is still needed."""
        for part in self._parts:
            part.scrub()

    def refuse_other_forms(self) -> None:
        """LedgerError for what another version left."""
        for part in self._parts:
            for _ in part.whole():
                pass

    def records(self, sealer: Sealer | None = None, settled: int = 0) -> Iterator[Rows]:
        """The whole records of both files as JSON, by their place in the chain.

        One cut short by a crash ends its file. LedgerError for one that goes beyond the event `settled` without the
        key's seal.
        """
        found = [rows for part in self._parts for rows in part.records(sealer, settled)]
        yield from sorted(found, key=lambda rows: rows["events"][0]["seq"])

    def close(self, *, keep: bool) -> None:
        """Close the files, and remove them unless they hold what DuckDB has not got; harmless when done twice."""
        for part in self._parts:
            part.close(keep=keep)


class _Part:
    """One file, written from its start; `end` is where the next record goes."""

    def __init__(self, path: Path) -> None:
        self.end = 0
        self._path = path
        self._file: int | None = None

    def append(self, record: bytes) -> None:
        file = self.opened()
        try:
            _write_all(file, record, self.end)
            _force(file)
        except BaseException:
            # Whoever asked hears that it failed, so the next start must not find it whole.
            with suppress(OSError):
                _write_all(file, bytes(_HEAD.size), self.end)
                _force(file)
            raise
        self.end += len(record)

    def records(self, sealer: Sealer | None, settled: int) -> Iterator[Rows]:
        for digest, seal, body in self.whole():
            rows = _read(body)
            if rows is not None and (sealer is None or sealer.fits(_sealed_content(digest), seal)):
                yield rows
            elif rows is None or rows["events"][-1]["seq"] > settled:  # else left from before there was a key
                raise _forged(self._path, settled)

    def whole(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Digest, seal and body of each record up to one that was cut short. LedgerError for another form."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            while head := file.read(_HEAD.size):
                _refuse_other_version(head[: len(_MARK)], self._path)
                if len(head) < _HEAD.size or not head.startswith(_MARK):
                    return
                _, size, digest, seal = _HEAD.unpack(head)
                if size > os.fstat(file.fileno()).st_size:
                    return
                body = file.read(size)
                if hashlib.sha256(body).digest() != digest:
                    return
                yield digest, seal, body

    def close(self, *, keep: bool) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if not keep:
            self._path.unlink(missing_ok=True)

    def scrub(self) -> None:
        if self.end == 0 and self._path.is_file():
            file = self.opened()
            _write_all(file, bytes(os.fstat(file).st_size), 0)
            _force(file)

    def opened(self) -> int:
        if self._file is None:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._make_room(file)
            except BaseException:
                os.close(file)
                raise
            self._file = file
        return self._file

    def _make_room(self, file: int) -> None:
        if os.fstat(file).st_size < _ROOM:
            _write_all(file, bytes(_ROOM), 0)
        os.fsync(file)
        force_names(self._path.parent)


def pending(records: Iterable[Rows], head_seq: int, head_hash: bytes, where: str) -> Iterator[Rows]:
    """Those records that continue the chain after its stored head.

    LedgerError if a record lies beyond a gap: then the ledger is older than its journal.
    """
    for rows in records:
        first, last = rows["events"][0], rows["events"][-1]
        if last["seq"] <= head_seq:
            continue
        if first["seq"] != head_seq + 1 or first["prev_hash"] != head_hash:
            raise LedgerError(
                f"the journal goes on at event {first['seq']}, but the ledger ends at {head_seq}",
                where=where,
                hint="Put ledger and journal back from the same backup.",
            )
        head_seq, head_hash = last["seq"], last["hash"]
        yield rows


def _sealed_content(digest: bytes) -> bytes:
    return b"journal" + digest


def _read(body: bytes) -> Rows | None:
    """A record's rows by table, None for what is no record of events."""
    try:
        rows: Rows = orjson.loads(body)
        seqs = rows["events"][0]["seq"], rows["events"][-1]["seq"]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    return rows if all(type(seq) is int for seq in seqs) else None


def _forged(path: Path, settled: int) -> LedgerError:
    return LedgerError(
        "a record in the journal does not carry this ledger's seal: something other than the program wrote it",
        where=str(path),
        hint="Put the journal back as the server left it; nothing was changed, and this file is left as it is. Without "
        f"it the workspace opens again, and lacks whatever it holds beyond event {settled}.",
    )


def _refuse_other_version(mark: bytes, path: Path) -> None:
    """LedgerError for what another version left when it died: passing over it would lose answered decisions."""
    if mark[:-1] == _MARK[:-1] and mark != _MARK:
        raise LedgerError(
            f"this journal was left by another version of Second Look (form {mark[-1]}, here {_MARK[-1]})",
            where=str(path),
            hint="Open and close the workspace once with the version that wrote it; nothing was changed.",
        )


def _plain(value: Any) -> str:
    """What JSON does not have. Bytes as text of one character each; the ledger's columns say what to make of it."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _write_all(file: int, content: bytes, place: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, place)
        place += written
        view = view[written:]
