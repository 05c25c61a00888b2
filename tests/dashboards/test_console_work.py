"""Do the pages let people share out work, set it aside, hand it up and see what hangs together?"""

from __future__ import annotations

import json
from typing import Any

import fake_work
from conftest import Opened
from fake_api import FakeApi
from fake_asking import Refused
from fake_clock import ahead, stamp
from page_text import seen
from streamlit.testing.v1 import AppTest

from dashboards.pieces import charts, frame, words


def at_work(opened: Opened) -> AppTest:
    return opened("analyst-1", "review", task="k_0001", next="1")


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_the_team_page_says_first_when_the_backlog_clears(opened: Opened) -> None:
    app = opened("team-lead-1", "team")
    text = seen(app)
    undeserved = next(t.value for t in app.dataframe if "Needed no review" in t.value.columns)
    assert "At this pace the backlog clears in about 7 days (5 to 11)." in text
    assert "Nobody who is here takes from **Cross border**" in text
    assert undeserved["Needed no review"].iloc[0].startswith("75 %  (")


def test_too_few_days_are_said_instead_of_a_forecast(opened: Opened, api: FakeApi) -> None:
    team = api.answers["GET /team"] = dict(fake_work.TEAM)
    team["forecast"] = {
        **team["forecast"],
        "known": False,
        "days": 3,
        "clears_in_days": None,
        "will_miss": None,
    }
    assert "Too few days on record for a forecast (3; it takes 7)." in seen(opened("team-lead-1", "team"))


def test_the_most_urgent_tasks_of_a_queue_are_moved_however_many_wait_elsewhere(
    opened: Opened, api: FakeApi
) -> None:
    api.answers["POST /task-moves"] = {"results": [{"task_id": "k_0009", "moved": True, "why": ""}]}
    app = opened("team-lead-1", "team")
    source = next(box for box in app.selectbox if box.label == "From queue")
    assert source.options == ["Cross border", "Everybody's"]
    source.select("default")
    next(box for box in app.text_input if box.label == "Reason").input("a colleague is ill")
    next(button for button in app.button if button.label == "Move").click().run()
    assert (api.listed[-1]["queue"], api.listed[-1]["order"]) == ("default", "deadline")


def test_days_of_utc_are_drawn_and_told_as_such_wherever_the_reader_is(opened: Opened) -> None:
    for user, page in (("team-lead-1", "team"), ("analyst-1", "my_work")):
        (chart,) = opened(user, page).get("vega_lite_chart")
        drawn = json.loads(chart.proto.spec)
        encoding = drawn["layer"][0]["encoding"]
        assert encoding["x"]["scale"]["type"] == "utc"
        assert (encoding["tooltip"][0]["field"], encoding["tooltip"][0]["type"]) == ("told_day", "nominal")


def test_a_day_is_told_by_its_own_name() -> None:
    (row,) = charts.rows_of_days([{"day": "2026-03-01", "n": 3}]).to_dict()["values"]
    assert row == {"day": "2026-03-01", "n": 3, "told_day": "Sun 1 Mar"}


def test_a_flag_in_the_inbox_is_answered(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "team")
    assert "families share one device" in seen(app)
    app.text_area(key="said_flag_1").input("added to the guideline").run()
    press(app, "answer_flag_1")
    assert ("answer", "flag_1", {"answer": "added to the guideline"}) in api.done


def placed(opened: Opened, api: FakeApi, **person: Any) -> AppTest:
    """The team page with its first analyst as given."""
    first, *others = fake_work.TEAM["people"]
    api.answers["GET /team"] = {**fake_work.TEAM, "people": [{**first, **person}, *others]}
    return opened("team-lead-1", "team")


def test_saving_somebodys_teams_leaves_the_absence_as_it_is(opened: Opened, api: FakeApi) -> None:
    app = placed(opened, api, away_until=ahead(hours=50))
    app.text_input(key="teams_analyst-1").input("cards").run()
    press(app, "save_place")
    assert [what for what, _, _ in api.done] == ["place"]
    app.checkbox(key="back_analyst-1").check().run()
    press(app, "save_place")
    assert api.done[-1] == ("away", "analyst-1", {"until": None})


def test_an_absence_is_begun_with_a_number_of_days(opened: Opened, api: FakeApi) -> None:
    app = placed(opened, api)
    app.number_input(key="away_analyst-1").set_value(3).run()
    press(app, "save_place")
    (what, user, body) = api.done[-1]
    until = words.moment(body["until"])
    assert (what, user) == ("away", "analyst-1")
    assert until is not None and 71 < (until - frame.now()).total_seconds() / 3600 < 73


def test_training_needs_are_read_only_on_request(opened: Opened) -> None:
    app = opened("team-lead-1", "team")
    assert "Decided otherwise" not in seen(app)
    press(app, "show_training")
    assert any("Decided otherwise" in frame.value.columns for frame in app.dataframe)


def test_a_task_is_handed_up_with_a_note(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.text_area(key="up_k_0001").input("my neighbour's shop").run()
    press(app, "escalate")
    assert api.done == [("escalate", "k_0001", {"note": "my neighbour's shop"})]
    assert app.title[0].value == "Queue"


def test_a_task_is_set_aside_until_a_moment_in_the_readers_zone(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.text_input(key="aside_reason_k_0001").input("the bank calls back").run()
    press(app, "set_aside")
    [(what, task_id, body)] = api.done
    assert (what, task_id, body["reason"]) == ("snooze", "k_0001", "the bank calls back")
    until, deadline = (words.moment(text) for text in (body["until"], api.tasks["k_0001"]["deadline"]))
    assert until is not None
    assert deadline is not None
    assert frame.now() < until < deadline


OTHER = {
    "transaction_id": "t_99", "occurred_at": stamp(hours=1), "amount_minor": 5000, "added_at": stamp(minutes=1),
    "since_open": True, "task_id": "k_0099",
}  # fmt: skip


def of_two(opened: Opened, api: FakeApi) -> AppTest:
    """A task whose case holds another payment, with the same answer wanted for both."""
    api.tasks["k_0001"] |= {"joined": [OTHER], "version": "2.0"}
    app = at_work(opened)
    app.checkbox(key="all_k_0001").check().run()
    return app


def test_what_joined_is_said_and_one_answer_can_hold_for_all(opened: Opened, api: FakeApi) -> None:
    app = of_two(opened, api)
    assert "1 more alert of this customer joined the case since this task opened" in seen(app)
    press(app, "answer_legitimate")
    assert api.verdicts[0]["version"] == "2.0"
    [(what, _, body)] = api.done
    assert (what, body["task_ids"], body["applied_from"]) == ("bulk", ["k_0099"], "v_1")


def test_an_answer_that_does_not_reach_the_others_leaves_the_answered_task_and_says_so(
    opened: Opened, api: FakeApi
) -> None:
    app = of_two(opened, api)
    api.fail["POST /bulk-verdicts"] = Refused(503, "The ledger is busy")
    press(app, "answer_legitimate")
    assert app.query_params["task"] == "k_0002"
    assert "This payment is answered; of the other it is not known: The ledger is busy" in seen(app)


def test_others_that_could_not_be_answered_are_said_above_the_next_task(opened: Opened, api: FakeApi) -> None:
    app = of_two(opened, api)
    why = "this task is decided before the score is seen"
    api.answers["POST /bulk-verdicts"] = {"results": [{"task_id": "k_0099", "verdict_id": "", "why": why}]}
    press(app, "answer_legitimate")
    assert f"1 payment could not be answered: {why}" in seen(app)


def test_an_undo_that_does_not_reach_the_others_says_so(opened: Opened, api: FakeApi) -> None:
    app = press(of_two(opened, api), "answer_legitimate")
    why = "the case was closed since"
    api.answers["POST /bulk-verdicts/undo"] = {
        "results": [{"verdict_id": "v_of_k_0099", "undone": False, "why": why}]
    }
    press(app, "undo")
    assert app.query_params["task"] == "k_0001"
    assert f"1 verdict could not be taken back: {why}" in seen(app)


def test_what_more_can_be_said_goes_with_the_verdict(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.number_input(key="loss_k_0001").set_value(12.5).run()
    app.selectbox(key="wrong_k_0001").select("channel").run()
    app.text_input(key="right_k_0001").input("pos").run()
    press(app, "answer_legitimate")
    given = api.verdicts[0]
    assert (given["loss_minor"], given["corrections"]) == (1250, {"channel": "pos"})


def test_an_adjudicator_reads_why_it_was_handed_up(opened: Opened, api: FakeApi) -> None:
    api.tasks["k_0003"] |= {"escalation_notes": ["I know the owner"], "kind_shown": "adjudication"}
    assert "**Escalated**: “I know the owner”" in seen(opened("team-lead-1", "review", task="k_0003"))


def test_what_is_set_aside_is_on_the_queue_page(opened: Opened, api: FakeApi) -> None:
    waiting = {**api.brief("k_0001"), "snoozed_until": ahead(hours=4)}
    api.answers["GET /queue"] = {
        "lanes": [], "mine": [], "set_aside": [waiting], "open_total": 1, "done_today": 0, "away_until": None
    }  # fmt: skip
    text = seen(opened("analyst-1", "queue"))
    assert "On my desk" in text
    assert "comes back in " in text


def test_a_note_is_written_on_a_case(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "cases", id="case_0002")
    next(box for box in app.text_input if box.label == "Add a note").input("called")
    next(button for button in app.button if button.label == "Add").click().run()
    assert ("note", "case_0002", {"text": "called"}) in api.done


def test_webhooks_are_seen_and_an_admin_registers_one_with_a_secret_shown_once(opened: Opened) -> None:
    text = seen(opened("integrator-1", "integration"))
    assert "40 arrived, 1 wait, 1 were given up" in text
    assert not [
        button for button in opened("integrator-1", "integration").button if button.label == "Register"
    ]
    app = opened("admin", "integration")
    next(box for box in app.text_input if box.label == "Address").input("https://hooks.example.com/y")
    next(box for box in app.text_input if box.label == "Why").input("the bank listens there")
    next(button for button in app.button if button.label == "Register").click().run()
    assert app.code[-1].value == "whsec_once"


def test_an_admin_gives_a_system_a_key_whose_secret_is_shown_once_and_takes_one_back(
    opened: Opened, api: FakeApi
) -> None:
    assert "card authorisation" not in seen(opened("integrator-1", "integration"))
    app = opened("admin", "integration")
    assert "card authorisation of integrator-1: decide and read, 1,000 a second" in seen(app)
    typed = {"System": "integrator-1", "Name of the key": "shop", "Why does it need one?": "a new shop"}
    for label, text in typed.items():
        next(box for box in app.text_input if box.label == label).input(text)
    next(button for button in app.button if button.label == "Make the key").click().run()
    assert app.code[-1].value == "slk_once"
    asked = next(body for what, _, body in api.done if what == "key")
    assert (asked["scopes"], asked["per_second"], asked["reason"]) == (["decide"], 1000, "a new shop")
    next(box for box in app.text_input if box.label == "Why is it taken back?").input("over")
    next(button for button in app.button if button.label == "Revoke now").click().run()
    assert [name for what, name, _ in api.done if what == "revoke"] == ["key_1"]
