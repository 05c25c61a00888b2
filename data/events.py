"""What is one entry of the hash-chained record, and how is its hash made?"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

GENESIS = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = struct.Struct(">Q").pack


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A change about to be recorded.

    `kind` is dotted and past tense (`case.opened`); `subject` names the thing that changed (`case:...`);
    `payload` is data, or its canonical JSON where that is made already; `personal` is stored apart and enters the
    chain as commitments.
    """

    actor: str
    kind: str
    subject: str
    payload: Mapping[str, Any] | bytes = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded change. `payload` and `commitments` are the stored canonical JSON bytes; `seal` is None where the
    ledger had no key yet."""

    seq: int
    recorded_at: datetime
    actor: str
    kind: str
    subject: str
    payload: bytes
    commitments: bytes
    prev_hash: bytes
    hash: bytes
    seal: bytes | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The payload, parsed."""
        return orjson.loads(self.payload)

    def computed_hash(self) -> bytes:
        """What `hash` has to be for this content and predecessor."""
        return event_hash(
            self.prev_hash,
            self.seq,
            microseconds(self.recorded_at),
            (self.actor.encode(), self.kind.encode(), self.subject.encode(), self.payload, self.commitments),
        )


def event_hash(prev_hash: bytes, seq: int, recorded_us: int, texts: tuple[bytes, ...]) -> bytes:
    """The hash of an event, 32 bytes.

    SHA-256 over prev_hash, seq, recorded_at (microseconds since 1970 UTC) and the texts actor, kind, subject,
    payload and commitments, each prefixed with its length in 8 bytes: no two contents share an encoding.
    """
    parts = (prev_hash, seq.to_bytes(8, "big"), recorded_us.to_bytes(8, "big", signed=True), *texts)
    return hashlib.sha256(
        b"".join([piece for part in parts for piece in (_LENGTH(len(part)), part)])
    ).digest()


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC, exact. ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a time zone")
    return (at - EPOCH) // _MICROSECOND
