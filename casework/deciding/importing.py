"""How does a file of history get into a workspace that may be deciding meanwhile?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from casework import slices
from casework.app import App
from casework.deciding.import_reports import warnings
from casework.deciding.outcomes import observe
from data import reading
from data.errors import CheckpointBusyError, InputError
from data.incoming import ingest, ingest_steps
from data.incoming.outcome_file import OutcomeReport
from data.incoming.outcome_file import import_outcomes as read_outcomes
from engine.features.feature_set import FeatureSet

Progress = Callable[[str, int, int], None]

_FEW = 10_000
"""Outcomes that the engine learns one by one; with more, its memory is built anew."""
_LOG_BYTES = 8 * 1024 * 1024
"""Write-ahead log that an import moves into the file itself, before the job does so during a step."""


def import_file(
    app: App, path: Path, name: str, *, actor: str, at: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Import one CSV or Parquet file; `name` is what its owner calls it.

    Where decisions are being made it goes in steps, between which they are answered; else in one commit. `warnings` are
    sentences about what is in, and not as its owner may think.
    """
    try:
        with app.importing:
            report = _imported(app, path, actor, at, progress)
    except InputError as error:
        error.where = error.where.replace(str(path), name)  # they know it by that name
        raise
    if report.accepted and _few_labels(app):
        app.keep_up_novelty(actor)
    told = warnings(report.beyond_memory, report.taken_back, _memory(app.settings().features))
    return {"file": name, **asdict(report), "warnings": told}


def _memory(features: FeatureSet) -> timedelta:
    return timedelta(microseconds=features.memory_us)


def _imported(
    app: App, path: Path, actor: str, at: datetime, progress: Progress | None
) -> ingest.ImportReport:
    memory = _memory(app.settings().features)
    if app.deciding and app.ledger.read("SELECT 1 FROM decisions LIMIT 1"):
        return ingest_steps.import_in_steps(
            app.ledger,
            app.mapping,
            path,
            _Memory(app, at),
            at=at,
            actor=actor,
            progress=progress,
            memory=memory,
        )
    with app.changing_history():
        return ingest.import_file(
            app.ledger, app.mapping, path, at=at, actor=actor, progress=progress, memory=memory
        )


class _Memory:
    """What decides, kept up with an import step by step, so that it never has to be built anew."""

    def __init__(self, app: App, at: datetime) -> None:
        self._app, self._at = app, at

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._app.lock:
            _ = self._app.live  # read before the ledger is written to
            try:
                yield
            except BaseException:
                self._app.forget()  # it may lack what the ledger has
                raise

    def stored(self, first_seq: int, last_seq: int) -> None:
        app = self._app
        rows = reading.transactions_arrow(app.ledger, first_seq=first_seq, last_seq=last_seq)
        made = list(reading.from_arrow(rows, app.ledger.fields))
        for transaction in made:
            app.live.memory.add(transaction)
        app.live.past.add(made)
        span = [first_seq, last_seq]
        sql = "SELECT * FROM outcomes WHERE transaction_seq BETWEEN ? AND ? ORDER BY transaction_seq"
        for row in app.ledger.read(sql, span):
            observe(app, made[row["transaction_seq"] - first_seq], row, row["recorded_at"])

    def told(self, outcomes: list[dict[str, Any]]) -> None:
        _learn_each(self._app, outcomes, self._at)

    def pause(self) -> None:
        """What a step would otherwise wait for, while payments wait for the step, is done here."""
        if self._app.ledger.wal_bytes >= _LOG_BYTES:
            with suppress(CheckpointBusyError):  # somebody reads: the next pause, or the job, tries again
                self._app.ledger.checkpoint(tidy=False)
        slices.pause(self._app.ledger)


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
            _learn(app, report, at)
        except InputError as error:
            error.where = error.where.replace(str(path), name)
            raise
        except BaseException:
            app.forget()  # it may lack what the ledger has
            raise
    shown = asdict(report)
    del shown["recorded"]
    return {"file": name, **shown}


def _learn(app: App, report: OutcomeReport, at: datetime) -> None:
    if len(report.recorded) > _FEW:
        app.forget()
        return
    if not app.deciding or not report.recorded:
        return
    _learn_each(app, report.recorded, at)


def _learn_each(app: App, told: Sequence[dict[str, Any]], at: datetime) -> None:
    seqs = sorted({row["transaction_seq"] for row in told})
    rows = app.ledger.read_arrow("SELECT * FROM transactions WHERE list_contains(?, seq)", [seqs])
    known = {t.seq: t for t in reading.from_arrow(rows, app.ledger.fields)}
    for row in told:
        observe(app, known[row["transaction_seq"]], row, at)
