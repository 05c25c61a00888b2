"""What do two snapshots believe differently of the same transactions, and what made the later one change its mind?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from casework.learning.labels import snapshot
from casework.workspace import Workspace
from data.canonical import rfc3339
from data.errors import InputError, NotFoundError
from data.ledger import Ledger
from engine.policy import Policy

JSON = dict[str, Any]
NOW = "now"
SHOWN = 20
"""Transactions of each kind of change that are listed one by one; all are counted."""
KINDS = ("added", "removed", "turned", "other_source", "other_weight")
_WORDS = {
    "added": "new",
    "removed": "gone",
    "turned": "turned to the opposite",
    "other_source": "from another source",
    "other_weight": "of another weight",
}


@dataclass(frozen=True)
class Believed:
    """Labels as of a moment: a snapshot's, or what one taken now would hold."""

    name: str
    as_of: datetime
    labels: pa.Table


def snapshots(workspace: Workspace) -> list[snapshot.LabelledSnapshot]:
    """Every labelled snapshot of a workspace, oldest first; one that was cut off half-way is left out."""
    whole = [path.parent for path in workspace.snapshots.glob(f"*/{snapshot.MANIFEST}")]
    found = [snapshot.load(folder) for folder in whole if folder.name != snapshot.PARTITIONS]
    return sorted(found, key=lambda each: (each.as_of, each.name))


def chosen(
    ledger: Ledger, workspace: Workspace, policy: Policy, before: str, after: str, at: datetime
) -> tuple[Believed, Believed]:
    """The two to compare, by name. Without names: the last snapshot and what is believed now.

    NotFoundError for an unknown name, InputError where there is no snapshot yet.
    """
    known = {each.name: each for each in snapshots(workspace)}
    if not known:
        raise InputError(
            "there is no snapshot yet", where="snapshots", hint="One is taken with every retrain."
        )
    return (
        _one(ledger, policy, known, before or list(known)[-1], at),
        _one(ledger, policy, known, after or NOW, at),
    )


def _one(
    ledger: Ledger, policy: Policy, known: Mapping[str, snapshot.LabelledSnapshot], name: str, at: datetime
) -> Believed:
    if name == NOW:
        return Believed(NOW, at, snapshot.believed_at(ledger, policy, at))
    if name not in known:
        raise NotFoundError("there is no such snapshot", where=name[:80], allowed=", ".join([*known, NOW]))
    return Believed(name, known[name].as_of, known[name].labels)


def changes(ledger: Ledger, before: Believed, after: Believed) -> JSON:
    """Counts of each kind of change by source, why labels are gone or turned, examples, and a sentence.

    A transaction counts once, under the strongest of: added, removed, turned (the value is another), other source,
    other weight.
    """
    joined = _joined(before.labels, after.labels)
    kind = _kinds(joined)
    parts = {name: joined.filter(pc.equal(kind, name)) for name in KINDS}
    lost = [*_rows(parts["removed"], None), *_rows(parts["turned"], None)]
    counts = {name: part.num_rows for name, part in parts.items()}
    reasons = _reasons(ledger, lost, before.as_of, after.as_of)
    return {
        "before": _told(before),
        "after": _told(after),
        "counts": counts,
        "by_source": {name: _by_source(part) for name, part in parts.items()},
        "reasons": reasons,
        "examples": {name: _named(ledger, _rows(part, SHOWN)) for name, part in parts.items()},
        "sentence": _sentence(counts, reasons),
    }


def _told(side: Believed) -> JSON:
    fraud = int(pc.sum(side.labels["value"]).as_py() or 0)
    return {"name": side.name, "as_of": rfc3339(side.as_of), "labels": side.labels.num_rows, "frauds": fraud}


def _joined(before: pa.Table, after: pa.Table) -> pa.Table:
    """One row a transaction, the columns of the later side ending in _after; null where a side has no label."""
    names = ["seq", "value", "weight", "source"]
    columns = [
        names + [n for n in ("provenance", "derivation") if n in side.column_names]
        for side in (before, after)
    ]
    return before.select(columns[0]).join(
        after.select(columns[1]), "seq", join_type="full outer", right_suffix="_after"
    )


def _kinds(joined: pa.Table) -> pa.ChunkedArray:
    """The kind of change of each row, '' for none."""
    was, now = joined["value"], joined["value_after"]
    same_source = pc.equal(joined["source"], joined["source_after"])
    moved = pc.greater(pc.abs(pc.subtract(joined["weight"], joined["weight_after"])), 1e-9)
    return pc.case_when(
        pc.make_struct(
            pc.is_null(was), pc.is_null(now), pc.not_equal(was, now), pc.invert(same_source), moved
        ),
        *KINDS,
        "",
    )


def _by_source(part: pa.Table) -> list[JSON]:
    """How many changed from which source to which."""
    grouped = part.group_by(["source", "source_after"]).aggregate([("seq", "count")]).to_pylist()
    rows = [
        {"from": row["source"] or "", "to": row["source_after"] or "", "count": row["seq_count"]}
        for row in grouped
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["from"], row["to"]))


def _rows(part: pa.Table, most: int | None) -> list[JSON]:
    ordered = part.sort_by("seq")
    return ordered.slice(0, most).to_pylist() if most else ordered.to_pylist()


def _named(ledger: Ledger, rows: Sequence[JSON]) -> list[JSON]:
    seqs = [row["seq"] for row in rows]
    found = ledger.read("SELECT seq, transaction_id FROM transactions WHERE list_contains(?, seq)", [seqs])
    ids = {row["seq"]: row["transaction_id"] for row in found}
    return [
        {
            "transaction_id": ids.get(row["seq"], ""),
            "before": _side(row, ""),
            "after": _side(row, "_after"),
        }
        for row in rows
    ]


def _side(row: JSON, suffix: str) -> JSON | None:
    if row[f"value{suffix}"] is None:
        return None
    # A column that both sides have gets the suffix; one that only the later has does not.
    told = {name: row.get(f"{name}{suffix}", "") or "" for name in ("provenance", "derivation")}
    return {name: row[f"{name}{suffix}"] for name in ("value", "weight", "source")} | told


_RETRACTED = """
SELECT v.transaction_seq AS seq, CASE WHEN x.verdict_id IS NOT NULL THEN 'verdict declared void'
    ELSE 'verdict undone' END AS reason
FROM verdicts v LEFT JOIN voided_verdicts x ON x.verdict_id = v.verdict_id AND x.voided_at <= $until
WHERE list_contains($seqs, v.transaction_seq)
  AND (x.voided_at > $since OR (v.undone_at > $since AND v.undone_at <= $until))
UNION ALL
SELECT transaction_seq, CASE WHEN is_fraud THEN 'fraud reported' ELSE 'outcome reversed' END FROM outcomes
WHERE list_contains($seqs, transaction_seq) AND recorded_at > $since AND recorded_at <= $until
UNION ALL
SELECT transaction_seq, 'payment ' || replace(value, '_', ' ') FROM dispositions
WHERE list_contains($seqs, transaction_seq) AND "at" > $since AND "at" <= $until
UNION ALL
SELECT transaction_seq, 'another verdict given' FROM verdicts
WHERE list_contains($seqs, transaction_seq) AND given_at > $since AND given_at <= $until AND undone_at IS NULL
"""
_STRONGEST = ("verdict declared void", "verdict undone", "outcome reversed", "fraud reported")


def _reasons(ledger: Ledger, lost: Sequence[JSON], since: datetime, until: datetime) -> dict[str, int]:
    """What happened to the transactions whose label is gone or turned, each counted once under its plainest cause."""
    if not lost:
        return {}
    rows = ledger.read(_RETRACTED, {"seqs": [row["seq"] for row in lost], "since": since, "until": until})
    of: dict[int, set[str]] = {}
    for row in rows:
        of.setdefault(row["seq"], set()).add(row["reason"])
    found: dict[str, int] = {}
    for row in lost:
        causes = of.get(row["seq"], {"the policy, or how labels are made, is another"})
        first = next((cause for cause in _STRONGEST if cause in causes), min(causes))
        found[first] = found.get(first, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _sentence(counts: Mapping[str, int], reasons: Mapping[str, int]) -> str:
    told = [f"{counts[kind]:,} {_WORDS[kind]}" for kind in KINDS if counts[kind]]
    if not told:
        return "Both believe the same."
    why = ", ".join(f"{reason} ({n:,})" for reason, n in reasons.items())
    return f"Labels: {', '.join(told)}." + (f" Gone or turned because: {why}." if why else "")
