"""Which heads of the chain are noted outside the workspace, so that a cut tail or an older copy is noticed?

One JSON line each time: the ledger's place, the last event's seq and hash, when, and a seal under the ledger's key.
A place that is reached through a link has a second line, under that name, since the link may lead elsewhere later. A
line that a full disk or a crash cut short is no note, and is told of. The file lies beside the key. A copy of a
workspace at another place is not held against what its original did later, as long as the original is still there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from data.canonical import canonical_json, rfc3339
from data.errors import LedgerError
from data.integrity.keyring import is_among, places
from data.integrity.sealing import Sealer
from data.storage.durable import force_names

_START = b'{"anchor":{'
_END = b'"}'


@dataclass(frozen=True, slots=True)
class Anchor:
    """The chain's head at a moment; `starts` marks the first one of a workspace put back from a backup."""

    ledger: str
    seq: int
    hash: str
    at: str
    starts: bool = False

    def content(self) -> bytes:
        told = {
            "ledger": self.ledger,
            "seq": self.seq,
            "hash": self.hash,
            "at": self.at,
            "starts": self.starts,
        }
        return canonical_json(told)


def note(
    file: Path, ledger: Path, seq: int, head: bytes, sealer: Sealer, at: datetime, *, starts: bool = False
) -> Anchor:
    """Add a line for each name the ledger has, forced to disk. LedgerError if the file cannot be written."""
    made = [Anchor(place, seq, head.hex(), rfc3339(at), starts) for place in places(ledger)]
    lines = b"\n".join(_line(anchor, sealer) for anchor in made)
    try:
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            with suppress(OSError):  # not every share has locks
                fcntl.flock(handle, fcntl.LOCK_EX)  # a copy of the workspace notes its heads here, too
            _append(handle, lines + b"\n")
            force_names(file.parent)
        finally:
            os.close(handle)
    except OSError as problem:
        raise LedgerError(
            f"the head of the chain cannot be noted ({problem.strerror})", where=str(file)
        ) from problem
    return made[0]


def _line(anchor: Anchor, sealer: Sealer) -> bytes:
    content = anchor.content()
    return orjson.dumps({"anchor": orjson.Fragment(content), "seal": sealer.of(content).hex()})


def _append(handle: int, line: bytes) -> None:
    """All of it, as a line of its own, on disk; or nothing, where the file may be cut again."""
    before = os.fstat(handle).st_size
    if before and os.pread(handle, 1, before - 1) != b"\n":
        line = b"\n" + line
    try:
        while line:
            line = line[os.write(handle, line) :]
        os.fsync(handle)
    except BaseException:
        with suppress(
            OSError
        ):  # some shares only let files grow; then the next note begins a line of its own
            os.ftruncate(handle, before)
        raise


@dataclass(frozen=True, slots=True)
class Noted:
    """The notes in a file, in order, and how many more were cut short when they were written."""

    anchors: Sequence[Anchor]
    cut_short: int = 0


def noted(file: Path, sealer: Sealer) -> Noted:
    """All lines that carry this key's seal. LedgerError for a line that does not carry it, or is something else.

    Only the beginning of a note is passed over, and counted: what a full disk or a crash leaves of one.
    """
    found: list[Anchor] = []
    cut_short = 0
    for number, line in enumerate(file.read_bytes().split(b"\n") if file.is_file() else (), 1):
        for piece in _pieces(line):
            if _is_cut_short(piece):
                cut_short += 1
            else:
                found.append(_read(piece, sealer, f"{file}:{number}"))
    return Noted(found, cut_short)


def _pieces(line: bytes) -> Iterator[bytes]:
    """A line apart before each note in it: earlier versions went on in a line that had been cut short. No value in a
    note looks like the beginning of one, since JSON puts a backslash before the quotes in it."""
    first, *more = line.split(_START)
    yield from (piece for piece in (first, *(_START + rest for rest in more)) if piece)


def _is_cut_short(piece: bytes) -> bool:
    """Whether this is the beginning of a note and no more; a power cut may leave zeros in place of the rest."""
    there = piece.rstrip(b"\0")
    return _START.startswith(there) or (there.startswith(_START) and not there.endswith(_END))


def _read(piece: bytes, sealer: Sealer, where: str) -> Anchor:
    try:
        told = orjson.loads(piece)
        found, seal = Anchor(**told["anchor"]), bytes.fromhex(told["seal"])
    except (ValueError, TypeError, KeyError) as problem:
        raise LedgerError("this is no anchor", where=where) from problem
    if not sealer.fits(found.content(), seal):
        raise LedgerError("this anchor does not carry the key's seal", where=where)
    return found


def held_against(anchors: Iterable[Anchor], ledger: Path) -> list[Anchor]:
    """The anchors that a ledger at this place must have: its own, and those of places that are gone.

    A place is the same where both names lead to one file now, or where one of the names is the same: a link that leads
    to another copy is held to what was noted through it. For a place that was put back from a backup, only what
    followed.
    """
    noted, here = list(anchors), places(ledger)
    own = {name: is_among(here, name) for name in {anchor.ledger for anchor in noted}}
    gone = {name for name, is_own in own.items() if not is_own and not Path(name).exists()}
    found: list[Anchor] = []
    for anchor in noted:
        if own[anchor.ledger] and anchor.starts:
            found = []
        if own[anchor.ledger] or anchor.ledger in gone:
            found.append(anchor)
    return found
