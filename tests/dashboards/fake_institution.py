"""What does the made-up institution behind the fake API hold besides tasks: decisions, rules, models, figures?"""

from __future__ import annotations

from typing import Any

from fake_clock import ahead, stamp
from fake_tasks import FEATURES, RULES, THRESHOLDS
from fake_watch import WATCHED

Json = dict[str, Any]
SET_ID, MODEL_ID = "set_4be1c09f2d7a6630", "m_a91c5e77d204"


def decision(number: int, outcome: str, probability: float, amount: int) -> Json:
    return {
        "transaction_id": f"t_{number}",
        "seq": number,
        "outcome": outcome,
        "probability": probability,
        "margin": 0.28,
        "decided_at": stamp(hours=number % 40),
        "occurred_at": stamp(hours=number % 40, seconds=2),
        "amount_minor": amount,
        "set_id": SET_ID,
        "model_id": MODEL_ID,
        "thresholds": THRESHOLDS,
        "triage_reason": "rule_asks" if outcome == "review" else "",
        "rules_hit": ["shared_device_burst"] if outcome == "review" else [],
        "reasons": ["4 customers used this device within 7 days."] if outcome != "approve" else [],
        "rules": [
            {"id": r["id"], "version": 2, "state": r["state"], "floor": r["floor"], "reason": r["reason"]}
            for r in RULES
        ],
        "triage": {
            "reason": "rule_asks" if outcome == "review" else "",
            "lane": "money_at_risk",
            "sentence": "A review costs 3.50 EUR; the best guess would cost 41.20 EUR.",
            "cost_approve": 54404.0,
            "cost_decline": 4120.0,
            "cost_review": 350.0,
            "capacity_price": 0.0,
        },
        "explanation": None
        if outcome == "approve"
        else {"base": -3.9, "contributions": {f[0]: f[5] for f in FEATURES}},
        "explored": False,
        "draws": {"audit": 0.41, "audit_probability": 0.01, "explore": 0.9, "explore_probability": 0.02},
        "features": {f[0]: f[3] for f in FEATURES},
        "currency": "EUR",
        "entities": {"customer": "customer_0412", "device": None},
        "attributes": {"channel": "ecom"},
        "inputs": [
            {"name": f[0], "phrase": f[1], "unit": f[2], "value": f[3], "text": f[4]} for f in FEATURES
        ],
        "case_id": "case_0007" if outcome == "review" else None,
    }


DECISIONS = [
    decision(
        90000 + i,
        ("approve", "approve", "review", "approve", "decline")[i % 5],
        (0.01, 0.04, 0.67, 0.02, 0.95)[i % 5],
        1900 + 7321 * (i % 11),
    )
    for i in range(60)
]


def measure(value: float, low: float | None, high: float | None) -> Json:
    return {
        "value": value,
        "low": low,
        "high": high,
        "state": "enough",
        "sentence": "",
        "n_items": 212,
        "n_pairs": 212,
    }


def report(items: int, **measures: Json) -> Json:
    return {
        "state": "enough",
        "sentence": "Raw agreement is 0.76, alpha 0.18, AC1 0.65. They differ because one verdict is much rarer.",
        "n_items": items,
        "n_pairs": items,
        "n_reviewers": 3,
        "positive_ratings": 62,
        **measures,
    }


_MEASURES = {
    "raw": measure(0.76, 0.71, 0.82),
    "positive_specific": measure(0.34, 0.22, 0.46),
    "negative_specific": measure(0.86, 0.82, 0.90),
    "alpha": measure(0.18, 0.05, 0.31),
    "ac1": measure(0.65, 0.57, 0.73),
    "ac1_all_items": measure(0.66, 0.58, 0.74),
    "alpha_ordinal": measure(0.21, 0.07, 0.34),
}
CONSISTENCY: Json = report(212, **_MEASURES) | {
    "basis": "Blind second reviews that were drawn at random.",
    "by_arm": {"score_shown": report(148, **_MEASURES), "blind_first": report(64, **_MEASURES)},
    "by_pair": [
        {
            "reviewers": ["analyst-1", "analyst-2"],
            "n_items": 90,
            "raw": 0.77,
            "positive_specific": 0.31,
            "cohen_kappa": measure(0.17, None, None),
        }
    ],
}


def share(value: float | None, n: int) -> Json:
    if value is None:
        return {"value": None, "low": None, "high": None, "n": 0}
    return {"value": value, "low": value * 0.7, "high": min(1.0, value * 1.4), "n": n}


SUBGROUPS: Json = {
    "attribute": "age_band",
    "sentence": "Declined most often: 18-25 (0.5% of 6120); least often: 41-60; their intervals overlap.",
    "groups": [
        {
            "value": band,
            "n": n,
            "approve": share(0.98, n),
            "review": share(rate * 4, n),
            "decline": share(rate, n),
            "share_confirmed": share(0.14, 90),
            "fraud_share_of_outcomes": share(None if band == "61+" else 0.008, n),
        }
        for band, n, rate in (
            ("18-25", 6120, 0.0049),
            ("26-40", 15880, 0.0036),
            ("41-60", 13902, 0.0034),
            ("61+", 6098, 0.0041),
        )
    ],
}
SUMMARY: Json = {
    "transactions": 182000,
    "decisions": {"total": 42000, "approve": 41234, "review": 611, "decline": 155},
    "decisions_last_day": {"total": 1404, "approve": 1379, "review": 21, "decline": 4},
    "decisions_last_30_days": {"total": 0, "approve": 0, "review": 0, "decline": 0},
    "cases": {"open": 44, "in_adjudication": 6, "closed": 561},
    "cases_by_reason": {"rule_asks": 302, "uncertain": 241, "high_amount": 28, "by_hand": 3},
    "tasks": {"open": 52, "claimed": 3, "done": 640},
    "overdue_cases": 2,
    "verdicts": {"confirmed_fraud": 71, "legitimate": 460, "inconclusive": 33},
    "dispositions": {"released": 470, "declined": 75},
    "outcomes": {"fraud": 102, "legitimate": 4},
    "share_confirmed_by_reviewers": {"n": 520, "value": 0.137},
    "champion": MODEL_ID,
    "subgroups": SUBGROUPS,
    "estimates": WATCHED["estimates"],
}
RULE_FILES: list[Json] = [
    {
        "id": r["id"],
        "version": 2,
        "title": r["title"],
        "status": "live" if i < 2 else "shadow",
        "can_move_to": ["shadow", "retired"] if i < 2 else ["live", "draft", "retired"],
        "typology": "shared_devices",
        "severity": "high",
        "owner": "risk-manager-1",
        "description": r["reason"],
        "conditions": ["device_customer_distinct_7d >= 3"],
        "then": {"effect": "floor", "floor": "review", "lane": "", "expires": None, "amount_cap_minor": None},
        "runbook": r["runbook"],
        "false_positives": r["false_positives"],
        "hits": 118 - 40 * i,
        "tests": 4,
        "history": [
            {"version": 2, "at": "2026-02-11", "change": "from 4 customers to 3 after the February ring"}
        ],
        "file": f"id: {r['id']}\nversion: 2\nwhen:\n  all:\n    - device_customer_distinct_7d >= 3\n",
    }
    for i, r in enumerate(RULES)
]
SETS: list[Json] = [
    {
        "set_id": SET_ID,
        "approved_by": "risk-manager-2",
        "approved_at": stamp(days=4),
        "reason": "p_0003: lower",
    },
    {"set_id": "set_old", "approved_by": "admin", "approved_at": stamp(days=40), "reason": "the first set"},
]
JOBS: Json = {
    "jobs": [
        {
            "name": "retrain",
            "what": "Train a challenger when there are enough new labels",
            "every_seconds": 86400.0,
            "running": False,
            "paused": False,
            "next_run_at": ahead(hours=15),
            "last_started_at": stamp(hours=9),
            "last_finished_at": stamp(hours=8.9),
            "last_result": "done",
            "last_detail": "refused: no better",
        },
        {
            "name": "task_timeouts",
            "what": "Give back tasks whose lock ran out",
            "every_seconds": 300.0,
            "running": False,
            "paused": False,
            "next_run_at": ahead(minutes=3),
            "last_started_at": None,
            "last_finished_at": None,
            "last_result": "",
            "last_detail": "",
        },
    ],
}
EVENTS: Json = {
    "events": [
        {
            "seq": 52110 - i,
            "recorded_at": stamp(minutes=i * 3),
            "actor": actor,
            "kind": kind,
            "subject": subject,
            "payload": {"note": "…"},
            "hash": f"{i:02x}" * 32,
            "prev_hash": f"{i + 1:02x}" * 32,
        }
        for i, (actor, kind, subject) in enumerate(
            [
                ("analyst-1", "verdict.given", "task:k_0003"),
                ("engine", "transaction.decided", "transaction:t_90058"),
                ("risk-manager-1", "set.approved", f"set:{SET_ID}"),
                ("admin", "model.promoted", f"model:{MODEL_ID}"),
            ]
        )
    ]
}
CASES: list[Json] = [
    {
        "case_id": f"case_{i:04d}",
        "transaction_seq": 90000 + i,
        "opened_at": stamp(hours=2 * i + 1),
        "opened_by": "engine",
        "status": ("open", "closed", "in_adjudication")[i % 3],
        "reason": ("rule_asks", "uncertain")[i % 2],
        "reason_detail": "One device, many customers",
        "amount_minor": 81200 + 991 * i,
        "deadline": ahead(hours=3 - i),
        "verdict": "confirmed_fraud" if i % 3 == 1 else "",
        "closed_at": stamp(hours=1) if i % 3 == 1 else None,
    }
    for i in range(12)
]
STORY: Json = {
    "decision": {
        "transaction_id": "t_90002",
        "decided_at": stamp(hours=5),
        "outcome": "review",
        "probability": 0.67,
    },
    "verdicts": [
        {
            "verdict_id": "v_8",
            "reviewer": "analyst-1",
            "value": "confirmed_fraud",
            "typology": "account_takeover",
            "reason_code": "new_device",
            "note": "New device, then the largest payment ever.",
            "confidence": "high",
            "seconds": 41.0,
            "arm": "score_shown",
            "flags": [],
            "given_at": stamp(hours=4),
            "undone_at": None,
            "task_kind": "primary",
        },
        {
            "verdict_id": "v_9",
            "reviewer": "analyst-2",
            "value": "legitimate",
            "typology": "",
            "confidence": "",
            "seconds": 18.0,
            "arm": "score_shown",
            "flags": [],
            "given_at": stamp(hours=3),
            "undone_at": None,
            "task_kind": "second",
        },
    ],
    "dispositions": [
        {
            "value": "declined",
            "reason": "Confirmed by adjudication",
            "actor": "team-lead-1",
            "at": stamp(hours=1),
        }
    ],
    "tasks": [
        {
            "task_id": "k_1",
            "kind": "primary",
            "lane": "money_at_risk",
            "status": "done",
            "arm": "score_shown",
            "probability": 1.0,
            "claimed_by": "analyst-1",
        }
    ],
    "timeline": [
        {"at": stamp(hours=5), "kind": "decision", "actor": "engine", "text": "The engine answered review."},
        {
            "at": stamp(hours=4),
            "kind": "verdict",
            "actor": "analyst-1",
            "text": "Verdict confirmed_fraud after 41 s.",
        },
    ],
}
