"""Where is the record kept, who may write to it, and what does it hold in memory?"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import LedgerBusyError, LedgerError
from data.events import EventDraft
from data.integrity import sealed
from data.integrity.commitments import SaltSource
from data.integrity.keyring import Keyring
from data.storage import schema
from data.storage.backlog import Backlog
from data.storage.checkpoints import move_log, move_log_before_closing, small_groups
from data.storage.connecting import connect, refuse_other_files
from data.storage.disk import check_room, damage_named, disk_errors, short_of_memory_named, wal_bytes
from data.storage.journal import Journal
from data.storage.lock_file import LockFile
from data.storage.settling import Settling
from data.storage.unfinished import remove_spilled
from data.writer import Head, Writer

if TYPE_CHECKING:
    from data.incoming.mapping import Mapping

__all__ = ["Head", "Ledger", "Writer"]

_MOST_WAITING = 8000
_LONG_SECONDS = 0.5
"""A write that lasts longer is named in the log: no decision is made meanwhile."""
log = logging.getLogger("secondlook.ledger")


@contextmanager
def _told_if_long() -> Iterator[None]:
    begun = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - begun
        if took >= _LONG_SECONDS:
            log.info("a write held decisions for %.1f s: %s", took, threading.current_thread().name)


class Ledger(Settling):
    """A workspace's DuckDB file and the one connection to it. Threads read together; one writes at a time.

    Recording takes the lock on the order alone (see `Settling`): it goes on while DuckDB settles or checkpoints.
    """

    def __init__(
        self, path: Path, lock: LockFile, connection: Any, salts: SaltSource, keyring: Keyring
    ) -> None:
        self.path = path
        self._keyring = keyring
        self._lock_file = lock
        self._connection = connection
        self._salts = salts
        self._database = threading.RLock()
        self._order = threading.RLock()
        self._writing = False
        self._left: int | None = None
        self._backlog = Backlog(Journal(path.with_suffix(".journal")), self.settle)
        self._load_memory()
        self._recover()

    @classmethod
    def create(
        cls,
        path: Path,
        mapping: Mapping | None = None,
        *,
        at: datetime,
        actor: str = "system",
        salts: SaltSource = secrets.token_bytes,
        keyring: Keyring | None = None,
    ) -> Ledger:
        """Make a new ledger with the mapping's fields, sealed under a fresh key if there is a keyring to put it on.

        LedgerError if the file exists, or the key cannot be kept.
        """
        if path.exists():
            raise LedgerError("there is already a file", where=str(path), hint="Choose another directory.")
        try:
            found = keyring or Keyring.default()
            ledger = cls._own(path, salts, found, at.astimezone(UTC).replace(tzinfo=None))
            try:
                ledger._introduce(mapping, at, actor, with_key=keyring is not None)
            except BaseException:
                ledger.close()
                raise
        except LedgerBusyError:
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return ledger

    @classmethod
    def open(
        cls, path: Path, *, salts: SaltSource = secrets.token_bytes, keyring: Keyring | None = None
    ) -> Ledger:
        """Open an existing ledger and own it; its key is looked for on the keyring (default: this person's).

        LedgerBusyError if another process owns it; LedgerError for a missing file, a file that is no
        ledger, one with a newer schema, or one whose key is not there.
        """
        refuse_other_files(path)
        return cls._own(path, salts, keyring or Keyring.default(), None)

    @classmethod
    def _own(cls, path: Path, salts: SaltSource, keyring: Keyring, migrated_at: datetime | None) -> Ledger:
        """Take the lock, connect and bring the schema up to date; on failure all of it is given back."""
        lock = LockFile(path.with_suffix(".lock"), guards=path)
        connection = None
        try:
            with damage_named(path):
                # A journal that another version left is refused here, before anything is changed.
                Journal(path.with_suffix(".journal")).refuse_other_forms()
                remove_spilled(path)
                connection = connect(path)
                sealed.migrate(connection, keyring, at=migrated_at, where=str(path))
                return cls(path, lock, connection, salts, keyring)
        except BaseException:
            if connection is not None:
                connection.close()
            lock.release()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, *, tidy: bool = True) -> None:
        """Close the file and give the lock back; harmless when done twice. Not `tidy`: put no groups of rows together,
        so that it takes no longer than the last changes do."""
        self._backlog.stop()
        with self._database, self._order:
            try:
                self.settle()
                if not tidy and self._lock_file.is_held:
                    move_log_before_closing(self._connection, self.path, self._cursors)
            finally:
                self._backlog.close()
                self._connection.close()
                self._lock_file.release()

    def checkpoint(self, *, tidy: bool = True) -> None:
        """Move the write-ahead log into the file; not `tidy`: do no more. Writers wait, but for those that only record.

        CheckpointBusyError while a long read lasts that began before the last change; DiskError without room.
        """
        with self._database:
            self.settle()
            check_room(self.path)
            if self._tables.sums is not None:
                self._tables.sums.trim()
            move_log(self._connection, self.path, self._cursors, tidy=tidy)
            self._left = 0 if tidy else self.left_small + 1
            self._let_go()

    @property
    def left_small(self) -> int:
        """How many checkpoints have left small groups of rows that a tidy one would put together, 0.1 s for each."""
        if self._left is None:
            with self._database:
                self._left = small_groups(self._connection)
        return self._left

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other thread writes to the file for the length of the block. Recording goes on, and what is recorded gets
        into the file where the block itself reads or checkpoints."""
        with self._database:
            self.settle()
            yield

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One write: everything done with the Writer is committed together, or nothing is.

        Other threads wait. LedgerError when this thread already has a write open: pass its Writer on instead.
        """
        with self._database:
            self.settle()  # most of it while others still record
            with self._alone(), _told_if_long():
                self.settle()
                with disk_errors(self.path):
                    self._connection.execute("BEGIN")
                writer = self._writer()
                try:
                    yield writer
                    writer.flush()
                    self._seal_tables(writer.head)
                    with disk_errors(self.path):
                        self._connection.execute("COMMIT")
                    self._adopt(writer)
                except BaseException:
                    self._undo(writer)
                    raise

    @contextmanager
    def recording(self) -> Iterator[Writer]:
        """A write that only adds rows and events, at least one: it is on disk, in the journal, when this ends.

        DuckDB gets it with others at the next `settle`, which every read begins with, so nobody can tell. It waits
        neither for DuckDB nor for a checkpoint, and therefore cannot query or update: LedgerError.
        """
        if self._backlog.events >= _MOST_WAITING or self._unknown:
            self.settle()
        with self._alone():
            self._refuse_unless_known()
            writer = self._writer(only_adds=True)
            yield writer
            if "events" not in writer.pending:
                raise LedgerError("nothing is recorded without an event", hint="Use `event`.")
            record = {name: self._tables.fitting(name, rows) for name, rows in writer.pending.items()}
            with disk_errors(self.path):
                self._backlog.add(record, self.sealer)
            self._adopt(writer)

    def scrub(self) -> None:
        """Overwrite what the journal still holds of settled records; the write-ahead log goes into the file."""
        self.checkpoint()
        with self._database, self._order:
            self.settle()
            self._backlog.journal.scrub()

    @property
    def can_record(self) -> bool:
        """Whether `recording` would begin at once: no write is open, and DuckDB is not far behind."""
        free = (
            not self._unknown and self._backlog.events < _MOST_WAITING and self._order.acquire(blocking=False)
        )
        if free:
            self._order.release()
        return free

    def watch_disk(self, told: Callable[[float], None]) -> None:
        """Have `told` hear how many seconds the disk took to take each record."""
        self._backlog.journal.told = told

    @property
    def wal_bytes(self) -> int:
        """How long the write-ahead log is that a checkpoint would move into the file."""
        return wal_bytes(self.path)

    @property
    def waiting(self) -> int:
        """How many events are on disk in the journal, but not yet in DuckDB."""
        return self._backlog.events

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._order:
            if self._writing:
                raise LedgerError(
                    "a write is already open in this thread", hint="Pass its Writer on instead."
                )
            self._writing = True
            try:
                with short_of_memory_named():
                    yield
            finally:
                self._writing = False

    def _writer(self, *, only_adds: bool = False) -> Writer:
        return Writer(
            self._connection,
            self._tables,
            self._fields,
            self._head,
            self._next_transaction_seq,
            self._ids,
            self._salts,
            sealer=self.sealer,
            only_adds=only_adds,
        )

    def _adopt(self, writer: Writer) -> None:
        self._head = writer.head
        self._next_transaction_seq = writer.next_transaction_seq
        self._ids.add(writer.new_ids)
        for first, last in writer.bulk_seqs:
            self._ids.add_bulk(self._id_batches(first, last))

    def seal(self, at: datetime, actor: str) -> None:
        """Give a ledger of an earlier version its key; the event `ledger.sealed` is the first that carries a seal.

        Nothing happens if it has one. LedgerError if the key cannot be kept, or if keys exist for a ledger at this
        place: then this one has been put in its stead, or was stripped of its seals.
        """
        if self.sealer is not None:
            return
        if self._keyring.made_for(self.path):
            raise LedgerError(
                "a key was made for the ledger at this place, but this ledger says it has none",
                where=str(self.path),
                hint="Was it put back from before it was sealed? Then move the key away: "
                + str(self._keyring.made_for(self.path)[0].key_id),
            )
        try:
            with self.writing() as writer:
                key_id = self._take_key(writer)
                writer.insert("about", [{"name": sealed.KEY_ID, "value": key_id}])
                writer.event(EventDraft(actor, "ledger.sealed", "ledger", {sealed.KEY_ID: key_id}), at)
                writer.flush()
                if self._tables.sums is not None:
                    self._tables.sums.recount()
        finally:
            self._load_memory()

    def _take_key(self, writer: Writer) -> str:
        key = self._keyring.make(self.path, writer.head.seq + 1)
        self._tables.sums = sealed.fresh_sums(self._connection, key)
        writer.sealer = self._tables.sums.sealer
        return key.key_id

    def _introduce(self, mapping: Mapping | None, at: datetime, actor: str, *, with_key: bool) -> None:
        fields = mapping.fields if mapping else ()
        about = dict(mapping.about) if mapping else {}
        with self.writing() as writer:
            if with_key:
                about[sealed.KEY_ID] = self._take_key(writer)
            schema.add_fields(self._connection, fields)
            writer.insert("about", [{"name": name, "value": value} for name, value in about.items()])
            shown = [{"name": f.name, "role": f.role, "type": f.type, "unit": f.unit} for f in fields]
            writer.event(EventDraft(actor, "ledger.created", "ledger", {"fields": shown, **about}), at)
            writer.flush()
            if self._tables.sums is not None:
                self._tables.sums.recount()  # the fields were added beside it
        self._load_memory()
