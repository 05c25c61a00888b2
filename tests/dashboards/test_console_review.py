"""Does the analyst's flow work: take, read, answer, next, undo, put back, and lose nothing?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_api import FakeApi, Refused
from fake_clock import ahead, stamp
from fake_tasks import adjudication_page
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards.task import verdict_bar

Opened = Callable[..., AppTest]


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def at_work(opened: Opened, user: str = "analyst-1") -> AppTest:
    """The app with the first task taken, as after one key on the queue page."""
    return press(opened(user, "review"), "take_next")


def test_taking_the_next_task_claims_it_and_shows_why_it_is_here(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    assert not app.exception
    assert api.tasks["k_0001"]["claimed_by"] == "analyst-1"
    assert "Two rules ask for a person" in seen(app)
    assert app.query_params["task"] == "k_0001"


def test_the_amount_stands_beside_the_customers_own_history(opened: Opened) -> None:
    assert "16 times the median of 16 earlier payments, the largest" in seen(at_work(opened)).lower()


def test_the_probability_is_shown_with_both_thresholds_in_words(opened: Opened) -> None:
    app = at_work(opened)
    assert "Probability of fraud: 67 %" in seen(app)
    _, strip, waterfall = app.get("vega_lite_chart")
    assert strip.proto.alt == "Probability 67 %; review from 18 %, decline from 86 %."
    assert "pushes very strongly towards fraud" in waterfall.proto.alt


def test_rules_name_what_they_ask_for_and_what_is_often_innocent(opened: Opened) -> None:
    text = seen(at_work(opened))
    assert "**One device, many customers** asks for :orange-badge[◐ Review]" in text
    assert "Families and shared flats" in text


def test_the_protected_attribute_is_not_before_the_reviewer(opened: Opened, api: FakeApi) -> None:
    api.answers["GET /policy"] = {"policy": {"currency": "EUR", "protected_attribute": "channel"}, "file": ""}
    text = seen(at_work(opened))
    assert "**DE** · " in text and " **electronics**" in text
    assert "channel" not in text.lower()


def test_inputs_that_are_missing_are_said(opened: Opened) -> None:
    assert "Not known for this payment: share of fraud at this merchant in 30 days" in seen(at_work(opened))


def test_a_verdict_is_sent_with_everything_filled_in_and_the_next_task_comes(
    opened: Opened, api: FakeApi
) -> None:
    app = at_work(opened)
    app.selectbox(key="typology_k_0001").select("account_takeover")
    app.text_input(key="note_k_0001").input("new device").run()
    press(app, "answer_confirmed_fraud")
    given = api.verdicts[0]
    assert (given["value"], given["typology"], given["note"]) == (
        "confirmed_fraud",
        "account_takeover",
        "new device",
    )
    assert app.query_params["task"] == "k_0002"


def test_dismissing_sends_no_typology(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.selectbox(key="typology_k_0001").select("card_testing")
    press(app, "answer_legitimate")
    assert (api.verdicts[0]["value"], api.verdicts[0]["typology"]) == ("legitimate", "")


def test_a_key_still_held_down_does_not_answer_the_next_task(
    opened: Opened, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = at_work(opened)
    monkeypatch.setattr(verdict_bar, "LEAST_SECONDS", 3600.0)
    press(app, "answer_confirmed_fraud")
    assert api.verdicts == []
    assert "Press the key again" in app.toast[0].value


def test_every_answer_has_a_key_and_none_uses_a_key_that_streamlit_keeps(opened: Opened) -> None:
    app = at_work(opened)
    keys = {b.key: b.proto.shortcut for b in app.button if b.proto.shortcut}
    assert keys["answer_confirmed_fraud"] == "f"
    assert keys["answer_legitimate"] == "d"
    assert keys["answer_inconclusive"] == "u"
    assert len(set(keys.values())) == len(keys)


def test_a_half_written_note_is_at_the_api_and_comes_back_after_a_reload(
    opened: Opened, api: FakeApi
) -> None:
    at_work(opened).text_input(key="note_k_0001").input("looks like").run()
    assert api.drafts["k_0001"]["note"] == "looks like"
    again = opened("analyst-1", "review", task="k_0001")
    assert again.text_input(key="note_k_0001").value == "looks like"


def test_a_draft_that_could_not_be_saved_is_said(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    api.fail["PUT /tasks/k_0001/draft"] = Refused(503, "The ledger is busy")
    app.text_input(key="note_k_0001").input("x").run()
    assert "Draft not saved: The ledger is busy" in seen(app)


def test_a_blind_task_shows_neither_score_nor_rules_nor_explanation(opened: Opened) -> None:
    app = press(at_work(opened), "answer_inconclusive")
    text = seen(app)
    assert "You decide first on this one" in text
    assert "Probability of fraud" not in text
    assert "asks for" not in text
    assert len(app.get("vega_lite_chart")) == 2  # both of what the customer spent
    assert all(" median of " in chart.proto.alt for chart in app.get("vega_lite_chart"))


def test_a_decision_by_rules_alone_says_that_no_model_ran(opened: Opened, api: FakeApi) -> None:
    api.order = ["k_0004"]
    text = seen(at_work(opened))
    assert "No model ran" in text
    assert "There are no earlier payments to compare with" in text


def test_undo_takes_the_last_verdict_back_and_opens_its_task(opened: Opened, api: FakeApi) -> None:
    app = press(press(at_work(opened), "answer_confirmed_fraud"), "undo")
    assert api.undone == ["v_1"]
    assert app.query_params["task"] == "k_0001"


def test_an_undo_that_the_api_refuses_is_not_offered_again(opened: Opened, api: FakeApi) -> None:
    app = press(at_work(opened), "answer_confirmed_fraud")
    api.fail["POST /verdicts/v_1/undo"] = Refused(
        409, "Not possible now", "you have read what the engine thinks since you judged this blind."
    )
    app = press(app, "undo")
    assert "you have read what the engine thinks" in seen(app)
    app.run()
    assert not [b for b in app.button if b.key == "undo"]


def test_typologies_are_the_usual_ones_and_those_the_rules_name(opened: Opened, api: FakeApi) -> None:
    rules = [{"typology": "mule_account", "status": "live"}, {"typology": "none", "status": "live"}]
    api.answers["GET /rules"] = {"rules": rules}
    offered = at_work(opened).selectbox(key="typology_k_0001").options
    assert "Structuring" in offered
    assert offered[-2:] == ["Mule account", "Other"]


def test_putting_a_task_back_returns_to_the_queue(opened: Opened, api: FakeApi) -> None:
    app = press(at_work(opened), "put_back")
    assert api.released == [("k_0001", "needs information")]
    assert app.title[0].value == "Queue"


def test_the_last_task_ends_in_a_summary_of_the_sitting(opened: Opened, api: FakeApi) -> None:
    api.order = ["k_0001"]
    app = press(at_work(opened), "answer_confirmed_fraud")
    assert "This sitting: 1 task (1 confirmed fraud)" in seen(app)
    assert "You hold no task" in seen(app)


def test_a_task_held_by_somebody_else_can_be_read_but_not_answered(opened: Opened, api: FakeApi) -> None:
    api.tasks["k_0001"]["claimed_by"] = "analyst-2"
    app = opened("analyst-1", "review", task="k_0001")
    assert "analyst-2 is working on this task" in seen(app)
    assert not [b for b in app.button if b.key.startswith("answer_")]


def test_a_free_task_opened_by_its_address_is_claimed_by_one_key(opened: Opened, api: FakeApi) -> None:
    press(opened("analyst-1", "review", task="k_0003"), "claim")
    assert api.tasks["k_0003"]["claimed_by"] == "analyst-1"


def test_a_verdict_that_the_api_refuses_keeps_the_task_and_the_note(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.text_input(key="note_k_0001").input("kept").run()
    api.fail["POST /tasks/k_0001/verdict"] = Refused(
        409, "Not possible now", "Your lock expired.", "Claim it again."
    )
    press(app, "answer_confirmed_fraud")
    assert "Your lock expired" in seen(app)
    assert "Claim it again" in seen(app)
    assert app.text_input(key="note_k_0001").value == "kept"


def test_a_case_that_changed_is_read_again_with_what_was_typed_and_then_answered(
    opened: Opened, api: FakeApi
) -> None:
    api.tasks["k_0001"]["version"] = "1.0"
    app = at_work(opened)
    app.text_input(key="note_k_0001").input("kept").run()
    api.tasks["k_0001"]["version"] = "2.0"
    api.fail["POST /tasks/k_0001/verdict"] = Refused(
        409, "Not possible now", "This case has changed.", "Read it."
    )
    press(app, "answer_confirmed_fraud")
    assert "This case has changed. Read it." in seen(app)
    assert app.text_input(key="note_k_0001").value == "kept"
    del api.fail["POST /tasks/k_0001/verdict"]
    press(app, "answer_confirmed_fraud")
    assert [(v["version"], v["note"]) for v in api.verdicts] == [("2.0", "kept")]


def test_what_was_typed_comes_back_when_a_task_that_was_lost_is_claimed_again(
    opened: Opened, api: FakeApi
) -> None:
    app = at_work(opened)
    app.text_input(key="note_k_0001").input("kept").run()
    api.tasks["k_0001"]["claimed_by"] = ""
    api.drafts.clear()
    api.fail["POST /tasks/k_0001/verdict"] = Refused(409, "Not possible now", "You do not hold this task.")
    press(app, "answer_confirmed_fraud")
    assert "You do not hold this task" in seen(app)
    press(app, "claim")
    assert app.text_input(key="note_k_0001").value == "kept"
    assert api.drafts["k_0001"]["note"] == "kept"


def test_everything_of_say_more_comes_back_after_a_reload(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.number_input(key="loss_k_0001").set_value(12.5).run()
    app.selectbox(key="wrong_k_0001").select("channel").run()
    app.text_input(key="right_k_0001").input("pos").run()
    again = opened("analyst-1", "review", task="k_0001")
    again.text_input(key="note_k_0001").input("and a note").run()
    kept = api.drafts["k_0001"]
    assert (kept["loss_minor"], kept["corrections"], kept["note"]) == (1250, {"channel": "pos"}, "and a note")
    press(again, "answer_legitimate")
    assert (api.verdicts[0]["loss_minor"], api.verdicts[0]["corrections"]) == (1250, {"channel": "pos"})


def test_a_wrong_input_without_its_right_value_is_kept_and_not_sent(opened: Opened, api: FakeApi) -> None:
    at_work(opened).selectbox(key="wrong_k_0001").select("channel").run()
    again = opened("analyst-1", "review", task="k_0001")
    assert again.selectbox(key="wrong_k_0001").value == "channel"
    press(again, "answer_legitimate")
    assert api.verdicts[0]["corrections"] == {}


def test_each_saved_draft_tells_how_long_the_task_is_held_from_then_on(opened: Opened, api: FakeApi) -> None:
    api.tasks["k_0001"]["lock_expires_at"] = stamp(minutes=1)
    app = at_work(opened)
    assert "not held for you any more" in seen(app)
    api.tasks["k_0001"]["lock_expires_at"] = ahead(hours=5)
    app.text_input(key="note_k_0001").input("typing").run()
    assert "not held for you any more" not in seen(app)
    assert "yours for " in seen(app)


def test_an_adjudicator_sees_both_verdicts_side_by_side(opened: Opened, api: FakeApi) -> None:
    page = adjudication_page()
    api.tasks[page["task_id"]] = page
    api.order = [page["task_id"]]
    text = seen(at_work(opened, "team-lead-1"))
    assert "⚖ Adjudication" in text
    assert "The reviewers differ" in text
    assert "New device, then the largest payment ever" in text


def test_a_task_that_does_not_exist_is_said_with_a_next_step(opened: Opened) -> None:
    text = seen(opened("analyst-1", "review", task="k_9999"))
    assert "There is no task" in text
    assert "Take the next one from the queue" in text
