"""Is a changed policy file what was asked for, and otherwise as its author wrote it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.settings.policy_text import changed, proposal
from casework.settings.tuning import Wanted
from data.errors import InputError
from engine.policy import load_policy

TEXT = (Path(__file__).parents[2] / "rules" / "policy.yaml").read_bytes()
POLICY = load_policy(TEXT)


def test_only_the_lines_asked_for_differ_and_comments_stay() -> None:
    wanted = Wanted(review_at=0.05, decline_at=0.4, good_declined_minor=4550, reviews_per_day=25)
    done = changed(TEXT, wanted, POLICY).encode()
    before, after = TEXT.decode().splitlines(), done.decode().splitlines()
    differ = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(differ) == 3
    assert any("good_declined: 45.5 " in line and "#" in line for line in differ)
    policy = load_policy(done)
    assert (policy.thresholds.solve, policy.thresholds.review_at) == (False, 0.05)
    assert (policy.costs.good_declined_minor, policy.capacity.reviews_per_day) == (4550, 25)


def test_the_costs_of_a_segment_are_left_alone() -> None:
    done = load_policy(changed(TEXT, Wanted(good_declined_minor=9900), POLICY).encode())
    own = {name: part.costs.good_declined_minor for name, part in POLICY.segments.items() if part.costs}
    assert own
    assert {n: p.costs.good_declined_minor for n, p in done.segments.items() if p.costs} == own


def test_a_value_over_two_lines_is_left_to_a_person_with_the_line_to_paste() -> None:
    block = TEXT.replace(b"thresholds: {solve: expected_cost}", b"thresholds:\n  solve: expected_cost")
    assert b"thresholds:\n" in block
    found = proposal(block, Wanted(review_at=0.1, decline_at=0.2), POLICY)
    assert found == {"yaml": "thresholds: {review_at: 0.1, decline_at: 0.2}", "files": None}


def test_what_is_not_there_is_refused_rather_than_guessed() -> None:
    with pytest.raises(InputError, match="reviews_per_day"):
        changed(TEXT.replace(b"reviews_per_day", b"#"), Wanted(reviews_per_day=5), POLICY)


def test_nothing_asked_for_is_nothing_to_propose() -> None:
    assert proposal(TEXT, Wanted(), POLICY) == {"yaml": "", "files": None}


def test_a_comment_that_reads_like_a_key_is_no_place_for_its_value() -> None:
    note = b"\ncosts:    # review: below\n  # review: what half a minute of a person costs\n"
    done = changed(TEXT.replace(b"\ncosts:\n", note), Wanted(review_minor=999), POLICY)
    assert note.decode() in done
    assert load_policy(done.encode()).costs.review_minor == 999


@pytest.mark.parametrize(
    "own", ["costs: {good_declined: 20}", "thresholds: {review_at: 0.3, decline_at: 0.8}"]
)
def test_what_the_default_segment_lacks_beside_settings_of_its_own_is_written_there(own: str) -> None:
    text = TEXT.replace(b"on_timeout: approve}", f"on_timeout: approve, {own}}}".encode())
    before, wanted = load_policy(text), Wanted(review_at=0.1, decline_at=0.5, review_minor=250)
    done = load_policy(changed(text, wanted, before).encode())
    here = done.segment()
    assert here.thresholds and (here.thresholds.review_at, here.thresholds.decline_at) == (0.1, 0.5)
    assert here.costs and here.costs.review_minor == 250
    assert (done.costs, done.thresholds) == (before.costs, before.thresholds)  # those that others go by
    others = [name for name in before.segments if name != "default"]
    assert [done.segments[name] for name in others] == [before.segments[name] for name in others]


def test_a_default_segment_in_lines_of_its_own_gets_the_lines_to_paste() -> None:
    flow = b"default: {autonomy: on_the_loop, review_holds_payment: true, deadline: 96h, on_timeout: approve}"
    rows = [*flow[10:-1].split(b", "), b"costs: {good_declined: 20}"]
    text = TEXT.replace(flow, b"default:\n    " + b"\n    ".join(rows))
    found = proposal(text, Wanted(review_at=0.1, decline_at=0.2), load_policy(text))
    cuts = "thresholds: {review_at: 0.1, decline_at: 0.2}"
    assert found == {"yaml": f"segments:\n  default:\n    {cuts}", "files": None}
