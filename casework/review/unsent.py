"""What has somebody typed outside a task and not sent yet, so that a reload or an ended session loses none of it?"""

from __future__ import annotations

from datetime import datetime

from data.canonical import canonical_json, sha256_hex
from data.errors import InputError
from data.events import EventDraft
from data.ledger import Ledger

LONGEST = 200_000
"""As long as a rule file may be."""


def keep(ledger: Ledger, user: str, place: str, text: str, at: datetime) -> None:
    """Keep one person's text at one place; '' forgets it. The record holds its digest: it is unfinished."""
    if len(text) > LONGEST:
        raise InputError("the text is too long to keep", where=place, allowed=f"{LONGEST} characters")
    digest = sha256_hex(canonical_json(text))
    with ledger.writing() as w:
        kept = w.read("SELECT content FROM unsent_texts WHERE user_id = ? AND place = ?", [user, place])
        if text == (kept[0]["content"] if kept else ""):
            return
        w.execute("DELETE FROM unsent_texts WHERE user_id = ? AND place = ?", [user, place])
        if text:
            w.insert("unsent_texts", [{"user_id": user, "place": place, "content": text, "saved_at": at}])
        kind = "text.kept" if text else "text.forgotten"
        w.event(EventDraft(user, kind, f"user:{user}", {"place": place, "sha256": digest}), at)


def kept(ledger: Ledger, user: str, place: str) -> str:
    """What this person typed there, or ''."""
    rows = ledger.read("SELECT content FROM unsent_texts WHERE user_id = ? AND place = ?", [user, place])
    return str(rows[0]["content"]) if rows else ""
