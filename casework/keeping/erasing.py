"""What of a person is erased, where did it lie, and how does the chain still verify?

Personal values were never in the chain: it holds salted commitments. Salt and value are deleted together, and nobody
can find the value again from what is left. The words people wrote about the payments (notes, details of flags, names
and bytes of files, unfinished drafts) go the same way; so do masked values in dossiers, which get a new hash that the
event of the erasure names, rows kept apart in quarantine, and what is left of earlier rounds in the journal.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from casework.cases import attachments
from casework.cases.dossiers import forget
from casework.keeping import backups, written_words
from data.blanks import trimmed
from data.canonical import canonical_json, sha256_hex
from data.errors import CheckpointBusyError, InputError
from data.events import EventDraft
from data.ledger import Ledger
from data.said import ERASED
from data.storage.disk import disk_errors
from data.storage.durable import force_names
from data.writer import Writer

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
_STRETCH, _ASKED_FOR = 20_000, 500_000
"""Payments in one write, and as many as are asked for at once: asking reads all personal values."""
_SEQS = "{0} IN (SELECT unnest(CAST(? AS BIGINT[])))"  # a list is looked through again for every row


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose payments: those of one value of an entity, or those recorded before a moment. `told` goes into the record
    and never holds the value itself; `column` is what files call the entity."""

    condition: str
    parameters: tuple[Any, ...]
    told: JSON
    value: str = ""
    column: str = ""


def of_entity(app: App, entity: str, value: str) -> Scope:
    """Everything of one customer, card, or whatever entity the mapping has. InputError for another one."""
    known = tuple(app.mapping.entities)
    if entity not in known:
        raise InputError(f"{entity[:80]!r} is not an entity", where="entity", allowed=", ".join(known))
    value = app.mapping.held(entity, trimmed(value))
    if not value:
        raise InputError(
            "whose data is to be erased", where="value", hint="Name the value as payments have it."
        )
    # A keyed digest: the record shows that the same subject was meant twice, and to nobody else who it was.
    digest = sha256_hex(app.key + f"erasure:{entity}:{value}".encode())[:16]
    told = {"entity": entity, "subject": digest}
    # Trimmed, since an earlier version kept the blanks that a value was sent with.
    return Scope(f'trim("{entity}") = ?', (value,), told, value, app.mapping.entities[entity])


def recorded_before(moment: datetime) -> Scope:
    """Everything of payments recorded before a moment."""
    return Scope("recorded_at < ?", (moment,), {"recorded_before": moment})


def erase(app: App, scope: Scope, *, by: str, reason: str) -> JSON:
    """Erase the personal fields of a scope; what was erased, by kind, and the backups that still hold it.

    {erasure_id, erased: {values, notes, ...}, payments, backups, in_log}: `in_log` says that the write-ahead log still
    holds it, until the next checkpoint. Erasing again finds nothing and says so. InputError without a reason.
    """
    if len(reason.strip()) < 3:
        raise InputError(
            "personal data is erased for a reason", where="reason", hint="Say why in a few words."
        )
    at, counts, payments = app.clock(), Counter[str](), 0
    erasure_id = f"erasure_{secrets.token_hex(8)}"
    dossiers: dict[str, str] = {}
    for seqs in stretches(app.ledger, scope):
        payments += len(seqs)
        with app.ledger.writing() as w:
            _make_scrub_due(app)
            counts += _of_payments(w, app.workspace.files, seqs, dossiers, at)
            payload = {"erasure_id": erasure_id, "payments": len(seqs), "dossiers": dossiers, **scope.told}
            w.event(EventDraft(by, "personal.erased", "personal", {**payload, "reason": reason}), at)
        dossiers = {}
    counts["quarantined_rows"] = _quarantined(app, scope, by, at)
    _record(app.ledger, erasure_id, scope, counts, by, reason, at)
    forget()
    with suppress(CheckpointBusyError):  # then the next checkpoint does it
        scrub(app)
    erased = {kind: count for kind, count in counts.items() if count}
    done = {"erasure_id": erasure_id, "payments": payments, "erased": erased}
    done["backups"] = backups.still_there(app)
    return {**done, "in_log": scrub_due(app)}


def scrub_due(app: App) -> bool:
    """Whether what was erased may still be in the write-ahead log or the journal, also of a process that died."""
    return app.workspace.scrub_file.exists()


def scrub(app: App) -> None:
    """Take what was erased out of the write-ahead log and the journal; it stays due until that was done.

    CheckpointBusyError while a longer query is under way.
    """
    with app.ledger.held():  # nothing is erased between the two
        app.ledger.scrub()
        app.workspace.scrub_file.unlink(missing_ok=True)


def _make_scrub_due(app: App) -> None:
    """In an open write, before any value goes: the next start after a kill must know. DiskError if it cannot."""
    if scrub_due(app):
        return
    with disk_errors(app.workspace.scrub_file):
        app.workspace.scrub_file.touch()
        force_names(app.workspace.root)


def table(ledger: Ledger, limit: int = 100) -> list[JSON]:
    """Erasures on record, the newest first."""
    rows = ledger.read("SELECT * FROM erasures ORDER BY erased_at DESC, erasure_id LIMIT ?", [limit])
    return [
        {**row, "scope": orjson.loads(row["scope"]), "counts": orjson.loads(row["counts"])} for row in rows
    ]


def stretches(ledger: Ledger, scope: Scope) -> Iterator[list[int]]:
    """The seqs of the scope's payments that still have something to erase, a part at a time."""
    last = 0
    has_some = (
        "EXISTS (SELECT 1 FROM personal_values p WHERE p.owner = 'transaction:' || t.seq)"
        " OR EXISTS (SELECT 1 FROM tasks k WHERE k.transaction_seq = t.seq)"
        " OR EXISTS (SELECT 1 FROM notes n WHERE n.transaction_seq = t.seq)"
        " OR EXISTS (SELECT 1 FROM files f WHERE f.transaction_seq = t.seq)"
        " OR EXISTS (SELECT 1 FROM dispositions d WHERE d.transaction_seq = t.seq)"
    )
    sql = f"SELECT seq FROM transactions t WHERE {scope.condition} AND seq > ? AND ({has_some}) ORDER BY seq LIMIT ?"
    while True:
        found = [row["seq"] for row in ledger.read(sql, [*scope.parameters, last, _ASKED_FOR])]
        if not found:
            return
        last = found[-1]
        for first in range(0, len(found), _STRETCH):
            yield found[first : first + _STRETCH]


def _of_payments(
    w: Writer, files: Path, seqs: Sequence[int], dossiers: dict[str, str], at: datetime
) -> Counter[str]:
    counts: Counter[str] = Counter()
    among = _SEQS.format("transaction_seq")
    counts["values"] = _values(w, seqs)
    counts["written_words"] = written_words.erase(w, seqs)
    open_tasks = f"task_id IN (SELECT task_id FROM tasks WHERE {among})"
    counts["drafts"] = w.read(f"SELECT count(*) AS n FROM drafts WHERE {open_tasks}", [list(seqs)])[0]["n"]
    w.execute(f"DELETE FROM drafts WHERE {open_tasks}", [list(seqs)])
    # A note on one of their cases that its author has not sent yet.
    held = f"place IN (SELECT 'case:' || case_id FROM case_transactions WHERE {among})"
    w.execute(f"DELETE FROM unsent_texts WHERE {held}", [list(seqs)])
    counts["files"] = attachments.erase(w, files, seqs, ERASED, at)
    counts["dossiers"] = _dossiers(w, seqs, dossiers)
    return counts


def _values(w: Writer, seqs: Sequence[int]) -> int:
    where = "owner IN (SELECT 'transaction:' || unnest(CAST(? AS BIGINT[])))"
    count = w.read(f"SELECT count(*) AS n FROM personal_values WHERE {where}", [list(seqs)])[0]["n"]
    if count:
        w.execute(f"DELETE FROM personal_values WHERE {where}", [list(seqs)])
    return int(count)


def _dossiers(w: Writer, seqs: Sequence[int], told: dict[str, str]) -> int:
    """Take masked values, and people's words, out of what reviewers were shown; the new hashes go into `told`."""
    rows = w.read(
        f"SELECT dossier_id, transaction_seq, content FROM dossiers WHERE {_SEQS.format('transaction_seq')}",
        [list(seqs)],
    )
    changed = 0
    for row in rows:
        shown = orjson.loads(row["content"])
        masked = shown.get("transaction", {}).get("personal_masked", {})
        worded = written_words.without_words(shown)
        if not worded and set(masked.values()) <= {ERASED}:
            continue
        if masked:
            shown["transaction"]["personal_masked"] = dict.fromkeys(masked, ERASED)
        content = canonical_json(shown)
        told[row["dossier_id"]] = sha256_hex(content)
        w.execute(
            "UPDATE dossiers SET content = ?, sha256 = ? WHERE dossier_id = ? AND transaction_seq = ?",
            [content, told[row["dossier_id"]], row["dossier_id"], row["transaction_seq"]],
        )
        changed += 1
    return changed


def kept_apart(scope: Scope) -> tuple[str, list[Any]]:
    """Which rows kept apart at an import are of the value, or old enough: a condition, and its parameters.

    A row is compared in the column that the mapping names, trimmed as it is when read. Where it has none of that name,
    because it came under another mapping or was cut short, any cell that is the whole value counts: a value is never
    looked for within others, or a short one would take other people's rows along.
    """
    if scope.value:
        path = "/" + scope.column.replace("~", "~0").replace("/", "~1")
        row = "TRY_CAST(raw AS JSON)"
        same = f"coalesce(trim(json_extract_string({row}, ?)) = ?, false)"
        condition = (
            f"CASE WHEN json_type({row}, ?) IS NULL THEN contains(raw, ?) ELSE {same} END AND raw <> ?"
        )
        return condition, [path, ":" + canonical_json(scope.value).decode(), path, scope.value, ERASED]
    old = "raw <> ? AND import_id IN (SELECT import_id FROM imports WHERE imported_at < ?)"
    return old, [ERASED, *scope.parameters]


def _quarantined(app: App, scope: Scope, by: str, at: datetime) -> int:
    """Blank the rows that were kept apart at an import and are of the scope."""
    condition, parameters = kept_apart(scope)
    rows = app.ledger.read(f"SELECT count(*) AS n FROM quarantine WHERE {condition}", parameters)
    if rows[0]["n"]:
        with app.ledger.writing() as w:
            _make_scrub_due(app)
            w.execute(f"UPDATE quarantine SET raw = ? WHERE {condition}", [ERASED, *parameters])
            w.event(EventDraft(by, "quarantine.erased", "personal", {"rows": rows[0]["n"], **scope.told}), at)
    return int(rows[0]["n"])


def _record(
    ledger: Ledger, erasure_id: str, scope: Scope, counts: Counter[str], by: str, reason: str, at: datetime
) -> None:
    told = {kind: count for kind, count in counts.items() if count}
    with ledger.writing() as w:
        payload = {"erasure_id": erasure_id, "counts": told, "reason": reason, **scope.told}
        seq = w.event(EventDraft(by, "erasure.finished", f"erasure:{erasure_id}", payload), at)
        row = {"erasure_id": erasure_id, "asked_by": by, "reason": reason, "erased_at": at, "event_seq": seq}
        texts = {"scope": canonical_json(scope.told).decode(), "counts": canonical_json(told).decode()}
        w.insert("erasures", [{**row, **texts}])
