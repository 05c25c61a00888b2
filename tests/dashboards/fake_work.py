"""What do team, inbox and work that waits look like at the made-up institution?"""

from __future__ import annotations

from typing import Any

import fake_own_work
from fake_clock import ahead, stamp

Json = dict[str, Any]
FORECAST: Json = {
    "days": 21, "backlog": 48, "known": True, "capacity_per_day": 60,
    "arrivals_per_day": {"value": 22.4, "low": 18.0, "high": 26.8},
    "reviews_per_day": {"value": 30.1, "low": 25.2, "high": 35.0},
    "clears_in_days": {"low": 5, "value": 7, "high": 11},
    "will_miss": {"low": 0, "value": 3, "high": 8},
    "by_day": [{"day": f"2026-03-{n:02d}", "arrivals": 20 + n % 5, "reviews": 26 + n % 7} for n in range(1, 22)],
}  # fmt: skip
TEAM: Json = {
    "queues": [
        {"queue": "cross_border", "open": 9, "claimed": 0, "due_in_a_day": 2, "nearest_deadline": ahead(hours=5),
         "amount_minor": 812_000, "served_by": 0},
        {"queue": "default", "open": 37, "claimed": 2, "due_in_a_day": 4, "nearest_deadline": ahead(hours=3),
         "amount_minor": 4_120_000, "served_by": 3},
    ],
    "adjudications": [
        {"task_id": "k_0003", "case_id": "case_0002", "amount_minor": 22_900, "deadline": ahead(hours=30),
         "created_at": stamp(hours=2), "claimed_by": "", "escalated": True},
    ],
    "people": [
        {"user_id": "analyst-1", "role": "analyst", "held": 1, "set_aside": 0, "teams": [], "languages": [],
         "held_limit": 0, "away_until": None},
        {"user_id": "team-lead-1", "role": "team_lead", "held": 0, "set_aside": 0, "teams": [], "languages": [],
         "held_limit": 0, "away_until": None},
    ],
    "skips": [{"reason": "language", "n": 4, "people": 2}],
    "deserved": [{"reason": "rule_asks", "asked": 40, "no": 30, "share": {"value": 0.75, "low": 0.6, "high": 0.86}}],
    "forecast": FORECAST,
}  # fmt: skip
INBOX: Json = {
    "flags": [
        {"flag_id": "flag_1", "kind": "guideline_gap", "detail": "families share one device",
         "transaction_id": "t_90001", "case_id": "case_0002",
         "raised_at": stamp(hours=3), "answer": "", "answered_by": "", "answered_at": None},
    ]
}  # fmt: skip
NEEDS: Json = {
    "least": 10,
    "needs": [{"reviewer": "analyst-1", "reason": "rule_asks", "n": 14, "overturned": 6, "missed": 4, "accused": 1,
               "share": {"value": 0.43, "low": 0.21, "high": 0.67}}],
}  # fmt: skip
WEBHOOKS: Json = {
    "webhooks": [{"webhook_id": "webhook_1", "url": "https://hooks.example.com/x", "created_by": "admin",
                  "created_at": stamp(days=2)}],
    "allowed_hosts": ["hooks.example.com"], "head_hosts": [], "messages": {"waiting": 1, "sent": 40, "dead": 1},
}  # fmt: skip
DELIVERIES: Json = {
    "deliveries": [
        {"delivery_id": "delivery_1", "message_id": "event_77", "status": "dead", "last_answer": "500"}
    ]
}
API_KEYS: Json = {
    "keys": [
        {"key_id": "key_1", "user": "integrator-1", "name": "card authorisation", "scopes": ["decide", "read"],
         "per_second": 1000, "created_at": stamp(days=2), "created_by": "admin", "expires_at": ahead(hours=900),
         "revoked_at": None, "revoked_by": ""},
    ],
    "scopes": {"decide": ["request decisions"], "read": ["read decisions", "read dispositions"]},
}  # fmt: skip
NEW_KEY: Json = {
    "key_id": "key_2",
    "user": "integrator-1",
    "secret": "slk_once",
    "expires_at": ahead(hours=900),
}


def _note(what: str) -> Any:
    """Remember that it was asked for, of what, and with which words."""
    return lambda api, asked: api.done.append((what, asked.parts[0], asked.body))


ROUTES = [
    ("GET", "/team", False, lambda _api, _asked: TEAM),
    ("GET", "/inbox", False, lambda _api, _asked: INBOX),
    ("GET", "/webhooks", False, lambda _api, _asked: WEBHOOKS),
    ("GET", "/api-keys", False, lambda _api, _asked: API_KEYS),
    ("POST", "/api-keys", False, lambda api, asked: api.done.append(("key", "", asked.body)) or NEW_KEY),
    ("DELETE", "/api-keys/([^/]+)", False, lambda api, asked: api.done.append(("revoke", asked.parts[0], asked.query))),
    ("GET", "/deliveries", False, lambda _api, _asked: DELIVERIES),
    ("POST", "/webhooks", False, lambda api, asked: {"webhook_id": "webhook_2", "url": "", "secret": "whsec_once"}),
    ("GET", "/training-needs", False, lambda _api, _asked: NEEDS),
    ("POST", "/tasks/([^/]+)/snooze", False, _note("snooze")),
    ("POST", "/tasks/([^/]+)/escalate", False, _note("escalate")),
    ("POST", "/bulk-verdicts", False, lambda api, asked: _bulk(api, asked)),
    ("POST", "/bulk-verdicts/undo", False, lambda _api, _asked: {"results": []}),
    ("PUT", "/reviewers/([^/]+)", False, _note("place")),
    ("PUT", "/reviewers/([^/]+)/away", False, _note("away")),
    ("POST", "/inbox/([^/]+)/answer", False, _note("answer")),
    ("POST", "/cases/([^/]+)/notes", False, _note("note")),
    *fake_own_work.ROUTES,
]  # fmt: skip


def _bulk(api: Any, asked: Any) -> Json:
    api.done.append(("bulk", "", asked.body))
    return {
        "results": [
            {"task_id": each, "verdict_id": f"v_of_{each}", "why": ""} for each in asked.body["task_ids"]
        ]
    }
