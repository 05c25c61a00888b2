"""What exactly may a model learn from, written down so that it can be shown years later?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from casework.learning.labels import holdout, verdicts_given
from casework.learning.labels.labels import label_table
from casework.review.measuring import golden
from casework.review.measuring.golden import GoldenCase
from casework.review.review_design import BLIND_FIRST
from casework.workspace import Workspace
from data import export
from data.canonical import rfc3339, sha256_hex
from data.errors import ConflictError
from data.incoming.mapping import Mapping as Columns
from data.incoming.mapping import load_mapping
from data.ledger import Ledger
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.policy import Policy, load_policy
from engine.rules.lists import load_lists
from engine.segments import Segments, load_segments

MANIFEST, LABELS, PARTITIONS = "manifest.json", "labels.parquet", "days"
GOLDEN = "golden.parquet"
BLIND_VERDICT = "blind_first"
_KEPT = ("features.yaml", "policy.yaml")
_LISTS = "lists.yaml"

# Transactions whose every verdict was given before the score was seen: good enough to judge a model by.
_BLIND = (
    "SELECT transaction_seq FROM verdicts WHERE undone_at IS NULL "
    "AND task_kind NOT IN ('golden', 're_serve', 'training', 'pilot') "
    "AND verdict_id NOT IN (SELECT verdict_id FROM voided_verdicts) GROUP BY transaction_seq "
    f"HAVING bool_and(arm = '{BLIND_FIRST}')"
)


@dataclass(frozen=True)
class LabelledSnapshot:
    """A snapshot of the ledger, the labels believed at `as_of`, and the files that say how to read both."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def as_of(self) -> datetime:
        return datetime.fromisoformat(self.manifest["as_of"]).astimezone(UTC)

    @property
    def data(self) -> export.Snapshot:
        return export.load_snapshot(self.folder.parent / PARTITIONS, self.manifest["snapshot_id"])

    @property
    def labels(self) -> pa.Table:
        """Columns seq, value (bool), weight, source, known_at, provenance, derivation; one row per labelled
        transaction, by seq. The last two are absent from snapshots of earlier versions."""
        return pq.read_table(self.folder / LABELS)

    @property
    def held_out(self) -> pa.Table:
        """The same of the hold-out: labels that nobody learns from."""
        path = self.folder / holdout.FILE
        return pq.read_table(path) if path.is_file() else self.labels.slice(0, 0)

    @property
    def golden(self) -> pa.Table:
        """Golden cases in use, with their truth (seq, value, weight): models are examined on them and never taught."""
        path = self.folder / GOLDEN
        return pq.read_table(path) if path.is_file() else _golden_table([])

    @property
    def verdicts(self) -> pa.Table:
        """What people said as they said it, as in `verdicts_given.given`, without the hold-out."""
        path = self.folder / verdicts_given.FILE
        return pq.read_table(path) if path.is_file() else verdicts_given.none_given()

    @cached_property
    def mapping(self) -> Columns:
        return load_mapping(self.folder / "mapping.yaml")

    def features(self, text: bytes | None = None) -> FeatureSet:
        """The approved features, or those of another file read against the same mapping."""
        content = text if text is not None else (self.folder / "features.yaml").read_bytes()
        return load_features(content, "features.yaml", self.mapping)

    @property
    def features_text(self) -> str:
        return (self.folder / "features.yaml").read_text()

    @property
    def policy(self) -> Policy:
        return load_policy((self.folder / "policy.yaml").read_bytes(), "policy.yaml")

    @property
    def segments(self) -> Segments:
        """The policy's segments, on the features and lists of the same set."""
        path = self.folder / _LISTS
        lists = load_lists(path.read_bytes() if path.is_file() else b"", _LISTS)
        text = (self.folder / "policy.yaml").read_bytes()
        return load_segments(text, self.policy, self.features(), lists, "policy.yaml")


def take(
    ledger: Ledger,
    workspace: Workspace,
    files: Mapping[str, bytes],
    policy: Policy,
    *,
    as_of: datetime,
    folder: Path,
) -> LabelledSnapshot:
    """Export what is known at `as_of` into `folder`, with a manifest of hashes.

    The day partitions lie beside it and are shared by all snapshots: days that did not change are not written
    again. InputError where there are no transactions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partitions = workspace.snapshots / PARTITIONS
    exported = export.export_partitions(ledger, partitions, until=as_of)
    labels, held_out = holdout.split(ledger, workspace.key(), policy, believed_at(ledger, policy, as_of))
    pq.write_table(labels, folder / LABELS, compression="zstd")
    pq.write_table(held_out, folder / holdout.FILE, compression="zstd")
    said, _ = holdout.split(ledger, workspace.key(), policy, verdicts_given.given(ledger, as_of))
    pq.write_table(said, folder / verdicts_given.FILE, compression="zstd")
    pq.write_table(_golden_table(golden.in_use(ledger)), folder / GOLDEN, compression="zstd")
    kept = [*_KEPT, *([_LISTS] if _LISTS in files else [])]
    for name in kept:
        (folder / name).write_bytes(files[name])
    (folder / "mapping.yaml").write_bytes(workspace.mapping_file.read_bytes())
    manifest = {
        "as_of": rfc3339(as_of),
        "snapshot_id": exported.snapshot_id,
        "last_seq": exported.last_seq,
        "last_event_hash": exported.last_event_hash,
        "files": {
            name: sha256_hex((folder / name).read_bytes())
            for name in (LABELS, holdout.FILE, GOLDEN, verdicts_given.FILE, *kept, "mapping.yaml")
        },
        "labels": _summary(labels),
        "holdout": {
            "share": policy.retrain.holdout,
            "by": policy.retrain.holdout_by,
            "labels": _summary(held_out),
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    return LabelledSnapshot(folder, manifest)


def load(folder: Path) -> LabelledSnapshot:
    """Read a snapshot and check its files. ConflictError where one was changed since."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name, expected in manifest["files"].items():
        if sha256_hex((folder / name).read_bytes()) != expected:
            raise ConflictError("a file of the snapshot was changed", where=str(folder / name))
    return LabelledSnapshot(folder, manifest)


def context(connection: Any, columns: Sequence[str]) -> pa.Table:
    """seq, amount_minor and the named columns where they exist, ordered by seq."""
    there = {row[0] for row in connection.execute("DESCRIBE transactions").fetchall()}
    names = ", ".join(f'"{name}"' for name in columns if name in there)
    sql = f"SELECT seq, amount_minor{', ' + names if names else ''} FROM transactions ORDER BY seq"
    return connection.execute(sql).to_arrow_table()


def believed_at(ledger: Ledger, policy: Policy, as_of: datetime) -> pa.Table:
    """The labels that a snapshot taken at `as_of` would hold, as in `LabelledSnapshot.labels`."""
    believed = label_table(ledger, policy, as_of)
    blind = pa.array([row["transaction_seq"] for row in ledger.read(_BLIND)], pa.int64())
    by_people = pc.is_in(believed["source"], pa.array(["single_verdict", "consensus", "adjudicated"]))
    unseen = pc.and_(by_people, pc.is_in(believed["transaction_seq"], blind))
    source = pc.if_else(unseen, BLIND_VERDICT, believed["source"])
    return pa.table(
        {
            "seq": believed["transaction_seq"],
            "value": believed["value"],
            "weight": believed["weight"],
            "source": source,
            "known_at": believed["known_at"],
            "provenance": believed["provenance"],
            "derivation": believed["derivation"],
        }
    )


def _golden_table(cases: Sequence[GoldenCase]) -> pa.Table:
    """One row a payment, by seq."""
    truth = dict(sorted((case.transaction_seq, case.is_fraud) for case in cases))
    return pa.table(
        {
            "seq": pa.array(list(truth), pa.int64()),
            "value": pa.array(list(truth.values()), pa.bool_()),
            "weight": pa.array([1.0] * len(truth), pa.float64()),
        }
    )


def _summary(labels: pa.Table) -> dict[str, dict[str, int]]:
    """Labels and frauds by source."""
    grouped = labels.group_by("source").aggregate([("value", "count"), ("value", "sum")])
    return {
        row["source"]: {"labels": row["value_count"], "frauds": int(row["value_sum"])}
        for row in grouped.to_pylist()
    }
