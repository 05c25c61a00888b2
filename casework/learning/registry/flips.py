"""Which payments would champion and challenger decide differently, and has the person who signs looked at them?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from data.errors import ConflictError, NotFoundError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer


def open_one(w: Writer, model_id: str, seq: int, *, by: str, at: datetime) -> None:
    """Put on record that this person opened a flip of this model. NotFoundError if it is none; once is enough."""
    rows = w.read("SELECT manifest FROM models WHERE model_id = ?", [model_id])
    record = json.loads(rows[0]["manifest"])["record"] if rows else {}
    if seq not in {flip["seq"] for flip in record.get("flips") or []}:
        raise NotFoundError("this payment is not in the sample of flips", where=f"{model_id}/{seq}")
    if seq in opened(w, model_id, by):
        return
    w.insert("flip_views", [{"model_id": model_id, "transaction_seq": seq, "seen_by": by, "seen_at": at}])
    w.event(EventDraft(by, "model.flip_opened", f"model:{model_id}", {"transaction_seq": seq}), at)


def opened(source: Ledger | Writer, model_id: str, by: str) -> set[int]:
    """The flips of a model that this person has opened, by seq."""
    rows = source.read(
        "SELECT transaction_seq AS seq FROM flip_views WHERE model_id = ? AND seen_by = ?", [model_id, by]
    )
    return {row["seq"] for row in rows}


def views(source: Ledger, model_id: str) -> list[dict[str, Any]]:
    """Who opened how many of a model's flips, and when last."""
    return source.read(
        "SELECT seen_by, count(*) AS flips, max(seen_at) AS last_at FROM flip_views WHERE model_id = ? "
        "GROUP BY seen_by ORDER BY seen_by",
        [model_id],
    )


def check_opened(
    source: Writer, model_id: str, flips: Sequence[Mapping[str, Any]], by: str, least: int
) -> None:
    """ConflictError unless this person has opened `least` of these flips, or all where there are fewer."""
    needed = min(least, len(flips))
    seen = len(opened(source, model_id, by) & {flip["seq"] for flip in flips})
    if seen < needed:
        raise ConflictError(
            f"you have opened {seen} of the {len(flips)} flips in the sample; "
            f"a sign-off needs a look at {needed}",
            where=model_id,
            hint="Open them on the Models page: they are the payments that would be decided differently.",
        )
