"""Which smallest change of one or two inputs would have moved the engine's answer?

Nothing is guessed from the explanation: every changed payment is decided by the engine itself, rules and model both,
and the search only chooses what to ask. It is bounded, so that "none was found" is a statement about what was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from engine.decision import FeatureValue, Outcome
from engine.features.feature_set import INTEGER, FeatureSet, FeatureSpec

Row = Mapping[str, FeatureValue]

_STEPS = (0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.01)
MOST_PAIRED = 8
"""Inputs that are also changed two at a time: those that moved the score, or the rules, the most by themselves."""
_PAIR_VALUES = 6
_HALVINGS = 12
_CLOSE = 0.01
"""Two values of an input are told apart until they differ by less than this share."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine says to one row: its outcome, its probability (None without a model), and which rules ask."""

    outcome: Outcome
    probability: float | None
    asking: frozenset[str] = frozenset()


Ask = Callable[[Sequence[Row]], Sequence[Answer]]
"""Answers in the order of the rows, each under the same load and at the same moment."""


@dataclass(frozen=True, slots=True)
class Change:
    """One input at another value, in the input's own unit (money in minor units, time in seconds)."""

    name: str
    was: float
    value: float

    @property
    def size(self) -> float:
        """How far it moved, as a share of the larger of both values: 0 for not at all, 1 for to or from nothing."""
        return abs(self.value - self.was) / (max(abs(self.value), abs(self.was)) or 1.0)


@dataclass(frozen=True, slots=True)
class Instead:
    """Changes that together give another answer."""

    changes: tuple[Change, ...]
    answer: Answer

    @property
    def rank(self) -> tuple[int, float, tuple[str, ...]]:
        """Fewer changes first, then smaller ones."""
        return (
            len(self.changes),
            sum(change.size for change in self.changes),
            tuple(c.name for c in self.changes),
        )


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found (at most one for each other outcome and number of inputs), and how far the search went."""

    found: tuple[Instead, ...]
    inputs: tuple[str, ...]
    paired: tuple[str, ...]
    tried: int


def actionable(spec: FeatureSpec) -> bool:
    """Whether an input could have been different with another payment or another past: an amount, a number or what an
    entity did before. Not the hour, who and what is involved, what is known of fraud, or what is worked out from
    others; nor what the features file sets aside with `actionable: false`."""
    return spec.actionable and (spec.is_history or spec.measure == "value")


def search(row: Row, features: FeatureSet, ask: Ask) -> Searched:
    """The smallest changes of one input, and of two where one does not do, for each outcome that `row` did not get.

    `ask` decides. Inputs are moved by themselves; what is derived from them follows, and the windows of one entity
    stay nested (an hour never holds more than its day). Missing inputs are not filled in.
    """
    return _Search(row, features, ask).run()


class _Search:
    def __init__(self, row: Row, features: FeatureSet, ask: Ask) -> None:
        self._row, self._features, self._ask_engine = row, features, ask
        self._derived = [spec for spec in features.features if spec.expression is not None]
        self._tried = 0
        self._now = self._ask([()])[0]

    def run(self) -> Searched:
        grids = {spec.name: self._grid(spec) for spec in self._inputs()}
        grids = {name: values for name, values in grids.items() if values}
        singles = [(change,) for values in grids.values() for change in values]
        answers = self._ask(singles)
        found = self._nearest(zip(singles, answers, strict=True))
        paired = self._movers(singles, answers)
        if wanted := self._still_wanted(found):
            pairs = list(self._pairs(grids, paired))
            both = [made for made in zip(pairs, self._ask(pairs), strict=True) if made[1].outcome in wanted]
            found += self._nearest(both)
        made = sorted((self._closer(each) for each in found), key=lambda each: each.rank)
        return Searched(tuple(made), tuple(grids), paired, self._tried)

    def _inputs(self) -> list[FeatureSpec]:
        return [
            spec
            for spec in self._features.features
            if actionable(spec) and isinstance(self._row.get(spec.name), int | float)
        ]

    def _grid(self, spec: FeatureSpec) -> tuple[Change, ...]:
        """Values to try, on both sides of what it was, the nearest first."""
        was = _number(self._row[spec.name])
        least = 1.0 if spec.measure == "value" and spec.of == "amount" else 0.0
        steps = [was * step for step in _STEPS] + [was / step for step in _STEPS]
        near = [was + step for step in (-3, -2, -1, 1, 2, 3, 5, 10)] if spec.kind == INTEGER else []
        none = [0.0] if spec.measure in ("count", "sum", "distinct") else []
        raw = {_rounded(value, spec) for value in (*steps, *near, *none) if value >= 0} - {was}
        changes = [Change(spec.name, was, value) for value in raw if value >= least]
        allowed = [change for change in changes if self._nested(spec, change)]
        return tuple(sorted(allowed, key=lambda change: (change.size, change.value)))

    def _nested(self, spec: FeatureSpec, change: Change) -> bool:
        """Whether a wider window of the same entity and measure still holds at least as much as a narrower one."""
        if spec.measure not in ("count", "sum", "distinct", "max"):
            return True
        for other in self._features.features:
            same = (other.entity, other.measure, other.of) == (spec.entity, spec.measure, spec.of)
            value = self._row.get(other.name)
            if not same or other.name == spec.name or not isinstance(value, int | float):
                continue
            if (change.value > value) if other.window_us > spec.window_us else (change.value < value):
                return False
        return True

    def _movers(self, singles: Sequence[tuple[Change]], answers: Sequence[Answer]) -> tuple[str, ...]:
        """Inputs by how much they can do alone: those that change which rules ask, then those that move the score."""
        reach: dict[str, float] = {}
        before = self._now.probability or 0.0
        for (change,), answer in zip(singles, answers, strict=True):
            moved = abs((answer.probability or 0.0) - before) + (answer.asking != self._now.asking)
            reach[change.name] = max(reach.get(change.name, 0.0), moved)
        able = [name for name, moved in reach.items() if moved > 0]
        return tuple(sorted(able, key=lambda name: -reach[name])[:MOST_PAIRED])

    def _pairs(
        self, grids: Mapping[str, tuple[Change, ...]], names: Sequence[str]
    ) -> Iterable[tuple[Change, ...]]:
        for one, other in combinations(names, 2):
            yield from product(_spread(grids[one]), _spread(grids[other]))

    def _nearest(self, made: Iterable[tuple[tuple[Change, ...], Answer]]) -> list[Instead]:
        """For each other outcome, the smallest of these changes that gives it."""
        best: dict[Outcome, Instead] = {}
        for changes, answer in made:
            each = Instead(changes, answer)
            if answer.outcome is self._now.outcome:
                continue
            if answer.outcome not in best or each.rank < best[answer.outcome].rank:
                best[answer.outcome] = each
        return list(best.values())

    def _still_wanted(self, found: Sequence[Instead]) -> frozenset[Outcome]:
        return frozenset(Outcome) - {self._now.outcome} - {each.answer.outcome for each in found}

    def _closer(self, found: Instead) -> Instead:
        """Each change in turn drawn back towards what was, as far as the answer stays the other one."""
        for place, change in enumerate(found.changes):
            spec, low = self._features.spec(change.name), change.was
            for _ in range(_HALVINGS):
                middle = _rounded((low + change.value) / 2, spec)
                if middle in (low, change.value) or Change(change.name, low, change.value).size < _CLOSE:
                    break
                tried = Change(change.name, change.was, middle)
                changes = (*found.changes[:place], tried, *found.changes[place + 1 :])
                answer = self._ask([changes])[0]
                if self._nested(spec, tried) and answer.outcome is found.answer.outcome:
                    found, change = Instead(changes, answer), tried
                else:
                    low = middle
        return found

    def _ask(self, wanted: Sequence[tuple[Change, ...]]) -> Sequence[Answer]:
        self._tried += len(wanted)
        return self._ask_engine([self._changed(changes) for changes in wanted]) if wanted else ()

    def _changed(self, changes: tuple[Change, ...]) -> Row:
        row = dict(self._row)
        for change in changes:
            kind = self._features.spec(change.name).kind
            row[change.name] = int(change.value) if kind == INTEGER else change.value
        if changes:
            for spec in self._derived:
                assert spec.expression is not None
                row[spec.name] = spec.expression.evaluate(row)
        return row


def _spread(changes: Sequence[Change]) -> Sequence[Change]:
    """A few of an input's changes, evenly from the nearest to the farthest."""
    if len(changes) <= _PAIR_VALUES:
        return changes
    return [changes[round(i * (len(changes) - 1) / (_PAIR_VALUES - 1))] for i in range(_PAIR_VALUES)]


def _rounded(value: float, spec: FeatureSpec) -> float:
    """Whole where only whole values exist."""
    return float(round(value)) if spec.kind == INTEGER else value


def _number(value: FeatureValue) -> float:
    assert isinstance(value, int | float)
    return float(value)
