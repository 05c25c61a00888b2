"""How does a rule take its next step, and how does the whole set go back to an earlier one, as new versions?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from casework.app import App
from casework.settings import evidence
from casework.settings.rule_text import with_step
from data import approved, strict_yaml
from data.errors import ConflictError, InputError, NotFoundError
from engine.rules.life import can_move_to
from engine.rules.loader import FOLDER
from engine.rules.rule import STATUSES, Rule


def step(
    app: App, rule_id: str, to: str, *, reason: str, override_reason: str, at: datetime
) -> dict[str, bytes | None]:
    """The file of a rule with its next status (or `to`), a version more and the reason in its history.

    NotFoundError for an unknown rule; InputError for a step it cannot take, or one to live without the evidence
    that the policy asks for and without an override reason.
    """
    settings = app.settings()
    rule = _rule(app, rule_id)
    status = to or _next(rule)
    if status not in STATUSES:
        raise InputError(f"{to[:40]!r} is no status", where="to", allowed=", ".join(STATUSES))
    _check_step(app, rule, status, override_reason, at)
    path = f"{FOLDER}/{rule_id}.yaml"
    change = f"{rule.status} to {status}: {reason}"
    if override_reason and status == "live":
        change += f" (without the evidence from shadow: {override_reason})"
    return {
        path: with_step(
            settings.files[path], path, version=rule.version + 1, status=status, change=change, on=at.date()
        )
    }


def shown_in_shadow(app: App, rule_id: str, at: datetime) -> dict[str, Any]:
    """What an approved rule has shown in shadow. NotFoundError for an unknown one."""
    return evidence.shadow_evidence(app, _rule(app, rule_id), app.settings().policy, at)


def _rule(app: App, rule_id: str) -> Rule:
    rule = next((rule for rule in app.settings().rules if rule.id == rule_id), None)
    if rule is None:
        raise NotFoundError(f"no rule {rule_id[:100]!r} is approved", hint="GET /v1/rules lists them.")
    return rule


def _next(rule: Rule) -> str:
    following = can_move_to(rule.status)[0]
    if rule.status in ("live", "retired"):
        raise InputError(
            f"the rule is {rule.status}, and no promotion follows",
            where=rule.id,
            allowed=", ".join(can_move_to(rule.status)),
            hint="Say which of them with --to.",
        )
    return following


def _check_step(app: App, rule: Rule, status: str, override_reason: str, at: datetime) -> None:
    if status == rule.status:
        raise ConflictError(f"{rule.id} is {status} already")
    exceptional = status == "live" and override_reason
    if status not in can_move_to(rule.status) and not exceptional:
        raise InputError(
            f"the rule cannot go from {rule.status} to {status}",
            where=rule.id,
            allowed=", ".join(can_move_to(rule.status)),
            hint="A rule that must go live at once needs an override reason." if status == "live" else "",
        )
    if status == "live" and not exceptional:
        found = evidence.shadow_evidence(app, rule, app.settings().policy, at)
        if not found["enough"]:
            raise InputError(
                f"the rule has not shown enough in shadow: {'; '.join(found['lacking'])}",
                where=rule.id,
                hint="Let it run longer, or give an override reason, which is kept and shown.",
            )


def back_to(app: App, set_id: str, *, reason: str, at: datetime) -> dict[str, bytes | None]:
    """The changes that make the present set what an earlier one was. Rules come back as new versions; those that were
    not there then are retired. NotFoundError for an unknown set; ConflictError if it is what runs."""
    older = approved.load(app.ledger, set_id).files
    running = approved.current(app.ledger).files
    if dict(older) == dict(running):
        raise ConflictError(f"{set_id} is what runs", hint="Choose an earlier set.")
    versions = {rule.id: rule.version for rule in app.settings().rules}
    told = f"Back to what it was in {set_id}: {reason}"
    changes: dict[str, bytes | None] = {}
    for path in sorted({*older, *running}):
        was, now = older.get(path), running.get(path)
        if was == now:
            continue
        if PurePosixPath(path).parent.name == FOLDER:
            changes[path] = _older_rule(path, was, now, versions, told, at)
        else:
            changes[path] = was
    return changes


def _older_rule(
    path: str, was: bytes | None, now: bytes | None, versions: Mapping[str, int], change: str, at: datetime
) -> bytes:
    source = was if was is not None else now
    assert source is not None  # one of both differs from the other
    version = versions.get(PurePosixPath(path).stem, _version(source, path)) + 1
    status = str(strict_yaml.load(source, path).value.get("status")) if was is not None else "retired"
    return with_step(source, path, version=version, status=status, change=change, on=at.date())


def _version(source: bytes, path: str) -> int:
    return int(strict_yaml.load(source, path).value.get("version", 0))
