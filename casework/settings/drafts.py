"""Which files of the workspace differ from the approved set, how, and what would be wrong with them in force?"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from casework.app import App
from casework.settings import approving, proposals
from data import approved
from data.errors import InputError

JSON = dict[str, Any]
_LONGEST_DIFF = 1000


def drafts(app: App, at: datetime) -> JSON:
    """The files that differ from the approved set, each with its diff and the open proposals of the same content, and
    what is wrong with them together."""
    current = approved.current(app.ledger)
    files = approved.read_folder(app.workspace.rules)
    proposed = _proposed(app)
    found = []
    for draft in approved.drafts(app.ledger, app.workspace.rules):
        was, now = current.files.get(draft.path), files.get(draft.path)
        within = proposed.get((draft.path, proposals.hash_of(now)), [])
        row = {"path": draft.path, "change": draft.change, "proposed_in": within}
        found.append({**row, "diff": diff(draft.path, was or b"", now or b"")})
    wrong = approving.problems(app, files, "", at) if found else []
    return {"set_id": current.set_id, "drafts": found, "problems": wrong}


def _proposed(app: App) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for proposal in proposals.listing(app.ledger, proposals.OPEN):
        for change in proposal.changes:
            found.setdefault((change.path, change.after), []).append(proposal.proposal_id)
    return found


def edited(app: App, paths: Sequence[str] | None) -> dict[str, bytes | None]:
    """The contents of files edited in the workspace, all of them or those named; None for one that is gone.

    InputError for a path that is no draft.
    """
    waiting = {draft.path for draft in approved.drafts(app.ledger, app.workspace.rules)}
    wanted = sorted(waiting) if paths is None else list(paths)
    for path in wanted:
        if path not in waiting:
            allowed = ", ".join(sorted(waiting)) or "none: no file differs from the approved set"
            raise InputError(f"{path[:120]!r} is not a draft", where="paths", allowed=allowed)
    files = approved.read_folder(app.workspace.rules)
    return {path: files.get(path) for path in wanted}


def diff(path: str, old: bytes, new: bytes) -> list[str]:
    """A unified diff of two contents, cut at a thousand lines."""
    before, after = (text.decode("utf-8", "replace").splitlines() for text in (old, new))
    lines = list(difflib.unified_diff(before, after, f"approved/{path}", f"proposed/{path}", lineterm=""))
    if len(lines) > _LONGEST_DIFF:
        return [*lines[:_LONGEST_DIFF], f"... and {len(lines) - _LONGEST_DIFF} more lines"]
    return lines
