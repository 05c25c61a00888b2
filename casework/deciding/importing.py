"""How does a file of history get into a workspace that may be deciding meanwhile?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from casework.app import App
from data import ingest, reading
from data.errors import InputError
from data.outcome_file import OutcomeReport
from data.outcome_file import import_outcomes as read_outcomes

Progress = Callable[[str, int, int], None]

_FEW = 10_000
"""Outcomes that the engine learns one by one; with more, its memory is built anew."""


def import_file(
    app: App, path: Path, name: str, *, actor: str, at: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Import one CSV or Parquet file; `name` is what its owner calls it. Decisions wait until it is in."""
    with app.changing_history():
        try:
            report = ingest.import_file(app.ledger, app.mapping, path, at=at, actor=actor, progress=progress)
        except InputError as error:
            error.where = error.where.replace(str(path), name)  # they know it by that name
            raise
    if report.accepted and _few_labels(app):
        app.keep_up_novelty(actor)
    return {"file": name, **asdict(report)}


def _few_labels(app: App) -> bool:
    """Whether no model can be trained yet, so that novelty has to say what is worth a look."""
    frauds = app.ledger.read("SELECT count(DISTINCT transaction_seq) AS n FROM outcomes WHERE is_fraud")[0][
        "n"
    ]
    return frauds < app.settings().policy.retrain.min_frauds


def import_outcomes(app: App, path: Path, name: str, *, actor: str, at: datetime) -> dict[str, Any]:
    """Import one file of outcomes. Decisions wait until it is in and the features have learned it."""
    with app.lock:
        try:
            report = read_outcomes(app.ledger, app.mapping, path, at=at, actor=actor)
        except InputError as error:
            error.where = error.where.replace(str(path), name)
            raise
        _learn(app, report, at)
    shown = asdict(report)
    del shown["recorded"]
    return {"file": name, **shown}


def _learn(app: App, report: OutcomeReport, at: datetime) -> None:
    if len(report.recorded) > _FEW:
        app.forget()
        return
    if not app.deciding or not report.recorded:
        return
    seqs = sorted({row["transaction_seq"] for row in report.recorded})
    rows = app.ledger.read_arrow("SELECT * FROM transactions WHERE list_contains(?, seq)", [seqs])
    known = {t.seq: t for t in reading.from_arrow(rows, app.ledger.fields)}
    for row in report.recorded:
        app.live.engine.state.observe_outcome(
            known[row["transaction_seq"]],
            row["is_fraud"],
            known_at=row["known_at"],
            reported_seq=row["reported_seq"],
            recorded_at=at,
        )
        app.live.past.learn(row["transaction_seq"], row["is_fraud"], row["known_at"])
