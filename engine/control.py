"""What have people, or the breaker, switched off, capped, snoozed or listed that bears on this payment?

What was in force for a decision is stored with it, so that it replays whatever has been switched since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from data.canonical import rfc3339
from data.transactions import Transaction
from engine.decision import Outcome, Results, RuleResult, RuleState

PAUSED = "paused"
"""The status of a rule that the breaker has paused: recorded, never obeyed, like a shadow rule."""
ENTRY_RULE: Mapping[str, str] = {"block": "entry_block", "review": "entry_review"}
"""The id under which a list entry made at run time speaks among the rules, by what it asks for."""
_ASKING = frozenset((RuleState.HIT, RuleState.MISSING, RuleState.ERROR))


@dataclass(frozen=True, slots=True)
class Snooze:
    """One rule (every rule, if `rule_id` is '') kept quiet for one value of an entity until before `expires`.

    Only rules that ask are snoozed: a block list is ended by ending its entry, an allow lane asks for nothing.
    """

    snooze_id: str
    entity: str
    value: str
    rule_id: str
    expires: datetime

    def covers(self, result: RuleResult) -> bool:
        asks = result.effect == "floor" and result.floor > Outcome.APPROVE and result.state in _ASKING
        return asks and result.status == "live" and self.rule_id in ("", result.rule_id)


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A value of an entity put on a list at run time until before `expires`: `effect` is block or review."""

    entry_id: str
    entity: str
    value: str
    effect: str
    reason: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Widening:
    """More reviews in one segment of the policy until before `expires`, because its inputs have drifted: from `factor`
    times the usual cut-off on, for at most `most` payments a day. `why` is the sentence that says what drifted."""

    widening_id: str
    segment: str
    factor: float
    most: int
    why: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Applied:
    """What bears on one decision. `widenings` are those of every segment; stored is only one that was used."""

    paused_rules: tuple[str, ...] = ()
    capped_rules: tuple[str, ...] = ()
    model_capped: bool = False
    snoozes: tuple[Snooze, ...] = ()
    entries: tuple[ListEntry, ...] = ()
    widenings: tuple[Widening, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.paused_rules
            or self.capped_rules
            or self.model_capped
            or self.snoozes
            or self.entries
            or self.widenings
        )

    @property
    def may_stop(self) -> bool:
        """Whether a payment of which no rule says anything could be stopped by this; the rest only softens answers."""
        return bool(self.entries or self.widenings)

    def widening(self, segment: str, at: datetime) -> Widening | None:
        """The one in force in a segment, None if there is none."""
        if not self.widenings:
            return None
        return next((w for w in self.widenings if w.segment == segment and at < w.expires), None)

    def having_used(self, widening: Widening | None) -> Applied:
        """What is to be stored with a decision that this widening sent to a person, or none."""
        if not self.widenings:
            return self
        return replace(self, widenings=(widening,) if widening else ())

    def on(self, results: Sequence[RuleResult]) -> Results:
        """What the rules said, with what was paused, snoozed or capped of it, and what list entries add."""
        said = Results.of(results)
        if self.snoozes or self.entries:
            return Results((*map(self._one, said), *self._listed()))
        if not (self.paused_rules or self.capped_rules):
            return said
        # These stand for days, and few patterns of results make up nearly all: each is worked out once.
        switched = (self.paused_rules, self.capped_rules)
        found = said.under.get(switched)
        if found is None:
            found = said.under[switched] = Results(map(self._one, said))
        return found

    def silenced(self, results: Sequence[RuleResult]) -> Iterator[tuple[Snooze, RuleResult]]:
        """The snoozed results among these, each with the snooze that silenced it."""
        for result in results:
            if result.state is RuleState.SNOOZED:
                yield self._covering(result), result

    def as_context(self) -> dict[str, Any]:
        """What is stored with the decision; `from_context` reads it."""
        found: dict[str, Any] = {}
        if self.paused_rules:
            found["paused_rules"] = list(self.paused_rules)
        if self.capped_rules:
            found["capped_rules"] = list(self.capped_rules)
        if self.model_capped:
            found["model_capped"] = True
        if self.snoozes:
            found["snoozes"] = [_told(snooze) for snooze in self.snoozes]
        if self.entries:
            found["entries"] = [_told(entry) for entry in self.entries]
        if self.widenings:
            found["widenings"] = [_told(widening) for widening in self.widenings]
        return found

    def _one(self, result: RuleResult) -> RuleResult:
        if result.status == "live" and result.rule_id in self.paused_rules:
            return replace(result, status=PAUSED)
        if any(snooze.covers(result) for snooze in self.snoozes):
            return replace(result, state=RuleState.SNOOZED, floor=Outcome.APPROVE)
        declines = result.floor is Outcome.DECLINE and result.effect == "floor"
        if declines and result.rule_id in self.capped_rules:
            return replace(result, floor=Outcome.REVIEW)
        return result

    def _covering(self, result: RuleResult) -> Snooze:
        exact = [s for s in self.snoozes if s.rule_id == result.rule_id]
        return (exact or [s for s in self.snoozes if not s.rule_id])[0]

    def _listed(self) -> Iterator[RuleResult]:
        for effect, floor in (("block", Outcome.DECLINE), ("review", Outcome.REVIEW)):
            entry = next((e for e in self.entries if e.effect == effect), None)
            if entry is not None:
                yield RuleResult(
                    ENTRY_RULE[effect],
                    1,
                    RuleState.HIT,
                    floor,
                    reason=f"{entry.entity} {entry.value} was listed: {entry.reason}",
                    effect="block" if effect == "block" else "floor",
                )


NOTHING = Applied()


class Controls(Protocol):
    """Says what bears on a payment."""

    def applying(self, transaction: Transaction, at: datetime) -> Applied: ...


@dataclass(frozen=True)
class Control:
    """Everything in force at run time. A new one takes its place when anything changes."""

    paused_rules: frozenset[str] = frozenset()
    capped_rules: frozenset[str] = frozenset()
    model_capped: bool = False
    snoozes: Sequence[Snooze] = ()
    entries: Sequence[ListEntry] = ()
    widenings: Sequence[Widening] = ()
    _always: Applied = field(init=False)
    _of: Mapping[tuple[str, str], tuple[list[Snooze], list[ListEntry]]] = field(init=False)
    _entities: tuple[str, ...] = field(init=False)

    def with_rules(self, paused: frozenset[str], capped: frozenset[str]) -> Control:
        """The same with these rules paused and capped: an arm of a trial has versions of its own."""
        if (paused, capped) == (self.paused_rules, self.capped_rules):
            return self
        return replace(self, paused_rules=paused, capped_rules=capped)

    def __post_init__(self) -> None:
        rules = (tuple(sorted(self.paused_rules)), tuple(sorted(self.capped_rules)))
        of: dict[tuple[str, str], tuple[list[Snooze], list[ListEntry]]] = {}
        for snooze in self.snoozes:
            of.setdefault((snooze.entity, snooze.value), ([], []))[0].append(snooze)
        for entry in self.entries:
            of.setdefault((entry.entity, entry.value), ([], []))[1].append(entry)
        always = Applied(*rules, self.model_capped, widenings=tuple(self.widenings))
        object.__setattr__(self, "_always", always)
        object.__setattr__(self, "_of", of)
        object.__setattr__(self, "_entities", tuple(dict.fromkeys(entity for entity, _ in of)))

    def applying(self, transaction: Transaction, at: datetime) -> Applied:
        """What bears on this payment at `at`; where nothing concerns its entities, the same object every time."""
        found = []
        for entity in self._entities:
            value = transaction.entities.get(entity)
            if value is not None and (entity, value) in self._of:
                found.append(self._of[entity, value])
        if not found:
            return self._always
        snoozes = tuple(s for of, _ in found for s in of if at < s.expires)
        entries = tuple(e for _, of in found for e in of if at < e.expires)
        return replace(self._always, snoozes=snoozes, entries=entries)


@dataclass(frozen=True, slots=True)
class AsStored:
    """What bore on a past decision, whatever is in force now."""

    applied: Applied = NOTHING

    def applying(self, transaction: Transaction, at: datetime) -> Applied:
        return self.applied


def from_context(stored: Mapping[str, Any]) -> Applied:
    """What `Applied.as_context` wrote."""
    return Applied(
        paused_rules=tuple(stored.get("paused_rules", ())),
        capped_rules=tuple(stored.get("capped_rules", ())),
        model_capped=bool(stored.get("model_capped", False)),
        snoozes=tuple(Snooze(**_read(row)) for row in stored.get("snoozes", ())),
        entries=tuple(ListEntry(**_read(row)) for row in stored.get("entries", ())),
        widenings=tuple(Widening(**_read(row)) for row in stored.get("widenings", ())),
    )


def _told(part: Snooze | ListEntry | Widening) -> dict[str, Any]:
    fields = {name: getattr(part, name) for name in part.__dataclass_fields__}
    return {**fields, "expires": rfc3339(part.expires)}


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "expires": datetime.fromisoformat(row["expires"])}
