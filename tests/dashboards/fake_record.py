"""What does the record of the made-up institution tell an auditor?"""

from __future__ import annotations

from typing import Any

import fake_institution as data
from fake_asking import Asked, Refused
from fake_clock import stamp

Json = dict[str, Any]
REPORT: Json = {
    "ok": True,
    "events": 52110,
    "transactions": 90060,
    "first_bad_seq": 0,
    "problem": "",
    "problems": [],
    "warnings": [],
    "last_hash": "5e" * 32,
    "sealed_from": 1,
    "anchors": 3,
    "anchored_seq": 52100,
}
WALK: Json = {
    "running": False,
    "started_at": stamp(minutes=2),
    "started_by": "auditor-1",
    "checked": 52110,
    "total": 52110,
    "finished_at": stamp(minutes=1),
    "report": REPORT,
    "problem": "",
}
NO_WALK: Json = {"running": False, "report": None}
HALF_WAY: Json = {**WALK, "running": True, "checked": 20000, "report": None, "finished_at": None}
APPROVAL: Json = {
    "set_id": data.SET_ID,
    "approved_by": "risk-manager-2",
    "approved_at": stamp(days=9),
    "reason": "looked at the effect",
    "event_seq": 3,
}
RULE: Json = {
    "id": "shared_device_burst",
    "title": "One device, many customers",
    "version": 3,
    "status": "live",
    "sha256": "ab" * 32,
    "approved_by": "risk-manager-2",
    "approved_at": stamp(days=9),
    "approval_reason": "looked at the effect",
    "proposed_by": "risk-manager-1",
    "proposal_id": "p_0001",
}
VERDICT: Json = {
    "verdict_id": "v_1",
    "task_id": "k_0009",
    "reviewer": "analyst-1",
    "value": "legitimate",
    "typology": "",
    "reason_code": "explained_by_history",
    "note": "called the customer",
    "confidence": "high",
    "seconds": 31.0,
    "guideline_version": "g7",
    "arm": "score_shown",
    "corrections": "{}",
    "flags": [],
    "given_at": stamp(hours=3),
    "undone_at": None,
    "event_seq": 52000,
    "voided_at": None,
    "voided_by": None,
    "void_reason": None,
}
REVIEW: Json = {
    "task_id": "k_0009",
    "case_id": "case_0009",
    "dossier_id": "dossier_9",
    "dossier_sha256": "cd" * 32,
    "kind": "primary",
    "lane": "uncertain",
    "queue": "default",
    "status": "done",
    "arm": "score_shown",
    "probability": 1.0,
    "created_at": stamp(hours=4),
    "done_at": stamp(hours=3),
    "claimed_by": "analyst-1",
    "shown": {
        "decides_first": False,
        "probability": 0.28,
        "explanation": True,
        "rules": ["shared_device_burst"],
        "guideline_version": "g7",
        "history": 12,
        "masked": ["email"],
    },
    "parts": [
        {"dossier_id": "dossier_9", "part": "links", "sha256": "ef" * 32, "created_at": stamp(hours=3)}
    ],
    "steps": [
        {"event_seq": 51990, "at": stamp(hours=3), "by": "analyst-1", "kind": "task.claimed"},
        {
            "event_seq": 51991,
            "at": stamp(hours=3),
            "by": "analyst-1",
            "kind": "personal.unmasked",
            "field": "email",
            "reason": "to call",
        },
    ],
    "verdicts": [
        VERDICT,
        {**VERDICT, "verdict_id": "v_2", "reviewer": "analyst-2", "seconds": None},
    ],  # forgotten
}
MODEL: Json = {
    "model_id": data.MODEL_ID,
    "status": "champion",
    "created_at": stamp(days=20),
    "requested_by": "risk-manager-1",
    "approved_by": "risk-manager-2",
    "approved_at": stamp(days=19),
    "approval": "passed all gates",
    "files_sha256": "12" * 32,
    "intact": True,
    "run": None,
    "taught": {
        "rows": 13004,
        "frauds": 107,
        "from": "2026-06-21T02:08:38+00:00",
        "to": "2026-07-18T22:27:14+00:00",
        "as_of": stamp(days=20),
        "snapshot_id": "snap_1",
        "by_source": {
            "outcome": {"labels": 326, "frauds": 273},
            "matured_silence": {"labels": 22567, "frauds": 0},
        },
        "train_until": "2026-07-19T00:00:00+00:00",
        "code_version": "0.1.0+62a3",
    },
    "measured": {"average_precision": {"value": 0.41, "low": 0.3, "high": 0.5}, "rows": 3251, "frauds": 27},
    "flips_opened": [{"seen_by": "risk-manager-2", "flips": 5}],
}
CLAIM: Json = {
    "transaction_seq": 90002,
    "value": True,
    "weight": 1.0,
    "source": "outcome",
    "known_at": stamp(hours=1),
    "provenance": "outcome:api",
    "derivation": "outcome weighs 1.00",
    "counts": True,
}
LEARNED: Json = {
    "model_id": "m_later",
    "status": "challenger",
    "run_id": "run_1",
    "as_of": stamp(minutes=30),
    "use": "taught",
    "value": True,
    "weight": 1.0,
    "source": "outcome",
}
REPLAYED: Json = {
    "decisions": 35517,
    "seed": "abc",
    "replayed": 200,
    "same": 200,
    "different": 0,
    "different_from_stored": 0,
    "different_from_ledger": 0,
    "differences": [],
    "sets": {data.SET_ID: 200},
    "models": {data.MODEL_ID: 200},
    "unread": [],
    "unread_count": 0,
    "examples": [],
}
AS_OF: Json = {
    "at": stamp(days=1),
    "set": APPROVAL,
    "rules": [RULE, {**RULE, "id": "x", "title": "Not yet", "status": "shadow"}],
    "policy": {"currency": "EUR"},
    "model": {
        "model_id": data.MODEL_ID,
        "since": stamp(days=19),
        "promoted_by": "risk-manager-2",
        "reason": "",
        "before": "",
    },
    "people": [
        {"user_id": "analyst-1", "role": "analyst", "created_at": stamp(days=30), "disabled_at": None}
    ],
    "kill_switch": {"is_on": False, "turned_at": None, "turned_by": "", "reason": ""},
    "snoozes": [],
    "last_event": {"seq": 52000, "recorded_at": stamp(days=1), "hash": "77" * 32},
}


def _story(_api: Any, asked: Asked) -> Json:
    decision = next((row for row in data.DECISIONS if row["transaction_id"] == asked.parts[0]), None)
    if decision is None:
        raise Refused(404, "Not found", f"There is no decision for transaction {asked.parts[0]}.")
    return {
        "decision": decision,
        "set": {"set_id": data.SET_ID, "approval": APPROVAL, "proposal": None},
        "rules": [{**RULE, "state": "hit", "reason": "4 customers on one device"}],
        "model": MODEL,
        "reviews": [REVIEW],
        "dispositions": [
            {
                "value": "released",
                "reason": "verdict",
                "actor": "analyst-1",
                "at": stamp(hours=3),
                "case_id": "",
            }
        ],
        "outcomes": [
            {
                "is_fraud": True,
                "known_at": stamp(hours=1),
                "source": "api",
                "reason_code": "fraud_card_absent",
                "recorded_at": stamp(),
            }
        ],
        "label": {"claims": [CLAIM], "label": CLAIM},
        "learned_by": [LEARNED],
        "at": stamp(),
    }


def _found(_api: Any, asked: Asked) -> Json:
    if asked.parts[0] != "case_0009":
        return {"found": []}
    named = {
        "kind": "case",
        "id": "case_0009",
        "at": stamp(hours=4),
        "about": "closed",
        "subject": "case:case_0009",
    }
    return {"found": [{**named, "transactions": ["t_90002"]}]}


def _evidence(api: Any, asked: Asked) -> bytes:
    api.done.append(("POST", "/evidence", asked.body))
    return b"PK of " + ",".join(asked.body["ids"]).encode()


PREVIEW: Json = {"payments": 2, "erased": {"values": 4, "files": 1}, "backups": ["secondlook-1"]}
ERASURE: Json = {
    "erasure_id": "erasure_1",
    "asked_by": "admin-1",
    "reason": "request 4710",
    "erased_at": stamp(days=1),
    "event_seq": 52000,
    "scope": {"entity": "customer", "subject": "ab12"},
    "counts": {"values": 2, "written_words": 1},
}


def _erase(api: Any, asked: Asked) -> Json:
    api.done.append(("POST", "/erasures", asked.body))
    return {**PREVIEW, "erasure_id": "erasure_2", "in_log": False}


def _erasure_preview(_api: Any, asked: Asked) -> Json:
    return PREVIEW if asked.body["value"] == "c-17" else {"payments": 0, "erased": {}, "backups": []}


ROUTES: list[Any] = [
    ("GET", "/erasures", False, lambda _api, _asked: {"erasures": [ERASURE]}),
    ("POST", "/erasures", False, _erase),
    ("POST", "/erasures/preview", False, _erasure_preview),
    ("GET", "/audit/ids/([^/]+)", False, _found),
    ("GET", "/audit/decisions/([^/]+)", False, _story),
    (
        "GET",
        "/audit/displays/([^/]+)",
        False,
        lambda _api, _asked: {"shown": {"question": "Is this payment fraud?"}},
    ),
    ("GET", "/audit/as-of", False, lambda _api, _asked: AS_OF),
    ("POST", "/audit/verifications", False, lambda _api, _asked: HALF_WAY),
    ("GET", "/audit/verifications/last", False, lambda _api, _asked: NO_WALK),
    ("POST", "/replays", False, lambda _api, _asked: REPLAYED),
    ("GET", "/replays", False, lambda _api, _asked: {"replays": []}),
    ("POST", "/evidence", False, _evidence),
]
