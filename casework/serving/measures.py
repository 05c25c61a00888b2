"""What does a server count about itself while it runs, for Prometheus to fetch?"""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Sequence
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

from casework.serving.server_log import FACTS
from engine.decide import is_unexplained
from engine.decision import Decision, Results

log = logging.getLogger("secondlook.decisions")
_ANSWERS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_DISK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_CHECKPOINTS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Measures:
    """The counters of one server, each server having its own. Names begin with `secondlook_`; no label ever holds
    anything of a payment, an id or a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._watched = False
        self._told_refusal: dict[str, float] = {}
        self._last_decision = float("-inf")
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._decisions = self._counter("decisions", "Decisions made and on disk", "outcome")
        self._fail_safe = self._counter("fail_safe", "Answers without a model or without a decision", "why")
        self._unexplained = self._counter("unexplained_decisions", "Decisions whose explanation failed")
        self._rule_errors = self._counter("rule_errors", "Rules that could not be evaluated", "rule")
        self._refused = self._counter("refused_transactions", "Payments not decided, to be sent again", "why")
        self._answers = Histogram(
            "secondlook_answer_seconds",
            "From a whole request for decisions to its answer",
            ["kind"],
            buckets=_ANSWERS,
            registry=self.registry,
        )
        self.checkpoints = Histogram(
            "secondlook_checkpoint_seconds",
            "Checkpoints of the ledger",
            buckets=_CHECKPOINTS,
            registry=self.registry,
        )
        self.disk = Histogram(
            "secondlook_journal_seconds",
            "How long the disk took to take a record of decisions, before they were answered",
            buckets=_DISK,
            registry=self.registry,
        )
        self._jobs = self._counter("job_runs", "Runs of scheduled jobs", "job", "result")
        self._last_run = Gauge(
            "secondlook_job_last_run_seconds",
            "How long a job's last run took",
            ["job"],
            registry=self.registry,
        )

    @property
    def quiet_seconds(self) -> float:
        """How long ago the last decision was made."""
        return perf_counter() - self._last_decision

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"secondlook_{name}", what, labels, registry=self.registry)

    def decided(self, made: Sequence[Decision]) -> None:
        """Count decisions that are on disk, and write one line about them into the log."""
        self._last_decision = perf_counter()
        outcomes = Tally(decision.outcome.word for decision in made)
        if log.isEnabledFor(logging.INFO):
            ids = [decision.transaction.transaction_id for decision in made]
            log.info("decided", extra={FACTS: {"count": len(made), "outcomes": outcomes, "ids": ids}})
        for outcome, count in outcomes.items():
            self._decisions.labels(outcome).inc(count)
        for decision in made:
            if "fail_safe" in decision.context:
                self._fail_safe.labels(decision.context["fail_safe"]).inc()
            if is_unexplained(decision):
                self._unexplained.inc()
            for result in Results.of(decision.rules).errors:
                self._rule_errors.labels(result.rule_id).inc()

    def refused(self, why: str, payments: int) -> None:
        """Count payments that were turned away, by one word."""
        if perf_counter() - self._told_refusal.get(why, -1.0) >= 1.0:  # a flood must not become one of lines
            self._told_refusal[why] = perf_counter()
            log.warning("payments are refused: %s", why, extra={FACTS: {"why": why}})
        self._refused.labels(why).inc(payments)
        if why in ("rebuilding", "not_recorded"):
            self._fail_safe.labels(why).inc(payments)

    def answered(self, kind: str, since: float) -> None:
        """Count one answer to a request, of `one` payment or a `batch`, that was whole at `since` by `perf_counter`."""
        self._answers.labels(kind).observe(perf_counter() - since)

    def watch(self, state: Collector) -> None:
        """Have figures read off whenever all are fetched; asked twice, the first is kept."""
        if not self._watched:
            self._watched = True
            self.registry.register(state)

    def job_ran(self, job: str, result: str, seconds: float) -> None:
        self._jobs.labels(job, result).inc()
        self._last_run.labels(job).set(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
