"""Can anything a reviewer may open give a blind task away?"""

import json
from typing import Any

import pytest

from casework.cases import case_pages, cases
from casework.quality.summary import summary
from casework.review import blindness, verdicts
from casework.review.task_pages import queue_summary, task_list, task_page
from data.errors import ConflictError, NotFoundError


def text(value: Any) -> str:
    return json.dumps(value, default=str)


def test_first_and_second_reviewer_see_the_same_page(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    pages = []
    for reviewer in ("analyst-1", "analyst-2"):
        task = house.next(reviewer)
        pages.append(task_page(house.ledger, task.task_id, reviewer))
        house.say(task, "legitimate")
    own = ("task_id", "claimed_by")
    first, second = ({k: v for k, v in page.items() if k not in own} for page in pages)
    assert first == second


def test_no_page_says_which_kind_of_task_it_is(house_with) -> None:
    house = house_with(second_review=1.0, blind_first=1.0)
    house.case()
    house.audit()
    shapes = []
    for i in range(4):
        task = house.next(f"analyst-{i}")
        page = task_page(house.ledger, task.task_id, f"analyst-{i}")
        words = text({k: v for k, v in page.items() if k != "transaction"})
        assert not [word for word in ('"second"', "audit", "primary", "uncertain", "30 %") if word in words]
        shapes.append(
            {k: page[k] for k in ("kind_shown", "lane_shown", "why", "arm", "rules", "previous_verdicts")}
        )
    assert all(shape == shapes[0] for shape in shapes)


def test_ids_of_tasks_on_one_transaction_have_nothing_in_common(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    ids = [row["task_id"].removeprefix("task_") for row in house.ledger.read("SELECT task_id FROM tasks")]
    assert len({i[:4] for i in ids}) == 2


def test_the_blind_first_page_has_no_opinion_until_the_verdict_is_given(house_with) -> None:
    house = house_with(blind_first=1.0)
    house.case()
    task = house.next("analyst-1")
    before = task_page(house.ledger, task.task_id, "analyst-1")
    assert (before["probability"], before["explanation"], before["rules"]) == (None, None, [])
    assert "0.3" not in text({k: v for k, v in before.items() if k not in ("transaction", "history")})
    house.say(task, "legitimate")
    after = task_page(house.ledger, task.task_id, "analyst-1")
    assert after["probability"] == 0.3
    assert after["rules"][0]["id"] == "new_device"


def test_history_shows_facts_and_never_what_engine_or_people_made_of_them(house) -> None:
    house.decision()
    house.case()
    task = house.next("analyst-1")
    past = task_page(house.ledger, task.task_id, "analyst-1")["history"][0]
    assert past["known_fraud"] is True
    assert not {"outcome", "probability", "verdict"} & past.keys()


def test_a_task_page_is_for_who_holds_the_task(house) -> None:
    house.case()
    task = house.next("analyst-1")
    with pytest.raises(NotFoundError):
        task_page(house.ledger, task.task_id, "analyst-2")
    assert task_page(house.ledger, task.task_id, "lead-1", "team_lead")["task_id"] == task.task_id


def test_the_page_renders_from_the_snapshot_alone(house) -> None:
    case = house.case()
    task = house.next("analyst-1")
    before = task_page(house.ledger, task.task_id, "analyst-1")
    with house.ledger.writing() as w:
        w.execute("UPDATE decisions SET probability = 0.99, outcome = 'decline'")
        w.execute("UPDATE transactions SET amount_minor = 1 WHERE seq = ?", [case.transaction_seq])
    assert task_page(house.ledger, task.task_id, "analyst-1") == before


def test_personal_fields_are_masked(house) -> None:
    house.case()
    task = house.next("analyst-1")
    page = task_page(house.ledger, task.task_id, "analyst-1")
    assert page["transaction"]["personal_masked"] == {"customer_name": "C*** 1***"}


def test_an_open_task_hides_its_transaction_from_all_who_may_be_given_it(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    for reviewer in ("analyst-1", "analyst-2", "analyst-3"):
        assert blindness.blind_transactions(house.ledger, reviewer) == {case.transaction_seq}
        assert not blindness.visible_to(house.ledger, reviewer, "analyst", case.transaction_seq)
        assert case_pages.case_list(house.ledger, reviewer)["cases"] == []
        with pytest.raises(NotFoundError):
            case_pages.case_page(house.ledger, case.case_id, reviewer)
    for role in ("team_lead", "auditor", "risk_manager", "admin"):
        assert blindness.blind_transactions(house.ledger, "somebody", role) == frozenset()
        assert case_pages.case_page(house.ledger, case.case_id, "somebody", role)["case_id"] == case.case_id


def test_after_ones_own_verdict_one_sees_ones_own_part_only(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud", note="first opinion")
    mine = case_pages.case_page(house.ledger, case.case_id, "analyst-1")
    assert [v["reviewer"] for v in mine["verdicts"]] == ["analyst-1"]
    assert not blindness.visible_to(house.ledger, "analyst-2", "analyst", case.transaction_seq)
    house.judge("analyst-2", "legitimate", note="other opinion")
    for mine_only, other in (("analyst-1", "other opinion"), ("analyst-2", "first opinion")):
        page = case_pages.case_page(house.ledger, case.case_id, mine_only)
        assert page["status"] == "open"
        assert other not in text(page)
        assert "adjudication" not in text(page)


def test_once_settled_everybody_may_read_everything(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud", note="first opinion")
    house.judge("analyst-2", "confirmed_fraud", note="other opinion")
    page = case_pages.case_page(house.ledger, case.case_id, "analyst-3")
    assert len(page["verdicts"]) == 2
    assert [entry["kind"] for entry in page["timeline"]] == [
        "decision", "case", "verdict", "verdict", "disposition", "case"
    ]  # fmt: skip
    assert '"second"' not in text(page)


def test_an_undone_verdict_makes_its_author_blind_again(house) -> None:
    from casework.review import verdicts

    case = house.case()
    mine = house.judge("analyst-1", "legitimate")
    assert blindness.visible_to(house.ledger, "analyst-1", "analyst", case.transaction_seq)
    with house.ledger.writing() as w:
        verdicts.undo(w, mine.verdict_id, "analyst-1", house.policy, house.now)
    assert not blindness.visible_to(house.ledger, "analyst-1", "analyst", case.transaction_seq)


def test_what_follows_an_undo_is_as_blind_as_before(house_with) -> None:
    from casework.review import verdicts

    house = house_with(blind_first=1.0)
    house.case()
    mine = house.judge("analyst-1", "legitimate")
    assert mine.arm == "blind_first"
    with house.ledger.writing() as w:
        task = verdicts.undo(w, mine.verdict_id, "analyst-1", house.policy, house.now)
    page = task_page(house.ledger, task.task_id, "analyst-1")
    assert (page["probability"], page["rules"]) == (None, [])
    assert house.say(task, "confirmed_fraud").arm == "blind_first"


def test_a_blind_verdict_stands_once_its_author_has_read_what_the_engine_thinks(house_with) -> None:
    from casework.cases import revealing
    from casework.review import verdicts

    house = house_with(blind_first=1.0)
    case = house.case()
    mine = house.judge("analyst-1", "legitimate")
    assert revealing.unread(house.ledger, "analyst-1", "analyst", house.now) == {case.transaction_seq}
    for _ in range(2):
        revealing.note(house.ledger, "analyst-1", "analyst", case.transaction_seq, house.now)
    assert house.kinds().count("decision.revealed") == 1
    assert not revealing.unread(house.ledger, "analyst-1", "analyst", house.now)
    with house.ledger.writing() as w, pytest.raises(ConflictError, match="you have read what the engine"):
        verdicts.undo(w, mine.verdict_id, "analyst-1", house.policy, house.now)


def test_only_a_blind_verdict_that_can_still_be_undone_is_guarded(house_with) -> None:
    from casework.cases import revealing

    house = house_with(blind_first=1.0)
    blind = house.case()
    house.judge("analyst-1", "legitimate")
    for reviewer, role in (("analyst-2", "analyst"), ("lead-1", "team_lead")):
        revealing.note(house.ledger, reviewer, role, blind.transaction_seq, house.now)
    house.later(minutes=16)
    revealing.note(house.ledger, "analyst-1", "analyst", blind.transaction_seq, house.now)
    assert "decision.revealed" not in house.kinds()


def test_no_task_page_holds_the_protected_attribute(house_with) -> None:
    house = house_with(second_review=1.0)
    house.decision(age_band="very-old")
    house.case(age_band="very-old")
    house.audit(age_band="very-old")
    seen = []
    for reviewer, value in (("analyst-1", "legitimate"), ("analyst-2", "confirmed_fraud")):
        for _ in range(2):
            task = house.next(reviewer)
            seen.append(text(task_page(house.ledger, task.task_id, reviewer)))
            house.say(task, value)
            seen.append(text(task_page(house.ledger, task.task_id, reviewer)))
    adjudication = house.next("lead-1", "team_lead")
    seen.append(text(task_page(house.ledger, adjudication.task_id, "lead-1", "team_lead")))
    stored = house.ledger.read("SELECT content FROM dossiers")
    seen += [bytes(row["content"]).decode() for row in stored]
    assert len(seen) == 9 + len(stored)
    assert not [page for page in seen if "age_band" in page or "very-old" in page]
    assert all('"channel"' in page for page in seen)


def test_an_audit_does_not_give_itself_away_afterwards_either(house) -> None:
    audit = house.audit()
    house.judge("analyst-1", "legitimate")
    page = task_page(house.ledger, audit.task_id, "analyst-1")
    assert page["lane_shown"] == "review"
    assert page["why"]["reason"] == "review"
    assert page["probability"] == 0.3


def test_an_audited_transaction_is_hidden_until_it_is_judged(house) -> None:
    audit = house.audit()
    assert not blindness.visible_to(house.ledger, "analyst-1", "analyst", audit.transaction_seq)
    house.judge("analyst-1", "legitimate")
    assert blindness.visible_to(house.ledger, "analyst-1", "analyst", audit.transaction_seq)
    assert blindness.visible_to(house.ledger, "analyst-2", "analyst", audit.transaction_seq)


def test_the_queue_does_not_tell_an_analyst_from_which_lane_a_task_came(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.audit()
    analyst = queue_summary(house.ledger, "analyst-1", house.now)
    assert [(lane["lane"], lane["open"]) for lane in analyst["lanes"]] == [("review", 4)]
    lead = queue_summary(house.ledger, "lead-1", house.now, role="team_lead")
    assert {lane["lane"]: lane["open"] for lane in lead["lanes"]} == {"audit": 1, "second": 2, "uncertain": 1}


def test_the_queue_counts_what_is_open_mine_and_done(house) -> None:
    for _ in range(3):
        house.case()
    house.judge("analyst-1", "legitimate")
    held = house.next("analyst-1")
    summary = queue_summary(house.ledger, "analyst-1", house.now)
    assert (summary["open_total"], summary["done_today"]) == (1, 1)
    assert [task["task_id"] for task in summary["mine"]] == [held.task_id]
    assert summary["lanes"][0]["claimed"] == 1


def test_an_analysts_list_holds_only_tasks_that_may_be_chosen(house_with) -> None:
    house = house_with(second_review=1.0, blind_first=1.0)
    house.case()
    house.audit()
    listed = task_list(house.ledger, "analyst-1", house.now)
    assert len(listed) == 1
    assert not {"kind", "lane", "arm", "transaction_seq", "case_id"} & listed[0].keys()
    assert (listed[0]["kind_shown"], listed[0]["lane_shown"]) == ("review", "review")
    assert (listed[0]["entity"], listed[0]["value"]) == ("customer", "customer-1")
    assert listed[0]["occurred_at"] < house.now
    everything = task_list(house.ledger, "lead-1", house.now, role="team_lead")
    assert sorted(task["kind"] for task in everything) == ["audit", "primary", "second", "second"]


def test_the_order_of_an_analysts_list_does_not_tell_the_score(house) -> None:
    for amount, probability in ((10_000, 0.9), (20_000, 0.1), (30_000, 0.05)):
        house.case(amount_minor=amount, probability=probability)
    listed = [task["amount_minor"] for task in task_list(house.ledger, "analyst-1", house.now)]
    assert listed == [30_000, 20_000, 10_000]
    by_money = task_list(house.ledger, "lead-1", house.now, role="team_lead", lane="uncertain", limit=2)
    assert [task["amount_minor"] for task in by_money] == [10_000, 20_000]


def test_cases_are_listed_page_by_page(house) -> None:
    made = [house.case() for _ in range(5)]
    house.later(minutes=1)
    made.append(house.case())
    seen, cursor = [], ""
    while True:
        page = case_pages.case_list(house.ledger, "lead-1", role="team_lead", limit=4, cursor=cursor)
        seen += [case["case_id"] for case in page["cases"]]
        if not (cursor := page["next_cursor"]):
            break
    assert sorted(seen) == sorted(case.case_id for case in made)
    assert seen[0] == made[-1].case_id


def test_cases_can_be_listed_by_status(house) -> None:
    first, second = house.case(amount_minor=90_000), house.case(amount_minor=1_000)
    house.judge("analyst-1", "inconclusive")

    def listed(status: str, role: str = "team_lead") -> list[str]:
        return [
            c["case_id"]
            for c in case_pages.case_list(house.ledger, "analyst-1", role=role, status=status)["cases"]
        ]

    assert listed("in_adjudication") == [first.case_id]
    assert listed("open") == [second.case_id]
    assert listed("in_adjudication", "analyst") == []
    assert listed("open", "analyst") == [first.case_id]
    assert cases.find(house.ledger, first.case_id).status == "in_adjudication"


def test_the_first_reviewer_cannot_tell_from_a_case_that_the_second_disagreed(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "legitimate")

    def shown() -> tuple[str, str]:
        page = case_pages.case_page(house.ledger, case.case_id, "analyst-1")
        return text(page), text(case_pages.case_list(house.ledger, "analyst-1"))

    house.later(hours=3)
    before = shown()
    house.judge("analyst-2", "confirmed_fraud")
    assert cases.find(house.ledger, case.case_id).deadline > case.deadline
    assert shown() == before
    with house.ledger.writing() as w:
        given = w.read("SELECT verdict_id FROM verdicts WHERE reviewer = 'analyst-2'")[0]["verdict_id"]
        verdicts.undo(w, given, "analyst-2", house.policy, house.now)
    assert shown() == before
    lead = case_pages.case_page(house.ledger, case.case_id, "lead-1", "team_lead")
    assert lead["deadline"] == cases.find(house.ledger, case.case_id).deadline


def test_the_summary_gives_reviewers_no_count_that_another_ones_verdict_moves(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.judge("analyst-1", "legitimate")
    before, lead = (
        summary(house.ledger, "age_band", house.now, role=role) for role in ("analyst", "team_lead")
    )
    house.judge("analyst-2", "confirmed_fraud")
    assert summary(house.ledger, "age_band", house.now, role="analyst") == before
    assert summary(house.ledger, "age_band", house.now, role="team_lead") != lead
