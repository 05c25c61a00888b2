"""What is proposed in the workspace's files, is it sound, and how does it come into force?"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from casework.app import App
from casework.settings import rule_lock
from casework.settings.linting import ERRORS, finding_row, lint_files
from data import approved
from data.approved import ApprovedSet
from data.canonical import sha256_hex
from data.errors import ConflictError, InputError
from data.ledger import Ledger
from engine.decision import Outcome
from engine.rules.rule import Rule
from engine.rules.rule_set import RuleSet
from engine.rules.testing import failures, run_tests

_LONGEST_DIFF = 400


def plain(value: Any) -> Any:
    """A settings object as JSON: outcomes as words, durations as seconds."""
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def rule_rows(ledger: Ledger, rules: RuleSet) -> list[dict[str, Any]]:
    """Every rule of a set as a person reads it, with how often it hit."""
    hits = ledger.read("SELECT unnest(rules_hit) AS id, count(*) AS n FROM decisions GROUP BY id")
    counted = {row["id"]: row["n"] for row in hits}
    return [{**_rule_row(rule), "hits": counted.get(rule.id, 0)} for rule in rules]


def _rule_row(rule: Rule) -> dict[str, Any]:
    then = rule.then
    return {
        "id": rule.id,
        "version": rule.version,
        "title": rule.title,
        "status": rule.status,
        "typology": rule.typology,
        "severity": rule.severity,
        "owner": rule.owner,
        "description": rule.description,
        "conditions": list(rule.conditions),
        "features": list(rule.features),
        "then": {
            "effect": then.effect,
            "floor": then.floor.word,
            "lane": then.lane,
            "expires": then.expires,
            "amount_cap_minor": then.amount_cap_minor,
        },
        "on_missing": rule.on_missing.word,
        "false_positives": rule.false_positives,
        "runbook": rule.runbook,
        "history": [asdict(change) for change in rule.history],
        "tests": len(rule.tests),
    }


def set_row(current: ApprovedSet) -> dict[str, Any]:
    """Who approved what, and the hash of each file."""
    hashes = {path: sha256_hex(content) for path, content in sorted(current.files.items())}
    return {
        "set_id": current.set_id,
        "approved_by": current.approved_by,
        "approved_at": current.approved_at,
        "reason": current.reason,
        "files": hashes,
    }


def drafts(app: App, at: datetime) -> dict[str, Any]:
    """The files that differ from the approved set, each with its diff, and what is wrong with them together."""
    current = approved.current(app.ledger)
    proposed = approved.read_folder(app.workspace.rules)
    found = [
        {
            "path": draft.path,
            "change": draft.change,
            "diff": _diff(draft.path, current.files.get(draft.path, b""), proposed.get(draft.path, b"")),
        }
        for draft in approved.drafts(app.ledger, app.workspace.rules)
    ]
    problems = check(proposed, app, at) if found else []
    return {"set_id": current.set_id, "drafts": found, "problems": problems}


def _diff(path: str, old: bytes, new: bytes) -> list[str]:
    before, after = (text.decode("utf-8", "replace").splitlines() for text in (old, new))
    return list(difflib.unified_diff(before, after, f"approved/{path}", f"draft/{path}", lineterm=""))[
        :_LONGEST_DIFF
    ]


def check(files: Mapping[str, bytes], app: App, at: datetime) -> list[dict[str, str]]:
    """What keeps a set of files from being approved: the errors of the linter, held against the set that runs."""
    running = rule_lock.locked(app.settings().rules)
    found = lint_files(files, app.mapping, at=at, running=running, checks=ERRORS)
    return [finding_row(finding) for finding in found]


def failed_tests(rules: RuleSet) -> list[dict[str, str]]:
    """The inline tests that do not give what they expect."""
    return [
        {
            "where": f"{failed.rule_id}: {failed.test.name}",
            "what": f"expected {failed.test.expect}, was {failed.actual}",
            "hint": "Correct the rule, or the test if it expects the wrong thing.",
        }
        for failed in failures(run_tests(rules))
    ]


def approve(app: App, paths: Sequence[str] | None, *, by: str, reason: str, at: datetime) -> dict[str, Any]:
    """Bring drafts into force, all of them or those named, after checking the set they make.

    ConflictError if nothing differs; InputError for a path that is no draft, or if the set would not be sound.
    """
    waiting = {draft.path: draft.change for draft in approved.drafts(app.ledger, app.workspace.rules)}
    if not waiting:
        raise ConflictError("no file differs from the approved set", hint="Change a file under rules/ first.")
    wanted = list(waiting) if paths is None else list(paths)
    for path in wanted:
        if path not in waiting:
            raise InputError(f"{path!r} is not a draft", where="paths", allowed=", ".join(waiting))
    files = _with_drafts(app, {path: waiting[path] for path in wanted})
    if problems := check(files, app, at):
        first = problems[0]
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise InputError(first["what"], where=first["where"], hint=first["hint"] + more)
    with app.changing_settings(), app.ledger.writing() as w:
        set_id = approved.approve(w, files, by, reason, at)
    return {"set_id": set_id, "approved": sorted(wanted)}


def _with_drafts(app: App, changes: Mapping[str, str]) -> dict[str, bytes]:
    proposed = approved.read_folder(app.workspace.rules)
    files = dict(approved.current(app.ledger).files)
    for path, change in changes.items():
        if change == "removed":
            del files[path]
        else:
            files[path] = proposed[path]
    return files
