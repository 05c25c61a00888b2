"""Are these rule files well formed, and what rules do they hold?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from data.canonical import sha256_hex
from data.errors import ConfigError
from data.strict_yaml import load
from engine.decision import Outcome, RuleState
from engine.features.feature_set import FeatureSet
from engine.fields import Fields
from engine.rules.conditions import And, Group, Node, Not, Or, names, walk
from engine.rules.grammar import ALLOWED, GrammarError, parse_condition
from engine.rules.inline_tests import read_test
from engine.rules.lists import Lists
from engine.rules.reasons import Reason, parse_reason
from engine.rules.rule import SEVERITIES, STATUSES, Change, Consequence, Rule
from engine.rules.rule_set import RuleSet

FOLDER = "catalogue"
DEEPEST = 6
LARGEST_FILE = 64_000
MOST_PARTS, MOST_TESTS = 250, 100
"""A rule larger than this is no rule that somebody could explain, and testing all that is in it takes too long."""
ID_PATTERN = "[a-z][a-z0-9_]{2,62}"
_ID = re.compile(ID_PATTERN + r"\Z")
_FLOORS = {"review": Outcome.REVIEW, "decline": Outcome.DECLINE}
_ON_MISSING = {"no_hit": Outcome.APPROVE, "review": Outcome.REVIEW}
_OWN = ("value", "attribute")


def load_rules(
    files: Mapping[str, bytes], feature_set: FeatureSet, lists: Lists | None = None, *, currency: str = ""
) -> RuleSet:
    """Read every `catalogue/<id>.yaml` of a set of files; other paths are left alone.

    `currency` is that of money in reasons; without it, the currency of the set's policy.yaml. ConfigError with
    file:line:column for the first thing wrong.
    """
    lists = lists or Lists()
    money = currency or _currency_of(files)
    rules: dict[str, Rule] = {}
    titles: dict[str, str] = {}
    for path in sorted(files):
        if PurePosixPath(path).parent.name != FOLDER or not path.endswith((".yaml", ".yml")):
            continue
        rule = load_rule(files[path], path, feature_set, lists, currency=money)
        if rule.title in titles:
            raise ConfigError(f"the title '{rule.title}' is also that of {titles[rule.title]}", where=path)
        titles[rule.title] = rule.id
        rules[rule.id] = rule
    return RuleSet(tuple(rules.values()), lists)


def load_rule(text: bytes, where: str, feature_set: FeatureSet, lists: Lists, *, currency: str) -> Rule:
    """Read one rule file; its id must be the file's name. ConfigError with file:line:column."""
    top = Fields(load(text, where, max_bytes=LARGEST_FILE))
    rule_id = top.text("id")
    if not _ID.match(rule_id) or rule_id != PurePosixPath(where).stem:
        allowed = f"the file's name, '{PurePosixPath(where).stem}', in small letters, digits and _"
        raise top.error(f"'id' is '{rule_id}'", "id", allowed=allowed)
    when, lines = _Conditions(feature_set, lists).read(top)
    rule = Rule(
        id=rule_id,
        version=top.integer("version", low=1),
        title=top.text("title", longest=100),
        status=top.choice("status", STATUSES),
        typology=top.text("typology", longest=60),
        severity=top.choice("severity", SEVERITIES),
        owner=top.text("owner", longest=100),
        description=top.text("description"),
        when=when,
        conditions=lines,
        then=_consequence(top.part("then"), _usable(when, feature_set), currency),
        on_missing=_ON_MISSING[top.choice("on_missing", _ON_MISSING)],
        false_positives=top.text("false_positives"),
        runbook=top.text("runbook"),
        history=tuple(_change(row) for row in top.each("history")),
        tests=tuple(read_test(row, when, feature_set, currency) for row in top.each("tests")),
        where=where,
        sha256=sha256_hex(text),
    )
    top.done()
    _check_history(rule, top)
    _check_tests(rule, top)
    return rule


def _currency_of(files: Mapping[str, bytes]) -> str:
    text = files.get("policy.yaml") or files.get("rules/policy.yaml")
    return str(load(text, "policy.yaml").value.get("currency", "")) if text else ""


class _Conditions:
    """Reads `when`: a condition, a list (all of them), or all / any / not over more of the same."""

    def __init__(self, feature_set: FeatureSet, lists: Lists) -> None:
        self.kinds = {spec.name: spec.kind for spec in feature_set.features}
        self.lists = lists
        self.lines: list[str] = []
        self.parts = 0

    def read(self, top: Fields) -> tuple[Node, tuple[str, ...]]:
        node = self._part(top, top.raw("when"), ("when",))
        return node, tuple(self.lines)

    def _part(self, top: Fields, value: Any, path: tuple[str | int, ...]) -> Node:
        if len(path) > 2 * DEEPEST:
            raise top.document.error(f"'when' is nested deeper than {DEEPEST} levels", *path)
        if isinstance(value, str):
            return self._line(top, value, path)
        if not isinstance(value, dict) or len(value) != 1:
            allowed = "one line of text, or exactly one of all, any, not"
            raise top.document.error("this is not a condition", *path, allowed=allowed)
        top.document.refuse_unknown(value, ("all", "any", "not"), *path)
        word, inner = next(iter(value.items()))
        if word == "not":
            return Not(Group(self._part(top, inner, (*path, word))))
        if not isinstance(inner, list) or not inner:
            raise top.document.error(f"'{word}' needs a list of conditions", *path, word)
        parts = tuple(self._part(top, part, (*path, word, i)) for i, part in enumerate(inner))
        wrapped = tuple(Group(p) if isinstance(p, And | Or) else p for p in parts)
        return wrapped[0] if len(wrapped) == 1 else And(wrapped) if word == "all" else Or(wrapped)

    def _line(self, top: Fields, text: str, path: tuple[str | int, ...]) -> Node:
        self.lines.append(text)
        try:
            node = parse_condition(text, self.kinds, tuple(self.lists))
        except GrammarError as problem:
            known = problem.hint != "" and "no feature" in problem.what
            allowed = "" if known else ALLOWED
            raise top.document.error(problem.what, *path, allowed=allowed, hint=problem.hint) from problem
        self.parts += sum(1 for _ in walk(node))
        if self.parts > MOST_PARTS:
            what = f"'when' has more than {MOST_PARTS} names, numbers and signs up to here"
            raise top.document.error(what, *path, hint="Make it several rules, or put the values on a list.")
        return node


def _usable(when: Node, feature_set: FeatureSet) -> dict[str, str]:
    """What a reason may name: what the rule reads, and the transaction's own values; each with its unit."""
    own = [spec.name for spec in feature_set.features if spec.measure in _OWN]
    return {name: feature_set.spec(name).unit for name in dict.fromkeys((*names(when), *own))}


def _consequence(part: Fields, usable: Mapping[str, str], currency: str) -> Consequence:
    effects = [key for key in ("floor", "allow", "block") if key in part]
    if len(effects) != 1:
        raise part.error(
            "'then' needs exactly one of floor, allow, block",
            allowed="floor: review, floor: decline, allow: true, block: true",
        )
    effect, lane, expires, cap, floor = effects[0], "", None, None, Outcome.APPROVE
    if effect == "floor":
        floor = _FLOORS[part.choice("floor", _FLOORS)]
        lane = part.choice("lane", ("money_at_risk", "uncertain"), "money_at_risk") if "lane" in part else ""
    elif not part.flag(effect):
        raise part.error(f"'{effect}' can only be true", effect, hint="Leave it out otherwise.")
    if effect == "block":
        floor = Outcome.DECLINE
    if effect == "allow":
        expires, cap = part.moment("expires"), part.money("amount_cap", currency)
    reason = _reason(part, usable, currency)
    part.done()
    return Consequence(effect, floor, reason, lane, expires, cap)


def _reason(part: Fields, usable: Mapping[str, str], currency: str) -> Reason:
    try:
        return parse_reason(part.text("reason", longest=300), usable, currency)
    except GrammarError as problem:
        raise part.error(problem.what, "reason", hint=problem.hint) from problem


def _change(row: Fields) -> Change:
    change = Change(row.integer("version", low=1), row.text("at"), row.text("change"))
    row.done()
    try:
        date.fromisoformat(change.at)
    except ValueError as problem:
        raise row.error(f"'at' is '{change.at}'", "at", allowed="a date such as 2026-11-21") from problem
    return change


def _check_history(rule: Rule, top: Fields) -> None:
    if not rule.history or max(change.version for change in rule.history) != rule.version:
        raise top.error(
            f"'history' does not say what version {rule.version} changed",
            "history" if "history" in top else "version",
            hint=f"Add a line {{version: {rule.version}, at: <date>, change: <what and why>}}.",
        )


def _check_tests(rule: Rule, top: Fields) -> None:
    expected = {test.expect for test in rule.tests}
    for state, word in ((RuleState.HIT, "fires"), (RuleState.NO_HIT, "stays quiet")):
        if state not in expected:
            key = "tests" if "tests" in top else "id"
            raise top.error(
                f"no inline test shows that the rule {word}", key, hint=f"Add one with expect: {state}."
            )
    if len(rule.tests) > MOST_TESTS:
        raise top.error(f"{len(rule.tests)} inline tests", "tests", allowed=f"at most {MOST_TESTS}")
    seen = [test.name for test in rule.tests]
    if len(set(seen)) != len(seen):
        raise top.error("two inline tests have the same name", "tests")
