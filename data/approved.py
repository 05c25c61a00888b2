"""Which rules, features, policy and lists are in force, who approved them, and which files merely propose?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from data.canonical import canonical_json, sha256_hex
from data.errors import InputError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

SUFFIXES = frozenset((".yaml", ".yml", ".md", ".json"))


@dataclass(frozen=True, slots=True)
class ApprovedSet:
    """A content-addressed set of files. `files` maps a path relative to the rules folder to its bytes."""

    set_id: str
    files: Mapping[str, bytes]
    approved_by: str
    approved_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that differs from the approved set. `change` is added, changed or removed."""

    path: str
    change: str


def set_id_of(files: Mapping[str, bytes]) -> str:
    """The name of a set: `set_` and 16 hexadecimal digits of the hash over its sorted path:hash lines."""
    lines = "\n".join(f"{path}:{sha256_hex(content)}" for path, content in sorted(files.items()))
    return f"set_{sha256_hex(lines.encode())[:16]}"


def approve(writer: Writer, files: Mapping[str, bytes], by: str, reason: str, at: datetime) -> str:
    """Put a whole set in force and record who did it and why; returns its set_id.

    InputError for an empty set. Approving an earlier set again is how one goes back.
    """
    if not files:
        raise InputError("an approved set needs at least one file", where="approval")
    hashes = keep(writer, files, at)
    set_id = set_id_of(files)
    payload = {"set_id": set_id, "files": hashes, "reason": reason}
    event_seq = writer.event(EventDraft(by, "set.approved", f"set:{set_id}", payload), at)
    row = {
        "set_id": set_id,
        "files": canonical_json(hashes).decode(),
        "approved_by": by,
        "approved_at": at,
        "reason": reason,
        "event_seq": event_seq,
    }
    writer.insert("approved_sets", [row])
    return set_id


def keep(writer: Writer, files: Mapping[str, bytes], at: datetime) -> dict[str, str]:
    """Store contents by their hash, without putting anything in force; returns the hash of each path."""
    hashes = {path: sha256_hex(content) for path, content in files.items()}
    _keep_artefacts(writer, files, hashes, at)
    return hashes


def contents(ledger: Ledger, hashes: Iterable[str]) -> dict[str, bytes]:
    """Stored contents by hash; a hash that was never stored is left out."""
    sql = "SELECT sha256, content FROM artefacts WHERE list_contains(?, sha256)"
    return {found["sha256"]: found["content"] for found in ledger.read(sql, [list(hashes)])}


def current(ledger: Ledger) -> ApprovedSet:
    """The set in force: the one approved last. NotFoundError where nothing was ever approved."""
    rows = ledger.read("SELECT * FROM approved_sets ORDER BY event_seq DESC LIMIT 1")
    if not rows:
        raise NotFoundError("nothing has been approved yet", where="approved set", hint="Approve the drafts.")
    return _assemble(ledger, rows[0])


def load(ledger: Ledger, set_id: str) -> ApprovedSet:
    """A set by its id, as last approved. NotFoundError for an unknown id."""
    rows = ledger.read(
        "SELECT * FROM approved_sets WHERE set_id = ? ORDER BY event_seq DESC LIMIT 1", [set_id]
    )
    if not rows:
        raise NotFoundError("there is no approved set of that id", where=set_id)
    return _assemble(ledger, rows[0])


def history(ledger: Ledger) -> list[dict[str, Any]]:
    """Every approval, newest first: set_id, approved_by, approved_at, reason, event_seq."""
    columns = "set_id, approved_by, approved_at, reason, event_seq"
    return ledger.read(f"SELECT {columns} FROM approved_sets ORDER BY event_seq DESC")


def read_folder(folder: Path) -> dict[str, bytes]:
    """The proposals in a rules folder: every YAML, JSON and Markdown file by its relative path."""
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES and path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def drafts(ledger: Ledger, folder: Path) -> list[Draft]:
    """The files in `folder` that differ from the set in force, by path."""
    proposed, approved = read_folder(folder), current(ledger).files
    found = [Draft(path, "removed") for path in approved if path not in proposed]
    for path, content in proposed.items():
        if path not in approved:
            found.append(Draft(path, "added"))
        elif approved[path] != content:
            found.append(Draft(path, "changed"))
    return sorted(found, key=lambda draft: draft.path)


def _keep_artefacts(
    writer: Writer, files: Mapping[str, bytes], hashes: Mapping[str, str], at: datetime
) -> None:
    known = {row["sha256"] for row in writer.read("SELECT sha256 FROM artefacts")}
    fresh: dict[str, dict[str, Any]] = {}
    for path, sha256 in hashes.items():
        if sha256 not in known:
            fresh[sha256] = {"sha256": sha256, "path": path, "content": files[path], "first_seen_at": at}
    writer.insert("artefacts", list(fresh.values()))


def _assemble(ledger: Ledger, row: Mapping[str, Any]) -> ApprovedSet:
    hashes: dict[str, str] = orjson.loads(row["files"])
    held = contents(ledger, hashes.values())
    files = {path: held[sha256] for path, sha256 in hashes.items()}
    return ApprovedSet(row["set_id"], files, row["approved_by"], row["approved_at"], row["reason"])
