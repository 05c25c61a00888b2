"""What has a reviewer typed so far, so that a reload or a crash loses none of it?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from casework.review import tasks
from data.canonical import canonical_json, sha256_hex
from data.errors import InputError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer
from engine.policy import Policy

LONGEST = 20_000


def save(
    w: Writer, task_id: str, reviewer: str, content: Mapping[str, Any], policy: Policy, at: datetime
) -> datetime:
    """Keep the draft of a task one holds; returns when the lock now runs out, since typing is a sign of life.

    The record holds the draft's digest, not its words: they are unfinished and may be personal.
    """
    task = tasks.held(w, task_id, reviewer)
    text = canonical_json(content)
    if len(text) > LONGEST:
        raise InputError("the draft is too long", where=task_id, allowed=f"{LONGEST} characters")
    w.execute("DELETE FROM drafts WHERE task_id = ?", [task_id])
    row = {"task_id": task_id, "reviewer": reviewer, "content": text.decode(), "saved_at": at}
    w.insert("drafts", [row])
    until = tasks.touch(w, task, policy, at)
    payload = {"sha256": sha256_hex(text), "lock_expires_at": until}
    w.event(EventDraft(reviewer, "draft.saved", f"task:{task.task_id}", payload), at)
    return until


def load(ledger: Ledger, task_id: str, reviewer: str) -> dict[str, Any] | None:
    """The reviewer's own draft, or None."""
    rows = ledger.read("SELECT content FROM drafts WHERE task_id = ? AND reviewer = ?", [task_id, reviewer])
    return orjson.loads(rows[0]["content"]) if rows else None
