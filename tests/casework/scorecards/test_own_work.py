"""Does a person learn from what is settled, and is nothing blind given away by it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from golden_rows import golden_cases, said_row

from casework.quality.consensus import further, of_ledger
from casework.quality.scorecards import own_work
from casework.quality.scorecards.reviews import reviews
from data.writer import Writer

AFTER_UNDO = {"minutes": 20}


def policy_with(house, **design):
    return replace(house.policy, design=replace(house.policy.design, **design))


def never_again(house):
    return policy_with(house, re_serve=replace(house.policy.design.re_serve, share=0.0))


@pytest.fixture
def differed(house_with):
    """Two analysts differed on one payment and a team lead settled it as fraud."""
    house = house_with(second_review=1.0)
    house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "confirmed_fraud")
    house.judge("lead-1", "confirmed_fraud", role="team_lead", typology="account_takeover", note="new phone")
    return house


def shown(house, who: str, policy=None) -> list[dict]:
    return own_work.disagreements(house.ledger, who, policy or never_again(house), house.key, house.now)


def test_a_settled_disagreement_is_shown_with_what_the_adjudicator_wrote_and_not_who(differed) -> None:
    differed.later(**AFTER_UNDO)
    [one] = shown(differed, "analyst-1")
    assert (one["value"], one["settled_as"], one["settled_note"]) == (
        "legitimate",
        "confirmed_fraud",
        "new phone",
    )
    assert not any("reviewer" in name for name in one)
    assert shown(differed, "analyst-2") == []


def test_nothing_is_shown_while_the_own_verdict_could_be_taken_back(differed) -> None:
    assert shown(differed, "analyst-1") == []


def test_an_unsettled_disagreement_is_not_shown(house_with) -> None:
    house = house_with(second_review=1.0)
    house.case()
    house.judge("analyst-1", "legitimate")
    house.judge("analyst-2", "confirmed_fraud")
    house.later(**AFTER_UNDO)
    assert shown(house, "analyst-1") == []


def test_what_chance_will_ask_this_person_again_is_not_shown_before(differed) -> None:
    again = policy_with(differed, re_serve=replace(differed.policy.design.re_serve, share=1.0))
    differed.later(days=1)
    assert shown(differed, "analyst-1", again) == []
    differed.later(days=100)
    assert len(shown(differed, "analyst-1", again)) == 1


def test_what_was_asked_again_is_shown_once_that_answer_cannot_be_taken_back(differed) -> None:
    again = policy_with(differed, re_serve=replace(differed.policy.design.re_serve, share=1.0))
    differed.later(days=40)
    [seq] = [row["transaction_seq"] for row in differed.ledger.read("SELECT transaction_seq FROM cases")]
    with differed.ledger.writing() as w:
        w.insert("verdicts", [said_row(differed, 7, seq, "analyst-1", "legitimate", "re_serve", "re_serve")])
    assert shown(differed, "analyst-1", again) == []
    differed.later(**AFTER_UNDO)
    assert len(shown(differed, "analyst-1", again)) == 1


def test_a_payment_somebody_is_at_work_on_is_not_shown(differed) -> None:
    differed.later(**AFTER_UNDO)
    with differed.ledger.writing() as w:
        w.execute("UPDATE tasks SET status = 'open' WHERE kind = 'second'")
    assert shown(differed, "analyst-1") == []


@pytest.fixture
def missed(house):
    """Analyst-1 missed a golden fraud and found another."""
    with house.ledger.writing() as w:
        seqs = [house._decide(w).transaction.seq for _ in range(3)]
        golden_cases(w, house, seqs)
        said = ("legitimate", "legitimate", "confirmed_fraud")
        w.insert(
            "verdicts",
            [said_row(house, n, seq, "analyst-1", said[n], "golden", "golden") for n, seq in enumerate(seqs)],
        )
    return house


def test_a_missed_golden_case_is_told_once_the_verdict_stands(missed) -> None:
    assert own_work.golden(missed.ledger, "analyst-1", missed.policy, missed.now) == []
    missed.later(**AFTER_UNDO)
    [one] = own_work.golden(missed.ledger, "analyst-1", missed.policy, missed.now)
    assert (one["value"], one["is_fraud"], one["verdict_id"]) == ("legitimate", True, "verdict_0")
    assert own_work.golden(missed.ledger, "analyst-2", missed.policy, missed.now) == []


def test_the_session_begins_after_the_last_long_pause(house) -> None:
    for _ in range(2):
        house.case()
        house.judge("analyst-1", "legitimate")
    house.later(hours=5)
    house.case()
    house.judge("analyst-1", "confirmed_fraud")
    now = own_work.session(house.ledger, "analyst-1", house.now)
    assert (now["n"], now["by_value"]["confirmed_fraud"], now["working_seconds"]) == (1, 1, 30.0)
    assert now["current"]
    assert not own_work.session(house.ledger, "analyst-1", house.later(hours=4))["current"]
    assert own_work.session(house.ledger, "analyst-2", house.now)["n"] == 0
    assert own_work.pace(house.ledger, "analyst-1", house.now)["by_day"][0]["median_seconds"] == 30.0
    assert own_work.pace(house.ledger, "analyst-2", house.now) == {
        "days": 28,
        "n": 0,
        "by_day": [],
        "by_arm": {},
    }


def measured(w: Writer, house) -> None:
    """Golden verdicts of three people who find two frauds in three and accuse one honest payment in ten."""
    seqs = [house._decide(w).transaction.seq for _ in range(30)]
    golden_cases(w, house, seqs)
    rows = []
    for n, seq in enumerate(seqs):
        for k, who in enumerate(("analyst-1", "analyst-2", "analyst-3")):
            fraud = n % 2 == 0
            yes = (n // 2 + k) % 3 > 0 if fraud else (n // 2 + k) % 10 == 0
            value = "confirmed_fraud" if yes else "legitimate"
            rows.append(said_row(house, 1000 + len(rows), seq, who, value, "golden", "golden"))
    w.insert("verdicts", rows)


@pytest.fixture
def doubtful(house):
    """Six cases, each judged by one person whose errors golden cases have shown."""
    with house.ledger.writing() as w:
        measured(w, house)
    for n in range(6):
        house.case()
        house.judge("analyst-1", "confirmed_fraud" if n % 2 else "legitimate")
    of_ledger.keep_up(house.ledger, house.policy, "scheduler", house.later(minutes=1))
    return house


def ask(house) -> int:
    with house.ledger.writing() as w:
        return further.ask_further(w, house.policy, house.key, house.now)


def test_doubt_asks_for_one_more_look_within_the_days_budget(doubtful) -> None:
    doubtful.policy = policy_with(doubtful, further=replace(doubtful.policy.design.further, per_day=2))
    assert ask(doubtful) == 2
    assert ask(doubtful) == 0
    rows = doubtful.ledger.read(
        "SELECT f.*, t.kind, t.lane, t.case_id FROM further_reviews f JOIN tasks t USING (task_id)"
    )
    assert {(row["kind"], row["lane"], row["case_id"]) for row in rows} == {("second", "uncertain", "")}
    assert all(row["posterior"] < doubtful.policy.design.further.below for row in rows)
    assert rows[0]["reason"].startswith("One person said ")
    assert doubtful.kinds().count("review.further") == 2
    doubtful.later(days=1, minutes=1)
    assert ask(doubtful) > 0


def test_a_further_look_settles_nothing_and_is_no_random_overlap(doubtful) -> None:
    from casework.quality.consistency import overlap

    ask(doubtful)
    closed = doubtful.ledger.read("SELECT count(*) AS n FROM cases WHERE status = 'closed'")
    for _ in range(3):
        doubtful.judge("analyst-2", "confirmed_fraud")
    assert doubtful.ledger.read("SELECT count(*) AS n FROM cases WHERE status = 'closed'") == closed
    assert overlap(doubtful.ledger) == []
    seen = reviews(doubtful.ledger, doubtful.now - timedelta(days=9), doubtful.now, timedelta(days=35))
    assert not any(each.overlap for each in seen)


def test_who_judged_it_is_not_asked_again(doubtful) -> None:
    ask(doubtful)
    assert doubtful.next("analyst-1") is None
    assert doubtful.next("analyst-2") is not None


def test_nothing_is_asked_while_error_rates_are_unknown(house) -> None:
    house.case()
    house.judge("analyst-1", "legitimate")
    assert ask(house) == 0
