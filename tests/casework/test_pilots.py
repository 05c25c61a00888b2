"""Does a pilot put the same cases before everybody, blind, change nothing, and tell what a new guideline did?"""

import numpy as np
import pytest
from conftest import START
from review_design import Noting

from casework.cases import dossiers
from casework.cases.dossiers import Guideline
from casework.people.signin import add_user
from casework.quality import ledger_verdicts as of_ledger
from casework.quality.agreement.table import Rating
from casework.quality.consensus.of_ledger import words
from casework.quality.consistency import overlap
from casework.quality.pilots import batches, pages
from casework.quality.pilots.batches import Batch
from casework.quality.pilots.comparison import change, confusions, guideline_change
from casework.review import tasks
from data.errors import ConflictError, InputError, NotFoundError

OLD, NEW = (
    Guideline("g1", "Look at the device.\n"),
    Guideline("g2", "Look at the device.\nCall the customer.\n"),
)
KINDS = ("legitimate", "inconclusive", "confirmed_fraud")


@pytest.fixture
def staffed(house_with):
    """Two analysts and three cases that analyst-1 has settled."""
    house = house_with()
    with house.ledger.writing() as w:
        for name in ("analyst-1", "analyst-2"):
            add_user(w, name, "analyst", "a long password", by="admin", at=house.now)
    for _ in range(3):
        house.case()
        house.judge("analyst-1", "legitimate")
    return house


def opened(house, guideline: Guideline = OLD, **asked) -> str:
    with house.ledger.writing() as w:
        batch = Batch(**{"name": "devices", **asked})
        return batches.open_pilot(w, batch, guideline, house.policy, house.key, "lead-1", house.now)


def test_what_stands_beside_all_its_payments_is_read_at_once(staffed) -> None:
    dossiers.forget()
    batches.read_ahead(staffed.ledger, Batch("devices"), staffed.key, "lead-1", staffed.now)
    with staffed.ledger.writing() as w:
        noting = Noting(w)
        batches.open_pilot(noting, Batch("devices"), OLD, staffed.policy, staffed.key, "lead-1", staffed.now)
    assert (noting.pasts, noting.contents) == (1, 0)
    firsts = staffed.ledger.read("SELECT dossier_id, transaction_seq FROM tasks WHERE kind = 'primary'")
    wanted = [(row["dossier_id"], row["transaction_seq"]) for row in firsts]
    alone = [dossiers.load(staffed.ledger, *each) for each in wanted]
    assert dossiers.load_all(staffed.ledger, wanted) == alone
    assert sorted(len(each["history"]) for each in alone) == [0, 1, 2]


def test_everybody_is_given_every_case_next_and_nothing_of_the_engine(staffed) -> None:
    pilot_id = opened(staffed)
    staffed.case()
    for who in ("analyst-1", "analyst-2"):
        for _ in range(3):
            task = staffed.next(who)
            assert task is not None
            assert (task.kind, task.arm, task.assignee) == ("pilot", "blind_first", who)
            staffed.say(task, "confirmed_fraud" if who == "analyst-1" else "legitimate")
    (row,) = batches.listed(staffed.ledger)
    assert (row["cases"], row["people"], row["asked"], row["answered"]) == (3, 2, 6, 6)
    found = pages.page(staffed.ledger, pilot_id)
    (pair,) = found["report"]["pairs"]
    assert (pair["n"], pair["matrix"]) == (3, [[0, 0, 0], [0, 0, 0], [3, 0, 0]])
    assert len(found["report"]["most_disputed"]) == 3
    assert found["before"] is None


def test_a_pilot_settles_nothing_and_enters_no_figure_of_agreement(staffed) -> None:
    before = staffed.ledger.read("SELECT status, verdict FROM cases ORDER BY case_id")
    opened(staffed)
    staffed.judge("analyst-2", "confirmed_fraud")
    assert staffed.ledger.read("SELECT status, verdict FROM cases ORDER BY case_id") == before
    assert "pilot" not in {r.arm for r in overlap(staffed.ledger, random_only=False)}
    assert len(overlap(staffed.ledger, random_only=False)) == 3
    found = of_ledger.given(staffed.ledger, staffed.now, staffed.policy.labels.maturity)
    assert len(of_ledger.fresh(found)) == 3


def test_a_pilot_changes_no_label_and_nobodys_error_rates(staffed) -> None:
    before = words(staffed.ledger, staffed.now, START)
    opened(staffed)
    staffed.judge("analyst-2", "confirmed_fraud")
    assert words(staffed.ledger, staffed.now, START) == before


def test_a_second_pilot_asks_about_the_same_cases_and_shows_what_changed(staffed) -> None:
    first = opened(staffed, cases=2)
    for who in ("analyst-1", "analyst-2"):
        for _ in range(2):
            staffed.judge(who, "confirmed_fraud" if who == "analyst-1" else "legitimate")
    staffed.later(days=8)
    second = opened(staffed, NEW, follows=first)
    for who in ("analyst-1", "analyst-2"):
        for _ in range(2):
            staffed.judge(who, "legitimate")
    found = pages.page(staffed.ledger, second)
    assert (found["before"]["raw"]["value"], found["report"]["raw"]["value"]) == (0.0, 1.0)
    assert found["change"]["raw"]["difference"] == 1.0
    assert found["change"]["n_cases"] == 2
    assert "+Call the customer." in found["guideline_change"]
    assert found["days_between"] == 8


def test_closing_withdraws_what_nobody_answered(staffed) -> None:
    pilot_id = opened(staffed)
    staffed.judge("analyst-2", "legitimate")
    with staffed.ledger.writing() as w:
        batches.close(w, pilot_id, "lead-1", staffed.now)
        with pytest.raises(ConflictError, match="this pilot is closed already"):
            batches.close(w, pilot_id, "lead-1", staffed.now)
    left = tasks.where(staffed.ledger, "t.kind = 'pilot'", [])
    assert sorted(task.status for task in left) == ["done"] + ["withdrawn"] * 5
    assert staffed.kinds().count("pilot.closed") == 1


@pytest.mark.parametrize(
    ("asked", "problem", "words"),
    [
        ({"name": " "}, InputError, "a pilot needs a name"),
        ({"cases": 0}, InputError, "this many cases"),
        ({"days": 91}, InputError, "1 to 90 days"),
        ({"people": ("nobody",)}, NotFoundError, "there is no such analyst"),
        ({"people": ("analyst-1",)}, ConflictError, "a pilot needs several people"),
        ({"transaction_ids": ("tx-99",)}, NotFoundError, "this payment cannot be part of a pilot"),
        ({"follows": "pilot_0"}, NotFoundError, "there is no such pilot"),
    ],
)
def test_a_pilot_that_cannot_be_is_refused(staffed, asked, problem, words) -> None:
    with pytest.raises(problem, match=words):
        opened(staffed, **asked)


def rounds(n: int, *, agree_before: float, agree_after: float) -> tuple[list[Rating], list[Rating]]:
    rng = np.random.default_rng(6)
    said = []
    for agree in (agree_before, agree_after):
        ratings = []
        for i in range(n):
            case = KINDS[2] if rng.random() < 0.4 else KINDS[0]
            for who in "abcd":
                other = KINDS[0] if case == KINDS[2] else KINDS[2]
                ratings.append(Rating(str(i), who, case if rng.random() < agree else other))
        said.append(ratings)
    return said[0], said[1]


def test_a_change_is_told_with_an_interval_and_only_when_it_is_more_than_chance() -> None:
    found = change(*rounds(60, agree_before=0.7, agree_after=0.95), categories=KINDS)
    assert found["alpha"]["low"] > 0
    assert found["sentence"].startswith("Alpha rose by")
    same = change(*rounds(60, agree_before=0.8, agree_after=0.8), categories=KINDS)
    assert same["alpha"]["low"] < 0 < same["alpha"]["high"]
    assert same["sentence"].endswith("no more than chance could make it.")
    few = change(*rounds(20, agree_before=0.7, agree_after=0.95), categories=KINDS)
    assert few["alpha"]["low"] is None
    assert (
        few["sentence"] == "Insufficient data: 20 cases answered by two people before and after, 30 needed."
    )
    assert change([], [], categories=KINDS)["sentence"] == "Nothing can be said of a change yet."


def test_a_matrix_has_the_first_persons_word_in_its_rows() -> None:
    ratings = [
        Rating("1", "a", "legitimate"),
        Rating("1", "b", "confirmed_fraud"),
        Rating("2", "a", "legitimate"),
    ]
    assert confusions(ratings, KINDS) == [
        {"reviewers": ["a", "b"], "n": 1, "matrix": [[0, 0, 1], [0, 0, 0], [0, 0, 0]]}
    ]
    assert guideline_change("same", "same") == []
