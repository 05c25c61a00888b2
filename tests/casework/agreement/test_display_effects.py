"""Does the automation-bias report find effects that are there, and only those?"""

import numpy as np
import pytest

from casework.quality.agreement.against_truth import Judged
from casework.quality.display.contrast import Shown, contrast
from casework.quality.display.report import display_report, equal_rate_threshold
from casework.quality.display.revealed import Reveal, after_reveal
from casework.quality.display.screens import screens_of


def verdicts(n: int, *, pull: float, by_item: bool = True, seed: int = 3) -> list[Judged]:
    """n items judged by three people; in the arm `score` a verdict is the model's side with probability `pull`."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(n):
        fraud, score = bool(rng.random() < 0.3), float(rng.random())
        arm = ("no score", "score")[i % 2]
        for who in "abc":
            shown = arm if by_item else ("no score", "score")[int(rng.integers(2))]
            own = bool(rng.random() < (0.6 if fraud else 0.25))
            follows = shown == "score" and rng.random() < pull
            seconds = 30.0 * (0.7 if shown == "score" else 1.0) * float(np.exp(rng.normal(0, 0.5)))
            found.append(
                Judged(
                    str(i), who, shown, score >= 0.5 if follows else own, fraud, seconds=seconds, score=score
                )
            )
    return found


def effect(report: dict, measure: str) -> dict:
    return next(one for one in report["effects"] if one["measure"] == measure)


@pytest.mark.parametrize("by_item", [True, False], ids=["arm by item", "arm by verdict"])
def test_a_pull_towards_the_model_is_found_where_it_is_wrong_too(by_item: bool) -> None:
    report = display_report(verdicts(400, pull=0.5, by_item=by_item), threshold=0.5)
    followed = effect(report, "follows_wrong_model")
    assert followed["difference"] > 0.1
    assert 0 < followed["low"] < followed["difference"] < followed["high"]
    assert followed["p_adjusted"] < 0.05
    assert followed["permuted"] == ("items" if by_item else "verdicts of each reviewer")
    faster = effect(report, "seconds")
    assert (round(faster["difference"], 1), faster["difference_is"]) == (0.7, "ratio")
    assert faster["high"] < 1
    assert "following the model where it is wrong goes from" in report["sentence"]


def test_without_a_pull_nothing_is_claimed() -> None:
    told = verdicts(300, pull=0.0)
    same_pace = [Judged(j.item, j.reviewer, j.arm, j.flagged, j.fraud, score=j.score) for j in told]
    report = display_report(same_pace, threshold=0.5)
    assert report["sentence"] == "No difference between the displays is larger than chance could make it."


def test_verdicts_that_hang_together_by_item_make_the_interval_wider() -> None:
    rng = np.random.default_rng(1)
    of_item = rng.random(200) < 0.4
    value = np.repeat(of_item, 5).astype(float)
    side, item = np.repeat(np.arange(200) % 2, 5), np.repeat(np.arange(200), 5)
    together = contrast(Shown(value, side, item, np.zeros(1000, dtype=np.int64)))
    apart = contrast(Shown(value, side, np.arange(1000), np.zeros(1000, dtype=np.int64)))
    assert together["high"] - together["low"] > 1.8 * (apart["high"] - apart["low"])


def test_few_verdicts_on_a_side_are_insufficient() -> None:
    one = Shown(np.ones(40), np.array([0] * 35 + [1] * 5), np.arange(40), np.zeros(40, dtype=np.int64))
    assert contrast(one) | {"without": 0, "with": 0} == {
        "without": 0, "with": 0, "difference": 0.0, "low": None, "high": None, "p": None, "state": "insufficient data"
    }  # fmt: skip


def test_the_cut_asks_the_model_for_as_many_alarms_as_people_raised() -> None:
    rows = [Judged(str(i), "a", "", i < 2, score=i / 10) for i in range(10)]
    assert equal_rate_threshold(rows) == 0.8
    assert equal_rate_threshold([Judged("1", "a", "", True)]) is None


def test_arms_are_told_apart_by_what_they_show() -> None:
    arms = ("Control (No Scores)", "Control (Scores)", "LIME", "SHAP")
    found = screens_of([Judged("1", "a", arm, True) for arm in arms])
    assert (found.blind, found.scored, found.explained) == (*arms[:2], arms[2:])
    assert [name for name, _, _ in found.contrasts()] == ["score", "explanation"]
    ledger = screens_of([Judged("1", "a", arm, True) for arm in ("blind_first", "score_shown")])
    assert (ledger.blind, ledger.scored) == ("blind_first", "score_shown")
    assert screens_of([Judged("1", "a", "x", True)]).contrasts() == []


def test_after_the_reveal_giving_in_is_told_by_whether_the_model_was_right() -> None:
    said = [
        Reveal("1", "a", before=False, after=True, model=True, fraud=True),
        Reveal("2", "a", before=False, after=False, model=True, fraud=True),
        Reveal("3", "a", before=True, after=False, model=False, fraud=True),
        Reveal("4", "a", before=True, after=True, model=True, fraud=None),
    ]
    found = after_reveal(said)
    assert (found["n"], found["changed"]["value"]) == (4, 0.5)
    assert (found["gave_in_model_right"]["value"], found["gave_in_model_right"]["n"]) == (0.5, 2)
    assert (found["gave_in_model_wrong"]["value"], found["gave_in_model_wrong"]["n"]) == (1.0, 1)
    assert (found["mended"], found["spoiled"], found["p"]) == (1, 1, 1.0)
    assert after_reveal([])["changed"]["value"] is None
