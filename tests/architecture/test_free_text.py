"""Does an event that holds people's words in clear have a reason to?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for room in ("data", "engine", "casework") for path in (ROOT / room).rglob("*.py"))
FREE_TEXT = {
    "reason",
    "reason_detail",
    "override_reason",
    "answer",
    "note",
    "comment",
    "text",
    "why",
    "detail",
}
MOST = 8
ALLOWED = {
    "the program's own sentence: a person's goes into the event's commitments": {
        ("case.alert_joined", "reason"),
        ("case.alert_joined", "reason_detail"),
        ("case.status_changed", "reason"),
        ("disposition.recorded", "reason"),
        ("f'task.{status}'", "reason"),
        ("flag.answered", "answer"),
        ("golden.added", "reason"),
        ("golden.retired", "reason"),
        ("review.further", "reason"),
        ("task.moved", "reason"),
    },
    "why what decides was changed: its approval cannot be shown without, and decisions quote a list entry's": {
        ("candidate.added", "reason"),
        ("f'proposal.{status}'", "reason"),
        ("list_entry.ended", "reason"),
        ("list_entry.in_force", "reason"),
        ("list_entry.proposed", "reason"),
        ("model.promoted", "reason"),
        ("model.refused", "reason"),
        ("proposal.made", "override_reason"),
        ("proposal.made", "reason"),
        ("set.approved", "reason"),
        ("snooze.ended", "reason"),
        ("snooze.made", "reason"),
        ("trial.started", "reason"),
        ("trial.stopped", "reason"),
    },
    "about the program at work, and no payment": {
        ("alarm.acknowledged", "reason"),
        ("backup.made", "reason"),
        ("breaker.ended", "reason"),
        ("f'kill_switch.turned_{word}'", "reason"),
        ("job.paused", "reason"),
        ("job.resumed", "reason"),
        ("retrain.cancelled", "reason"),
        ("retrain.started", "reason"),
        ("review.widening_ended", "reason"),
        ("webhook.added", "reason"),
        ("webhook.removed", "reason"),
    },
    "about people who work here, or their work": {
        ("api_key.added", "reason"),
        ("api_key.revoked", "reason"),
        ("campaign.closed", "reason"),
        ("training.begun", "reason"),
        ("training.signed", "reason"),
        ("user.created", "reason"),
        ("user.disabled", "reason"),
        ("user.linked", "reason"),
        ("user.unlinked", "reason"),
        ("verdicts.voided", "reason"),
    },
    "why personal values were given out or erased, which has to be shown afterwards": {
        ("erasure.finished", "reason"),
        ("evidence.exported", "reason"),
        ("personal.erased", "reason"),
    },
}
"""Kinds of event whose free text stands in clear and for good, by why it may (SECURITY.md, Personal data)."""


def keys(node: ast.AST | None, function: ast.AST, depth: int = 0) -> Iterator[str]:
    """Names in the dictionaries that an expression is made of, followed through the function's own variables."""
    if node is None or depth > MOST:
        return
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield str(key.value)
            elif key is None:
                yield from keys(value, function, depth + 1)
    elif isinstance(node, ast.BinOp):
        yield from keys(node.left, function, depth + 1)
        yield from keys(node.right, function, depth + 1)
    elif isinstance(node, ast.IfExp):
        yield from keys(node.body, function, depth + 1)
        yield from keys(node.orelse, function, depth + 1)
    elif isinstance(node, ast.Name):
        for each in assignments(node, function):
            yield from keys(each.value, function, depth + 1)


def in_clear() -> set[tuple[str, str]]:
    """(kind, field) of each free text that some event's payload is made with."""
    found = set()
    for path in MODULES:
        source = path.read_text()
        if "EventDraft(" not in source:
            continue
        for function in ast.walk(ast.parse(source)):
            if isinstance(function, ast.FunctionDef):
                found |= {
                    (kind, key) for kind, payload in events(function) for key in keys(payload, function)
                }
    return {(kind, key) for kind, key in found if key in FREE_TEXT}


def events(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr | None]]:
    """Kind and payload of each event that a function drafts; the code of its kind where that is no word."""
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "EventDraft":
            given = dict(zip(("actor", "kind", "subject", "payload"), call.args, strict=False))
            given |= {each.arg: each.value for each in call.keywords if each.arg}
            for kind in words(given["kind"], function):
                yield kind, given.get("payload")


def words(node: ast.expr, function: ast.AST) -> list[str]:
    """The words that an expression may stand for; its code where they are not in the function."""
    if isinstance(node, ast.Name):
        assigned = [each.value for each in assignments(node, function) if each.value is not None]
        found = [c.value for value in assigned for c in ast.walk(value) if isinstance(c, ast.Constant)]
        return [str(word) for word in found] or [node.id]
    return [str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)]


def assignments(name: ast.Name, function: ast.AST) -> Iterator[ast.Assign | ast.AnnAssign | ast.AugAssign]:
    for each in ast.walk(function):
        if isinstance(each, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            if any(isinstance(target, ast.Name) and target.id == name.id for target in targets):
                yield each


def test_no_event_holds_free_text_in_clear_but_those_that_are_named_here_with_a_reason() -> None:
    """As far as the code can be read: a payload that a function is handed whole is not looked into."""
    assert in_clear() == {(kind, field) for kinds in ALLOWED.values() for kind, field in kinds}
