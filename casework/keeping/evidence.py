"""What belongs to a decision or case, and how is it taken away so that it can be checked without us?

A pack is a ZIP: evidence.json (events as they were hashed, payments, what reviewers were shown and the earlier
payments beside it, the approved files that decided), a page for people, a manifest with the hash of each file under
the ledger's seal, and a script of plain Python that checks all of it. Personal values stay behind unless a reason is
given; that is an event either way.
"""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import orjson

from casework.keeping import evidence_page
from data import reading
from data.canonical import canonical_json, rfc3339, sha256_hex
from data.errors import InputError, NotFoundError
from data.events import EventDraft
from data.integrity.commitments import content
from data.ledger import Ledger
from data.transactions import Transaction

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
MOST = 200
_AMONG = "list_contains(CAST(? AS BIGINT[]), {0})"
_BESIDE = (
    *(("tasks", "task"), ("verdicts", "verdict"), ("case_transactions", "case")),
    *(("notes", "note"), ("flags", "flag"), ("files", "file")),
)
"""Tables of what belongs to a payment, and what an event's subject calls a row of theirs."""
_NAMING = f"""
    SELECT * FROM (SELECT *, CAST(decode(payload) AS JSON) AS j FROM events
                   WHERE kind IN ('verdicts.voided', 'personal.erased'))
    WHERE list_has_any(CAST(j->'verdicts' AS VARCHAR[]),
                       (SELECT list(verdict_id) FROM verdicts WHERE {_AMONG.format("transaction_seq")}))
       OR list_has_any(json_keys(j, '$.dossiers'),
                       (SELECT list(dossier_id) FROM dossiers WHERE {_AMONG.format("transaction_seq")}))
    ORDER BY seq
"""
"""Events about many at once that say what became of a verdict, or of what reviewers were shown."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Ids of transactions or cases; with `unmask`, personal values come along, and `reason` must say why."""

    ids: Sequence[str]
    reason: str = ""
    unmask: bool = False


def pack(app: App, wanted: Wanted, by: str) -> bytes:
    """The ZIP. NotFoundError naming an id that is neither a transaction nor a case; InputError for none or too many,
    or for personal values without a reason. The export is recorded before anything is given out."""
    if not 0 < len(wanted.ids) <= MOST:
        raise InputError("name the decisions or cases to take away", where="ids", allowed=f"1 to {MOST}")
    if wanted.unmask and len(wanted.reason.strip()) < 3:
        raise InputError(
            "personal values leave only for a reason",
            where="reason",
            hint="Say why in a few words, or leave them out.",
        )
    at = app.clock()
    found = _gathered(app.ledger, _seqs_of(app.ledger, wanted.ids), wanted.unmask)
    export_id = f"export_{secrets.token_hex(8)}"
    about: JSON = {
        "export_id": export_id,
        "ids": list(wanted.ids),
        "unmasked": wanted.unmask,
        "reason": wanted.reason,
    }
    with app.ledger.writing() as w:
        w.event(EventDraft(by, "evidence.exported", f"export:{export_id}", about), at)
    about |= {"made_at": rfc3339(at), "made_by": by, "institution": app.ledger.about.get("institution", "")}
    return _zipped(app, {**about, **found})


def _zipped(app: App, evidence: JSON) -> bytes:
    files = {
        "evidence.json": orjson.dumps(evidence, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS),
        "evidence.html": evidence_page.page(evidence).encode(),
        "check_pack.py": resources.files("casework.keeping").joinpath("check_pack.py").read_bytes(),
    }
    listed = {name: sha256_hex(content) for name, content in files.items()}
    sealer, head = app.ledger.sealer, app.ledger.last_event
    told = {
        "files": listed,
        "seal": sealer.of(b"pack" + canonical_json(listed)).hex() if sealer else "",
        "key_id": sealer.key.key_id if sealer else "",
        "head": {"event_seq": head.seq, "hash": head.hash.hex()},
    }
    files["manifest.json"] = orjson.dumps(told, option=orjson.OPT_INDENT_2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content_of in files.items():
            archive.writestr(name, content_of)
    return out.getvalue()


def _seqs_of(ledger: Ledger, ids: Sequence[str]) -> list[int]:
    found: set[int] = set()
    for each in ids:
        seq = ledger.seq_of(each)
        if seq is not None:
            found.add(seq)
            continue
        rows = ledger.read("SELECT transaction_seq FROM case_transactions WHERE case_id = ?", [each])
        if not rows:
            raise NotFoundError("there is no transaction and no case of that id", where=each[:128])
        found |= {row["transaction_seq"] for row in rows}
    return sorted(found)


def _gathered(ledger: Ledger, seqs: list[int], unmask: bool) -> JSON:
    payments = reading.of_seqs(ledger, seqs)
    subjects = [f"transaction:{each.transaction_id}" for each in payments]
    for table, name in _BESIDE:
        rows = ledger.read(
            f"SELECT DISTINCT {name}_id AS id FROM {table} WHERE {_AMONG.format('transaction_seq')}", [seqs]
        )
        subjects += [f"{name}:{row['id']}" for row in rows if row["id"]]
    events = _events(ledger, subjects) + _naming(ledger, seqs)
    decided = [orjson.loads(e["payload"]) for e in events if e["kind"] == "transaction.decided"]
    # The second where the breaker had paused the set's own policy, and the one before it decided.
    named = (name for one in decided for name in (one["set_id"], one["context"].get("policy_set_id")))
    sets = sorted({name for name in named if name})
    models = sorted({one["model_id"] for one in decided if one["model_id"]})
    events += _events(ledger, [f"set:{name}" for name in sets] + [f"model:{name}" for name in models])
    events = sorted({event["seq"]: event for event in events}.values(), key=lambda event: event["seq"])
    owners = [f"transaction:{seq}" for seq in seqs] + [f"event:{event['seq']}" for event in events]
    shown = _dossiers(ledger, seqs)
    beside = {
        seq for each in shown for seq in orjson.loads(each["content"]).get("earlier", {}).get("seqs", ())
    }
    return {
        "events": events,
        "transactions": _payments(ledger, payments),
        "earlier": _payments(ledger, reading.of_seqs(ledger, sorted(beside.difference(seqs)))),
        "personal": _personal(ledger, owners) if unmask else [],
        "contents": [*shown, *_parts(ledger, seqs), *_artefacts(ledger, sets)],
    }


def _payments(ledger: Ledger, payments: Sequence[Transaction]) -> list[JSON]:
    """Payments as they were hashed."""
    found = ledger.read(
        f"SELECT seq, content_sha256, commitments FROM transactions WHERE {_AMONG.format('seq')}",
        [[each.seq for each in payments]],
    )
    kept = {row["seq"]: row for row in found}
    return [
        {**kept[each.seq], "transaction_id": each.transaction_id, "content": content(each).decode()}
        for each in payments
    ]


def _events(ledger: Ledger, subjects: list[str]) -> list[JSON]:
    return _as_hashed(
        ledger.read(
            "SELECT * FROM events WHERE list_contains(CAST(? AS VARCHAR[]), subject) ORDER BY seq", [subjects]
        )
    )


def _naming(ledger: Ledger, seqs: list[int]) -> list[JSON]:
    return _as_hashed(ledger.read(_NAMING, [seqs, seqs]))


def _as_hashed(rows: Sequence[Mapping[str, Any]]) -> list[JSON]:
    return [
        {
            **{name: row[name] for name in ("seq", "actor", "kind", "subject")},
            "recorded_at": rfc3339(row["recorded_at"]),
            "payload": bytes(row["payload"]).decode(),
            "commitments": bytes(row["commitments"]).decode(),
            "prev_hash": bytes(row["prev_hash"]).hex(),
            "hash": bytes(row["hash"]).hex(),
            "seal": bytes(row["seal"]).hex() if row["seal"] is not None else "",
        }
        for row in rows
    ]


def _personal(ledger: Ledger, owners: list[str]) -> list[JSON]:
    rows = ledger.read(
        "SELECT owner, field, salt, value FROM personal_values WHERE list_contains(CAST(? AS VARCHAR[]), owner)"
        " ORDER BY owner, field",
        [owners],
    )
    return [{**row, "salt": bytes(row["salt"]).hex()} for row in rows]


def _dossiers(ledger: Ledger, seqs: list[int]) -> list[JSON]:
    return _stored(ledger, "dossiers", "'dossier ' || dossier_id", seqs)


def _parts(ledger: Ledger, seqs: list[int]) -> list[JSON]:
    """What reviewers opened beside their dossiers."""
    return _stored(ledger, "dossier_parts", "part || ' beside dossier ' || dossier_id", seqs)


def _stored(ledger: Ledger, table: str, name: str, seqs: list[int]) -> list[JSON]:
    rows = ledger.read(
        f"SELECT {name} AS name, content, sha256 FROM {table} WHERE {_AMONG.format('transaction_seq')}"
        " ORDER BY created_at, dossier_id, name",
        [seqs],
    )
    return [{**row, "content": bytes(row["content"]).decode()} for row in rows]


_FILES = """
    SELECT files FROM approved_sets WHERE set_id = ? UNION ALL SELECT files FROM candidate_sets WHERE set_id = ? LIMIT 1
"""
"""A set that decided was approved, or is a candidate that a rollout lets decide."""


def _artefacts(ledger: Ledger, sets: list[str]) -> list[JSON]:
    found: dict[str, JSON] = {}
    for set_id in sets:
        for row in ledger.read(_FILES, [set_id, set_id]):
            for path, digest in orjson.loads(row["files"]).items():
                stored = ledger.read("SELECT content FROM artefacts WHERE sha256 = ? LIMIT 1", [digest])
                text = bytes(stored[0]["content"]).decode() if stored else ""
                found[f"{set_id} {path}"] = {"name": f"{set_id} {path}", "content": text, "sha256": digest}
    return list(found.values())
