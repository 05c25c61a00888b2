"""How does a proposal come into force, and what keeps it from doing so?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.app import App
from casework.live import read_settings
from casework.settings import evidence, proposals, rule_lock
from casework.settings.linting import ERRORS, finding_row, lint_files
from casework.settings.proposals import APPROVED, Change, Proposal
from data import approved
from data.errors import ConflictError, InputError, PermissionDenied
from engine.rules.life import Move, moves

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approves which content, and why. `set_id`, if given, is the set that the approver saw would result."""

    by: str
    reason: str
    content_sha256: str
    set_id: str = ""


def resulting_files(app: App, proposal: Proposal) -> dict[str, bytes]:
    """The set as it would be: what runs, with the proposal's changes."""
    files = dict(approved.current(app.ledger).files)
    contents = approved.contents(app.ledger, [c.after for c in proposal.changes])
    for change in proposal.changes:
        if change.after:
            files[change.path] = contents[change.after]
        else:
            files.pop(change.path, None)
    return files


def overtaken(app: App, proposal: Proposal) -> list[str]:
    """The files that have changed in the approved set since the proposal was made: its author saw other ones."""
    running = approved.current(app.ledger).files
    return [c.path for c in proposal.changes if proposals.hash_of(running.get(c.path)) != c.before]


def problems(app: App, files: Mapping[str, bytes], override_reason: str, at: datetime) -> list[JSON]:
    """What keeps a set from being approved: the errors of the linter, and steps to live that nothing speaks for."""
    running = rule_lock.locked(app.settings().rules)
    found = [finding_row(f) for f in lint_files(files, app.mapping, at=at, running=running, checks=ERRORS)]
    if found:
        return found
    return [row for told in promotions(app, files, at) if (row := _objection(told, override_reason))]


def promotions(app: App, files: Mapping[str, bytes], at: datetime) -> list[JSON]:
    """Every rule whose status would change: from, to, whether that is an ordinary step, and for steps to live the
    evidence from shadow."""
    then = read_settings(files, app.mapping)
    return [
        {
            **told(move),
            "evidence": evidence.shadow_evidence(app, move.rule, then.policy, at) if move.to_live else None,
        }
        for move in moves(app.settings().rules, then.rules)
    ]


def told(move: Move) -> JSON:
    """A step in a rule's life as JSON."""
    return {
        "rule": move.rule.id,
        "title": move.rule.title,
        "from": move.before,
        "to": move.after,
        "allowed": move.allowed,
        "where": move.rule.where,
    }


def _objection(step: JSON, override_reason: str) -> JSON | None:
    if override_reason and step["to"] == "live":
        return None
    found = step["evidence"]
    if not step["allowed"]:
        what = f"{step['rule']} cannot go from {step['from'] or 'nothing'} to {step['to']}"
    elif found and not found["enough"]:
        what = f"{step['rule']} has not shown enough in shadow: {'; '.join(found['lacking'])}"
    else:
        return None
    hint = (
        "Let it run in shadow, or propose it with an override reason."
        if step["to"] == "live"
        else "Take one step at a time: draft, shadow, live, retired."
    )
    return {"check": "life", "severity": "error", "where": step["where"], "what": what, "hint": hint}


def without_evidence(steps: list[JSON]) -> list[str]:
    """The rules that would go live by exception."""
    return [step["rule"] for step in steps if step["to"] == "live" and _objection(step, "")]


def may_approve(proposal: Proposal, by: str) -> str:
    """Why this person may not approve this proposal; empty if nothing is against it."""
    if by in proposal.authors:
        return f"{by} wrote {proposal.proposal_id}, and nobody approves a change of their own"
    return ""


def approve(app: App, proposal_id: str, approval: Approval, *, at: datetime) -> JSON:
    """Bring a proposal into force: from the next transaction on the new set decides.

    PermissionDenied for an author or for somebody who is no user; ConflictError if it is settled, if its content is
    not what the approver names, or if what it changes has changed meanwhile; InputError if the set is not sound.
    """
    proposals.require_user(app.ledger, approval.by)
    found = proposals.find(app.ledger, proposal_id)
    files = _checked(app, found, approval)
    if wrong := problems(app, files, found.override_reason, at):
        more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
        raise InputError(wrong[0]["what"], where=wrong[0]["where"], hint=wrong[0]["hint"] + more)
    steps = promotions(app, files, at)
    with app.lock:
        # Linting takes a moment in which decisions go on; what it was about must still be so.
        if _checked(app, proposals.find(app.ledger, proposal_id), approval) != files:
            raise ConflictError("another change came into force meanwhile", hint="Look at it again.")
        set_id = _in_force(app, found, files, approval, steps, at)
    left = bring_along(app.workspace.rules, found.changes, files)
    return {
        "proposal_id": proposal_id,
        "set_id": set_id,
        "approved": list(found.paths),
        "files_left_alone": left,
    }


def _checked(app: App, found: Proposal, approval: Approval) -> dict[str, bytes]:
    proposals.require_open(found)
    if against := may_approve(found, approval.by):
        raise PermissionDenied(against, hint="Ask another risk manager or admin to look at it.")
    if found.content_sha256 != approval.content_sha256:
        raise ConflictError(
            f"this is not the content of {found.proposal_id}",
            where="content_sha256",
            allowed=found.content_sha256,
            hint="Look at the proposal as it is now, then approve that.",
        )
    if stale := overtaken(app, found):
        raise ConflictError(
            f"{stale[0]} has changed in the approved set since this was proposed",
            hint="Propose the change anew on top of what runs now.",
        )
    files = resulting_files(app, found)
    if approval.set_id and approval.set_id != approved.set_id_of(files):
        raise ConflictError(
            "the set that would result is another one than you looked at", hint="Look at it again."
        )
    return files


def _in_force(
    app: App, found: Proposal, files: dict[str, bytes], approval: Approval, steps: list[JSON], at: datetime
) -> str:
    lacking = without_evidence(steps)
    data = {
        "content_sha256": found.content_sha256,
        "author": found.author,
        "changes": [asdict(change) for change in found.changes],
        "steps": steps,
        "without_evidence": lacking,
        "override_reason": found.override_reason if lacking else "",
    }
    reason = f"{found.proposal_id}: {found.reason}"
    with app.changing_settings(), app.ledger.writing() as w:
        set_id = approved.approve(w, files, approval.by, reason, at)
        proposals.settle(
            w, found.proposal_id, APPROVED, by=approval.by, reason=approval.reason, at=at,
            data={**data, "set_id": set_id},
        )  # fmt: skip
    return set_id


def bring_along(folder: Path, changes: tuple[Change, ...], files: Mapping[str, bytes]) -> list[str]:
    """Write what was approved to the workspace's files, so that they do not look like proposals to go back.

    Returns those that were left alone: somebody has edited them meanwhile, or they cannot be written.
    """
    left = []
    for change in changes:
        target = folder / change.path
        held = target.read_bytes() if target.is_file() else None
        if proposals.hash_of(held) == change.after:
            continue
        if proposals.hash_of(held) != change.before or not _written(target, files.get(change.path)):
            left.append(change.path)
    return left


def _written(target: Path, content: bytes | None) -> bool:
    """Whether the file now holds this content, or is gone for None. The set is in force whatever comes of it."""
    try:
        if content is None:
            target.unlink()
            return True
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_bytes(content)
        fresh.replace(target)
    except OSError:
        return False
    return True
