"""Is a model that decides a share of the payments stopped by itself when it is far louder than the champion?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from casework.app import App
from casework.deciding.transactions import Sent, checked
from casework.learning.registry import models
from casework.safety import actions, breaker_acts, trials
from engine.breaker import Acted, Expected
from engine.model import NamedFeatures, TrainingData, registry
from engine.model.train import train
from tests.http.institution import START, Institution, payment

NOW = START + timedelta(days=1)


def model(folder: Path, fraud_from: int, fraud_to: int) -> str:
    """A model of the amount alone: payments from so many to so many minor units are fraud."""
    rows = 600
    amount = np.arange(rows) % 200 * 10
    fraud = (amount >= fraud_from) & (amount < fraud_to)
    times = pa.array(np.arange(rows) * 3_600_000_000, pa.timestamp("us", "UTC"))
    table = pa.table({"seq": np.arange(1, rows + 1), "occurred_at": times, "amount_minor": amount})
    labels = pa.table({"seq": table["seq"], "value": fraud.astype(np.int8), "weight": np.ones(rows)})
    features = NamedFeatures(("amount_minor",), ())
    trained = train(TrainingData.join(table, labels), {"rounds": 20}, feature_set=features, seed=1)
    return registry.save(folder, trained, created_at=START).model_id


def registered(app: App, name: str, *, promoted: bool) -> None:
    result = {
        "model_id": name,
        "metrics": {},
        "record": {},
        "gates": [],
        "manifest_sha256": registry.manifest_digest(app.workspace.model_folder(name)),
        "card_files": {},
    }
    with app.changing_settings(), app.ledger.writing() as w:
        models.register(w, result, requested_by="scheduler", at=START)
        if promoted:
            models.promote(w, name, by="gates", reason="the first", at=START)


def test_a_model_on_trial_that_is_too_loud_is_paused_and_the_champion_decides(
    institution: Institution,
) -> None:
    app = institution.app
    quiet, loud = (model(app.workspace.models, *band) for band in ((100, 200), (1000, 1500)))
    for name in (quiet, loud):
        registered(app, name, promoted=name == quiet)
    trial = actions.start_rollout(
        app,
        set_id="",
        model_id=loud,
        entity="customer",
        share=0.5,
        by="risk-manager-1",
        reason="try it",
        at=NOW,
    )
    assert app.live.guard.trials == {trial}

    made = decide(institution, 160)

    early = [d["model_id"] for d in made[:20]]
    assert set(early) == {quiet, loud}
    assert {d["model_id"] for d in made[-40:]} == {quiet}
    assert app.live.guard.trials == set()
    (act,) = app.ledger.read("SELECT action, kind, subject, sentence FROM breaker_acts")
    assert (act["action"], act["kind"], act["subject"]) == ("pause", "model", loud)
    assert "It is new, so it is paused: the model before it decides." in act["sentence"]
    # The champion goes on then, and is not charged with what the other one asked for.
    own = sum(d["model_id"] == quiet and d["outcome"] != "approve" for d in made)
    assert (
        app.live.guard.breaker.counted() and app.live.guard.breaker.watches["model", quiet].alarms <= own < 20
    )

    with app.changing_settings(), app.ledger.writing() as w:
        (told,) = breaker_acts.in_force(w)
        breaker_acts.end(w, told["act_id"], by="risk-manager-1", reason="meant so", at=NOW, expected=0.9)
        trials.stop(w, trial, by="risk-manager-1", reason="good enough", at=NOW)
        models.promote(w, loud, by="team-lead-1", reason="good enough", at=NOW)
    assert app.live.model_id == loud
    held = app.live
    paused_by_the_breaker(app, loud)
    decide(institution, 1, "after")
    assert (app.live.model_id, app.live.settings is held.settings) == (quiet, True)
    assert decide(institution, 1, "later")[0]["model_id"] == quiet
    watched = {(w.kind, w.subject): (w.seen, w.alarms) for w in app.live.guard.breaker.counted()}
    app.forget()
    anew = {(w.kind, w.subject): (w.seen, w.alarms) for w in app.live.guard.breaker.counted()}
    assert watched["model", quiet] == anew["model", quiet] and ("model", loud) not in watched


def paused_by_the_breaker(app: App, model_id: str) -> None:
    with app.ledger.writing() as w:
        acted = Acted("pause", "model", model_id, model_id, 9, 9, Expected(0.1, "history"), "too loud")
        breaker_acts.record(w, acted, NOW)
    app.live.guard.stale = True


def decide(institution: Institution, count: int, kind: str = "one") -> list[dict]:
    app, answers = institution.app, []
    for n in range(1, count + 1):
        body = payment(n, entities={"customer": f"one{n}"}, attributes={"channel": "web"})
        body["transaction_id"] += f"-{kind}"
        sent = Sent(
            **{**body, "occurred_at": NOW, "amount": Decimal(body["amount"]), "personal": {}}  # type: ignore[arg-type]
        )
        answers += app.decide([checked(sent, app.mapping)], datetime.now(UTC))
    return [orjson.loads(each) for each in answers if isinstance(each, bytes)]
