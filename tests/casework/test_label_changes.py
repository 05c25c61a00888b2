"""Does the comparison of two snapshots name what changed, and why?"""

from datetime import datetime, timedelta

from casework.learning.labels import voiding
from casework.learning.labels.label_changes import Believed, changes
from casework.learning.labels.snapshot import believed_at
from casework.review import verdicts


def believed(house, name: str) -> Believed:
    return Believed(name, house.now, believed_at(house.ledger, house.policy, house.now))


def report(house, seq: int, is_fraud: bool, known_at: datetime, reported_seq: int = 0) -> None:
    told = {"transaction_seq": seq, "is_fraud": is_fraud, "known_at": known_at, "reported_seq": reported_seq}
    with house.ledger.writing() as w:
        w.insert("outcomes", [{**told, "source": "file", "reason_code": "10.4", "recorded_at": known_at}])


def test_the_same_labels_are_no_change(house) -> None:
    house.case()
    house.judge("analyst-1", "legitimate")
    found = changes(house.ledger, believed(house, "a"), believed(house, "b"))
    assert found["counts"] == dict.fromkeys(("added", "removed", "turned", "other_source", "other_weight"), 0)
    assert found["sentence"] == "Both believe the same."


def test_each_change_is_counted_once_with_what_led_to_it(house) -> None:
    turned = house.case()
    house.judge("analyst-1", "legitimate")
    undone = house.case()
    taken_back = house.judge("analyst-1", "legitimate")
    void = house.case()
    careless = house.judge("analyst-2", "confirmed_fraud")
    before = believed(house, "before")
    house.later(minutes=5)
    new = house.case()
    house.judge("analyst-1", "confirmed_fraud")
    with house.ledger.writing() as w:
        verdicts.undo(w, taken_back.verdict_id, "analyst-1", house.policy, house.now)
        voiding.void(w, [careless.verdict_id], "wrong screen", by="lead-1", at=house.now)
    report(house, turned.transaction_seq, True, house.now)
    found = changes(house.ledger, before, believed(house, "after"))
    assert found["counts"] == {"added": 1, "removed": 2, "turned": 1, "other_source": 0, "other_weight": 0}
    assert found["reasons"] == {"fraud reported": 1, "verdict declared void": 1, "verdict undone": 1}
    assert found["by_source"]["turned"] == [{"from": "single_verdict", "to": "outcome", "count": 1}]
    gone = {row["transaction_id"] for row in found["examples"]["removed"]}
    ids = {row["seq"]: row["transaction_id"] for row in house.ledger.read("SELECT * FROM transactions")}
    assert gone == {ids[undone.transaction_seq], ids[void.transaction_seq]}
    assert [row["transaction_id"] for row in found["examples"]["added"]] == [ids[new.transaction_seq]]
    assert found["sentence"] == (
        "Labels: 1 new, 2 gone, 1 turned to the opposite. Gone or turned because: fraud reported (1), "
        "verdict declared void (1), verdict undone (1)."
    )


def test_a_label_that_rests_on_a_stronger_source_is_named_with_its_weights(house) -> None:
    case = house.case()
    house.judge("analyst-1", "confirmed_fraud")
    before = believed(house, "before")
    report(house, case.transaction_seq, True, house.later(days=1))
    found = changes(house.ledger, before, believed(house, "after"))
    assert found["counts"]["other_source"] == 1
    shown = found["examples"]["other_source"][0]
    assert (shown["before"]["weight"], shown["after"]["weight"]) == (0.4, 1.0)
    assert shown["after"]["derivation"] == "outcome weighs 1.00"
    assert house.now - before.as_of == timedelta(days=1)
