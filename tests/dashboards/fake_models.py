"""What does the made-up institution behind the fake API know of its models?"""

from __future__ import annotations

import base64
from typing import Any

from fake_clock import stamp
from fake_institution import MODEL_ID

Json = dict[str, Any]
CHALLENGER_ID = "m_77f0ab3310ce"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MODELS: Json = {
    "models": [
        {
            "model_id": MODEL_ID,
            "status": "champion",
            "created_at": stamp(days=3),
            "requested_by": "schedule",
            "metrics": {
                "auc": {"value": 0.94, "low": 0.92, "high": 0.96},
                "average_precision": {"value": 0.61},
                "brier": 0.004,
            },
        },
        {
            "model_id": CHALLENGER_ID,
            "status": "challenger",
            "created_at": stamp(hours=8),
            "requested_by": "schedule",
            "metrics": {"auc": {"value": 0.93}, "average_precision": {"value": 0.58}, "brier": 0.005},
        },
    ]
}
CHALLENGER: Json = MODELS["models"][1] | {
    "gates": [{"name": "no_worse", "passed": False, "sentence": "the interval is -0.06 to -0.01"}],
    "record": {
        "comparison": {
            "rows": 7073,
            "frauds": 53,
            "champion_average_precision": {"value": 0.61, "low": 0.5, "high": 0.7},
            "challenger_average_precision": {"value": 0.58, "low": 0.47, "high": 0.66},
            "average_precision_difference": {"value": -0.03, "low": -0.06, "high": -0.01},
            "champion_cost_minor": 431425.0,
            "challenger_cost_minor": 496858.0,
            "cost_saved": {"value": -0.15, "low": -0.99, "high": 0.26},
            "flips": 368,
        },
        "naive_average_precision": {"rows": 8120, "frauds": 71, "champion": 0.7, "challenger": 0.59},
        "flips": [
            {
                "seq": 90002,
                "transaction_id": "t_90002",
                "amount_minor": 16542,
                "outcome": "review",
                "champion": 0.071,
                "challenger": 0.954,
                "champion_outcome": "approve",
                "challenger_outcome": "decline",
                "fraud": True,
            }
        ],
    },
    "flips_opened": [],
    "flips_needed": 5,
    "entities": ["customer", "card"],
}
FLIP: Json = CHALLENGER["record"]["flips"][0] | {
    "occurred_at": stamp(days=20),
    "currency": "EUR",
    "entities": {"customer": "c_17"},
    "champion_inputs": [
        {"name": "amount_minor", "phrase": "amount", "value": 16542, "effect": 0.4},
    ],
    "challenger_inputs": [
        {
            "name": "customer_txn_count_1d",
            "phrase": "payments of this customer in a day",
            "value": 9.0,
            "effect": 2.1,
        },
    ],
}
HOLDOUT: Json = {
    "share": 0.05,
    "by": "customer",
    "rows": 4100,
    "frauds": 38,
    "generations": [
        {"model_id": MODEL_ID, "average_precision": {"value": 0.6, "low": 0.5, "high": 0.7}},
        {"model_id": CHALLENGER_ID, "average_precision": {"value": 0.57, "low": 0.46, "high": 0.66}},
    ],
}
RATES: Json = {
    "since": stamp(days=70),
    "until": stamp(days=1),
    "models": [
        {
            "model_id": MODEL_ID,
            "decisions": 9000,
            "matured": 4200,
            "expected": {"precision": 0.45, "recall": 0.6},
            "precision": {
                "estimate": {"value": 0.41, "low": 0.3, "high": 0.53},
                "naive": {"value": 0.58, "low": 0.4, "high": 0.7},
                "share_confirmed": {"value": 0.39, "low": 0.3, "high": 0.48},
            },
            "recall": {"value": 0.62, "low": 0.5, "high": 0.73},
            "naive_recall": {"value": 0.21, "low": 0.11, "high": 0.35},
        }
    ],
}
RUNNING: Json = {
    "run_id": "r_03",
    "trigger": "labels",
    "requested_by": "scheduler",
    "started_at": stamp(hours=0.01),
    "finished_at": None,
    "result": "running",
    "sentence": "",
    "reason": "5,000 outcomes came since the last run",
    "challenger_id": "",
    "gates": [],
    "stage": "judging",
    "share": 0.65,
    "seconds": 12.0,
}
CARD: Json = {
    "model_id": CHALLENGER_ID,
    "purpose": "Ranks payments by the probability of fraud.",
    "limits": ["Labels are evidence, not truth."],
    "labels": {
        "all": {"rows": 47418, "frauds": 491, "from": "2026-06-21T02:08:38Z", "to": "2026-09-26T03:19:53Z"}
    },
    "performance": {
        "auc": {"value": 0.93, "low": 0.91, "high": 0.95},
        "average_precision": {"value": 0.58, "low": 0.47, "high": 0.66},
        "brier": 0.005,
        "measured_on": "the later part",
    },
    "params": {"rounds": 200},
}
RETRAINS: Json = {
    "retrains": [
        {
            "run_id": "r_02",
            "trigger": "schedule",
            "requested_by": "schedule",
            "started_at": stamp(hours=8),
            "finished_at": stamp(hours=7.9),
            "result": "refused",
            "champion_id": MODEL_ID,
            "challenger_id": CHALLENGER_ID,
            "sentence": "Refused: average precision is 0.03 lower than the champion's on the same payments.",
            "gates": [
                {"name": "enough_labels", "passed": True, "sentence": "812 matured labels, 400 needed."},
                {"name": "no_worse", "passed": False, "sentence": "The interval is -0.06 to -0.01."},
            ],
        },
    ]
}


def model(model_id: str) -> Json:
    """One model in full."""
    row = next(row for row in MODELS["models"] if row["model_id"] == model_id)
    return CHALLENGER if model_id == CHALLENGER_ID else row


def _fixed(value: Any) -> Any:
    return lambda _api, _asked: value


def _noted(what: str) -> Any:
    """Note what was asked for, of what, with which words."""
    return lambda api, asked: api.switched.append((what, "".join(asked.parts[:1]), asked.body))


ROUTES: list[Any] = [
    ("GET", "/models", False, _fixed(MODELS)),
    ("GET", "/models/([^/]+)", False, lambda _api, asked: model(asked.parts[0])),
    ("GET", "/models/[^/]+/card.json", False, _fixed(CARD)),
    ("GET", "/models/[^/]+/beeswarm.png", False, _fixed(PICTURE)),
    ("GET", "/models/[^/]+/dependence.png", False, _fixed(PICTURE)),
    ("GET", "/models/[^/]+/card.html", False, _fixed(b"<!doctype html>")),
    ("GET", "/retrains", False, _fixed(RETRAINS)),
    ("POST", "/retrains", False, _fixed({"run_id": "r_03"})),
    ("GET", "/retrains/r_03", False, _fixed(RUNNING)),
    ("POST", "/retrains/([^/]+)/cancel", False, _noted("cancel")),
    ("POST", "/models/[^/]+/flips/([^/]+)", False, _fixed(FLIP)),
    ("POST", "/models/([^/]+)/refusal", False, _noted("turn down")),
    ("POST", "/model-rollbacks", False, _noted("roll back")),
    ("POST", "/shadows", False, _noted("shadow")),
    ("POST", "/rollouts", False, _noted("rollout")),
    ("POST", "/jobs/([^/]+)/pause", False, _noted("pause")),
    ("POST", "/jobs/([^/]+)/resume", False, _noted("resume")),
]
