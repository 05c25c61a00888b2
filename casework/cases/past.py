"""What did this entity do before, as a reviewer sees it beside the payment?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from data.mapping import Mapping as Columns
from data.writer import Writer
from engine.decision import Decision

LONGEST_HISTORY = 20


def histories(
    w: Writer, columns: Columns, decisions: Sequence[Decision], at: datetime
) -> dict[int, list[dict[str, Any]]]:
    """Earlier transactions of each decision's first entity, newest first, by the decision's seq. One query."""
    if not columns.entities:
        return {}
    entity = next(iter(columns.entities))
    asked = [(d.transaction.seq, d.transaction.entities.get(entity)) for d in decisions]
    values = sorted({value for _, value in asked if value is not None})
    # The entity's name is one of the mapping's, checked there.
    rows = w.read(
        f"SELECT *, EXISTS (FROM outcomes o WHERE o.transaction_seq = t.seq AND o.is_fraud "
        f"AND o.known_at <= ?) AS known_fraud "
        f'FROM transactions t WHERE list_contains(?, t."{entity}") '
        f'QUALIFY row_number() OVER (PARTITION BY t."{entity}" ORDER BY t.seq DESC) <= ? ORDER BY t.seq DESC',
        [at, values, LONGEST_HISTORY + len(decisions)],
    )
    by_value: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_value.setdefault(row[entity], []).append(_shown(row, columns))
    return {
        seq: [row for row in by_value.get(value or "", []) if row["seq"] < seq][:LONGEST_HISTORY]
        for seq, value in asked
    }


def _shown(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    base = ("seq", "transaction_id", "occurred_at", "amount_minor", "currency", "known_fraud")
    return {
        **{name: row[name] for name in base},
        "entities": {name: row[name] for name in columns.entities},
        "attributes": {name: row[name] for name in columns.attributes},
    }
