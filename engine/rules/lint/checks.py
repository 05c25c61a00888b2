"""Which mistakes do people make in rule files, and how is each of them noticed?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from data.pseudonyms import is_pseudonym
from engine.features.feature_set import INTEGER
from engine.rules.conditions import Compare, Listed, Member, Text, names, walk
from engine.rules.contradictions import Contradiction, contradictions
from engine.rules.grammar import GrammarError, parse_condition
from engine.rules.lint.subject import Check, Objection, Severity, Source, Subject
from engine.rules.pinning import check_pins
from engine.rules.reasons import PLACE
from engine.rules.rule import Rule
from engine.rules.testing import failures, run_rule_tests

_NOTHING_SAID = re.compile(r"(unknown|none|n/?a|tbd|todo|-+|\?+|\.+)?[.!]?\Z", re.IGNORECASE)
_SHADOW = re.compile(r"shadow", re.IGNORECASE)
Finder = Callable[[Subject], Iterable[Objection]]
_CHECKS: list[Check] = []


def _check(name: str, severity: Severity, about: str) -> Callable[[Finder], Finder]:
    def register(find: Finder) -> Finder:
        _CHECKS.append(Check(name, severity, about, find))
        return find

    return register


@_check("unknown_feature", Severity.ERROR, "a condition reads a feature that is not declared")
def unknown_feature(subject: Subject) -> Iterator[Objection]:
    for source in subject.sources:
        yield from _unknown_in(source, subject)


def _unknown_in(source: Source, subject: Subject) -> Iterator[Objection]:
    kinds = {spec.name: spec.kind for spec in subject.features.features}
    for text, path in source.lines():
        try:
            parse_condition(text, kinds, tuple(subject.lists))
        except GrammarError as problem:
            if "no feature" in problem.what:
                yield source.at(*path), problem.what, problem.hint


@_check("duplicate_id", Severity.ERROR, "two files hold a rule of the same id")
def duplicate_id(subject: Subject) -> Iterator[Objection]:
    yield from _duplicates(subject, "id", "Rename one of them, file and id.")


@_check("duplicate_title", Severity.ERROR, "two rules have the same title")
def duplicate_title(subject: Subject) -> Iterator[Objection]:
    yield from _duplicates(subject, "title", "Reviewers tell rules apart by their titles.")


def _duplicates(subject: Subject, key: str, hint: str) -> Iterator[Objection]:
    seen: dict[str, Source] = {}
    for source in subject.sources:
        value = source.value.get(key)
        if not isinstance(value, str):
            continue
        first = seen.setdefault(value.strip().lower(), source)
        if first is not source:
            yield source.at(key), f"the {key} '{value}' is also that of {first.at(key)}", hint


@_check("changed_without_version", Severity.ERROR, "a rule changed and its version did not")
def changed_without_version(subject: Subject) -> Iterator[Objection]:
    for source, rule in subject.read():
        held = subject.locked.get(rule.id)
        if held is None:
            continue
        version = int(held.get("version", 0))
        if rule.version < version:
            what = f"the version went back from {version} to {rule.version}"
            yield source.at("version"), what, "Versions only go up."
        elif rule.version == version and rule.sha256 != held.get("sha256"):
            what = f"the file changed but its version is still {rule.version}"
            yield source.at("version"), what, "Raise the version and add a line to its history."


@_check("gone_without_retiring", Severity.ERROR, "a rule is gone without having been retired")
def gone_without_retiring(subject: Subject) -> Iterator[Objection]:
    there = {source.value.get("id") for source in subject.sources}
    there |= {PurePosixPath(source.where).stem for source in subject.sources}
    for rule_id, held in sorted(subject.locked.items()):
        if rule_id not in there and held.get("status") != "retired":
            what = "the rule is gone without having been retired"
            yield rule_id, what, "Set its status to retired first."


@_check("no_false_positives", Severity.ERROR, "nothing says when the rule is wrong")
def no_false_positives(subject: Subject) -> Iterator[Objection]:
    for source in subject.sources:
        told = source.value.get("false_positives")
        if isinstance(told, str) and _NOTHING_SAID.match(told.strip()):
            what = f"'false_positives' says nothing ('{told.strip()}')"
            yield source.at("false_positives"), what, "Name the honest people this rule will stop."


@_check("no_firing_test", Severity.ERROR, "no inline test shows that the rule fires")
def no_firing_test(subject: Subject) -> Iterator[Objection]:
    yield from _without(subject, "hit", "no inline test shows that the rule fires")


@_check("no_quiet_test", Severity.ERROR, "no inline test shows that the rule stays quiet")
def no_quiet_test(subject: Subject) -> Iterator[Objection]:
    yield from _without(subject, "no_hit", "no inline test shows that the rule stays quiet")


def _without(subject: Subject, state: str, what: str) -> Iterator[Objection]:
    for source in subject.sources:
        expected = {row.get("expect") for _, row in source.each("tests")}
        if source.document is not None and state not in expected:
            yield source.at("tests" if "tests" in source.value else "id"), what, f"Add one: expect: {state}."


@_check("failing_test", Severity.ERROR, "an inline test does not give what it expects")
def failing_test(subject: Subject) -> Iterator[Objection]:
    for source, rule in subject.read():
        for failed in failures(run_rule_tests(rule, subject.lists)):
            place = next(
                i for i, row in source.each("tests") if row.get("name", "").strip() == failed.test.name
            )
            what = f"the test '{failed.test.name}' expected {failed.test.expect}, was {failed.actual}"
            yield (
                source.at("tests", place),
                what,
                "Correct the rule, or the test if it expects the wrong thing.",
            )


@_check("unpinned_threshold", Severity.WARNING, "a number or condition that no inline test defends")
def unpinned_threshold(subject: Subject) -> Iterator[Objection]:
    for source, rule in subject.read():
        if rule.status == "retired" or failures(run_rule_tests(rule, subject.lists)):
            continue
        for loose in check_pins(rule, subject.lists):
            hint = "Add a test on either side of it."
            yield _line_of(source, loose.condition), f"no test notices when {loose.change}", hint


def _line_of(source: Source, condition: str) -> str:
    """Where a condition stands in the file, compared without spaces; `when` if it spans several lines."""
    wanted = "".join(condition.split())
    places = [path for text, path in source.lines() if wanted in "".join(text.split())]
    return source.at(*places[0]) if places else source.at("when")


@_check("contradictory_conditions", Severity.ERROR, "the rule can never fire")
def contradictory_conditions(subject: Subject) -> Iterator[Objection]:
    for source, rule, found in _contradictions(subject):
        if found.whole:
            yield (
                _line_of(source, found.parts[-1]),
                f"{found}, so {rule.id} never fires",
                "Drop or change one.",
            )


@_check("dead_branch", Severity.WARNING, "an alternative of the rule can never hold")
def dead_branch(subject: Subject) -> Iterator[Objection]:
    for source, _, found in _contradictions(subject):
        if not found.whole:
            yield (
                _line_of(source, found.parts[-1]),
                f"{found}: this alternative is dead",
                "Drop or change it.",
            )


def _contradictions(subject: Subject) -> Iterator[tuple[Source, Rule, Contradiction]]:
    integers = frozenset(spec.name for spec in subject.features.features if spec.kind == INTEGER)
    for source, rule in subject.read():
        for found in contradictions(rule.when, integers):
            yield source, rule, found


@_check("expired_list_entry", Severity.WARNING, "a list entry that no longer holds")
def expired_list_entry(subject: Subject) -> Iterator[Objection]:
    for name in subject.lists:
        for index, entry in enumerate(subject.lists[name].entries):
            if entry.expires is not None and entry.expires <= subject.at:
                what = f"'{entry.value}' on {name} expired on {_day(entry.expires)}"
                yield _list_place(subject, name, index), what, "Renew it with a reason, or take it off."


def _list_place(subject: Subject, name: str, index: int, key: str = "expires") -> str:
    document = subject.lists_document
    return document.at("lists", name, "entries", index, key) if document else name


@_check(
    "name_in_clear",
    Severity.ERROR,
    "a list, condition or queue names somebody of whom payments hold a pseudonym only",
)
def name_in_clear(subject: Subject) -> Iterator[Objection]:
    """What is found is not quoted: findings are shown and kept."""
    entities = {f.name: f.of for f in subject.features.features if f.of in subject.pseudonymous}
    listed: dict[str, str] = {}
    conditions = [*((source.at("when"), rule.when) for source, rule in subject.read()), *subject.segments]
    for place, condition in conditions if entities else ():
        for node in walk(condition):
            if isinstance(node, Listed) and node.of.name in entities:
                listed[node.list_name] = entities[node.of.name]
            elif isinstance(node, Compare | Member):
                held = [entities[name] for name in names(node) if name in entities]
                texts = [part.value for part in walk(node) if isinstance(part, Text)]
                if held and not all(is_pseudonym(held[0], text) for text in texts):
                    what = f"a condition compares {held[0]} with what is no pseudonym"
                    yield place, what, _as_pseudonym(held[0])
    for place, entity, values in subject.matches:
        if entity in subject.pseudonymous and not all(is_pseudonym(entity, value) for value in values):
            yield place, f"a queue waits for a {entity} that is no pseudonym", _as_pseudonym(entity)
    for name, entity in listed.items():
        for index, entry in enumerate(subject.lists[name].entries):
            if not is_pseudonym(entity, entry.value):
                what = f"entry {index + 1} of {name} is no pseudonym of {entity}"
                yield _list_place(subject, name, index, "value"), what, _as_pseudonym(entity)


def _as_pseudonym(entity: str) -> str:
    return f"It would match nobody: secondlook mapping pseudonym {entity} VALUE says what to write."


@_check("expired_allow_lane", Severity.WARNING, "an allow lane that no longer holds")
def expired_allow_lane(subject: Subject) -> Iterator[Objection]:
    for source, rule in subject.read():
        if rule.status == "live" and rule.then.expires is not None and rule.then.expires <= subject.at:
            what = f"the allow lane expired on {_day(rule.then.expires)}"
            yield source.at("then", "expires"), what, "Retire the rule, or renew it with a reason."


@_check("live_without_shadow", Severity.INFO, "a live rule whose history names no time in shadow")
def live_without_shadow(subject: Subject) -> Iterator[Objection]:
    for source, rule in subject.read():
        if rule.status == "live" and not any(_SHADOW.search(change.change) for change in rule.history):
            what = "the rule is live, but its history names no time in shadow"
            yield source.at("history"), what, "Say what it found in shadow, or why it had to go live at once."


@_check("unread_feature_in_reason", Severity.ERROR, "the reason names a feature that the rule does not read")
def unread_feature_in_reason(subject: Subject) -> Iterator[Objection]:
    own = {spec.name for spec in subject.features.features if spec.measure in ("value", "attribute")}
    known = {spec.name for spec in subject.features.features}
    for source in subject.sources:
        if any(_unknown_in(source, subject)):
            continue  # what the rule meant to read is not known yet
        then = source.value.get("then")
        reason = then.get("reason") if isinstance(then, dict) else None
        text = " ".join(line for line, _ in source.lines())
        read = own | (known & set(re.findall(r"[a-z_][a-z0-9_]*", text)))
        for place in PLACE.findall(reason) if isinstance(reason, str) else ():
            if place not in read:
                what = f"the reason names '{place}', which the rule does not read"
                yield source.at("then", "reason"), what, "Name what the condition looked at."


@_check("unreadable", Severity.ERROR, "the file cannot be read as a rule")
def unreadable(subject: Subject) -> Iterator[Objection]:
    for source in subject.sources:
        problem: Any = source.problem
        if problem is not None:
            allowed = f" (allowed: {problem.allowed})" if problem.allowed else ""
            yield problem.where, problem.what + allowed, problem.hint


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


CHECKS: tuple[Check, ...] = tuple(_CHECKS)
"""Every check, in the order in which they are asked."""
