"""Does any request that the OpenAPI description allows for, or nearly, get an answer that may not be?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.fuzzing.asking import Given, complaint
from benchmarks.fuzzing.institution import Fuzzed, opened
from casework.app import App
from data.integrity.chain import verify
from tests.http.institution import PASSWORD, add_people, make_workspace

PEOPLE = (
    "analyst-1",
    "analyst-2",
    "team-lead-1",
    "risk-manager-1",
    "auditor-1",
    "admin-1",
    "integrator-1",
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    root: Path = tmp_path_factory.mktemp("fuzz") / "bank"
    app = App.open(make_workspace(root))
    add_people(app)
    with opened(app, dict.fromkeys(PEOPLE, PASSWORD), "tests") as made:
        yield made


def test_every_answer_is_one_that_may_be_and_the_record_verifies(fuzzed: Fuzzed) -> None:
    found = fuzzed.run(range(200))
    assert found.examples == 200
    assert not found.complaints, "\n".join(found.complaints)
    assert len(found.reached) > 100
    assert verify(fuzzed.app.ledger).ok


def test_an_answer_that_may_not_be_would_be_noticed(fuzzed: Fuzzed) -> None:
    drawn = fuzzed.drawing.draw(0)
    problem = {"content-type": "application/problem+json"}
    whole = b'{"type": "about:blank", "title": "t", "status": 422, "detail": "d", "hint": "h"}'
    assert not complaint(drawn, Given(422, problem, whole, 0.0), may=True)
    assert not complaint(drawn, Given(200, {}, b"", 0.0), may=True)
    for status, headers, body, may in (
        (500, problem, whole, True),
        (200, {}, b"", False),
        (422, {"content-type": "application/json"}, whole, True),
        (422, problem, whole.replace(b'"h"', b'""'), True),
        (404, problem, whole, True),
    ):
        assert complaint(drawn, Given(status, headers, body, 0.0), may=may)
