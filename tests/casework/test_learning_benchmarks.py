"""Do the learning benchmarks ask, label, count and compare as they say?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.learning import __main__ as command
from benchmarks.learning import newcomer, twelve
from benchmarks.learning.asking import EVENLY, TOP, Split, ask
from benchmarks.learning.people import Case, Record, Team, evidence, single_verdicts
from benchmarks.learning.seeds import each, paired
from benchmarks.learning.weekly import policy, sampled
from benchmarks.learning.worlds import DAY_US, FIRST_DAY, World
from data.simulator import PROFILES

SPLIT = Split("some of each", uncertain=0.3, audit=0.1)


@pytest.fixture(scope="module")
def world() -> World:
    """Sixty days of twenty payments by ten customers, every tenth fraud."""
    n = 1_200
    start = int(FIRST_DAY.timestamp() * 1e6)
    rng = np.random.default_rng(1)
    return World(
        names=("one", "two"),
        matrix=rng.random((n, 2)).astype(np.float32),
        fraud=np.arange(n) % 10 == 0,
        scenario=np.where(np.arange(n) % 10 == 0, 1 + np.arange(n) // 10 % 3, 0),
        amount_minor=np.full(n, 1_000.0),
        occurred_us=start + np.arange(n) // 20 * DAY_US,
        customer=np.arange(n) % 10,
    )


def scores() -> tuple[np.ndarray, np.ndarray]:
    p = np.random.default_rng(3).random(1_000)
    return np.log(p / (1 - p)), p


def test_the_budget_is_spent_to_the_last_review_and_on_nobody_twice() -> None:
    asked = ask(*scores(), SPLIT, 100, np.random.default_rng(1))
    assert len(asked.rows) == len(set(asked.rows.tolist())) == 100
    assert np.bincount(asked.lane).tolist() == [60, 30, 10]


def test_the_highest_scores_are_asked_about_first() -> None:
    margin, p = scores()
    asked = ask(margin, p, TOP, 50, np.random.default_rng(1))
    assert set(asked.rows) == set(np.argsort(-margin)[:50])
    assert (asked.probability == 1.0).all()


def test_what_the_uncertain_lane_cannot_use_goes_to_the_highest_scores() -> None:
    margin, p = np.arange(500.0), np.repeat([0.001, 0.999], 250)
    asked = ask(margin, p, SPLIT, 100, np.random.default_rng(1))
    assert np.bincount(asked.lane, minlength=3).tolist() == [90, 0, 10]


def test_even_draws_carry_the_probability_with_which_they_were_drawn() -> None:
    asked = ask(*scores(), EVENLY, 100, np.random.default_rng(1))
    assert asked.probability == pytest.approx(np.full(100, 0.1))


def test_uncertain_payments_lie_between_the_bounds() -> None:
    margin, p = scores()
    asked = ask(margin, p, Split("unsure", uncertain=0.5, low=0.2, high=0.4), 100, np.random.default_rng(1))
    drawn = p[asked.rows[asked.lane == 1]]
    assert len(drawn) == 50
    assert drawn.min() > 0.2
    assert drawn.max() < 0.4


def test_paired_differences_cancel_what_both_arms_share() -> None:
    base = np.linspace(0, 1, 12)
    found = paired(base.tolist(), (base + 0.01).tolist())
    assert found.mean == pytest.approx(0.01)
    assert found.low == pytest.approx(0.01)
    assert found.above == found.seeds == 12


def test_the_interval_of_a_mean_is_students() -> None:
    found = paired([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert (found.low, found.high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


def test_a_run_that_was_cut_goes_on_where_it_stopped(tmp_path: Path) -> None:
    ran: list[int] = []

    def run(seed: int, arm: str) -> dict[str, int]:
        ran.append(seed)
        return {"seed": seed}

    each(tmp_path / "kept.json", [1, 2], ["a"], run)
    found = each(tmp_path / "kept.json", [1, 2, 3], ["a"], run)
    assert ran == [1, 2, 3]
    assert [one["seed"] for one in found["a"]] == [1, 2, 3]


def test_days_until_a_new_fraud_is_caught_count_from_its_first_payment() -> None:
    there = np.array([0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    caught = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    assert newcomer.days_until_first(there, caught) == 3
    assert newcomer.days_until_half(there, caught) == 11
    assert newcomer.days_until_first(there, caught * 0) == newcomer.LATEST


def test_every_scenario_meets_every_window() -> None:
    met = {(newcomer.scenario(seed), newcomer.first_week(seed)) for seed in range(9)}
    assert len(met) == 9


def test_one_verdict_as_truth_believes_the_first_word(world: World) -> None:
    record = Record(np.array([], dtype=np.int64))
    record.cases = [Case(5, "money_at_risk", 40, [("a", "confirmed_fraud"), ("b", "legitimate")])]
    found = single_verdicts(record, world, 10)
    assert (found.rows.tolist(), found.fraud.tolist(), found.weight.tolist()) == ([5], [True], [1.0])


def test_an_outcome_outranks_a_verdict_and_a_dispute_between_reviewers_is_no_label(world: World) -> None:
    record = Record(np.array([], dtype=np.int64))
    words = {"missed": [("a", "legitimate")], "disputed": [("a", "confirmed_fraud"), ("b", "legitimate")]}
    record.cases = [
        Case(10, "money_at_risk", 1, words["missed"]),
        Case(25, "money_at_risk", 1, words["disputed"]),
    ]
    record.cases += [
        Case(row, "audit", 1, [("a", "legitimate"), ("b", "legitimate")]) for row in range(31, 36)
    ]
    found = evidence(record, world, policy(), 40, 10)
    of = dict(zip(found.rows.tolist(), zip(found.fraud, found.source, strict=True), strict=True))
    assert of[10] == (True, "outcome")
    assert 25 not in of


def test_void_verdicts_teach_nothing(world: World) -> None:
    record = Record(np.array([], dtype=np.int64), [Case(5, "uncertain", 40, [("a", "legitimate")])])
    record.voided.append(range(35, 42))
    assert not len(single_verdicts(record, world, 10).rows)


def test_in_a_turned_week_every_verdict_is_the_wrong_way_round() -> None:
    straight, turned = Team(7), Team(7, turned=range(10, 17))
    said = [straight.word(1, f"case {n}", n % 2 == 0, None, 12)[1] for n in range(40)]
    other = [turned.word(1, f"case {n}", n % 2 == 0, None, 12)[1] for n in range(40)]
    swap = {"confirmed_fraud": "legitimate", "legitimate": "confirmed_fraud", "inconclusive": "inconclusive"}
    assert other == [swap[value] for value in said]
    assert turned.word(1, "case", True, None, 17) == straight.word(1, "case", True, None, 17)


def test_corrupt_reviewers_come_first_and_the_rest_are_as_real_ones() -> None:
    team = Team(7, corrupt=2)
    kinds = [team.analyst(n).profile for n in range(10)]
    assert kinds == [PROFILES["corrupt"]] * 2 + [PROFILES["real"]] * 8


def test_a_seed_keeps_half_of_the_customers(world: World) -> None:
    assert len(np.unique(sampled(world, 3).customer)) == 5
    assert set(sampled(world, 3).customer) != set(sampled(world, 4).customer)


def test_a_step_counts_as_worse_only_beyond_chance_over_all_weeks() -> None:
    barely = {"step": -0.021, "step_low": -0.041, "step_high": -0.001}
    assert twelve.significantly_worse(barely, 1)
    assert not twelve.significantly_worse(barely, 12)
    assert twelve.significantly_worse({"step": -0.04, "step_low": -0.06, "step_high": -0.02}, 12)
    assert not twelve.significantly_worse({}, 12)


def test_weeks_of_a_world_begin_at_its_first_day(world: World) -> None:
    assert world.week(1).tolist() == list(range(140, 280))
    assert datetime(2018, 4, 1, tzinfo=UTC) == FIRST_DAY


def test_without_the_data_the_command_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["budget", "--data", str(tmp_path / "none.parquet")]) == 2
    assert "give the path with --data" in capsys.readouterr().out


def test_an_unknown_name_is_misuse() -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["nothing"])
    assert ended.value.code == 2
