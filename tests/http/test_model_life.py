"""Is a model looked at before it is signed off, tried before it decides all, and taken back in one step?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.compute as pc
import pytest

from casework import live
from casework.deciding import outcomes
from casework.deciding.outcomes import Told
from casework.deciding.replaying import Replayer, replay
from casework.learning.labels import holdout, snapshot
from casework.learning.registry import cards, flips, models
from casework.serving.jobs import sweep
from data.errors import ConfigError
from engine.model import registry
from tests.http.institution import START, Institution, payment
from tests.http.test_models import saved

Json = dict[str, Any]


@pytest.fixture(scope="module")
def seqs(institution: Institution) -> list[int]:
    return [institution.decide(payment(n))["seq"] for n in range(1, 13)]


@pytest.fixture(scope="module")
def first(institution: Institution, seqs: list[int]) -> str:
    """A model that decides, and so is the one before whatever comes next."""
    model_id = registered(institution, saved(institution.app.workspace.models), seqs)
    app = institution.app
    with app.changing_settings(), app.ledger.writing() as w:
        models.promote(w, model_id, by="gates", reason="the first", at=START)
    return model_id


@pytest.fixture(scope="module")
def second(institution: Institution, first: str, seqs: list[int]) -> str:
    return registered(institution, saved(institution.app.workspace.models, rounds=9), seqs)


def registered(institution: Institution, model_id: str, seqs: list[int]) -> str:
    app = institution.app
    folder = app.workspace.model_folder(model_id)
    sample = [{"seq": seq, "champion": 0.1, "challenger": 0.9, "fraud": False} for seq in seqs[:6]]
    result = {
        "model_id": model_id,
        "metrics": {},
        "record": {"flips": sample},
        "gates": [],
        "manifest_sha256": registry.manifest_digest(folder),
        "card_files": cards.digests(folder),
    }
    with app.ledger.writing() as w:
        models.register(w, result, requested_by="risk-manager-1", at=START)
    return model_id


def ask(institution: Institution, user: str, path: str, **body: Any) -> Any:
    return institution.ask(user, "POST", f"/v1{path}", json={"reason": "for a reason", **body})


def test_a_shadow_of_a_model_is_recorded_with_its_own_score_and_never_obeyed(
    institution: Institution, first: str, second: str
) -> None:
    started = ask(institution, "risk-manager-1", "/shadows", model_id=second)
    assert started.status_code == 201, started.text
    trial = started.json()["trial_id"]
    told = institution.decide(payment(20))
    assert told["model_id"] == first
    assert set(told["context"]["shadow_scores"]) == {trial}
    (row,) = institution.app.ledger.read("SELECT outcome, probability FROM trial_answers")
    assert row["probability"] == told["context"]["shadow_scores"][trial] != told["probability"]
    assert replay(institution.app, told)["differences"] == []
    assert ask(institution, "risk-manager-1", "/shadows", model_id=first).status_code == 422
    assert ask(institution, "risk-manager-1", f"/trials/{trial}/stop").status_code == 204


def test_a_rollout_of_a_model_says_which_draw_decided_and_replays(
    institution: Institution, first: str, second: str
) -> None:
    path, how = "/rollouts", {"model_id": second, "entity": "customer", "share": 0.5}
    assert ask(institution, "risk-manager-1", path, **how).status_code == 403  # asked for this model
    trial = ask(institution, "risk-manager-2", path, **how).json()["trial_id"]
    made = [institution.decide(payment(n, entities={"customer": f"new{n}"})) for n in range(30, 50)]
    again = Replayer(institution.app)
    worked_out = again.features(made[0]["set_id"], made[0]["seq"], made[-1]["seq"])
    for told in made:
        arm = told["context"]["rollout"]
        assert (arm["draw"] < 0.5) == (arm["arm"] == "candidate")
        assert told["model_id"] == (second if arm["arm"] == "candidate" else first)
        assert again.report(told, worked_out[told["seq"]])["same"]
    assert {told["model_id"] for told in made} == {first, second}
    moved = {**made[0]["context"]["rollout"], "draw": 0.123}
    altered = {**made[0], "context": {**made[0]["context"], "rollout": moved}}
    found = [d["what"] for d in replay(institution.app, altered)["differences"]]
    assert "context.rollout.draw" in found
    watched = {key: watch.on_trial for key, watch in institution.app.live.guard.breaker.watches.items()}
    assert watched["model", second]
    assert ask(institution, "risk-manager-1", f"/trials/{trial}/stop").status_code == 204


def test_a_sign_off_needs_a_look_at_the_flips_by_who_signs(
    institution: Institution, second: str, seqs: list[int]
) -> None:
    path = f"/models/{second}/sign-off"
    refused = ask(institution, "risk-manager-2", path)
    assert refused.status_code == 409
    assert "you have opened 0 of the 6 flips in the sample; a sign-off needs a look at 5" in refused.text
    assert ask(institution, "risk-manager-2", f"/models/{second}/flips/{10**6}").status_code == 404
    for seq in seqs[:5]:
        told = ask(institution, "risk-manager-2", f"/models/{second}/flips/{seq}")
        assert told.status_code == 200, told.text
        assert told.json()["challenger_inputs"][0]["name"] == "amount_minor"
    page = institution.ask("risk-manager-2", "GET", f"/v1/models/{second}").json()
    assert (page["flips_opened"], page["flips_needed"]) == (seqs[:5], 5)
    assert [row["seen_by"] for row in page["looked_at_by"]] == ["risk-manager-2"]
    assert flips.opened(institution.app.ledger, second, "risk-manager-1") == set()
    assert ask(institution, "risk-manager-1", path).status_code == 403
    signed = ask(institution, "risk-manager-2", path)
    assert signed.status_code == 200, signed.text
    assert (signed.json()["approved_by"], signed.json()["approval"]) == ("risk-manager-2", "for a reason")
    assert institution.decide(payment(60))["model_id"] == second


@pytest.mark.parametrize("harm", ["gone", "altered"])
def test_a_rollback_to_a_model_whose_files_are_not_those_on_record_is_refused(
    institution: Institution, first: str, second: str, harm: str
) -> None:
    trees = institution.app.workspace.model_folder(first) / registry.TREES
    content = trees.read_bytes()
    trees.unlink()
    if harm == "altered":
        trees.write_bytes(content + b" ")
    try:
        refused = ask(institution, "risk-manager-1", "/model-rollbacks")
    finally:
        trees.unlink(missing_ok=True)
        trees.write_bytes(content)
    assert refused.status_code == 409
    assert "missing or not those on record, so the champion stays" in refused.json()["detail"]
    assert models.champion_id(institution.app.ledger) == second
    assert institution.decide(payment(70 if harm == "gone" else 71))["model_id"] == second


def test_a_rollback_is_one_step_and_needs_no_second_person(
    institution: Institution, first: str, second: str
) -> None:
    assert models.champion_id(institution.app.ledger) == second, "signed off by the test before this one"
    assert ask(institution, "analyst-1", "/model-rollbacks").status_code == 403
    assert institution.ask("risk-manager-1", "GET", "/v1/models").json()["can_roll_back"]
    done = ask(institution, "risk-manager-1", "/model-rollbacks")
    assert (done.status_code, done.json()["model_id"]) == (201, first)
    assert institution.decide(payment(61))["model_id"] == first
    assert models.standing(institution.app.ledger, second)["rolled_back"]  # type: ignore[index]
    assert not institution.ask("risk-manager-1", "GET", "/v1/models").json()["can_roll_back"]
    assert ask(institution, "risk-manager-1", "/model-rollbacks").status_code == 409


def test_a_challenger_that_waits_can_be_turned_down(
    institution: Institution, first: str, seqs: list[int]
) -> None:
    third = registered(institution, saved(institution.app.workspace.models, rounds=12), seqs)
    turned = ask(institution, "risk-manager-2", f"/models/{third}/refusal")
    assert (turned.status_code, turned.json()["status"]) == (200, "refused")
    assert ask(institution, "risk-manager-2", f"/models/{third}/sign-off").status_code == 409


def test_a_run_is_cancelled_by_name_and_leaves_the_champion(institution: Institution, first: str) -> None:
    app, before = institution.app, models.champion_id(institution.app.ledger)
    started = ask(institution, "risk-manager-1", "/retrains")
    assert started.status_code == 202
    run_id = started.json()["run_id"]
    assert ask(institution, "risk-manager-2", "/retrains").status_code == 409
    cancelled = ask(institution, "risk-manager-2", f"/retrains/{run_id}/cancel")
    app.retraining.wait()
    row = institution.ask("auditor-1", "GET", f"/v1/retrains/{run_id}").json()
    assert cancelled.status_code == 202, cancelled.text
    assert (row["result"], row["cancelled_by"]) == ("cancelled", "risk-manager-2")
    assert row["sentence"] == "Cancelled by risk-manager-2; the champion stays."
    assert models.champion_id(app.ledger) == before
    assert ask(institution, "risk-manager-2", f"/retrains/{run_id}/cancel").status_code == 409
    assert ask(institution, "risk-manager-2", "/retrains/run_none/cancel").status_code == 404


def test_a_snapshot_keeps_the_held_out_customers_from_training(
    institution: Institution, seqs: list[int]
) -> None:
    app = institution.app
    at = datetime.now(UTC)
    told = [Told(f"t{n}", n % 3 == 0, START + timedelta(days=1), "10.4") for n in range(1, 13)]
    outcomes.report(app, told, by="integrator-1", at=at)
    settings = app.settings()
    held: dict[float, set[int]] = {}
    for share in (0.4, 0.7):
        policy = replace(settings.policy, retrain=replace(settings.policy.retrain, holdout=share))
        folder = app.workspace.snapshots / f"run_{share}"
        taken = snapshot.take(app.ledger, app.workspace, settings.files, policy, as_of=at, folder=folder)
        learned, held[share] = (set(t["seq"].to_pylist()) for t in (taken.labels, taken.held_out))
        assert learned and held[share] and not learned & held[share]
        assert len(learned) + len(held[share]) >= 12
        said = policy.retrain
        customers = {f"c{n}": holdout.is_held_out(app.key, said, f"c{n}") for n in range(5)}
        for seq, number in zip(seqs, range(1, 13), strict=True):
            assert (seq in held[share]) == customers[f"c{number % 5}"]
        assert taken.manifest["holdout"]["share"] == share
        assert pc.sum(taken.held_out["weight"]).as_py() > 0
    assert held[0.4] < held[0.7]


def test_a_hold_out_by_an_unknown_entity_is_refused(institution: Institution) -> None:
    app = institution.app
    policy = app.settings().policy
    wrong = replace(policy, retrain=replace(policy.retrain, holdout_by="costumer"))
    with pytest.raises(ConfigError, match="'holdout_by' is 'costumer'"):
        holdout.split(app.ledger, app.key, wrong, snapshot.believed_at(app.ledger, policy, START))


def test_a_model_swapped_under_a_served_app_is_refused_and_the_one_in_memory_goes_on(
    institution: Institution, first: str
) -> None:
    app = institution.app
    served = app.live.model_id
    file = max(app.workspace.model_folder(served).glob("*.ubj"))
    sound = file.read_bytes()
    file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    try:
        for again in (
            app.adopt,
            app.forget,
        ):  # other rules come into force; all is built anew from the ledger
            again()
            decided = institution.decide(payment(9, transaction_id=f"swapped-{again.__name__}"))
            assert decided["model_id"] == served
            assert "fail_safe" not in decided["context"]
        sweep(app)
        told = institution.ask("risk-manager-1", "GET", "/v1/alarms").json()["alarms"]
        assert [row["kind"] for row in told if row["subject"] == "model_altered"] == ["fail_safe"]
        assert live.found_champion(app.ledger, app.workspace.models)[:2] == (None, "model_missing")
    finally:
        file.write_bytes(sound)
    app.adopt()
    assert not app.live.refused


def test_no_thread_of_a_retrain_is_left(institution: Institution) -> None:
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("retrain ")]
