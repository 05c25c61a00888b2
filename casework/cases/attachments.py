"""Which files hang on a payment, are they what they say, and how long are they kept?

The bytes lie in the workspace's folder `files/`, named by their SHA-256; the record holds that hash, never the bytes. A
file's type is read from its content: what the sender calls it decides nothing.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.review import blindness
from casework.review.review_design import REVIEWER_ROLES
from casework.review.tasks import CLAIMED, Task
from data.canonical import sha256_hex
from data.errors import ConflictError, InputError, LedgerError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.storage.disk import disk_errors
from data.storage.durable import force_names, make_folder
from data.writer import Writer
from engine.policy import Policy

ALLOWED = "PNG, JPEG, PDF or plain text in UTF-8"
MOST_EACH = 20
"""Files that one person puts on a payment, for each task of his or hers."""
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"%PDF-", "application/pdf"))
_ENDINGS = {"image/png": ".png", "image/jpeg": ".jpg", "application/pdf": ".pdf", "text/plain": ".txt"}
_NEEDED = "SELECT 1 AS ok FROM files WHERE sha256 = ? AND removed_at IS NULL LIMIT 1"
_ALL_NEEDED = "SELECT DISTINCT sha256 FROM files WHERE removed_at IS NULL"
_COUNTED = """
    SELECT count(*) AS n FROM files
    WHERE transaction_seq = ? AND author = ? AND "at" >= coalesce(CAST(? AS TIMESTAMP), "at")
"""
_WHOLE = re.compile(r"[0-9a-f]{64}")
_UNWANTED = re.compile(r"[^\w .()\-]+")
_SHOWN = 'file_id, name, media_type, bytes, sha256, author, "at", removed_at, transaction_seq'

log = logging.getLogger("secondlook.server")


def media_type(content: bytes) -> str:
    """What these bytes are. InputError for anything but ALLOWED."""
    for start, kind in _MAGIC:
        if content.startswith(start):
            return kind
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in text):
        raise InputError("this kind of file is not kept", where="file", allowed=ALLOWED)
    return "text/plain"


def file_name(given: str, kind: str) -> str:
    """A harmless name: no folders, no odd characters, the ending that its content calls for."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    stem = _UNWANTED.sub("_", last.rsplit(".", 1)[0]).strip(" ._")[:80]
    return (stem or "file") + _ENDINGS[kind]


def keep(
    w: Writer,
    folder: Path,
    *,
    case_id: str,
    transaction_seq: int,
    author: str,
    name: str,
    content: bytes,
    policy: Policy,
    at: datetime,
    since: datetime | None = None,
) -> dict[str, Any]:
    """Keep a file on a payment; its row. The bytes are on disk before the record speaks of them.

    InputError for an empty file, one that is too large, or one of another kind; ConflictError for one too many of this
    person's, or of those added `since` a task was claimed: counting older ones, or other people's, would tell that
    somebody has judged the payment before.
    """
    largest = policy.work.largest_file
    if not 0 < len(content) <= largest:
        raise InputError("the file is empty or too large", where="file", allowed=f"1 to {largest:,} bytes")
    kind = media_type(content)
    if w.read(_COUNTED, [transaction_seq, author, since])[0]["n"] >= MOST_EACH:
        raise ConflictError("you have put too many files on this payment", allowed=f"{MOST_EACH}")
    digest = _store(folder, content)
    row: dict[str, Any] = {
        "file_id": f"file_{secrets.token_hex(8)}",
        "case_id": case_id,
        "transaction_seq": transaction_seq,
        "author": author,
        "name": file_name(name, kind),
        "media_type": kind,
        "bytes": len(content),
        "sha256": digest,
        "at": at,
        "removed_at": None,
    }
    w.insert("files", [row])
    told = ("case_id", "transaction_seq", "media_type", "bytes", "sha256")
    payload = {field: row[field] for field in told}
    w.event(EventDraft(author, "file.kept", f"file:{row['file_id']}", payload, {"name": row["name"]}), at)
    return row


@contextmanager
def none_left_unrecorded(ledger: Ledger, folder: Path, content: bytes) -> Iterator[None]:
    """Around the write that keeps these bytes: if that fails, they go again, unless another file needs them."""
    try:
        yield
    except BaseException:
        digest = sha256_hex(content)
        try:
            with ledger.held():  # nobody else is about to record the same bytes
                if not ledger.read(_NEEDED, [digest]):
                    _path(folder, digest).unlink(missing_ok=True)
        except Exception:  # what the caller must hear is why the write failed
            log.exception("a file that was not recorded may be left: %s", digest)
        raise


def of_payments(
    ledger: Ledger, seqs: Collection[int], reviewer: str, *, everyone: bool
) -> list[dict[str, Any]]:
    """Files on these payments that a person may see, the oldest first: their own, and those of others if `everyone`."""
    if not seqs:
        return []
    return ledger.read(
        f"SELECT {_SHOWN} FROM files WHERE list_contains(CAST(? AS BIGINT[]), transaction_seq) "
        'AND (? OR author = ?) ORDER BY "at", file_id',
        [sorted(seqs), everyone, reviewer],
    )


def of_task(ledger: Ledger, task: Task, reviewer: str, role: str) -> list[dict[str, Any]]:
    """Files that the reader of a task's page sees. A reviewer at work sees what he or she has added since the claim:
    an older file would tell that somebody, or he or she, has judged this payment before."""
    if role in REVIEWER_ROLES and task.status == CLAIMED:
        mine = of_payments(ledger, [task.transaction_seq], reviewer, everyone=False)
        return [file for file in mine if task.claimed_at and file["at"] >= task.claimed_at]
    everyone = blindness.others_verdicts_visible(ledger, reviewer, role, task.transaction_seq)
    return of_payments(ledger, [task.transaction_seq], reviewer, everyone=everyone)


def read(
    ledger: Ledger, folder: Path, file_id: str, reviewer: str, role: str
) -> tuple[dict[str, Any], bytes]:
    """A file's row and bytes. NotFoundError where there is none that this person may see, or retention took it;
    LedgerError if the bytes are no longer those of the record."""
    rows = ledger.read(f"SELECT {_SHOWN} FROM files WHERE file_id = ?", [file_id])
    mine = bool(rows) and rows[0]["author"] == reviewer
    if not rows or not (
        mine or blindness.others_verdicts_visible(ledger, reviewer, role, rows[0]["transaction_seq"])
    ):
        raise NotFoundError("there is no such file for you", where=file_id[:80])
    row = rows[0]
    if row["removed_at"] is not None:
        raise NotFoundError("this file was removed when its time was over", where=file_id)
    path = _path(folder, row["sha256"])
    content = path.read_bytes() if path.is_file() else b""
    if sha256_hex(content) != row["sha256"]:
        raise LedgerError(
            "the file is not what the record says", where=file_id, hint="Restore it from a backup."
        )
    return row, content


def expire(w: Writer, folder: Path, policy: Policy, at: datetime) -> int:
    """Remove files of cases closed long enough ago (without a case: kept long enough); how many.

    The row with its hash stays. Bytes that another file still needs stay too.
    """
    late = w.read(
        "SELECT f.file_id, f.sha256 FROM files f LEFT JOIN cases c ON c.case_id = f.case_id "
        "WHERE f.removed_at IS NULL AND coalesce(c.closed_at, CASE WHEN f.case_id = '' THEN f.\"at\" END) < ?",
        [at - policy.work.keep_files],
    )
    for row in late:
        w.execute("UPDATE files SET removed_at = ? WHERE file_id = ?", [at, row["file_id"]])
        w.event(EventDraft("policy", "file.removed", f"file:{row['file_id']}", {"sha256": row["sha256"]}), at)
    for digest in {row["sha256"] for row in late}:
        if not w.read(_NEEDED, [digest]):
            _path(folder, digest).unlink(missing_ok=True)
    return len(late)


def erase(w: Writer, folder: Path, seqs: Sequence[int], name: str, at: datetime) -> int:
    """Remove the files of these payments, and what they were called (`name` takes its place); how many."""
    among = "list_contains(CAST(? AS BIGINT[]), transaction_seq)"
    found = w.read(f"SELECT file_id, sha256 FROM files WHERE {among} AND name <> ?", [list(seqs), name])
    for row in found:
        w.execute(
            "UPDATE files SET name = ?, removed_at = coalesce(removed_at, ?) WHERE file_id = ?",
            [name, at, row["file_id"]],
        )
    for digest in {row["sha256"] for row in found}:
        if not w.read(_NEEDED, [digest]):
            _path(folder, digest).unlink(missing_ok=True)
    return len(found)


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


def not_on_record(ledger: Ledger, folder: Path) -> list[Path]:
    """Whole files that no record needs: a process died between storing one and its commit. Only for whoever knows
    that no file is being kept meanwhile."""
    needed = {row["sha256"] for row in ledger.read(_ALL_NEEDED)}
    there = (file for file in folder.glob("??/*") if _WHOLE.fullmatch(file.name))
    return sorted(file for file in there if file.name not in needed)


def _store(folder: Path, content: bytes) -> str:
    """The hash that the bytes lie under. DiskError, and nothing of them is left, if the disk does not take them."""
    digest = sha256_hex(content)
    path = _path(folder, digest)
    if not path.is_file():
        fresh = path.with_suffix(f".{secrets.token_hex(4)}.part")  # which a backup under way passes over
        with disk_errors(folder):
            try:
                _write_whole(fresh, content)
                fresh.replace(path)
                force_names(path.parent)
            except BaseException:
                with suppress(OSError):  # what must be heard is why it failed
                    fresh.unlink(missing_ok=True)
                raise
    return digest


def _write_whole(file: Path, content: bytes) -> None:
    """Write a file for its owner only, forced to disk."""
    make_folder(file.parent)
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    file.chmod(0o600)
