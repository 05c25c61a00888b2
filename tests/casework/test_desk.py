"""Does the memory of open tasks always say what the ledger says, whatever happened in between?"""

import random
from contextlib import suppress
from datetime import timedelta

import orjson
import pytest

from casework.review import handing_out, moves, reviewers, tasks, verdicts
from casework.review.desk import Desk
from casework.review.desk_news import Changes
from casework.review.reviewers import Reviewer
from data.errors import ConflictError
from data.writer import Writer

KEY = bytes(range(32))
PEOPLE = ("ana", "ben", "cy")
KINDS = ("primary", "second", "audit")
SEEDS = pytest.mark.parametrize(
    "seed", [1, 2, 3, *(pytest.param(n, marks=pytest.mark.soak) for n in range(4, 9))]
)


def offers(w: Writer, desk: Desk, house, who: str) -> dict[str, str]:
    desk.catch_up(w)
    place = desk.reviewers.get(who, Reviewer(who))
    return desk.first_of_lanes(place, KINDS, house.policy, house.now)


def do_something(house, w: Writer, luck: random.Random, desk: Desk) -> None:
    who = luck.choice(PEOPLE)
    held = tasks.held_by(w, who, house.now)
    if not held:
        handing_out.take_next(w, who, house.policy, KEY, house.now, desk=desk)
    elif luck.random() < 0.6:
        value = luck.choice(verdicts.VALUES)
        verdicts.give(w, held[0].task_id, who, verdicts.VerdictForm(value), house.policy, house.now)
    elif luck.random() < 0.5:
        tasks.release(w, held[0].task_id, who, "not mine", house.now)
    else:
        moves.snooze(w, held[0].task_id, who, house.now + timedelta(minutes=30), "later", house.now)


@SEEDS
def test_a_memory_that_followed_along_equals_a_fresh_one(house_with, seed: int) -> None:
    house = house_with(second_review=0.5, blind_first=0.5)
    luck, desk = random.Random(seed), Desk()
    for step in range(60):
        if step % 4 == 0:
            house.case(
                amount_minor=luck.randrange(100, 90_000), lane=luck.choice(("uncertain", "money_at_risk"))
            )
        if step % 9 == 0:
            house.audit()
        house.later(minutes=luck.choice((1, 5, 20)))
        try:
            with house.ledger.writing() as w:
                do_something(house, w, luck, desk)
                if luck.random() < 0.2:
                    raise ZeroDivisionError  # the write comes to nothing; the memory has seen it
        except ZeroDivisionError:
            pass
        with house.ledger.writing() as w:
            for who in PEOPLE:
                assert offers(w, desk, house, who) == offers(w, Desk(), house, who), (step, who)


@SEEDS
def test_what_happens_within_one_write_is_followed_too(house_with, seed: int) -> None:
    house = house_with(second_review=0.5, blind_first=0.5)
    luck, desk, rare, taken_back = random.Random(seed), Desk(), Desk(), 0
    for _ in range(12):
        for _ in range(3):
            house.case(amount_minor=luck.randrange(100, 90_000))
        with house.ledger.writing() as w:
            for _ in range(8):
                do_something(house, w, luck, desk)
                taken_back += take_back_sometimes(house, w, luck)
                check_same(w, desk, house)
            check_same(w, rare, house)  # much happened since it looked
        house.later(minutes=luck.choice((1, 5, 20)))
    assert taken_back > 0


def check_same(w: Writer, desk: Desk, house) -> None:
    fresh = Desk()
    for who in PEOPLE:
        assert offers(w, desk, house, who) == offers(w, fresh, house, who), who
        assert desk.held(who, house.now) == fresh.held(who, house.now), who


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ("task.claimed", "claimed"),
        ("task.released task.claimed", "unclear"),
        ("verdict.given task.claimed", "unclear"),
        ("task.claimed draft.saved", "unclear"),
        ("task.claimed verdict.given", "ended"),
        ("verdict.undone verdict.given", "ended"),
        ("verdict.given verdict.undone", "unclear"),
    ],
)
def test_a_task_is_read_anew_unless_the_record_tells_all_of_it(kinds: str, found: str) -> None:
    changes = Changes()
    for kind in kinds.split():
        changes.note("t", {"kind": kind})
    assert [name for name in ("claimed", "ended", "unclear") if "t" in getattr(changes, name)] == [found]


def take_back_sometimes(house, w: Writer, luck: random.Random) -> int:
    """One verdict of those that stand is taken back, as often as not; how many were."""
    rows = w.read(
        "SELECT verdict_id, reviewer FROM verdicts WHERE undone_at IS NULL AND given_at = ?", [house.now]
    )
    if not rows or luck.random() < 0.5:
        return 0
    row = luck.choice(sorted(rows, key=lambda row: row["verdict_id"]))
    with suppress(ConflictError):
        verdicts.undo(w, row["verdict_id"], row["reviewer"], house.policy, house.now)
        return 1
    return 0


def test_the_most_urgent_comes_before_the_most_expected_money(house) -> None:
    old = house.case(amount_minor=100)
    house.later(hours=80)  # of 96: the last quarter
    house.case(amount_minor=90_000)
    task = house.next("ana")
    assert task is not None
    assert task.case_id == old.case_id


def test_whoever_is_in_no_team_gets_nothing_of_a_teams_queue(house) -> None:
    made = house.case()
    with house.ledger.writing() as w:
        w.execute("UPDATE tasks SET queue = 'cross_border' WHERE case_id = ?", [made.case_id])
    assert house.next("ana") is None
    with house.ledger.writing() as w:
        w.execute("INSERT INTO users VALUES ('ana', 'analyst', '', ?, NULL)", [house.now])
        reviewers.place(w, "ana", teams=["cross_border"], languages=[], held_limit=0, by="lead", at=house.now)
    assert house.next("ana") is not None


def of_a_kind(house, rule: str, count: int, priority_from: int) -> None:
    """Open tasks that one rule brought, each on another customer, the dearest first."""
    for n in range(count):
        case = house.case(amount_minor=priority_from - n)
        with house.ledger.writing() as w:
            w.execute(
                "UPDATE tasks SET alike = ?, about = ? WHERE case_id = ?", [rule, f"{rule}{n}", case.case_id]
            )


def handed(house, count: int) -> list[str]:
    """What the tasks resemble that one analyst is handed in a row, each answered at once."""
    found = []
    for _ in range(count):
        task = house.next("analyst-1")
        assert task is not None
        found.append(task.alike)
        house.say(task, "legitimate")
        house.later(seconds=30)
    return found


def test_of_ten_tasks_in_a_row_at_most_three_are_nearly_the_same(house) -> None:
    of_a_kind(house, "burst", 12, priority_from=90_000)
    for n in range(6):
        of_a_kind(house, f"other{n}", 2, priority_from=20_000)
    said = handed(house, 20)
    assert said[:3] == ["burst"] * 3  # the dearest come first
    # Ten other tasks cannot part twelve of a kind for ever, but as long as there are others nobody gets a fourth.
    assert all(said[n : n + 10].count("burst") <= 3 for n in range(9))


def test_where_only_alike_tasks_are_left_they_are_handed_out_all_the_same(house) -> None:
    of_a_kind(house, "burst", 8, priority_from=90_000)
    assert handed(house, 8) == ["burst"] * 8


def test_a_new_desk_remembers_what_was_handed_out_before(house) -> None:
    of_a_kind(house, "burst", 6, priority_from=90_000)
    of_a_kind(house, "other", 2, priority_from=20_000)
    assert handed(house, 5) == ["burst"] * 3 + ["other"] * 2  # each call has a desk of its own


def test_the_same_entity_is_likeness_too(house) -> None:
    for n in range(5):
        case = house.case(amount_minor=90_000 - n)
        with house.ledger.writing() as w:
            w.execute("UPDATE tasks SET about = 'one', alike = ? WHERE case_id = ?", [f"r{n}", case.case_id])
    of_a_kind(house, "other", 1, priority_from=20_000)
    assert handed(house, 4)[3] == "other"


def test_a_case_knows_its_rules_and_band_and_hides_whose_it_is(house) -> None:
    house.case()
    task = house.next("analyst-1")
    assert task is not None
    assert task.alike == "new_device@5"
    assert task.about.startswith("about_")


def test_a_claim_keeps_the_probability_with_which_its_lane_was_drawn(house) -> None:
    house.case(lane="uncertain")
    house.case(lane="money_at_risk")
    house.next("analyst-1")
    told = house.ledger.read("SELECT payload FROM events WHERE kind = 'task.claimed'")[0]["payload"]
    said = orjson.loads(told)
    share = house.policy.lanes[said["lane"]]
    both = house.policy.lanes["uncertain"] + house.policy.lanes["money_at_risk"]
    assert said["lane_probability"] == pytest.approx(share / both)
