"""A small institution for casework tests: a ledger, a policy, decisions on demand, and a clock that one sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from casework.cases import cases
from casework.cases.dossiers import Background, Guideline, build_dossier
from casework.cases.earlier import Earlier
from casework.review import handing_out, verdicts
from casework.review.tasks import Task
from data.incoming.mapping import Mapping, load_mapping
from data.ledger import Ledger
from data.transactions import Transaction
from data.writer import Writer
from engine.decision import Decision, Draws, Explanation, Outcome, RuleResult, RuleState, Triage, TriageReason
from engine.features.feature_set import FeatureSpec
from engine.policy import Policy, load_policy
from tests.ledgers import new_ledger

KEY = bytes(range(32))
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAPPING = b"""
version: 1
institution: test bank
base_currency: EUR
time_zone: UTC
transaction: {id: id, occurred_at: at, amount: amount, currency: {constant: EUR}}
entities: {customer: customer, merchant: merchant}
attributes: {age_band: {column: age_band, type: category}, channel: {column: channel, type: category}}
personal: {customer_name: customer_name}
"""
POLICY = Path(__file__).resolve().parents[2] / "rules" / "policy.yaml"
FEATURES = (
    FeatureSpec("amount_minor", "value", "money", "integer", "amount of this payment"),
    FeatureSpec("customer_txn_count_1d", "count", "count", "integer", "payments of this customer, last day"),
    FeatureSpec("device_age", "attribute", "seconds", "number", "time since the device was first seen"),
)
RULES = {
    "new_device": {"title": "New device, large amount", "runbook": "Call.", "false_positives": "New phones."}
}


@cache
def policy(**sampling: float) -> Policy:
    """The demo policy with other sampling shares."""
    demo = load_policy(POLICY.read_bytes())
    none = {"second_review": 0.0, "third_review": 0.0, "blind_first": 0.0, "audit": 0.0}
    return replace(demo, sampling=replace(demo.sampling, **{**none, **sampling}))


@dataclass
class House:
    """Everything a casework test needs; `now` is the clock."""

    ledger: Ledger
    policy: Policy
    now: datetime = START
    number: int = 0
    key: bytes = KEY

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def decision(
        self,
        outcome: Outcome = Outcome.REVIEW,
        *,
        amount_minor: int = 20_000,
        probability: float | None = 0.3,
        lane: str = "uncertain",
        audited: bool = False,
        age_band: str = "30-49",
    ) -> Decision:
        """A decision that is in the ledger."""
        with self.ledger.writing() as w:
            return self._decide(w, outcome, amount_minor, probability, lane, audited, age_band)

    def _decide(
        self,
        w: Writer,
        outcome: Outcome = Outcome.REVIEW,
        amount_minor: int = 20_000,
        probability: float | None = 0.3,
        lane: str = "uncertain",
        audited: bool = False,
        age_band: str = "30-49",
    ) -> Decision:
        self.number += 1
        transaction = Transaction(
            transaction_id=f"tx-{self.number}",
            occurred_at=self.now - timedelta(seconds=2),
            amount_minor=amount_minor,
            amount=Decimal(amount_minor) / 100,
            currency="EUR",
            entities={"customer": f"customer-{self.number % 7}", "merchant": "merchant-1"},
            attributes={"age_band": age_band, "channel": "pos"},
            personal={"customer_name": "Customer 12"},
            seq=w.take_seqs(1),
        )
        w.insert_transactions([transaction], self.now, "api")
        made = _decided(transaction, outcome, probability, lane, audited, self.now)
        w.insert("decisions", [_row(made)])
        return made

    def many_cases(self, count: int) -> None:
        """Cases in one write."""
        with self.ledger.writing() as w:
            for _ in range(count):
                made = self._decide(w)
                cases.open_case(w, made, self.dossier(made), self.policy, KEY, self.now)

    def dossier(self, decision: Decision) -> dict[str, Any]:
        before = range(decision.transaction.seq - 1, 0, -1)
        earlier = Earlier("merchant", before[:20], before[-1:], ("age_band", "channel"))
        guideline = Guideline("g1", "Look at the device first.")
        background = Background(FEATURES, RULES, earlier, guideline, "EUR", self.policy.protected_attribute)
        return build_dossier(decision, background)

    def case(self, **options: Any) -> cases.Case:
        made = self.decision(**options)
        with self.ledger.writing() as w:
            return cases.open_case(w, made, self.dossier(made), self.policy, KEY, self.now)

    def audit(self, **options: Any) -> Task:
        made = self.decision(Outcome.APPROVE, audited=True, **options)
        with self.ledger.writing() as w:
            opened = cases.open_review(w, made, self.dossier(made), self.policy, KEY, self.now)
        assert isinstance(opened, Task)
        return opened

    def next(self, reviewer: str, role: str = "analyst") -> Task | None:
        with self.ledger.writing() as w:
            return handing_out.take_next(w, reviewer, self.policy, KEY, self.now, role=role)

    def say(self, task: Task, value: str, **more: Any) -> verdicts.Verdict:
        form = verdicts.VerdictForm(value=value, **more)
        with self.ledger.writing() as w:
            return verdicts.give(w, task.task_id, task.claimed_by, form, self.policy, self.now)

    def judge(self, reviewer: str, value: str, role: str = "analyst", **more: Any) -> verdicts.Verdict:
        """Take the next task, spend half a minute, and say it."""
        task = self.next(reviewer, role)
        assert task is not None, f"nothing left for {reviewer}"
        self.later(seconds=30)
        return self.say(task, value, **more)

    def status(self, case: cases.Case) -> str:
        return cases.find(self.ledger, case.case_id).status

    def kinds(self) -> list[str]:
        """Kinds of all events so far."""
        return [row["kind"] for row in self.ledger.read("SELECT kind FROM events ORDER BY seq")]


def _decided(
    transaction: Transaction,
    outcome: Outcome,
    probability: float | None,
    lane: str,
    audited: bool,
    at: datetime,
) -> Decision:
    asks = outcome is Outcome.REVIEW
    return Decision(
        transaction=transaction,
        outcome=outcome,
        decided_at=at,
        set_id="set_1",
        model_id="m_1",
        features={"amount_minor": transaction.amount_minor, "customer_txn_count_1d": 3, "device_age": None},
        probability=probability,
        margin=-0.85,
        rules=(
            RuleResult("new_device", 2, RuleState.HIT, Outcome.REVIEW, reason="The device is new."),
            RuleResult("quiet", 1, RuleState.NO_HIT),
            RuleResult("trial", 1, RuleState.HIT, status="shadow"),
        ),
        triage=Triage(TriageReason.UNCERTAIN, lane, "The model sees a 30 % chance of fraud.")
        if asks
        else Triage(),
        draws=Draws(audit=0.0, audit_probability=0.05) if audited else Draws(),
        explanation=Explanation(-2.0, {"amount_minor": 0.25, "customer_txn_count_1d": 0.9}),
        thresholds={"review_at": 0.1, "decline_at": 0.6},
    )


def _row(made: Decision) -> dict[str, Any]:
    return {
        "transaction_seq": made.transaction.seq,
        "transaction_id": made.transaction.transaction_id,
        "decided_at": made.decided_at,
        "occurred_at": made.transaction.occurred_at,
        "outcome": made.outcome.word,
        "probability": made.probability,
        "margin": made.margin,
        "amount_minor": made.transaction.amount_minor,
        "model_id": made.model_id,
        "set_id": made.set_id,
        "triage_reason": made.triage.reason.value,
        "rules_hit": [rule.rule_id for rule in made.hits],
        "audit_probability": made.draws.audit_probability,
        "explore_probability": made.draws.explore_probability,
        "event_seq": 0,
        "explored": False,
    }


@cache
def _mapping() -> Mapping:
    return load_mapping(MAPPING)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with new_ledger(tmp_path / "secondlook.duckdb", _mapping(), START) as made:
        yield made


@pytest.fixture
def house(ledger: Ledger) -> House:
    return House(ledger, policy())


@pytest.fixture
def house_with(ledger: Ledger):
    """A house whose policy has these sampling shares."""
    return lambda **sampling: House(ledger, policy(**sampling))
