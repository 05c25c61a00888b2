"""What does the made-up institution answer about kill switch, alarms, breaker, snoozes, lists and trials?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fake_clock import ahead, stamp

Json = dict[str, Any]
OFF = {"is_on": False, "turned_at": None, "turned_by": "", "reason": ""}
ON = {
    "is_on": True,
    "turned_at": stamp(hours=1),
    "turned_by": "team-lead-1",
    "reason": "everybody is declined",
}
ALARM = {
    "alarm_id": "alarm_1",
    "kind": "breaker",
    "subject": "rule:night_on_new_device",
    "sentence": "The rule night_on_new_device hit 40 of 64 decisions (63 %).",
    "raised_at": stamp(hours=2),
    "acknowledged_at": None,
    "acknowledged_by": "",
    "reason": "",
}
QUIET: Json = {"kill_switch": OFF, "alarms": [], "open": 0}
LOUD: Json = {"kill_switch": ON, "alarms": [ALARM], "open": 2}
_SHARE = {"value": 0.02, "low": 0.01, "high": 0.03, "n": 1200}
_SIDE = {
    "decisions": 1200, "approve": 1176, "review": 20, "decline": 4, "alert_rate": _SHARE, "decline_rate": _SHARE,
    "amount_minor": 100, "declined_minor": 10, "outcomes_told": 7, "known_fraud_let_through": 2,
    "known_fraud_let_through_minor": 45_000, "known_fraud_stopped_or_reviewed": 5,
}  # fmt: skip
OVERVIEW: Json = {
    **QUIET,
    "turns": [{**OFF, "turned_at": stamp(days=3), "turned_by": "risk-manager-2", "reason": "mended"}],
    "capacity": {"used": 48, "reviews_per_day": 60, "price_minor": 100.0, "sentence": "48 of 60 are used."},
    "acts": [
        {
            "act_id": "act_1", "action": "pause", "kind": "rule", "subject": "night_on_new_device",
            "sentence": "It is new or changed, so it is paused.", "acted_at": stamp(hours=2), "in_force": True,
        }
    ],
    "limits": {"days": 7, "decisions": 5000, "false_alarms": 0.0001},
    "watches": [
        {
            "kind": "rule", "subject": "night_on_new_device", "since": stamp(days=1), "is_new": True, "acted": True,
            "decisions": 64, "alarms": 40, "rate": 0.625, "expected_at_most": 0.004, "basis": "history",
            "history": 5120, "evidence": 9.3, "acts_at": 9.2, "decisions_to_act_if_loud": 29,
        }
    ],
    "fail_safe": [{"kind": "fail_safe", "subject": "no_model", "n": 12, "last_at": stamp(hours=3)}],
    "policy_set_id": "", "model_id": "m_1", "set_id": "set_1",
}  # fmt: skip
_COUNTED = {
    "payments": 9, "amount_minor": 81_000, "known_fraud": 1, "fraud_minor": 12_000, "fraud_let_through_minor": 12_000,
    "confirmed_by_reviewers": 1, "reported_legitimate": 0, "last_at": stamp(hours=5),
    "by_rule": [{"rule_id": "night_on_new_device", "n": 9}],
}  # fmt: skip
SNOOZE: Json = {
    "snooze_id": "snooze_1", "entity": "customer", "value": "c-77", "rule_id": "night_on_new_device",
    "reason": "a nurse", "made_by": "team-lead-1", "made_at": stamp(days=2), "expires_at": ahead(days=5),
    "ended_at": None, "ended_by": "", "ended_reason": "", "state": "in_force", "silenced": _COUNTED,
}  # fmt: skip
ENTRY: Json = {
    "entry_id": "entry_1", "entity": "device", "value": "d-13", "effect": "block", "reason": "three chargebacks",
    "case_id": "", "proposed_by": "analyst-1", "proposed_at": stamp(days=1), "in_force_at": None, "confirmed_by": "",
    "expires_at": ahead(days=29), "ended_at": None, "ended_by": "", "ended_reason": "", "state": "proposed",
    "caught": {**_COUNTED, "payments": 0, "by_rule": []},
}  # fmt: skip
TRIAL: Json = {
    "trial_id": "shadow_1", "kind": "shadow", "name": "dearer misses", "set_id": "set_2", "model_id": "",
    "entity": "", "share": 1.0, "reason": "see first", "started_by": "risk-manager-1", "started_at": stamp(days=6),
    "stopped_at": None, "stopped_by": "", "stopped_reason": "", "decisions": 1200, "differing": 3, "candidate": 0,
    "takes_part": True,
}  # fmt: skip
REPORT: Json = {
    **TRIAL,
    "live": _SIDE,
    "candidate": {**_SIDE, "review": 23, "approve": 1173},
    "flipped": 3,
    "flips": [
        {
            "transaction_id": "tx-9", "decided_at": stamp(hours=9), "amount_minor": 45_000, "answered": "approve",
            "outcome": "review", "probability": 0.04, "rules_hit": [],
        }
    ],
    "caveat": "A shadow answers with its own count of the day's reviews.",
}  # fmt: skip


def _fixed(value: Any) -> Callable[[Any, Any], Any]:
    return lambda _api, _asked: value


def _noted(route: str) -> Callable[[Any, Any], Any]:
    """Keep what was asked for, who asked and with what."""

    def note(api: Any, asked: Any) -> Any:
        api.switched.append((route, "/".join(asked.parts), asked.body))
        return {}

    return note


ROUTES: list[tuple[str, str, bool, Callable[[Any, Any], Any]]] = [
    ("GET", "/alarms", False, _fixed(QUIET)),
    ("GET", "/safety", False, _fixed(OVERVIEW)),
    ("GET", "/snoozes", False, _fixed({"snoozes": [SNOOZE]})),
    ("GET", "/list-entries", False, _fixed({"entries": [ENTRY]})),
    ("GET", "/trials", False, _fixed({"trials": [TRIAL]})),
    ("GET", "/trials/([^/]+)", False, _fixed(REPORT)),
    ("POST", "/kill-switch", False, _noted("kill-switch")),
    ("POST", "/alarms/([^/]+)/acknowledgement", False, _noted("acknowledgement")),
    ("POST", "/breaker/([^/]+)/end", False, _noted("resume")),
    ("POST", "/snoozes", False, _noted("snooze")),
    ("POST", "/snoozes/([^/]+)/end", False, _noted("end snooze")),
    ("POST", "/list-entries", False, _noted("list")),
    ("POST", "/list-entries/([^/]+)/confirmation", False, _noted("confirm")),
    ("POST", "/list-entries/([^/]+)/end", False, _noted("end entry")),
    ("POST", "/trials/([^/]+)/stop", False, _noted("stop trial")),
]
