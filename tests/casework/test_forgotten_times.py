"""Do figures and stories hold once the policy has forgotten how long people took?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from casework.cases import case_pages
from casework.keeping import retention
from casework.quality import consistency_parts as parts
from casework.quality import ledger_verdicts as of_ledger
from casework.quality.scorecards import own_work
from casework.review.measuring.volumes import USUAL_SECONDS, measured
from casework.watching.asked import asked
from casework.watching.stretches import Stretch


@pytest.fixture
def forgotten(house):
    """One verdict whose time is forgotten, and one an hour later that took half a minute."""
    house.case()
    house.judge("analyst-1", "legitimate")
    cut = house.later(minutes=50)
    retention.forget_telemetry(house.ledger, cut, cut)
    house.case()
    house.judge("analyst-1", "legitimate")
    return house


def whole(house) -> Stretch:
    return Stretch(house.now - timedelta(days=9), house.now + timedelta(minutes=1))


def test_the_pace_of_work_is_that_of_the_times_that_are_left(forgotten) -> None:
    found = of_ledger.given(forgotten.ledger, forgotten.now, forgotten.policy.labels.maturity)
    assert parts.pace(found)["n"] == 1
    own = parts.pace_of(found, "analyst-1", forgotten.now)
    assert (own["seconds"]["n"], own["seconds"]["median"]) == (1, 30.0)


def test_ones_own_work_counts_every_verdict_and_sums_the_times_that_are_left(forgotten) -> None:
    now = own_work.session(forgotten.ledger, "analyst-1", forgotten.now)
    assert (now["n"], now["working_seconds"], now["median_seconds"]) == (2, 30.0, 30.0)
    pace = own_work.pace(forgotten.ledger, "analyst-1", forgotten.now)
    assert (pace["n"], [day["median_seconds"] for day in pace["by_day"]]) == (1, [30.0])


def test_the_digest_has_the_hours_of_the_times_that_are_left(forgotten) -> None:
    (row,) = [row for row in asked(forgotten.ledger, whole(forgotten), forgotten.policy) if row["verdicts"]]
    assert (row["verdicts"], row["hours"]) == (2, 30 / 3600)


def test_the_design_of_reviews_takes_the_times_that_are_left_and_says_where_none_is(forgotten) -> None:
    forgotten.later(minutes=1)
    volumes, _ = measured(forgotten.ledger, forgotten.policy, forgotten.now)
    assert (volumes.reviews, volumes.seconds) == (2.0, 30.0)
    retention.forget_telemetry(forgotten.ledger, forgotten.now, forgotten.now)
    volumes, _ = measured(forgotten.ledger, forgotten.policy, forgotten.now)
    assert (volumes.reviews, volumes.seconds) == (2.0, USUAL_SECONDS)
    assert f"{USUAL_SECONDS:.0f} seconds a review (none on record)" in volumes.assumed


def test_the_story_of_a_case_says_nothing_of_a_time_that_is_forgotten(forgotten) -> None:
    def told(case_id: str) -> list[str]:
        story = case_pages.case_page(forgotten.ledger, case_id, "auditor-1", "auditor")["timeline"]
        return [entry["text"] for entry in story if entry["kind"] == "verdict"]

    cases = forgotten.ledger.read("SELECT case_id FROM cases ORDER BY opened_at")
    assert [told(row["case_id"]) for row in cases] == [
        ["Verdict legitimate."],
        ["Verdict legitimate after 30 s."],
    ]
