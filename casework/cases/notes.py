"""What have people written on a payment beside their verdicts?"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from data.errors import InputError
from data.events import EventDraft
from data.ledger import Ledger
from data.writer import Writer

LONGEST = 4000


def write(
    w: Writer, *, case_id: str, transaction_seq: int, author: str, content: str, at: datetime
) -> dict[str, Any]:
    """Add a note; its row. The words go into the chain as a commitment. InputError for none, or too many."""
    if not 0 < len(content.strip()) <= LONGEST:
        raise InputError("a note is some words", where="text", allowed=f"1 to {LONGEST} characters")
    row: dict[str, Any] = {
        "note_id": f"note_{secrets.token_hex(8)}",
        "case_id": case_id,
        "transaction_seq": transaction_seq,
        "author": author,
        "content": content.strip(),
        "at": at,
    }
    w.insert("notes", [row])
    payload = {"case_id": case_id, "transaction_seq": transaction_seq}
    subject = f"case:{case_id}" if case_id else f"note:{row['note_id']}"
    w.event(EventDraft(author, "note.written", subject, payload, {"text": row["content"]}), at)
    return row


def of_payments(
    ledger: Ledger, seqs: Collection[int], reviewer: str, *, everyone: bool
) -> list[dict[str, Any]]:
    """Notes on these payments that a person may see, the oldest first: their own, and others' if `everyone`."""
    return ledger.read(
        'SELECT note_id, transaction_seq, author, content, "at" FROM notes '
        'WHERE list_contains(CAST(? AS BIGINT[]), transaction_seq) AND (? OR author = ?) ORDER BY "at", note_id',
        [sorted(seqs), everyone, reviewer],
    )
