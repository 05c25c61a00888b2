"""Does a slow receiver, or a name that nobody can look up, keep others waiting, or the server from ending?"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from casework.app import App
from casework.outbox import endpoints, messages, rounds, sending
from casework.outbox.rounds import Sender
from tests.http.institution import Institution
from tests.http.test_webhooks import HOSTS, Receiver, receiving

NONE = {"sent": 0, "failed": 0, "dead": 0}


@dataclass
class Held(Receiver):
    """A receiver that answers nobody until it is let go."""

    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    free: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.asked.release()
        self.free.wait()
        return super().take(headers, body)


@contextmanager
def holding() -> Iterator[Held]:
    held = Held()
    with receiving(held):
        try:
            yield held
        finally:
            held.free.set()


@contextmanager
def hooked(app: App, *receivers: Receiver) -> Iterator[None]:
    """Webhooks at these receivers, the first one the oldest."""
    made = []
    with app.ledger.writing() as w:
        for n, each in enumerate(receivers):
            at = app.clock() + timedelta(microseconds=n)
            made.append(endpoints.add(w, each.url, HOSTS, "admin-1", app.key, at)[0]["webhook_id"])
    try:
        yield
    finally:
        with app.ledger.writing() as w:
            for webhook_id in made:
                endpoints.remove(w, webhook_id, "admin-1", app.clock())


def tell(app: App, *names: str) -> None:
    for name in names:
        with app.ledger.writing() as w:
            messages.tell(w, "ping", name, {}, app.clock())


def sender(app: App) -> Sender:
    return Sender(app.ledger, app.key, lambda: HOSTS, app.clock)


def test_a_receiver_that_takes_its_time_keeps_no_other_waiting_and_hears_all_in_order(
    institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, sends = institution.app, sender(institution.app)
    with receiving() as quick, holding() as slow, hooked(app, slow, quick):
        tell(app, "m_1", "m_2")
        monkeypatch.setattr(rounds, "PATIENCE_SECONDS", 0.01)
        sends.round()
        assert slow.asked.acquire(timeout=30)
        tell(app, "m_3")
        while len(quick.got) < 3:
            sends.round()
        assert slow.got == []
        slow.free.set()
        monkeypatch.setattr(rounds, "PATIENCE_SECONDS", 60.0)
        sends.round()
        sends.round()
    assert quick.ids == ["m_1", "m_2", "m_3"]
    assert slow.ids == ["m_1", "m_2", "m_3"], "each once, although rounds went on meanwhile"
    assert sends.round() == NONE


def test_an_end_waits_for_no_receiver_and_begins_no_other_message(institution: Institution) -> None:
    app, sends = institution.app, sender(institution.app)
    with holding() as slow, hooked(app, slow):
        tell(app, "n_1", "n_2")
        going = threading.Thread(target=sends.round)
        going.start()
        assert slow.asked.acquire(timeout=30)
        assert not sends.stop(0.0)
        slow.free.set()
        going.join()
        assert sends.stop(30.0)
    assert slow.ids == ["n_1"]


def test_what_keeps_an_answer_from_being_recorded_is_told_by_the_round(institution: Institution) -> None:
    app = institution.app

    def policy_is_gone() -> list[str]:
        raise LookupError("no policy")

    with receiving() as receiver, hooked(app, receiver):
        tell(app, "l_1")
        with pytest.raises(LookupError, match="no policy"):
            Sender(app.ledger, app.key, policy_is_gone, app.clock).round()


def test_a_name_that_nobody_can_look_up_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.2)
    asked, found = [], threading.Event()

    def look_up(host: str, port: int) -> list[str]:
        asked.append((host, port))
        found.wait()
        return ["93.184.216.34"]

    delivery = {"url": "https://hooks.example.com/", "body": "{}", "message_id": "m_1", "webhook_id": "w_1"}
    tls = ssl.create_default_context()
    try:
        told = sending.post(tls, b"k" * 32, HOSTS, delivery, 1_764_000_000, look_up)
    finally:
        found.set()
    assert asked == [("hooks.example.com", 443)]
    assert told == (False, "no whole answer within 0 seconds")


@pytest.mark.parametrize("address", ["10.0.0.8", "127.0.0.1", "::1", "fe80::1%eth0"])
def test_a_name_that_stands_for_an_address_inside_is_refused(address: str) -> None:
    delivery = {"url": "https://hooks.example.com/", "body": "{}", "message_id": "m_1", "webhook_id": "w_1"}
    tls = ssl.create_default_context()
    told = sending.post(tls, b"k", HOSTS, delivery, 1_764_000_000, lambda *_: ["93.184.216.34", address])
    assert told == (False, "the host 'hooks.example.com' resolves to an address inside")


def test_a_message_goes_to_the_address_that_was_checked_under_the_name_it_is_for() -> None:
    with receiving() as receiver:
        port = httpx.URL(receiver.url).port
        request = httpx.Request("POST", f"http://hooks.example.com:{port}/x", content=b"{}")
        told = asyncio.run(sending.asked(ssl.create_default_context(), request, "127.0.0.1"))
    assert told == (True, "204 No Content")
    [(headers, body)] = receiver.got
    assert (headers["host"], body) == (f"hooks.example.com:{port}", b"{}")
