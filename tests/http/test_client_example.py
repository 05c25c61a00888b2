"""Does the client that the documentation shows always have an answer in time, and never two for one payment?"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest

PAYMENT = {"transaction_id": "t1", "amount": "12.50"}


def example() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "examples" / "client.py"
    spec = importlib.util.spec_from_file_location("client_example", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


client = example()


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.001


def asked(
    answer: Callable[[httpx.Request], httpx.Response], amount: str = "12.50"
) -> tuple[object, list[bytes]]:
    """What the client makes of these answers, and what it sent."""
    sent: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return answer(request)

    time = Time()
    with httpx.Client(transport=httpx.MockTransport(respond), base_url="http://engine") as http:
        decided = client.decide(http, {**PAYMENT, "amount": amount}, clock=time.clock, sleep=time.sleep)
    assert time.now < client.DEADLINE_SECONDS + 0.1
    return decided, sent


def test_a_restart_in_between_is_bridged_with_the_same_id() -> None:
    answers = iter([503, 503, 200])

    def restarting(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), json={"outcome": "review"})

    decided, sent = asked(restarting)
    assert decided == client.Decided("review", by_engine=True)
    assert len(sent) == 3 and len(set(sent)) == 1


@pytest.mark.parametrize(
    ("amount", "outcome"), [("12.50", "approve"), ("900", "review"), ("9000", "decline")]
)
def test_an_engine_that_is_away_leaves_the_fail_safe_outcome_by_amount(amount: str, outcome: str) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    decided, sent = asked(away, amount)
    assert decided.outcome == outcome and decided.to_send_again and decided.why == "ConnectError"
    assert len(sent) >= 3


def test_a_wait_beyond_the_deadline_is_not_waited_for_and_the_suggestion_holds() -> None:
    told = httpx.Response(503, json={"title": "Not possible just now", "fail_safe": "review"})
    told.headers["retry-after"] = "5"
    decided, sent = asked(lambda _: told)
    assert decided == client.Decided("review", by_engine=False, why="503 Not possible just now")
    assert len(sent) == 1


def test_a_payment_that_is_wrong_is_not_sent_again() -> None:
    with pytest.raises(ValueError, match="422 This input cannot be used: amount"):
        asked(lambda _: httpx.Response(422, json={"title": "This input cannot be used", "detail": "amount"}))
