"""Do simulated analysts err as real ones do, and differ as their profiles say?

The ranges for `real` are measured on 3,463 published reviews by three professional fraud analysts.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.simulator import PROFILES, TYPOLOGIES, Judgement, SimulatedAnalyst, case_difficulty

CASES = 5_000
FRAUD_SHARE = 0.15


def reviews(profile: str, seed: int, *, shown: bool = True, cases: int = CASES) -> pd.DataFrame:
    """One row per case and analyst, of three analysts; the score on the screen is calibrated and mediocre."""
    rng = np.random.default_rng(seed)
    score = rng.beta(0.6, 3.4, cases)
    fraud = rng.random(cases) < score
    analysts = [SimulatedAnalyst.named(f"analyst-{n}", profile, seed) for n in (1, 2, 3)]
    rows = []
    for case in range(cases):
        for analyst in analysts:
            cue = float(score[case]) if shown else None
            said = analyst.judge(f"case-{case}", fraud=bool(fraud[case]), cue=cue, typology="card_testing")
            rows.append(
                (
                    case,
                    analyst.reviewer,
                    fraud[case],
                    said.value,
                    said.confidence,
                    said.seconds,
                    said.typology,
                )
            )
    columns = ["case", "reviewer", "fraud", "value", "confidence", "seconds", "typology"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(flagged=table["value"] != "legitimate")


def pairwise(table: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Raw agreement and Cohen's kappa of each pair of analysts."""
    votes = table.pivot(index="case", columns="reviewer", values="flagged")
    raw, kappa = [], []
    for one, other in combinations(votes, 2):
        a, b = votes[one], votes[other]
        expected = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        raw.append(float((a == b).mean()))
        kappa.append((raw[-1] - expected) / (1 - expected))
    return raw, kappa


def recall(table: pd.DataFrame) -> pd.Series:
    frauds = table[table["fraud"]]
    return frauds["flagged"].groupby(frauds["reviewer"]).mean()


def false_positive_rate(table: pd.DataFrame) -> float:
    return float(table.loc[~table["fraud"], "flagged"].mean())


@pytest.fixture(scope="module", params=[1, 2, 3, 4])
def real(request: pytest.FixtureRequest) -> pd.DataFrame:
    return reviews("real", request.param)


@pytest.fixture(scope="module")
def blind() -> pd.DataFrame:
    return reviews("real", 1, shown=False)


def test_real_analysts_reach_agreement_kappa_and_recall_at_once(real: pd.DataFrame) -> None:
    raw, kappa = pairwise(real)
    assert real["fraud"].mean() == pytest.approx(FRAUD_SHARE, abs=0.02)
    assert all(0.71 <= r <= 0.79 for r in raw)
    assert all(0.12 <= k <= 0.24 for k in kappa)
    assert recall(real).between(0.29, 0.51).all()


def test_real_analysts_are_right_as_often_as_they_are_sure(real: pd.DataFrame) -> None:
    right = (real["flagged"] == real["fraud"]).groupby(real["confidence"]).mean()
    assert right["certain"] == pytest.approx(0.886, abs=0.04)
    assert right["high"] == pytest.approx(0.786, abs=0.04)
    assert right["medium"] == pytest.approx(0.703, abs=0.07)
    assert right["low"] == pytest.approx(0.681, abs=0.12)


def test_votes_of_three_say_little_about_the_truth(real: pd.DataFrame) -> None:
    fraud = real.groupby("case")["fraud"].first()
    share = fraud.groupby(real.groupby("case")["flagged"].sum()).mean()
    assert 0.04 < share[0] < 0.10
    assert 0.25 < share[2] < 0.5
    assert 0.5 < share[3] < 0.8


def test_a_score_on_the_screen_lowers_false_alarms_and_seconds(blind: pd.DataFrame) -> None:
    shown = reviews("real", 1)
    assert false_positive_rate(shown) < false_positive_rate(blind) - 0.04
    assert 0.10 < false_positive_rate(shown) < 0.16
    assert shown["seconds"].median() < 0.85 * blind["seconds"].median()


def test_blind_analysts_find_somewhat_more_and_agree_as_little(blind: pd.DataFrame) -> None:
    _, kappa = pairwise(blind)
    assert recall(blind).between(0.36, 0.54).all()
    assert 0.12 < np.mean(kappa) < 0.24


def test_doubt_takes_time(real: pd.DataFrame) -> None:
    seconds = real.groupby("confidence")["seconds"].median()
    assert seconds["certain"] < seconds["high"] < seconds["medium"] < seconds["low"]
    assert real["seconds"].min() >= 1


def test_analysts_agree_because_some_cases_mislead_everyone(blind: pd.DataFrame) -> None:
    alone = replace(PROFILES["real"], shared=0.0)
    rng = np.random.default_rng(1)
    fraud = rng.random(CASES) < FRAUD_SHARE
    votes = [
        [a.judge(f"case-{n}", fraud=bool(fraud[n])).value != "legitimate" for n in range(CASES)]
        for a in (SimulatedAnalyst("analyst-1", alone, 1), SimulatedAnalyst("analyst-2", alone, 1))
    ]
    honest = ~fraud
    independent = np.corrcoef(votes[0], votes[1])[0, 1]
    together = np.mean(pairwise(blind)[1])
    assert abs(np.corrcoef(np.array(votes[0])[honest], np.array(votes[1])[honest])[0, 1]) < 0.06
    assert independent < together - 0.05


def test_a_judgement_depends_on_its_key_and_on_nothing_else() -> None:
    analyst = SimulatedAnalyst("analyst-1")
    first = analyst.judge("case-9", fraud=True, cue=0.4, typology="card_testing")
    analyst.judge("case-10", fraud=False)
    assert (
        SimulatedAnalyst("analyst-1").judge("case-9", fraud=True, cue=0.4, typology="card_testing") == first
    )


def test_another_seed_or_reviewer_judges_otherwise() -> None:
    def answers(analyst: SimulatedAnalyst) -> list[Judgement]:
        return [analyst.judge(f"case-{n}", fraud=False) for n in range(20)]

    base = answers(SimulatedAnalyst("analyst-1"))
    assert answers(SimulatedAnalyst("analyst-2")) != base
    assert answers(SimulatedAnalyst("analyst-1", seed=8)) != base


def test_the_same_person_agrees_with_an_earlier_self_more_than_with_others() -> None:
    one, other = SimulatedAnalyst("analyst-1"), SimulatedAnalyst("analyst-2")
    flags = np.array(
        [
            [
                said.value != "legitimate"
                for said in (
                    one.judge(f"case-{n}", fraud=False),
                    one.judge(f"case-{n}", fraud=False, occasion=1),
                    other.judge(f"case-{n}", fraud=False),
                )
            ]
            for n in range(CASES)
        ]
    )
    again, between = np.corrcoef(flags[:, 0], flags[:, 1])[0, 1], np.corrcoef(flags[:, 0], flags[:, 2])[0, 1]
    assert between + 0.1 < again < 0.95


def test_difficulty_is_even_over_cases_and_stable() -> None:
    values = np.array([case_difficulty(7, f"case-{n}") for n in range(2_000)])
    assert case_difficulty(7, "case-0") == values[0]
    assert np.quantile(values, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.04)


def test_hard_cases_mislead() -> None:
    analyst = SimulatedAnalyst("analyst-1")
    frauds = [f"case-{n}" for n in range(800)]
    easy = np.mean([analyst.judge(c, fraud=True, difficulty=0.1).value != "legitimate" for c in frauds])
    hard = np.mean([analyst.judge(c, fraud=True, difficulty=0.9).value != "legitimate" for c in frauds])
    assert easy > hard + 0.25


def test_better_analysts_find_most_fraud_with_few_false_alarms() -> None:
    table = reviews("better", 1, cases=800)
    assert recall(table).min() > 0.65
    assert false_positive_rate(table) < 0.08


def test_lazy_analysts_copy_the_score_in_seconds() -> None:
    table = reviews("lazy", 1, cases=800)
    assert np.mean(pairwise(table)[0]) > 0.9
    assert table["seconds"].median() < 8


def test_corrupt_analysts_clear_frauds_and_are_sure_of_it() -> None:
    table, better = reviews("corrupt", 1, cases=800), reviews("better", 1, cases=800)
    cleared = table[table["fraud"] & ~table["flagged"]]
    assert recall(table).max() < 0.4
    assert (cleared["confidence"].isin(["certain", "high"])).mean() > 0.7
    assert false_positive_rate(table) < false_positive_rate(better) + 0.06


def test_random_analysts_know_nothing() -> None:
    table = reviews("random", 1, cases=1_500)
    assert abs(recall(table).mean() - false_positive_rate(table)) < 0.06
    assert abs(np.mean(pairwise(table)[1])) < 0.06


def test_those_who_always_dismiss_never_confirm() -> None:
    assert set(reviews("always_dismiss", 1, cases=300)["value"]) == {"legitimate"}


def test_a_typology_is_named_with_a_confirmation_and_with_nothing_else(real: pd.DataFrame) -> None:
    confirmed = real["value"] == "confirmed_fraud"
    assert (real.loc[~confirmed, "typology"] == "").all()
    assert set(real.loc[confirmed, "typology"]) <= set(TYPOLOGIES)
    right = real.loc[confirmed & real["fraud"], "typology"] == "card_testing"
    assert 0.55 < right.mean() < 0.8


def test_a_few_cases_stay_inconclusive(real: pd.DataFrame) -> None:
    unsure = real["value"] == "inconclusive"
    assert 0.01 < unsure.mean() < 0.05
    assert set(real.loc[unsure, "confidence"]) <= {"medium", "low"}


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError) as refusal:
        SimulatedAnalyst.named("analyst-1", "brilliant")
    assert str(refusal.value) == (
        "analyst-1: no analyst profile 'brilliant' (allowed: real, better, lazy, corrupt, random, always_dismiss)"
    )
