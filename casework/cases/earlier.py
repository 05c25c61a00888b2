"""Which earlier payments stand beside one under review, and what is a reviewer told of them?

A dossier names them by seq: a payment on record never changes and is sealed in the chain, so naming it says as much as
a copy, and opening a case does not wait until DuckDB has found rows of a long history. Which of them were known to be
fraud does change, and is written down with the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from data.canonical import canonical_json, rfc3339
from data.ledger import Ledger
from data.storage.rows import aware
from data.storage.schema import Field
from data.writer import Writer

JSON = dict[str, Any]
_FACTS = ("transaction_id", "amount_minor")


@dataclass(frozen=True, slots=True)
class Earlier:
    """Seqs of an entity's earlier payments, newest first, which of them were known to be fraud by then, and the
    attributes that are shown of them."""

    entity: str = ""
    seqs: Sequence[int] = ()
    frauds: Sequence[int] = ()
    attributes: Sequence[str] = ()


def named(earlier: Earlier, protected: str) -> JSON:
    """What a dossier keeps. `protected` names the attribute that no reviewer sees."""
    return {
        "entity": earlier.entity,
        "seqs": list(earlier.seqs),
        "frauds": list(earlier.frauds),
        "attributes": [name for name in earlier.attributes if name != protected],
    }


def laid_out(source: Ledger | Writer, kept: Mapping[str, Any], of: Mapping[str, Any]) -> list[JSON]:
    """The payments that a dossier of the transaction `of` names: facts, never what engine or people made of them."""
    return laid_out_all(source, [(kept, of)])[0]


def laid_out_all(
    source: Ledger | Writer, named_of: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> list[list[JSON]]:
    """The same for several dossiers, (what is named, of which transaction): DuckDB takes about as long to find the
    payments of one as those of all, so they are read at once."""
    seqs = sorted({seq for kept, _ in named_of for seq in kept["seqs"]})
    if not seqs:
        return [[] for _ in named_of]
    told = {name for kept, _ in named_of for name in kept["attributes"]}
    fields = [f for f in source.fields if f.role == "entity" or (f.role == "attribute" and f.name in told)]
    columns = "".join(f', "{field.name}"' for field in fields)
    # As a list of constants, all rows would be joined with it and then chosen from.
    rows = source.read(
        f"SELECT seq, occurred_at, transaction_id, amount_minor{columns} FROM transactions "
        "WHERE seq IN (SELECT unnest(CAST(? AS BIGINT[])))",
        [seqs],
    )
    known = {row["seq"]: row for row in rows}
    return [_facts(known, fields, kept, of) for kept, of in named_of]


def _facts(
    known: Mapping[int, Mapping[str, Any]],
    fields: Sequence[Field],
    kept: Mapping[str, Any],
    of: Mapping[str, Any],
) -> list[JSON]:
    """What one dossier tells of the payments it names, newest first."""
    entities = [field.name for field in fields if field.role == "entity"]
    attributes = [f.name for f in fields if f.role == "attribute" and f.name in kept["attributes"]]
    rows = [known[seq] for seq in sorted(kept["seqs"], reverse=True) if seq in known]
    shown = [
        {
            **{name: row[name] for name in _FACTS},
            "currency": of["currency"],  # the base currency, as its amount
            "occurred_at": rfc3339(aware(row["occurred_at"])),
            "entities": {name: row[name] for name in entities},
            "attributes": {name: row[name] for name in attributes},
            "known_fraud": row["seq"] in kept["frauds"],
        }
        for row in rows
        # Seqs are found by a hash of the value, which another may have too.
        if row[kept["entity"]] == of["entities"].get(kept["entity"])
    ]
    # In the order of a stored copy's: that of its names would tell a payment shown again from a new one.
    found: list[JSON] = orjson.loads(canonical_json(shown))
    return found
