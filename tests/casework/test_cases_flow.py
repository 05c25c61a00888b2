"""From a decision to a settled case: does every path end where the policy says?"""

import pytest

from casework.cases import case_pages, cases, dispositions
from casework.review import tasks, verdicts
from casework.review.task_pages import task_page
from casework.review.verdicts import VerdictForm
from data.errors import ConflictError, InputError, NotFoundError
from engine.decision import Outcome


def dispositions_of(house) -> list[tuple[str, str]]:
    return [(d.value, d.actor) for d in dispositions.since(house.ledger)]


def test_one_verdict_settles_a_case_that_nobody_else_looks_at(house) -> None:
    case = house.case()
    verdict = house.judge("analyst-1", "legitimate", confidence="high", note="Known customer")
    assert verdict.seconds == 30.0
    assert verdict.guideline_version == "g1"
    assert cases.find(house.ledger, case.case_id).verdict == "legitimate"
    assert dispositions_of(house) == [("released", "analyst-1")]


def test_every_step_is_an_event(house) -> None:
    house.case()
    house.judge("analyst-1", "confirmed_fraud")
    assert house.kinds()[-6:] == [
        "case.opened", "task.opened", "task.claimed", "verdict.given", "case.closed", "disposition.recorded"
    ]  # fmt: skip


def test_two_who_agree_settle_a_case_only_when_both_have_spoken(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud")
    assert house.status(case) == "open"
    assert dispositions_of(house) == []
    house.judge("analyst-2", "confirmed_fraud")
    assert house.status(case) == "closed"
    assert dispositions_of(house) == [("declined", "analyst-2")]


def test_a_disagreement_goes_to_a_team_lead_who_sees_both_verdicts_but_not_whose(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud", note="new device")
    house.judge("analyst-2", "legitimate", note="known shop")
    assert house.status(case) == "in_adjudication"
    assert house.next("analyst-3") is None
    task = house.next("lead-1", role="team_lead")
    page = task_page(house.ledger, task.task_id, "lead-1", "team_lead")
    assert page["kind_shown"] == "adjudication"
    assert {v["note"] for v in page["previous_verdicts"]} == {"new device", "known shop"}
    assert {v["reviewer"] for v in page["previous_verdicts"]} == {"Reviewer A", "Reviewer B"}
    assert page["why"]["reason"] == "adjudication"
    assert page["why"]["sentence"].startswith("The reviewers differ; your verdict settles it. The model sees")
    house.say(task, "confirmed_fraud")
    assert house.status(case) == "closed"
    assert dispositions_of(house) == [("declined", "lead-1")]


def test_unsure_alone_asks_a_team_lead(house) -> None:
    case = house.case()
    house.judge("analyst-1", "inconclusive")
    assert house.status(case) == "in_adjudication"
    page = task_page(house.ledger, house.next("lead-1", "team_lead").task_id, "lead-1", "team_lead")
    assert page["why"]["sentence"].startswith("The reviewer could not tell; your verdict settles it.")


def test_an_inconclusive_adjudication_leaves_it_to_the_policy(house) -> None:
    case = house.case()
    house.judge("analyst-1", "inconclusive")
    house.judge("lead-1", "inconclusive", role="team_lead")
    assert house.status(case) == "closed"
    assert dispositions_of(house) == [("released", "policy")]


def test_nobody_adjudicates_what_he_or_she_judged(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.judge("person-1", "confirmed_fraud")
    house.judge("person-2", "legitimate")
    assert house.next("person-1", role="team_lead") is None
    assert house.next("person-3", role="team_lead") is not None


def test_an_amount_above_the_four_eyes_limit_needs_two_people(house) -> None:
    case = house.case(amount_minor=house.policy.four_eyes_amount_minor)
    house.judge("analyst-1", "legitimate")
    assert house.status(case) == "open"
    house.judge("analyst-2", "legitimate")
    assert house.status(case) == "closed"


def test_an_audit_has_no_case_and_changes_nothing(house) -> None:
    audit = house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    assert audit.case_id == ""
    assert audit.probability == 0.05
    assert house.ledger.read("SELECT count(*) AS n FROM cases")[0]["n"] == 0
    assert dispositions_of(house) == []


def test_a_plain_decision_opens_nothing(house) -> None:
    made = house.decision(Outcome.APPROVE)
    with house.ledger.writing() as w:
        assert cases.open_review(w, made, house.dossier(made), house.policy, house.key, house.now) is None


def test_an_automatic_decline_can_be_taken_up_by_hand_and_reversed(house) -> None:
    made = house.decision(Outcome.DECLINE)
    with house.ledger.writing() as w:
        opened = cases.open_case(
            w,
            made,
            house.dossier(made),
            house.policy,
            house.key,
            house.now,
            opened_by="analyst-9",
            reason="The customer called",
        )
    assert (opened.reason, opened.reason_detail) == ("by_hand", "The customer called")
    page = task_page(house.ledger, house.next("analyst-1").task_id, "analyst-1")
    assert page["why"] == {"reason": "by_hand", "sentence": "Opened by hand: The customer called"}
    house.judge("analyst-1", "legitimate")
    assert dispositions_of(house) == [("released", "analyst-1")]
    with (
        house.ledger.writing() as w,
        pytest.raises(ConflictError, match="there is a case on this transaction already"),
    ):
        cases.open_case(
            w, made, {}, house.policy, house.key, house.now, opened_by="analyst-9", reason="Again"
        )


def test_opening_by_hand_needs_a_reason(house) -> None:
    made = house.decision(Outcome.DECLINE)
    with house.ledger.writing() as w, pytest.raises(InputError, match="with a reason"):
        cases.open_case(w, made, {}, house.policy, house.key, house.now, opened_by="analyst-9")


def test_a_verdict_is_given_once(house) -> None:
    house.case()
    task = house.next("analyst-1")
    house.say(task, "legitimate")
    with pytest.raises(ConflictError) as refusal:
        house.say(task, "confirmed_fraud")
    assert str(refusal.value) == (
        f"{task.task_id}: you do not hold this task. Its lock may have run out. Take the next one."
    )
    assert len(house.ledger.read("SELECT * FROM verdicts")) == 1


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (VerdictForm("fraud"), "value: 'fraud' is not a verdict (allowed: confirmed_fraud, legitimate, inconclusive)"),
        (
            VerdictForm("legitimate", confidence="so so"),
            "confidence: 'so so' is not a confidence (allowed: certain, high, medium, low)",
        ),
        (
            VerdictForm("legitimate", flags=("odd",)),
            "flags: 'odd' is not a flag (allowed: data_wrong, possible_bias, guideline_gap)",
        ),
        (VerdictForm("legitimate", note="x" * 4001), "note: 'note' is too long (allowed: 4000 characters)"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_meant_is_refused_and_nothing_happens(house, form, message: str) -> None:
    house.case()
    task = house.next("analyst-1")
    with house.ledger.writing() as w, pytest.raises(InputError) as refusal:
        verdicts.give(w, task.task_id, "analyst-1", form, house.policy, house.now)
    assert str(refusal.value) == message
    assert tasks.find(house.ledger, task.task_id).status == "claimed"


def test_a_note_is_in_the_chain_as_a_commitment_only(house) -> None:
    house.case()
    house.judge("analyst-1", "legitimate", note="call 555 0100")
    event = house.ledger.read("SELECT payload, commitments FROM events WHERE kind = 'verdict.given'")[0]
    assert b"555" not in event["payload"]
    assert b"note" in event["commitments"]


def test_undo_brings_the_task_back_with_a_new_clock_and_the_case_to_life(house) -> None:
    case = house.case()
    first = house.judge("analyst-1", "legitimate")
    house.later(minutes=2)
    with house.ledger.writing() as w:
        task = verdicts.undo(w, first.verdict_id, "analyst-1", house.policy, house.now)
    assert (task.status, task.claimed_by) == ("claimed", "analyst-1")
    assert house.status(case) == "open"
    house.later(seconds=5)
    second = house.say(task, "confirmed_fraud")
    assert second.seconds == 5.0
    assert [d[0] for d in dispositions_of(house)] == ["released", "reversed"]
    assert [
        v["undone_at"] is None for v in house.ledger.read("SELECT * FROM verdicts ORDER BY event_seq")
    ] == [False, True]


def test_undo_is_refused_when_late_or_not_ones_own_or_done_already(house) -> None:
    house.case()
    verdict = house.judge("analyst-1", "legitimate")
    with house.ledger.writing() as w, pytest.raises(NotFoundError):
        verdicts.undo(w, verdict.verdict_id, "analyst-2", house.policy, house.now)
    house.later(minutes=16)
    with house.ledger.writing() as w, pytest.raises(ConflictError, match="it can no longer be undone"):
        verdicts.undo(w, verdict.verdict_id, "analyst-1", house.policy, house.now)


def test_undo_is_refused_once_the_other_verdict_has_been_shown(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    mine = house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "legitimate")
    with house.ledger.writing() as w, pytest.raises(ConflictError, match="it can no longer be undone"):
        verdicts.undo(w, mine.verdict_id, "analyst-1", house.policy, house.now)


def test_undo_withdraws_an_adjudication_that_nobody_has_begun(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "legitimate")
    mine = house.judge("analyst-2", "confirmed_fraud")
    with house.ledger.writing() as w:
        task = verdicts.undo(w, mine.verdict_id, "analyst-2", house.policy, house.now)
    assert house.next("lead-1", role="team_lead") is None
    house.say(task, "legitimate")
    assert house.status(case) == "closed"


def test_a_second_disagreement_after_an_undo_is_adjudicated_too(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "legitimate")
    mine = house.judge("analyst-2", "confirmed_fraud")
    with house.ledger.writing() as w:
        task = verdicts.undo(w, mine.verdict_id, "analyst-2", house.policy, house.now)
    house.say(task, "inconclusive")
    assert house.status(case) == "in_adjudication"
    house.judge("lead-1", "legitimate", role="team_lead")
    assert house.status(case) == "closed"


@pytest.mark.parametrize(
    "cursor", ["yesterday|c", "9999-12-31T23:59:59-14:00|c", "0001-01-01T00:00:00+14:00|c"]
)
def test_a_cursor_that_is_no_moment_is_refused(house, cursor: str) -> None:
    house.case()
    with pytest.raises(InputError, match="this is not a cursor"):
        case_pages.case_list(house.ledger, "team-lead-1", role="team_lead", cursor=cursor)
