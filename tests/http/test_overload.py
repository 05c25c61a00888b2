"""What happens when more comes in than can be answered, and when answers cannot be made?"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from anyio import to_thread

from casework.deciding.loop import Answer, DecisionLoop
from casework.http.api import create_api
from casework.http.crowd import Crowd
from casework.serving.refusals import NotNow, Overloaded, Rebuilding
from data.errors import DiskError
from data.transactions import Transaction
from tests.http.institution import (
    PATIENCE_SECONDS,
    Institution,
    large_payment,
    make_workspace,
    payment,
    served,
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Institution]:
    with served(make_workspace(tmp_path_factory.mktemp("overload") / "bank")) as running:
        _ = running.app.live
        yield running


@contextmanager
def holding(bank: Institution) -> Iterator[None]:
    """Somebody else has the application's lock, as an import has."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with bank.app.lock:
            held.set()
            let_go.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    try:
        yield
    finally:
        let_go.set()
        holder.join()


def until_ready(bank: Institution) -> None:
    while bank.ask("", "GET", "/readyz").status_code != 200:
        pass


def metric(bank: Institution, name: str) -> float:
    text = bank.ask("integrator-1", "GET", "/metrics").text
    found = [
        line for line in text.splitlines() if line.startswith(f"{name} ") or line.startswith(f"{name}{{")
    ]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found)


def test_what_would_wait_too_long_is_sent_back_with_the_time_to_come_again(bank: Institution) -> None:
    before = metric(bank, "secondlook_refused_transactions_total")
    loop = bank.app.loop
    loop._most_waiting = 2
    try:
        with ThreadPoolExecutor(3) as pool, holding(bank):
            first = [pool.submit(bank.decide, payment(n, transaction_id=f"held-{n}")) for n in (1, 2)]
            while loop.waiting < 2:
                pass
            in_lane = bank.ask(
                "integrator-1", "POST", "/v1/decisions", json=payment(3, transaction_id="many")
            )
            by_door = bank.ask(
                "integrator-1", "POST", "/v1/decisions?general", json=payment(3, transaction_id="many")
            )
    finally:
        loop._most_waiting = 4096
    assert [in_lane.status_code, by_door.status_code] == [429, 429]
    assert int(in_lane.headers["retry-after"]) >= 1
    assert in_lane.json()["title"] == "Too much at once"
    assert in_lane.json()["hint"].startswith("Send it again, with the same id")
    assert [each.result()["outcome"] for each in first] == [
        "approve",
        "approve",
    ]  # what was taken is answered
    assert bank.decide(payment(3, transaction_id="many"))["outcome"] == "approve"
    assert metric(bank, "secondlook_refused_transactions_total") == before + 2
    assert metric(bank, "secondlook_waiting_transactions") == 0


def test_whoever_waits_long_for_a_rebuild_gets_the_fail_safe_outcome_and_an_alarm_says_so(
    bank: Institution,
) -> None:
    bank.app.loop._patience = 0.05
    try:
        with holding(bank):
            bank.app._live, kept = None, bank.app._live
            told = bank.ask(
                "integrator-1", "POST", "/v1/decisions", json=large_payment(4, transaction_id="rebuilt")
            )
            soon = bank.ask(
                "integrator-1", "POST", "/v1/decisions", json=large_payment(5, transaction_id="soon")
            )
            unready = bank.ask("", "GET", "/readyz")
            assert kept is not None
    finally:
        bank.app.loop._patience = PATIENCE_SECONDS
    assert [told.status_code, soon.status_code, unready.status_code] == [503, 503, 503]
    assert told.json()["fail_safe"] == kept.settings.policy.fail_safe.word
    assert int(told.headers["retry-after"]) >= 1
    until_ready(bank)
    assert bank.decide(large_payment(4, transaction_id="rebuilt"))["outcome"] == "review"
    alarms = bank.ask("risk-manager-1", "GET", "/v1/alarms").json()["alarms"]
    assert [a for a in alarms if (a["kind"], a["subject"]) == ("fail_safe", "rebuilding")]
    assert metric(bank, 'secondlook_fail_safe_total{why="rebuilding"}') == 2
    assert bank.ask("", "GET", "/readyz").status_code == 200


def test_asking_for_readiness_has_what_decides_built(bank: Institution) -> None:
    bank.app.forget()
    assert bank.ask("", "GET", "/readyz").status_code == 503
    assert bank.app._rebuilding is not None
    bank.app._rebuilding.join(60)
    assert bank.ask("", "GET", "/readyz").json() == {"status": "ready"}


def test_a_disk_that_takes_nothing_refuses_decisions_with_the_fail_safe_outcome(
    bank: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = bank.app.ledger._backlog.journal

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "append", full)
    refused = bank.ask("integrator-1", "POST", "/v1/decisions", json=payment(6, transaction_id="no-room"))
    at_once = bank.ask("integrator-1", "POST", "/v1/decisions", json=payment(6, transaction_id="no-room"))
    assert [refused.status_code, at_once.status_code] == [503, 503]
    assert refused.json()["fail_safe"] and refused.headers["retry-after"] == "5"
    assert bank.ask("", "GET", "/readyz").status_code == 503
    monkeypatch.undo()
    bank.app.readiness._disk_failed_at -= 10  # type: ignore[operator]  # the five seconds are over
    assert bank.decide(payment(6, transaction_id="no-room"))["outcome"] == "approve"
    alarms = bank.ask("risk-manager-1", "GET", "/v1/alarms").json()["alarms"]
    assert [a for a in alarms if (a["kind"], a["subject"]) == ("fail_safe", "not_recorded")]


def test_one_request_too_many_is_told_when_to_come_again_but_health_always_answers() -> None:
    refused: list[str] = []

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.05)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask() -> list[httpx.Response]:
        crowd = Crowd(slow, lambda why, n: refused.append(why), most=2)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(crowd), base_url="http://x") as client:
            return await asyncio.gather(*map(client.get, ("/v1/a", "/v1/b", "/v1/c", "/healthz")))

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].headers["retry-after"] == "2" and refused == ["crowd"]


def test_health_readiness_and_metrics_are_told_while_every_thread_is_at_work(bank: Institution) -> None:
    headers = {"authorization": f"Bearer {bank.token('integrator-1')}"}
    until_ready(bank)

    async def ask() -> list[int]:
        threads = to_thread.current_default_thread_limiter()
        at_work = [object() for _ in range(int(threads.total_tokens))]
        for each in at_work:
            await threads.acquire_on_behalf_of(each)
        transport = httpx.ASGITransport(create_api(bank.app))
        async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers) as client:
            paths = map(client.get, ("/healthz", "/readyz", "/metrics"))
            told = await asyncio.wait_for(asyncio.gather(*paths), 20)
        return [answer.status_code for answer in told]

    assert asyncio.run(ask()) == [200, 200, 200]


@pytest.mark.parametrize("path", ["/v1/imports", "/v1/sessions"])
def test_a_file_of_nobody_is_refused_before_its_first_byte(bank: Institution, path: str) -> None:
    host, port = bank.url.removeprefix("http://").split(":")
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n"
        "content-type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 401"


def test_a_batch_longer_than_the_bound_is_taken_where_nothing_waits() -> None:
    assert asyncio.run(asked([5], most_waiting=3)) == [[b"{}"] * 5]


def test_a_batch_that_comes_while_others_wait_must_fit() -> None:
    first, second = asyncio.run(asked([2, 2], most_waiting=3))
    assert first == [b"{}"] * 2
    assert isinstance(second, Overloaded) and second.wait_seconds >= 1


def test_what_keeps_one_from_being_decided_is_not_tried_again_for_its_neighbours() -> None:
    tried: list[int] = []

    def refuse(transactions: Sequence[Transaction], _: datetime) -> list[Answer]:
        tried.append(len(transactions))
        raise Rebuilding("not yet", 2, "review")

    answers = asyncio.run(asked([1, 1, 1], decide=refuse))
    assert [type(each) for each in answers] == [Rebuilding] * 3
    assert tried == [3]


def test_a_hindrance_that_begins_while_others_wait_is_told_to_them_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Patience ends while an import still holds what decides; only then is that gone, and has to be built anew."""
    monkeypatch.setattr("casework.deciding.loop.AGAIN_SECONDS", 0.01)
    asked_before: list[bool] = []
    answered = threading.Event()

    def hindered(long: bool) -> NotNow | None:
        asked_before.append(long)
        return Rebuilding("not yet", 2, "review") if asked_before.count(True) > 1 else None

    def decide(transactions: Sequence[Transaction], _: datetime) -> list[Answer]:
        answered.wait(5)
        return [b"{}"] * len(transactions)

    async def both() -> list[Any]:
        loop = DecisionLoop(
            decide, lambda *_: None, lambda: datetime.now(UTC), hindered=hindered, patience=0.01
        )
        loop.start()
        one: Any = object()
        told = await asyncio.gather(loop.ask([one]), loop.ask([one] * 2), return_exceptions=True)
        answered.set()
        while loop._elsewhere:
            await asyncio.sleep(0)
        told += [loop.waiting, loop._timer is None or loop._timer.cancelled()]
        loop.stop()
        return told

    told = asyncio.run(both())
    assert [type(each) for each in told[:2]] == [Rebuilding] * 2
    assert told[2:] == [0, True]


async def asked(sizes: Sequence[int], **more: Any) -> list[Any]:
    """What requests of these sizes are told that come at the same time."""
    decide = more.pop("decide", lambda transactions, at: [b"{}"] * len(transactions))
    loop = DecisionLoop(decide, decide, lambda: datetime.now(UTC), **more)
    loop.start()
    one: Any = object()
    try:
        return await asyncio.gather(*(loop.ask([one] * size) for size in sizes), return_exceptions=True)
    finally:
        loop.stop()


def test_a_refusal_says_what_to_do() -> None:
    told = NotNow("the server is stopping", 5)
    assert str(told) == "the server is stopping. Send it again, with the same id, in 5 s or later."
    assert (
        str(DiskError("it takes nothing", where="x", hint="Make room.")) == "x: it takes nothing. Make room."
    )
