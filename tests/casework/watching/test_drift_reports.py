"""Is drift found where it is, left alone where it is not, and answered by wider reviews?"""

from dataclasses import replace
from datetime import timedelta

from casework.safety import alarms
from casework.watching import drift, reports, widening
from engine.decision import Outcome
from engine.features.feature_set import FeatureSpec

FEATURES = (
    FeatureSpec("amount_minor", "value", "money", "integer", "amount of this payment"),
    FeatureSpec("customer_txn_count_1d", "count", "count", "integer", "payments of this customer, last day"),
    FeatureSpec("device_age", "attribute", "seconds", "number", "time since the device was first seen"),
    FeatureSpec(
        "known_for", "seconds_since_first", "seconds", "number", "time since the customer was first seen"
    ),
)


def examined(house):
    found = drift.examine(house.ledger, FEATURES, house.policy, house.now)
    assert found is not None
    return found


def stored(house, found):
    with house.ledger.writing() as w:
        return reports.store(w, found, house.policy, house.now, by="scheduler")


def test_five_quiet_weeks_are_stable_and_nothing_is_raised(house, weeks) -> None:
    weeks()
    found = examined(house)
    assert found["level"] == "stable"
    assert found["sentence"] == "Nothing has moved beyond what chance explains."
    assert found["left_out"] == ["known_for"]  # it grows by itself, so it is never compared
    assert stored(house, found) == []
    assert alarms.listed(house.ledger) == []


def test_amounts_three_times_as_high_raise_an_alarm_in_their_segment_and_widen_its_reviews(
    house, weeks
) -> None:
    weeks(shift=3.0)
    found = examined(house)
    assert [each["name"] for each in found["inputs"] if each["level"] == "alarm"] == ["amount_minor"]
    assert stored(house, found) == ["default"]
    assert [(a["kind"], a["subject"]) for a in alarms.listed(house.ledger)] == [("drift", "default")]
    wide = widening.in_force(house.ledger)
    assert [(w.segment, w.factor, w.expires) for w in wide] == [
        ("default", 0.5, house.now + timedelta(days=7))
    ]
    assert wide[0].why.startswith("Since ")
    assert "amount of this payment (PSI " in wide[0].why
    last = reports.latest(house.ledger)
    assert last is not None
    assert (last["level"], last["widened"]) == ("alarm", ["default"])
    assert reports.table(house.ledger)[0]["drifted"] == ["amount_minor"]


def test_a_second_look_neither_widens_nor_alarms_twice(house, weeks) -> None:
    weeks(shift=3.0)
    found = examined(house)
    stored(house, found)
    house.later(hours=1)
    assert stored(house, found) == []
    assert len(alarms.listed(house.ledger)) == 1


def test_an_input_that_goes_missing_is_told_as_missing(house, weeks) -> None:
    weeks(recent={"device_age": None})
    found = examined(house)
    assert "time since the device was first seen (missing in 100 % instead of 0 %)" in found["sentence"]


def test_only_the_segment_whose_inputs_moved_is_widened(house, weeks) -> None:
    weeks()
    found = examined(house)
    assert {s["segment"] for s in found["segments"]} == {"default"}
    quiet = {**found["segments"][0], "segment": "large", "inputs_drifted": False}
    moved = {**found["segments"][0], "level": "alarm", "inputs_drifted": True, "sentence": "Since then."}
    assert stored(house, {**found, "segments": [quiet, moved]}) == ["default"]


def test_nobody_is_asked_more_where_the_policy_has_nobody_look(house, weeks) -> None:
    segment = replace(house.policy.segment(), autonomy="automatic")
    house.policy = replace(house.policy, segments={"default": segment})
    weeks(shift=3.0)
    assert stored(house, examined(house)) == []
    assert len(alarms.listed(house.ledger)) == 1


def test_another_mix_of_answers_is_an_alarm_but_no_reason_to_look_at_more(house, weeks) -> None:
    weeks(recent={"outcome": Outcome.DECLINE})
    found = examined(house)
    assert found["segments"][0]["level"] == "alarm"
    assert (
        found["segments"][0]["inputs_drifted"] is False
    )  # answers moved, inputs did not: reviews stay as they are
    assert stored(house, found) == []
    assert found["volume"]["level"] == "stable"
    assert found["volume"]["per_day_now"] == 40.0


def test_ending_a_widening_ends_it_from_then_on(house, weeks) -> None:
    weeks(shift=3.0)
    stored(house, examined(house))
    with house.ledger.writing() as w:
        assert widening.end(w, "default", "a campaign of the shop", by="risk-1", at=house.now)
        assert not widening.end(w, "default", "again", by="risk-1", at=house.now)
    assert widening.table(house.ledger, house.now)[0]["in_force"] is False


def test_too_few_decisions_are_no_report(house) -> None:
    assert drift.examine(house.ledger, FEATURES, house.policy, house.now) is None
