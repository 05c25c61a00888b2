"""What would a colleague say of these texts before they are proposed: what is wrong, which tests fail, which numbers
are loose?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from casework.app import App
from casework.settings import rule_lock
from casework.settings.linting import finding_row, lint_files
from data.errors import InputError
from data.incoming.mapping import Mapping as Institution
from engine.features.spec import load_features
from engine.policy import load_policy
from engine.rules.lint import Severity
from engine.rules.lists import load_lists
from engine.rules.loader import FOLDER, load_rule
from engine.rules.pinning import Unpinned, check_pins
from engine.rules.rule import Rule
from engine.rules.testing import TestOutcome, run_rule_tests

JSON = dict[str, Any]


def check(app: App, files: Mapping[str, bytes], paths: Iterable[str], at: datetime) -> JSON:
    """Findings, inline tests and unpinned numbers of the files at `paths` within a whole set; errors in other files
    are told as well, since they keep the set from being approved."""
    mine = set(paths)
    running = rule_lock.locked(app.settings().rules)
    found = lint_files(files, app.mapping, at=at, running=running)
    told = [
        f
        for f in found
        if f.severity is Severity.ERROR or f.where.split(":")[0].removeprefix("rules/") in mine
    ]
    tests, loose = _answered(files, app.mapping, mine)
    return {
        "findings": [finding_row(f) for f in told if f.check != "unpinned_threshold"],
        "tests": [test_row(outcome) for outcome in tests],
        "unpinned": [pin_row(unpinned) for unpinned in loose],
        "sound": not any(f.severity is Severity.ERROR for f in found),
    }


def test_row(outcome: TestOutcome) -> JSON:
    """One inline test as JSON."""
    test = outcome.test
    return {
        "rule": outcome.rule_id,
        "name": test.name,
        "expected": test.expect.value,
        "actual": outcome.actual.value,
        "passed": outcome.passed,
    }


def pin_row(unpinned: Unpinned) -> JSON:
    """One change that no test notices, as JSON."""
    return {"rule": unpinned.rule_id, "change": unpinned.change, "condition": unpinned.condition}


def _answered(
    files: Mapping[str, bytes], institution: Institution, paths: set[str]
) -> tuple[list[TestOutcome], list[Unpinned]]:
    tests: list[TestOutcome] = []
    loose: list[Unpinned] = []
    try:
        lists = load_lists(files.get("lists.yaml", b""), "lists.yaml")
        rules = _rules(files, institution, paths)
    except InputError:  # the findings say what is wrong with it
        return tests, loose
    for rule in rules:
        outcomes = run_rule_tests(rule, lists)
        tests += outcomes
        if rule.status != "retired" and all(outcome.passed for outcome in outcomes):
            loose += check_pins(rule, lists)
    return tests, loose


def _rules(files: Mapping[str, bytes], institution: Institution, paths: set[str]) -> list[Rule]:
    """The rules among `paths` that can be read."""
    features = load_features(files.get("features.yaml", b""), "features.yaml", institution)
    lists = load_lists(files.get("lists.yaml", b""), "lists.yaml")
    currency = load_policy(files.get("policy.yaml", b""), "policy.yaml").currency
    found = []
    for path in sorted(paths & files.keys()):
        if PurePosixPath(path).parent.name != FOLDER:
            continue
        try:
            found.append(load_rule(files[path], path, features, lists, currency=currency))
        except InputError:  # the findings say what is wrong with it
            continue
    return found
