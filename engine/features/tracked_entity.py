"""Which histories are kept for one entity (or pair of entities), and how are its features read from them?"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from data.transactions import Transaction
from engine.decision import FeatureValue
from engine.features.feature_set import EVERYONE, NUMBER, FeatureSet, FeatureSpec
from engine.features.history import NO_INTEGER, NO_NUMBER, Codes, Column, History, RunningSum
from engine.features.known_labels import KnownLabels, LabelRow
from engine.features.loaded import LoadedHistories
from engine.features.measures import EMPTY, MEASURES, Measure, Place
from engine.features.numbering import Numbering

Entities = Mapping[str, str | None]
Row = dict[str, FeatureValue]


@dataclass(frozen=True)
class Needs:
    """What the features of one entity need to have remembered. `columns` and `codes` name attributes."""

    sums: bool
    squares: bool
    columns: tuple[str, ...]
    codes: tuple[str, ...]
    histories: bool
    labels: bool

    @classmethod
    def of(cls, specs: tuple[FeatureSpec, ...]) -> Needs:
        measures = {f.measure for f in specs}
        return cls(
            sums=bool(measures & {"sum", "mean", "std"}),
            squares="std" in measures,
            columns=tuple(dict.fromkeys(f.of for f in specs if f.measure == "max")),
            codes=tuple(dict.fromkeys(f.of for f in specs if f.measure == "distinct")),
            histories=any(f.is_history for f in specs),
            labels=any(f.is_label for f in specs),
        )


class TrackedEntity:
    """All values of one entity, each with its history and its known labels.

    `histories` are those in use; what was `loaded` at the start is opened when it is first asked for. `numberings`
    are shared with other entities, by column.
    """

    def __init__(
        self, feature_set: FeatureSet, entity: tuple[str, ...], numberings: dict[str, Numbering] | None = None
    ) -> None:
        specs = feature_set.of_entity(entity)
        self.entity = entity
        self.needs = Needs.of(specs)
        self.delay_us = feature_set.label_delay_us
        self.kinds = feature_set.attribute_kinds
        self.histories: dict[Hashable, History] = {}
        self.loaded: LoadedHistories | None = None
        self.labels: dict[Hashable, KnownLabels] = {}
        shared = {} if numberings is None else numberings
        self.by_name = {n: shared.setdefault(n, Numbering()) for n in (*entity, *self.needs.codes)}
        self.numberings = tuple(self.by_name[name] for name in self.needs.codes)
        self._empty: Row = {f.name: EMPTY.get(f.measure) for f in specs}
        self._windows = self._plan([f for f in specs if f.is_history])
        self._label_plan = [(f.name, f.measure, f.window_us) for f in specs if f.is_label]
        self._single = entity[0] if len(entity) == 1 else ""
        self._otherwise = "" if entity == (EVERYONE,) else None

    def _plan(self, specs: list[FeatureSpec]) -> list[tuple[int, list[tuple[str, Measure, Place]]]]:
        windows: dict[int, list[tuple[str, Measure, Place]]] = {}
        for spec in specs:
            held = self.needs.codes if spec.measure == "distinct" else self.needs.columns
            place = held.index(spec.of) if spec.of in held else 0
            step = (spec.name, MEASURES[spec.measure], (place, spec.window_us))
            windows.setdefault(spec.window_us, []).append(step)
        return sorted(windows.items(), reverse=True)

    def key(self, entities: Entities) -> Hashable:
        """The entity's value, a tuple for a composite; None if any part is missing."""
        if self._single:
            return entities.get(self._single, self._otherwise)
        parts = tuple(entities.get(name) for name in self.entity)
        return None if None in parts else parts

    def look(self, entities: Entities, now: int, oldest: int, row: Row) -> None:
        """Write this entity's features into `row`; nothing older than `oldest` counts."""
        key = self.key(entities)
        if key is None:
            return
        row.update(self._empty)
        history = self.histories.get(key) or self._opened(key)
        if history is not None:
            self._look_back(history, now, oldest, row)
        if self._label_plan and (labels := self.labels.get(key)) is not None:
            self._look_at_labels(labels, now, oldest, row)

    def _opened(self, key: Hashable) -> History | None:
        """The history that was loaded at the start, from now on among those in use."""
        history = self.loaded.take(key) if self.loaded is not None else None
        if history is not None:
            self.histories[key] = history
        return history

    def open(self, key: Hashable, oldest: int) -> None:
        """Do what the first look at this value would do, before anybody waits for it."""
        history = self._opened(key)
        if history is not None:
            self._look_back(history, history.times[-1], oldest, {})

    def _look_back(self, history: History, now: int, oldest: int, row: Row) -> None:
        times = history.times
        low, high = 0, len(times)
        if high and times[-1] >= now:
            high = bisect_left(times, now)
        for width, steps in self._windows:
            since = now - width
            low = bisect_left(times, since if since > oldest else oldest, low, high)
            if low == high:
                return
            for name, measure, place in steps:
                row[name] = measure(history, low, high, now, place)

    def _look_at_labels(self, labels: KnownLabels, now: int, oldest: int, row: Row) -> None:
        until = now - self.delay_us
        for name, measure, width in self._label_plan:
            if measure == "frauds_learned":
                row[name] = labels.frauds_learned(now - width, now, oldest)
                continue
            known, frauds = labels.counts(max(until - width, oldest), until, now)
            if measure == "fraud_count":
                row[name] = frauds
            elif known:
                row[name] = frauds / known

    def add(self, transaction: Transaction, now: int, oldest: int) -> None:
        key = self.key(transaction.entities) if self.needs.histories else None
        if key is None:
            return
        history = self.histories.get(key) or self._opened(key)
        if history is None:
            history = self.histories[key] = self._new_history()
        elif history.times[len(history.times) // 2] < oldest:
            history.forget(bisect_left(history.times, oldest))
        values = [self._comparable(transaction, name) for name in self.needs.columns]
        codes = [
            n.of(_named(transaction, name)) for n, name in zip(self.numberings, self.needs.codes, strict=True)
        ]
        history.insert(now, transaction.amount_minor, values, codes)

    def _new_history(self) -> History:
        needs = self.needs
        return History(
            array("q"),
            RunningSum() if needs.sums else None,
            RunningSum() if needs.squares else None,
            tuple(Column(array("d" if self.kinds.get(name) == NUMBER else "q")) for name in needs.columns),
            tuple(Codes(array("i")) for _ in needs.codes),
        )

    def _comparable(self, transaction: Transaction, name: str) -> float:
        if name == "amount":
            return NO_INTEGER if transaction.amount_minor is None else transaction.amount_minor
        value = transaction.attributes.get(name)
        return NO_NUMBER if value is None else float(value)

    def observe(
        self, seq: int, time: int, entities: Entities, row: LabelRow, earlier: list[LabelRow], revised: bool
    ) -> None:
        """Learn a label row; `revised` says that the transaction has others, `earlier` those observed before."""
        key = self.key(entities) if self.needs.labels else None
        if key is None:
            return
        labels = self.labels_of(key)
        if revised:
            labels.revise(seq, time, earlier)
        labels.observe(seq, time, row)

    def labels_of(self, key: Hashable) -> KnownLabels:
        labels = self.labels.get(key)
        if labels is None:
            labels = self.labels[key] = KnownLabels(self.delay_us)
        return labels

    @property
    def remembered(self) -> int:
        """Rows held in all histories."""
        waiting = self.loaded.rows if self.loaded is not None else 0
        return waiting + sum(len(history.times) for history in self.histories.values())

    def trim(self, oldest: int) -> None:
        """Forget rows before `oldest`, and entity values that have none left."""
        for key, history in list(self.histories.items()):
            if history.times[-1] < oldest:
                del self.histories[key]
            elif history.times[0] < oldest:
                history.forget(bisect_left(history.times, oldest))
        if self.loaded is not None and self.loaded.newest < oldest:
            self.loaded = None
        for key, labels in list(self.labels.items()):
            labels.forget_before(oldest)
            if labels.is_empty:
                del self.labels[key]


def _named(transaction: Transaction, name: str) -> Hashable:
    """The value of an entity or an attribute, whichever has this name."""
    if name in transaction.entities:
        return transaction.entities[name]
    return transaction.attributes.get(name)
