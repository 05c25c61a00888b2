"""What would the engine have answered to millions of past payments, each as it happened, worked out in columns?

The same answers as Engine.decide gives one by one, by other means: features and rules in SQL, trees and calibration
over one matrix, chance by SQL, and triage itself only for payments that some load could answer otherwise than with
plain approval (see redecide). Reasons are not rendered, nothing is explained, and no trial takes a share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.transactions import Transaction
from engine.control import Applied, Control
from engine.costs import CapacityState
from engine.decide import Unlabelled
from engine.decision import Outcome, RuleResult, RuleState, Strangeness
from engine.draws import draw
from engine.features.batch import batch_features
from engine.features.facts import read_arrow
from engine.features.feature_set import FeatureSet
from engine.model.dataset import microseconds
from engine.model.scoring import Model
from engine.rules.rule_set import RuleSet
from engine.rules.sql import identifier, microseconds_of
from engine.segments import Segments
from engine.what_if.redecide import Past, Redecided, Segmented, redecide

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = 64  # bytes that SHA-256 takes at a time, which HMAC pads its key to
WORDS = [outcome.word for outcome in Outcome]
STRETCH = 500_000
"""Rows whose features are held at a time: sixty of them take a quarter of a gigabyte."""
Days = Mapping[date, CapacityState]
"""What people were given on each day."""


@dataclass(frozen=True)
class BatchEngine:
    """What decides; `key` is the workspace's, for the draws. Without a model the policy's fail-safe stands in, and
    `unlabelled`, where there is one, finds what is worth a look. `control` and `killed` are as in Engine: what people
    and the breaker have switched, snoozed or listed holds for all rows."""

    features: FeatureSet
    rules: RuleSet
    segments: Segments
    model: Model | None
    key: bytes
    unlabelled: Unlabelled | None = None
    control: Control = field(default_factory=Control)
    killed: bool = False

    def score(self, source: Any, *, first_seq: int | None = None, last_seq: int | None = None) -> pa.Table:
        """Score the transactions first_seq..last_seq (both included) of a ledger or a DuckDB connection.

        Columns, by seq: seq, transaction_id, occurred_at (UTC), margin, probability, novelty (null where the engine has
        none), outcome (approve, review, decline), explored, audited. Each is decided at the moment it occurred, the
        first day begins with no reviews done, and entries of list files count by that moment.
        """
        return self._stretch(source, first_seq, last_seq, {})[0]

    def stretches(
        self, source: Any, *, first_seq: int, last_seq: int, rows: int = STRETCH
    ) -> Iterator[pa.Table]:
        """The same in tables of `rows` rows at most, so that memory holds the features of one of them at a time.

        Each reads what its windows reach again, so that many small ones take longer than a few large ones.
        """
        days: Days = {}
        for low in range(first_seq, last_seq + 1, rows):
            table, days = self._stretch(source, low, min(low + rows - 1, last_seq), days)
            yield table

    def _stretch(
        self, source: Any, first_seq: int | None, last_seq: int | None, days: Days
    ) -> tuple[pa.Table, Days]:
        """The scores of a stretch, and what each day holds after it; `days` is what each held before."""
        table = batch_features(source, self.features, first_seq=first_seq, last_seq=last_seq)
        if not table.num_rows:
            return _answer(table, None, np.empty(0), np.empty(0), np.empty(0)), days
        margin, probability, novelty = self._scored(table)
        past = self._past(source, table, probability, novelty, days)
        made = redecide(past, self._asking(source, table), self._policy, self._segmented(source, table))
        return _answer(table, made, margin, probability, novelty), made.loads.ends()

    @property
    def _policy(self) -> Any:
        return self.segments.policy("default")

    def _scored(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """margin, probability and novelty; NaN where nothing says one."""
        nothing = np.full(table.num_rows, np.nan)
        if self.killed:
            return nothing, nothing, nothing
        if self.model is None:
            return nothing, nothing, self.unlabelled.novelties(table) if self.unlabelled else nothing
        margin, probability = self.model.score_matrix(self.model.encoders.matrix(table))
        return margin, probability, self.model.novel.scores(table)

    def _past(
        self, source: Any, table: pa.Table, probability: np.ndarray, novelty: np.ndarray, days: Days
    ) -> Past:
        seq = table["seq"]
        span = f"seq BETWEEN {pc.min(seq).as_py()} AND {pc.max(seq).as_py()}"
        audit = draw_sql(self.key, "audit", "transaction_id")
        read = read_arrow(
            source, f"SELECT amount_minor, {audit} AS audit FROM transactions WHERE {span} ORDER BY seq"
        )
        moments = _Moments(microseconds(table["occurred_at"]))
        return Past(
            decided_at=moments,
            probability=_known(probability),
            amount_minor=_integers(read["amount_minor"]),
            novelty=_known(novelty),
            audit=read["audit"].to_numpy(),
            explore=_Explored(self.key, table["transaction_id"]),
            killed=np.full(len(table), self.killed),  # type: ignore[arg-type]
            start=CapacityState(),
            days=days,
            controls=self._controls(source, span, moments),
            strange=self._strange(table),
        )

    def _controls(self, source: Any, span: str, moments: Sequence[datetime]) -> dict[int, Applied]:
        """What people and the breaker have switched, snoozed or listed, by the place of each row that it bears on."""
        control, found = self.control, {}
        if always := control.applying(_of({}), _EPOCH):
            found = dict.fromkeys(range(len(moments)), always)
        values: dict[str, set[str]] = {}
        named = [(each.entity, each.value) for each in control.snoozes]
        for entity, value in named + [(each.entity, each.value) for each in control.entries]:
            values.setdefault(entity, set()).add(value)
        if not values:
            return found
        names = ", ".join(identifier(name) for name in values)
        read = read_arrow(source, f"SELECT {names} FROM transactions WHERE {span} ORDER BY seq")
        concerned = np.zeros(len(moments), bool)
        for name, wanted in values.items():
            concerned |= pc.is_in(read[name], pa.array(sorted(wanted), pa.string())).to_numpy()
        places = np.flatnonzero(concerned)
        for place, entities in zip(places.tolist(), read.take(places).to_pylist(), strict=True):
            found[place] = control.applying(_of(entities), moments[place])
        return found

    def _strange(self, table: pa.Table) -> Callable[[int], Strangeness] | None:
        """In what a row is strange, each found when it is asked for, where no model decides."""
        unlike, currency = self.unlabelled, self._policy.currency
        if self.model is not None or unlike is None:
            return None
        return lambda row: unlike.strangeness(table.slice(row, 1).to_pylist()[0], currency)

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


def _of(entities: Mapping[str, str | None]) -> Transaction:
    """A payment of these, for asking what bears on it."""
    return Transaction("", _EPOCH, None, entities)


def _known(values: np.ndarray) -> list[float | None]:
    """Floats, all None where nothing said them."""
    return [None] * len(values) if np.isnan(values).all() else values.tolist()


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
