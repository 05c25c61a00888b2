"""Is a report worked out once for all who may read it, and anew as soon as somebody has acted?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from casework.changes import Changes
from casework.in_hand import PATIENCE, Going, InHand, Told
from casework.kept_answers import FRESH, KeptAnswers
from casework.serving.refusals import Stopping
from data.events import EventDraft
from data.ledger import Ledger
from tests.ledgers import new_ledger

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with new_ledger(tmp_path_factory.mktemp("kept") / "ledger.duckdb", None, NOW) as made:
        happen(made, "verdict.given", 1500)
        yield made


def happen(ledger: Ledger, kind: str, times: int = 1) -> None:
    with ledger.writing() as w:
        w.events([EventDraft("system", kind, "test", {})] * times, NOW)


@pytest.fixture
def kept(ledger: Ledger) -> KeptAnswers:
    return KeptAnswers(Changes(ledger))


def counting() -> Callable[[], bytes]:
    """Works out how often it was asked to."""
    times = count(1)
    return lambda: b"%d" % next(times)


def test_the_second_who_asks_gets_the_answer_of_the_first(kept: KeptAnswers) -> None:
    work_out = counting()
    assert kept.once("summary", NOW, work_out).body == kept.once("summary", LATER, work_out).body == b"1"
    assert kept.once("summary", LATER, work_out).at == NOW


def test_a_verdict_changes_the_next_answer(kept: KeptAnswers, ledger: Ledger) -> None:
    work_out = counting()
    kept.once("consistency", NOW, work_out)
    happen(ledger, "verdict.given")
    assert kept.once("consistency", LATER, work_out).body == b"2"


def test_payments_that_flow_in_change_it_only_once_they_are_a_thousandth(
    kept: KeptAnswers, ledger: Ledger
) -> None:
    work_out = counting()
    kept.once("summary", NOW, work_out)
    happen(ledger, "transaction.decided")
    assert kept.once("summary", LATER, work_out).body == b"1"
    happen(ledger, "transaction.decided")
    assert kept.once("summary", LATER, work_out).body == b"2"


def test_an_answer_is_given_for_a_minute_at_most(kept: KeptAnswers) -> None:
    work_out = counting()
    kept.once("summary", NOW, work_out)
    assert kept.once("summary", NOW + FRESH, work_out).body == b"1"
    assert kept.once("summary", NOW + FRESH + timedelta(seconds=1), work_out).body == b"2"


def test_two_who_ask_at_once_have_it_worked_out_once(kept: KeptAnswers) -> None:
    made, go_on, answers = [], threading.Event(), []

    def slow() -> bytes:
        made.append(1)
        go_on.wait()
        return b"done"

    askers = [
        threading.Thread(target=lambda: answers.append(kept.once("it", NOW, slow).body)) for _ in range(2)
    ]
    for asker in askers:
        asker.start()
    go_on.set()
    for asker in askers:
        asker.join()
    assert (answers, made) == ([b"done", b"done"], [1])


def test_what_failed_is_tried_anew_by_the_next(kept: KeptAnswers) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept.once("it", NOW, broken)
    assert kept.once("it", NOW, lambda: b"well").body == b"well"


def test_no_more_is_held_than_is_allowed_and_the_oldest_goes_first(ledger: Ledger) -> None:
    kept = KeptAnswers(Changes(ledger), most_bytes=25)
    for name in "abc":
        kept.once(name, NOW, lambda: b"0123456789")
    assert kept.held_bytes == 20
    assert kept.once("c", NOW, lambda: b"new").body == b"0123456789"
    assert kept.once("a", NOW, lambda: b"new").body == b"new"


def test_whoever_asks_what_takes_long_hears_how_far_it_is_and_then_the_answer() -> None:
    hand, told, go_on = InHand(), threading.Event(), threading.Event()

    def work_out(tell: Told) -> str:
        tell("Reading", 0.5)
        told.set()
        go_on.wait()
        return "done"

    try:
        hand.ask("it", work_out, NOW)
        told.wait()
        assert hand.ask("it", work_out, LATER) == Going("Reading", 0.5, 10.0)
        go_on.set()
        assert hand.ask("it", work_out, LATER, seconds=60) == "done"
        assert hand.ask("it", lambda _: "anew", LATER, seconds=60) == "done"
        assert hand.ask("it", lambda _: "anew", LATER + 2 * PATIENCE, seconds=60) == "anew"
    finally:
        hand.stop()


def test_what_nobody_waits_for_any_more_is_given_up_at_its_next_step() -> None:
    hand, begun, given_up = InHand(), threading.Event(), []

    def endless(tell: Told) -> None:
        begun.set()
        try:
            while True:
                tell("Going on", 0.1)
        except Stopping as told:
            given_up.append(str(told))
            raise

    hand.ask("endless", endless, NOW)
    begun.wait()
    try:
        assert hand.ask("other", lambda _: "answered", NOW + 2 * PATIENCE, seconds=60) == "answered"
        assert len(given_up) == 1
    finally:
        hand.stop()
    with pytest.raises(Stopping):
        hand.ask("other", lambda _: "answered", NOW)
