"""Who outside has been told how far the chain had come, and does it still go through what they were told?

The head that is noted in a file beside the key goes by webhook, too, to the hosts that the policy names for it: a
receiver that keeps what it gets holds what nobody here can change. It needs no key to compare: the hash of an event
covers all before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from casework.outbox import messages
from data.errors import InputError
from data.integrity.anchors import Anchor
from data.ledger import Ledger

KIND = "chain.head"
MOST = 10_000
_HEX = 64


@dataclass(frozen=True, slots=True)
class Head:
    """A head of the chain as somebody outside kept it."""

    seq: int
    hash: str


def tell(ledger: Ledger, noted: Anchor, hosts: Collection[str], at: datetime) -> int:
    """Put a noted head into the outbox, once for each webhook on one of these hosts; how many messages. 0 where no
    event came since the last one."""
    if not hosts:
        return 0
    told = {"event_seq": noted.seq, "hash": noted.hash, "noted_at": noted.at}
    if ledger.sealer is not None:
        told |= {"key_id": ledger.sealer.key.key_id, "seal": ledger.sealer.of(noted.content()).hex()}
    message_id = f"head_{noted.seq}"
    if ledger.read("SELECT 1 AS ok FROM deliveries WHERE message_id = ? LIMIT 1", [message_id]):
        return 0
    with ledger.writing() as w:
        return messages.tell(w, KIND, message_id, told, at, hosts)


def read_kept(file: Path) -> list[Head]:
    """The heads in a file: one a line, as a webhook's body, as a line of the anchors' file, or {"event_seq", "hash"}.

    Bodies of other messages are passed over. InputError for a line that is none of these, and for too many.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as problem:
        raise InputError(f"the file cannot be read ({problem.strerror})", where=str(file)) from problem
    found = [head for n, line in enumerate(lines, 1) if line.strip() and (head := _head(line, f"{file}:{n}"))]
    if not found:
        raise InputError("no head of a chain is in this file", where=str(file), allowed=_ALLOWED)
    if len(found) > MOST:
        raise InputError("there are too many heads in this file", where=str(file), allowed=f"{MOST:,}")
    return sorted(set(found), key=lambda head: head.seq)


_ALLOWED = 'a line a head: {"event_seq": 7, "hash": "..."}, or the body of a chain.head message'


def _head(line: bytes, where: str) -> Head | None:
    try:
        told = orjson.loads(line)
        if "type" in told and told["type"] != KIND:
            return None
        told = told.get("data") or told.get("anchor") or told
        head = Head(int(told.get("event_seq") or told["seq"]), str(told["hash"]))
        bytes.fromhex(head.hash)
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise InputError("this is no head of a chain", where=where, allowed=_ALLOWED) from problem
    if head.seq < 1 or len(head.hash) != _HEX:
        raise InputError("this is no head of a chain", where=where, allowed=_ALLOWED)
    return head


def problems(kept: Sequence[Head], hash_of: Callable[[int], str | None]) -> Iterator[str]:
    """Kept heads that the chain does not go through, in sentences. `hash_of` says the hash of an event, None if there
    is no such event."""
    for head in kept:
        there = hash_of(head.seq)
        if there is None:
            yield f"event {head.seq}, kept outside, is missing: the tail was cut, or an older copy put in its place"
        elif there != head.hash.lower():
            yield f"event {head.seq} is not the one that was kept outside"


def hash_asked(ask: Callable[..., Any]) -> Callable[[int], str | None]:
    """`hash_of` over the API's list of events."""

    def hash_of(seq: int) -> str | None:
        found = ask("/v1/events", after=seq - 1, limit=1)["events"]
        return str(found[0]["hash"]) if found and found[0]["seq"] == seq else None

    return hash_of
