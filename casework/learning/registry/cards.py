"""Which files describe a model to whoever signs it off, and are they still what training wrote?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casework.learning.registry import models
from data.canonical import sha256_hex
from data.errors import NotFoundError
from data.ledger import Ledger
from engine.model import registry

MEDIA_TYPES: Mapping[str, str] = {
    "card.json": "application/json",
    "card.html": "text/html; charset=utf-8",
    "beeswarm.png": "image/png",
    "calibration.png": "image/png",
    "dependence.png": "image/png",
}
"""The files of a model's card; nothing else of its folder is given out."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of the card, for the ledger to keep."""
    there = [name for name in MEDIA_TYPES if (folder / name).is_file()]
    return {name: sha256_hex((folder / name).read_bytes()) for name in there}


def read(ledger: Ledger, folder: Path, model_id: str, name: str) -> bytes:
    """One file of the card of a model that is on record, from the folder of all models.

    NotFoundError for a model or file that is not; ModelAlteredError where the model's manifest or the file is not what
    the ledger holds the digest of.
    """
    record = models.one(ledger, model_id)
    expected = record["card_files"].get(name)
    path = folder / model_id / name
    if name not in MEDIA_TYPES or expected is None or not path.is_file():
        raise NotFoundError(f"this model has no {name[:40]!r} on record", where=model_id)
    registry.load(folder / model_id, manifest_sha256=record["files_sha256"])
    content = path.read_bytes()
    if sha256_hex(content) != expected:
        raise registry.ModelAlteredError(
            "this file is not the one on record, so it is not shown",
            where=f"{model_id}/{name}",
            hint=registry.HINT,
        )
    return content


def with_payments(ledger: Ledger, model: Mapping[str, Any]) -> dict[str, Any]:
    """A model's row with its flips named: each gets the transaction_id, the amount in minor units, and the outcome the
    engine answered (None for a payment that came as history)."""
    flips = model["record"].get("flips") or []
    seqs = [flip["seq"] for flip in flips]
    rows = ledger.read(
        "SELECT t.seq, t.transaction_id, t.amount_minor, d.outcome FROM transactions t "
        "LEFT JOIN decisions d ON d.transaction_seq = t.seq WHERE list_contains(CAST(? AS BIGINT[]), t.seq)",
        [seqs],
    )
    named = {row["seq"]: row for row in rows}
    return {**model, "record": {**model["record"], "flips": [{**named[f["seq"]], **f} for f in flips]}}
