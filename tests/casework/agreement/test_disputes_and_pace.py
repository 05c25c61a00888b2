"""Do the tree over disputed cases and the figures of pace find what is there, and keep quiet otherwise?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from casework.quality.agreement.against_truth import Judged
from casework.quality.disputes.against import Case, differing, with_the_model
from casework.quality.disputes.surrogate import surrogate
from casework.quality.pace.nudges import nudges
from casework.quality.pace.report import pace_report, person_pace
from casework.quality.pace.runs import identical, longest
from casework.quality.pace.shifts import Worked, in_shifts

MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


def cases(n: int, often: float) -> list[Case]:
    """Cases disputed in 15 %, and in `often` where the amount is above 300 on the web."""
    rng = np.random.default_rng(2)
    found = []
    for i in range(n):
        amount, channel = float(rng.uniform(0, 500)), ("web", "pos")[int(rng.integers(2))]
        chance = often if amount > 300 and channel == "web" else 0.15
        facts = {"amount": amount if i % 10 else None, "channel": channel, "noise": float(rng.normal())}
        found.append(Case(f"case-{i}", bool(rng.random() < chance), facts))
    return found


def test_the_tree_names_in_words_where_disputes_gather() -> None:
    found = surrogate(cases(800, 0.8), phrases={"amount": "the amount"})
    assert found["state"] == "enough"
    top = found["groups"][0]
    assert "the amount above" in top["words"]
    assert "channel is" in top["words"]
    assert top["disputed"]["low"] > found["share"]["high"]
    assert len(top["examples"]) == 5
    assert found["sentence"].startswith("Disputes gather where ")


def test_where_disputes_are_spread_evenly_the_tree_claims_nothing() -> None:
    found = surrogate(cases(800, 0.15))
    assert (found["state"], found["p"] >= 0.05) == ("no pattern", True)


def test_few_disputes_are_insufficient() -> None:
    found = surrogate(cases(60, 0.5))
    assert found["state"] == "insufficient data"
    assert found["groups"] == []


def judged(item: str, who: str, flagged: bool, arm: str = "", **more: float) -> Judged:
    return Judged(item, who, arm, flagged, **more)


def test_people_dispute_only_what_they_saw_in_the_same_arm() -> None:
    rows = [judged("1", "a", True), judged("1", "b", False), judged("2", "a", True)]
    rows += [judged("3", "a", True, "x"), judged("3", "b", False, "y")]
    assert [(c.item, c.disputed) for c in differing(rows, "each_other", {}, None)] == [("1", True)]


def test_people_are_set_against_the_model_and_the_outcome() -> None:
    rows = [
        Judged("1", "a", "", True, True, score=0.2),
        Judged("2", "a", "", False, False, score=0.9),
        Judged("3", "a", "", True, False, score=0.9),
    ]
    assert {c.item for c in differing(rows, "outcome", {}, None) if c.disputed} == {"3"}
    assert {c.item for c in differing(rows, "model", {}, 0.5) if c.disputed} == {"1", "2"}
    found = with_the_model(rows, 0.5)
    assert [found[k] for k in ("both_fraud", "only_person", "only_model", "neither")] == [1, 1, 1, 0]
    assert (found["person_right_when_they_differ"]["value"], found["same"]["n"]) == (1.0, 3)
    assert with_the_model(rows, None)["same"]["value"] is None


def shift(
    reviewer: str, n: int, *, start: datetime = MORNING, slower: float = 1.0, tiring: float = 0.0
) -> list[Worked]:
    rng = np.random.default_rng(n + ord(reviewer[-1]))
    found, at = [], start
    for i in range(n):
        kind = ("easy", "hard")[i % 2]
        usual = 20 if kind == "easy" else 60
        seconds = usual * slower * float(np.exp(rng.normal(0, 0.2) - tiring * i / 10))
        at += timedelta(seconds=seconds + 3)
        found.append(Worked(reviewer, f"{reviewer}{i}", at, seconds, i % 5 == 0, (kind,), fraud=i % 7 == 0))
    return found


def test_a_pause_of_half_an_hour_begins_a_new_shift() -> None:
    two = shift("a", 5) + shift("a", 5, start=MORNING + timedelta(hours=2))
    found = in_shifts(two)
    assert [(one.shift, one.position) for one in found] == [(s, p) for s in (0, 1) for p in range(1, 6)]
    assert all(a.work.given_at < b.work.given_at for a, b in pairwise(found))


def test_harder_cases_do_not_make_somebody_slow() -> None:
    quick, slow = shift("a", 60), shift("b", 60, slower=1.5)
    hard = [one for one in shift("c", 120) if one.mix == ("hard",)]
    everybody = quick + slow + hard
    assert person_pace(everybody, "b")["seconds"]["ratio"] == pytest.approx(1.4, abs=0.15)
    mine = person_pace(everybody, "c")["seconds"]
    assert mine["median"] > 50
    assert mine["low"] < mine["ratio"] < 1.1


def test_getting_quicker_along_a_shift_is_told_with_its_size() -> None:
    found = pace_report(shift("a", 90, tiring=0.05) + shift("b", 90, tiring=0.05))
    assert found["trend"]["factor_per_ten"] == pytest.approx(0.95, abs=0.02)
    assert found["sentence"].startswith("Verdicts get quicker along a shift")
    assert [row["from"] for row in found["by_position"]] == [1, 11, 26, 51]
    assert (
        pace_report(shift("a", 90))["sentence"] == "Pace does not change along a shift by more than chance."
    )
    assert pace_report([])["n"] == 0


def test_a_run_is_odd_only_where_shuffling_hardly_makes_it() -> None:
    rare = [i % 25 == 24 for i in range(100)]
    assert identical([rare])["chance"] > 0.5  # 24 dismissals on end, as fraud is rare
    bunched = [True] * 20 + [False] * 20
    assert identical([bunched])["chance"] < 0.01
    assert identical([[True, False]]) == {"n": 2, "longest": 1, "usual": None, "chance": None}
    assert longest(np.array([[1, 1, 0, 0, 0, 1]])).tolist() == [3]


def test_one_person_alone_is_measured_against_all_there_is() -> None:
    found = person_pace(shift("a", 40), "a")
    assert found["seconds"]["ratio"] == pytest.approx(1.0, abs=0.05)
    assert found["runs"]["sentence"].startswith("The longest run of identical verdicts in a shift is")
    assert person_pace(shift("a", 40), "nobody")["seconds"]["n"] == 0


def test_a_break_is_suggested_to_who_works_long_without_a_pause_and_to_nobody_else() -> None:
    long, short = shift("a", 160), shift("b", 20)
    after = long[-1].given_at + timedelta(minutes=1)
    assert nudges(long + short, "a", after)[0].startswith("You have worked 1")
    assert nudges(long + short, "b", short[-1].given_at + timedelta(minutes=1)) == []
    assert nudges(long, "a", after + timedelta(minutes=30)) == []


def test_a_run_that_order_does_not_explain_is_mentioned_to_the_person() -> None:
    rows = [replace(one, flagged=i >= 30) for i, one in enumerate(shift("a", 60))]
    (told,) = nudges(rows, "a", rows[-1].given_at)
    assert told.startswith("30 verdicts in a row were the same")
