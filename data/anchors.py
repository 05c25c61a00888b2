"""Which heads of the chain are noted outside the workspace, so that a cut tail or an older copy is noticed?

One JSON line each time: the ledger's place, the last event's seq and hash, when, and a seal under the ledger's key.
The file lies beside the key. A copy of a workspace at another place is not held against what its original did later,
as long as the original is still there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from data.canonical import canonical_json, rfc3339
from data.errors import LedgerError
from data.sealing import Sealer


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
    """Add a line, forced to disk. LedgerError if the file cannot be written."""
    made = Anchor(str(ledger.resolve()), seq, head.hex(), rfc3339(at), starts)
    line = orjson.dumps({"anchor": orjson.Fragment(made.content()), "seal": sealer.of(made.content()).hex()})
    try:
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "ab") as out:
            out.write(line + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as problem:
        raise LedgerError(
            f"the head of the chain cannot be noted ({problem.strerror})", where=str(file)
        ) from problem
    return made


def noted(file: Path, sealer: Sealer) -> Iterator[Anchor]:
    """All lines that carry this key's seal, in order. A line cut short by a crash ends them; LedgerError for another
    line that does not carry it."""
    if not file.is_file():
        return
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            told = orjson.loads(line)
            found, seal = Anchor(**told["anchor"]), bytes.fromhex(told["seal"])
        except (ValueError, TypeError, KeyError) as problem:
            if number == len(lines):
                return
            raise LedgerError("this is no anchor", where=f"{file}:{number}") from problem
        if not sealer.fits(found.content(), seal):
            raise LedgerError("this anchor does not carry the key's seal", where=f"{file}:{number}")
        yield found


def held_against(anchors: Iterator[Anchor], ledger: Path) -> list[Anchor]:
    """The anchors that a ledger at this place must have: its own, and those of places that are gone.

    For a place that was put back from a backup, only what followed.
    """
    here = str(ledger.resolve())
    found: list[Anchor] = []
    for anchor in anchors:
        if anchor.ledger == here and anchor.starts:
            found = []
        if anchor.ledger == here or not Path(anchor.ledger).exists():
            found.append(anchor)
    return found
