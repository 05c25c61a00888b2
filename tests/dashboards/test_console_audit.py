"""Does an auditor find a decision's story, a past day, the state of the chain, replays and evidence on screen?"""

from __future__ import annotations

from typing import Any

import fake_record
import pytest
from conftest import Opened
from fake_api import FakeApi
from page_text import seen

WHO = "auditor-1"


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({}, "52,110 events verified; nothing was altered"),
        (
            {"ok": False, "first_bad_seq": 7, "problem": "its hash does not match"},
            "The chain breaks at event 7",
        ),
    ],
)
def test_what_the_last_walk_over_the_chain_found_is_on_screen(
    opened: Opened, api: FakeApi, report: dict[str, Any], said: str
) -> None:
    api.answers["GET /audit/verifications/last"] = {
        **fake_record.WALK,
        "report": {**fake_record.REPORT, **report},
    }
    assert said in seen(opened(WHO, "audit", section="chain"))


def test_a_walk_that_nobody_began_is_begun_and_shows_how_far_it_is(opened: Opened, api: FakeApi) -> None:
    app = opened(WHO, "audit", section="chain")
    assert "Nobody has walked the chain" in seen(app)
    api.answers["GET /audit/verifications/last"] = fake_record.HALF_WAY
    app.button(key="verify").click().run()
    (bar,) = app.get("progress")
    assert bar.proto.text.startswith("20,000 of 52,110 events checked")
    assert app.button(key="verify").disabled


def test_events_are_listed_newest_first_and_an_empty_search_says_how_to_ask(
    opened: Opened, api: FakeApi
) -> None:
    app = opened(WHO, "audit")
    assert "Set approved" in seen(app)
    assert list(app.dataframe[0].value["Event"]) == sorted(app.dataframe[0].value["Event"], reverse=True)
    api.answers["GET /events"] = {"events": []}
    assert "No event matches" in seen(opened(WHO, "audit"))


def test_any_id_says_what_it_names_and_leads_on(opened: Opened) -> None:
    app = opened(WHO, "audit", of="case_0009")
    assert "**Case** `case_0009`: closed" in seen(app)
    assert "The story of t\\_90002" in [
        link.proto.label.replace("t_", "t\\_") for link in app.get("page_link")
    ]
    assert "Nothing has this id" in seen(opened(WHO, "audit", of="nobody"))


def test_a_decisions_story_runs_from_what_went_in_to_what_was_learned_from_it(opened: Opened) -> None:
    text = seen(opened(WHO, "audit", section="decision", id="t_90002"))
    for said in (
        "✕ Fraud, on the word of a reported outcome",
        "1 rule of 1 hit",
        "risk-manager-1",  # proposed the rule
        "13,004 payments, 107 frauds",
        "Score 28 % · explanation shown",
        "by **analyst-1** after 31 s, confidence high",
        "by **analyst-2**, confidence high",  # how long it took is forgotten
        "analyst-1 read the masked field email\\: to call",
        "opened: linked entities",
        "Training believes: fraud, on the strongest of 1 claim",
        "1 model learned from it",
    ):
        assert said in text, said


def test_a_story_that_is_not_there_leaves_the_page_standing(opened: Opened) -> None:
    assert "There is no decision for transaction nope" in seen(
        opened(WHO, "audit", section="decision", id="nope")
    )
    assert "Which decision?" in seen(opened(WHO, "audit", section="decision"))


def test_a_day_of_the_past_shows_rules_people_and_model_of_then(opened: Opened) -> None:
    text = seen(opened(WHO, "audit", section="day", day="2026-10-01"))
    assert "1 of 2 rules decided" in text
    assert "1 person could sign in" in text
    assert "looked at the effect" in text


def test_a_sample_is_replayed_on_screen_and_a_difference_is_named(opened: Opened, api: FakeApi) -> None:
    app = opened(WHO, "audit", section="replays")
    assert "No sample was replayed yet" in seen(app)
    app.button(key="replay_sample").click().run()
    assert "200 of 35,517 decisions decided again" in seen(app)
    api.answers["POST /replays"] = {
        **fake_record.REPLAYED,
        "same": 199,
        "different": 1,
        "differences": [{"what": "margin", "count": 1}],
        "examples": [{"transaction_id": "t_90002"}],
    }
    app.button(key="replay_sample").click().run()
    assert "1 of 200 of 35,517 decisions came out differently" in seen(app)


def test_personal_fields_leave_only_for_a_reason(opened: Opened, api: FakeApi) -> None:
    app = opened(WHO, "audit", section="evidence")
    assert app.button(key="make_pack_page").disabled
    app.text_area(key="evidence_ids").set_value("t_90002\ncase_0009").run()
    app.checkbox(key="unmask_page").check().run()
    assert app.button(key="make_pack_page").disabled
    app.text_input(key="evidence_reason_page").set_value("request of the court").run()
    app.button(key="make_pack_page").click().run()
    assert api.done == [
        (
            "POST",
            "/evidence",
            {"ids": ["t_90002", "case_0009"], "reason": "request of the court", "unmask": True},
        )
    ]
    (file,) = app.get("download_button")
    assert file.proto.label.startswith("Download evidence.zip")


def test_a_pack_without_personal_fields_needs_no_reason(opened: Opened, api: FakeApi) -> None:
    app = opened(WHO, "audit", section="evidence")
    app.text_area(key="evidence_ids").set_value("t_90002").run()
    app.button(key="make_pack_page").click().run()
    assert api.done[0][2]["unmask"] is False


def test_an_admin_sees_what_would_be_erased_says_why_and_confirms_before_it_is(
    opened: Opened, api: FakeApi
) -> None:
    app = opened("admin", "audit", section="erasures")
    assert "2 personal values, 1 text written by people" in seen(app)
    app.text_input(key="erase_value").set_value("c-17")
    app.button(key="erase_look").click().run()
    assert "Of customer **c-17**, 2 payments: 4 personal values, 1 file" in seen(app)
    assert "1 backup made before will still hold them" in seen(app)
    assert app.button(key="erase_now").disabled  # no reason was given yet
    app.text_input(key="erase_reason").set_value("request 4711").run()
    assert api.done == []
    app.button(key="erase_now").click().run()
    body = {"entity": "customer", "value": "c-17", "reason": "request 4711"}
    assert api.done == [("POST", "/erasures", body)]
    assert "Erased of 2 payments: 4 personal values, 1 file." in seen(app)
    assert not any(button.key == "erase_now" for button in app.button)


def test_where_nothing_is_left_of_somebody_nothing_can_be_erased(opened: Opened, api: FakeApi) -> None:
    app = opened("admin", "audit", section="erasures")
    app.text_input(key="erase_value").set_value("nobody")
    app.button(key="erase_look").click().run()
    assert "Nothing is left to erase" in seen(app)
    assert not any(button.key == "erase_now" for button in app.button)
    assert api.done == []


def test_an_auditor_reads_what_was_erased_and_cannot_erase(opened: Opened) -> None:
    app = opened(WHO, "audit", section="erasures")
    assert "request 4710" in seen(app)
    assert [field.label for field in app.text_input] == []
