"""Weeks of decisions made in one write, with the features as the engine would have stored them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from casework.deciding import decisions
from data.canonical import canonical_json
from data.ledger import Ledger
from data.transactions import Transaction
from engine.decision import Decision, Draws, Outcome, RuleResult, RuleState, Triage, TriageReason

DAY = timedelta(days=1)
Made = Callable[..., list[Decision]]


def one(
    seq: int,
    at: datetime,
    *,
    amount_minor: int,
    device_age: float | None = 9.0,
    probability: float = 0.02,
    outcome: Outcome = Outcome.APPROVE,
    explored: bool = False,
    age_band: str = "30-49",
    segment: str = "default",
    rule: str = "",
) -> Decision:
    payment = Transaction(
        transaction_id=f"tx-{seq}",
        occurred_at=at,
        amount_minor=amount_minor,
        amount=Decimal(amount_minor) / 100,
        currency="EUR",
        entities={"customer": f"c{seq % 50}", "merchant": "m1"},
        attributes={"age_band": age_band},
        personal={"customer_name": "Customer 1"},
        seq=seq,
    )
    asks = outcome is Outcome.REVIEW
    return Decision(
        transaction=payment,
        outcome=outcome,
        decided_at=at,
        set_id="set_1",
        model_id="m_1",
        features={"amount_minor": amount_minor, "customer_txn_count_1d": 3, "device_age": device_age},
        probability=probability,
        margin=float(np.log(probability / (1 - probability))),
        rules=(RuleResult(rule, 1, RuleState.HIT, reason="It hit."),) if rule else (),
        triage=Triage(TriageReason.UNCERTAIN, "uncertain", "A person looks.") if asks else Triage(),
        draws=Draws(explore_probability=0.05),
        explored=explored,
        context={"load": {"reviews_today": 0, "explored_today": 0, "explored_amount_today_minor": 0}}
        | ({} if segment == "default" else {"segment": segment}),
    )


def write(ledger: Ledger, made: list[Decision], at: datetime) -> None:
    with ledger.writing() as w:
        w.take_seqs(len(made))
        w.insert_transactions([d.transaction for d in made], at, "api")
        stored = [canonical_json(decisions.as_json(d)) for d in made]
        seqs = w.events([decisions.event_of(d, s) for d, s in zip(made, stored, strict=True)], at)
        w.insert("decisions", [decisions.row_of(d, seq) for d, seq in zip(made, seqs, strict=True)])


@pytest.fixture
def weeks(house: Any) -> Made:
    """`weeks(n, amount=..., ...)` writes five weeks of 40 payments a day that end now; what is said of `recent` holds
    for the last week only. Amounts and probabilities are drawn from a fixed seed."""

    def made(recent: dict[str, Any] | None = None, shift: float = 1.0, per_day: int = 40) -> list[Decision]:
        rng = np.random.default_rng(7)
        start, found = house.now, []
        for day in range(35):
            for n in range(per_day):
                late = day >= 28
                amount = int(rng.lognormal(8, 1) * (shift if late else 1.0)) + 1
                seq = day * per_day + n + 1
                moment = start + day * DAY + (n + 1) * DAY / (per_day + 2)
                chance = float(rng.beta(1, 40))
                found.append(
                    one(
                        seq, moment, amount_minor=amount, probability=chance, **(recent or {}) if late else {}
                    )
                )
        house.now = start + 35 * DAY
        write(house.ledger, found, house.now)
        return found

    return made
