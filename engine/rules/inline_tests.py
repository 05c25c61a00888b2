"""What does an inline test of a rule give the condition to look at: values, or a small history to compute them from?

A history is a handful of earlier transactions, each so long before the one that is judged. The features come from the
same online memory that decides; nothing about a window, a first use or a late label is worked out a second way here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from data.errors import did_you_mean
from data.transactions import Transaction
from engine.decision import FeatureValue, RuleState
from engine.features.feature_set import CATEGORY, FLAG, FeatureSet
from engine.features.online import OnlineState
from engine.fields import Fields
from engine.rules.compiled import WrongValue, checked
from engine.rules.conditions import Node
from engine.rules.rule import InlineTest
from engine.rules.rule_set import kinds_of

TEST_MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONGEST_HISTORY = 200
EXPECT = {state.value: state for state in (RuleState.HIT, RuleState.NO_HIT, RuleState.MISSING)}
FRAUD_KNOWN = "fraud_known"


def read_test(row: Fields, when: Node, feature_set: FeatureSet, currency: str) -> InlineTest:
    """One inline test. ConfigError with file:line:column if it gives both values and a transaction, or what the
    condition or the features do not read."""
    name = row.text("name", longest=150)
    moment = row.moment("at", optional=True) or TEST_MOMENT
    if "transaction" in row or "history" in row:
        if "given" in row:
            raise row.error("a test gives values or a transaction, not both", "given")
        values = _computed(row, when, feature_set, currency, moment)
    else:
        values = _given(row.part("given"), kinds_of(when))
    test = InlineTest(name, values, EXPECT[row.choice("expect", EXPECT)], moment)
    row.done()
    return test


def _given(given: Fields, kinds: Mapping[str, str]) -> dict[str, FeatureValue]:
    values: dict[str, FeatureValue] = {}
    for name in given.value:
        if name not in kinds:
            hint = did_you_mean(name, kinds)
            raise given.error(
                f"the condition does not read '{name}'", name, allowed=", ".join(kinds), hint=hint
            )
        value = given.raw(name, None)
        try:
            checked(value, kinds[name])
        except (WrongValue, OverflowError) as problem:
            raise given.error(f"'{name}' is {value!r}", name, allowed=f"a {kinds[name]}") from problem
        values[name] = value
    return values


def _computed(
    row: Fields, when: Node, feature_set: FeatureSet, currency: str, moment: datetime
) -> dict[str, FeatureValue]:
    """The features of the test's transaction, by the engine itself, as far as the condition reads them."""
    reader = _Transactions(feature_set, currency, moment)
    state = OnlineState(feature_set)
    earlier = list(row.each("history"))
    if len(earlier) > LONGEST_HISTORY:
        raise row.error(f"'history' has {len(earlier)} rows", "history", allowed=f"up to {LONGEST_HISTORY}")
    learned = []
    for seq, part in enumerate(earlier, 1):
        told = reader.earlier(part, seq)
        state.add(told)
        if (known_at := reader.known_at(part)) is not None:
            learned.append((told, known_at))
        part.done()
    for told, known_at in learned:
        state.observe_outcome(told, True, known_at=known_at, reported_seq=len(earlier), recorded_at=known_at)
    now = row.part("transaction")
    judged = state.features(reader.transaction(now, moment, len(earlier) + 1))
    now.done()
    return {name: judged[name] for name in kinds_of(when)}


class _Transactions:
    """Reads transactions as a rule's author writes them: an amount in major units, and the institution's own names."""

    def __init__(self, feature_set: FeatureSet, currency: str, moment: datetime) -> None:
        self.entities = set(chain.from_iterable(feature_set.entities))
        self.kinds = dict(_fields(feature_set))
        self.currency, self.moment = currency, moment

    def earlier(self, row: Fields, seq: int) -> Transaction:
        return self.transaction(row, self.moment - row.duration("ago"), seq)

    def known_at(self, row: Fields) -> datetime | None:
        """When it became known that this was a fraud, which it says by how long before the moment of the test."""
        return self.moment - row.duration(FRAUD_KNOWN) if FRAUD_KNOWN in row else None

    def transaction(self, row: Fields, at: datetime, seq: int) -> Transaction:
        amount = row.money("amount", self.currency) if "amount" in row else None
        values: dict[str, Any] = {}
        for name in row.value:
            if name not in ("amount", "ago", FRAUD_KNOWN):
                values[name] = self._value(row, name)
        entities = {name: value for name, value in values.items() if name in self.entities}
        attributes = {name: value for name, value in values.items() if name not in self.entities}
        return Transaction(f"test_{seq}", at, amount, entities, attributes, seq=seq)

    def _value(self, row: Fields, name: str) -> Any:
        if name not in self.kinds:
            raise row.error(
                f"no feature reads '{name}'",
                name,
                allowed=", ".join(["amount", *sorted(self.kinds)]),
                hint=did_you_mean(name, self.kinds),
            )
        kind = self.kinds[name]
        if row.raw(name, None) is None:
            return None
        if kind == CATEGORY:
            return row.text(name, longest=200)
        return row.flag(name) if kind == FLAG else row.number(name, low=-1e15, high=1e15)


def _fields(feature_set: FeatureSet) -> Iterator[tuple[str, str]]:
    """Every field of a transaction that some feature reads, with its kind."""
    for spec in feature_set.features:
        for entity in spec.entity:
            yield entity, CATEGORY
        if spec.of not in ("", "amount"):
            yield spec.of, feature_set.attribute_kinds.get(spec.of, CATEGORY)
