"""Does the task page show what stands beside the task, only when it is opened, and lose nothing that was typed?"""

from __future__ import annotations

from collections.abc import Callable

import fake_beside
from fake_api import FakeApi, Refused
from page_text import seen
from streamlit.testing.v1 import AppTest
from test_console_review import at_work, press

from dashboards.pieces import links_picture, words
from dashboards.pieces.palette import LIGHT

Opened = Callable[..., AppTest]


def tab(app: AppTest, key: str, label: str) -> AppTest:
    """Open a tab, as a click does."""
    app.session_state[key] = label
    return app.run()


def test_what_would_have_changed_the_outcome_stands_under_the_score_with_its_bounds(opened: Opened) -> None:
    text = seen(at_work(opened))
    assert "What would have changed the outcome" in text
    assert (
        ":green-badge[✓ Approve] if “customers seen on this device in 7 days” were **2** instead of 4 **and**"
        in text
    )
    assert "The probability would be 8.0 %." in text
    assert "No such change was found towards decline" in text


def test_nothing_is_fetched_for_tabs_that_are_not_open(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    assert api.parts_asked == [("k_0001", "what_if")]
    app.run()
    assert api.parts_asked == [("k_0001", "what_if")]


def test_links_are_drawn_with_their_text_and_limits(opened: Opened, api: FakeApi) -> None:
    app = tab(at_work(opened), "tabs_shown", "Linked entities")
    text = seen(app)
    assert "1 other value shared a payment with what this one names, 1 with known fraud" in text
    assert "2 more of card with device\\_2207" in text
    alts = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert any(
        alt.startswith("Device device_2207: 4 payments in 90 days") and "Two steps" in alt for alt in alts
    )
    assert ("k_0001", "links") in api.parts_asked


def test_similar_cases_carry_verdicts_and_a_warning_about_them(opened: Opened) -> None:
    text = seen(tab(at_work(opened), "tabs_shown", "Similar cases"))
    assert "1 of the 2 most alike were confirmed as fraud, out of 400 settled before" in text
    assert "✕ Confirmed fraud (Shared devices, 2 people)" in text
    assert "Verdicts are what colleagues said, not what is true" in text


def test_a_rules_card_opens_the_payments_that_made_it_speak(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    app.session_state["behind_k_0001_shared_device_burst"] = True
    text = seen(app.run())
    assert "Customers seen on this device in 7 days: 4**, the latest 1 of 12" in text
    assert ("k_0001", "behind_rules") in api.parts_asked


def test_a_blind_task_asks_for_no_opinion_and_may_see_the_links(opened: Opened, api: FakeApi) -> None:
    app = press(at_work(opened), "answer_inconclusive")
    api.parts_asked.clear()
    app = tab(app, "tabs_blind", "Linked entities")
    assert api.parts_asked == [("k_0002", "links")]
    assert "Similar cases" not in seen(app)


def test_a_part_that_cannot_be_worked_out_leaves_the_task_to_be_answered(
    opened: Opened, api: FakeApi
) -> None:
    api.fail["GET /tasks/k_0001/parts/what_if"] = Refused(500, "Something broke")
    app = at_work(opened)
    assert "Something broke" in seen(app)
    press(app, "answer_confirmed_fraud")
    assert api.verdicts[0]["value"] == "confirmed_fraud"


def test_a_masked_field_is_read_for_a_reason_that_is_sent(opened: Opened, api: FakeApi) -> None:
    app = tab(at_work(opened), "beside_k_0001", "Payment")
    assert "Ada Example" not in seen(app)
    assert app.button(key="unmask").disabled
    app.text_input(key="unmask_reason_k_0001").input("the name decides").run()
    app = press(app, "unmask")
    assert api.unmasked == [("k_0001", "customer_name", "the name decides")]
    assert "Ada Example" in seen(app)


def test_a_note_typed_as_the_session_ended_is_back_after_signing_in(opened: Opened, api: FakeApi) -> None:
    app = at_work(opened)
    api.tokens.clear()
    app.text_input(key="note_k_0001").input("half a thought").run()
    assert "k_0001" not in api.drafts
    assert app.text_input[0].label == "User name"
    app.text_input[0].input("analyst-1")
    app.text_input[1].input("look")
    app.button[0].click().run()
    app.switch_page("app_pages/review.py").run()
    assert app.text_input(key="note_k_0001").value == "half a thought"
    assert api.drafts["k_0001"]["note"] == "half a thought"


def test_what_was_typed_in_the_rule_editor_is_back_after_a_reload(opened: Opened, api: FakeApi) -> None:
    path = "catalogue/shared_device_burst.yaml"
    app = opened("risk-manager-1", "rules", edit=path)
    typed = app.text_area(key="draft_text").value + "# not finished\n"
    app.text_area(key="draft_text").input(typed).run()
    assert api.unsent["risk-manager-1", f"file:{path}"] == typed
    again = opened("risk-manager-1", "rules", edit=path)
    assert again.text_area(key="draft_text").value == typed
    assert "This is what you had typed and not proposed" in seen(again)
    fresh = press(again, "start_over")
    assert "# not finished" not in fresh.text_area(key="draft_text").value
    assert api.unsent["risk-manager-1", f"file:{path}"] == ""


def test_a_cases_note_is_kept_until_it_is_sent(opened: Opened, api: FakeApi) -> None:
    app = opened("team-lead-1", "cases", id="case_0002")
    app.text_input(key="case_note_case_0002").input("ask the").run()
    again = opened("team-lead-1", "cases", id="case_0002")
    assert again.text_input(key="case_note_case_0002").value == "ask the"
    press(again, "add_note")
    assert api.unsent["team-lead-1", "case:case_0002"] == ""


def test_every_node_of_the_picture_has_a_label_with_its_count() -> None:
    chart = links_picture.picture(fake_beside.LINKS, "EUR", LIGHT).to_dict()
    drawn = str(chart)
    for node in fake_beside.LINKS["nodes"][1:]:
        assert f"{node['kind']} {node['value']} · {words.plural(node['payments'], 'payment')}" in drawn
    assert "many meet here: not followed" in drawn
    assert "✕ 1 known fraud" in drawn
