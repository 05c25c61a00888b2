"""Do the demo's reviewers who look again after deciding first sometimes change their minds, and never too often?"""

from datetime import timedelta

from casework.demo.working import Shift
from dashboards.pieces import words
from data.simulator.analysts import SimulatedAnalyst


def test_a_low_score_makes_a_simulated_reviewer_take_back_some_of_what_was_called_fraud(house_with) -> None:
    house = house_with(blind_first=1.0)
    for _ in range(40):
        house.case(probability=0.01)
    people = {"analyst-3": SimulatedAnalyst.named("analyst-3", "real", 7)}
    shift = Shift(house.ledger, people, {}, house.policy, house.key)
    shift.work(house.now, house.now + timedelta(hours=3))
    rows = house.ledger.read("SELECT was, value FROM revisions")
    assert len(rows) == 40
    said = {row["reason_code"] for row in house.ledger.read("SELECT DISTINCT reason_code FROM verdicts")}
    assert said and said <= set(words.REASON_CODES), "what the form offers, and nothing else"
    changed = [row for row in rows if row["was"] != row["value"]]
    assert 1 <= len(changed) <= 20
    assert {row["was"] for row in changed} <= {"confirmed_fraud", "inconclusive"}
