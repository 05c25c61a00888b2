"""Is whatever bytes somebody sends answered with a problem that says what to do, and never with a crash?"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.http.bounds import LARGEST_UNSIGNED
from casework.http.json_bodies import _once, parsed
from data.errors import InputError
from tests.http.institution import Institution, payment

WHOLE = json.dumps(payment(1))
JSON = {"content-type": "application/json"}

BODIES: dict[str, tuple[bytes | str, str]] = {
    "nothing": ("", "empty document"),
    "no object": ("[]", "valid dictionary"),
    "null": ("null", "valid dictionary"),
    "half of it": (WHOLE[:100], "JSON decode error"),
    "something behind it": (WHOLE + "x", "unexpected content after document"),
    "bytes that are no UTF-8": (b'{"transaction_id":"\xff\xfe"}', "not valid UTF-8"),
    "UTF-16": (WHOLE.encode("utf-16"), "not valid UTF-8"),
    "something packed": (gzip.compress(WHOLE.encode()), "not valid UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + WHOLE.encode(), "byte order mark"),
    "half a surrogate pair": (WHOLE.replace('"t1"', '"\\ud800"'), "no low surrogate"),
    "a NUL in the id": (WHOLE.replace('"t1"', '"a\\u0000b"'), "control characters"),
    "100,000 lists in each other": ("[" * 100_000 + "]" * 100_000, "depth limit"),
    "500 lists where a text belongs": (WHOLE.replace('"groceries"', "[" * 500 + "]" * 500), "merchant_category"),
    "a number of 400 digits": (WHOLE.replace('"12.50"', "1" + "0" * 400), "infinity"),
    "a whole number too large": (WHOLE.replace('"groceries"', "9" * 19), "merchant_category"),
    "an amount in words that is none": (WHOLE.replace('"12.50"', '"NaN"'), "finite number"),
    "an amount without end": (WHOLE.replace('"12.50"', '"1E+999999999"'), "amount"),
    "an amount near nothing": (WHOLE.replace('"12.50"', '"1E-999999999"'), "amount"),
    "an id that is no text": (WHOLE.replace('"t1"', "true"), "transaction_id"),
    "an amount given twice": (WHOLE.replace("{", '{"amount": "9999", ', 1), "'amount' is given more than once"),
    "an attribute given twice": (
        WHOLE.replace('"country": "DE"', '"country": "DE", "country": "FR"', 1),
        "'country' is given more than once",
    ),
}  # fmt: skip


def problem(answer: httpx.Response, *codes: int) -> dict[str, Any]:
    """The problem+json of a refusal: what is wrong, and what to do."""
    assert answer.status_code in codes, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4_000
    told = answer.json()
    assert told["detail"]
    return told


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_meant_is_refused_and_changes_nothing(
    institution: Institution, name: str
) -> None:
    body, said = BODIES[name]
    before = institution.app.ledger.next_transaction_seq
    answer = institution.ask("integrator-1", "POST", "/v1/decisions", headers=JSON, content=body)
    told = problem(answer, 422)
    assert said in told["detail"]
    assert told["hint"] or "(allowed: " in told["detail"]
    assert institution.app.ledger.next_transaction_seq == before


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/batch", "/v1/outcomes"])
def test_a_kind_of_body_that_is_not_read_is_named(institution: Institution, path: str, kind: str) -> None:
    answer = institution.ask("integrator-1", "POST", path, headers={"content-type": kind}, content=WHOLE)
    told = problem(answer, 415)
    assert "application/json" in told["hint"]


@pytest.mark.parametrize("path", ["/v1/outcomes", "/v1/decisions/batch"])
def test_saying_something_twice_is_refused_everywhere(institution: Institution, path: str) -> None:
    body = '{"outcomes": [], "outcomes": [], "transactions": [], "transactions": []}'
    told = problem(institution.ask("integrator-1", "POST", path, headers=JSON, content=body), 422)
    assert "'outcomes' is given more than once" in told["detail"]


def test_a_key_given_twice_is_found_however_it_is_written() -> None:
    for text in (
        '{"a":1,"a":1}',
        '{"a":"\\u003a","\\u0061":2}',
        '[{"b":{"c":1,"c":[]}}]',
        '{"a" :1, "a"\n:2}',
    ):
        with pytest.raises(InputError, match="more than once"):
            parsed(text.encode())
    for text in ('{"a":":::","b":{"a":1}}', '{"a:b":[":"],"\\u003a":1}', '[{"a":1},{"a":1}]', "7"):
        assert parsed(text.encode()) == json.loads(text)


class Counted(str):
    """A key that counts how often one of its kind is compared with another."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)


def test_the_key_given_twice_is_found_without_comparing_each_with_all() -> None:
    keys = [Counted(f"k{n}") for n in range(300)]
    with pytest.raises(InputError, match="'k299' is given more than once"):
        _once([(key, 1) for key in [*keys, Counted("k299")]])
    assert Counted.compared < len(keys)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/sessions", 413),
        ("/v1/sessions/outside", 413),
        ("/v1/outcomes", 401),
        ("/v1/imports", 401),
        ("/v1/decisions", 401),
        ("/v1/decisions?general", 401),
    ],
)
def test_a_body_of_nobody_is_read_no_further_than_a_sign_in_needs(
    institution: Institution, path: str, status: int
) -> None:
    body = json.dumps({"user": "x" * LARGEST_UNSIGNED, "password": "x"}).encode()
    for content in (body, iter([body])):  # its length declared, and not
        told = problem(institution.ask("", "POST", path, headers=JSON, content=content), status)
        assert f"at most {LARGEST_UNSIGNED} bytes without a valid token" in told["detail"]


@pytest.mark.parametrize("path", ["/v1/outcomes", "/v1/sessions"])
def test_endpoints_behind_the_framework_answer_deep_and_broken_json_alike(
    institution: Institution, path: str
) -> None:
    for body in ("{" * 50_000, '{"a":' * 900 + "1" + "}" * 900, "{,}", b"\xff"):
        problem(institution.ask("integrator-1", "POST", path, headers=JSON, content=body), 422)


def test_uploads_that_are_no_files_are_refused(institution: Institution) -> None:
    def ask(**how: Any) -> httpx.Response:
        return institution.ask("integrator-1", "POST", "/v1/imports", **how)

    problem(ask(headers=JSON, content=WHOLE), 422)
    problem(ask(headers={"content-type": "multipart/form-data"}, content=b"xx"), 400)
    damaged = {
        "a.csv": b"\xff\xfe\x00",
        "a.parquet": b"PAR1xx",
        "a.exe": b"MZ",
        "b.csv": b"",
        "c.csv": b"a\n",
    }
    for name, content in damaged.items():
        told = problem(ask(files={"file": (name, content)}), 422)
        assert name in told["detail"]


def test_one_bad_row_of_a_large_file_harms_no_other(institution: Institution) -> None:
    mapping = institution.app.mapping
    cells = {**dict.fromkeys(mapping.columns, ""), mapping.occurred_at.column: "2026-01-01T00:00:00Z"}
    header = ",".join(cells)
    lines = []
    for n in range(3_000):
        row = {**cells, mapping.transaction_id: f"f{n}", mapping.amount: "NaN" if n == 1_234 else "12.50"}
        if mapping.currency:
            row[mapping.currency] = mapping.base_currency
        lines.append(",".join(row.values()))
    content = "\n".join([header, *lines, ""]).encode()
    answer = institution.ask("integrator-1", "POST", "/v1/imports", files={"file": ("f.csv", content)})
    assert answer.status_code == 201, answer.text
    report = answer.json()
    assert (report["accepted"], report["quarantined"]) == (2_999, 1), report["reasons"]
    assert report["examples"][0]["line"] == 1_236
    assert report["examples"][0]["field"] == "transaction.amount"


def _values() -> st.SearchStrategy[Any]:
    leaf = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(max_size=30),
        st.sampled_from(["2026-01-01T00:00:00Z", "NaN", "1e999", "-0.00", "9" * 40, "DE", "x" * 2_000]),
    )
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    )


def _places(body: dict[str, Any]) -> list[tuple[str, ...]]:
    nested = [(name, key) for name, part in body.items() if isinstance(part, dict) for key in part]
    return [*((name,) for name in body), *nested, ("entities", "other"), ("more",)]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A whole payment with one to three values replaced by anything, or bytes that were cut or altered."""
    body = payment(draw(st.integers(0, 10**6)), transaction_id=f"fuzz-{draw(st.integers(0, 10**9))}")
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(body)))
        part = body
        for key in place[:-1]:
            part = part[key] if isinstance(part.get(key), dict) else part
        part[place[-1]] = draw(_values())
    sent = json.dumps(body).encode()
    if draw(st.sampled_from([False, False, True])):
        at = draw(st.integers(0, len(sent)))
        sent = sent[:at] + draw(st.binary(max_size=4)) + sent[at + draw(st.integers(0, 4)) :]
    return sent


@pytest.fixture(scope="module")
def client(institution: Institution) -> Iterator[httpx.Client]:
    with institution.client("integrator-1") as opened:
        yield opened


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sent=damaged())
def test_whatever_is_sent_is_decided_or_refused_and_never_an_accident(
    client: httpx.Client, sent: bytes
) -> None:
    one = client.post("/v1/decisions", headers=JSON, content=sent)
    if one.status_code == 200:
        assert one.json()["outcome"] in ("approve", "review", "decline")
    else:
        problem(one, 409, 413, 422)
    several = client.post("/v1/decisions/batch", headers=JSON, content=b'{"transactions":[' + sent + b"]}")
    assert several.status_code in (200, 422), several.text
    if several.status_code == 200 and one.status_code == 200:
        assert several.json()["decisions"][0] == one.json()
