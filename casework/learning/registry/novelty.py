"""What tells a usual transaction from an unusual one before there is a model, and since when?"""

from __future__ import annotations

import json
import logging
from datetime import datetime

import pyarrow as pa

from casework.learning.registry import models
from data.canonical import sha256_hex
from data.errors import InputError, LedgerError
from data.events import EventDraft
from data.ledger import Ledger
from engine.features.batch import batch_features
from engine.features.feature_set import FeatureSet
from engine.model import cold_start
from engine.model.cold_start import ColdStart

log = logging.getLogger("secondlook.learning")

MOST_ROWS = 50_000
"""Of a long record the latest transactions say best what is usual now."""
LARGE = 1_000_000
"""Beyond this many rows, windows over all of them would take minutes and gigabytes before a server listens. Then
stretches, evenly spread over the latest so many, are worked out by themselves: five seconds each at ten million."""
STRETCHES, IN_A_STRETCH = 5, 2_000


def current(ledger: Ledger, features_text: bytes) -> ColdStart | None:
    """The latest fit to these features, or None where there is none."""
    rows = ledger.read(
        "SELECT novelty_id, content FROM novelty_fits WHERE features_sha256 = ? ORDER BY fitted_at DESC LIMIT 1",
        [sha256_hex(features_text)],
    )
    return _read(rows[0]["novelty_id"], rows[0]["content"]) if rows else None


def of_id(ledger: Ledger, novelty_id: str) -> ColdStart:
    """A fit by its id, for replaying what was decided with it. LedgerError if it is not on record as it was."""
    rows = ledger.read("SELECT content FROM novelty_fits WHERE novelty_id = ? LIMIT 1", [novelty_id])
    if not rows:
        raise LedgerError("this novelty fit is not on record", where=novelty_id)
    return _read(novelty_id, rows[0]["content"])


def _read(novelty_id: str, content: bytes) -> ColdStart:
    if "n_" + sha256_hex(content)[:12] != novelty_id:
        raise LedgerError("the novelty fit is not the one on record", where=novelty_id)
    return cold_start.from_stored(json.loads(content))


def keep_up(
    ledger: Ledger, features: FeatureSet, features_text: bytes, *, by: str, at: datetime
) -> ColdStart | None:
    """Fit anew where no model decides and the record has at least doubled since the last fit to these features.

    Returns the new fit, or None where there is nothing to do: a model decides, there are too few transactions, or
    nothing about them varies.
    """
    if models.champion_id(ledger):
        return None
    told = ledger.read("SELECT count(*) AS rows, max(seq) AS last FROM transactions")[0]
    sha = sha256_hex(features_text)
    before = ledger.read("SELECT max(last_seq) AS last FROM novelty_fits WHERE features_sha256 = ?", [sha])
    if told["rows"] < max(cold_start.FEWEST_ROWS, 2 * (before[0]["last"] or 0)):
        return None
    try:
        found = cold_start.fit(_latest(ledger, features, told["rows"], told["last"]), features)
    except InputError as nothing:
        log.info("novelty was not fitted: %s", nothing)
        return None
    row = {
        "novelty_id": found.novelty_id,
        "fitted_at": at,
        "fitted_by": by,
        "rows": found.rows,
        "last_seq": told["last"],
        "features_sha256": sha,
    }
    with ledger.writing() as w:
        w.insert("novelty_fits", [{**row, "content": found.to_bytes()}])
        w.event(EventDraft(by, "novelty.fitted", f"novelty:{found.novelty_id}", row), at)
    return found


def _latest(ledger: Ledger, features: FeatureSet, rows: int, last: int) -> pa.Table:
    """The latest transactions' features; of a large record's only some of the latest."""
    if rows <= LARGE:
        return batch_features(ledger, features, first_seq=max(1, last - MOST_ROWS + 1), last_seq=last)
    ends = range(last - (STRETCHES - 1) * (LARGE // STRETCHES), last + 1, LARGE // STRETCHES)
    return pa.concat_tables(
        batch_features(ledger, features, first_seq=end - IN_A_STRETCH + 1, last_seq=end) for end in ends
    )
