"""Does a campaign say of all payments what its weighed sample says, corrected for the errors of reviewers?"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import policy

from casework.learning.campaigns import campaigns
from casework.learning.campaigns.campaign_results import _estimate
from data.errors import ConflictError
from engine import templates


def test_a_rare_fraud_is_estimated_by_its_weight_and_not_as_one_of_so_many() -> None:
    judged = [{"value": "confirmed_fraud", "probability": 1 / 7}]
    judged += [{"value": "legitimate", "probability": 0.1}] * 59
    asked = policy()
    found = _estimate(
        judged, replace(asked, reviewer=replace(asked.reviewer, recall=1, false_positive_rate=0))
    )
    assert found is not None
    assert found.value == pytest.approx(7 / 597)
    assert found.low < found.value < found.high
    assert found.n == 60


def test_a_campaign_whose_lane_has_no_share_is_refused_before_it_waits_unread() -> None:
    lanes = {**policy().lanes, "campaign": 0.0}
    app = SimpleNamespace(
        live=SimpleNamespace(settings=SimpleNamespace(policy=replace(policy(), lanes=lanes)))
    )
    with pytest.raises(ConflictError, match="the lane campaign has no share") as refused:
        campaigns.launch(app, campaigns.Design("first labels", "random", 5), by="team-lead-1")  # type: ignore[arg-type]
    assert "lanes" in str(refused.value.where) and refused.value.hint


def test_what_a_new_workspace_starts_from_gives_campaigns_a_share() -> None:
    made = (Path(templates.__file__).parent / "policy.yaml").read_text()
    (lanes,) = [line for line in made.splitlines() if line.startswith("lanes:")]
    assert "campaign: 0.05}" in lanes
