"""Are expected and actual figures, overrides, groups and exploration told honestly?"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from casework.learning.labels import voiding
from casework.settings.evidence_of_fraud import EXPLORABLE
from casework.watching import advice, digest, exploration, falls, performance
from casework.watching.overrides import overrides
from casework.watching.stretches import Stretch
from data import approved
from data.events import EventDraft
from engine.decision import Outcome
from tests.casework.watching.conftest import one, write

MATURE = timedelta(days=60)


def report(house, seqs, known_at) -> None:
    told = {"is_fraud": True, "known_at": known_at, "reported_seq": 0, "source": "file", "reason_code": ""}
    with house.ledger.writing() as w:
        w.insert("outcomes", [{"transaction_seq": s, **told, "recorded_at": known_at} for s in seqs])


def bank(house, *, bands=("30-49",), declined_of=lambda n: False, frauds=()):
    """200 payments of 20 euros on one day, with a probability of 0.05 each; those declined had 0.9."""
    start = house.now
    made = []
    for n in range(200):
        stopped = declined_of(n)
        made.append(
            one(
                n + 1,
                start + timedelta(minutes=n),
                amount_minor=2_000,
                probability=0.9 if stopped else 0.05,
                outcome=Outcome.DECLINE if stopped and stopped != "explored" else Outcome.APPROVE,
                explored=stopped == "explored",
                age_band=bands[n % len(bands)],
                rule="burst" if n % 10 == 0 else "",
            )
        )
    write(house.ledger, made, start)
    report(house, frauds, start + timedelta(days=3))
    house.now = start + MATURE
    stretch = Stretch(start, start + timedelta(days=1))
    return performance.read(house.ledger, stretch, house.policy, (), house.now), stretch


def test_what_was_promised_stands_beside_what_came(house) -> None:
    record, stretch = bank(house, frauds=range(1, 11))
    week = performance.by_week(record, stretch.until)[-1]
    assert week["expected"]["fraud_share"] == pytest.approx(0.05)
    assert week["actual"]["fraud_share"]["value"] == pytest.approx(0.05)
    assert week["actual"]["recall"]["value"] == 0.0  # nothing was stopped, and ten frauds passed


def test_a_week_that_has_not_matured_is_not_told(house) -> None:
    record, stretch = bank(house, frauds=range(1, 11))
    young = performance.read(house.ledger, stretch, house.policy, (), stretch.until + timedelta(days=5))
    week = performance.by_week(young, stretch.until)[-1]
    assert week["actual"]["fraud_share"] is None
    assert week["actual"]["naive_fraud_share"]["value"] == 1.0  # of what is known so early, all is fraud
    assert len(record) == len(young)


def test_recall_counts_declines_by_those_that_chance_released(house) -> None:
    # Forty would-be declines, two released, one of them fraud: some twenty frauds among the declined; ten passed.
    def stopped(n):
        return "explored" if n in (0, 5) else n % 5 == 0

    record, _ = bank(house, declined_of=stopped, frauds=[1, *range(2, 6), *range(7, 11), 12, 13])
    found = performance.overall(record)
    assert found["recall"]["value"] == pytest.approx(20 / 30, abs=0.01)
    assert found["naive_recall"]["value"] == pytest.approx(1 / 11)
    told = exploration.exploration(house.ledger, record, house.policy, house.now)
    assert (told["released"], told["frauds"], told["lost_minor"], told["declined"]) == (2, 1, 2_000, 38)
    assert told["good_among_declines"]["value"] == pytest.approx(0.5)
    assert told["sentence"].startswith(
        "2 would-be declined payments were released on purpose (40.00 EUR); 1 turned"
    )


def test_a_model_is_told_by_what_it_stopped_with_the_naive_figure_that_misses_declines(house) -> None:
    def stopped(n):
        return "explored" if n in (0, 5) else n % 5 == 0

    record, _ = bank(house, declined_of=stopped, frauds=[1, *range(2, 6), *range(7, 11), 12, 13])
    (found,) = performance.by_model(record)
    assert (found["model_id"], found["decisions"], found["matured"]) == ("m_1", 200, 200)
    assert found["expected"]["precision"] == pytest.approx(0.9)
    assert found["precision"]["estimate"]["value"] == pytest.approx(0.5)  # one of two releases was fraud
    assert found["recall"]["value"] == pytest.approx(20 / 30, abs=0.01)
    assert found["naive_recall"]["value"] == pytest.approx(1 / 11)
    without = replace(record, model=np.full(len(record), ""))
    assert performance.by_model(without) == []


def test_precision_of_a_rule_is_estimated_from_its_hits(house) -> None:
    record, _ = bank(house, frauds=(1, 11, 21, 31, 41))
    rows = performance.by_rule(record)
    assert [(row["name"], row["payments"]) for row in rows] == [("burst", 20)]
    assert rows[0]["estimate"]["value"] == pytest.approx(0.25)


def test_a_group_that_is_declined_more_is_named_and_an_even_hand_is_not(house) -> None:
    house.policy = replace(house.policy, protected_attribute="age_band")
    record, _ = bank(house, bands=("18-29", "30-49"), declined_of=lambda n: n % 2 == 0 and n < 80)
    found = falls.by_subgroup(record, "age_band")
    assert found["sentence"].startswith(
        "By age band, these differ from all others together: 18-29 (decline rate 40 %)"
    )
    rows = {row["value"]: row for row in found["groups"]}
    assert rows["18-29"]["decline"]["q_value"] < 0.001
    even = replace(record, value=np.array(["a", "b", "b", "a"] * 50))
    assert falls.by_subgroup(even, "age_band")["sentence"] == (
        "By age band, no group differs from the others beyond what chance explains."
    )


def test_false_positives_weigh_released_payments_for_the_declined_ones_they_stand_for(house) -> None:
    def stopped(n):
        return "explored" if n == 0 else n < 20

    record, _ = bank(house, declined_of=stopped)
    assert (record.evidence.route == EXPLORABLE).sum() >= 1
    group = falls.by_subgroup(record, "age_band")["groups"][0]["false_positive"]
    # One good payment released at 5 % stands for twenty, beside 180 that passed.
    assert group["value"] == pytest.approx(20 / 200)
    assert group["naive"]["value"] == pytest.approx(1 / 181)


def test_overrides_go_both_ways_and_say_who_was_right(house) -> None:
    began = house.now
    cleared = house.case()
    house.judge("analyst-1", "legitimate")
    accused = house.audit()
    house.judge("analyst-1", "confirmed_fraud")
    report(house, [cleared.transaction_seq, accused.transaction_seq], house.later(days=3))
    rows = {
        row["direction"]: row
        for row in overrides(house.ledger, Stretch(began, house.now), house.policy, house.now)
    }
    assert (rows["cleared"]["count"], rows["cleared"]["person_right"]["value"]) == (1, 0.0)
    assert (rows["accused"]["count"], rows["accused"]["person_right"]["value"]) == (1, 1.0)
    assert rows["released"]["count"] == rows["stopped"]["count"] == 0


LAST_WEEK = {"total": 98, "review": 5, "decline": 2}


def quiet() -> dict:
    return {
        "decisions": {"now": LAST_WEEK | {"total": 100}, "before": LAST_WEEK},
        "drift": {"level": "stable", "sentence": ""},
        "widenings": [],
        "retrains": [],
        "weeks": [],
        "alarms": [],
        "tasks": {"open": 3, "overdue": 0},
        "subgroups": {"sentence": "no group differs"},
        "agreement": {"alpha": {"value": None, "high": None}},
        "asked": [],
        "rules": [],
        "exploration": {"caps": {"share": 0.05}, "declined": 4},
    }  # fmt: skip


def said(week: dict) -> list[str]:
    return [item["sentence"] for item in advice.todo(week)]


def test_a_quiet_week_asks_for_nothing() -> None:
    week = quiet() | {"todo": []}
    assert said(week) == []
    assert advice.changed(week) == ["Nothing changed that is worth a sentence."]
    assert advice.headline(week) == "100 decisions; what comes in is as before; nothing needs doing."


@pytest.mark.parametrize(
    ("news", "asks"),
    [
        ({"alarms": [{}]}, "1 alarm is open."),
        ({"tasks": {"open": 3, "overdue": 2}}, "2 tasks are past their deadline."),
        ({"drift": {"level": "alarm", "sentence": "x"}}, "What comes in has drifted."),
        ({"retrains": [{"result": "waits_for_sign_off"}]}, "A challenger waits for a sign-off."),
        (
            {"weeks": [{"expected": {"fraud_share": 0.01}, "actual": {"fraud_share": {"low": 0.02}}}] * 2},
            "In the last 2 weeks whose outcomes are in there was more fraud than the model expected.",
        ),
        (
            {"agreement": {"alpha": {"value": 0.1, "high": 0.2}}},
            "Reviewers agree little (alpha 0.10, at most 0.20).",
        ),
        (
            {"asked": [{"purpose": "random", "share": 0.05, "share_in_policy": 0.25}]},
            "Only 5 % of the reviews",
        ),
        (
            {"rules": [{"name": "burst", "payments": 200, "estimate": {"value": 0.0, "high": 0.01}}]},
            "The rule burst hit 200 payments, of which at most 1 % are fraud.",
        ),
        (
            {"exploration": {"caps": {"share": 0}, "declined": 4}},
            "No would-be decline is ever released on purpose",
        ),
    ],
)
def test_each_thing_that_is_off_asks_somebody_to_act(news: dict, asks: str) -> None:
    found = said(quiet() | news)
    assert len(found) == 1
    assert found[0].startswith(asks)


def test_a_void_verdict_counts_for_no_estimate(house) -> None:
    began = house.now
    house.audit()
    verdict = house.judge("analyst-1", "confirmed_fraud")
    stretch = Stretch(began, house.later(days=1))

    def confirmed() -> int:
        record = performance.read(house.ledger, stretch, house.policy, (), house.now)
        return int((record.evidence.truth.confirmed == 1).sum())

    assert confirmed() == 1
    with house.ledger.writing() as w:
        voiding.void(w, [verdict.verdict_id], "on the wrong page", by="lead-1", at=house.now)
    assert confirmed() == 0


def test_figures_reach_back_only_as_far_as_may_be_read(house, monkeypatch) -> None:
    bank(house)
    until = house.now - MATURE + timedelta(days=1)
    assert digest._reach(house.ledger, until).since == until - 10 * performance.WEEK
    monkeypatch.setattr(digest, "MOST_DECISIONS", 100)
    assert digest._reach(house.ledger, until).since == until - performance.WEEK


def test_exploration_was_signed_off_by_whoever_approved_it_first_however_many_sets_came_since(house) -> None:
    policy = b"sampling: {exploration: {share: %s}}\n"
    with house.ledger.writing() as w:
        for who, share in (("lead-1", b"0"), ("lead-2", b"0.05")):
            approved.approve(w, {"policy.yaml": policy % share}, who, "agreed", house.now)
    (row,) = house.ledger.read("SELECT * FROM approved_sets ORDER BY event_seq DESC LIMIT 1")
    since = [{**row, "approved_by": "lead-3", "event_seq": row["event_seq"] + n} for n in range(1, 301)]
    with house.ledger.writing() as w:
        w.insert("approved_sets", since)
        w.event(EventDraft("test", "test.sets", "test"), house.now)
    assert exploration.signed_off(house.ledger) == {"by": "lead-2", "at": house.now, "reason": "agreed"}
