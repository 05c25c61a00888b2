"""Does a person come in with an ID token of the institution's provider, and with no token of anybody else's making?

The provider is a server of our own on this machine, with its discovery document, its keys and tokens it signs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwk, jwt

from casework.people.outside import Provider, ProviderAway, from_environment
from casework.people.signin import NotSignedIn
from data.errors import InputError, SecondLookError
from tests.http.institution import Institution

CLIENT = "second-look"
EMAIL = "Ana.Lyst@bank.example"


class Issuer:
    """An identity provider that says what it is told to."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.key = jwk.ECKey.generate_key("P-256", {"kid": "one"})
        self.asked = 0

    def answer(self, path: str) -> dict[str, Any]:
        self.asked += 1
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [self.key.as_dict(private=False)]}

    def answer_at(self, address: str) -> dict[str, Any]:
        """The same without the way there."""
        return self.answer(address.removeprefix(self.url))

    def token(self, *, key: Any = None, alg: str = "ES256", **changes: Any) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "person-17", "email": EMAIL, "email_verified": True,
            "iat": int(now.timestamp()), "exp": int((now + timedelta(hours=1)).timestamp()), **changes,
        }  # fmt: skip
        signer = key or self.key
        whole = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": alg, "kid": signer.kid or "one"}, whole, signer, algorithms=[alg])


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = orjson.dumps(found.answer(self.path))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        found = Issuer(server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def bank(institution: Institution, issuer: Issuer) -> Institution:
    institution.app.provider = Provider(issuer.url, CLIENT)
    return institution


@pytest.fixture(autouse=True)
def linked(bank: Institution) -> Iterator[None]:
    where = "/v1/users/analyst-1/outside-names"
    form = {"kind": "email", "name": EMAIL, "reason": "single sign-on"}
    assert bank.ask("admin-1", "POST", where, json=form).status_code == 204
    yield
    bank.ask("admin-1", "DELETE", where, params={"reason": "over"})


def come_in(bank: Institution, token: str) -> httpx.Response:
    return bank.ask("", "POST", "/v1/sessions/outside", json={"id_token": token})


def test_a_verified_address_opens_the_session_of_the_person_linked_to_it(
    bank: Institution, issuer: Issuer
) -> None:
    session = come_in(bank, issuer.token(email=EMAIL.lower()))
    assert session.status_code == 201, session.text
    headers = {"authorization": f"Bearer {session.json()['token']}"}
    assert bank.ask("", "GET", "/v1/me", headers=headers).json() == {"user": "analyst-1", "role": "analyst"}


def test_a_subject_can_be_linked_instead(bank: Institution, issuer: Issuer) -> None:
    form = {"kind": "subject", "name": "person-99", "reason": "has no address"}
    assert bank.ask("admin-1", "POST", "/v1/users/auditor-1/outside-names", json=form).status_code == 204
    session = come_in(bank, issuer.token(sub="person-99", email=None))
    assert session.json()["user"] == "auditor-1"


def test_the_name_at_the_provider_is_kept_nowhere(bank: Institution, issuer: Issuer) -> None:
    come_in(bank, issuer.token())
    kept = [
        bank.app.ledger.read(f"SELECT * FROM {t}") for t in ("outside_names", "events", "personal_values")
    ]
    assert EMAIL.lower() not in str(kept).lower()


REFUSED: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://elsewhere.example"},
    "for another audience": {"aud": "another-program"},
    "for several, and got by another": {"aud": [CLIENT, "another"], "azp": "another"},
    "got by another": {"azp": "another"},
    "that is over": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "from the future": {"iat": 4_000_000_000},
    "not good yet": {"nbf": 4_000_000_000},
    "of nobody": {"sub": None},
    "of somebody not linked": {"email": "other@bank.example"},
    "with an address that was not verified": {"email_verified": False},
    "with an address verified in words": {"email_verified": "true"},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED.keys())
def test_a_token_is_refused(bank: Institution, issuer: Issuer, changes: dict[str, Any]) -> None:
    answer = come_in(bank, issuer.token(**changes))
    assert answer.status_code == 401, answer.text
    assert EMAIL not in answer.text


def test_a_token_signed_by_anybody_else_is_refused(bank: Institution, issuer: Issuer) -> None:
    stranger = jwk.ECKey.generate_key("P-256", {"kid": "one"})
    shared = jwk.OctKey.import_key(orjson.dumps(issuer.key.as_dict(private=False)))
    unsigned = issuer.token().rsplit(".", 1)[0] + "."
    none = "eyJhbGciOiJub25lIn0." + issuer.token().split(".")[1] + "."
    for token in (
        issuer.token(key=stranger),
        issuer.token(key=shared, alg="HS256"),
        unsigned,
        none,
        "x",
        "a.b.c",
    ):
        assert come_in(bank, token).status_code == 401, token


def test_a_new_key_of_the_provider_is_learned_and_asked_for_no_more_than_once_a_minute(
    issuer: Issuer,
) -> None:
    provider, now = Provider(issuer.url, CLIENT), datetime.now(UTC)
    assert provider.names(issuer.token(), now)[0] == ("subject", "person-17")
    before, old = issuer.asked, issuer.key
    issuer.key = jwk.ECKey.generate_key("P-256", {"kid": "two"})
    try:
        for _ in range(5):
            with pytest.raises(NotSignedIn):
                provider.names(issuer.token(), now + timedelta(seconds=1))
        assert issuer.asked == before
        assert provider.names(issuer.token(), now + timedelta(seconds=61))[1] == ("email", EMAIL)
        assert issuer.asked == before + 2
    finally:
        issuer.key = old


def test_unlinking_and_disabling_keep_people_out(bank: Institution, issuer: Issuer) -> None:
    where = "/v1/users/analyst-1/outside-names"
    assert bank.ask("admin-1", "DELETE", where, params={"reason": "left"}).status_code == 204
    assert come_in(bank, issuer.token()).status_code == 401
    assert bank.ask("admin-1", "DELETE", where, params={"reason": "left"}).status_code == 404
    form = {"user": "temp-1", "role": "analyst", "password": "long enough", "reason": "for a week"}
    assert bank.ask("admin-1", "POST", "/v1/users", json=form).status_code == 201
    named = {"kind": "subject", "name": "temp", "reason": "single sign-on"}
    assert bank.ask("admin-1", "POST", "/v1/users/temp-1/outside-names", json=named).status_code == 204
    assert come_in(bank, issuer.token(sub="temp")).status_code == 201
    bank.ask("admin-1", "DELETE", "/v1/users/temp-1", params={"reason": "week over"})
    assert come_in(bank, issuer.token(sub="temp")).status_code == 401


@pytest.mark.parametrize("passed_on", [False, True])
def test_a_link_that_ends_while_somebody_comes_in_opens_nothing(
    bank: Institution, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, passed_on: bool
) -> None:
    door = bank.app.signin.open
    form = {"kind": "email", "name": EMAIL, "reason": "took over"}

    def late(*shown: Any, **how: Any) -> Any:
        where = "/v1/users/analyst-{}/outside-names".format
        assert bank.ask("admin-1", "DELETE", where(1), params={"reason": "left"}).status_code == 204
        if passed_on:
            assert bank.ask("admin-1", "POST", where(2), json=form).status_code == 204
        return door(*shown, **how)

    monkeypatch.setattr(bank.app.signin, "open", late)
    before = bank.app.ledger.read("SELECT count(*) AS n FROM tokens")
    answer = come_in(bank, issuer.token())
    assert answer.status_code == 401
    assert (
        "linked to somebody else" if passed_on else "nobody here is linked to this account"
    ) in answer.text
    assert bank.app.ledger.read("SELECT count(*) AS n FROM tokens") == before
    bank.ask("admin-1", "DELETE", "/v1/users/analyst-2/outside-names", params={"reason": "over"})


def test_a_name_stands_for_one_person(bank: Institution) -> None:
    form = {"kind": "email", "name": EMAIL.upper(), "reason": "again"}
    assert bank.ask("admin-1", "POST", "/v1/users/analyst-2/outside-names", json=form).status_code == 409


def test_a_token_that_names_two_people_names_nobody(bank: Institution, issuer: Issuer) -> None:
    form = {"kind": "subject", "name": "both", "reason": "by mistake"}
    assert bank.ask("admin-1", "POST", "/v1/users/analyst-2/outside-names", json=form).status_code == 204
    assert come_in(bank, issuer.token(sub="both")).status_code == 401


def test_a_provider_that_does_not_answer_or_names_another_is_said_so(issuer: Issuer) -> None:
    gone = Provider("http://127.0.0.1:9", CLIENT)
    with pytest.raises(SecondLookError, match="keys cannot be read"):
        gone.names(issuer.token(), datetime.now(UTC))
    other = Provider("https://bank.example", CLIENT, lambda _: {"issuer": issuer.url, "jwks_uri": issuer.url})
    with pytest.raises(SecondLookError, match="keys cannot be read"):
        other.names(issuer.token(), datetime.now(UTC))


def test_a_provider_that_is_away_is_asked_once_a_minute_whatever_tokens_come(issuer: Issuer) -> None:
    asked: list[str] = []

    def away(address: str) -> dict[str, Any]:
        asked.append(address)
        raise httpx.ConnectTimeout("nobody there")

    provider, now = Provider(issuer.url, CLIENT, away), datetime.now(UTC)
    waits = []
    for seconds in (0, 1, 59, 60):
        with pytest.raises(ProviderAway, match="keys cannot be read") as told:
            provider.names("x", now + timedelta(seconds=seconds))
        waits.append(told.value.wait_seconds)
    assert (len(asked), waits) == (2, [60, 59, 1, 60])
    provider._fetch = issuer.answer_at
    assert provider.names(issuer.token(), now + timedelta(seconds=121))[0] == ("subject", "person-17")


def test_few_wait_while_a_provider_does_not_answer(issuer: Issuer) -> None:
    answering = threading.Event()

    def slow(address: str) -> dict[str, Any]:
        answering.wait(30)
        return issuer.answer_at(address)

    provider, token, now = Provider(issuer.url, CLIENT, slow), issuer.token(), datetime.now(UTC)
    with ThreadPoolExecutor(12) as pool:
        told = [pool.submit(provider.names, token, now) for _ in range(12)]
        turned_away = [done.exception() for _, done in zip(range(7), as_completed(told, 20), strict=False)]
        answering.set()
        let_in = [each.result() for each in told if each.exception() is None]
    assert [type(each) for each in turned_away] == [ProviderAway] * 7
    assert len(let_in) == 5


def test_whoever_comes_while_the_provider_is_away_is_told_when_to_come_again(bank: Institution) -> None:
    kept, bank.app.provider = bank.app.provider, Provider("http://127.0.0.1:9", CLIENT)
    try:
        answer = come_in(bank, "x")
    finally:
        bank.app.provider = kept
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.json()["title"] == "The identity provider is away"


def test_an_issuer_is_reached_safely_or_not_at_all() -> None:
    for address in ("http://bank.example", "ftp://bank.example", "bank.example", "https://u:p@bank.example"):
        with pytest.raises(InputError):
            Provider(address, CLIENT)
    with pytest.raises(InputError, match="half set up"):
        from_environment({"SECONDLOOK_OIDC_ISSUER": "https://bank.example"})
    assert from_environment({}) is None
