"""Does everybody who asked hear of every disposition, once by id, signed, and after any number of failures?"""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from casework.app import App
from casework.outbox import endpoints, messages, sending
from casework.outbox.rounds import Sender
from casework.serving.jobs import retain, send
from tests.http.institution import Institution, make_workspace, payment, served

HOSTS = ("127.0.0.1", "hooks.example.com")


@dataclass
class Receiver:
    """A real HTTP server that answers as told, 204 when nothing is told, and remembers what it was sent."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.got.append((headers, body))
        return self.answers.pop(0) if self.answers else 204

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def receiving(at: Receiver | None = None) -> Iterator[Receiver]:
    receiver = at or Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(receiver.take({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_header("location", receiver.url + "elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


@pytest.fixture
def hook(institution: Institution, receiver: Receiver) -> Iterator[dict[str, Any]]:
    answer = institution.ask("admin-1", "POST", "/v1/webhooks", json={"url": receiver.url, "reason": "why"})
    assert answer.status_code == 201, answer.text
    yield answer.json()
    institution.ask("admin-1", "DELETE", f"/v1/webhooks/{answer.json()['webhook_id']}?reason=done")


def reverse(institution: Institution, name: str) -> dict[str, Any]:
    """A disposition: an everyday payment is approved, then reversed by a person."""
    institution.decide(payment(1, transaction_id=name))
    answer = institution.ask(
        "team-lead-1", "POST", f"/v1/decisions/{name}/reversal", json={"reason": "the customer called"}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@contextmanager
def later(app: App, **span: float) -> Iterator[None]:
    """The application's clock, moved on."""
    before = app.clock
    app.clock = lambda: before() + timedelta(**span)
    try:
        yield
    finally:
        app.clock = before


def status_of(institution: Institution, message_id: str) -> dict[str, Any]:
    rows = institution.ask("admin-1", "GET", "/v1/deliveries").json()["deliveries"]
    return next(row for row in rows if row["message_id"] == message_id)


def test_a_disposition_arrives_signed_and_tells_what_polling_tells(
    institution: Institution, receiver: Receiver, hook: dict[str, Any]
) -> None:
    made = reverse(institution, "signed")
    assert send(institution.app).startswith("1 sent, 0 to be tried again")
    [(headers, body)] = receiver.got
    message = json.loads(body)
    assert message["type"] == "disposition.recorded"
    polled = institution.ask(
        "integrator-1", "GET", f"/v1/dispositions?since={made['disposition_seq'] - 1}"
    ).json()["dispositions"][0]
    told = ("disposition_seq", "transaction_id", "value", "reason", "actor")
    assert {name: message["data"][name] for name in told} == {name: polled[name] for name in told}
    # Checked as any receiver would, from the secret that was shown once.
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - institution.app.clock().timestamp()) < 60


def test_a_receiver_that_fails_at_first_gets_the_message_later_under_the_same_id(
    institution: Institution, receiver: Receiver, hook: dict[str, Any]
) -> None:
    receiver.answers = [500, 302, 429]
    reverse(institution, "failing")
    pauses = []
    for seconds in (0, 6, 20):
        with later(institution.app, seconds=seconds):
            at = institution.app.clock()
            assert send(institution.app) == "0 sent, 1 to be tried again, 0 given up."
            assert send(institution.app).startswith("0 sent, 0 to be tried again")  # it waits its time
            waiting = institution.app.ledger.read("SELECT due_at FROM deliveries WHERE status = 'waiting'")
            pauses.append(round((waiting[0]["due_at"] - at).total_seconds()))
    assert pauses == [5, 10, 20]
    with later(institution.app, minutes=5):
        assert send(institution.app) == "1 sent, 0 to be tried again, 0 given up."
    assert len(set(receiver.ids)) == 1
    assert len(receiver.got) == 4  # the redirect was not followed
    assert status_of(institution, receiver.ids[0])["attempts"] == 4


def test_nothing_is_lost_when_the_server_stops_before_sending(tmp_path: Path, receiver: Receiver) -> None:
    workspace = make_workspace(tmp_path / "bank")
    with served(workspace) as before:
        before.ask("admin-1", "POST", "/v1/webhooks", json={"url": receiver.url, "reason": "why"})
        made = [reverse(before, name) for name in ("unheard-1", "unheard-2")]
    assert receiver.got == []
    app = App.open(workspace)  # the messages are in the ledger's file, not in anybody's memory
    try:
        receiver.answers = [503]
        send(app)
        with later(app, minutes=1):
            send(app)
    finally:
        app.close()
    seen = [json.loads(body)["data"]["disposition_seq"] for _, body in receiver.got]
    assert set(seen) == {each["disposition_seq"] for each in made}
    assert len(seen) == 3  # one was refused at first
    assert len(set(receiver.ids)) == 2


def test_what_is_never_taken_is_given_up_listed_and_can_be_sent_again(
    institution: Institution, receiver: Receiver, hook: dict[str, Any]
) -> None:
    receiver.answers = [500] * messages.MOST_ATTEMPTS
    reverse(institution, "hopeless")
    said = ""
    for day in range(messages.MOST_ATTEMPTS):
        with later(institution.app, days=day):
            said = send(institution.app)
    assert said == "0 sent, 0 to be tried again, 1 given up."
    dead = institution.ask("integrator-1", "GET", "/v1/deliveries?status=dead").json()["deliveries"]
    assert dead[0]["last_answer"].startswith("500")
    again = f"/v1/deliveries/{dead[0]['delivery_id']}/resend"
    assert institution.ask("integrator-1", "POST", again).status_code == 403
    assert institution.ask("admin-1", "POST", again).status_code == 202
    with later(institution.app, days=messages.MOST_ATTEMPTS):
        assert send(institution.app).startswith("1 sent")
    assert len(set(receiver.ids)) == 1


def test_a_secret_is_shown_once_and_kept_nowhere(institution: Institution, hook: dict[str, Any]) -> None:
    assert hook["secret"].startswith("whsec_")
    listed = institution.ask("admin-1", "GET", "/v1/webhooks").text
    assert hook["webhook_id"] in listed
    assert hook["secret"] not in listed
    raw = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    for path in institution.app.workspace.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert hook["secret"].encode() not in content, path
            assert raw not in content, path


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.com/x", "messages go over https"),
        ("https://evil.example.com/x", "is not allowed"),
        ("https://hooks.example.com@evil.example.com/", "has parts that are not allowed"),
        ("https://hooks.example.com:0/", "has parts that are not allowed"),
        ("file:///etc/passwd", "has parts that are not allowed"),
        ("https://169.254.169.254/latest", "is not allowed"),
        ("https://hooks.example.com\\@evil.example.com/", "not allowed"),
        ("https://hooks.example.com:99999/", "not an address"),
        ("https://hooks.example.com/a b", "not an address"),
        ("https://hooks..example.com/", "has parts that are not allowed"),
        ("https://" + "h" * 64 + ".example.com/", "has parts that are not allowed"),
    ],
)
def test_only_addresses_that_policy_names_can_be_sent_to(url: str, why: str) -> None:
    with pytest.raises(endpoints.InputError, match=why):
        endpoints.check(url, HOSTS)


def test_a_host_that_cannot_even_be_looked_up_keeps_nobody_else_waiting(
    institution: Institution, receiver: Receiver
) -> None:
    app, host = institution.app, "hooks..example.com"
    hosts = ("127.0.0.1", host)
    row = {"webhook_id": "webhook_0", "url": f"https://{host}/", "created_by": "admin-1", "removed_at": None}
    with app.ledger.writing() as w:  # one that an earlier version let in
        w.insert("webhooks", [{**row, "created_at": app.clock() - timedelta(days=1)}])
        made, _ = endpoints.add(w, receiver.url, hosts, "admin-1", app.key, app.clock())
        messages.tell(w, "ping", f"to {host}", {}, app.clock())
    try:
        done = Sender(app.ledger, app.key, lambda: hosts, app.clock).round()
    finally:
        with app.ledger.writing() as w:
            endpoints.remove(w, made["webhook_id"], "admin-1", app.clock())
            w.execute("DELETE FROM deliveries WHERE webhook_id = 'webhook_0'")
            w.execute("DELETE FROM webhooks WHERE webhook_id = 'webhook_0'")
    assert done == {"sent": 1, "failed": 1, "dead": 0}
    assert len(receiver.got) == 1


def test_a_receiver_with_much_to_hear_keeps_no_other_waiting(
    institution: Institution, receiver: Receiver, hook: dict[str, Any]
) -> None:
    """One that is away for a day has more waiting than a round takes, and all of it is older."""
    app = institution.app
    for name in ("queued-1", "queued-2"):
        reverse(institution, name)
    with receiving() as other:
        form = {"url": other.url, "reason": "why"}
        heard = institution.ask("admin-1", "POST", "/v1/webhooks", json=form).json()["webhook_id"]
        reverse(institution, "queued-3")
        due = messages.due(app.ledger, app.clock(), limit=1)
        institution.ask("admin-1", "DELETE", f"/v1/webhooks/{heard}?reason=done")
    assert [row["webhook_id"] for row in due] == [hook["webhook_id"], heard]


@contextmanager
def dripping(first: bytes, more: bytes, drips: int, last: bytes) -> Iterator[str]:
    """The address of a receiver that hears one message and answers a little at a time, until nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        done = threading.Event()

        def answer() -> None:
            conversation, _ = listening.accept()
            with conversation, suppress(OSError):  # nobody listens any more
                while not conversation.recv(65_536).endswith(b"{}"):
                    pass
                conversation.sendall(first)
                for _ in range(drips):
                    done.wait(0.02)
                    conversation.sendall(more)
                conversation.sendall(last)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


@pytest.mark.parametrize(
    ("first", "more", "drips", "last", "said"),
    [
        (b"HTTP/1.1 204 No Content\r\nx: ", b"a", 100, b"\r\n\r\n", (False, "no whole answer")),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n", 100, b"HTTP/1.1 204 .\r\n\r\n", (False, "no whole answer")),
        (b"HTTP/1.1 200 OK\r\nx: ", b"a" * 100_000, 2, b"\r\n\r\n", (False, "RemoteProtocolError")),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a", 100, b"", (True, "200 OK")),  # what is in it is not read
    ],
    ids=["head", "beforehand", "much", "body"],
)
def test_a_receiver_that_answers_without_end_is_not_listened_to_for_long(
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    more: bytes,
    drips: int,
    last: bytes,
    said: tuple[bool, str],
) -> None:
    monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.5)
    with dripping(first, more, drips, last) as url:
        delivery = {"url": url, "body": "{}", "message_id": "m_1", "webhook_id": "w_1"}
        took, answer = sending.post(ssl.create_default_context(), b"k" * 32, HOSTS, delivery, 1_764_000_000)
    assert (took, answer[: len(said[1])]) == said


def test_an_address_allowed_by_policy_is_fine() -> None:
    endpoints.check("https://hooks.example.com/second-look?x=1", HOSTS)
    endpoints.check("http://127.0.0.1:9000/", HOSTS)
    assert endpoints.is_inward("10.0.0.8")
    assert endpoints.is_inward("fe80::1%eth0")
    assert not endpoints.is_inward("93.184.216.34")


def test_a_removed_webhook_gets_nothing_more(
    institution: Institution, receiver: Receiver, hook: dict[str, Any]
) -> None:
    reverse(institution, "too-late")
    assert (
        institution.ask("admin-1", "DELETE", f"/v1/webhooks/{hook['webhook_id']}?reason=done").status_code
        == 204
    )
    send(institution.app)
    assert receiver.got == []


def test_a_ping_tries_an_address(institution: Institution, receiver: Receiver, hook: dict[str, Any]) -> None:
    pinged = institution.ask("admin-1", "POST", f"/v1/webhooks/{hook['webhook_id']}/ping").json()
    send(institution.app)
    assert receiver.ids == [pinged["message_id"]]
    assert json.loads(receiver.got[0][1])["type"] == "ping"
    arrived = messages.counts(institution.app.ledger)["sent"]
    assert f"{arrived} sent messages removed" not in retain(institution.app)
    with later(institution.app, days=60):
        assert f"{arrived} sent messages removed" in retain(institution.app)
    assert messages.counts(institution.app.ledger)["sent"] == 0
