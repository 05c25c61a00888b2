"""Does the console let one person propose a change, and another decide with everything in sight?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fake_api import FakeApi, Refused
from fake_proposals import CONTENT, STEP, proposal
from page_text import seen
from streamlit.testing.v1 import AppTest

Opened = Callable[..., AppTest]
BURST = "catalogue/shared_device_burst.yaml"


def waiting(api: FakeApi, author: str = "risk-manager-1", **more: object) -> None:
    api.proposals["p_0001"] = proposal(1, author, BURST, **more)


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def test_an_empty_inbox_says_what_would_fill_it(opened: Opened) -> None:
    assert "Nothing waits for approval" in seen(opened("risk-manager-2", "proposals"))


def test_the_inbox_says_whose_turn_it_is(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    api.proposals["p_0002"] = proposal(2, "risk-manager-2", "policy.yaml")
    api.proposals["p_0003"] = proposal(3, "risk-manager-1", "lists.yaml", status="rejected")
    table = opened("risk-manager-2", "proposals").dataframe[0].value
    assert dict(zip(table["Proposal"], table["For you"], strict=True)) == {
        "p_0001": "Look and decide",
        "p_0002": "Yours: another person looks",
    }


def test_an_approver_sees_text_checks_tests_and_effect_before_deciding(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    app = opened("risk-manager-2", "proposals", proposal="p_0001")
    text = seen(app)
    assert "68 of 15,703 payments would have been answered otherwise" in text
    for told in ("after the February ring", "No errors", "third payment", "Stopped by the change: 65",
                 "Every tenth payment would be looked at", "fraud 11 %", "no outcome is known"):  # fmt: skip
        assert told in text
    assert '<div class="sl-added">+  - a &gt;= &lt;b&gt;4&lt;/b&gt;</div>' in html(
        app
    )  # text is never markup

    press(app, "Approve")
    assert "Write a reason" in seen(app)
    assert api.approvals == []
    app.text_input[0].input("looked at the ten largest")
    app = press(app, "Approve")
    assert api.approvals == [
        {
            "proposal_id": "p_0001",
            "reason": "looked at the ten largest",
            "content_sha256": CONTENT,
            "set_id": "set_00000000000000aa",
        }
    ]
    assert "decides from the next transaction on" in seen(app)
    assert "Approved by risk-manager-2" in seen(app).replace("\\", "")


def test_nobody_is_offered_to_approve_a_change_of_their_own(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    app = opened("risk-manager-1", "proposals", proposal="p_0001")
    assert "You wrote this" in seen(app)
    assert not {"Approve", "Reject"} & {button.label for button in app.button}
    app.text_input[0].input("the wrong limit")
    press(app, "Withdraw")
    assert api.settled == [("p_0001", "withdrawal", "the wrong limit")]


def test_a_change_is_rejected_with_a_reason(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    app = opened("risk-manager-2", "proposals", proposal="p_0001")
    app.text_input[0].input("stops shift workers")
    press(app, "Reject")
    assert api.settled == [("p_0001", "rejection", "stops shift workers")]


@pytest.mark.parametrize("role", ["auditor-1", "team-lead-1"])
def test_who_does_not_approve_can_read_but_not_decide(opened: Opened, api: FakeApi, role: str) -> None:
    waiting(api, you_may_not_approve="the role does not approve changes")
    api.fail["GET /proposals/p_0001/preview"] = Refused(403, "Not allowed")
    api.answers["GET /proposals/p_0001"] = {**api.proposals["p_0001"]}
    app = opened(role, "proposals", proposal="p_0001")
    assert "The role does not approve changes" in seen(app)
    assert not {"Approve", "Reject", "Withdraw"} & {button.label for button in app.button}


def test_an_unsound_or_overtaken_change_cannot_be_approved(opened: Opened, api: FakeApi) -> None:
    wrong = {"severity": "error", "where": "rules/x.yaml:9:1", "what": "there is no feature", "hint": "Look."}
    waiting(api, problems=[wrong], overtaken=[BURST])
    app = opened("risk-manager-2", "proposals", proposal="p_0001")
    assert "There is no feature" in seen(app)
    assert "Overtaken" in seen(app)
    assert next(b for b in app.button if b.label == "Approve").disabled


def test_a_step_to_live_shows_its_evidence_and_an_exception_says_so(opened: Opened, api: FakeApi) -> None:
    waiting(api, steps=[STEP], without_evidence=["quiet_account"], override_reason="an attack since noon")
    text = seen(opened("risk-manager-2", "proposals", proposal="p_0001")).replace("\\", "")
    for told in ("Days in shadow: 69", "Precision: 4.2 %", "1.6 % to 10.3 %, 95 known", "on 6.4 of 60", "Lacking:",
                 "Exception:", "an attack since noon"):  # fmt: skip
        assert told in text


def test_an_effect_that_cannot_be_worked_out_leaves_the_rest_standing(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    api.fail["GET /proposals/p_0001/preview"] = Refused(422, "Not possible", "nothing was decided yet")
    text = seen(opened("risk-manager-2", "proposals", proposal="p_0001")).replace("\\", "")
    assert "The effect cannot be worked out: nothing was decided yet" in text
    assert "No errors" in text


def test_files_edited_in_the_workspace_are_proposed_from_the_inbox(opened: Opened, api: FakeApi) -> None:
    drafts = [
        {"path": "policy.yaml", "change": "changed", "diff": ["-a", "+b"], "proposed_in": []},
        {"path": "lists.yaml", "change": "changed", "diff": ["-a", "+b"], "proposed_in": ["p_0009"]},
    ]
    api.answers["GET /drafts"] = {"drafts": drafts, "problems": []}
    app = opened("risk-manager-1", "proposals")
    app.text_input[0].input("lower the limit")
    press(app, "Propose")
    assert api.proposals["p_0001"]["asked"]["edited"] == ["policy.yaml"]
    assert "You wrote this" in seen(app)


def test_a_text_is_checked_as_it_changes_and_proposed_with_a_reason(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "rules", edit=BURST)
    assert "device_customer_distinct_7d >= 3" in app.text_area[0].value
    assert api.checked == []
    app.text_area[0].input(app.text_area[0].value + "# costumer\n").run()
    assert "There is no feature 'costumer'" in seen(app)
    assert next(b for b in app.button if b.label == "Propose").disabled
    fixed = app.text_area[0].value.replace("costumer", "customer").replace(">= 3", ">= 4")
    app.text_area[0].input(fixed).run()
    assert "No errors" in seen(app)
    assert [list(files) for files in api.checked] == [[BURST], [BURST]]
    app.text_input[0].input("four customers from now on")
    press(app, "Propose")
    made = api.proposals["p_0001"]["asked"]
    assert (made["files"], made["reason"], made["origin"]) == (
        {BURST: fixed},
        "four customers from now on",
        "console",
    )


def test_an_author_sees_the_effect_of_a_text_before_proposing_it(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "rules", edit=BURST)
    app.text_area[0].input(app.text_area[0].value.replace(">= 3", ">= 4")).run()
    app.button(key="try_effect").click().run()
    assert "68 of 15,703 payments would have been answered otherwise" in seen(app)
    app.text_area[0].input(app.text_area[0].value + "# another text\n").run()
    assert "answered otherwise" not in seen(app)


def test_a_new_rule_starts_from_a_sound_example_and_is_named_by_its_id(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "rules", edit="new")
    text = app.text_area[0].value.replace("id: my_rule", "id: large_and_new")
    app.text_area[0].input(text).run()
    assert list(api.checked[-1]) == ["catalogue/large_and_new.yaml"]


def test_a_proposal_is_changed_by_another_one_in_its_place(opened: Opened, api: FakeApi) -> None:
    waiting(api)
    assert "Change it" in {b.label for b in opened("risk-manager-1", "proposals", proposal="p_0001").button}
    app = opened("risk-manager-1", "rules", edit=BURST, replaces="p_0001")
    assert app.text_area[0].value == "id: x\n- a >= 4\n"
    app.text_area[0].input("id: x\n- a >= 5\n").run()
    app.text_input[0].input("five")
    press(app, "Propose")
    made = api.proposals["p_0002"]["asked"]
    assert (made["replaces"], made["files"]) == ("p_0001", {BURST: "id: x\n- a >= 5\n"})


def test_going_back_is_a_proposal(opened: Opened, api: FakeApi) -> None:
    app = opened("risk-manager-1", "rules", section="history")
    assert list(app.dataframe[0].value["Set"]) == ["set_4be1c09f2d7a6630", "set_old"]
    assert "Select an earlier one to go back" in seen(app)


@pytest.mark.parametrize("file", ["policy.yaml", "guidelines.md"])
def test_the_other_files_are_shown_as_approved(opened: Opened, file: str) -> None:
    app = opened("auditor-1", "rules", section="policy")
    app.segmented_control[1].set_value(file).run()
    assert f"# {file}" in seen(app)
    assert "Edit" not in {button.label for button in app.button}
