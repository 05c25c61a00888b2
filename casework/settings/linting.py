"""What is wrong, doubtful or worth knowing in a set of rule files, all of it at once?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, TypeVar

from casework.app import App
from casework.live import REQUIRED, read_settings
from casework.settings import rule_lock
from data import approved, strict_yaml
from data.errors import InputError, did_you_mean
from data.incoming.mapping import Mapping as Institution
from engine.features.feature_set import FeatureSet
from engine.features.spec import load_features
from engine.policy import Policy, load_policy
from engine.rules.conditions import Node
from engine.rules.grammar import GrammarError, parse_condition
from engine.rules.lint import CHECKS, Check, Finding, Severity, Subject, lint, sources_of
from engine.rules.lists import Lists, load_lists
from engine.rules.loader import FOLDER

T = TypeVar("T")
ERRORS = tuple(check for check in CHECKS if check.severity is Severity.ERROR)


def lint_workspace(app: App, at: datetime) -> list[Finding]:
    """Findings on the files of the workspace, held against the set that runs."""
    files = approved.read_folder(app.workspace.rules)
    return lint_files(files, app.mapping, at=at, running=rule_lock.locked(app.settings().rules))


def lint_files(
    files: Mapping[str, bytes],
    institution: Institution,
    *,
    at: datetime,
    running: rule_lock.Locked | None = None,
    where: str = "rules",
    checks: Iterable[Check] = CHECKS,
) -> list[Finding]:
    """All findings on a set of files, errors or not, by place. Nothing is raised for what the files hold.

    `running` are versions and hashes of the rules in force, if there are any; `where` is the folder's name in
    findings; `at` (UTC) decides what has expired.
    """
    named = {f"{where}/{name}": content for name, content in files.items()}
    reading = _Reading(named, where)
    features = reading.of("features.yaml", lambda text, place: load_features(text, place, institution))
    lists = reading.of("lists.yaml", load_lists)
    policy = reading.of("policy.yaml", lambda text, place: _policy(text, place, institution))
    reading.places()
    lock = reading.of(rule_lock.LOCK_FILE, rule_lock.read) if rule_lock.LOCK_FILE in files else {}
    if features is None or lists is None:
        return reading.problems  # every rule would be blamed for what is wrong elsewhere
    place = f"{where}/policy.yaml"
    asked = (policy, strict_yaml.load(named[place], place)) if policy else None
    subject = Subject(
        sources=sources_of(named, features, lists, currency=institution.base_currency),
        features=features,
        lists=lists,
        at=at,
        lists_document=_document(named, f"{where}/lists.yaml"),
        locked=_agreed(lock or {}, running or {}),
        pseudonymous=institution.pseudonymous,
        segments=tuple(_segments(*asked, features, lists)) if asked else (),
        matches=tuple(_matches(*asked)) if asked else (),
    )
    found = reading.problems + lint(subject, checks)
    return (
        found
        if any(f.severity is Severity.ERROR for f in found)
        else found + _together(files, institution, where)
    )


def _segments(
    policy: Policy, document: strict_yaml.Document, features: FeatureSet, lists: Lists
) -> Iterator[tuple[str, Node]]:
    """The conditions of the policy's segments, with their places."""
    kinds = {spec.name: spec.kind for spec in features.features}
    for name, segment in policy.segments.items():
        if segment.when:
            with suppress(GrammarError):  # said where the files are taken together
                yield (
                    document.at("segments", name, "when"),
                    parse_condition(segment.when, kinds, tuple(lists)),
                )


def _matches(policy: Policy, document: strict_yaml.Document) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The values of a field that a queue waits for, with their places."""
    for queue in policy.work.queues:
        for field, values in queue.match.items():
            yield document.at("queues", queue.name, "match", field), field, values


def _policy(text: bytes, place: str, institution: Institution) -> Policy:
    """The policy. ConfigError for one that is none, or that says what would silently come to something else: money in
    another currency than the ledger's, alerts joined or queued by what no payment has."""
    policy, document, base = (
        load_policy(text, place),
        strict_yaml.load(text, place),
        institution.base_currency,
    )
    if policy.currency != base:
        what = f"'currency' is '{policy.currency}', but amounts are kept in {base}"
        raise document.error(what, "currency", allowed=base, hint=f"Write costs and limits in {base}.")
    for name, known, told, path in _named(policy, institution):
        if name not in known:
            allowed, hint = ", ".join(known), did_you_mean(name, known)
            raise document.error(f"{told} '{name}', which is not there", *path, allowed=allowed, hint=hint)
    return policy


def _named(policy: Policy, institution: Institution) -> Iterator[tuple[str, list[str], str, tuple[str, ...]]]:
    """What the policy calls by name: the name, those there are, what is said of it, and where it stands."""
    joining = policy.work.joining
    if joining:
        yield joining.entity, list(institution.entities), "alerts are joined by", ("joining", "entity")
    for queue in policy.work.queues:
        waits, path = f"the queue '{queue.name}' waits for", ("queues", queue.name)
        for segment in queue.segments:
            yield segment, list(policy.segments), f"{waits} the segment", (*path, "segments")
        for field in queue.match:
            known = [*institution.entities, *institution.attributes]
            yield field, known, f"{waits} values of", (*path, "match", field)


def _together(files: Mapping[str, bytes], institution: Institution, where: str) -> list[Finding]:
    """What is wrong only with the files taken together, such as a feature that the policy does not allow."""
    try:
        read_settings(files, institution, where)
    except InputError as problem:
        return [Finding("unreadable", Severity.ERROR, problem.where, problem.what, problem.hint)]
    return []


class _Reading:
    """Reads files one by one and keeps what is wrong with them."""

    def __init__(self, files: Mapping[str, bytes], where: str) -> None:
        self.files, self.where = files, where
        self.problems: list[Finding] = []

    def of(self, name: str, read: Callable[[bytes, str], T]) -> T | None:
        place = f"{self.where}/{name}"
        if name in REQUIRED and place not in self.files:
            self._add(place, "this file is missing", "Put it back; it is needed.")
            return None
        try:
            return read(self.files.get(place, b""), place)
        except InputError as problem:
            allowed = f" (allowed: {problem.allowed})" if problem.allowed else ""
            self._add(problem.where, problem.what + allowed, problem.hint)
            return None

    def places(self) -> None:
        """A rule is found by its name in many places, so there is one place for it to be."""
        for place in sorted(self.files):
            path = PurePosixPath(place)
            wanted = f"{self.where}/{FOLDER}/{path.stem}.yaml"
            if path.parent.name == FOLDER and path.suffix in (".yaml", ".yml") and place != wanted:
                self._add(place, "a rule's file is not where rules are looked for", f"Name it {wanted}.")

    def _add(self, where: str, what: str, hint: str) -> None:
        self.problems.append(Finding("unreadable", Severity.ERROR, where, what, hint))


def _document(files: Mapping[str, bytes], path: str) -> strict_yaml.Document | None:
    text = files.get(path, b"")
    return strict_yaml.load(text, path) if text.strip() else None


def _agreed(lock: rule_lock.Locked, running: rule_lock.Locked) -> dict[str, Mapping[str, Any]]:
    """What was last agreed on for each rule: what runs, unless the lock file is a version ahead."""
    agreed = dict(lock)
    for rule_id, held in running.items():
        if rule_id not in agreed or agreed[rule_id].get("version", 0) <= held["version"]:
            agreed[rule_id] = held
    return agreed


def finding_row(finding: Finding) -> dict[str, str]:
    """A finding as JSON."""
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "where": finding.where,
        "what": finding.what,
        "hint": finding.hint,
    }


def check_rows() -> list[dict[str, str]]:
    """Every check there is: name, severity, and what it objects to."""
    return [{"check": c.name, "severity": c.severity.value, "about": c.about} for c in CHECKS]
