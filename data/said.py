"""What did people write with an event, kept apart from it so that it can be erased?

The event holds a salted commitment, the words lie in `personal_values`. What stood in clear in events of earlier
versions still does: whoever shows an event's reason looks into its payload first, and here for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

ERASED = "(erased)"
"""What stands in the place of words that were erased."""
REASONS = frozenset({"reason", "reason_detail", "answer", "typology", "reason_code"})
"""Why people did something: what is told wherever the event is. Notes and the like are shown in places of their own."""


class Source(Protocol):
    """A ledger, a view of one or an open write."""

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]: ...


def reasons(source: Source, events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The reasons that people gave with each of these events ({seq, commitments}), by field: `(erased)` for those that
    are no more, and nothing for an event that commits to none."""
    committed = [REASONS & orjson.loads(event["commitments"]).keys() for event in events]
    owners = [f"event:{event['seq']}" for event, fields in zip(events, committed, strict=True) if fields]
    rows = (
        source.read(
            "SELECT owner, field, value FROM personal_values WHERE owner IN (SELECT unnest(CAST(? AS VARCHAR[])))",
            [owners],
        )
        if owners
        else []
    )
    kept = {(row["owner"], row["field"]): str(row["value"]) for row in rows}
    return [
        {field: kept.get((f"event:{event['seq']}", field), ERASED) for field in sorted(fields)}
        for event, fields in zip(events, committed, strict=True)
    ]
