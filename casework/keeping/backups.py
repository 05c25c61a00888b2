"""How is a workspace copied whole while it is served, and put back, so that nothing in it can have been changed?

A backup is a folder: the ledger's file and everything beside it, and a manifest with the hash of each file and the
chain's head, under the ledger's key. The key itself is not in it: keep a copy of the keyring elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from casework.workspace import MAPPING_FILE, Workspace
from data.canonical import canonical_json, rfc3339, sha256_hex
from data.errors import ConflictError, InputError, LedgerError
from data.events import EventDraft
from data.integrity import chain, seal_checks
from data.ledger import Ledger
from data.storage.copying import copy_ledger
from data.storage.disk import disk_errors
from data.storage.durable import force_all, force_names, make_folder

if TYPE_CHECKING:
    from casework.app import App

MANIFEST = "manifest.json"
KEPT = 14
_FOLDERS = ("rules", "models", "snapshots", "files")
_FILES = (MAPPING_FILE, "secret.key", "demo-summary.json")
_UNFINISHED = shutil.ignore_patterns("*.unfinished", "*.part")  # they get their names any moment
JSON = dict[str, Any]


def make(app: App, folder: Path, by: str, reason: str, *, keep: int = 0) -> JSON:
    """Copy the workspace into a new folder under `folder` while it is served; what was made.

    {backup, event_seq, hash, files, bytes, made_at}. With `keep`, all but that many of this ledger's newest backups
    there are removed. ConflictError if there is one of this moment already; DiskError, and nothing is left, if the
    disk does not take it.
    """
    at, folder = app.clock(), folder.resolve()  # the record must name it wherever a server is started
    target = folder / f"secondlook-{at:%Y%m%dT%H%M%S}Z"
    if target.exists():
        raise ConflictError("there is a backup of this moment already", where=str(target))
    half = folder / f".{target.name}.{_mark(app)}.{secrets.token_hex(4)}.part"
    try:
        with disk_errors(target):
            make_folder(half)
            head = copy_ledger(app.ledger, half)
            _copy_rest(app.workspace, half)
            told: JSON = {
                "event_seq": head.seq,
                "hash": head.hash.hex(),
                "made_at": rfc3339(at),
                "key_id": _key_id(app.ledger),
            }
            told |= {"files": {name: _hash_of(half / name) for name in _names(half)}}
            text = canonical_json(told)
            seal = app.ledger.sealer.of(text).hex() if app.ledger.sealer else ""
            (half / MANIFEST).write_bytes(orjson.dumps({"manifest": orjson.Fragment(text), "seal": seal}))
            force_all(half)
            half.rename(target)
            force_names(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    made: JSON = {
        "backup": target.name,
        "folder": str(folder),
        "event_seq": head.seq,
        "hash": head.hash.hex(),
    }
    made |= {"files": len(told["files"]), "bytes": size, "made_at": at}
    try:
        with app.ledger.writing() as w:
            w.event(EventDraft(by, "backup.made", f"backup:{target.name}", {**made, "reason": reason}), at)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)  # of one that is not on record no erasure could tell
        raise
    if keep:
        _remove_old(folder, keep, _key_id(app.ledger))
    return made


def table(ledger: Ledger, limit: int | None = 50) -> list[JSON]:
    """Backups on record, the newest first; None for all."""
    rows = ledger.read(
        "SELECT actor, payload FROM events WHERE kind = 'backup.made' ORDER BY seq DESC LIMIT ?", [limit]
    )
    return [{**orjson.loads(row["payload"]), "by": row["actor"]} for row in rows]


def half_made(app: App) -> list[Path]:
    """Copies of this workspace that have not got their names, wherever it was backed up to; no others' in the same
    folders."""
    folders = {app.workspace.backups, *(Path(row["folder"]) for row in table(app.ledger, None))}
    return [half for folder in sorted(folders) for half in folder.glob(f".secondlook-*.{_mark(app)}.*.part")]


def _mark(app: App) -> str:
    """What tells the workspace from others in a folder of backups, copies of itself included."""
    return sha256_hex(app.key + str(app.workspace.root.resolve()).encode())[:16]


def still_there(app: App) -> list[str]:
    """The names of all backups that lie where they were made, or where backups go now; the newest first."""
    now, rows = app.workspace.backups, table(app.ledger, None)
    found = (row for row in rows if any(_is_there(at / row["backup"]) for at in (Path(row["folder"]), now)))
    return list(dict.fromkeys(row["backup"] for row in found))


def _is_there(backup: Path) -> bool:
    try:
        return stat.S_ISDIR(backup.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it cannot be looked at, so nobody knows that it is gone
        return True


def restore(backup: Path, root: Path, *, by: str, at: datetime) -> JSON:
    """Make a workspace of a backup in `root` (new or empty), verify all of it, and record that it was put back.

    InputError if this is no whole backup, LedgerError if a file or the record differs from the manifest, DiskError if
    the disk does not take it; nothing is left in `root` then. Until all is verified a mark in it keeps everybody from
    opening it: what a restore that was killed leaves is no workspace.
    """
    manifest = _manifest(backup)
    if root.exists() and any(root.iterdir()):
        raise ConflictError(
            "this directory is not empty", where=str(root), hint="Choose a new one; nothing was written."
        )
    _check_files(backup, manifest["manifest"]["files"])
    workspace = Workspace(root)
    try:
        with disk_errors(root):
            make_folder(root)
            workspace.restore_file.touch()
            shutil.copytree(backup, root, dirs_exist_ok=True)
            (root / MANIFEST).unlink()  # of the backup; models and snapshots have manifests of their own
            for name in ("models", "snapshots", "rules"):
                (root / name).mkdir(exist_ok=True)
            with Ledger.open(workspace.whole().ledger_file) as ledger:
                done = _taken_over(ledger, manifest, str(backup.resolve()), by, at)
            force_all(root)
            workspace.restore_file.unlink()
            force_names(root)
    except BaseException:
        _take_away(workspace)
        raise
    return done


def _take_away(workspace: Workspace) -> None:
    """Remove what a restore has made, its mark last: whatever ends this on the way, nobody opens what is left."""
    for each in workspace.root.glob("*"):
        if each != workspace.restore_file:
            shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
    shutil.rmtree(workspace.root, ignore_errors=True)


def _taken_over(ledger: Ledger, manifest: JSON, source: str, by: str, at: datetime) -> JSON:
    told, head = manifest["manifest"], ledger.last_event
    if ledger.sealer is not None and not ledger.sealer.fits(
        canonical_json(told), bytes.fromhex(manifest["seal"])
    ):
        raise LedgerError("the manifest does not carry the ledger's seal", where=source)
    # Copies of an earlier version, made under load, hold more than the event their manifest names; that the file is the
    # one that was copied is told by its hash in the manifest.
    there = ledger.read("SELECT hash FROM events WHERE seq = ?", [told["event_seq"]])
    if [row["hash"].hex() for row in there] != [told["hash"]]:
        raise LedgerError(
            f"the ledger ends at event {head.seq} and does not hold event {told['event_seq']} as the manifest says",
            where=source,
        )
    # From here on this place has a line of its own; the events of the original after the backup are not in it.
    seal_checks.note_head(ledger, at, starts=True)
    report = chain.verify(ledger)
    if not report.ok:
        raise LedgerError(report.problem, where=f"{source}: event {report.first_bad_seq}")
    payload = {"backup": source, "event_seq": head.seq, "hash": head.hash.hex(), "made_at": told["made_at"]}
    with ledger.writing() as w:
        w.event(EventDraft(by, "ledger.restored", "ledger", payload), at)
    return {"events": report.events, "transactions": report.transactions, **payload}


def _manifest(backup: Path) -> JSON:
    hint = "A backup is a folder that `secondlook backup` made."
    try:
        found = orjson.loads((backup / MANIFEST).read_bytes())
        dict(found["manifest"]["files"]), found["seal"], found["manifest"]["event_seq"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError("this is no whole backup", where=str(backup), hint=hint) from problem
    return dict(found)


def _check_files(backup: Path, files: dict[str, str]) -> None:
    there = {str(name) for name in _names(backup) if str(name) != MANIFEST}
    for name in sorted(there ^ files.keys()):
        what = "is missing from" if name in files else "does not belong to"
        raise LedgerError(f"{name} {what} this backup", where=str(backup), hint="Use another backup.")
    for name, digest in files.items():
        if _hash_of(backup / name) != digest:
            raise LedgerError(
                f"{name} is not what was backed up", where=str(backup), hint="Use another backup."
            )


def _copy_rest(workspace: Workspace, into: Path) -> None:
    for name in _FILES:
        with suppress(FileNotFoundError):
            shutil.copy2(workspace.root / name, into / name)
    for name in _FOLDERS:
        if (workspace.root / name).is_dir():
            shutil.copytree(workspace.root / name, into / name, ignore=_UNFINISHED)


def _names(folder: Path) -> Iterator[str]:
    return (str(file.relative_to(folder)) for file in sorted(folder.rglob("*")) if file.is_file())


def _hash_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _key_id(ledger: Ledger) -> str:
    return ledger.sealer.key.key_id if ledger.sealer else ""


def _remove_old(folder: Path, keep: int, key_id: str) -> None:
    """Of the backups under this ledger's key: those of another workspace may lie in the same folder."""
    whole = sorted(found.parent for found in folder.glob(f"secondlook-*Z/{MANIFEST}"))
    own = [backup for backup in whole if _key_of(backup) == key_id]
    for old in own[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def _key_of(backup: Path) -> str | None:
    """The key a backup was made under, None for one that is not whole and is left alone."""
    try:
        return str(_manifest(backup)["manifest"].get("key_id", ""))
    except InputError:
        return None
