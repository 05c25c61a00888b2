"""Is every task held by at most one person, none lost, and the right one next?"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from casework.cases import dispositions, dossiers
from casework.review import drafts, handing_out, lanes, tasks
from data.errors import ConflictError, InputError, NotFoundError


def claim(house, task_id: str, reviewer: str, role: str = "analyst"):
    with house.ledger.writing() as w:
        return handing_out.claim(w, task_id, reviewer, house.policy, house.now, role=role)


def release(house, task_id: str, reviewer: str, reason: str = "I know the customer"):
    with house.ledger.writing() as w:
        return tasks.release(w, task_id, reviewer, reason, house.now)


@pytest.mark.parametrize("cases", [80, pytest.param(235, marks=pytest.mark.soak)])
def test_twenty_reviewers_at_once_share_all_tasks_without_loss_or_doubling(house_with, cases: int) -> None:
    house = house_with(second_review=0.3)
    house.many_cases(cases)
    total = house.ledger.read("SELECT count(*) AS n FROM tasks")[0]["n"]
    assert total > 1.15 * cases
    taken: list[tuple[str, str]] = []

    def work(reviewer: str) -> None:
        while (task := house.next(reviewer)) is not None:
            taken.append((task.task_id, reviewer))
            house.say(task, "legitimate")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, [f"analyst-{i}" for i in range(20)]))
    assert Counter(Counter(task for task, _ in taken).values()) == {1: total}
    rows = house.ledger.read("SELECT task_id, reviewer, transaction_seq FROM verdicts")
    assert sorted((row["task_id"], row["reviewer"]) for row in rows) == sorted(taken)
    assert max(Counter((row["reviewer"], row["transaction_seq"]) for row in rows).values()) == 1
    assert house.ledger.read("SELECT count(*) AS n FROM tasks WHERE status <> 'done'")[0]["n"] == 0
    assert house.ledger.read("SELECT count(*) AS n FROM cases WHERE status <> 'closed'")[0]["n"] == 0


def test_many_who_want_the_same_task_leave_it_with_one(house) -> None:
    house.case()
    task_id = house.ledger.read("SELECT task_id FROM tasks")[0]["task_id"]
    results: list[str] = []

    def want(reviewer: str) -> None:
        try:
            results.append(claim(house, task_id, reviewer).claimed_by)
        except ConflictError:
            results.append("refused")

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(want, [f"analyst-{i}" for i in range(12)]))
    assert Counter(results)["refused"] == 11
    assert tasks.find(house.ledger, task_id).claimed_by in results


def test_a_second_click_gives_the_same_task_again(house) -> None:
    house.case()
    house.case()
    assert house.next("analyst-1").task_id == house.next("analyst-1").task_id
    assert house.kinds().count("task.claimed") == 1


def test_an_empty_queue_gives_nothing(house) -> None:
    assert house.next("analyst-1") is None


def test_a_lock_that_runs_out_gives_the_task_to_the_next_and_says_so(house) -> None:
    house.case()
    mine = house.next("analyst-1")
    assert mine.lock_expires_at == house.now + timedelta(minutes=house.policy.task.lock_minutes)
    assert house.next("analyst-2") is None
    house.later(minutes=house.policy.task.lock_minutes)
    theirs = house.next("analyst-2")
    assert theirs.task_id == mine.task_id
    assert house.kinds()[-2:] == ["task.lock_expired", "task.claimed"]
    with pytest.raises(ConflictError, match="you do not hold this task"):
        house.say(mine, "legitimate")


def test_a_late_verdict_counts_while_nobody_else_has_taken_the_task(house) -> None:
    house.case()
    task = house.next("analyst-1")
    house.later(minutes=house.policy.task.lock_minutes + 5)
    assert house.say(task, "legitimate").seconds == 60 * (house.policy.task.lock_minutes + 5)


def test_the_sweep_of_locks_opens_tasks_again(house) -> None:
    house.case()
    task = house.next("analyst-1")
    house.later(hours=1)
    with house.ledger.writing() as w:
        assert tasks.expire_locks(w, house.now) == 1
        assert tasks.expire_locks(w, house.now) == 0
    found = tasks.find(house.ledger, task.task_id)
    assert (found.status, found.claimed_by, found.lock_expires_at) == ("open", "", None)


def test_a_released_task_goes_to_somebody_else_and_not_back(house) -> None:
    house.case()
    task = house.next("analyst-1")
    with pytest.raises(InputError, match="a task is released with a reason"):
        release(house, task.task_id, "analyst-1", " ")
    release(house, task.task_id, "analyst-1")
    assert house.next("analyst-1") is None
    assert house.next("analyst-2").task_id == task.task_id


def test_a_claim_by_id_is_refused_for_tasks_that_choosing_would_unmask(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    by_kind = {row["kind"]: row["task_id"] for row in house.ledger.read("SELECT kind, task_id FROM tasks")}
    with pytest.raises(NotFoundError):
        claim(house, by_kind["second"], "analyst-1")
    with pytest.raises(NotFoundError):
        claim(house, "task_none", "analyst-1")
    with pytest.raises(NotFoundError):
        claim(house, by_kind["primary"], "lead-1", role="team_lead")
    assert claim(house, by_kind["primary"], "analyst-1").claimed_by == "analyst-1"
    assert claim(house, by_kind["primary"], "analyst-1").claimed_by == "analyst-1"


def test_nobody_hoards_tasks(house) -> None:
    for _ in range(6):
        house.case()
    ids = [row["task_id"] for row in house.ledger.read("SELECT task_id FROM tasks")]
    for task_id in ids[:5]:
        claim(house, task_id, "analyst-1")
    with pytest.raises(ConflictError, match=r"you hold 5 tasks \(allowed: 5 at once\)"):
        claim(house, ids[5], "analyst-1")


def test_within_a_lane_money_goes_first_until_a_deadline_presses(house) -> None:
    small = house.case(amount_minor=1_000)
    house.later(minutes=10)
    large = house.case(amount_minor=90_000)
    assert house.next("analyst-1").case_id == large.case_id
    release(house, house.next("analyst-1").task_id, "analyst-1")
    house.now = small.deadline - timedelta(minutes=5)
    assert house.next("analyst-2").case_id == small.case_id


def test_random_lanes_do_not_follow_the_money(house) -> None:
    audits = [house.audit(amount_minor=1_000 * (i + 1)) for i in range(12)]
    order = [house.next(f"analyst-{i}").task_id for i in range(12)]
    assert order == sorted(task.task_id for task in audits)


def test_take_next_draws_lanes_by_the_policys_shares(house) -> None:
    shares = {"money_at_risk": 0.5, "uncertain": 0.3, "audit": 0.2}
    drawn = Counter(lanes.choose_lane(shares, list(shares), (i + 0.5) / 1000) for i in range(1000))
    assert drawn == {"money_at_risk": 500, "uncertain": 300, "audit": 200}


def test_an_empty_lane_leaves_its_share_to_the_others() -> None:
    drawn = Counter(
        lanes.choose_lane({"a": 0.5, "b": 0.3, "c": 0.2}, ["b", "c"], (i + 0.5) / 1000) for i in range(1000)
    )
    assert drawn == {"b": 600, "c": 400}


def test_a_lane_that_the_policy_forgot_is_still_worked() -> None:
    assert lanes.choose_lane({"a": 1.0}, ["forgotten"], 0.99) == "forgotten"


def test_a_draft_survives_and_typing_keeps_the_lock_alive(house) -> None:
    house.case()
    task = house.next("analyst-1")
    house.later(minutes=8)
    with house.ledger.writing() as w:
        until = drafts.save(w, task.task_id, "analyst-1", {"note": "call"}, house.policy, house.now)
        drafts.save(w, task.task_id, "analyst-1", {"note": "call back"}, house.policy, house.now)
    assert until == house.now + timedelta(minutes=house.policy.task.lock_minutes)
    assert drafts.load(house.ledger, task.task_id, "analyst-1") == {"note": "call back"}
    assert drafts.load(house.ledger, task.task_id, "analyst-2") is None
    assert (
        b"call"
        not in house.ledger.read("SELECT payload FROM events WHERE kind = 'draft.saved'")[0]["payload"]
    )
    with house.ledger.writing() as w, pytest.raises(ConflictError):
        drafts.save(w, task.task_id, "analyst-2", {}, house.policy, house.now)
    house.say(task, "legitimate")
    assert drafts.load(house.ledger, task.task_id, "analyst-1") is None


def sweep(house) -> dict[str, int]:
    with house.ledger.writing() as w:
        return dispositions.sweep(w, house.policy, house.now)


def test_a_deadline_without_a_verdict_leaves_it_to_the_policy(house) -> None:
    case = house.case()
    assert sweep(house) == {"closed": 0, "timed_out": 0, "expired": 0}
    house.now = case.deadline
    assert sweep(house) == {"closed": 0, "timed_out": 1, "expired": 1}
    assert house.status(case) == "timed_out"
    assert [(d.value, d.actor, d.reason) for d in dispositions.since(house.ledger)] == [
        ("released", "policy", "deadline passed without a verdict")
    ]
    assert house.next("analyst-1") is None


def test_a_policy_that_declines_on_timeout_declines(house) -> None:
    from engine.decision import Outcome

    segment = replace(house.policy.segment(), on_timeout=Outcome.DECLINE)
    house.policy = replace(house.policy, segments={"default": segment})
    house.now = house.case().deadline
    sweep(house)
    assert [d.value for d in dispositions.since(house.ledger)] == ["declined"]


def test_a_deadline_with_one_of_two_verdicts_closes_on_it(house_with) -> None:
    house = house_with(second_review=1.0)
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud")
    house.now = case.deadline
    assert sweep(house) == {"closed": 1, "timed_out": 0, "expired": 1}
    assert [d.value for d in dispositions.since(house.ledger)] == ["declined"]


def test_a_task_in_somebodys_hands_is_not_pulled_away_at_the_deadline(house) -> None:
    case = house.case()
    house.now = case.deadline - timedelta(minutes=1)
    task = house.next("analyst-1")
    house.later(minutes=2)
    assert sweep(house)["timed_out"] == 0
    house.say(task, "confirmed_fraud")
    assert house.status(case) == "closed"


def test_an_audit_that_nobody_took_is_recorded_as_non_response(house) -> None:
    audit = house.audit()
    house.now = audit.deadline
    assert sweep(house)["expired"] == 1
    assert tasks.find(house.ledger, audit.task_id).status == "expired"


def test_a_payment_moves_only_where_it_still_can(house) -> None:
    case = house.case()

    def move(value: str, reason: str = "the customer called"):
        with house.ledger.writing() as w:
            return dispositions.record(
                w, case.transaction_seq, value, reason, "lead-1", house.policy, house.now
            )

    with pytest.raises(InputError, match="'gone' is not a disposition"):
        move("gone")
    with pytest.raises(InputError, match="with a reason"):
        move("released", "")
    with pytest.raises(ConflictError) as refusal:
        move("reversed")
    assert str(refusal.value) == "tx-1: this payment is held (allowed: released, declined)"
    assert move("released").disposition_seq == 1
    with pytest.raises(ConflictError, match=r"this payment is released \(allowed: reversed\)"):
        move("declined")
    assert move("reversed").disposition_seq == 2
    assert [d.value for d in dispositions.since(house.ledger, 1)] == ["reversed"]


def test_a_payment_that_was_released_while_watched_is_reversed_when_it_was_fraud(house) -> None:
    segment = replace(house.policy.segment(), review_holds_payment=False)
    house.policy = replace(house.policy, segments={"default": segment})
    house.case()
    house.case()
    house.judge("analyst-1", "confirmed_fraud")
    house.judge("analyst-1", "legitimate")
    assert [d.value for d in dispositions.since(house.ledger)] == ["reversed", "already_settled"]


def test_the_arm_decides_what_of_a_dossier_is_shown(house) -> None:
    dossier = dossiers.whole(house.ledger, house.dossier(house.decision()))
    shown, blind = (dossiers.for_arm(dossier, arm) for arm in ("score_shown", "blind_first"))
    assert shown.keys() == blind.keys()
    assert shown["probability"] == 0.3
    assert [bar["name"] for bar in shown["explanation"]["bars"]] == ["customer_txn_count_1d", "amount_minor"]
    assert [rule["title"] for rule in shown["rules"]] == ["New device, large amount"]
    assert (blind["probability"], blind["thresholds"], blind["explanation"], blind["rules"]) == (
        None,
        None,
        None,
        [],
    )
    assert "30" not in blind["why"]["sentence"]
