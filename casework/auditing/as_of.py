"""Which rules, which policy, which model and which people were there at some moment of the past?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from casework.settings.shown import plain
from data import approved, strict_yaml
from data.canonical import sha256_hex
from data.errors import NotFoundError
from data.ledger import Ledger
from engine.policy import load_policy
from engine.rules.loader import FOLDER

if TYPE_CHECKING:
    from casework.app import App

JSON = dict[str, Any]
_SET = "SELECT * FROM approved_sets WHERE approved_at <= ? ORDER BY event_seq DESC LIMIT 1"
_LAST = "SELECT seq, recorded_at, hash FROM events WHERE recorded_at <= ? ORDER BY seq DESC LIMIT 1"
_TURNS = """
    SELECT recorded_at, actor, subject, payload FROM events
    WHERE kind = 'model.promoted' AND recorded_at <= ? ORDER BY seq DESC LIMIT 1
"""
_PEOPLE = """
    SELECT user_id, role, created_at, disabled_at FROM users
    WHERE created_at <= $at AND (disabled_at IS NULL OR disabled_at > $at) ORDER BY role, user_id
"""
_SWITCH = "SELECT * FROM kill_switch WHERE turned_at <= ? ORDER BY event_seq DESC LIMIT 1"
_SNOOZED = """
    SELECT snooze_id, rule_id, entity, value, made_by, reason, expires_at FROM snoozes
    WHERE made_at <= $at AND expires_at > $at AND (ended_at IS NULL OR ended_at > $at) ORDER BY made_at
"""


def as_of(app: App, at: datetime) -> JSON:
    """What was in force at `at` (UTC): the approved set with each rule's version, status and who brought it in, the
    policy, the model that decided, the people who could sign in with their roles, the kill switch and snoozes, and
    the last event until then. NotFoundError before the first approval."""
    ledger = app.ledger
    sets = ledger.read(_SET, [at])
    if not sets:
        first = ledger.read("SELECT min(approved_at) AS at FROM approved_sets")[0]["at"]
        raise NotFoundError(
            "nothing was approved yet at that moment",
            where="at",
            hint=f"The first set was approved at {first:%Y-%m-%d %H:%M} UTC."
            if first
            else "Nothing ever was.",
        )
    files = approved.contents(ledger, orjson.loads(sets[0]["files"]).values())
    hashes: dict[str, str] = orjson.loads(sets[0]["files"])
    policy = load_policy(files[hashes["policy.yaml"]], "policy.yaml")
    last = ledger.read(_LAST, [at])
    return {
        "at": at,
        "set": {
            name: sets[0][name] for name in ("set_id", "approved_by", "approved_at", "reason", "event_seq")
        },
        "rules": rules_of(ledger, hashes, files, at),
        "policy": plain(policy),
        "model": _model(ledger, at),
        "people": ledger.read(_PEOPLE, {"at": at}),
        "kill_switch": _switch(ledger, at),
        "snoozes": ledger.read(_SNOOZED, {"at": at}),
        "last_event": {**last[0], "hash": bytes(last[0]["hash"]).hex()} if last else None,
    }


def rules_of(
    ledger: Ledger, hashes: Mapping[str, str], files: Mapping[str, bytes], at: datetime
) -> list[JSON]:
    """Each rule of a set: id, version, title, status, sha256, and which approval brought this text in, by whom."""
    brought = _brought_in(ledger, at)
    rows = []
    for path, digest in sorted(hashes.items()):
        if not path.startswith(f"{FOLDER}/") or not path.endswith(".yaml"):
            continue
        head = strict_yaml.load(files[digest], path).value
        told = {name: head.get(name) for name in ("id", "version", "title", "status")}
        rows.append({**told, "sha256": digest, **brought.get((path, digest), {})})
    return rows


def _brought_in(ledger: Ledger, at: datetime) -> dict[tuple[str, str], JSON]:
    """The approval by which each text of each file came into force first, until `at`, with its proposal's author."""
    found: dict[tuple[str, str], JSON] = {}
    rows = ledger.read(
        "SELECT s.set_id, s.files, s.approved_by, s.approved_at, s.reason, p.author, p.proposal_id "
        "FROM approved_sets s LEFT JOIN proposals p ON p.set_id = s.set_id AND p.settled_at = s.approved_at "
        "WHERE s.approved_at <= ? ORDER BY s.event_seq",
        [at],
    )
    for row in rows:
        how = {
            "approved_by": row["approved_by"],
            "approved_at": row["approved_at"],
            "approval_reason": row["reason"],
            "proposed_by": row["author"] or "",
            "proposal_id": row["proposal_id"] or "",
        }
        for path, digest in orjson.loads(row["files"]).items():
            found.setdefault((path, digest), how)
    return found


def _model(ledger: Ledger, at: datetime) -> JSON | None:
    """The model that decided at `at`, since when and by whose word; None while rules decided alone."""
    turns = ledger.read(_TURNS, [at])
    if not turns:
        return None
    told = orjson.loads(turns[0]["payload"])
    return {
        "model_id": told["model_id"],
        "since": turns[0]["recorded_at"],
        "promoted_by": turns[0]["actor"],
        "reason": told.get("reason", ""),
        "before": told.get("before", ""),
    }


def _switch(ledger: Ledger, at: datetime) -> JSON:
    rows = ledger.read(_SWITCH, [at])
    if not rows:
        return {"is_on": False, "turned_at": None, "turned_by": "", "reason": ""}
    return {name: rows[0][name] for name in ("is_on", "turned_at", "turned_by", "reason")}


def hashes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The hash of each file, by its path."""
    return {path: sha256_hex(content) for path, content in files.items()}
