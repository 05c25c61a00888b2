"""What came of the demo, in figures that a test or a visitor can read?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from casework.app import App
from casework.demo import people
from casework.demo.world import World
from casework.learning.registry import models
from casework.learning.retraining import runs
from casework.quality.consistency import consistency_report
from casework.quality.subgroups import subgroup_table
from engine.measuring.intervals import ranking_intervals

_SEED = 1


def summarise(app: App, world: World, latencies_ms: Sequence[float]) -> dict[str, Any]:
    """Counts, model quality against the simulator's truth, agreement, open work, latency, models, subgroups."""
    quality, agreement = _quality(app, world), _agreement(app)
    return {
        "auc": _value(quality.get("auc")),
        "average_precision": _value(quality.get("average_precision")),
        "alpha": _value(agreement["alpha"]),
        "ac1": _value(agreement["ac1"]),
        "agreement_n": agreement["n_items"],
        "counts": _counts(app),
        "outcomes": _by(app, "SELECT outcome AS name, count(*) AS n FROM decisions GROUP BY outcome"),
        "cases_by_reason": _by(app, "SELECT reason AS name, count(*) AS n FROM cases GROUP BY reason"),
        "open_tasks": app.ledger.read("SELECT count(*) AS n FROM tasks WHERE status IN ('open', 'claimed')")[
            0
        ]["n"],
        "model_quality": quality,
        "reviewers": _reviewers(app, world),
        "agreement": agreement,
        "decision_latency_ms": _latency(latencies_ms),
        "models": _models(app),
        "retrains": [
            {k: row[k] for k in ("trigger", "result", "sentence", "challenger_id")}
            for row in reversed(runs.table(app.ledger))
        ],
        "subgroups": subgroup_table(app.ledger, app.live.settings.policy.protected_attribute),
        "sign_in": {
            "password": people.PASSWORD,
            "users": {people.ADMIN.user_id: "admin", **{k: v.value for k, v in people.PEOPLE.items()}},
        },
    }


def _value(figure: Mapping[str, Any] | None) -> float | None:
    return figure["value"] if figure else None


def _counts(app: App) -> dict[str, int]:
    tables = ("transactions", "outcomes", "decisions", "cases", "tasks", "verdicts", "dispositions", "events")
    return {name: app.ledger.read(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in tables}


def _by(app: App, sql: str) -> dict[str, int]:
    return {row["name"]: row["n"] for row in sorted(app.ledger.read(sql), key=lambda row: -row["n"])}


def _quality(app: App, world: World) -> dict[str, Any]:
    """How the scores of the live decisions ranked the simulator's frauds; the truth is known only here."""
    rows = app.ledger.read_arrow("SELECT transaction_id, margin FROM decisions WHERE margin IS NOT NULL")
    margin = rows["margin"].to_numpy()
    y = np.array([i in world.fraud for i in rows["transaction_id"].to_pylist()], dtype=np.int8)
    found: dict[str, Any] = {
        "judged_by": "the simulator's truth, live decisions",
        "n": len(y),
        "frauds": int(y.sum()),
    }
    if 0 < y.sum() < len(y):
        ranked = ranking_intervals(y, margin, _SEED)
        found["auc"], found["average_precision"] = (each.to_json() for each in ranked)
    return found


def _reviewers(app: App, world: World) -> dict[str, Any]:
    """How often first and second reviews were right, by the simulator's truth."""
    rows = app.ledger.read(
        "SELECT t.transaction_id, v.value FROM verdicts v JOIN transactions t ON t.seq = v.transaction_seq "
        "WHERE v.undone_at IS NULL AND v.task_kind IN ('primary', 'second')"
    )
    fraud = [r for r in rows if r["transaction_id"] in world.fraud]
    honest = [r for r in rows if r["transaction_id"] not in world.fraud]
    said = [r for r in rows if r["value"] == "confirmed_fraud"]
    right = [r for r in said if r["transaction_id"] in world.fraud]
    return {
        "judged_by": "the simulator's truth, primary and second reviews",
        "verdicts": len(rows),
        "recall": _share(sum(r["value"] == "confirmed_fraud" for r in fraud), len(fraud)),
        "precision": _share(len(right), len(said)),
        "false_positive_rate": _share(len(said) - len(right), len(honest)),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _agreement(app: App) -> dict[str, Any]:
    report = consistency_report(app.ledger, with_people=False)
    kept = ("state", "n_items", "n_pairs", "raw", "positive_specific", "alpha", "ac1", "sentence")
    return {name: report[name] for name in kept}


def _latency(latencies_ms: Sequence[float]) -> Mapping[str, Any]:
    if not latencies_ms:
        return {"n": 0}
    p50, p95, p99 = np.percentile(latencies_ms, (50, 95, 99))
    return {
        "what": "one payment at a time, in this process, durable before the answer",
        "n": len(latencies_ms),
        "p50": round(float(p50), 2),
        "p95": round(float(p95), 2),
        "p99": round(float(p99), 2),
    }


def _models(app: App) -> list[dict[str, Any]]:
    kept = ("model_id", "status", "created_at")
    return [
        {
            **{name: row[name] for name in kept},
            "average_precision": row["record"]["average_precision"],
            "judged_frauds": row["record"]["judged_frauds"],
        }
        for row in reversed(models.table(app.ledger))
    ]
