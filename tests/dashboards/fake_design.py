"""What do review design, golden cases and training look like at the made-up institution?"""

from __future__ import annotations

from typing import Any

from fake_clock import stamp

Json = dict[str, Any]
SHARES: Json = {"second_review": 0.25, "third_review": 0.2, "audit": 0.01, "golden": 0.03, "re_serve": 0.02,
                "fraud_share": 0.5, "again": 0.1}  # fmt: skip
FIGURES: list[Json] = [
    {"name": "ac1", "title": "Gwet's AC1", "a_week": 31.2, "have": 181, "needed": 100, "after": 556, "value": 0.66,
     "half_width": 0.061, "weeks_until": 0, "rule": "100 payments with two reviewers, 10 in dispute"},
    {"name": "recall", "title": "Recall of one reviewer", "a_week": 0.6, "have": 2, "needed": 10, "after": 9,
     "value": 0.49, "half_width": None, "weeks_until": 14, "rule": "10 golden cases of the class"},
    {"name": "intra_rater", "title": "Same person, same payment, same answer", "a_week": 0.0, "have": 0,
     "needed": 100, "after": 0, "value": 0.8, "half_width": None, "weeks_until": None, "rule": "100 re-serves"},
    {"name": "fraud_rate_outcomes", "title": "Fraud rate of audited payments, from outcomes", "a_week": 35.0,
     "have": 300, "needed": 500, "after": 720, "value": 0.01, "half_width": 0.0078, "weeks_until": 6,
     "rule": "100 audits, 5 expected frauds among them"},
]  # fmt: skip
GOLDEN: Json = {
    "golden_cases": [
        {"golden_id": "golden_1", "transaction_id": "t_70001", "is_fraud": True, "basis": "outcome_and_adjudication",
         "reason": "", "answers": 4, "right": 2, "added_at": stamp(days=9), "retired_at": None, "retired_because": ""},
        {"golden_id": "golden_2", "transaction_id": "t_70002", "is_fraud": False, "basis": "nominated",
         "reason": "she told us", "answers": 12, "right": 9, "added_at": stamp(days=30), "retired_at": stamp(days=1),
         "retired_because": "answered 12 times"},
    ]
}  # fmt: skip
TRAINING: Json = {
    "user_id": "analyst-1", "status": "training", "since": stamp(days=4), "done": 12, "needed": 40,
    "recall": {"value": 0.5, "low": 0.22, "high": 0.78, "n": 8},
    "false_positive_rate": {"value": 0.25, "low": 0.05, "high": 0.7, "n": 4},
    "least_recall": 0.4, "most_false_positive_rate": 0.3, "lacking": "28 more past cases",
    "answers": [{"task_id": "k_1", "value": "legitimate", "given_at": stamp(hours=1), "seconds": 31.0,
                 "is_fraud": True, "right": False}],
}  # fmt: skip
NEWCOMERS: Json = {
    "newcomers": [
        {**TRAINING, "user_id": "analyst-5"},
        {**TRAINING, "user_id": "analyst-6", "done": 41, "lacking": ""},
    ]
}


def _design(_api: Any, asked: Any) -> Json:
    shares = {name: float(asked.query.get(name, SHARES[name])) for name in SHARES}
    second = 125 * shares["second_review"]
    kinds = {"audit": 35.0, "second": second, "third": 6.2, "golden": 5.1, "re_serve": 3.4}
    return {
        "shares": shares, "in_force": SHARES, "weeks": int(asked.query.get("weeks", 12)), "figures": FIGURES,
        "volumes": {"weeks": 8.0, "cases": 90.0, "automatic": 3500.0, "reviews": 120.0, "analysts": 4, "seconds": 35.0},
        "cost": {"by_kind": kinds, "reviews_a_week": sum(kinds.values()), "hours_a_week": 0.8,
                 "in_force_reviews_a_week": 80.95, "in_force_hours_a_week": 0.79, "answered_a_week": 120.0},
        "assumed": ["recall of a review: the policy's, 49% (only 12 frauds among golden cases known)"],
        "measured": ["false positive rate 12% [9%, 16%], measured on 340 honest ones among golden cases"],
    }  # fmt: skip


def _note(what: str) -> Any:
    return lambda api, asked: api.done.append((what, asked.parts[0] if asked.parts else "", asked.body))


ROUTES = [
    ("GET", "/review-design", False, _design),
    ("GET", "/golden-cases", False, lambda _api, _asked: GOLDEN),
    ("POST", "/golden-cases", False, _note("nominate")),
    ("POST", "/golden-cases/([^/]+)/retirement", False, _note("retire")),
    ("GET", "/me/training", False, lambda api, _asked: api.answers.get("training", TRAINING)),
    ("GET", "/newcomers", False, lambda _api, _asked: NEWCOMERS),
    ("POST", "/reviewers/([^/]+)/training", False, _note("train")),
    ("POST", "/reviewers/([^/]+)/qualification", False, _note("qualify")),
    ("POST", "/verdicts/([^/]+)/revision", False, _note("second thought")),
]
