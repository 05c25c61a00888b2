"""Does the console show a retrain as it goes, generations side by side, and let the right people act on models?"""

from __future__ import annotations

from collections.abc import Callable

import fake_models
from fake_api import FakeApi
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards.pieces import words
from dashboards.views import watch_view

Opened = Callable[..., AppTest]


def button(app: AppTest, key: str) -> bool:
    return any(b.key == key for b in app.button)


def test_a_run_under_way_shows_its_stage_and_can_be_cancelled(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /retrains"] = {"retrains": [fake_models.RUNNING, *fake_models.RETRAINS["retrains"]]}
    app = opened("risk-manager-1", "models")
    assert "started by new labels, scheduler" in seen(app)
    assert not button(app, "retrain")
    app.text_input(key="cancel_reason").input("wrong policy").run()
    app.button(key="cancel_retrain").click().run()
    assert api.switched == [("cancel", "r_03", {"reason": "wrong policy"})]
    assert not button(opened("auditor-1", "models"), "cancel_retrain")


def test_generations_on_the_hold_out_are_told_with_their_alarm(opened: Opened, api: FakeApi) -> None:
    alarm = {
        "alarm": True,
        "flips": 40,
        "flipped_back": 36,
        "sentence": "Generations go back and forth: 36 of 40.",
    }
    record = {"holdout": fake_models.HOLDOUT, "oscillation": alarm, "labels_turned": None}
    rows = [fake_models.MODELS["models"][1] | {"record": record}, fake_models.MODELS["models"][0]]
    rows[0] |= {
        "record": record | {"verdicts_turned": {"sentence": "Verdicts of 1 of 8 reviewers look turned over."}}
    }
    api.answers["GET /models"] = {"models": rows, "rates": fake_models.RATES}
    app = opened("auditor-1", "models")
    assert (
        "5.0 % of all customer values, never learned from; the same 4,100 payments with 38 frauds for all"
        in seen(app)
    )
    told = [warning.value for warning in app.warning]
    assert any("go back and forth" in each for each in told) and any(
        "1 of 8 reviewers" in each for each in told
    )
    assert f"The champion stopped about {words.percent(0.62, 0)} of the fraud" in seen(app)
    (table,) = (f.value for f in app.dataframe if "Recall, naive" in f.value)
    assert table["Recall, naive"].tolist() == [
        watch_view.rate(fake_models.RATES["models"][0]["naive_recall"])
    ]
    assert table["Precision, estimated"].tolist() == [
        watch_view.rate({"value": 0.41, "low": 0.3, "high": 0.53})
    ]


def test_the_naive_figure_of_a_ranking_is_explained(opened: Opened) -> None:
    told = seen(opened("auditor-1", "models"))
    assert "on all 8,120 labels believed of that time: champion then 0.700; this model 0.590" in told
    assert "verdicts given with the champion's score on the screen" in told


def test_a_flip_is_opened_and_shows_what_moved_each_model(opened: Opened) -> None:
    app = opened("risk-manager-1", "models")
    assert "You have opened 0 of 1; a sign-off needs 1" in seen(app)
    app.button(key="open_flip").click().run()
    assert "t_90002" in seen(app)
    assert "payments of this customer in a day" in str([frame.value for frame in app.dataframe])
    assert not button(opened("auditor-1", "models"), "open_flip")


def test_a_challenger_is_turned_down_tried_or_taken_back(opened: Opened, api: FakeApi) -> None:
    retired = fake_models.MODELS["models"][1] | {"model_id": "m_old", "status": "retired"}
    known = {"models": [*fake_models.MODELS["models"], retired]}
    api.answers["GET /models"] = {**known, "can_roll_back": False}
    assert not button(opened("risk-manager-1", "models"), "roll_back")
    api.answers["GET /models"] = {**known, "can_roll_back": True}
    app = opened("risk-manager-1", "models")
    app.text_input(key="sign_off_reason").input("declines pensioners")
    next(b for b in app.button if b.label == "Turn it down").click().run()
    app.text_input(key="trial_reason").input("look first").run()
    app.button(key="start_trial").click().run()
    app.text_input(key="rollback_reason").input("alarms too much").run()
    app.button(key="roll_back").click().run()
    assert api.switched == [
        ("turn down", "m_77f0ab3310ce", {"reason": "declines pensioners"}),
        ("shadow", "", {"model_id": "m_77f0ab3310ce", "reason": "look first"}),
        ("roll back", "", {"reason": "alarms too much"}),
    ]


def test_a_job_is_paused_with_a_reason_and_says_who_did(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "jobs")
    app.text_input(key="pause_reason_retrain").input("month-end").run()
    app.button(key="pause_retrain").click().run()
    assert api.switched == [("pause", "retrain", {"reason": "month-end"})]
    job = {"paused": True, "paused_by": "risk-manager-2", "paused_at": fake_models.stamp(hours=2)}
    jobs = [{"name": "retrain", "every_seconds": 60.0, "paused_reason": "month-end", **job}]
    api.answers["GET /jobs"] = {"jobs": jobs}
    text = seen(opened("team-lead-1", "jobs"))
    assert "risk-manager-2" in text and "month-end" in text
