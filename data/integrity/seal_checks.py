"""Does the record carry the seals, the table sums and the anchored heads that only the key's holder could make?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from data.events import Event
from data.integrity import anchors, table_sums
from data.integrity.sealing import Sealer
from data.ledger import Ledger
from data.storage import schema
from data.storage.rows import View

Problem = tuple[int, str]
"""The seq of the first bad event, and what is wrong in a sentence."""


def event_problem(event: Event, sealer: Sealer | None) -> str:
    """What is wrong with this event's seal, '' if nothing."""
    if sealer is None:
        return "" if event.seal is None else f"event {event.seq} carries a seal, but the ledger names no key"
    if event.seq < sealer.key.sealed_from:
        return "" if event.seal is None else f"event {event.seq} carries a seal from before the key"
    if event.seal is None:
        return f"event {event.seq} carries no seal, though every one from {sealer.key.sealed_from} on must"
    return (
        "" if sealer.fits(event.hash, event.seal) else f"event {event.seq} does not carry this ledger's seal"
    )


def anchored(ledger: Ledger) -> tuple[list[anchors.Anchor], tuple[str, ...]]:
    """The heads noted outside that this ledger must have, and warnings about the notes, in sentences.

    LedgerError if the notes themselves were altered.
    """
    if ledger.sealer is None:
        return [], ()
    file = ledger.keyring.anchor_file(ledger.sealer.key.key_id)
    noted = anchors.noted(file, ledger.sealer)
    many = "1 note in {} was" if noted.cut_short == 1 else f"{noted.cut_short} notes in {{}} were"
    warnings = (f"{many.format(file.name)} cut short and passed over",) if noted.cut_short else ()
    return anchors.held_against(noted.anchors, ledger.path), warnings


def anchor_problems(view: View, held: list[anchors.Anchor], last: int) -> Iterator[Problem]:
    """Noted heads that the chain does not have."""
    for anchor in held:
        if anchor.seq > last:
            yield (
                last + 1,
                f"event {anchor.seq}, noted outside at {anchor.at}, is missing: the tail was cut, or an older copy "
                "was put in its place",
            )
            continue
        rows = view.read("SELECT hash FROM events WHERE seq = ?", [anchor.seq])
        if not rows or bytes(rows[0]["hash"]).hex() != anchor.hash:
            yield anchor.seq, f"event {anchor.seq} is not the one noted outside at {anchor.at}"


def schema_problems(view: View, last: int) -> Iterator[Problem]:
    """A list of applied migrations that is not that of this program. Nothing vouches for their names and times."""
    applied = view.read("SELECT number, sha256 FROM schema_migrations ORDER BY number")
    shipped = [{"number": m.number, "sha256": m.sha256} for m in schema.shipped_migrations()]
    if applied != shipped:
        yield last, "schema_migrations does not list this program's migrations, each once"


def table_problems(
    view: View, sealer: Sealer, shapes: schema.Shapes, seq: int, head: bytes
) -> Iterator[Problem]:
    """Tables that hold something else than the program left in them."""
    for problem in table_sums.found_problems(view, sealer, shapes, seq, head):
        yield seq, problem


def note_head(ledger: Ledger, at: datetime, *, starts: bool = False) -> anchors.Anchor | None:
    """Note the chain's head outside the workspace; None where the ledger has no key. LedgerError if that fails."""
    if ledger.sealer is None:
        return None
    head = ledger.last_event
    file = ledger.keyring.anchor_file(ledger.sealer.key.key_id)
    return anchors.note(file, ledger.path, head.seq, head.hash, ledger.sealer, at, starts=starts)
