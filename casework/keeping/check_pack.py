"""Does this evidence pack still say what the ledger said? Run inside the unpacked folder: python check_pack.py

Needs nothing but Python 3.8 or newer. Alone it shows that the pack is consistent in itself, which one that somebody
made anew from end to end is, too. With --key FILE (the ledger's key file) it also checks the seals that only the key's
holder could make. Without the key, compare the hashes of its events with those of a ledger that verifies: `secondlook
audit export FILE` writes them. That `head` in manifest.json is the ledger's says nothing about the events in the pack.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import hmac
import json
import pathlib
import struct
import sys
from collections.abc import Iterator
from typing import Any

ALONE = (
    "Everything in this pack fits together. Somebody who made all of it anew would hear the same: only --key KEYFILE,"
    " or the ledger's own hashes of these events, shows that nobody did."
)
SEALED = "Everything in this pack fits, and carries the ledger's seal."
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017  # older Pythons run this, too


def event_hash(event: dict[str, Any]) -> str:
    """SHA-256 over the length-prefixed parts of an event, as the ledger makes it."""
    at = datetime.datetime.fromisoformat(event["recorded_at"].replace("Z", "+00:00"))
    microseconds = (at - EPOCH) // datetime.timedelta(microseconds=1)
    parts = [bytes.fromhex(event["prev_hash"]), event["seq"].to_bytes(8, "big")]
    parts += [microseconds.to_bytes(8, "big", signed=True)]
    parts += [event[name].encode() for name in ("actor", "kind", "subject", "payload", "commitments")]
    framed = b"".join(struct.pack(">Q", len(part)) + part for part in parts)
    return hashlib.sha256(framed).hexdigest()


def problems(folder: pathlib.Path, key: bytes | None) -> Iterator[str]:
    """Every thing in the pack that does not fit, in sentences."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, digest in manifest["files"].items():
        file = folder / name
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            yield f"{name} is missing, or was changed"
    if key:
        content = json.dumps(manifest["files"], sort_keys=True, separators=(",", ":")).encode()
        if hmac.new(key, b"pack" + content, hashlib.sha256).hexdigest() != manifest["seal"]:
            yield "the list of files does not carry the ledger's seal"
    evidence = json.loads((folder / "evidence.json").read_bytes())
    yield from event_problems(evidence["events"], key)
    yield from content_problems(evidence)


def event_problems(events: list[dict[str, Any]], key: bytes | None) -> Iterator[str]:
    before: dict[str, Any] | None = None
    for event in events:
        if event_hash(event) != event["hash"]:
            yield f"event {event['seq']} does not have its hash"
        if before and event["seq"] == before["seq"] + 1 and event["prev_hash"] != before["hash"]:
            yield f"event {event['seq']} does not follow from event {before['seq']}"
        if key and event["seal"]:
            seal = hmac.new(key, bytes.fromhex(event["hash"]), hashlib.sha256).hexdigest()
            if seal != event["seal"]:
                yield f"event {event['seq']} does not carry the ledger's seal"
        before = event


def content_problems(evidence: dict[str, Any]) -> Iterator[str]:
    told: dict[Any, Any] = {}
    for event in evidence["events"]:
        told[event["seq"]] = json.loads(event["commitments"])
    for row in evidence["transactions"] + evidence.get("earlier", []):
        if hashlib.sha256(row["content"].encode()).hexdigest() != row["content_sha256"]:
            yield f"the content of payment {row['transaction_id']} does not have its hash"
        told[f"transaction:{row['seq']}"] = json.loads(row["commitments"])
    for row in evidence["personal"]:
        commitments = told.get(row["owner"], told.get(int(row["owner"].split(":")[1]), {}))
        made = hashlib.sha256(bytes.fromhex(row["salt"]) + row["value"].encode()).hexdigest()
        if commitments.get(row["field"]) != made:
            yield f"{row['field']} of {row['owner']} does not fit its commitment"
    for row in evidence["contents"]:
        if hashlib.sha256(row["content"].encode()).hexdigest() != row["sha256"]:
            yield f"{row['name']} does not have its hash"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", default=str(pathlib.Path(__file__).resolve().parent))
    parser.add_argument("--key", help="the ledger's key file")
    given = parser.parse_args()
    key = bytes.fromhex(json.loads(pathlib.Path(given.key).read_bytes())["key"]) if given.key else None
    found = list(problems(pathlib.Path(given.folder), key))
    for problem in found:
        print(problem)
    if not found:
        print(SEALED if key else ALONE)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
