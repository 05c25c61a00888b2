"""What would the engine have answered to millions of past payments, each as it happened, worked out in columns?

The same answers as Engine.decide gives one by one, by other means: features and rules in SQL, trees and calibration
over one matrix, chance by SQL, and triage itself only for payments that some load could answer otherwise than with
plain approval (see redecide). Reasons are not rendered and nothing is explained.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.costs import CapacityState
from engine.decision import Outcome, RuleResult, RuleState
from engine.draws import draw
from engine.features.batch import batch_features
from engine.features.facts import read_arrow
from engine.features.feature_set import FeatureSet
from engine.model.dataset import microseconds
from engine.model.scoring import Model
from engine.redecide import Past, Redecided, Segmented, redecide
from engine.rules.rule_set import RuleSet
from engine.rules.sql import microseconds_of
from engine.segments import Segments

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = 64  # bytes that SHA-256 takes at a time, which HMAC pads its key to
WORDS = [outcome.word for outcome in Outcome]


@dataclass(frozen=True)
class BatchEngine:
    """What decides; `key` is the workspace's, for the draws. Without a model the policy's fail-safe stands in."""

    features: FeatureSet
    rules: RuleSet
    segments: Segments
    model: Model | None
    key: bytes

    def score(self, source: Any, *, first_seq: int | None = None, last_seq: int | None = None) -> pa.Table:
        """Score the transactions first_seq..last_seq (both included) of a ledger or a DuckDB connection.

        Columns, by seq: seq, transaction_id, occurred_at (UTC), margin, probability, novelty (null without a model),
        outcome (approve, review, decline), explored, audited. Each is decided at the moment it occurred, the first
        day begins with no reviews done, and list entries count by that moment.
        """
        table = batch_features(source, self.features, first_seq=first_seq, last_seq=last_seq)
        if not table.num_rows:
            return _answer(table, None, np.empty(0), np.empty(0), np.empty(0))
        margin, probability, novelty = self._scored(table)
        past = self._past(source, table, probability, novelty)
        made = redecide(past, self._asking(source, table), self._policy, self._segmented(source, table))
        return _answer(table, made, margin, probability, novelty)

    @property
    def _policy(self) -> Any:
        return self.segments.policy("default")

    def _scored(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """margin, probability and novelty; NaN where no model runs."""
        if self.model is None:
            nothing = np.full(table.num_rows, np.nan)
            return nothing, nothing, nothing
        margin, probability = self.model.score_matrix(self.model.encoders.matrix(table))
        return margin, probability, self.model.novel.scores(table)

    def _past(self, source: Any, table: pa.Table, probability: np.ndarray, novelty: np.ndarray) -> Past:
        seq = table["seq"]
        span = f"seq BETWEEN {pc.min(seq).as_py()} AND {pc.max(seq).as_py()}"
        audit = draw_sql(self.key, "audit", "transaction_id")
        read = read_arrow(
            source, f"SELECT amount_minor, {audit} AS audit FROM transactions WHERE {span} ORDER BY seq"
        )
        none = self.model is None
        return Past(
            decided_at=_Moments(microseconds(table["occurred_at"])),
            probability=[None] * len(table) if none else probability.tolist(),
            amount_minor=_integers(read["amount_minor"]),
            novelty=[None] * len(table) if none else novelty.tolist(),
            audit=read["audit"].to_numpy(),
            explore=_Explored(self.key, table["transaction_id"]),
            killed=np.zeros(len(table), bool),  # type: ignore[arg-type]
            start=CapacityState(),
        )

    def _asking(self, source: Any, table: pa.Table) -> dict[int, list[RuleResult]]:
        """Results of live rules that ask for something, by the row's place."""
        placed = table.append_column("_place", pa.array(np.arange(table.num_rows)))
        sql = self.rules.asking_sql("placed", at="occurred_at", key="_place")
        found = read_arrow(source, sql, placed=placed)
        hit, missing = (self.rules.bare_results(state) for state in (RuleState.HIT, RuleState.MISSING))
        asking: dict[int, list[RuleResult]] = {place: [] for place in found["_place"].to_pylist()}
        results = list(asking.values())
        for name in found.column_names[1:]:
            for where, answered in ((pc.equal(found[name], True), hit), (pc.is_null(found[name]), missing)):
                for row in np.flatnonzero(pc.fill_null(where, False).to_numpy()).tolist():
                    results[row].append(answered[name])
        return asking

    def _segmented(self, source: Any, table: pa.Table) -> Segmented:
        if len(self.segments.names) == 1:
            return Segmented(self.segments)
        sql = f"SELECT {self.segments.sql(microseconds_of('occurred_at'))} AS name FROM scored ORDER BY seq"
        return Segmented(self.segments, read_arrow(source, sql, scored=table)["name"].to_pylist())


def draw_sql(key: bytes, purpose: str, column: str) -> str:
    """DuckDB's SQL for `draws.draw(key, purpose, column)`: HMAC-SHA256 (RFC 2104) written out, to the last bit."""
    short = hashlib.sha256(key).digest() if len(key) > _BLOCK else key
    padded = short.ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ with_ for byte in padded) for with_ in (0x36, 0x5C))
    begins = inner + len(purpose.encode()).to_bytes(4, "big") + purpose.encode()
    length = f"unhex(lpad(to_hex(octet_length(encode({column}))), 8, '0'))"
    first = f"unhex(sha256(unhex('{begins.hex()}') || {length} || encode({column})))"
    digest = f"sha256(unhex('{outer.hex()}') || {first})"
    return f"(('0x' || substr({digest}, 1, 16))::UBIGINT >> 11) / {float(1 << 53)!r}::DOUBLE"


class _Moments(Sequence[datetime]):
    """Microseconds as moments, each made when it is asked for: almost none are."""

    def __init__(self, us: np.ndarray) -> None:
        self._us = us

    def __len__(self) -> int:
        return len(self._us)

    @overload
    def __getitem__(self, place: int) -> datetime: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[datetime]: ...
    def __getitem__(self, place: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(place, slice):
            return _Moments(self._us[place])
        return _EPOCH + timedelta(microseconds=int(self._us[place]))


class _Explored(Sequence[float]):
    """Exploration draws, each made when it is asked for."""

    def __init__(self, key: bytes, ids: pa.ChunkedArray) -> None:
        self._key, self._ids = key, ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[float]: ...
    def __getitem__(self, place: int | slice) -> float | Sequence[float]:
        if isinstance(place, slice):
            return _Explored(self._key, self._ids[place])
        return draw(self._key, "explore", self._ids[place].as_py())


def _integers(column: pa.ChunkedArray) -> list[int | None]:
    """Python integers, None where null; faster than to_pylist where nothing is null."""
    if column.null_count:
        return list(column.to_pylist())
    return list(column.to_numpy().tolist())


def _answer(
    table: pa.Table,
    made: Redecided | None,
    margin: np.ndarray,
    probability: np.ndarray,
    novelty: np.ndarray,
) -> pa.Table:
    outcome = made.outcome if made else np.empty(0, np.uint8)
    figures = {"margin": margin, "probability": probability, "novelty": novelty}
    return pa.table(
        {
            **{name: table[name] for name in ("seq", "transaction_id", "occurred_at")},
            **{name: pa.array(values, pa.float64(), from_pandas=True) for name, values in figures.items()},
            "outcome": pa.DictionaryArray.from_arrays(pa.array(outcome.astype(np.int8)), WORDS),
            "explored": made.explored if made else np.empty(0, bool),
            "audited": made.audited if made else np.empty(0, bool),
        }
    )
