"""Does a campaign say of all payments what its weighed sample says, corrected for the errors of reviewers?"""

from dataclasses import replace

import pytest
from conftest import policy

from casework.learning.campaigns.campaign_results import _estimate


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
