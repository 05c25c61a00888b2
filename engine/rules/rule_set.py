"""What do all rules of an approved set say about a transaction, one by one or in bulk?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from operator import getitem

from engine.decision import FeatureValue, Outcome, Results, RuleResult, RuleState
from engine.rules.compiled import (
    Compiled,
    CompiledSet,
    WrongValue,
    checked,
    compile_condition,
    compile_conditions,
)
from engine.rules.conditions import Group, Name, Node, names, walk, written
from engine.rules.lists import Lists
from engine.rules.rule import Rule
from engine.rules.sql import condition_sql, identifier, literal, microseconds, microseconds_of

Row = Mapping[str, FeatureValue]
Answer = bool | None
STATES = {True: RuleState.HIT, False: RuleState.NO_HIT, None: RuleState.MISSING}
_MOST_KNOWN = 1024
"""Patterns of answers without a hit whose results are kept: a payment's missing values make them."""
_FAILURES = (ArithmeticError, LookupError, TypeError, ValueError)


class RuleSet:
    """Rules of one approved set, compiled. Evaluating never raises: what cannot be answered is in state `error`."""

    def __init__(self, rules: tuple[Rule, ...], lists: Lists | None = None) -> None:
        self.rules, self.lists = rules, lists or Lists()
        self._running = [_Running(rule, self.lists) for rule in rules if rule.runs]
        self._kinds = {name: kind for r in self._running for name, kind in kinds_of(r.rule.when).items()}
        # A hit is made anew for each row, because its reason holds values; everything else is made once.
        self._results = [
            {answer: running.made[state] for answer, state in STATES.items()} for running in self._running
        ]
        self._known: dict[tuple[Answer, ...], Results] = {}
        self._expiring = [(place, r.expires) for place, r in enumerate(self._running) if r.expires]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id; KeyError if there is none."""
        found = next((rule for rule in self.rules if rule.id == rule_id), None)
        if found is None:
            raise KeyError(rule_id)
        return found

    def evaluate(self, row: Row, at: datetime) -> Results:
        """One result per live or shadow rule, in order of their ids. `at` (UTC) decides which list entries and allow
        lanes are in force."""
        return self._evaluated(self._whole, row, at)[0]

    def traced(self, row: Row, at: datetime) -> tuple[tuple[RuleResult, ...], tuple[Answer, ...]]:
        """The same, and what every line of every rule gave, aligned with `lines`: True, False, None for missing.

        Where a value is of the wrong kind no line can be told, and the second tuple is empty.
        """
        return self._evaluated(self._told, row, at)

    @cached_property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """(rule id, line of its condition) in the order of `traced`."""
        return tuple((r.rule.id, written(line)) for r in self._running for line in lines_of(r.rule.when))

    @cached_property
    def _whole(self) -> CompiledSet:
        return compile_conditions([r.rule.when for r in self._running], self.lists)

    @cached_property
    def _told(self) -> CompiledSet:
        conditions = [r.rule.when for r in self._running]
        return compile_conditions(
            conditions, self.lists, [line for when in conditions for line in lines_of(when)]
        )

    def _evaluated(self, function: CompiledSet, row: Row, at: datetime) -> tuple[Results, tuple[Answer, ...]]:
        try:
            answers, lines = function(row, at)
            for place, expires in self._expiring:
                if at >= expires:
                    answers = (*answers[:place], False, *answers[place + 1 :])
            return self._quiet(answers) if True not in answers else self._with_hits(answers, row), lines
        except _FAILURES:
            # Something is odd about this row: one rule at a time, so that only those that read it are in error.
            values, wrong = _values(row, self._kinds)
            return Results([running.result(values, wrong, row, at) for running in self._running]), ()

    def _quiet(self, answers: tuple[Answer, ...]) -> Results:
        """Results without a hit: nearly every payment's, and few patterns of missing values make up nearly all."""
        found = self._known.get(answers)
        if found is None:
            found = Results(map(getitem, self._results, answers))
            if len(self._known) < _MOST_KNOWN:
                self._known[answers] = found
        return found

    def _with_hits(self, answers: tuple[Answer, ...], row: Row) -> Results:
        results = list(map(getitem, self._results, answers))
        place = -1
        for _ in range(answers.count(True)):
            place = answers.index(True, place + 1)
            results[place] = self._running[place].hit(row)
        return Results(results)

    def bare_results(self, state: RuleState) -> dict[str, RuleResult]:
        """What each live or shadow rule gives in a state, by id, without the reason that a hit would be told with."""
        return {running.rule.id: running.bare(state) for running in self._running}

    def sql(self, table: str = "features", *, at: str | datetime = "occurred_at", key: str = "seq") -> str:
        """One SELECT with `key` and, per live or shadow rule, a column named by its id: hit, no_hit or missing.

        `table` needs the features as columns; `at` is the moment that decides about lists and allow lanes: a column
        of the table, or one moment for all rows.
        """
        moment = microseconds(at) if isinstance(at, datetime) else microseconds_of(at)
        inner = [identifier(key)] + [
            f"{_whole_sql(r.rule, self.lists, moment)} AS {identifier(r.rule.id)}" for r in self._running
        ]
        outer = [identifier(key)] + [_state_sql(identifier(r.rule.id)) for r in self._running]
        return (
            f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(inner)} FROM {identifier(table)}) AS answered"
        )

    def asking_sql(self, table: str, *, at: str, key: str) -> str:
        """One SELECT with `key` and a flag for every live rule, null where it is missing: only the rows in which one
        hits, or is missing and asks for something then."""
        moment = microseconds_of(at)
        live = [r.rule for r in self._running if r.rule.status == "live"]
        flags = [f"{_whole_sql(rule, self.lists, moment)} AS {identifier(rule.id)}" for rule in live]
        asks = [identifier(rule.id) for rule in live]
        asks += [f"{identifier(rule.id)} IS NULL" for rule in live if rule.on_missing > Outcome.APPROVE]
        inner = f"SELECT {', '.join([identifier(key), *flags])} FROM {identifier(table)}"
        return f"SELECT * FROM ({inner}) AS answered WHERE {' OR '.join(asks) or 'FALSE'} ORDER BY {identifier(key)}"


class _Running:
    """A rule that is evaluated; results without a rendered reason are made once."""

    def __init__(self, rule: Rule, lists: Lists) -> None:
        self.rule, self.lists = rule, lists
        self.expires = rule.then.expires
        self.made = {state: self.bare(state) for state in (*STATES.values(), RuleState.ERROR)}
        self._render = rule.then.reason.render

    @cached_property
    def _condition(self) -> Compiled:
        return compile_condition(self.rule.when, self.lists)

    def result(self, values: Row, wrong: set[str], row: Row, at: datetime) -> RuleResult:
        """The result by itself, for a row that is odd in some way; `wrong` names the unusable values."""
        if wrong and not wrong.isdisjoint(self.rule.features):
            return self.made[RuleState.ERROR]
        if self.expires is not None and at >= self.expires:
            return self.made[RuleState.NO_HIT]
        try:
            answer = self._condition(values, at)
            return self.hit(row) if answer else self.made[STATES[answer]]
        except _FAILURES:
            return self.made[RuleState.ERROR]

    def hit(self, row: Row) -> RuleResult:
        """A hit with its reason."""
        bare, reason = self.made[RuleState.HIT], self._render(row)
        return RuleResult(
            bare.rule_id,
            bare.version,
            bare.state,
            bare.floor,
            bare.lane,
            reason,
            bare.status,
            bare.features,
            bare.effect,
            bare.amount_cap_minor,
        )

    def bare(self, state: RuleState) -> RuleResult:
        """The result in this state, a hit without its reason."""
        return self._result(state, self.rule.then.floor, "") if state is RuleState.HIT else self._plain(state)

    def _plain(self, state: RuleState) -> RuleResult:
        # What cannot be known and what failed are treated alike: as `on_missing` says.
        floor = Outcome.APPROVE if state is RuleState.NO_HIT else self.rule.on_missing
        why = "could not be evaluated" if state is RuleState.ERROR else "a value it needs is missing"
        reason = f"{self.rule.title}: {why}" if floor > Outcome.APPROVE else ""
        return self._result(state, floor, reason)

    def _result(self, state: RuleState, floor: Outcome, reason: str) -> RuleResult:
        rule, then = self.rule, self.rule.then
        # An allow lane or block list whose inputs are missing asks like any rule, by its on_missing.
        effect = then.effect if state in (RuleState.HIT, RuleState.NO_HIT) else "floor"
        return RuleResult(
            rule_id=rule.id,
            version=rule.version,
            state=state,
            floor=floor,
            lane=then.lane,
            reason=reason,
            status=rule.status,
            features=rule.features,
            effect=effect,
            amount_cap_minor=then.amount_cap_minor,
        )


def kinds_of(node: Node) -> dict[str, str]:
    """The features a condition reads, and the kind of each."""
    return {part.name: part.kind for part in walk(node) if isinstance(part, Name)}


def lines_of(node: Node) -> tuple[Node, ...]:
    """The lines of a rule's condition, whatever all, any and not they stand in."""
    if isinstance(node, Group):
        return lines_of(node.of)
    branches = (
        [part for part in node.parts if names(part)] if type(node).__name__ in ("And", "Or", "Not") else []
    )
    return tuple(line for part in branches for line in lines_of(part)) if branches else (node,)


def _values(row: Row, kinds: Mapping[str, str]) -> tuple[dict[str, float | str | bool | None], set[str]]:
    values: dict[str, float | str | bool | None] = {}
    wrong: set[str] = set()
    for name, kind in kinds.items():
        try:
            values[name] = checked(row.get(name), kind)
        except (WrongValue, OverflowError):
            wrong.add(name)
    return values, wrong


def _whole_sql(rule: Rule, lists: Lists, at: str) -> str:
    text = condition_sql(rule.when, lists, at)
    if rule.then.expires is None:
        return text
    return f"CASE WHEN {at} < {microseconds(rule.then.expires)} THEN {text} ELSE FALSE END"


def _state_sql(column: str) -> str:
    words = [literal(state.value) for state in (RuleState.HIT, RuleState.MISSING, RuleState.NO_HIT)]
    return f"CASE WHEN {column} THEN {words[0]} WHEN {column} IS NULL THEN {words[1]} ELSE {words[2]} END AS {column}"
